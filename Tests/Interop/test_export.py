"""`export` writes what NumPy reads, and `inspect --head` prints it."""

import json

import numpy
import pytest
import torch

import naming
import reference
from program import DATA, DONE, FIXTURES, IO, USAGE, describe, run
from test_json import assert_documented


def bits(tensor):
    packed = torch.empty(tensor.shape, dtype=tensor.dtype)
    packed.copy_(tensor.detach())
    return packed.reshape(-1).view(torch.uint8).numpy()


@pytest.mark.parametrize("name", ["dtypes", "views", "state_dict-tied", "legacy-nonzip"])
def test_numpy_reads_every_tensor(name, tmp_path):
    source = FIXTURES / f"plain/{name}.pt"
    tensors = list(naming.tensors_of(reference.load(source)))
    assert tensors
    for number, (key, tensor) in enumerate(tensors):
        output = tmp_path / f"{number}.npy"
        process = run("export", source, key, "-o", output, "--json")
        assert process.returncode == DONE, describe(process)
        report = json.loads(process.stdout)
        assert_documented(report, "Export")
        found = numpy.load(output, allow_pickle=False)
        assert found.shape == tuple(tensor.shape), key
        assert found.tobytes() == bits(tensor).tobytes(), key
        assert found.dtype.str == report["numpy_dtype"]
        assert output.stat().st_size == report["bytes"]
        assert (output.stat().st_size - found.nbytes) % 64 == 0
        if not report["raw"]:
            assert found.dtype == tensor.numpy(force=True).dtype, key


def test_a_directory_has_the_tensors_of_its_files(tmp_path):
    source = FIXTURES / "olmo2-fsdp/step6-unsharded"
    name = "transformer.ln_f.weight"
    process = run("export", source, name, "-o", tmp_path)
    assert process.returncode == DONE, describe(process)
    expected = torch.load(source / "model.pt", weights_only=True)[name]
    assert numpy.array_equal(numpy.load(tmp_path / f"{name}.npy"), expected.numpy())
    # Nothing is replaced without --force.
    assert run("export", source, name, "-o", tmp_path).returncode == IO
    assert run("export", source, name, "-o", tmp_path, "--force").returncode == DONE


def test_what_is_not_there_is_an_error(tmp_path):
    source = FIXTURES / "plain/views.pt"
    process = run("export", source, "nope", "-o", tmp_path / "x.npy")
    assert process.returncode == DATA and "no tensor 'nope'" in process.stderr, describe(process)
    assert not (tmp_path / "x.npy").exists()
    assert run("export", source).returncode == USAGE


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (1,) * 40, (0, 5)], ids=len)
def test_the_head_of_a_tensor(shape, tmp_path):
    tensor = torch.arange(torch.Size(shape).numel(), dtype=torch.float64).reshape(shape) / 4
    torch.save({"x": tensor, "t": torch.arange(12.0).reshape(3, 4).T}, tmp_path / "a.pt")
    process = run("inspect", "--head", "x", "--limit", "4", tmp_path / "a.pt")
    assert process.returncode == DONE, describe(process)
    rows = process.stdout.splitlines()[1:]
    assert [float(row.split()[-1]) for row in rows] == tensor.reshape(-1)[:4].tolist()
    process = run("inspect", "--head", "t", "--limit", "2", tmp_path / "a.pt")
    assert [row.split("]")[1].strip() for row in process.stdout.splitlines()[1:]] == ["0.0", "4.0"]
