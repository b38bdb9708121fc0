"""Tensors as NumPy arrays: read-only views of the file."""

from __future__ import annotations

import mmap
from importlib import import_module
from typing import Any

import numpy as np

from ckptconv._places import Places, Row
from ckptconv._program import CheckpointError

try:
    ml_dtypes: Any = import_module("ml_dtypes")
except ImportError:
    ml_dtypes = None

# Element types that NumPy has under the same name.
_NATIVE = {
    "bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64",
    "float16", "float32", "float64", "complex64", "complex128",
}

# The size in bytes of those that ml_dtypes may have, or nobody.
_RAW = {
    "bfloat16": 2, "complex32": 4, "bcomplex32": 4, "float8_e5m2": 1, "float8_e4m3fn": 1,
    "float8_e5m2fnuz": 1, "float8_e4m3fnuz": 1, "float8_e8m0fnu": 1, "float4_e2m1fn_x2": 1,
    "qint8": 1, "quint8": 1, "qint32": 4, "quint4x2": 1, "quint2x4": 1,
    "bits1x8": 1, "bits2x4": 1, "bits4x2": 1, "bits8": 1, "bits16": 2,
}


def dtype(name: str) -> np.dtype[Any]:
    """NumPy's or ml_dtypes' type of elements, else a record of raw bits with the type's name."""
    if name in _NATIVE:
        return np.dtype(name)
    extension = getattr(ml_dtypes, name, None)
    if extension is not None:
        return np.dtype(extension)
    if name not in _RAW:
        raise CheckpointError(f"NumPy has no type for elements of {name}", "unsupported")
    return np.dtype([(name, f"<u{_RAW[name]}")])


class Arrays:
    """Makes arrays of the tensors of a checkpoint."""

    def __init__(self) -> None:
        self._places = Places(mmap.ACCESS_READ)

    def array(self, row: Row) -> np.ndarray[Any, np.dtype[Any]]:
        """The tensor of a row of `inspect --json` that has a storage."""
        elements = dtype(row["dtype"])
        array = np.empty(row["shape"], elements) if 0 in row["shape"] else self._view(row, elements)
        array.flags.writeable = False
        return array

    def _view(self, row: Row, elements: np.dtype[Any]) -> np.ndarray[Any, np.dtype[Any]]:
        place, size = row["place"], elements.itemsize
        stretch = self._places.stretch(row)
        strides = place.get("strides")
        array: np.ndarray[Any, np.dtype[Any]] = np.ndarray(
            tuple(row["shape"]), elements, stretch.buffer, stretch.start + place["offset"] * size,
            None if strides is None else tuple(stride * size for stride in strides))
        if place["byteorder"] == "big":
            array = _swapped(array)
        # An array cannot have PyTorch's lazy signs: these are copies.
        if place.get("conjugated"):
            array = array.conj()
        return np.negative(array) if place.get("negated") else array


def _swapped(array: np.ndarray[Any, np.dtype[Any]]) -> np.ndarray[Any, np.dtype[Any]]:
    """A view of big-endian numbers, or a copy for types that have no byte order."""
    swapped = array.dtype.newbyteorder(">")
    if array.dtype.itemsize == 1 or swapped != array.dtype:
        return array.view(swapped)
    bits = np.dtype(f">u{array.dtype.itemsize}")
    return array.view(bits).astype(bits.newbyteorder("<")).view(array.dtype)
