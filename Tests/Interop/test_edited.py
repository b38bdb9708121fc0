"""What was changed with the safetensors library comes back changed, and is named."""

import base64
import json
import zlib

import pytest
import safetensors
import safetensors.torch
import torch

from comparison import assert_same
from program import DATA, DONE, bring_back, convert, describe, refuse, run

SKELETON = "ckptconv.skeleton"


def original():
    tied = torch.arange(6.0).reshape(2, 3)
    return {
        "model": {"w": torch.arange(12.0).reshape(3, 4), "b": torch.ones(4), "tied": tied},
        "head": tied, "turned": torch.arange(6).reshape(2, 3).t(), "lr": 0.125, "steps": [1, 2],
        "parameter": torch.nn.Parameter(torch.ones(2)), "list": [torch.zeros(2), torch.ones(1)],
    }


def edited(change, tmp_path, *flags):
    """The file after `change` of its tensors, its metadata kept as a careful editor would."""
    source, file = tmp_path / "source.pt", tmp_path / "edited.safetensors"
    torch.save(original(), source)
    convert(source, file, *flags)
    with safetensors.safe_open(file, "pt") as opened:
        metadata = opened.metadata()
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}
    change(tensors)
    file.unlink()
    safetensors.torch.save_file(tensors, file, metadata)
    return file


def returned(change, tmp_path, *flags):
    """The object that comes back and what was said."""
    file, output = edited(change, tmp_path, *flags), tmp_path / "model.pt"
    process = run("safetensors-to-pt", file, "-o", output)
    assert process.returncode == DONE, describe(process)
    return torch.load(output, weights_only=False), process.stderr


def test_values_alone_change_silently(tmp_path):
    def change(tensors):
        tensors["model.w"] *= 2

    found, said = returned(change, tmp_path)
    expected = original()
    expected["model"]["w"] *= 2
    assert_same(expected, found, "changed values")
    assert "warning" not in said, said


def test_a_tensor_that_was_added(tmp_path):
    def change(tensors):
        tensors["model.new"] = torch.full((2, 2), 7.0)

    found, said = returned(change, tmp_path)
    expected = original()
    expected["model"]["new"] = torch.full((2, 2), 7.0)
    assert_same(expected, found, "added")
    assert "'model.new' was added after the skeleton was written" in said, said


def test_a_tensor_that_was_removed(tmp_path):
    found, said = returned(lambda tensors: tensors.pop("model.b"), tmp_path)
    expected = original()
    del expected["model"]["b"]
    assert_same(expected, found, "removed")
    assert "'model.b' was removed after the skeleton was written" in said, said


