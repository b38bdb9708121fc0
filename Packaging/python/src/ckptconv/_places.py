"""The bytes of tensors, where the program says that they are."""

from __future__ import annotations

import mmap
import zlib
from typing import Any, Dict, NamedTuple, Tuple, Union

from ckptconv._program import CheckpointError

Row = Dict[str, Any]
Buffer = Union[mmap.mmap, bytearray, bytes]


class Stretch(NamedTuple):
    """A storage, or the packed bytes of one tensor, in a buffer."""

    buffer: Buffer
    start: int
    byte_count: int


class Places:
    """Files that are mapped into memory once each, and storages that had to be decompressed."""

    def __init__(self, access: int) -> None:
        self._access = access
        self._files: dict[str, mmap.mmap] = {}
        self._inflated: dict[tuple[str, int], Buffer] = {}

    def stretch(self, row: Row) -> Stretch:
        """The bytes that a tensor's elements are a view of. It has some."""
        place = row["place"]
        file, first, count = place["file"], place["first_byte"], place["bytes"]
        if place["encoding"] == "stored":
            buffer: Buffer = self._map(file)
            if first + count > len(buffer):
                raise _changed(file)
            return Stretch(buffer, first, count)
        if (file, first) not in self._inflated:
            self._inflated[file, first] = self._inflate(row)
        inflated = self._inflated[file, first]
        return Stretch(inflated, 0, len(inflated))

    def key(self, row: Row) -> Tuple[str, int]:
        """A key that tensors have in common if and only if they are views of the same stretch."""
        return row["place"]["file"], row["place"]["first_byte"]

    def _map(self, path: str) -> mmap.mmap:
        if path not in self._files:
            with open(path, "rb") as file:
                try:
                    self._files[path] = mmap.mmap(file.fileno(), 0, access=self._access)
                except ValueError:
                    # It has become empty.
                    raise _changed(path) from None
        return self._files[path]

    def _inflate(self, row: Row) -> Buffer:
        place, wanted = row["place"], row["storage_bytes"]
        first = place["first_byte"]
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        compressed = memoryview(self._map(place["file"]))[first:first + place["bytes"]]
        try:
            data = inflater.decompress(compressed, wanted) if wanted else b""
        except zlib.error as error:
            raise CheckpointError(
                f"{place['file']}: {row['name']}: {error}", "malformed",
                [place["file"], row["name"]], first) from None
        finally:
            compressed.release()
        if len(data) != wanted:
            raise CheckpointError(
                f"{place['file']}: {row['name']}: {len(data)} bytes where {wanted} are expected",
                "truncated", [place["file"], row["name"]], first)
        return bytearray(data) if self._access == mmap.ACCESS_COPY else data


def _changed(path: str) -> CheckpointError:
    return CheckpointError(
        f"{path}: the file became shorter while it was being read", "inputOutput", [path],
        remedy="run again when nothing writes to it any more")
