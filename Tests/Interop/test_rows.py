"""Rows of a tensor, and rows that were joined, become the very file that torch.save writes."""

import pytest
import safetensors.torch
import torch

from files import assert_same_file
from program import probe


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64, torch.uint16])
@pytest.mark.parametrize("shape", [(4, 3), (7,), (2, 3, 5), (1000, 100)], ids=str)
def test_halves(shape, dtype, tmp_path):
    whole = torch.randint(0, 100, shape).to(dtype)
    source = tmp_path / "whole.safetensors"
    safetensors.torch.save_file({"whole": whole}, source)
    # torch names the archive after the file.
    expected, found = tmp_path / "expected" / "model.pt", tmp_path / "found" / "model.pt"
    for path in (expected, found):
        path.parent.mkdir()
    half = shape[0] // 2
    upper, lower = whole[:half], whole[half:]
    torch.save({"upper": upper, "lower": lower, "turned": torch.cat([lower, upper])}, expected)
    probe("halves", source, found)
    assert_same_file(expected, found, f"{dtype} {shape}")
