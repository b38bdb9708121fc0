"""`roundtrip` says of every file what really converting it there and back would show."""

import itertools
import json
import shutil

import pytest
import torch
from safetensors.torch import save_file

import safetensors_file
from files import LEGACY, TORCHSCRIPT, ZIP, checkpoints, label, of_kind
from program import DATA, DIFFERENCE, DONE, convert, describe, run


def roundtrip(path, expected=DONE, *flags):
    process = run("roundtrip", "--json", path, *flags)
    assert process.returncode == expected, describe(process)
    return json.loads(process.stdout)["files"]


def back(source, output, *flags):
    process = run("safetensors-to-pt", "-q", source, "-o", output, *flags)
    assert process.returncode == DONE, describe(process)
    return output


# The layouts take turns: each file goes one way here, and both ways in the tests of identity.
SOURCES = of_kind(ZIP) + of_kind(TORCHSCRIPT) + of_kind(LEGACY)
TURNS = [
    pytest.param(source, layout, id=f"{label(source)}-{layout}")
    for source, layout in zip(SOURCES, itertools.cycle(["olmo", "plain"]))]


@pytest.mark.parametrize("source, layout", TURNS)
def test_the_verdict_is_what_converting_shows(source, layout, tmp_path):
    process = run("roundtrip", "--json", "--layout", layout, source)
    found, = json.loads(process.stdout)["files"]
    there = convert(source, tmp_path / "there", "--layout", layout)
    returned = back(there, tmp_path / "back").read_bytes()
    original = source.read_bytes()
    assert found["returned_bytes"] == len(returned)
    assert (found["verdict"] == "identical") == (returned == original), describe(process)
    assert found["verdict"] != "different", describe(process)
    if len(returned) == len(original):
        differing = sum(left != right for left, right in zip(original, returned))
        assert found["differing_bytes"] == differing, describe(process)
    assert process.returncode == (DIFFERENCE if found["lost_bytes"] else DONE), describe(process)
    assert bool(found["reasons"]) == (returned != original), describe(process)


def weights():
    torch.manual_seed(1)
    return {
        "w": torch.randn(64, 80), "b": torch.randn(7), "n": torch.arange(3),
        # Bytes that look like a record of an archive to the writer of torch's hash.
        "mark": torch.frombuffer(bytearray(b"PK\x07\x08abcdefgh" * 1000), dtype=torch.uint8)}


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"b": "2", "a": "é\n"}])
def test_what_the_reference_library_wrote_comes_back(metadata, tmp_path):
    save_file(weights(), tmp_path / "model.safetensors", metadata)
    found, = roundtrip(tmp_path / "model.safetensors")
    # The two commands give a file without metadata a skeleton.
    assert found["verdict"] == ("identical" if metadata else "same_object"), found
    assert (found["format"], found["layout"]) == ("torch", "plain")


def test_what_ckptconv_wrote_comes_back(tmp_path):
    weight = torch.randn(70, 80)
    value = {"w": weight, "t": weight.t(), "rows": weight[10:], "lr": 0.1, **weights()}
    torch.save(value, tmp_path / "model.pt")
    for flags in [], ["--tied", "copy"], ["--layout", "olmo"]:
        converted = convert(tmp_path / "model.pt", tmp_path / "converted", *flags)
        found, = roundtrip(converted)
        assert found["verdict"] == "identical", (flags, found)
        converted.unlink()


def test_bytes_that_no_tensor_reaches_are_named(tmp_path):
    storage = torch.arange(5000.0)
    storage[2000:3000] = 0
    torch.save({"a": storage[:1000], "b": storage[4000:]}, tmp_path / "model.pt")
    found, = roundtrip(tmp_path / "model.pt", DIFFERENCE)
    assert found["verdict"] == "same_object"
    assert found["reasons"][0] == (
        "'model/data/0' has unused bytes 4000..<16000; they become zeros")
    # Some bytes of the lost numbers are zero themselves.
    lost = storage[1000:4000].numpy().tobytes()
    assert found["lost_bytes"] == sum(byte != 0 for byte in lost)
    storage[1000:4000] = 0
    torch.save({"a": storage[:1000], "b": storage[4000:]}, tmp_path / "model.pt")
    assert roundtrip(tmp_path / "model.pt")[0]["verdict"] == "identical"


