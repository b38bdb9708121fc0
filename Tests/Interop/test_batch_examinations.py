"""A batch that looks at checkpoints finds what is wrong with some, and remembers what it has seen."""

import json
import shutil

import pytest

import batches
from batches import run
from program import BINARY, DIFFERENCE, DONE, FIXTURES, IO, describe


@pytest.fixture
def inputs(tmp_path):
    """Real files and checkpoints; one file was cut off, one is hostile, one cannot be read."""
    folder = batches.make_inputs(tmp_path / "runs", files=30, steps=2)
    (folder / "run1/cut.pt").write_bytes((FIXTURES / "plain/proto4.pt").read_bytes()[:3000])
    shutil.copy(FIXTURES / "broken/malicious-train-pt/train.pt", folder / "run2/hostile.pt")
    # A link that leads nowhere is as unreadable for root as it is for everybody.
    (folder / "run3/unreadable.pt").symlink_to(tmp_path / "nowhere")
    return folder


def report(command, path):
    """The exit status, the items by name and the summary."""
    process = run(*command, "--report", path)
    *items, summary = map(json.loads, path.read_text().splitlines())
    return process, {item["item"]: item for item in items}, summary


def outcomes(items, *wanted):
    return {name for name, item in items.items() if item["outcome"] in wanted}


def test_check_finds_problems_and_remembers_them(inputs, tmp_path):
    store = tmp_path / "store"
    command = batches.command(inputs, store, "--jobs", "2", "--resume", verb="check")
    process, items, summary = report(command, tmp_path / "first")
    assert process.returncode == DIFFERENCE, describe(process)
    assert outcomes(items, "failed") == {"run3/unreadable.pt"}
    assert {"run1/cut.pt", "run2/hostile.pt"} <= outcomes(items, "problem")
    assert summary["done"] + summary["problems"] + summary["failed"] == len(items)
    assert not batches.tree(store), "an examination writes nothing"
    # A second run looks at nothing again, and says the same.
    process, again, summary = report(command, tmp_path / "second")
    assert process.returncode == DIFFERENCE, describe(process)
    assert summary["done"] == 0
    assert outcomes(again, "problem") == outcomes(items, "problem")
    assert {name: item["problems"] for name, item in again.items()} == {
        name: item["problems"] for name, item in items.items()}
    assert set(batches.done_counts(store, "check").values()) == {1}
    # What has changed is looked at again.
    (inputs / "run1/cut.pt").write_bytes((FIXTURES / "plain/proto4.pt").read_bytes())
    (inputs / "steps/step0-unsharded/optim.pt").unlink()
    (inputs / "run2/hostile.pt").unlink()
    (inputs / "run3/unreadable.pt").unlink()
    process, third, summary = report(command, tmp_path / "third")
    assert process.returncode == DIFFERENCE, describe(process)
    assert outcomes(third, "done") == {"run1/cut.pt"}
    assert "optim.pt" in third["steps/step0-unsharded"]["problems"][0]


def test_check_says_of_each_checkpoint_what_a_single_run_says(inputs, tmp_path):
    process = run(BINARY, "batch", "check", "--files", "-k", inputs, "--finite", "--json")
    for line in map(json.loads, process.stdout.splitlines()):
        if line["kind"] != "item" or line["outcome"] == "failed":
            continue
        single = run(BINARY, "check", line["input"], "--finite", "--json")
        found = json.loads(single.stdout)["findings"]
        problems = [one for one in found if one["severity"] == "problem"]
        assert len(problems) == len(line["problems"]), describe(single)
        for problem, text in zip(problems, line["problems"]):
            assert problem["message"] in text


def test_check_finds_what_is_left_of_checkpoints_and_other_kinds(tmp_path):
    runs = tmp_path / "runs"
    source = FIXTURES / "olmo1-lionw/step12-unsharded"
    # The configuration of a run lies above its steps and is none of them.
    for folder in ("a", "a/step1-unsharded", "b/step2-unsharded", "c/hf", "d/step3", "e/step4"):
        (runs / folder).mkdir(parents=True)
    for folder in ("a", "a/step1-unsharded", "d/step3"):
        shutil.copy(source / "config.yaml", runs / folder)
    shutil.copy(source / "train.pt", runs / "b/step2-unsharded")
    shutil.copy(FIXTURES / "olmo1-lionw/ref-hf/config.json", runs / "c/hf")
    (runs / "d/step3/rank0.pt").write_bytes(b"")
    (runs / "e/step4/.metadata").write_bytes(b"")
    process = run(BINARY, "batch", "check", runs, "--json")
    assert process.returncode == DIFFERENCE, describe(process)
    *items, summary = map(json.loads, process.stdout.splitlines())
    assert {item["item"] for item in items if item["outcome"] == "problem"} == {
        "a/step1-unsharded", "b/step2-unsharded", "c/hf", "d/step3", "e/step4"}
    assert len(items) == 5 and summary["problems"] == 5


