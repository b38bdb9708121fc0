"""`verify` finds any one difference between two files and names its place; equal ones are equal."""

import collections
import json
import os
import pathlib
import shutil

import pytest
import torch
from safetensors.torch import save_file

import tensors
from files import checkpoints, label
from program import DATA, DIFFERENCE, DONE, IO, convert, describe, run


def verify(first, second, expected=DONE, *flags):
    process = run("verify", "--json", first, second, *flags)
    assert process.returncode == expected, describe(process)
    return json.loads(process.stdout)


def differences(first, second):
    """What differs between two files: pairs of place and kind."""
    found, = verify(first, second, DIFFERENCE)["files"]
    assert found["difference_count"] == len(found["differences"])
    return {(d["place"], d["kind"]) for d in found["differences"]}


def value():
    """Something of everything that can differ."""
    torch.manual_seed(1)
    weight = torch.randn(6, 4)
    storage = torch.arange(12.0)
    return {
        "w": weight, "tied": weight, "view": weight.t(), "i": torch.arange(5),
        "half": torch.ones(3, dtype=torch.float16), "strided": storage[::3],
        "expanded": torch.ones(1).expand(1000, 1000),
        "grid": torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1),
        "c": torch.tensor([1 + 2j, 3 - 4j]), "flag": torch.tensor([True, False]),
        "conj": torch.tensor([1 + 2j, 3j]).conj(),
        "nested": {"lr": 0.1, "n": 1, "t": (1, 2), "l": [1, 2], "none": None, "s": "text", 5: 6,
                   "od": collections.OrderedDict(a=1), "big": 1 << 100, "b": b"xyz"},
    }


def flip(tensor, bit=0):
    """Flips one bit of a tensor's last element."""
    bytes_ = tensor.untyped_storage()
    place = (tensor.storage_offset() + sum(
        (size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride())))
    place *= tensor.element_size()
    bytes_[place] = bytes_[place] ^ 1 << bit


def assign(*path):
    *path, new = path
    def edit(value):
        for key in path[:-1]:
            value = value[key]
        value[path[-1]] = new
    return edit


def nan_payload(value):
    value["w"].view(torch.int32)[0, 0] = 0x7FC00001


