"""`scan` finds what Python would import, in real files and in hostile ones, and nothing else."""

import _compat_pickle
import io
import json
import pickle
import zipfile

import numpy
import pytest
import torch

import archives
from archives import dict_of
from files import LEGACY, TORCHSCRIPT, ZIP, checkpoints, label, of_kind
from program import DATA, DIFFERENCE, DONE, IO, describe, run
from test_malicious import CALLS, CHAINS, EVASIONS, hostile


def scan(path, *expected):
    """The findings of a file; fails on another exit code than those expected."""
    process = run("scan", "--json", path)
    assert process.returncode in expected, describe(process)
    return json.loads(process.stdout) if process.stdout else None


def globals_of(result, severity=None):
    return {
        f"{found['global']['module']}.{found['global']['name']}"
        for found in result["findings"]
        if found["global"] and severity in (None, found["severity"])}


class Stub(dict):
    """Stands for every object, and takes whatever is done to it."""

    def __setstate__(self, state):
        pass

    def __call__(self, *arguments):
        return Stub()

    append = extend = add = __setstate__


class Names(pickle._Unpickler):
    """Python's own unpickler, which notes what it would import."""

    def __init__(self, data):
        super().__init__(io.BytesIO(data))
        self.names = set()

    def find_class(self, module, name):
        if self.proto < 3:
            if (module, name) in _compat_pickle.NAME_MAPPING:
                module, name = _compat_pickle.NAME_MAPPING[module, name]
            elif module in _compat_pickle.IMPORT_MAPPING:
                module = _compat_pickle.IMPORT_MAPPING[module]
        self.names.add(f"{module}.{name}")
        return Stub()

    def persistent_load(self, identifier):
        return Stub()

    def load_newobj(self):
        self.stack.pop(), self.stack.pop()
        self.append(Stub())

    dispatch = {**pickle._Unpickler.dispatch, pickle.NEWOBJ[0]: load_newobj}


def named_by_python(data):
    unpickler = Names(data)
    unpickler.load()
    return unpickler.names


@pytest.mark.parametrize("source", of_kind(ZIP) + of_kind(TORCHSCRIPT), ids=label)
def test_every_global_that_python_would_look_up_is_found(source):
    result = scan(source, DONE)
    with zipfile.ZipFile(source) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
        expected = named_by_python(archive.read(name))
    in_pickle = {
        f"{found['global']['module']}.{found['global']['name']}"
        for found in result["findings"]
        if found["global"] and found["place"] == [name] and "getattr" not in found["global"]["ways"]}
    assert in_pickle == expected
    assert result["totals"]["broken"] == result["totals"]["suspicious"] == 0


@pytest.mark.parametrize("source", of_kind(LEGACY), ids=label)
def test_legacy_files_are_scanned(source):
    result = scan(source, DONE)
    assert result["pickles"] == 5
    assert "torch._utils._rebuild_tensor_v2" in globals_of(result)


def test_a_tar_of_the_oldest_torch(tmp_path):
    result = scan(archives.old_tar(tmp_path / "old.tar"), DONE)
    assert result["format"] == "tar archive" and result["pickles"] >= 4
    assert globals_of(result, "known") >= {"torch.FloatStorage", "torch.FloatTensor"}


@pytest.mark.parametrize("directory", checkpoints(), ids=label)
def test_olmo_checkpoints_hold_nothing_dangerous_in_either_format(directory, tmp_path):
    for layout in ("olmo", "plain"):
        output = tmp_path / layout
        process = run("pt-to-safetensors", directory, "-o", output, "--layout", layout, "--train")
        assert process.returncode == DONE, describe(process)
        process = run("scan", "--json", output)
        assert process.returncode == DONE, describe(process)
        for line in process.stdout.splitlines():
            assert json.loads(line)["totals"]["broken"] == 0, line


@pytest.mark.parametrize("name", CALLS)
def test_dangerous_calls(name, tmp_path):
    source = hostile(tmp_path, dict_of("x", CALLS[name]))
    assert name in globals_of(scan(source, DIFFERENCE), "dangerous")


@pytest.mark.parametrize("evasion", EVASIONS)
def test_evasions(evasion, tmp_path):
    source = hostile(tmp_path, dict_of("x", EVASIONS[evasion]))
    assert {"os.system", "posix.system"} & globals_of(scan(source, DIFFERENCE), "dangerous")


@pytest.mark.parametrize("name", CHAINS)
def test_chains(name, tmp_path):
    scan(hostile(tmp_path, dict_of("x", CHAINS[name])), DIFFERENCE)


class Payload:
    def __reduce__(self):
        import os
        return os.system, ("touch /tmp/pwned",)


@pytest.mark.parametrize("protocol", range(6))
def test_what_python_pickles(protocol, tmp_path):
    path = tmp_path / "payload.pkl"
    path.write_bytes(pickle.dumps({"a": Payload()}, protocol))
    assert globals_of(scan(path, DIFFERENCE), "dangerous") == {"posix.system"}


def test_tensors_pickled_without_torch_save_name_the_loader(tmp_path):
    path = tmp_path / "plain.pkl"
    path.write_bytes(pickle.dumps(torch.zeros(2)))
    result = scan(path, DIFFERENCE)
    assert globals_of(result, "dangerous") == {"torch.storage._load_from_bytes"}
    assert "torch._utils._rebuild_tensor_v2" in globals_of(result)


def test_numpy_pickles_are_known(tmp_path):
    path = tmp_path / "array.pkl"
    path.write_bytes(pickle.dumps([numpy.arange(5), numpy.float64(1)], 5))
    assert scan(path, DONE)["totals"]["opaque"] == 0


def test_random_bytes_never_break_the_scan(tmp_path):
    generator = numpy.random.default_rng(20260101)
    path = tmp_path / "noise"
    for size in (1, 7, 100, 10_000):
        for _ in range(10):
            path.write_bytes(b"\x80\x04" + generator.bytes(size))
            process = run("scan", path)
            assert process.returncode in (DONE, DATA), describe(process)


def test_a_file_in_a_directory_whose_name_is_not_utf8_is_not_passed_over(tmp_path):
    name = tmp_path / "runs" / b"b\xff.pt".decode(errors="surrogateescape")
    name.parent.mkdir()
    name.write_bytes(pickle.dumps(1))
    for command in ["scan", "check"]:
        process = run(command, name.parent)
        assert process.returncode == IO, describe(process)
        assert "bytes that are not UTF-8; rename" in process.stderr, describe(process)
