"""A package that depends on the library builds, and PyTorch reads what its program writes."""

import json
import os
import shutil
import subprocess

import pytest
import safetensors.torch
import torch

from program import ROOT

PACKAGE = ROOT / "Examples/library"
# Beside the objects of this package, which are others: they were built for its own programs.
SCRATCH = ROOT / ".build/library"


@pytest.fixture(scope="module")
def program():
    """The example's program, built as a stranger builds it."""
    if not (swift := shutil.which("swift")):
        pytest.skip("there is no Swift")
    build = [swift, "build", "--package-path", PACKAGE, "--scratch-path", SCRATCH]
    process = subprocess.run(build, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout + process.stderr
    return SCRATCH / "debug/Tensors"


@pytest.fixture
def source(tmp_path):
    torch.manual_seed(1)
    state = {
        "head": torch.randn(7), "embedding": torch.randn(5, 4).T, "steps": torch.arange(3),
        "settings": {"lr": 0.1}}
    torch.save(state, tmp_path / "model.pt")
    return tmp_path / "model.pt", state


def run(program, *arguments):
    process = subprocess.run(
        [program, *map(os.fspath, arguments)], capture_output=True, text=True, timeout=60)
    assert process.returncode == 0, process.stderr
    return process.stdout.splitlines()


def test_example(program, source, tmp_path):
    path, state = source
    listing, read, converted, same, archive = run(program, path, "head", tmp_path)
    assert json.loads(listing) == {
        "bytes": path.stat().st_size,
        "tensors": [
            {"name": "head", "dtype": "float32", "shape": [7]},
            {"name": "embedding", "dtype": "float32", "shape": [4, 5]},
            {"name": "steps", "dtype": "int64", "shape": [3]}],
        "values": ["settings.lr"]}
    assert read.startswith("head has 7 elements, the largest is ")
    assert float(read.rpartition(" ")[2]) == pytest.approx(state["head"].max().item())
    assert (converted, same) == ("converted 3 tensors", "the same: true")
    assert archive == "a ZIP archive: true"

    found = safetensors.torch.load_file(tmp_path / "converted.safetensors")
    assert set(found) == {"head", "embedding", "steps"}
    assert torch.equal(found["embedding"], state["embedding"])

    changed = torch.load(tmp_path / "changed.pt", weights_only=True)
    assert list(changed) == ["model.embedding", "model.steps", "settings"]
    assert torch.equal(changed["model.embedding"], state["embedding"].bfloat16())
    assert torch.equal(changed["model.steps"], state["steps"])
    assert changed["settings"] == {"lr": 0.1}


def test_new_checkpoint(program, source, tmp_path):
    run(program, source[0], "head", tmp_path)
    new = torch.load(tmp_path / "new.pt", weights_only=True)
    assert list(new) == ["weight", "steps", "half", "config"]
    assert torch.equal(new["weight"], torch.tensor([[1.0, 2, 3], [4, 5, 6]]))
    assert torch.equal(new["steps"], torch.tensor([10, 20]))
    assert torch.equal(new["half"], torch.tensor(1, dtype=torch.bfloat16))
    assert new["config"] == {"lr": 0.001, "betas": [0.9, 0.999], "name": "new"}
    # It is the file that torch itself writes for the object.
    (tmp_path / "torch").mkdir()
    torch.save(new, tmp_path / "torch/new.pt")
    assert (tmp_path / "torch/new.pt").read_bytes() == (tmp_path / "new.pt").read_bytes()
    tensors = safetensors.torch.load_file(tmp_path / "new.safetensors")
    assert {name: tensor.dtype for name, tensor in tensors.items()} == {
        "weight": torch.float32, "steps": torch.int64, "half": torch.bfloat16}
