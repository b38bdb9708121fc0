"""Files of the formats before PyTorch 1.6, made part by part as no PyTorch of today makes them."""

import collections
import io
import pickle
import pickletools
import struct
import tarfile

import torch

MAGIC_NUMBER, PROTOCOL_VERSION = 0x1950A86A20F9469CFC6C, 1001
SYSTEM = {
    "protocol_version": PROTOCOL_VERSION, "little_endian": True,
    "type_sizes": {"short": 2, "int": 4, "long": 4}}


def save(value, path, protocol=2):
    """What `torch.save` writes in the legacy format."""
    torch.save(
        value, path, pickle_protocol=protocol, _use_new_zipfile_serialization=False)
    return path


def pickles(data):
    """The five pickles of a file, and the bytes behind them."""
    stream, found = io.BytesIO(data), []
    for _ in range(5):
        start = stream.tell()
        collections.deque(pickletools.genops(stream), maxlen=0)
        found.append(data[start : stream.tell()])
    return found, stream.read()


def rewritten(pickled, change):
    """A pickle whose operations `change` may spell in another way, given name, argument, bytes."""
    found, result = list(pickletools.genops(pickled)), b""
    ends = [position for _, _, position in found[1:]] + [len(pickled)]
    for (operation, argument, start), end in zip(found, ends):
        other = change(operation.name, argument)
        result += pickled[start:end] if other is None else other
    return result


def in_python_2(data):
    """The file as Python 2 spells it: its strs are bytes."""
    def change(name, argument):
        if name == "BINUNICODE" and len(argument) < 256 and argument.isascii():
            return b"U" + bytes([len(argument)]) + argument.encode()

    found, rest = pickles(data)
    return b"".join(rewritten(pickled, change) for pickled in found) + rest


def on_device(data, device):
    """The file as if its storages had been on a device."""
    def change(name, argument):
        if name == "BINUNICODE" and argument == "cpu":
            return b"X" + struct.pack("<I", len(device)) + device.encode()

    found, rest = pickles(data)
    return b"".join(rewritten(pickled, change) for pickled in found) + rest


def of_big_endian_machine(data):
    """The file as if a big-endian machine had written it: the elements are little-endian there too."""
    found, rest = pickles(data)
    found[2] = found[2].replace(b"\x88", b"\x89")
    return b"".join(found) + rest


def save_views(path, protocol=2):
    """A file with parts of a storage, as PyTorch 0.1 to 0.3 saved them.

    Returns what `torch.load` makes of it.
    """
    whole = torch.arange(12.0)
    views = {"70": (0, 12), "80": (2, 6), "9": (6, 6)}

    class Pickler(pickle._Pickler):
        def persistent_id(self, value):
            if isinstance(value, View):
                offset, count = views[value.key]
                metadata = None if value.key == "70" else (value.key, offset, count)
                return ("storage", torch.FloatStorage, "70", "cpu", 12, metadata)
            return None

    class View:
        def __init__(self, key):
            self.key = key

    class Tensor:
        def __init__(self, *arguments):
            self.arguments = arguments

        def __reduce__(self):
            return torch._utils._rebuild_tensor_v2, (
                *self.arguments, False, collections.OrderedDict())

    root, part, other = View("70"), View("80"), View("9")
    value = collections.OrderedDict(
        whole=Tensor(root, 0, (3, 4), (4, 1)), part=Tensor(part, 1, (2, 2), (2, 1)),
        strided=Tensor(part, 0, (3,), (2,)), other=Tensor(other, 0, (6,), (1,)))
    with open(path, "wb") as file:
        for header in (MAGIC_NUMBER, PROTOCOL_VERSION, SYSTEM):
            pickle.dump(header, file, protocol=protocol)
        Pickler(file, protocol=protocol).dump(value)
        pickle.dump(["70"], file, protocol=protocol)
        file.write(struct.pack("<q", 12) + whole.numpy().tobytes())
    return path


def save_tar(path):
    """A tar of PyTorch 0.1: three storages, one of which is a part of another, tensors, an object.

    Returns the object that `torch.load` makes of it.
    """
    floats, longs = torch.arange(6.0), torch.arange(4)
    storages = io.BytesIO()
    pickle.dump(2, storages, protocol=2)
    for key, kind, values in ((101, torch.FloatStorage, floats), (102, torch.LongStorage, longs)):
        pickle.dump((key, "cpu", kind), storages, protocol=2)
        storages.write(struct.pack("<q", len(values)) + values.numpy().tobytes())
    pickle.dump([(103, 101, 2, 3)], storages, protocol=2)

    tensors = io.BytesIO()
    shapes = {
        11: (101, (2, 3), (3, 1), 0), 12: (101, (3,), (2,), 1), 13: (102, (4,), (1,), 0),
        14: (103, (3,), (1,), 0), 15: (102, (), (), 2)}
    pickle.dump(len(shapes), tensors, protocol=2)
    for key, (storage, size, stride, offset) in shapes.items():
        pickle.dump((key, storage, torch.FloatTensor), tensors, protocol=2)
        numbers = (*size, *stride, offset)
        tensors.write(struct.pack(f"<ii{len(numbers)}q", len(size), 0, *numbers))

    class Reference:
        def __init__(self, key):
            self.key = key

    class Pickler(pickle._Pickler):
        def persistent_id(self, value):
            return value.key if isinstance(value, Reference) else None

    members = {
        "sys_info": pickle.dumps(SYSTEM, protocol=2), "tensors": tensors.getvalue(),
        "storages": storages.getvalue()}
    stream = io.BytesIO()
    Pickler(stream, protocol=2).dump(collections.OrderedDict(
        [("w", Reference(11)), ("v", Reference(12)), ("n", {"l": [Reference(13), Reference(13)]}),
         ("part", Reference(14)), ("scalar", Reference(15)), ("step", 7)]))
    members["pickle"] = stream.getvalue()
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name in ("sys_info", "pickle", "tensors", "storages"):
            info = tarfile.TarInfo(name)
            info.size = len(members[name])
            archive.addfile(info, io.BytesIO(members[name]))
    return path