CHANGES = {
    "reshaped": lambda tensor: tensor.reshape(2, 6),
    "grown": lambda tensor: torch.arange(40.0).reshape(10, 4),
    "emptied": lambda tensor: torch.empty(0, 4),
    "scalar": lambda tensor: torch.tensor(3.5),
    "double": lambda tensor: tensor.double(),
    "bfloat16": lambda tensor: tensor.bfloat16(),
    "complex": lambda tensor: tensor.to(torch.complex64),
    "float8": lambda tensor: tensor.to(torch.float8_e4m3fn),
    "uint16": lambda tensor: tensor.to(torch.uint16),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_tensor_of_another_shape_or_type(change, tmp_path):
    def replace(tensors):
        tensors["model.w"] = change(tensors["model.w"])

    found, said = returned(replace, tmp_path)
    expected = original()
    expected["model"]["w"] = change(expected["model"]["w"]).clone()
    assert_same(expected, found, "changed")
    assert "'model.w' was float32 [3, 4] when the skeleton was written" in said, said
    torch.load(tmp_path / "model.pt", weights_only=True)


def test_a_tensor_that_was_renamed(tmp_path):
    def change(tensors):
        tensors["model.weight"] = tensors.pop("model.w")

    found, said = returned(change, tmp_path)
    expected = original()
    expected["model"]["weight"] = expected["model"].pop("w")
    assert_same(expected, found, "renamed")
    assert "'model.w' was removed" in said and "'model.weight' was added" in said, said


def test_a_tied_tensor_that_changed_its_shape_stays_tied(tmp_path):
    def change(tensors):
        name = "head" if "head" in tensors else "model.tied"
        tensors[name] = torch.arange(8.0).reshape(4, 2)

    found, said = returned(change, tmp_path)
    assert found["head"].untyped_storage()._cdata == found["model"]["tied"].untyped_storage()._cdata
    assert_same(torch.arange(8.0).reshape(4, 2), found["head"].clone(), "tied")
    assert "when the skeleton was written" in said, said


def test_copies_of_a_tied_tensor_that_differ_now_are_refused(tmp_path):
    def change(tensors):
        tensors["head"] = tensors["head"].clone() + 1

    def shape(tensors):
        tensors["head"] = tensors["head"].clone().reshape(3, 2)

    for number, edit in enumerate((change, shape)):
        folder = tmp_path / str(number)
        folder.mkdir()
        file = edited(edit, folder, "--tied", "copy")
        output = folder / "output"
        output.mkdir()
        message = refuse(file, output / "model.pt", command="safetensors-to-pt")
        assert "head" in message and "model.tied" in message, message


def test_a_parameter_keeps_being_one(tmp_path):
    def change(tensors):
        tensors["parameter"] = torch.arange(5.0)

    found, _ = returned(change, tmp_path)
    assert isinstance(found["parameter"], torch.nn.Parameter)
    assert found["parameter"].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("name", ["list.0", "parameter"])
def test_what_cannot_do_without_its_tensor_is_refused(name, tmp_path):
    file = edited(lambda tensors: tensors.pop(name), tmp_path)
    output = tmp_path / "output"
    output.mkdir()
    process = run("safetensors-to-pt", file, "-o", output / "model.pt")
    if process.returncode == DONE:
        found = torch.load(output / "model.pt", weights_only=False)
        assert name not in found and name in process.stderr, describe(process)
    else:
        assert process.returncode == DATA and name in process.stderr, describe(process)
        assert not list(output.iterdir())


def test_edits_in_layout_olmo(tmp_path):
    import olmo_files
    from olmo.safetensors_util import encode_key

    source, file = tmp_path / "source.pt", tmp_path / "edited.safetensors"
    torch.save(original(), source)
    convert(source, file, "--layout", "olmo")
    with safetensors.safe_open(file, "pt") as opened:
        metadata = opened.metadata()
        named = {olmo_files.decode_key(name).keys: name for name in opened.keys()}
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}
    del tensors[named["model", "b"]]
    tensors[named["model", "w"]] = torch.ones(2)
    added = type(olmo_files.decode_key(named["model", "w"]))(keys=("model", "x"), value_is_pickled=False)
    tensors[encode_key(added)] = torch.zeros(1)
    safetensors.torch.save_file(tensors, file, metadata)
    process = run("safetensors-to-pt", file, "-o", tmp_path / "model.pt")
    assert process.returncode == DONE, describe(process)
    expected = original()
    del expected["model"]["b"]
    expected["model"] |= {"w": torch.ones(2), "x": torch.zeros(1)}
    assert_same(expected, torch.load(tmp_path / "model.pt", weights_only=False), "edited")
    for name in ("model.b", "model.w", "model.x"):
        assert f"'{name}'" in process.stderr, process.stderr


# MARK: Skeletons that are broken or lie


def with_skeleton(tmp_path, change):
    """A file whose skeleton went through `change`, and a folder for what must not appear."""
    source, file = tmp_path / "source.pt", tmp_path / "model.safetensors"
    torch.save(original(), source)
    convert(source, file)
    with safetensors.safe_open(file, "pt") as opened:
        metadata = opened.metadata()
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}
    changed = change(metadata[SKELETON])
    metadata[SKELETON] = changed if isinstance(changed, str) else json.dumps(changed)
    safetensors.torch.save_file(tensors, file, metadata)
    folder = tmp_path / "output"
    folder.mkdir()
    return file, folder / "model.pt"


