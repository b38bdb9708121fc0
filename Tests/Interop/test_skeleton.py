"""The skeleton's document follows Documentation/skeleton.md to the letter."""

import base64
import zipfile

import pytest
import torch

import safetensors_file
import skeleton
from files import ZIP, label, of_kind
from program import convert

zip_files = pytest.mark.parametrize("source", of_kind(ZIP), ids=label)

DEPTH = 32


def text_of(source, output, *flags):
    return safetensors_file.read(convert(source, output, *flags)).metadata[skeleton.KEY]


def document_of(source, output):
    return skeleton.parse(text_of(source, output))


def values(document):
    """The values that stand outside of other nodes, in the order of the text; nodes are among them."""
    forms = [part for form in document["forms"] for part in (*form[:6], *form[8:])]
    return [document["root"], *document.get("discarded", ()), *document["nodes"], *forms]


def nodes_of(document):
    return [node for value in values(document) for node in skeleton.nodes_in(value)]


def references(document):
    """The numbers that are referred to, once per reference."""
    found = [n for value in values(document) if (n := skeleton.number_of(value)) is not None]
    for node in nodes_of(document):
        for part in skeleton.parts_of(node):
            if (number := skeleton.number_of(part)) is not None:
                found.append(number)
    return found


@zip_files
def test_its_keys_are_those_specified(source, output):
    document = document_of(source, output)
    required = {"skeleton", "layout", "source", "root", "nodes", "forms"}
    assert document.keys() - {"discarded"} == required
    assert (document["skeleton"], document["layout"]) == (2, "plain")
    assert document.get("discarded") != [], "absent when there are none"


@zip_files
def test_only_long_ones_are_compressed(source, output):
    document = safetensors_file.parse_json(text_of(source, output))
    if "deflate" in document:
        assert document.keys() == {"skeleton", "bytes", "deflate"}
        assert document["skeleton"] == 2 and document["bytes"] > 4096
    else:
        assert len(text_of(source, output.with_name("again"))) <= 4096


@zip_files
def test_what_is_used_once_stands_in_its_place(source, output):
    document = document_of(source, output)
    found = references(document)
    assert set(found) == set(range(len(document["nodes"])))
    # Tensors by their forms refer to what the forms name, and their empty hooks to the empty tuple.
    in_forms = {
        n for form in document["forms"] for part in (*form[:6], *form[8:])
        if (n := skeleton.number_of(part)) is not None}
    for number, node in enumerate(document["nodes"]):
        is_in_tensors = number in in_forms or node == ["tuple"]
        assert found.count(number) > 1 or is_in_tensors, f"{label(source)}: {number}"


def test_nodes_stand_inside_one_another_up_to_a_depth(tmp_path, output):
    value = []
    for _ in range(3 * DEPTH):
        value = [value]
    torch.save(value, tmp_path / "deep.pt")
    document = document_of(tmp_path / "deep.pt", output)

    def depth(node):
        return 1 + max((depth(part) for part in skeleton.parts_of(node) if skeleton.is_node(part)
                        and skeleton.number_of(part) is None), default=0)

    assert [depth(node) for node in (document["root"], *document["nodes"])] == [
        DEPTH, DEPTH + 1, DEPTH]


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
    sizes = {record[0]: record[1] for record in expected if record[0].startswith("data/")}
    records = []
    for record in described["records"]:
        names = skeleton.storages_of(record)
        records += [[name, sizes.pop(name)] for name in names] if names else [record]
        if not names:
            sizes.pop(record[0], None)
    assert not sizes and described | {"records": records} == {
        "container": "torch-zip", "prefix": prefix, "protocol": protocol, "byteorder": "little",
        "records": expected,
    }, label(source)


@pytest.mark.parametrize("flags", [[], ["--layout", "olmo"]], ids=["plain", "olmo"])
def test_many_tensors_take_little_each(flags, tmp_path, output):
    """A layer's name is not written where it follows from the keys, nor a key that follows another."""
    experts = {
        f"layers.{layer}.experts.{expert}.w{number}.weight": torch.ones(2, 3)
        for layer in range(10) for expert in range(50) for number in range(3)}
    torch.save(experts, tmp_path / "experts.pt")
    text = text_of(tmp_path / "experts.pt", output, *flags)
    assert len(text) < 8 * len(experts)
    found = skeleton.load(output)
    assert list(found) == list(experts) and torch.equal(found["layers.9.experts.49.w2.weight"],
                                                        torch.ones(2, 3))
