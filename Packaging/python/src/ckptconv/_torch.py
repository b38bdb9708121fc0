"""Tensors as torch's: views of a private mapping of the file, which can be written to."""

from __future__ import annotations

import mmap

import torch

from ckptconv._places import Places, Row
from ckptconv._program import CheckpointError


class Tensors:
    """Makes torch's tensors of those of a checkpoint."""

    def __init__(self) -> None:
        # What is written to the tensors stays in memory and never reaches the file.
        self._places = Places(mmap.ACCESS_COPY)
        self._storages: dict[tuple[object, ...], torch.Tensor] = {}

    def tensor(self, row: Row) -> torch.Tensor:
        """The tensor of a row of `inspect --json`."""
        dtype = getattr(torch, row["dtype"], None)
        if dtype is None or row["dtype"].startswith("q"):
            raise CheckpointError(
                f"{row['name']}: torch has no tensors of {row['dtype']} without their scales",
                "unsupported", [row["name"]], remedy='use framework="numpy", which gives the stored integers')
        shape = row["shape"]
        if row["storage"] is None:
            return torch.empty(shape, dtype=dtype, device="meta")
        if 0 in shape:
            return torch.empty(shape, dtype=dtype)
        place = row["place"]
        # Tensors that share a storage in the file share one here.
        key = (*self._places.key(row), dtype)
        if key not in self._storages:
            self._storages[key] = self._storage(row, dtype)
        strides = place.get("strides") or _packed(shape)
        tensor = self._storages[key].as_strided(shape, strides, place["offset"])
        if place.get("conjugated"):
            tensor = tensor.conj()
        return torch._neg_view(tensor) if place.get("negated") else tensor

    def _storage(self, row: Row, dtype: torch.dtype) -> torch.Tensor:
        buffer, start, count = self._places.stretch(row)
        if row["place"]["byteorder"] == "big":
            width = dtype.itemsize // (2 if dtype.is_complex else 1)
            bits = torch.frombuffer(buffer, dtype=torch.uint8, offset=start, count=count)
            return bits.view(-1, width).flip(1).reshape(-1).view(dtype)
        return torch.frombuffer(buffer, dtype=dtype, offset=start, count=count // dtype.itemsize)


def _packed(shape: list[int]) -> list[int]:
    """The strides of a tensor whose elements follow each other."""
    strides = [1] * len(shape)
    for index in range(len(shape) - 1, 0, -1):
        strides[index - 1] = strides[index] * shape[index]
    return strides