CHANGES = {
    "a bit of a tensor": (
        lambda v: flip(v["i"]), {("i", "bytes")}),
    "a bit of a tied tensor and its view": (
        lambda v: flip(v["w"], 3), {("w", "bytes"), ("view", "bytes")}),
    "a bit of a half": (lambda v: flip(v["half"]), {("half", "bytes")}),
    "a bit of a strided tensor": (lambda v: flip(v["strided"]), {("strided", "bytes")}),
    "a bit of an expanded tensor": (lambda v: flip(v["expanded"]), {("expanded", "bytes")}),
    "a bit of a permuted tensor": (lambda v: flip(v["grid"]), {("grid", "bytes")}),
    "a bit of a complex tensor": (lambda v: flip(v["c"]), {("c", "bytes")}),
    "a bool": (lambda v: flip(v["flag"]), {("flag", "bytes")}),
    "a conjugated tensor": (lambda v: flip(v["conj"]), {("conj", "bytes")}),
    "a dtype of the same width": (
        lambda v: v.update(half=v["half"].view(torch.bfloat16)), {("half", "dtype")}),
    "a shape": (
        lambda v: v.update(i=v["i"][:4].clone()), {("i", "shape")}),
    "a dimension of one": (
        lambda v: v.update(i=v["i"][None]), {("i", "shape")}),
    "strides": (
        lambda v: v.update(grid=v["grid"].contiguous()), {("grid", "strides")}),
    "requires_grad": (
        lambda v: v["half"].requires_grad_(), {("half", "requires_grad")}),
    "a lazy conjugation": (
        lambda v: v.update(conj=v["conj"].resolve_conj()), {("conj", "sign")}),
    "a tie": (
        lambda v: v.update(tied=v["w"].clone()), {("tied", "sharing")}),
    "a missing entry": (lambda v: v.pop("i"), {("i", "missing")}),
    "an extra entry": (assign("more", 1), {("more", "extra")}),
    "a renamed entry": (
        lambda v: v.update(j=v.pop("i")), {("i", "missing"), ("j", "extra")}),
    "the order of entries": (lambda v: v.update(w=v.pop("w")), {("root", "order")}),
    "a float in its last bit": (
        assign("nested", "lr", float.fromhex("0x1.999999999999bp-4")), {("nested.lr", "value")}),
    "an int that becomes a bool": (assign("nested", "n", True), {("nested.n", "type")}),
    "an int that becomes a float": (assign("nested", "n", 1.0), {("nested.n", "type")}),
    "a tuple that becomes a list": (assign("nested", "t", [1, 2]), {("nested.t", "type")}),
    "a longer list": (assign("nested", "l", [1, 2, 3]), {("nested.l", "length")}),
    "an item of a list": (assign("nested", "l", [1, 3]), {("nested.l.1", "value")}),
    "None that becomes 0": (assign("nested", "none", 0), {("nested.none", "type")}),
    "a text": (assign("nested", "s", "Text"), {("nested.s", "value")}),
    "bytes that become a text": (assign("nested", "b", "xyz"), {("nested.b", "type")}),
    "a large int": (assign("nested", "big", -(1 << 100)), {("nested.big", "value")}),
    "a key that becomes a text": (
        lambda v: v["nested"].update({"5": v["nested"].pop(5)}),
        {("nested.5", "missing"), ("nested.5", "extra")}),
    "an OrderedDict that becomes a dict": (assign("nested", "od", {"a": 1}), {("nested.od", "type")}),
    "the payload of a NaN": (nan_payload, {("w", "bytes"), ("view", "bytes")}),
}


@pytest.mark.parametrize("form", ["pt", "plain", "olmo"])
@pytest.mark.parametrize("change", CHANGES)
def test_one_change_is_found_and_named(change, form, tmp_path):
    edit, expected = CHANGES[change]
    original, changed = value(), value()
    if change == "the payload of a NaN":
        original["w"][0, 0] = float("nan")
    edit(changed)
    torch.save(original, tmp_path / "a.pt")
    torch.save(changed, tmp_path / "b.pt")
    second = tmp_path / "b.pt"
    if form != "pt":
        second = convert(second, tmp_path / "b.safetensors", "--layout", form)
    assert differences(tmp_path / "a.pt", second) == expected
    verify(tmp_path / "a.pt", tmp_path / "a.pt")


def test_signed_zeros_are_told_apart(tmp_path):
    torch.save({"t": torch.tensor([0.0, 0.0]), "f": 0.0}, tmp_path / "a.pt")
    torch.save({"t": torch.tensor([0.0, -0.0]), "f": -0.0}, tmp_path / "b.pt")
    found, = verify(tmp_path / "a.pt", tmp_path / "b.pt", DIFFERENCE)["files"]
    assert [(d["place"], d["first"], d["second"]) for d in found["differences"]] == [
        ("f", "0.0", "-0.0"), ("t", "element [1] is 0.0 (0x00000000)", "-0.0 (0x80000000)")]


@pytest.mark.parametrize("dtype", tensors.DTYPES, ids=tensors.short_name)
def test_the_first_element_that_differs_is_shown(dtype, tmp_path):
    size = dtype.itemsize
    data = torch.zeros(24 * size, dtype=torch.uint8)
    save_file({"t": data.view(dtype).reshape(2, 3, 4)}, tmp_path / "a.safetensors")
    data[(1 * 12 + 2 * 4 + 3) * size] = 1
    data[23 * size:] = 1
    save_file({"t": data.view(dtype).reshape(2, 3, 4)}, tmp_path / "b.safetensors")
    found, = verify(tmp_path / "a.safetensors", tmp_path / "b.safetensors", DIFFERENCE)["files"]
    difference, = found["differences"]
    assert difference["first"].startswith("element [1, 2, 3] is "), difference
    assert (size == 1) != difference["second"].endswith(f"; {size} bytes differ"), difference


