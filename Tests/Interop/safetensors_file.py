"""Reads a safetensors file from its bytes alone, without the safetensors library."""

import json
import math
import pathlib
from dataclasses import dataclass

# dtype in the header -> bits per element, in the reference's order.
BITS = {
    "U64": 64, "I64": 64, "F64": 64, "C64": 64, "F32": 32, "U32": 32, "I32": 32, "BF16": 16,
    "F16": 16, "U16": 16, "I16": 16, "F8_E5M2FNUZ": 8, "F8_E4M3FNUZ": 8, "F8_E8M0": 8,
    "F8_E4M3": 8, "F8_E5M2": 8, "I8": 8, "U8": 8, "F6_E3M2": 6, "F6_E2M3": 6, "F4": 4, "BOOL": 8,
}


@dataclass(frozen=True)
class Entry:
    """One tensor: what the header says of it and its bytes."""

    dtype: str
    shape: tuple
    data: memoryview


@dataclass(frozen=True)
class SafetensorsFile:
    metadata: dict
    tensors: dict


def without_duplicates(pairs):
    result = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"the key {key!r} stands twice in one JSON object")
        result[key] = value
    return result


def refuse_constant(text):
    raise ValueError(f"{text} is not JSON")


def parse_json(text):
    """JSON as the standard has it: no duplicate keys, no NaN, no Infinity."""
    return json.loads(text, object_pairs_hook=without_duplicates, parse_constant=refuse_constant)


def read(path):
    """Parses the file and insists on what the format's reference insists on."""
    content = memoryview(pathlib.Path(path).read_bytes())
    length = int.from_bytes(content[:8], "little")
    assert length % 8 == 0, f"{path}: header of {length} bytes is not padded to 8"
    header = parse_json(bytes(content[8 : 8 + length]).decode())
    data = content[8 + length :]

    metadata = header.pop("__metadata__", {})
    tensors, end = {}, 0
    for name, fields in header.items():
        begin, stop = fields["data_offsets"]
        assert begin == end, f"{path}: {name!r} begins at {begin}, the one before ends at {end}"
        bits = math.prod(fields["shape"]) * BITS[fields["dtype"]]
        assert bits == (stop - begin) * 8, f"{path}: {name!r} has {stop - begin} bytes"
        tensors[name] = Entry(fields["dtype"], tuple(fields["shape"]), data[begin:stop])
        end = stop
    assert end == len(data), f"{path}: {len(data)} bytes of data, the header covers {end}"
    return SafetensorsFile(metadata, tensors)
