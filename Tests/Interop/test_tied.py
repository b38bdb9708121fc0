"""Tied tensors: stored once with Hugging Face's note of it, or stored for every name."""

import json

import pytest
import safetensors.torch
import torch

import safetensors_file
import skeleton
from files import assert_same_file
from program import convert


class Tied(torch.nn.Module):
    """`names` are parameters that are one."""

    def __init__(self, names):
        super().__init__()
        self.other = torch.nn.Parameter(torch.arange(3.0))
        shared = torch.nn.Parameter(torch.arange(6.0).reshape(2, 3))
        for name in names:
            self.register_parameter(name, shared)


CASES = {
    "two names": ["emb", "head"],
    "the kept name comes last": ["z", "m"],
    "three names": ["c", "a", "b"],
    "names that sort by code point": ["é", "z", "Z"],
}
cases = pytest.mark.parametrize("names", CASES.values(), ids=CASES)


def save(names, tmp_path):
    module, source = Tied(names), tmp_path / "model.pt"
    torch.save(module.state_dict(), source)
    return module, source


@cases
@pytest.mark.parametrize("flags", [("--no-skeleton",), ()], ids=["bare", "skeleton"])
def test_the_first_name_has_the_bytes_and_the_metadata_the_others(names, flags, tmp_path, output):
    """As `save_model` writes it, but for which of the names stays: its own is the first by alphabet."""
    module, source = save(names, tmp_path)
    expected = tmp_path / "expected.safetensors"
    safetensors.torch.save_model(module, expected, metadata={"format": "pt"})
    theirs, ours = safetensors_file.read(expected), safetensors_file.read(
        convert(source, output, *flags))
    kept = min(names)
    assert ours.tensors == {
        names[0] if name == kept else name: entry for name, entry in theirs.tensors.items()}
    aliases = dict(ours.metadata)
    aliases.pop(skeleton.KEY, None)
    assert aliases == {"format": "pt"} | {name: names[0] for name in names[1:]}


@cases
def test_load_model_ties_again(names, tmp_path, output):
    module, source = save(names, tmp_path)
    fresh = Tied(names)
    torch.nn.init.zeros_(getattr(fresh, names[0]))
    missing, unexpected = safetensors.torch.load_model(fresh, convert(source, output))
    assert not missing and not unexpected, (missing, unexpected)
    for name, value in module.state_dict().items():
        assert torch.equal(fresh.state_dict()[name], value), name


@cases
def test_copies_when_asked(names, tmp_path, output):
    module, source = save(names, tmp_path)
    expected = tmp_path / "expected.safetensors"
    copies = {name: value.clone() for name, value in module.state_dict().items()}
    safetensors.torch.save_file(copies, expected)
    convert(source, output, "--tied", "copy", "--no-skeleton")
    assert_same_file(expected, output, names)


def test_copies_still_share_in_the_skeleton(tmp_path, output):
    _, source = save(["emb", "head"], tmp_path)
    rebuilt = skeleton.load(convert(source, output, "--tied", "copy"))
    assert rebuilt["emb"].data_ptr() == rebuilt["head"].data_ptr()


def test_one_tensor_object_under_two_names_is_tied_too(tmp_path, output):
    tensor, source = torch.arange(4.0), tmp_path / "model.pt"
    torch.save({"b": tensor, "a": tensor}, source)
    file = safetensors_file.read(convert(source, output))
    assert list(file.tensors) == ["b"], list(file.tensors)
    assert file.metadata["a"] == "b", json.dumps(file.metadata)
    rebuilt = skeleton.load(output)
    assert rebuilt["a"] is rebuilt["b"]


def test_views_of_one_storage_that_differ_are_not_tied(tmp_path, output):
    base, source = torch.arange(12.0).reshape(3, 4), tmp_path / "model.pt"
    views = {"base": base, "t": base.t(), "row": base[1], "flat": base.flatten()}
    torch.save(views, source)
    file = safetensors_file.read(convert(source, output))
    assert sorted(file.tensors) == sorted(views)
    assert len(file.metadata) == 2, list(file.metadata)