def test_elements_in_other_orders_are_shown_by_their_indices(tmp_path):
    base = torch.arange(24.0).reshape(2, 3, 4)
    for name, change in ("a", False), ("b", True):
        grid, step = base.permute(2, 0, 1).clone(memory_format=torch.preserve_format), base.clone()
        if change:
            grid[3, 1, 2] = -1
            step[1, 2, 2] = -1
        torch.save({"grid": grid, "step": step[:, ::2, ::2]}, tmp_path / f"{name}.pt")
    found, = verify(tmp_path / "a.pt", tmp_path / "b.pt", DIFFERENCE)["files"]
    assert {d["place"]: d["first"].split(" is ")[0] for d in found["differences"]} == {
        "grid": "element [3, 1, 2]", "step": "element [1, 1, 1]"}


@pytest.mark.parametrize("directory", checkpoints(), ids=label)
def test_whole_directories(directory, tmp_path):
    converted = convert(directory, tmp_path / "out", "--train")
    report = verify(directory, converted)
    assert [pathlib.Path(file["second"]).name for file in report["files"]] == sorted(
        os.listdir(converted), key=lambda name: (name == "config.yaml", name))
    config = (converted / "config.yaml").read_bytes()
    (converted / "config.yaml").write_bytes(config[:-1] + b"!")
    (converted / "train.safetensors").unlink()
    report = verify(directory, converted, DIFFERENCE)
    assert [(d["place"], d["kind"]) for d in report["differences"]] == [("train", "missing")]
    assert [
        (d["place"], d["kind"]) for file in report["files"] for d in file["differences"]
    ] == [("config.yaml", "bytes")]
    (converted / "config.yaml").unlink()
    report = verify(converted, directory, DIFFERENCE)
    assert [(d["place"], d["kind"]) for d in report["differences"]] == [
        ("train", "extra"), ("config.yaml", "extra")]


def shards(folder, parts, suffix="safetensors"):
    """Writes a checkpoint in several files as transformers does."""
    folder.mkdir()
    names = {}
    for number, part in enumerate(parts, 1):
        name = f"model-{number:05}-of-{len(parts):05}.{suffix}"
        if suffix == "bin":
            torch.save(part, folder / name)
        else:
            save_file(part, folder / name, {"format": "pt"})
        names.update(dict.fromkeys(part, name))
    stem = "pytorch_model.bin" if suffix == "bin" else "model.safetensors"
    index = {"metadata": {}, "weight_map": dict(sorted(names.items()))}
    (folder / f"{stem}.index.json").write_text(json.dumps(index))
    (folder / "config.json").write_text("{}")
    return folder


def test_shards_make_no_difference(tmp_path):
    weights = {f"layers.{n}.weight": torch.randn(4, 3) for n in range(6)}
    parts = [dict(list(weights.items())[n:n + 2]) for n in (0, 2, 4)]
    whole, other = tmp_path / "model.safetensors", tmp_path / "model.pt"
    save_file(weights, whole)
    torch.save(weights, other)
    three = shards(tmp_path / "three", parts)
    two = shards(tmp_path / "two", [parts[2] | parts[0], parts[1]], "bin")
    for pair in [three, whole], [whole, three], [other, three / "model.safetensors.index.json"], [
            three, two], [two, other]:
        report = verify(*pair)
        assert sum(file["tensors"] for file in report["files"]) == 6, pair
    parts[1]["layers.3.weight"][2, 1] += 1
    changed = shards(tmp_path / "changed", parts)
    report = verify(two, changed, DIFFERENCE)
    assert [(d["place"], d["kind"]) for d in report["files"][0]["differences"]] == [
        ("layers.3.weight", "bytes")]


