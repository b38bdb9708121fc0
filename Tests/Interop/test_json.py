"""`--json` has the keys and types that `Documentation/json.md` lists, and no others."""

import json
import pathlib
import re

import pytest
import torch
from safetensors.torch import save_file

from files import TORCHSCRIPT, ZIP, checkpoints, label, of_kind
from program import DATA, DIFFERENCE, DONE, FIXTURES, IO, ROOT, USAGE, convert, describe, run

PAGE = (ROOT / "Documentation/json.md").read_text()

TYPES = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "array of string": lambda value: all(isinstance(item, str) for item in value),
    "array of integer": lambda value: all(type(item) is int for item in value),
    "null": lambda value: value is None,
    "any": lambda value: True,
}


def table(heading):
    """The keys below a heading of the page, each with the types that it may have."""
    section = re.split(r"^##", PAGE.split(f"\n### {heading}\n")[1], flags=re.MULTILINE)[0]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section, re.MULTILINE)
    return {key: re.split(r",? or ", types.strip()) for key, types in rows}


def assert_documented(found, heading):
    keys = table(heading)
    assert not set(found) - set(keys), f"{heading}: keys that the page does not list"
    for key, types in keys.items():
        if key not in found:
            assert "absent" in types, f"{heading}: {key!r} is missing"
            continue
        allowed = [TYPES[name] for name in types if name != "absent"]
        assert any(check(found[key]) for check in allowed), f"{heading}: {key!r}: {found[key]!r}"


def assert_inspection(found, container):
    assert_documented(found, "File")
    assert_documented(found["container"], container)
    assert_documented(found["totals"], "Totals")
    for total in found["totals"]["dtypes"]:
        assert_documented(total, "Totals of a dtype")
    assert_documented(found["facts"], "Facts")
    summary = found.get("summary")
    if summary:
        assert_documented(summary, "Summary")
    for facts in [found["facts"], summary or {}]:
        if facts.get("optimizer"):
            assert_documented(facts["optimizer"], "Optimizer")
    for tensor in found["tensors"]:
        assert_documented(tensor, "Tensor")
        if tensor["place"]:
            assert_documented(tensor["place"], "Place of a tensor")
    for value in found["values"]:
        assert_documented(value, "Value")


@pytest.mark.parametrize("source", of_kind(ZIP) + of_kind(TORCHSCRIPT), ids=label)
def test_inspecting_a_torch_file(source):
    process = run("inspect", "--json", source)
    assert process.returncode == DONE, describe(process)
    assert_inspection(json.loads(process.stdout), "Container of a `.pt` file")


def test_messages_for_programs(tmp_path, monkeypatch):
    cut = tmp_path / "cut.pt"
    cut.write_bytes((FIXTURES / "plain/views.pt").read_bytes()[:2000])
    monkeypatch.setenv("CKPTCONV_MESSAGES", "json")
    process = run(
        "inspect", "--drop-unsafe", cut, tmp_path / "absent",
        FIXTURES / "broken/malicious-train-pt/train.pt")
    assert process.returncode == IO, describe(process)
    messages = [json.loads(line) for line in process.stderr.splitlines()]
    for message in messages:
        assert_documented(message, "Message")
    assert [(m["level"], m["code"]) for m in messages] == [
        ("error", "truncated"), ("error", "inputOutput"), ("warning", None)]
    assert [m["path"][:1] for m in messages] == [[str(cut)], [str(tmp_path / "absent")], []]
    process = run("inspect")
    assert process.returncode == USAGE, describe(process)
    message = json.loads(process.stderr)
    assert_documented(message, "Message")
    assert message["code"] == "usage"


@pytest.mark.parametrize("layout", ["plain", "olmo"])
@pytest.mark.parametrize("directory", checkpoints(), ids=label)
def test_inspecting_a_safetensors_file(directory, layout, tmp_path):
    output = convert(directory, tmp_path / "output", "--layout", layout, "--train")
    process = run("inspect", "--json", output)
    assert process.returncode == DONE, describe(process)
    for line in process.stdout.splitlines():
        found = json.loads(line)
        assert_inspection(found, "Container of a safetensors file")
        assert found["container"]["layout"] == layout, found["path"]


def test_inspecting_shards(tmp_path):
    for number in "12":
        save_file({f"t{number}": torch.zeros(3)}, tmp_path / f"{number}.safetensors", {"format": "pt"})
    index = tmp_path / "model.safetensors.index.json"
    for metadata in {"total_size": 24}, {}:
        names = {f"t{number}": f"{number}.safetensors" for number in "12"}
        index.write_text(json.dumps({"metadata": metadata, "weight_map": names}))
        for path in index, tmp_path:
            process = run("inspect", "--json", path)
            assert process.returncode == DONE, describe(process)
            found = json.loads(process.stdout)
            assert_inspection(found, "Container of a checkpoint in several files")
            for shard in found["container"]["shards"]:
                assert_documented(shard, "Shard")
            assert [tensor["name"] for tensor in found["tensors"]] == ["t1", "t2"]