def test_another_spelling_is_the_same_object(tmp_path):
    tensors = {"b": torch.randn(2000), "a": torch.randn(3)}
    path = tmp_path / "model.safetensors"
    header = json.dumps({
        "b": {"dtype": "F32", "shape": [2000], "data_offsets": [0, 8000]},
        "a": {"dtype": "F32", "shape": [3], "data_offsets": [8000, 8012]}}, indent=1).encode()
    path.write_bytes(
        len(header).to_bytes(8, "little") + header + tensors["b"].numpy().tobytes()
        + tensors["a"].numpy().tobytes())
    found, = roundtrip(path)
    assert found["verdict"] == "same_object" and found["lost_bytes"] == 0
    assert any("skeleton" in reason for reason in found["reasons"]), found


@pytest.mark.parametrize("directory", checkpoints(), ids=label)
def test_directories(directory, tmp_path):
    states = [name for name in ("model.pt", "optim.pt") if (directory / name).exists()]
    found = roundtrip(directory)
    assert [file["path"] for file in found] == [str(directory / name) for name in states]
    assert {(file["verdict"], file["layout"]) for file in found} == {("identical", "olmo")}
    converted = convert(directory, tmp_path / "converted")
    assert {file["verdict"] for file in roundtrip(converted)} == {"identical"}


def test_an_index_stands_for_its_shards(tmp_path):
    names = {}
    for number in "12":
        save_file({f"t{number}": torch.randn(2000)}, tmp_path / f"{number}.safetensors")
        names[f"t{number}"] = f"{number}.safetensors"
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": names}))
    for path in tmp_path, index:
        found = roundtrip(path)
        assert [file["path"][-13:] for file in found] == ["1.safetensors", "2.safetensors"]
        assert {file["verdict"] for file in found} == {"same_object"}


def test_damage_is_told_and_other_files_go_on(tmp_path):
    torch.save({"t": torch.arange(5000.0)}, tmp_path / "good.pt")
    data = bytearray((tmp_path / "good.pt").read_bytes())
    data[9000] ^= 1
    (tmp_path / "bad.pt").write_bytes(data)
    process = run("roundtrip", "--json", tmp_path / "bad.pt", tmp_path / "good.pt")
    assert process.returncode == DATA, describe(process)
    report = json.loads(process.stdout)
    assert [failure["code"] for failure in report["failures"]] == ["checksumMismatch"]
    assert [file["verdict"] for file in report["files"]] == ["identical"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.pt", "good.pt"]


@pytest.mark.parametrize("directory", checkpoints()[:1], ids=label)
def test_conversions_verify_themselves_and_write_manifests(directory, tmp_path):
    there = convert(directory, tmp_path / "there", "--verify", "--manifest", tmp_path / "m.json")
    again = back(there, tmp_path / "again", "--verify")
    process = run("verify", "--against", tmp_path / "m.json", again)
    assert process.returncode == DONE, describe(process)
    shutil.rmtree(there)
    process = run(
        "pt-to-safetensors", directory, "-o", there, "--verify", "--manifest", tmp_path / "m.json")
    assert process.returncode != DONE and not there.exists(), describe(process)


def test_a_file_without_skeleton_is_verified_as_well(tmp_path):
    torch.save({**weights(), "lr": 1}, tmp_path / "model.pt")
    output = convert(
        tmp_path / "model.pt", tmp_path / "out", "--verify", "--no-skeleton", "--allow-loss")
    assert set(safetensors_file.read(output).tensors) == set(weights())
