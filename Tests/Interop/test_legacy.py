"""Files of the formats before PyTorch 1.6: read, returned byte for byte, written, judged by torch."""

import itertools
import random
import re
import sys
import types

import pytest
import torch

import legacy_files
import random_values
import reference
import safetensors_file
import skeleton
import state_dicts
import tensors
from comparison import assert_same, bytes_of
from program import DATA, DONE, bring_back, convert, describe, refuse, run

LAYOUTS = [("--layout", "plain"), ("--layout", "olmo")]


# PyTorch writes tensors of other dtypes over untyped storages, and does not read these.
TYPED = [dtype for dtype in tensors.DTYPES if dtype in torch.storage._dtype_to_storage_type_map()]


def of_all(dtypes):
    rng = random.Random(3)
    return {tensors.short_name(dtype): tensors.of_bits(dtype, (3, 4), rng) for dtype in dtypes}


def a_few_tensors():
    value = of_all(TYPED)
    return value | {
        "empty": torch.empty(0, 2), "nested": {"tied": value["float32"].t()}, "lr": 1e-3,
        "steps": (1, 2, None), "view": value["int64"][1:]}


def there_and_back(source, folder, *flags):
    between = convert(source, folder / "between.safetensors", *flags)
    return bring_back(between, folder / "returned.pt")


def assert_returns(source, folder, *flags):
    returned = there_and_back(source, folder, *flags)
    assert returned.read_bytes() == source.read_bytes()


def assert_same_values(expected, source, folder):
    """The tensors of a converted file have the values that torch finds.

    Storages are not compared: torch makes a storage of each part of one.
    """
    file = safetensors_file.read(convert(source, folder / "flat.safetensors", "--layout", "plain"))
    for name in [*file.tensors, *file.metadata.keys() - {"format", skeleton.KEY}]:
        tensor = expected
        for step in name.split("."):
            tensor = tensor[int(step)] if isinstance(tensor, list) else tensor[step]
        entry = file.tensors[file.metadata.get(name, name)]
        assert tuple(entry.shape) == tuple(tensor.shape), name
        assert bytes(entry.data) == bytes_of(tensor), name


# MARK: What PyTorch of today writes


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", state_dicts.KINDS.values(), ids=state_dicts.KINDS)
def test_a_kind_of_state_dict(kind, protocol, tmp_path):
    if kind is state_dicts.other_layouts:
        pytest.skip("a storage has bytes that no tensor reaches")
    source = legacy_files.save(kind(), tmp_path / "model.pt", protocol)
    assert_returns(source, tmp_path, *LAYOUTS[protocol % 2])


@pytest.mark.parametrize("flags", LAYOUTS, ids=" ".join)
@pytest.mark.parametrize("protocol", range(1, 6))
def test_the_object_is_what_torch_loads(protocol, flags, tmp_path):
    source = legacy_files.save(a_few_tensors(), tmp_path / "model.pt", protocol)
    output = convert(source, tmp_path / "out.safetensors", *flags)
    assert_same(reference.load(source), skeleton.load(output), "model.pt")


def test_protocol_0_which_torch_cannot_load_is_read(tmp_path):
    source = legacy_files.save(a_few_tensors(), tmp_path / "model.pt", 0)
    with pytest.raises(AssertionError, match="must be a tuple"):
        torch.load(source, weights_only=False)
    output = convert(source, tmp_path / "out.safetensors")
    twin = legacy_files.save(a_few_tensors(), tmp_path / "twin.pt")
    assert_same(reference.load(twin), skeleton.load(output), "model.pt")


def test_tensors_that_torch_writes_and_does_not_read(tmp_path):
    value = of_all(set(tensors.DTYPES) - set(TYPED))
    source = legacy_files.save(value, tmp_path / "model.pt")
    with pytest.raises(AttributeError, match="dtype"):
        torch.load(source, weights_only=False)
    assert_returns(source, tmp_path)
    torch.save(value, tmp_path / "twin.pt")
    process = run("verify", source, tmp_path / "twin.pt")
    assert process.returncode == DONE, describe(process)


@pytest.mark.parametrize("seed", range(20))
def test_a_random_object(seed, tmp_path):
    rng = random.Random(seed)
    value = random_values.Maker(rng).state_dict()
    source = legacy_files.save(value, tmp_path / "model.pt", rng.choice(range(6)))
    assert_returns(source, tmp_path, *rng.choice(LAYOUTS))


