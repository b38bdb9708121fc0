"""The skeleton's document follows Documentation/skeleton.md to the letter."""

import base64
import zipfile

import pytest

import safetensors_file
import skeleton
from files import ZIP, label, of_kind
from program import convert

zip_files = pytest.mark.parametrize("source", of_kind(ZIP), ids=label)


def document_of(source, output):
    file = safetensors_file.read(convert(source, output))
    return safetensors_file.parse_json(file.metadata[skeleton.KEY])


def references_in(part):
    """The numbers of the nodes that a part of a node refers to, in order."""
    if isinstance(part, list):
        if isinstance(part[0], int):
            yield part[0]
        else:
            # A construction: a node written in place.
            for inner in part[1:]:
                yield from references_in(inner)
    elif isinstance(part, dict):
        for key in ("items", "pairs"):
            for value in part.get(key, ()):
                yield from references_in(value)
        if "state" in part:
            yield from references_in(part["state"])


def walk(document):
    """Node numbers in the order of a walk, depth first and left to right, once per reference."""
    nodes, entered = document["nodes"], set()
    pending = [n for value in (document["root"], *document.get("discarded", ()))
               for n in references_in(value)][::-1]
    while pending:
        number = pending.pop()
        yield number
        if number not in entered:
            entered.add(number)
            parts = [n for part in nodes[number][1:] for n in references_in(part)]
            pending.extend(reversed(parts))


@zip_files
def test_its_keys_are_those_specified(source, output):
    document = document_of(source, output)
    optional = {"discarded"}
    assert document.keys() - optional == {"skeleton", "layout", "source", "root", "nodes"}
    assert (document["skeleton"], document["layout"]) == (1, "plain")
    assert document.get("discarded") != [], "absent when there are none"


@zip_files
def test_nodes_are_numbered_in_the_order_of_the_walk(source, output):
    document = document_of(source, output)
    order = list(dict.fromkeys(walk(document)))
    assert order == list(range(len(document["nodes"]))), label(source)


@zip_files
def test_a_string_is_a_node_only_when_it_is_shared(source, output):
    document = document_of(source, output)
    references = list(walk(document))
    for number, node in enumerate(document["nodes"]):
        if node[0] == "str" and node[1] is not None:
            assert references.count(number) > 1, f"{label(source)}: node {number}, {node}"


@zip_files
def test_the_source_is_described_record_by_record(source, output):
    described = document_of(source, output)["source"]
    with zipfile.ZipFile(source) as archive:
        first = archive.namelist()[0]
        prefix = first[: first.index("/")]
        expected = []
        for info in archive.infolist():
            name, data = info.filename.removeprefix(prefix + "/"), archive.read(info)
            if name == "data.pkl":
                protocol = data[1]
                expected.append([name])
            elif name.startswith("data/"):
                expected.append([name, len(data)])
            else:
                expected.append([name, base64.b64encode(data).decode()])
    assert described == {
        "container": "torch-zip", "prefix": prefix, "protocol": protocol, "byteorder": "little",
        "records": expected,
    }, label(source)