def test_roundtrip_tells_everything_that_does_not_return(inputs, tmp_path):
    command = batches.command(inputs, tmp_path / "store", "-j2", "--resume", verb="roundtrip")
    process, items, summary = report(command, tmp_path / "report")
    assert process.returncode == DIFFERENCE, describe(process)
    assert outcomes(items, "failed") == {
        "run1/cut.pt", "run2/hostile.pt", "run3/unreadable.pt"}
    # Bytes of a storage that belong to no tensor do not return, and their checksum differs.
    lossy = outcomes(items, "problem")
    assert lossy and all("big_storage_views" in name for name in lossy)
    assert all(len(items[name]["problems"]) >= 2 for name in lossy)
    _, again, summary = report(command, tmp_path / "again")
    assert summary["done"] == 0 and outcomes(again, "problem") == lossy


def test_a_tree_is_verified_against_what_it_was_converted_to(inputs, tmp_path):
    output = tmp_path / "out"
    run(*batches.command(inputs, output, "-j2"))
    before = batches.tree(output)
    command = batches.command(inputs, output, "-j2", "--resume", verb="verify")
    process, items, summary = report(command, tmp_path / "first")
    # What could not be converted has no counterpart.
    missing = {"run1/cut.pt", "run2/hostile.pt", "run3/unreadable.pt"}
    assert process.returncode == IO, describe(process)
    assert outcomes(items, "failed") == missing
    assert outcomes(items, "done") == items.keys() - missing
    assert batches.tree(output) == before
    # One output is damaged, one exchanged, one removed; the others are not read again.
    files = sorted(
        name for name in before if name.endswith(".safetensors") and name.startswith("run"))
    damaged, exchanged, other, removed = files[:4]
    content = bytearray((output / damaged).read_bytes())
    content[-1] ^= 1
    (output / damaged).write_bytes(content)
    shutil.copy(output / other, output / exchanged)
    (output / removed).unlink()
    process, items, summary = report(command, tmp_path / "second")
    assert process.returncode == DIFFERENCE, describe(process)
    stems = {name.rsplit(".", 1)[0]: name for name in items}
    changed = {stems[name.rsplit(".", 1)[0]] for name in (damaged, exchanged)}
    assert outcomes(items, "problem") == changed
    assert outcomes(items, "failed") == missing | {stems[removed.rsplit(".", 1)[0]]}
    assert summary["done"] == 0
    # None of this is confused with the journal of the conversion, which makes again what is gone.
    process = run(*batches.command(inputs, output, "--resume", "-j2"))
    counts = batches.done_counts(output)
    assert {name for name in counts if counts[name] > 1} == {stems[removed.rsplit(".", 1)[0]]}


def test_verified_whole_checkpoints_can_be_anywhere(tmp_path):
    runs = batches.make_checkpoints(tmp_path / "runs", count=4)
    for verb, root in (("pt-to-safetensors", "there"), ("safetensors-to-pt", "back")):
        source = runs if root == "there" else tmp_path / "there"
        process = run(*batches.command(source, tmp_path / root, verb=verb))
        assert process.returncode == DONE, describe(process)
        command = batches.command(source, tmp_path / root, verb="verify")
        process = run(*command)
        assert process.returncode == DONE, describe(process)
    # Shards of a verification are complete and have one verdict.
    for index in ("1/2", "2/2"):
        for _ in range(2):
            process = run(*batches.command(
                runs, tmp_path / "back", "--shard", index, "--resume", verb="verify"))
            assert process.returncode == DONE, describe(process)
    process = run(*batches.command(runs, tmp_path / "back", "--merge-reports", verb="verify"))
    assert process.returncode == DONE, describe(process)
    # Once each with the files between, and once with those that all began with.
    assert set(batches.done_counts(tmp_path / "back", "verify").values()) == {2}


@pytest.mark.parametrize("verb", ["check", "verify"])
def test_killed_and_resumed_nothing_is_looked_at_twice(verb, tmp_path):
    # Copies of one step under the names of others have problems, which `check` would find.
    runs = batches.make_inputs(tmp_path / "runs", files=60, steps=4 if verb == "verify" else 0)
    output = tmp_path / "out"
    run(*batches.command(runs, output))
    expected = batches.tree(output)
    seconds = batches.timed(batches.command(runs, output, "--jobs", "2", verb="verify"))
    shutil.rmtree(output / batches.STORE / "verify")
    command = batches.command(runs, output, "--jobs", "2", "--resume", verb=verb)
    batches.kill_until_done(command, output, expected, seconds, verb)


def test_configurations_of_a_tree_are_translated_and_come_back(tmp_path):
    runs = batches.make_checkpoints(tmp_path / "runs", count=4)
    shutil.copy(runs / "run1/step1-unsharded/config.yaml", runs / "run1/config.yaml")
    process = run(*batches.command(runs, tmp_path / "hf", verb="config"))
    assert process.returncode == DONE, describe(process)
    assert len(batches.tree(tmp_path / "hf")) == 8
    single = run(
        BINARY, "config", runs / "run0/step0-unsharded", "-q", "-o", tmp_path / "single")
    assert single.returncode == DONE, describe(single)
    for name, content in batches.tree(tmp_path / "single").items():
        assert batches.tree(tmp_path / "hf")[f"run0/step0-unsharded/{name}"] == content
    command = batches.command(tmp_path / "hf", tmp_path / "back", "--resume", verb="config")
    for _ in range(2):
        process = run(*command)
        assert process.returncode == DONE, describe(process)
    assert set(batches.done_counts(tmp_path / "back").values()) == {1}
    assert len(batches.tree(tmp_path / "back")) == 4
