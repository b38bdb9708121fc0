"""Casts give the very bits that torch's `.to(dtype)` gives on a processor with AVX2.

Every value of 16 bits and a sample of the others; `make casts` takes all 2**32 of float32.
"""

import itertools
import os

import numpy
import pytest
import torch

from program import probe

TYPES = {
    "float64": torch.float64, "float32": torch.float32, "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}
UNSIGNED = {8: numpy.uint64, 4: numpy.uint32, 2: numpy.uint16}
SIGNED = {8: numpy.int64, 4: numpy.int32, 2: numpy.int16}
CASTS = [(source, target) for source in TYPES for target in TYPES
         if source != target and target != "float64"]
PIECE = 1 << 26


def width(dtype):
    return TYPES[dtype].itemsize


def as_torch(bits, dtype):
    return torch.from_numpy(bits.view(SIGNED[width(dtype)])).view(TYPES[dtype])


def as_bits(tensor, dtype):
    return tensor.view({4: torch.int32, 2: torch.int16}[width(dtype)]).numpy().view(
        UNSIGNED[width(dtype)])


def sample(dtype):
    """All bit patterns of 16 bits; of wider types those around powers of two and around what lies
    half-way between two numbers of a narrower type, with random ones."""
    bits = 8 * width(dtype)
    if bits == 16:
        return numpy.arange(1 << 16, dtype=numpy.uint16)
    fraction = {32: 23, 64: 52}[bits]
    powers = numpy.arange(1 << (bits - 1 - fraction), dtype=numpy.uint64) << numpy.uint64(fraction)
    ties = [0] + [1 << (fraction - place) for place in range(1, 25) if place <= fraction]
    ties += [3 << (fraction - place) for place in (8, 9, 11, 12)]
    near = [(powers + numpy.uint64(tie)) + numpy.uint64(step % (1 << 64))
            for tie, step in itertools.product(ties, (-1, 0, 1))]
    rng = numpy.random.default_rng(3)
    near.append(rng.integers(0, 1 << 64, 1 << 20, dtype=numpy.uint64, endpoint=False)
                >> numpy.uint64(64 - bits))
    values = numpy.concatenate(near) & numpy.uint64((1 << bits) - 1)
    values = numpy.concatenate([values, values | numpy.uint64(1 << (bits - 1))])
    return values.astype(UNSIGNED[width(dtype)])


def assert_same(bits, source, target, folder):
    """Casts `bits` both ways and compares, of all but the last elements of each thread's share.

    There torch itself treats NaNs as the rest of a vector and not as vectors.
    """
    inputs, output = folder / "in", folder / "out"
    padding = numpy.zeros(-len(bits) % 1024 + 1024, dtype=bits.dtype)
    padded = numpy.concatenate([bits, padding])
    padded.tofile(inputs)
    probe("cast", source, target, inputs, output)
    ours = numpy.fromfile(output, dtype=UNSIGNED[width(target)])[:len(bits)]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        theirs = as_bits(as_torch(padded, source).to(TYPES[target]), target)[:len(bits)]
    finally:
        torch.set_num_threads(threads)
    different = numpy.flatnonzero(ours != theirs)
    assert not len(different), [
        f"{source} {bits[i]:#x} becomes {target} {ours[i]:#x}, torch makes it {theirs[i]:#x}"
        for i in different[:10]]


@pytest.mark.parametrize("source, target", CASTS)
def test_a_cast(source, target, tmp_path):
    if torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"):
        pytest.skip("torch treats NaNs in another way on this processor")
    assert_same(sample(source), source, target, tmp_path)


@pytest.mark.skipif("EXHAUSTIVE" not in os.environ, reason="takes minutes: make casts")
@pytest.mark.parametrize("target", ["float16", "bfloat16"])
def test_all_of_float32(target, tmp_path):
    for start in range(0, 1 << 32, PIECE):
        bits = numpy.arange(start, start + PIECE, dtype=numpy.uint32)
        assert_same(bits, "float32", target, tmp_path)
