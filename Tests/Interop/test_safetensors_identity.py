"""Files of the safetensors library and of OLMo's converter return as they were, by way of `.pt`."""

import pickle
import random

import pytest
import safetensors.torch
import torch

import olmo_files
import random_values
import state_dicts
from files import assert_same_file, checkpoints
from program import bring_back, convert
from tensors import DTYPES, of_bits, short_name
from test_plain_identity import NAMES, SPECIAL, random_state_dict


def check(source, folder, what, *flags):
    """Converts to `.pt` and back; the second conversion cannot know a skeleton and writes none."""
    between = bring_back(source, folder / "between.pt")
    returned = convert(between, folder / "returned.safetensors", "--no-skeleton", *flags)
    assert_same_file(source, returned, what)


def save(tensors, folder, metadata=None):
    source = folder / "model.safetensors"
    safetensors.torch.save_file(tensors, source, metadata)
    return source


@pytest.mark.parametrize("dtype", DTYPES, ids=short_name)
def test_a_dtype(dtype, tmp_path):
    rng = random.Random(21)
    shapes = {"vector": (7,), "matrix": (3, 4), "empty": (0,), "hollow": (2, 0, 3), "one": (1, 1)}
    if dtype != torch.float4_e2m1fn_x2:
        shapes["scalar"] = ()
    tensors = {name: of_bits(dtype, shape, rng) for name, shape in shapes.items()}
    check(save(tensors, tmp_path), tmp_path, short_name(dtype))


def test_all_names(tmp_path):
    check(save({name: torch.ones(1) for name in NAMES.values()}, tmp_path), tmp_path, "all names")


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_single_name(name, tmp_path):
    check(save({name: torch.ones(2)}, tmp_path), tmp_path, repr(name))


@pytest.mark.parametrize("name", [name for name in SPECIAL if name != "50 000 tensors"])
def test_a_special_case(name, tmp_path):
    check(save(dict(SPECIAL[name]), tmp_path), tmp_path, name)


METADATA = {
    "format": {"format": "pt"}, "empty": {}, "empty strings": {"": ""},
    "escapes": {"a\n\"\\\x00\x1f": "\x7f\u2028é😀</script>"}, "long": {"text": "x" * 100_000},
    "a name of a tensor": {"w": "another"},
}


@pytest.mark.parametrize("metadata", METADATA.values(), ids=METADATA)
def test_metadata(metadata, tmp_path):
    """At most one entry: the library writes several in an order that differs from run to run."""
    check(save({"w": torch.arange(5)}, tmp_path, metadata), tmp_path, repr(metadata)[:60])


@pytest.mark.parametrize("seed", range(40))
def test_a_random_file(seed, tmp_path):
    check(save(dict(random_state_dict(random.Random(seed))), tmp_path), tmp_path, f"seed {seed}")


# MARK: OLMo's files


def check_olmo(state_dict, folder, what):
    source = folder / "optim.safetensors"
    olmo_files.state_dict_to_safetensors_file(state_dict, source)
    check(source, folder, what, "--layout", "olmo")


@pytest.mark.parametrize("kind", state_dicts.KINDS.values(), ids=state_dicts.KINDS)
def test_a_kind_of_state_dict(kind, tmp_path):
    check_olmo(kind(), tmp_path, kind.__name__)


@pytest.mark.parametrize("seed", range(40))
def test_a_random_state_dict(seed, tmp_path):
    made = random_values.Maker(random.Random(seed)).state_dict()
    # What was loaded has each character once, a literal in a program may be another object.
    check_olmo(pickle.loads(pickle.dumps(made)), tmp_path, f"seed {seed}")


@pytest.mark.parametrize(
    "source",
    [directory / name for directory in checkpoints()
     for name in ("model.pt", "optim.pt", "train.pt") if (directory / name).exists()],
    ids=lambda path: "/".join(path.parts[-3:]))
def test_a_checkpoint_of_olmos_trainer(source, tmp_path):
    check_olmo(torch.load(source, weights_only=False), tmp_path, source.name)
