"""Memory stays at 64 MiB whatever the size of the file."""

import filecmp
import subprocess
import sys

import pytest
import torch

from program import BINARY

MEBIBYTE = 2**20
LIMIT = 64 * MEBIBYTE

# The peak of a child counts the memory it shared with its parent before it became another program:
# the parent must be a small one, not the one that has torch loaded.
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""

LARGE = {
    "one tensor of 512 MiB": lambda: {"w": torch.ones(128 << 20)},
    "128 tensors of 4 MiB": lambda: {f"w.{n}": torch.full((1 << 19,), n) for n in range(128)},
    "a transposed matrix of 256 MiB": lambda: {"w": torch.ones(1 << 13, 1 << 13).t()},
    "256 MiB out of one element": lambda: {"w": torch.ones(1).expand(1 << 13, 1 << 13)},
}


def peak_of(*arguments):
    """The peak of resident memory of a run, in bytes."""
    process = subprocess.run(
        [sys.executable, "-S", "-E", "-c", MEASURE, BINARY, *arguments],
        capture_output=True, text=True, check=True)
    return int(process.stdout)


@pytest.mark.parametrize("make", LARGE.values(), ids=LARGE)
def test_a_conversion_needs_64_mebibytes_at_most(make, tmp_path, output):
    source, returned = tmp_path / "model.pt", tmp_path / "returned.pt"
    torch.save(make(), source)
    try:
        peak = peak_of("pt-to-safetensors", source, "-o", output)
        assert peak <= LIMIT, f"{peak / MEBIBYTE:.1f} MiB to convert"
        peak = peak_of("inspect", source)
        assert peak <= LIMIT // 2, f"{peak / MEBIBYTE:.1f} MiB to inspect"
        peak = peak_of("safetensors-to-pt", output, "-o", returned)
        assert peak <= LIMIT, f"{peak / MEBIBYTE:.1f} MiB to bring back"
        assert filecmp.cmp(source, returned, shallow=False)
    finally:
        source.unlink()
        returned.unlink(missing_ok=True)
        output.unlink(missing_ok=True)


@pytest.mark.parametrize("verb", ["pt-to-safetensors", "verify", "roundtrip"])
def test_items_at_once_share_the_memory_of_one(verb, tmp_path):
    # Transposed tensors are what buffers are needed for: copies alone would not fill them.
    runs, output = tmp_path / "runs", tmp_path / "out"
    for step in range(4):
        (runs / f"step{step}").mkdir(parents=True)
    first = runs / "step0/model.pt"
    torch.save({"w": torch.ones(1 << 11, 1 << 11).t()}, first)
    for step in range(1, 4):
        (runs / f"step{step}/model.pt").hardlink_to(first)
    if verb == "verify":
        peak_of("batch", "pt-to-safetensors", "-q", runs, "-o", output)
    peaks = []
    for jobs in ("1", "4"):
        root = ["-o", output if verb == "verify" else tmp_path / f"out{jobs}"]
        peaks.append(peak_of("batch", verb, "-q", runs, *root, "--jobs", jobs))
    growth = peaks[1] - peaks[0]
    assert growth <= 12 * MEBIBYTE, f"{growth / MEBIBYTE:.1f} MiB for three more items"
