"""`inspect --json` tells what torch finds, without reading a tensor."""

import math

import pytest

import naming
import reference
from files import LEGACY, ZIP, label, of_kind
from program import DONE, describe, run
from safetensors_file import parse_json
from tensors import short_name

pickled_files = pytest.mark.parametrize("source", of_kind(ZIP, LEGACY), ids=label)


def inspected(source):
    process = run("inspect", source, "--json")
    assert process.returncode == DONE, describe(process)
    return parse_json(process.stdout)


COMPARED = ("dtype", "shape", "bytes", "strides", "storage_bytes", "requires_grad")


def expected_row(tensor):
    return {
        "dtype": short_name(tensor.dtype), "shape": list(tensor.shape),
        "bytes": tensor.numel() * tensor.element_size(),
        "strides": None if tensor.is_contiguous() else list(tensor.stride()),
        "storage_bytes": tensor.untyped_storage().nbytes(),
        "requires_grad": tensor.requires_grad,
    }


@pickled_files
def test_rows_agree_with_torch(source):
    expected = {
        name: expected_row(tensor)
        for name, tensor in naming.tensors_of(reference.load(source))}
    rows = inspected(source)["tensors"]
    found = {row["name"]: {key: row.get(key) for key in COMPARED} for row in rows}
    assert len(found) == len(rows), f"{label(source)}: a name stands twice"
    assert set(found) == set(expected), f"{label(source)}: {set(found) ^ set(expected)}"
    for name, row in expected.items():
        assert found[name] == row, f"{label(source)}: {name!r}"


@pickled_files
def test_rows_share_storages_as_torch_does(source):
    tensors = dict(naming.tensors_of(reference.load(source)))
    storages = {}
    for row in inspected(source)["tensors"]:
        storage = tensors[row["name"]].untyped_storage()._cdata
        assert storages.setdefault(row["storage"], storage) == storage, (
            f"{label(source)}: {row['name']!r} shares a storage that it does not share in torch")
    assert len(set(storages.values())) == len(storages), label(source)


@pickled_files
def test_totals_are_the_sums_of_the_rows(source):
    report = inspected(source)
    rows, totals = report["tensors"], report["totals"]
    assert totals["tensors"] == len(rows), label(source)
    assert totals["tensor_bytes"] == sum(row["bytes"] for row in rows), label(source)
    assert totals["elements"] == sum(math.prod(row["shape"]) for row in rows), label(source)
    assert report["bytes"] == source.stat().st_size, label(source)


@pickled_files
def test_the_text_names_every_tensor(source):
    process = run("inspect", source)
    assert process.returncode == DONE, describe(process)
    for name, _ in naming.tensors_of(reference.load(source)):
        assert name in process.stdout, f"{label(source)}: {name!r} is not in the table"