@pytest.mark.parametrize("source", [
    FIXTURES / "broken/malicious-train-pt/train.pt", FIXTURES / "plain/whole-module.pt",
    FIXTURES / "plain/legacy-nonzip.pt"], ids=label)
def test_scanning(source):
    found = json.loads(run("scan", "--json", source).stdout)
    assert_documented(found, "Scan")
    assert_documented(found["totals"], "Totals of a scan")
    for finding in found["findings"]:
        assert_documented(finding, "Finding")
        if finding["global"]:
            assert_documented(finding["global"], "Global")


def test_how_checkpoints_differ():
    first, second = FIXTURES / "plain/opt-sgd.pt", FIXTURES / "plain/opt-adagrad.pt"
    process = run("diff", "--json", first, second)
    assert process.returncode == DIFFERENCE, describe(process)
    found = json.loads(process.stdout)
    assert_documented(found, "Diff")
    for file in found["files"]:
        assert_documented(file, "Compared files")
        assert file["tensors"]
        for tensor in file["tensors"]:
            assert_documented(tensor, "Differing tensor")
            for key in ("max_abs", "max_rel"):
                if tensor[key]:
                    assert_documented(tensor[key], "Largest difference")


def test_reporting_conversions(tmp_path):
    cut = tmp_path / "cut.pt"
    cut.write_bytes((FIXTURES / "plain/proto4.pt").read_bytes()[:1000])
    taken = tmp_path / "output" / "views.safetensors"
    taken.parent.mkdir()
    taken.write_bytes(b"")
    process = run(
        "pt-to-safetensors", "--json", cut, FIXTURES / "olmo2-fsdp/step6-unsharded",
        FIXTURES / "plain/views.pt", FIXTURES / "plain/state_dict-tied.pt", "-o", taken.parent)
    assert process.returncode == IO, describe(process)
    report = json.loads(process.stdout)
    assert_documented(report, "Report")
    for output in report["outputs"]:
        assert_documented(output, "Output")
    for failure in report["failures"]:
        assert_documented(failure, "Failure")
    assert [output["layout"] for output in report["outputs"]] == [
        "olmo", "olmo", None, None, "plain"]
    assert [failure["code"] for failure in report["failures"]] == ["truncated", "inputOutput"]


def assert_verification(found):
    assert_documented(found, "Verification")
    for file in found["files"]:
        assert_documented(file, "Compared file")
    for difference in found["differences"] + [d for f in found["files"] for d in f["differences"]]:
        assert_documented(difference, "Difference")
    for failure in found["failures"]:
        assert_documented(failure, "Failure")


def test_verifying(tmp_path):
    steps = [FIXTURES / "olmo2-fsdp/step6-unsharded", FIXTURES / "olmo1-lionw-fsdp/step6-unsharded"]
    process = run("verify", "--json", *steps)
    assert process.returncode == DIFFERENCE, describe(process)
    assert_verification(json.loads(process.stdout))
    process = run("verify", "--json", "--manifest", tmp_path / "made", steps[0])
    assert process.returncode == DONE, describe(process)
    assert_documented(json.loads(process.stdout), "Manifest written")
    process = run("verify", "--json", "--against", tmp_path / "made", steps[1])
    assert process.returncode == DIFFERENCE, describe(process)
    assert_verification(json.loads(process.stdout))


def test_taking_files_there_and_back(tmp_path):
    cut = tmp_path / "cut.pt"
    cut.write_bytes((FIXTURES / "plain/proto4.pt").read_bytes()[:1000])
    sources = [FIXTURES / "plain/views.pt", FIXTURES / "plain/proto4.pt", cut]
    process = run("roundtrip", "--json", *sources)
    assert process.returncode == DIFFERENCE, describe(process)
    report = json.loads(process.stdout)
    assert_documented(report, "Round trips")
    for file in report["files"]:
        assert_documented(file, "Returned file")
    for failure in report["failures"]:
        assert_documented(failure, "Failure")


def test_every_kind_of_a_difference_is_listed():
    source = (ROOT / "Sources/Converter/Compare/Pairing/Difference.swift").read_text()
    kinds = re.findall(r"^    case (\w+)(?: = \"(\w+)\")?$", source, re.MULTILINE)
    section = PAGE.split("### Kinds of differences")[1].split("\n\nWith")[0]
    rows = re.findall(r"^\| (`[^|]+`) \|", section, re.MULTILINE)
    listed = re.findall(r"`(\w+)`", " ".join(rows))
    assert sorted(listed) == sorted(raw or name for name, raw in kinds)


