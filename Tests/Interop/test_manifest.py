"""Manifests are what their specification says, and stay the same whatever a checkpoint becomes."""

import hashlib
import itertools
import json
import random
import subprocess

import pytest
import torch
from safetensors.torch import save_file

import manifest
import tensors
from files import TORCHSCRIPT, ZIP, checkpoints, label, of_kind
from program import DATA, DIFFERENCE, DONE, IO, USAGE, convert, describe, run


def make(path, output, *flags):
    process = run("verify", "--manifest", output, path, *flags)
    assert process.returncode == DONE, describe(process)
    return json.loads(output.read_text())


def against(path, made):
    return run("verify", "--against", made, path, "--json")


def example():
    generator = random.Random(1)
    weight = tensors.of_bits(torch.bfloat16, (8, 6), generator)
    return {
        "w": weight, "view": weight.t()[1:], "scalar": torch.tensor(2.5),
        "none": torch.zeros(0, 3), "c": torch.tensor([1 + 2j, 3j]).conj(),
        **{tensors.short_name(dtype): tensors.of_bits(dtype, (3,), generator)
           for dtype in tensors.DTYPES},
        "values": {
            "floats": [0.0, -0.0, float("nan"), 1e300], "none": None, "bools": (True, False),
            "ints": [0, 1, -1, 127, 128, -128, -129, 255, 256, 1 << 31, -(1 << 63), 1 << 64, 1 << 200],
            "texts": ["", "é\U0001f600", "\udc80"], "bytes": b"\x00\xff", "sets": {1, 2, 3},
            "frozen": frozenset("ab"), "dict in list": [{"b": 1, "a": {}}], "empty": {}, 7: 8,
            "bytearray": bytearray(b"xy"),
        },
        "grad": torch.ones(2, requires_grad=True), "lists": [torch.ones(2), (weight[0], 3)],
    }


def test_a_manifest_is_what_its_specification_says(tmp_path):
    source = tmp_path / "a.b.pt"
    value = example()
    torch.save(value, source)
    made = make(source, tmp_path / "made.json")
    assert made["ckptconv_manifest"] == 1
    part, = made["files"]
    assert part["name"] == "a"
    found = [
        (entry["name"], entry.get("dtype"), entry.get("shape"), entry["sha256"])
        for entry in part["entries"]]
    lists = value.pop("lists")
    expected = list(manifest.entries(value))
    expected += [
        (name, "float32" if name == "lists.0" else "bfloat16", list(tensor.shape),
         manifest.elements(tensor).hex())
        for name, tensor in [("lists.0", lists[0]), ("lists.1.0", lists[1][0])]]
    expected.append(("lists.1.1", None, None, manifest.digest(3).hex()))
    assert found == expected
    assert part["structure"] == manifest.Structure().digest({**value, "lists": lists}).hex()


def test_a_manifest_of_a_directory_lists_its_other_files(tmp_path):
    directory = checkpoints()[0]
    made = make(directory, tmp_path / "made.json")
    config = (directory / "config.yaml").read_bytes()
    assert {
        "name": "config.yaml", "bytes": len(config), "sha256": hashlib.sha256(config).hexdigest(),
    } in made["files"]


# The layouts take turns: what they do to names and values, other tests look at file by file.
SOURCES = of_kind(ZIP) + of_kind(TORCHSCRIPT)
TURNS = [
    pytest.param(source, layout, id=f"{label(source)}-{layout}")
    for source, layout in zip(SOURCES, itertools.cycle(["plain", "olmo"]))]


@pytest.mark.parametrize("source, layout", TURNS)
def test_a_conversion_is_the_same_and_so_is_its_manifest(source, layout, tmp_path):
    converted = tmp_path / (source.name.split(".")[0] + ".safetensors")
    convert(source, converted, "--layout", layout)
    made = make(source, tmp_path / "made.json")
    assert make(converted, tmp_path / "again.json") == made
    # What contains itself has no digest of its structure.
    structure = json.loads((tmp_path / "made.json").read_text())["files"][0]["structure"]
    assert (structure is None) == (source.stem == "recursive")
    for process, scope in (
        (against(converted, tmp_path / "made.json"), "names" if structure is None else "objects"),
        (run("verify", "--json", source, converted), "objects"),
    ):
        assert process.returncode == DONE, describe(process)
        found, = json.loads(process.stdout)["files"]
        assert found["scope"] == scope


def test_a_manifest_of_pt_files_holds_for_plain_safetensors(tmp_path):
    weights = {"a.b": torch.randn(3), "c": torch.randn(2, 2)}
    torch.save(weights, tmp_path / "model.pt")
    save_file(weights, tmp_path / "model.safetensors")
    make(tmp_path / "model.pt", tmp_path / "made.json")
    process = against(tmp_path / "model.safetensors", tmp_path / "made.json")
    assert process.returncode == DONE, describe(process)
    found, = json.loads(process.stdout)["files"]
    assert found["scope"] == "names"
    weights["c"][1, 1] = 0
    save_file(weights, tmp_path / "model.safetensors")
    process = against(tmp_path / "model.safetensors", tmp_path / "made.json")
    assert process.returncode == DIFFERENCE, describe(process)
    found, = json.loads(process.stdout)["files"]
    assert [(d["place"], d["kind"]) for d in found["differences"]] == [("c", "bytes")]