@pytest.fixture
def net(tmp_path, monkeypatch):
    """A module whose class has a source file, which the legacy format keeps."""
    source = (
        "import torch\n\nclass Net(torch.nn.Module):\n    'déjà vu'\n"
        "    def __init__(self):\n        super().__init__()\n"
        "        self.first, self.second = torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)\n")
    (tmp_path / "somebodys_net.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    yield __import__("somebodys_net").Net()
    del sys.modules["somebodys_net"]


@pytest.mark.parametrize("protocol", range(1, 6))
def test_a_whole_module(net, protocol, tmp_path):
    source = legacy_files.save(net, tmp_path / "net.pt", protocol)
    assert_returns(source, tmp_path)
    listed = run("inspect", source).stdout
    assert all(name in listed for name in net.state_dict()), listed


# MARK: What others wrote


def old_file(change):
    def write(path):
        source = legacy_files.save(a_few_tensors(), path)
        source.write_bytes(change(source.read_bytes()))
        return source
    return write


OLD_FILES = {
    "python 2": old_file(legacy_files.in_python_2),
    "cuda": old_file(lambda data: legacy_files.on_device(data, "cuda:1")),
    "big-endian machine": old_file(legacy_files.of_big_endian_machine),
    "views": legacy_files.save_views,
    "views, protocol 4": lambda path: legacy_files.save_views(path, 4),
}


@pytest.mark.parametrize("flags", LAYOUTS, ids=" ".join)
@pytest.mark.parametrize("write", OLD_FILES.values(), ids=OLD_FILES)
def test_a_file_of_old_days(write, flags, tmp_path):
    source = write(tmp_path / "model.pt")
    output = convert(source, tmp_path / "out.safetensors", *flags)
    assert bring_back(output, tmp_path / "returned.pt").read_bytes() == source.read_bytes()
    assert_same_values(torch.load(source, map_location="cpu", weights_only=False), source, tmp_path)


@pytest.mark.parametrize("name", ["python 2", "big-endian machine"])
def test_the_spelling_of_a_file_is_no_difference(name, tmp_path):
    source = OLD_FILES[name](tmp_path / "model.pt")
    twin = legacy_files.save(a_few_tensors(), tmp_path / "twin.pt")
    process = run("verify", source, twin)
    assert process.returncode == DONE, describe(process)


def test_the_tar_of_the_first_pytorch(tmp_path):
    source = legacy_files.save_tar(tmp_path / "model.pt")
    expected = torch.load(source, weights_only=False)
    assert_same_values(expected, source, tmp_path)
    returned = there_and_back(source, tmp_path)
    loaded = torch.load(returned, weights_only=True)
    assert loaded.keys() == expected.keys() and loaded["step"] == expected["step"]
    process = run("verify", source, returned)
    assert process.returncode == DONE, describe(process)
    process = run("check", "--for", "torch", source)
    assert "weights_only=True: it is a tar archive" in process.stdout, describe(process)


# MARK: From one container to the other


@pytest.mark.parametrize("kind", state_dicts.KINDS.values(), ids=state_dicts.KINDS)
def test_a_legacy_file_becomes_the_archive_that_torch_would_save(kind, tmp_path):
    if kind in (state_dicts.other_layouts, state_dicts.numpy_values):
        pytest.skip("bytes that no tensor reaches; strs that numpy makes anew")
    source = legacy_files.save(kind(), tmp_path / "model.pt")
    between = convert(source, tmp_path / "between.safetensors")
    found = bring_back(between, tmp_path / "archive.pt", "--container", "zip")
    (tmp_path / "torch").mkdir()
    expected = tmp_path / "torch" / "archive.pt"
    torch.save(torch.load(source, weights_only=False), expected)
    assert found.read_bytes() == expected.read_bytes()


@pytest.mark.parametrize("write", OLD_FILES.values(), ids=OLD_FILES)
def test_an_old_file_becomes_an_archive(write, tmp_path):
    source = write(tmp_path / "model.pt")
    between = convert(source, tmp_path / "between.safetensors")
    found = bring_back(between, tmp_path / "archive.pt", "--container", "zip")
    expected = torch.load(source, map_location="cpu", weights_only=False)
    loaded = torch.load(found, map_location="cpu", weights_only=True)
    assert expected.keys() == loaded.keys()
    for name, value in expected.items():
        if isinstance(value, torch.Tensor):
            assert bytes_of(loaded[name]) == bytes_of(value), name


def test_a_whole_module_becomes_an_archive(net, tmp_path):
    source = legacy_files.save(net, tmp_path / "net.pt")
    between = convert(source, tmp_path / "between.safetensors")
    found = bring_back(between, tmp_path / "archive.pt", "--container", "zip")
    loaded = torch.load(found, weights_only=False)
    assert_same(net.state_dict(), loaded.state_dict(), "archive.pt")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_an_archive_becomes_a_legacy_file(protocol, tmp_path):
    value = a_few_tensors()
    torch.save(value, tmp_path / "model.pt", pickle_protocol=protocol)
    between = convert(tmp_path / "model.pt", tmp_path / "between.safetensors")
    found = bring_back(between, tmp_path / "legacy.pt", "--container", "legacy")
    assert found.read_bytes().startswith(b"\x80\x02\x8a\n")
    assert_same(value, torch.load(found, weights_only=True), "legacy.pt")
    process = run("verify", found, tmp_path / "model.pt")
    assert process.returncode == DONE, describe(process)


def test_a_safetensors_file_without_skeleton_becomes_a_legacy_file(tmp_path):
    value = {f"t{number}": torch.randn(number) for number in range(12)}
    torch.save(value, tmp_path / "model.pt")
    between = convert(tmp_path / "model.pt", tmp_path / "between.safetensors", "--no-skeleton")
    found = bring_back(between, tmp_path / "legacy.pt", "--container", "legacy")
    loaded = torch.load(found, weights_only=True)
    assert_same(value, {name: loaded[name] for name in value}, "legacy.pt")


# MARK: weights_only


VALUES = {
    "tensors": lambda: a_few_tensors(),
    "tensor": lambda: torch.arange(3),
    "untyped": lambda: torch.zeros(3, dtype=torch.uint16),
    "ordered": lambda: torch.nn.Linear(2, 2).state_dict(),
    "numbers": lambda: {"a": [1, 2.5, None], "b": (True, "x")},
    "bool": lambda: {"a": True},
    "int": lambda: 5,
    "bytes": lambda: {"a": b"abc"},
    "set": lambda: {"a": {1, 2}},
    "huge": lambda: {"a": 1 << 3000},
    "large": lambda: {"a": 1 << 100},
    "device": lambda: torch.device("cpu"),
    "dtype": lambda: [torch.float32],
    "complex": lambda: 1j,
    "namespace": lambda: types.SimpleNamespace(a=1),
    "bytearray": lambda: bytearray(b"abc"),
}


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize(
    "name, protocol, is_legacy", itertools.product(VALUES, range(6), [True, False]))
def test_check_agrees_with_torch(name, protocol, is_legacy, tmp_path):
    path = tmp_path / "model.pt"
    torch.save(
        VALUES[name](), path, pickle_protocol=protocol,
        _use_new_zipfile_serialization=not is_legacy)
    try:
        torch.load(path, weights_only=True)
        loads = True
    except Exception:  # Whatever it is, it is not loaded.
        loads = False
    process = run("check", "--for", "torch", path)
    assert (process.returncode == DONE) == loads, describe(process)


# MARK: Damage


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_file_cut_anywhere_is_refused_and_says_so(protocol, tmp_path):
    value = {"w": torch.arange(3.0), "b": torch.arange(2), "n": {"x": 1}}
    data = legacy_files.save(value, tmp_path / "whole.pt", protocol).read_bytes()
    folder = tmp_path / "cut"
    folder.mkdir()
    for count in range(28, len(data), 7):
        cut = folder / "cut.pt"
        cut.write_bytes(data[:count])
        message = refuse(cut, folder / "out.safetensors")
        assert "truncated" in message, message
        if match := re.search(r"it has (\d+) of (\d+) bytes", message):
            assert [int(number) for number in match.groups()] == [count, len(data)]


def test_what_nobody_reads_is_refused(tmp_path):
    source = legacy_files.save({"w": torch.arange(3.0)}, tmp_path / "model.pt")
    data = source.read_bytes()
    source.write_bytes(data + b"\x80\x02}.")
    torch.load(source, weights_only=True)
    process = run("inspect", source)
    assert process.returncode == DATA, describe(process)
    assert "4 bytes follow the last storage" in process.stderr, describe(process)