def test_reporting_folders(tmp_path):
    steps = [
        ("olmo-to-hf", FIXTURES / "olmo1-lionw/step12-unsharded", tmp_path / "hf", "--optimizer"),
        ("hf-to-olmo", tmp_path / "hf", tmp_path / "back-unsharded"),
    ]
    for verb, source, output, *flags in steps:
        process = run(verb, source, "-o", output, "--json", *flags)
        assert process.returncode == DONE, describe(process)
        report = json.loads(process.stdout)
        assert_documented(report, "Folder")
        for file in report["outputs"]:
            assert_documented(file, "Output")
        for field in report["configuration"]:
            assert_documented(field, "Field of a configuration")
        written = {path for path in output.rglob("*") if path.is_file()}
        assert {pathlib.Path(file["path"]) for file in report["outputs"]} == written
    assert report["trainer_flags"] == [f"--load_path={tmp_path / 'back-unsharded'}"]


def test_resharding(tmp_path):
    output = tmp_path / "dcp"
    process = run(
        "reshard", FIXTURES / "olmo1-lionw/step12-unsharded", "-o", output, "--ranks", "2",
        "--json")
    assert process.returncode == DONE, describe(process)
    report = json.loads(process.stdout)
    assert_documented(report, "Folder")
    assert {pathlib.Path(file["path"]) for file in report["outputs"]} == set(output.iterdir())


def test_every_code_of_a_failure_is_listed():
    source = (ROOT / "Sources/Formats/Base/CheckpointError.swift").read_text()
    codes = set(re.findall(r"public static let (\w+) = Code", source))
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (\d+|-) \|$", PAGE, re.MULTILINE)
    assert {code for code, _ in rows} == codes
    for code, exit_code in rows:
        # Whoever cancels a run of the program does so with a signal, which ends it.
        expected = {"inputOutput": str(IO), "cancelled": "-"}.get(code, str(DATA))
        assert exit_code == expected, code


def test_examining(tmp_path):
    page = tmp_path / "model.pt"
    page.write_text("<html></html>")
    for path, exit_code in (FIXTURES / "olmo2-fsdp/step6-unsharded", DONE), (page, DIFFERENCE):
        process = run("check", "--json", path)
        assert process.returncode == exit_code, describe(process)
        found = json.loads(process.stdout)
        assert_documented(found, "Examination")
        assert bool(found["findings"]) == (exit_code == DIFFERENCE)
        for finding in found["findings"]:
            assert_documented(finding, "Finding of an examination")


def test_statistics(tmp_path):
    save_file({"w": torch.tensor([[1.0, float("nan")]])}, tmp_path / "model.safetensors")
    process = run(
        "stats", "--json", FIXTURES / "olmo2-fsdp/step6-unsharded", tmp_path / "model.safetensors")
    assert process.returncode == DIFFERENCE, describe(process)
    *checkpoints, found = map(json.loads, process.stdout.splitlines())
    for checkpoint in checkpoints:
        assert_documented(checkpoint, "Statistics of a checkpoint")
        for tensor in checkpoint["tensors"]:
            assert_documented(tensor, "Statistics of a tensor")
            for axis in "rows", "columns":
                if tensor[axis]:
                    assert_documented(tensor[axis], "Norms of rows or columns")
        for parameter in checkpoint["adam"]:
            assert_documented(parameter, "Updates of a parameter")
        for module in [checkpoint["total"], *checkpoint["modules"].values()]:
            assert_documented(module, "Statistics of a module")
    assert_documented(found, "Statistics of a run")
    assert found["findings"]
    for finding in found["findings"]:
        assert_documented(finding, "Finding of a run")


@pytest.mark.parametrize("arguments", [
    "verify {0} {0}", "diff {0} {0}", "config {0}", "olmo-to-hf {0} -o {1}", "hf-to-olmo {0} -o {1}",
    "export {0} x -o {1}", "verify --manifest {1} {0}"])
def test_a_command_that_fails_prints_one_document(arguments, tmp_path):
    words = arguments.format(tmp_path / "absent", tmp_path / "out").split()
    process = run(*words, "--json")
    assert process.returncode == IO, describe(process)
    found = json.loads(process.stdout)
    assert list(found) == ["failures"] and len(found["failures"]) == 1
    assert_documented(found["failures"][0], "Failure")
    assert str(tmp_path / "absent") == found["failures"][0]["input"]