CHANGES = {
    "a bit": (lambda value: value["w"].view(torch.int16)[0].bitwise_xor_(1), {("w", "bytes")}),
    "a dtype": (lambda value: value.update(w=value["w"].half()), {("w", "dtype")}),
    "a shape": (lambda value: value.update(w=value["w"].reshape(2, 2)), {("w", "shape")}),
    "an int that becomes a bool": (lambda value: value.update(n=True), {("n", "value")}),
    "the sign of a zero": (lambda value: value.update(z=-0.0), {("z", "value")}),
    "a tensor that becomes a value": (lambda value: value.update(w=1), {("w", "type")}),
    "the order": (lambda value: value.update(w=value.pop("w")), {("w", "order")}),
    "a list that becomes a tuple": (
        lambda value: value.update(l=tuple(value["l"])), {("structure", "type")}),
    "an entry": (lambda value: value.pop("n"), {("n", "missing")}),
    "another entry": (lambda value: value.update(m=2), {("m", "extra")}),
    "a tie": (
        lambda value: value["l"].__setitem__(1, value["l"][0]), {("structure", "type")}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_one_change_is_found(change, tmp_path):
    def value():
        return {
            "w": torch.arange(4, dtype=torch.int16).view(torch.bfloat16), "n": 1, "z": 0.0,
            "l": [torch.ones(2), torch.ones(2)]}
    torch.save(value(), tmp_path / "a.pt")
    make(tmp_path / "a.pt", tmp_path / "made.json")
    edit, expected = CHANGES[change]
    changed = value()
    edit(changed)
    torch.save(changed, tmp_path / "a.pt")
    process = against(tmp_path / "a.pt", tmp_path / "made.json")
    assert process.returncode == DIFFERENCE, describe(process)
    found, = json.loads(process.stdout)["files"]
    assert {(d["place"], d["kind"]) for d in found["differences"]} == expected


def test_a_manifest_is_the_same_for_any_number_of_threads(tmp_path):
    source = checkpoints()[0]
    made = [make(source, tmp_path / f"{n}.json", "--threads", n) for n in ("1", "2", "7")]
    assert made[0] == made[1] == made[2]


def test_a_manifest_is_not_replaced_unless_told(tmp_path):
    output = tmp_path / "made.json"
    output.write_text("precious")
    torch.save({"a": 1}, tmp_path / "a.pt")
    process = run("verify", "--manifest", output, tmp_path / "a.pt")
    assert process.returncode == IO and output.read_text() == "precious", describe(process)
    make(tmp_path / "a.pt", output, "--force")


def test_files_that_a_manifest_names_must_be_there(tmp_path):
    directory = tmp_path / "step"
    subprocess.run(["cp", "-r", checkpoints()[0], directory], check=True)
    make(directory, tmp_path / "made.json")
    (directory / "config.yaml").unlink()
    (directory / "train.pt").unlink()
    process = against(directory, tmp_path / "made.json")
    assert process.returncode == DIFFERENCE, describe(process)
    found = json.loads(process.stdout)["differences"]
    assert [(d["place"], d["kind"]) for d in found] == [
        ("train", "missing"), ("config.yaml", "missing")]


WRONG = {
    "nothing": "", "another JSON text": "{}", "a later version": '{"ckptconv_manifest":2,"files":[]}',
    "a digest cut short": '{"ckptconv_manifest":1,"files":[{"name":"a","bytes":1,"sha256":"00"}]}',
    "an entry of nothing": '{"ckptconv_manifest":1,"files":[{"name":"a","entries":[{}]}]}',
    "a negative size": '{"ckptconv_manifest":1,"files":[{"name":"a","bytes":-1,"sha256":null}]}',
    "a huge size":
        '{"ckptconv_manifest":1,"files":[{"name":"a","bytes":18446744073709551615,"sha256":null}]}',
    "deep nesting": "[" * 100_000,
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_manifest_is_refused(wrong, tmp_path):
    torch.save({"a": 1}, tmp_path / "a.pt")
    (tmp_path / "made.json").write_text(WRONG[wrong])
    process = against(tmp_path / "a.pt", tmp_path / "made.json")
    assert process.returncode == DATA, describe(process)
    assert "made.json: " in process.stderr


def test_one_or_two_checkpoints_as_it_is_meant(tmp_path):
    torch.save({"a": 1}, tmp_path / "a.pt")
    a = tmp_path / "a.pt"
    for arguments in [a], [a, a, "--manifest", "m"], [a, a, "--against", "m"], [
            a, "--manifest", "m", "--against", "m"]:
        process = run("verify", *arguments)
        assert process.returncode == USAGE, describe(process)
