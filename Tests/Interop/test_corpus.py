"""Every file of the corpus converts, and the skeleton rebuilds what torch loads, bit for bit."""

import pytest
import safetensors
import torch

import naming
import reference
import safetensors_file
import skeleton
from comparison import assert_same, bytes_of
from files import LEGACY, TORCHSCRIPT, ZIP, label, of_kind
from program import convert

pickled_files = pytest.mark.parametrize("source", of_kind(ZIP, LEGACY), ids=label)
torchscripts = pytest.mark.parametrize("source", of_kind(TORCHSCRIPT), ids=label)


@pickled_files
@pytest.mark.parametrize("flags", [(), ("--tied", "copy"), ("--layout", "olmo")], ids=" ".join)
def test_the_skeleton_rebuilds_what_torch_loads(source, flags, output):
    convert(source, output, *flags)
    assert_same(reference.load(source), skeleton.load(output), label(source))


@pickled_files
def test_tensors_have_the_names_of_their_paths(source, output):
    convert(source, output)
    file = safetensors_file.read(output)
    expected = dict(naming.tensors_of(reference.load(source)))
    found = set(file.tensors) | {
        alias for alias, name in file.metadata.items() if name in file.tensors}
    assert found == set(expected), (
        f"{label(source)}: missing {sorted(set(expected) - found)}, "
        f"unexpected {sorted(found - set(expected))}")
    for name, entry in file.tensors.items():
        assert bytes(entry.data) == bytes_of(expected[name]), f"{label(source)}: {name!r}"


@pickled_files
def test_the_safetensors_library_opens_it(source, output):
    convert(source, output)
    expected = safetensors_file.read(output)
    with safetensors.safe_open(output, "pt") as file:
        assert sorted(file.keys()) == sorted(expected.tensors), label(source)
        assert file.metadata() == expected.metadata, label(source)
        assert file.metadata()["format"] == "pt", label(source)


@torchscripts
def test_torchscript_gives_the_tensors_of_its_state_dict(source, output):
    convert(source, output)
    file = safetensors_file.read(output)
    expected = torch.jit.load(source).state_dict()
    assert set(file.tensors) == set(expected), label(source)
    for name, entry in file.tensors.items():
        assert bytes(entry.data) == bytes_of(expected[name]), f"{label(source)}: {name!r}"
