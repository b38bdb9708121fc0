"""The Python package gives what `torch.load` gives, and neither reads a tensor nor runs a pickle."""

import math
import os
import random
import resource
import struct
import subprocess
import sys
import warnings
import zipfile

import numpy as np
import pytest
import torch

import naming
import reference
import safetensors_file
from archives import other_zip, records_of, torch_zip
from comparison import bytes_of
from files import TORCHSCRIPT, ZIP, checkpoints, label, of_kind
from program import BINARY, FIXTURES, ROOT, convert
from tensors import DTYPES, of_bits, short_name

try:
    import ckptconv
except ImportError:
    # Without an installed wheel: the sources, over the program that is tested.
    sys.path.insert(0, str(ROOT / "Packaging/python/src"))
    os.environ["PATH"] = f"{BINARY.parent}:{os.environ['PATH']}"
    import ckptconv

from ckptconv import _numpy

TIED = FIXTURES / "plain/state_dict-tied.pt"
VIEWS = FIXTURES / "plain/views.pt"
MALICIOUS = FIXTURES / "broken/malicious-train-pt/train.pt"

zip_files = pytest.mark.parametrize("source", of_kind(ZIP), ids=label)


@pytest.fixture(autouse=True)
def strict():
    """A warning that a test does not expect fails it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", ckptconv.CheckpointWarning)
        yield


def dtype_name(array):
    return array.dtype.names[0] if array.dtype.names else array.dtype.name


def assert_array(expected, array, what):
    assert dtype_name(array) == short_name(expected.dtype), what
    assert array.shape == tuple(expected.shape), what
    assert not array.flags.writeable, what
    assert np.ascontiguousarray(array).tobytes() == bytes_of(expected), what
    if array.size and not expected.is_conj() and not expected.is_neg():
        for length, found, wanted in zip(array.shape, array.strides, expected.stride()):
            assert length == 1 or found == wanted * array.itemsize, what


@zip_files
def test_arrays_are_what_torch_loads(source):
    expected = dict(naming.tensors_of(reference.load(source)))
    on_meta = [name for name, tensor in expected.items() if tensor.is_meta]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ckptconv.CheckpointWarning)
        found = ckptconv.load(source)
    told = [str(w.message) for w in caught if issubclass(w.category, ckptconv.CheckpointWarning)]
    for name in on_meta:
        assert any(f": {name} has no data" in text for text in told), name
    assert set(found) == set(expected) - set(on_meta), label(source)
    for name, array in found.items():
        assert_array(expected[name], array, f"{label(source)}: {name!r}")


@zip_files
def test_tensors_are_what_torch_loads(source):
    expected = dict(naming.tensors_of(reference.load(source)))
    if any(tensor.is_quantized for tensor in expected.values()):
        with pytest.raises(ckptconv.CheckpointError, match="without their scales") as caught:
            ckptconv.load(source, framework="torch")
        assert caught.value.code == "unsupported"
        return
    found = ckptconv.load(source, framework="torch")
    assert set(found) == set(expected), label(source)
    storages = {}
    for name, tensor in found.items():
        what, wanted = f"{label(source)}: {name!r}", expected[name]
        assert (tensor.dtype, tensor.shape) == (wanted.dtype, wanted.shape), what
        assert (tensor.is_conj(), tensor.is_neg()) == (wanted.is_conj(), wanted.is_neg()), what
        if tensor.is_meta or not tensor.numel():
            assert tensor.device == wanted.device, what
            continue
        assert bytes_of(tensor) == bytes_of(wanted), what
        for length, stride, other in zip(tensor.shape, tensor.stride(), wanted.stride()):
            assert length == 1 or stride == other, what
        key = wanted.untyped_storage().data_ptr(), wanted.dtype
        pointer = tensor.untyped_storage().data_ptr()
        assert storages.setdefault(key, pointer) == pointer, f"{what} shares another storage"


@pytest.mark.parametrize("source", of_kind(TORCHSCRIPT), ids=label)
def test_torchscript(source):
    expected = {name: tensor for name, tensor in torch.jit.load(source).state_dict().items()}
    found = ckptconv.load(source)
    for name, tensor in expected.items():
        assert_array(tensor, found[name], f"{label(source)}: {name!r}")


@pytest.mark.parametrize("layout", ["plain", "olmo"])
@pytest.mark.parametrize("directory", checkpoints(), ids=label)
def test_a_directory_in_either_format(directory, layout, tmp_path):
    expected = ckptconv.load(directory)
    for file in sorted(directory.glob("*.pt")):
        for name, tensor in naming.tensors_of(reference.load(file)):
            assert_array(tensor, expected[name], name)
    found = ckptconv.load(convert(directory, tmp_path / "output", "--layout", layout, "--train"))
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].tobytes() == array.tobytes(), name


@pytest.mark.parametrize("dtype", DTYPES, ids=short_name)
def test_types_of_elements_that_numpy_lacks(dtype, tmp_path, monkeypatch):
    tensor = of_bits(dtype, (3, 5), random.Random(1))
    path = tmp_path / "model.pt"
    torch.save({"t": tensor, "column": tensor[:, 1]}, path)
    for has_extension in True, False:
        if not has_extension:
            monkeypatch.setattr(_numpy, "ml_dtypes", None)
        found = ckptconv.load(path)
        assert_array(tensor, found["t"], short_name(dtype))
        assert_array(tensor[:, 1], found["column"], short_name(dtype))


@zip_files
def test_deflated_archives(source, tmp_path):
    packed = other_zip(tmp_path / "deflated.pt", records_of(source), zipfile.ZIP_DEFLATED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ckptconv.CheckpointWarning)
        expected, found = ckptconv.load(source), ckptconv.load(packed)
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert (found[name].dtype, found[name].strides) == (array.dtype, array.strides), name
        assert found[name].tobytes() == array.tobytes(), name


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.bfloat16, torch.complex64])
def test_big_endian_numbers(dtype, tmp_path):
    tensor = of_bits(dtype, (2, 3), random.Random(1))
    torch.save({"t": tensor}, tmp_path / "little.pt")
    width = dtype.itemsize // (2 if dtype.is_complex else 1)
    records = dict(records_of(tmp_path / "little.pt"))
    swapped = np.frombuffer(bytes_of(tensor), np.uint8).reshape(-1, width)[:, ::-1].tobytes()
    path = torch_zip(tmp_path / "big.pt", records["little/data.pkl"], [swapped], b"big")
    array = ckptconv.load(path)["t"]
    assert array.astype(array.dtype.newbyteorder("<")).tobytes() == bytes_of(tensor)
    assert bytes_of(ckptconv.load(path, framework="torch")["t"]) == bytes_of(tensor)


def test_what_is_written_to_a_tensor_stays_in_memory(tmp_path):
    path = tmp_path / "model.pt"
    torch.save({"t": torch.zeros(4)}, path)
    before = path.read_bytes()
    ckptconv.load(path, framework="torch")["t"].fill_(1)
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match="read-only"):
        ckptconv.load(path)["t"][0] = 1


def test_a_file_is_not_read(tmp_path):
    path = tmp_path / "large.safetensors"
    size = 1 << 30
    header = f'{{"t":{{"dtype":"F32","shape":[{size // 4}],"data_offsets":[0,{size}]}}}}'.encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    os.truncate(path, 8 + len(header) + size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    array = ckptconv.load(path)["t"]
    assert (array.nbytes, array[-1]) == (size, 0)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


def test_values(tmp_path):
    path = tmp_path / "model.pt"
    torch.save(
        {"step": 7, "lr": 0.1, "none": None, "name": "é",
         "groups": [{"betas": (0.9, 0.99), "on": True}], "best": -math.inf, "odd": math.nan, "object": complex(1, 2), "t": torch.ones(1)}, path)
    found = ckptconv.values(path)
    assert math.isnan(found.pop("odd"))
    assert found == {
        "step": 7, "lr": 0.1, "none": None, "name": "é",
        "groups": [{"betas": [0.9, 0.99], "on": True}], "best": -math.inf, "object": "(1.0+2.0j)"}
    assert isinstance(found["object"], ckptconv.Text)
    assert not isinstance(found["name"], ckptconv.Text)


def test_errors_have_code_place_and_remedy(tmp_path):
    cut = tmp_path / "cut.pt"
    cut.write_bytes(VIEWS.read_bytes()[:3000])
    with pytest.raises(ckptconv.CheckpointError, match="4011 bytes") as caught:
        ckptconv.load(cut)
    assert (caught.value.code, caught.value.place) == ("truncated", (str(cut),))
    assert caught.value.remedy and str(caught.value).endswith(f"hint: {caught.value.remedy}")
    with pytest.raises(ckptconv.CheckpointError) as caught:
        ckptconv.inspect(MALICIOUS)
    assert caught.value.code == "forbidden"
    assert caught.value.place == (str(MALICIOUS), "train/data.pkl")
    assert caught.value.offset == 0x22
    with pytest.raises(ckptconv.CheckpointError) as caught:
        ckptconv.values(tmp_path / "absent.pt")
    assert caught.value.code == "inputOutput"
    with pytest.raises(ckptconv.CheckpointError) as caught:
        ckptconv.convert(VIEWS, tmp_path / "x.safetensors", to="safetensors", no_such_flag=True)
    assert caught.value.code == "usage"
    with pytest.raises(ValueError, match="framework"):
        ckptconv.load(VIEWS, framework="jax")


@pytest.mark.parametrize("length", [0, 1000])
def test_a_file_that_becomes_shorter(length, tmp_path, monkeypatch):
    path = tmp_path / "model.pt"
    torch.save({"t": torch.ones(1000)}, path)
    rows = ckptconv.inspect(path)
    monkeypatch.setattr("ckptconv._load.inspect", lambda path: rows)
    os.truncate(path, length)
    with pytest.raises(ckptconv.CheckpointError, match="became shorter"):
        ckptconv.load(path)


def test_one_name_in_two_files_of_a_directory(tmp_path):
    torch.save({"t": torch.ones(1)}, tmp_path / "model.pt")
    torch.save({"t": torch.ones(1)}, tmp_path / "optim.pt")
    (tmp_path / "config.yaml").write_text("model: {}\n")
    with pytest.raises(ckptconv.CheckpointError, match="as well") as caught:
        ckptconv.load(tmp_path)
    assert caught.value.code == "conflict"


def test_there_and_back(tmp_path):
    packed, back = tmp_path / "tied.safetensors", tmp_path / "state_dict-tied.pt"
    report = ckptconv.convert(TIED, packed, to="safetensors", layout="plain", verify=True)
    assert [output["path"] for output in report["outputs"]] == [str(packed)]
    assert ckptconv.verify(TIED, packed)["same"]
    ckptconv.convert(packed, back, to="pt", force=False, threads=1)
    assert back.read_bytes() == TIED.read_bytes()
    assert not ckptconv.verify(TIED, VIEWS)["same"]
    with pytest.raises(ckptconv.CheckpointError, match="exists") as caught:
        ckptconv.convert(packed, back, to="pt")
    assert caught.value.code == "inputOutput"
    with pytest.raises(ValueError, match="to is one of"):
        ckptconv.convert(packed, back, to="gguf")


def test_warnings_are_pythons(tmp_path):
    with pytest.warns(ckptconv.CheckpointWarning) as caught:
        ckptconv.convert(
            MALICIOUS, tmp_path / "train.safetensors", to="safetensors", drop_unsafe=True)
    assert any("posix.system" in str(warning.message) for warning in caught)
    assert {warning.filename for warning in caught} == {__file__}


def test_scanning():
    (found,) = ckptconv.scan(MALICIOUS)
    assert found["totals"]["dangerous"] == 1
    (found,) = ckptconv.scan(VIEWS)
    assert {finding["severity"] for finding in found["findings"]} == {"known"}


def test_skeletons(tmp_path):
    packed, bare = tmp_path / "tied.safetensors", tmp_path / "bare.safetensors"
    ckptconv.convert(TIED, packed, to="safetensors")
    ckptconv.convert(TIED, bare, to="safetensors", no_skeleton=True)
    assert ckptconv.skeleton(TIED) == ckptconv.skeleton(packed)
    assert ckptconv.skeleton(packed)["nodes"]
    # A longer one is compressed.
    optimizer = FIXTURES / "plain/adam-train.pt"
    ckptconv.convert(optimizer, tmp_path / "optim.safetensors", to="safetensors")
    metadata = safetensors_file.read(tmp_path / "optim.safetensors").metadata
    assert "deflate" in metadata["ckptconv.skeleton"]
    assert ckptconv.skeleton(tmp_path / "optim.safetensors")["root"]
    assert ckptconv.skeleton(bare) is None
    with pytest.raises(ckptconv.CheckpointError) as caught:
        ckptconv.skeleton(MALICIOUS)
    assert caught.value.code == "forbidden"


def test_the_program_is_the_modules_main():
    program = ckptconv.find_ckptconv_bin()
    version = subprocess.run([program, "--version"], capture_output=True, check=True).stdout
    path = os.pathsep.join(os.path.dirname(folder) for folder in ckptconv.__path__)
    module = subprocess.run(
        [sys.executable, "-m", "ckptconv", "--version"], capture_output=True, check=True,
        env={**os.environ, "PYTHONPATH": path})
    assert module.stdout == version
