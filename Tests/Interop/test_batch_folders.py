"""A batch turns OLMo directories into Hugging Face folders and back, whatever happens on the way."""

import json
import shutil

import pytest

import batches
from batches import run
from program import DATA, DONE, FIXTURES, IO, describe

TO_HF = {"verb": "olmo-to-hf"}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Checkpoints, the folders that they become, and the seconds that it takes."""
    folder = tmp_path_factory.mktemp("folders")
    inputs = batches.make_checkpoints(folder / "runs")
    command = batches.command(inputs, folder / "out", "--optimizer", "--jobs", "2", **TO_HF)
    seconds = batches.timed(command)
    return inputs, batches.tree(folder / "out"), seconds


def test_the_folders_are_those_of_single_runs(undisturbed, tmp_path):
    inputs, expected, _ = undisturbed
    for name in ("run0/step0-unsharded", "run1/step1-unsharded"):
        process = run(
            batches.BINARY, "olmo-to-hf", inputs / name, "-o", tmp_path / name, "--optimizer")
        assert process.returncode == DONE, describe(process)
        single = batches.tree(tmp_path / name)
        assert single == {
            path.removeprefix(f"{name}/"): content for path, content in expected.items()
            if path.startswith(f"{name}/")}


@pytest.mark.parametrize("jobs", [1, 3])
def test_killed_and_resumed_it_ends_like_an_undisturbed_one(jobs, undisturbed, tmp_path):
    inputs, expected, seconds = undisturbed
    output = tmp_path / "out"
    command = batches.command(
        inputs, output, "--optimizer", "--jobs", str(jobs), "--resume", **TO_HF)
    batches.kill_until_done(command, output, expected, seconds)


def test_a_tree_comes_back_byte_for_byte(undisturbed, tmp_path):
    inputs, _, _ = undisturbed
    process = run(*batches.command(inputs, tmp_path / "hf", "--optimizer", "-j2", **TO_HF))
    assert process.returncode == DONE, describe(process)
    back = tmp_path / "back"
    process = run(*batches.command(tmp_path / "hf", back, "-j2", verb="hf-to-olmo"))
    assert process.returncode == DONE, describe(process)
    before, after = batches.tree(inputs), batches.tree(back)
    assert before.keys() == after.keys()
    # The configuration means the same and is spelled by another program.
    changed = {name for name in before if before[name] != after[name]}
    assert all(name.endswith("config.yaml") for name in changed)


@pytest.fixture
def faulty(tmp_path):
    """Six checkpoints, of which one was cut off, one is hostile and one cannot be read."""
    inputs = batches.make_checkpoints(tmp_path / "runs", count=6)
    model = inputs / "run0/step0-unsharded/model.pt"
    model.write_bytes(model.read_bytes()[:3000])
    shutil.copy(
        FIXTURES / "broken/malicious-train-pt/train.pt", inputs / "run1/step1-unsharded/model.pt")
    # A link that leads nowhere is as unreadable for root as it is for everybody.
    config = inputs / "run0/step2-unsharded/config.yaml"
    config.unlink()
    config.symlink_to(tmp_path / "nowhere")
    return inputs


FAULTS = {
    "run0/step0-unsharded": "truncated", "run1/step1-unsharded": "forbidden",
    "run0/step2-unsharded": "inputOutput"}


def test_what_cannot_be_converted_is_reported_and_the_rest_is_converted(faulty, tmp_path):
    output, report = tmp_path / "out", tmp_path / "report.jsonl"
    process = run(*batches.command(faulty, output, "--report", report, "-j2", **TO_HF))
    assert process.returncode == IO, describe(process)
    *items, summary = map(json.loads, report.read_text().splitlines())
    failed = {item["item"]: item["code"] for item in items if item["outcome"] == "failed"}
    assert failed == FAULTS
    assert summary["failed"] == 3 and summary["done"] == 3
    written = {name for item in items for name in item["outputs"]}
    assert set(batches.tree(output)) == written
    assert len({name.rsplit("/", 1)[0] for name in written if name.endswith("config.json")}) == 3
    # The optimizer state is not converted without --optimizer, and the report says so.
    assert all(item["notes"] for item in items if item["outcome"] == "done")


def test_a_dry_run_knows_all_faults_and_every_byte(faulty, tmp_path):
    process = run(*batches.command(faulty, tmp_path / "out", "--dry-run", "--json", **TO_HF))
    assert process.returncode == DATA, describe(process)
    *items, plan = map(json.loads, process.stdout.splitlines())
    assert {item["item"]: item["code"] for item in items if item["code"]}.keys() == FAULTS.keys()
    run(*batches.command(faulty, tmp_path / "out", **TO_HF))
    written = sum(
        path.stat().st_size for path in (tmp_path / "out").rglob("*")
        if path.is_file() and batches.STORE not in path.parts)
    assert plan["bytes_out"] == written


def test_a_file_that_a_flag_names_counts_as_an_input(tmp_path):
    inputs = batches.make_checkpoints(tmp_path / "runs", count=2)
    tokenizer = tmp_path / "tokenizer.json"
    tokenizer.write_text('{"model": {"vocab": {}}}')
    output = tmp_path / "out"
    command = batches.command(inputs, output, "--tokenizer", tokenizer, "--resume", **TO_HF)
    for number, vocabulary in ((1, None), (1, None), (2, '{"a": 0}'), (2, None)):
        if vocabulary:
            tokenizer.write_text(f'{{"model": {{"vocab": {vocabulary}}}}}')
        process = run(*command)
        assert process.returncode == DONE, describe(process)
        assert set(batches.done_counts(output).values()) == {number}
        for folder in output.glob("run*/*"):
            assert (folder / "tokenizer.json").read_text() == tokenizer.read_text()


def test_what_users_put_into_a_folder_is_not_removed(tmp_path):
    inputs = batches.make_checkpoints(tmp_path / "runs", count=1)
    output = tmp_path / "out"
    folder = output / "step0-unsharded"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("mine")
    command = batches.command(inputs / "run0", output, "--resume", **TO_HF)
    process = run(*command)
    assert process.returncode == IO, describe(process)
    process = run(*command, "--force")
    assert process.returncode == DONE, describe(process)
    # The input changes, and the outputs make room.
    model = inputs / "run0/step0-unsharded/model.pt"
    shutil.copy(model, tmp_path / "copy.pt")
    model.write_bytes((tmp_path / "copy.pt").read_bytes())
    process = run(*command, "--force")
    assert process.returncode == DONE, describe(process)
    assert (folder / "README.md").read_text() == "mine"
    assert batches.done_counts(output) == {"step0-unsharded": 2}


def test_shards_of_a_batch_of_folders_are_complete(undisturbed, tmp_path):
    inputs, expected, _ = undisturbed
    output = tmp_path / "out"
    for index in (2, 1):
        process = run(
            *batches.command(inputs, output, "--optimizer", "--shard", f"{index}/2", **TO_HF))
        assert process.returncode == DONE, describe(process)
    assert batches.tree(output) == expected
    process = run(*batches.command(inputs, output, "--optimizer", "--merge-reports", **TO_HF))
    assert process.returncode == DONE, describe(process)
