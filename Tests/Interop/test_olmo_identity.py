"""In layout olmo without a skeleton a file is the very one that OLMo's converter writes."""

import random

import pytest
import torch

import olmo_files
import random_values
import state_dicts
from files import assert_same_file, checkpoints, label
from program import convert

FILES = [
    directory / name
    for directory in checkpoints()
    for name in ("model.pt", "optim.pt", "train.pt") if (directory / name).exists()
]


def loaded(path):
    """What OLMo's scripts/convert_pt_to_safetensors.py loads."""
    return torch.load(path, map_location="cpu", weights_only=False)


def check(source, expected, output):
    olmo_files.state_dict_to_safetensors_file(loaded(source), expected)
    convert(source, output, "--layout", "olmo", "--no-skeleton")
    assert_same_file(expected, output, source.name)


@pytest.mark.parametrize("source", FILES, ids=lambda path: "/".join(path.parts[-3:]))
def test_a_checkpoint_of_olmos_trainer(source, tmp_path, output):
    check(source, tmp_path / "expected.safetensors", output)


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("kind", state_dicts.KINDS.values(), ids=state_dicts.KINDS)
def test_another_kind_of_state_dict(kind, protocol, tmp_path, output):
    source = tmp_path / "optim.pt"
    torch.save(kind(), source, pickle_protocol=protocol)
    check(source, tmp_path / "expected.safetensors", output)


@pytest.mark.parametrize("seed", range(60))
def test_a_random_state_dict(seed, tmp_path, output):
    rng = random.Random(seed)
    source = tmp_path / "optim.pt"
    # Not 5, in which an array is another call, that loading and pickling again turns into this one.
    protocol = rng.choice([2, 3, 4])
    torch.save(random_values.Maker(rng).state_dict(), source, pickle_protocol=protocol)
    check(source, tmp_path / "expected.safetensors", output)


def test_tied_tensors_are_stored_for_every_name(tmp_path, output):
    """OLMo's converter refuses them; its loader needs both."""
    source, expected = tmp_path / "model.pt", tmp_path / "expected.safetensors"
    shared = torch.arange(4.0)
    torch.save({"a": shared, "b": shared.view(4)}, source)
    olmo_files.state_dict_to_safetensors_file({"a": shared, "b": shared.clone()}, expected)
    convert(source, output, "--layout", "olmo", "--no-skeleton")
    assert_same_file(expected, output, "tied")


def test_strided_tensors_are_stored_row_by_row(tmp_path, output):
    """safetensors refuses them; what it would want is the contiguous copy."""
    source, expected = tmp_path / "model.pt", tmp_path / "expected.safetensors"
    base = torch.arange(24.0).reshape(2, 3, 4)
    strided = {
        "t": base.permute(2, 0, 1), "step": base[:, :, ::2], "expanded": torch.ones(1).expand(3, 2),
    }
    torch.save(strided, source)
    packed = {name: value.contiguous().clone() for name, value in strided.items()}
    olmo_files.state_dict_to_safetensors_file(packed, expected)
    convert(source, output, "--layout", "olmo", "--no-skeleton")
    assert_same_file(expected, output, "strided")
