"""A file without a skeleton becomes what torch.save writes for the dict that its loader returns."""

import random

import pytest
import safetensors.torch
import torch

import olmo_files
import random_values
import state_dicts
from comparison import assert_same
from program import DATA, bring_back, convert, describe, run
from tensors import DTYPES, of_bits, short_name
from test_olmo_loader import in_order_of
from test_plain_identity import NAMES, SPECIAL, random_state_dict
from test_safetensors_identity import METADATA, save
from test_torch_identity import assert_identical


def check(source, folder, what, *flags):
    """Compares with what torch makes of the dict, saved under a path of the same name."""
    (folder / "expected").mkdir()
    expected, found = folder / "expected/model.pt", folder / "model.pt"
    torch.save(safetensors.torch.load_file(source), expected)
    bring_back(source, found, *flags)
    assert_identical(expected, found, what)


@pytest.mark.parametrize("dtype", DTYPES, ids=short_name)
def test_a_dtype(dtype, tmp_path):
    rng = random.Random(22)
    shapes = {"b": (7,), "a": (3, 4), "hollow": (2, 0, 3), "one": (1, 1, 2)}
    tensors = {name: of_bits(dtype, shape, rng) for name, shape in shapes.items()}
    check(save(tensors, tmp_path), tmp_path, short_name(dtype))


def test_all_dtypes_together(tmp_path):
    rng = random.Random(23)
    tensors = {f"{short_name(dtype)}.w": of_bits(dtype, (2, 2), rng) for dtype in DTYPES}
    check(save(tensors, tmp_path), tmp_path, "all dtypes")


def test_all_names(tmp_path):
    check(save({name: torch.ones(1) for name in NAMES.values()}, tmp_path), tmp_path, "all names")


# The library puts tensors without elements, which lie all in one place, in an order of chance.
UNORDERED = {"only empty tensors"}


@pytest.mark.parametrize("name", SPECIAL.keys() - UNORDERED - {"50 000 tensors"})
def test_a_special_case(name, tmp_path):
    check(save(dict(SPECIAL[name]), tmp_path), tmp_path, name)


@pytest.mark.parametrize("count", [0, 1, 8, 23, 1500])
def test_a_number_of_tensors(count, tmp_path):
    tensors = {f"w.{number}": torch.tensor([number]) for number in range(count)}
    check(save(tensors, tmp_path), tmp_path, f"{count} tensors")


@pytest.mark.parametrize("seed", range(40))
def test_a_random_file(seed, tmp_path):
    tensors = dict(random_state_dict(random.Random(seed)))
    filled = {name: tensor for name, tensor in tensors.items() if tensor.numel()}
    check(save(filled, tmp_path), tmp_path, f"seed {seed}")


@pytest.mark.parametrize("metadata", METADATA.values(), ids=METADATA)
def test_no_metadata_leaves_it_out(metadata, tmp_path):
    source = save({"w": torch.arange(5)}, tmp_path, metadata)
    check(source, tmp_path, repr(metadata)[:60], "--no-metadata")


def test_metadata_does_not_disturb_torch(tmp_path):
    source = save({"w": torch.arange(5)}, tmp_path, {"format": "pt"})
    returned = bring_back(source, tmp_path / "model.pt")
    for mmap in (False, True):
        found = torch.load(returned, weights_only=True, mmap=mmap)
        assert_same({"w": torch.arange(5)}, found, "with metadata")


def test_a_skeleton_can_be_ignored(tmp_path):
    source = tmp_path / "source.pt"
    torch.save({"a": {"b": torch.ones(2).t()}, "lr": 0.1, "c": torch.zeros(3).double()}, source)
    converted = convert(source, tmp_path / "model.safetensors")
    check(converted, tmp_path, "ignored", "--ignore-skeleton", "--no-metadata")


# MARK: Nested dicts


def nested(tensors):
    result = {}
    for name, tensor in tensors.items():
        *path, last = name.split(".")
        dict_ = result
        for step in path:
            dict_ = dict_.setdefault(step, {})
        dict_[last] = tensor
    return result


def test_nest_makes_dicts_of_dotted_names(tmp_path):
    names = ["b.0.w", "b.0.v", "a", "b.1.w", "c..d", ".e", "b.x", "f."]
    tensors = {name: torch.tensor([index]) for index, name in enumerate(names)}
    found = bring_back(save(tensors, tmp_path), tmp_path / "model.pt", "--nest")
    expected = nested(safetensors.torch.load_file(tmp_path / "model.safetensors"))
    assert_same(expected, torch.load(found), "nested")


def test_nest_refuses_a_name_that_is_a_value_and_a_dict(tmp_path):
    source = save({"a": torch.ones(1), "a.b": torch.ones(1)}, tmp_path)
    process = run("safetensors-to-pt", source, "-o", tmp_path / "model.pt", "--nest")
    assert process.returncode == DATA and "'a.b'" in process.stderr, describe(process)
    assert not (tmp_path / "model.pt").exists()


def check_olmo(state_dict, folder, what):
    """OLMo's loader makes nested dicts of it, in an order that the format does not keep."""
    source, found = folder / "optim.safetensors", folder / "model.pt"
    olmo_files.state_dict_to_safetensors_file(state_dict, source)
    expected = olmo_files.safetensors_file_to_state_dict(source)
    loaded = torch.load(bring_back(source, found), weights_only=False)
    assert_same(expected, in_order_of(expected, loaded), what, values_only=True)


@pytest.mark.parametrize("kind", state_dicts.KINDS.values(), ids=state_dicts.KINDS)
def test_a_kind_of_olmo_state_dict(kind, tmp_path):
    check_olmo(kind(), tmp_path, kind.__name__)


@pytest.mark.parametrize("seed", range(40))
def test_a_random_olmo_state_dict(seed, tmp_path):
    check_olmo(random_values.Maker(random.Random(seed)).state_dict(), tmp_path, f"seed {seed}")