def patched(**members):
    return lambda text: json.loads(text) | members


def patched_source(**members):
    return lambda text: json.loads(text) | {"source": json.loads(text)["source"] | members}


def patched_record(found, *instead):
    """Puts records in the place of one that begins with `found`."""
    def change(text):
        document = json.loads(text)
        records = document["source"]["records"]
        place = next(number for number, record in enumerate(records) if record[0] == found)
        records[place:place + 1] = instead
        return document
    return change


def patched_form(place, value):
    def change(text):
        document = json.loads(text)
        for form in document["forms"]:
            form[place] = value
        return document
    return change


def packed(text, **members):
    """A text as long skeletons are written."""
    stream = zlib.compressobj(wbits=-15)
    content = stream.compress(text.encode()) + stream.flush()
    packing = {"skeleton": 2, "bytes": len(text), "deflate": base64.b64encode(content).decode()}
    return json.dumps(packing | members)


LIES = {
    "not JSON": lambda text: text[:-1],
    "an empty text": lambda text: "",
    "a later version": patched(skeleton=3),
    "a layout nobody knows": patched(layout="other"),
    "a root that is no node": patched(root=[10**6]),
    "nodes that are none": patched(nodes=[["thing"]]),
    "no nodes": patched(nodes=[]),
    "no forms": patched(forms=[]),
    "a tensor without a name": lambda text: text.replace('"w",["tensor",0', '"w",["tensor",null'),
    "a negative shape": patched_form(6, [-1]),
    "a storage that is smaller than its tensor": patched_form(4, 1),
    "a negative storage": patched_record(0, ["data/0", -4]),
    "storages that are missing": patched_record(0, ["data/99", 48]),
    "a storage that is too small": patched_record(0, ["data/0", 44], [1, 6]),
    "a storage larger than any disk": patched_record(0, ["data/0", 2**62], [1, 6]),
    "more storages than there are tensors": patched_record(0, [0, 10**9]),
    "a directory that leads elsewhere": patched_source(prefix="../elsewhere"),
    "an absolute directory": patched_source(prefix="/etc"),
    "a record that leads elsewhere": patched_record("version", ["../../version", "Mwo="]),
    "a record twice": patched_record("byteorder", ["version", "Mwo="]),
    "a pickle protocol nobody knows": patched_source(protocol=9),
    "compressed, with more bytes than there are": lambda text: packed(text, bytes=len(text) + 1),
    "compressed, with fewer bytes than there are": lambda text: packed(text, bytes=len(text) - 1),
    "compressed twice": lambda text: packed(packed(text)),
}


def test_a_skeleton_that_another_program_compressed_is_read(tmp_path):
    file, output = with_skeleton(tmp_path, packed)
    bring_back(file, output)
    assert_same(original(), torch.load(output, weights_only=False), "compressed")


@pytest.mark.parametrize("change", LIES.values(), ids=LIES)
def test_a_skeleton_that_lies_is_refused(change, tmp_path):
    file, output = with_skeleton(tmp_path, change)
    process = run("safetensors-to-pt", file, "-o", output)
    assert process.returncode in (DATA, 74), describe(process)
    assert "model.safetensors" in process.stderr, describe(process)
    assert not list(output.parent.iterdir()), describe(process)
    # The tensors can be had all the same.
    process = run("safetensors-to-pt", file, "-o", output, "--ignore-skeleton")
    assert process.returncode == DONE, describe(process)
    assert_same(original()["model"]["w"], torch.load(output)["model.w"], "the tensors")


def test_a_skeleton_of_other_tensors_names_all_that_differ(tmp_path):
    def change(tensors):
        tensors.clear()
        tensors["other"] = torch.ones(3)

    file = edited(change, tmp_path)
    output = tmp_path / "output"
    output.mkdir()
    message = refuse(file, output / "model.pt", command="safetensors-to-pt")
    assert "--ignore-skeleton" in message, message
