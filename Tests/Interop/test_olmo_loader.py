"""OLMo's own loader reads what ckptconv writes by default for an OLMo checkpoint."""

import pytest
import torch

import olmo_files
import reference
import safetensors_file
import skeleton
import state_dicts
from comparison import assert_same
from files import checkpoints
from program import DONE, convert, describe, run

directories = pytest.mark.parametrize(
    "directory",
    [path for path in checkpoints() if (path / "model.pt").exists()],
    ids=lambda path: "/".join(path.parts[-2:]))


def loaded(path):
    return torch.load(path, map_location="cpu", weights_only=False)


def without_empty_dicts(value):
    """The nested dict as OLMo's loader returns it: plain dicts, and no empty ones, for which the
    format has no place."""
    items = {
        key: without_empty_dicts(item) if isinstance(item, dict) else item
        for key, item in value.items()
    }
    return {key: item for key, item in items.items() if not (isinstance(item, dict) and not item)}


def in_order_of(expected, found):
    """`found` with its keys in the order of `expected`: the format keeps none."""
    if not isinstance(expected, dict):
        return found
    assert set(expected) == set(found), (sorted(map(repr, expected)), sorted(map(repr, found)))
    return {key: in_order_of(item, found[key]) for key, item in expected.items()}


def check_loader(source, output):
    expected = without_empty_dicts(loaded(source))
    found = in_order_of(expected, olmo_files.safetensors_file_to_state_dict(output))
    assert_same(expected, found, output.name, values_only=True)


@directories
def test_a_directory_becomes_one_that_the_trainer_loads(directory, tmp_path):
    output = tmp_path / directory.name
    process = run("pt-to-safetensors", directory, "-o", output)
    assert process.returncode == DONE, describe(process)
    names = sorted(path.name for path in output.iterdir())
    assert names == ["config.yaml", "model.safetensors", "optim.safetensors", "train.pt"], names
    for name in ("config.yaml", "train.pt"):
        assert (output / name).read_bytes() == (directory / name).read_bytes(), name
    for name in ("model", "optim"):
        source, converted = directory / f"{name}.pt", output / f"{name}.safetensors"
        check_loader(source, converted)
        assert_same(
            reference.load(source), skeleton.load(converted), f"the skeleton of {converted.name}")


@directories
def test_train_converts_on_request(directory, tmp_path):
    output = tmp_path / directory.name
    process = run("pt-to-safetensors", directory, "-o", output, "--train")
    assert process.returncode == DONE, describe(process)
    converted = output / "train.safetensors"
    check_loader(directory / "train.pt", converted)
    assert_same(reference.load(directory / "train.pt"), skeleton.load(converted), "train.pt")


@directories
def test_a_file_gets_the_layout_of_the_trainer_in_a_checkpoint_directory_only(
        directory, output, tmp_path):
    step = tmp_path / "step1-unsharded"
    step.mkdir()
    for name in "model.pt", "config.yaml":
        (step / name).write_bytes((directory / name).read_bytes())
    convert(step / "model.pt", step / "model.safetensors")
    names = list(safetensors_file.read(step / "model.safetensors").tensors)
    assert all(isinstance(olmo_files.decode_key(name).keys, tuple) for name in names), names
    convert(step / "model.pt", output)
    assert set(safetensors_file.read(output).tensors) == set(reference.load(step / "model.pt"))


@pytest.mark.parametrize("kind", state_dicts.KINDS.values(), ids=state_dicts.KINDS)
def test_another_kind_of_state_dict(kind, tmp_path, output):
    source = tmp_path / "optim.pt"
    torch.save(kind(), source)
    convert(source, output, "--layout", "olmo")
    check_loader(source, output)
    assert_same(reference.load(source), skeleton.load(output), source.name)