def test_tied_names_of_flat_files(tmp_path):
    weight = torch.randn(3)
    torch.save({"a": weight, "b": weight}, tmp_path / "a.pt")
    alias = convert(tmp_path / "a.pt", tmp_path / "alias", "--no-skeleton")
    copy = convert(tmp_path / "a.pt", tmp_path / "copy", "--no-skeleton", "--tied", "copy")
    for pair in [tmp_path / "a.pt", alias], [alias, copy], [copy, tmp_path / "a.pt"]:
        verify(*pair)


def test_many_differences_are_counted(tmp_path):
    torch.save({str(n): torch.full((2,), n) for n in range(100)}, tmp_path / "a.pt")
    torch.save({str(n): torch.full((2,), n + 1) for n in range(100)}, tmp_path / "b.pt")
    found, = verify(tmp_path / "a.pt", tmp_path / "b.pt", DIFFERENCE)["files"]
    assert found["difference_count"] == 100 and len(found["differences"]) == 20
    process = run("verify", tmp_path / "a.pt", tmp_path / "b.pt")
    assert "and 80 more" in process.stdout, describe(process)


@pytest.mark.parametrize("damaged", ["a.pt", "b.pt"])
def test_damage_is_told_from_a_difference(damaged, tmp_path):
    for name in "a.pt", "b.pt":
        torch.save({"t": torch.arange(1000.0)}, tmp_path / name)
    data = bytearray((tmp_path / damaged).read_bytes())
    data[2000] ^= 1
    (tmp_path / damaged).write_bytes(data)
    process = run("verify", tmp_path / "a.pt", tmp_path / "b.pt")
    assert process.returncode == DATA, describe(process)
    assert f"{damaged}: " in process.stderr and "CRC-32" in process.stderr, describe(process)


def test_what_cannot_be_read(tmp_path):
    torch.save({"t": 1}, tmp_path / "a.pt")
    (tmp_path / "text").write_text("hello")
    for other, code in ("missing", IO), ("text", DATA):
        for pair in ["a.pt", other], [other, "a.pt"]:
            process = run("verify", *(tmp_path / name for name in pair))
            assert process.returncode == code, describe(process)


def test_one_bad_file_does_not_keep_the_others_from_being_compared(tmp_path):
    directory = checkpoints()[0]
    shutil.copytree(directory, tmp_path / "step")
    (tmp_path / "step/optim.pt").write_bytes(b"")
    report = verify(directory, tmp_path / "step", DATA)
    assert [failure["code"] for failure in report["failures"]] == ["truncated"]
    assert "config.yaml" in [pathlib.Path(file["first"]).name for file in report["files"]]
    assert not report["same"]


def test_quiet_says_nothing_of_what_is_the_same(tmp_path):
    torch.save({"t": 1}, tmp_path / "a.pt")
    process = run("verify", "-q", tmp_path / "a.pt", tmp_path / "a.pt")
    assert (process.returncode, process.stdout, process.stderr) == (DONE, "", ""), describe(process)


def test_a_tensor_that_repeats_without_end(tmp_path):
    big = torch.ones(2).as_strided((1 << 20, 1 << 20, 2), (0, 0, 1))
    torch.save({"t": big}, tmp_path / "a.pt")
    verify(tmp_path / "a.pt", tmp_path / "a.pt")
    row = torch.zeros(1 << 20, dtype=torch.uint8)
    for name, strides in ("b", (0, 1)), ("c", (1, 0)):
        torch.save({"t": row.as_strided((1 << 20, 1 << 20), strides)}, tmp_path / f"{name}.pt")
    process = run("verify", tmp_path / "b.pt", tmp_path / "c.pt")
    assert process.returncode == DATA, describe(process)
    assert "repeats" in process.stderr
    process = run("verify", "--manifest", tmp_path / "m", tmp_path / "a.pt")
    assert process.returncode == DATA and not (tmp_path / "m").exists(), describe(process)
