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
def test_without_a_skeleton_it_is_what_save_model_writes(names, tmp_path, output):
    module, source = save(names, tmp_path)
    expected = tmp_path / "expected.safetensors"
    safetensors.torch.save_model(module, expected)
    convert(source, output, "--no-skeleton")
    if len(names) == 2:
        assert_same_file(expected, output, names)
    else:
        # The library writes several metadata entries in an order that is random from run to run.
        theirs, ours = safetensors_file.read(expected), safetensors_file.read(output)
        assert ours == theirs, names


@cases
def test_save_model_and_the_default_agree(names, tmp_path, output):
    module, source = save(names, tmp_path)
    expected = tmp_path / "expected.safetensors"
    safetensors.torch.save_model(module, expected)
    theirs = safetensors_file.read(expected)
    ours = safetensors_file.read(convert(source, output))
    assert ours.tensors == theirs.tensors, names
    keys = list(ours.metadata)
    assert keys[:2] == ["format", skeleton.KEY], keys
    assert {key: ours.metadata[key] for key in keys[2:]} == theirs.metadata, names


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
    assert list(file.tensors) == ["a"], list(file.tensors)
    assert file.metadata["b"] == "a", json.dumps(file.metadata)
    rebuilt = skeleton.load(output)
    assert rebuilt["a"] is rebuilt["b"]


def test_views_of_one_storage_that_differ_are_not_tied(tmp_path, output):
    base, source = torch.arange(12.0).reshape(3, 4), tmp_path / "model.pt"
    views = {"base": base, "t": base.t(), "row": base[1], "flat": base.flatten()}
    torch.save(views, source)
    file = safetensors_file.read(convert(source, output))
    assert sorted(file.tensors) == sorted(views)
    assert len(file.metadata) == 2, list(file.metadata)
