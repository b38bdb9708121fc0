"""A batch converts everything that can be converted, once, whatever happens to it on the way."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
import zipfile

import pytest

import batches
from batches import run
from program import DATA, DIFFERENCE, DONE, FIXTURES, IO, ROOT, USAGE, describe

@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Inputs, the tree that they become, and the seconds that it takes."""
    folder = tmp_path_factory.mktemp("batch")
    inputs = batches.make_inputs(folder / "runs")
    seconds = batches.timed(batches.command(inputs, folder / "out", "--jobs", "2"))
    counts = batches.done_counts(folder / "out")
    assert len(counts) >= 100 and set(counts.values()) == {1}
    return inputs, batches.tree(folder / "out"), seconds


@pytest.mark.parametrize("jobs", [1, 3])
def test_killed_and_resumed_it_ends_like_an_undisturbed_one(jobs, undisturbed, tmp_path):
    inputs, expected, seconds = undisturbed
    output = tmp_path / "out"
    command = batches.command(inputs, output, "--jobs", str(jobs), "--resume")
    batches.kill_until_done(command, output, expected, seconds)


def interrupt(command, output, number):
    """How a batch ends that gets a signal when its first output has appeared, which is long before
    a slow disk confirms it; one that is faster than the signal begins anew."""
    for _ in range(20):
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            # A shell that starts the tests in its background has them ignore SIGINT.
            preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
        while process.poll() is None and not any(output.rglob("*.safetensors")):
            time.sleep(0.001)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        if process.returncode != DONE:
            break
        shutil.rmtree(output)
    return process.returncode, errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_cleans_up_and_says_how_to_go_on(number, undisturbed, tmp_path):
    inputs, expected, seconds = undisturbed
    output = tmp_path / "out"
    status, errors = interrupt(batches.command(inputs, output), output, number)
    assert status == -number, errors
    assert "run the same command with --resume to continue" in errors
    counts = batches.done_counts(output)
    assert 0 < len(counts) < len(expected)
    written = batches.tree(output)
    assert written == {name: expected[name] for name in written}
    process = run(*batches.command(inputs, output, "--resume"))
    assert process.returncode == DONE, describe(process)
    assert batches.tree(output) == expected


@pytest.fixture
def faulty(tmp_path):
    """Some hundred checkpoints, with one cut off, one hostile and one that cannot be read."""
    inputs = batches.make_inputs(tmp_path / "runs", files=90, steps=2)
    cut = inputs / "run1/cut.pt"
    cut.write_bytes((FIXTURES / "plain/proto4.pt").read_bytes()[:3000])
    hostile = inputs / "run2/hostile.pt"
    hostile.write_bytes((FIXTURES / "broken/malicious-train-pt/train.pt").read_bytes())
    # A link that leads nowhere is as unreadable for root as it is for everybody.
    unreadable = inputs / "run3/unreadable.pt"
    unreadable.symlink_to(tmp_path / "nowhere")
    return inputs


FAULTS = {
    "run1/cut.pt": "truncated", "run2/hostile.pt": "forbidden", "run3/unreadable.pt": "inputOutput"}


def test_what_cannot_be_converted_is_reported_and_the_rest_is_converted(faulty, tmp_path):
    output, report = tmp_path / "out", tmp_path / "report.jsonl"
    process = run(*batches.command(faulty, output, "--report", report, "--jobs", "2"))
    assert process.returncode == IO, describe(process)
    *items, summary = map(json.loads, report.read_text().splitlines())
    failed = {item["item"]: item["code"] for item in items if item["outcome"] == "failed"}
    assert failed == FAULTS
    assert all(item["outcome"] == "done" for item in items if item["item"] not in FAULTS)
    assert summary["failed"] == 3 and summary["done"] == len(items) - 3
    assert not summary["complete"]
    for name in FAULTS:
        assert re.search(rf"^{re.escape(name)}  +\S", process.stderr, re.MULTILINE), name
        assert name not in batches.tree(output)
    written = {name for item in items for name in item["outputs"]}
    assert set(batches.tree(output)) == written


def test_without_keep_going_a_damaged_structure_stops_it_before_the_first_write(faulty, tmp_path):
    command = batches.command(faulty, tmp_path / "out")
    command.remove("--keep-going")
    process = run(*command)
    assert process.returncode == IO, describe(process)
    assert all(f"{name}: " in process.stderr for name in FAULTS)
    assert "nothing was done: 3 of 95 items cannot be processed; add --keep-going" in process.stderr
    assert not (tmp_path / "out").exists()


def test_a_batch_that_stops_at_damaged_bytes_goes_past_them_when_it_is_resumed(tmp_path):
    inputs = batches.make_inputs(tmp_path / "runs", files=6, steps=0)
    first = min(inputs.rglob("*.pt"))
    data = bytearray(first.read_bytes())
    # A bit of a tensor: only its checksum tells.
    with zipfile.ZipFile(first) as archive:
        entry = next(info for info in archive.infolist() if "/data/0" in info.filename)
    start = entry.header_offset + 30 + int.from_bytes(
        data[entry.header_offset + 26:][:2], "little") + int.from_bytes(
        data[entry.header_offset + 28:][:2], "little")
    data[start] ^= 1
    first.write_bytes(data)
    command = batches.command(inputs, tmp_path / "out", "--jobs", "1")
    command.remove("--keep-going")
    process = run(*command)
    assert process.returncode == DATA, describe(process)
    assert "run the same command with --resume --keep-going to continue" in process.stderr
    assert not batches.tree(tmp_path / "out")
    process = run(*command, "--resume")
    assert process.returncode == DATA, describe(process)
    assert len(batches.tree(tmp_path / "out")) == len(list(inputs.rglob("*.pt"))) - 1


def test_a_batch_that_was_done_says_so_in_one_line(undisturbed, tmp_path):
    inputs, _, _ = undisturbed
    command = batches.command(inputs, tmp_path / "out")
    command.remove("--keep-going")
    assert run(*command).returncode == DONE
    process = run(*command)
    assert process.returncode == IO, describe(process)
    error, hint = process.stderr.splitlines()
    assert "exist already from an earlier run" in error and "--resume" in hint


def test_a_dry_run_finds_all_faults_and_writes_nothing(faulty, tmp_path):
    process = run(*batches.command(faulty, tmp_path / "out", "--dry-run", "--json"))
    *items, plan = map(json.loads, process.stdout.splitlines())
    assert {item["item"]: item["code"] for item in items if item["code"]} == FAULTS
    assert plan["impossible"] == 3 and plan["open"] == len(items) - 3
    assert not (tmp_path / "out").exists()
    process = run(*batches.command(faulty, tmp_path / "out"))
    written = sum(
        path.stat().st_size for path in (tmp_path / "out").rglob("*")
        if path.is_file() and batches.STORE not in path.parts)
    assert plan["bytes_out"] == written


def test_shards_are_disjoint_and_complete_and_have_one_verdict(undisturbed, tmp_path):
    inputs, expected, _ = undisturbed
    output = tmp_path / "out"
    for task in ["20", "10", "30"]:
        environment = {
            **os.environ, "SLURM_ARRAY_TASK_ID": task, "SLURM_ARRAY_TASK_COUNT": "3",
            "SLURM_ARRAY_TASK_MIN": "10", "SLURM_ARRAY_TASK_MAX": "30",
            "SLURM_ARRAY_TASK_STEP": "10"}
        merged = run(*batches.command(inputs, output, "--merge-reports"))
        assert merged.returncode == DIFFERENCE, describe(merged)
        process = run(*batches.command(inputs, output), env=environment)
        assert process.returncode == DONE, describe(process)
    assert batches.tree(output) == expected
    assert set(batches.done_counts(output).values()) == {1}
    merged = run(*batches.command(inputs, output, "--merge-reports", "--report", tmp_path / "r"))
    assert merged.returncode == DONE, describe(merged)
    *items, summary = map(json.loads, (tmp_path / "r").read_text().splitlines())
    assert summary["complete"] and summary["finished"] == len(items)


def test_shards_at_the_same_time_share_a_root(undisturbed, tmp_path):
    inputs, expected, _ = undisturbed
    output = tmp_path / "out"
    processes = [
        subprocess.Popen(batches.command(inputs, output, "--shard", f"{index}/4", "--quiet"))
        for index in range(1, 5)]
    assert [process.wait() for process in processes] == [DONE] * 4
    assert batches.tree(output) == expected


def test_the_second_batch_on_a_root_is_refused(undisturbed, tmp_path):
    inputs, _, _ = undisturbed
    output = tmp_path / "out"
    first = subprocess.Popen(
        batches.command(inputs, output), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not output.exists() or not batches.done_counts(output):
            time.sleep(0.001)
        first.send_signal(signal.SIGSTOP)
        second = run(*batches.command(inputs, output, "--resume"))
        assert second.returncode == IO, describe(second)
        assert "a batch is running here" in second.stderr
    finally:
        first.send_signal(signal.SIGCONT)
        first.kill()
        first.wait()


def test_a_disk_that_is_too_small_is_found_out_before_the_first_byte(undisturbed, tmp_path):
    inputs, _, _ = undisturbed
    disk = tmp_path / "disk"
    disk.mkdir()
    if run("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk).returncode:
        pytest.skip("this user cannot mount a small disk")
    try:
        process = run(*batches.command(inputs, disk / "out"))
        assert process.returncode == IO, describe(process)
        assert re.search(r"not enough space: [\d.]+ \w+ needed, [\d.]+ \w+ free", process.stderr), describe(process)
        assert not batches.tree(disk)
        # With room for a part, the disk fills up on the way, and the rest follows elsewhere.
        few = run(*batches.command(inputs / "steps", disk / "few", "--dry-run"))
        assert "not enough space" in few.stdout, describe(few)
    finally:
        run("umount", disk)


def test_olmo_tables_name_local_copies(tmp_path):
    name = "olmo-checkpoints.org/ai2-llm/peteish1"
    for step in (0, 300):
        target = tmp_path / name / f"step{step}-unsharded"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(FIXTURES / "olmo1-lionw/step12-unsharded")
    table = tmp_path / "steps.csv"
    rows = "".join(f"{step},https://{name}/step{step}-unsharded/\n" for step in (0, 300))
    table.write_text("Step,Checkpoint Directory\n" + rows)
    command = [batches.BINARY, "batch", "pt-to-safetensors", "--from", table, "-o", "out"]
    process = run(*command, cwd=tmp_path)
    assert process.returncode == DONE, describe(process)
    assert set(batches.tree(tmp_path / "out")) == {
        f"step{step}-unsharded/{file}" for step in (0, 300)
        for file in ("model.safetensors", "optim.safetensors", "config.yaml", "train.pt")}
    table.write_text(table.read_text() + f"600,https://{name}/step600-unsharded/\n")
    process = run(*command, cwd=tmp_path)
    assert process.returncode == DATA, describe(process)
    assert "line 4 names" in process.stderr


def test_inputs_are_deleted_only_when_they_are_verified(tmp_path):
    inputs, output = batches.make_inputs(tmp_path / "runs", files=20, steps=2), tmp_path / "out"
    kept = inputs / "run0/notes.txt"
    kept.write_text("not a checkpoint")
    before = batches.tree(inputs)
    process = run(*batches.command(inputs, output, "--delete-source"))
    assert process.returncode == USAGE, describe(process)
    # Without skeletons the outputs do not hold everything.
    lossy = ("--no-skeleton", "--allow-loss", "--verify", "--delete-source")
    process = run(*batches.command(inputs, tmp_path / "lossy", *lossy))
    assert process.returncode == DONE, describe(process)
    assert batches.tree(inputs) == before
    process = run(*batches.command(inputs, output, "--verify", "--delete-source"))
    assert process.returncode == DONE, describe(process)
    # So do unused bytes of a storage: they are not saved, with a warning.
    # A file without tensors is kept as well, since its output has a warning.
    left = {"run0/notes.txt", "run0/0-big_storage_views.pt", "run3/3-empty_dict.pt"}
    assert set(batches.tree(inputs)) == left
    assert "unused bytes" in process.stderr
    # Nothing is left to do, and the verdict still knows what was done.
    for flag in ("--resume", "--merge-reports"):
        process = run(*batches.command(inputs, output, "--verify", flag))
        assert process.returncode == DONE, describe(process)
    assert "22 items: 22 done" in process.stderr
    back = tmp_path / "back"
    process = run(batches.BINARY, "batch", "safetensors-to-pt", "--files", output, "-o", back)
    assert process.returncode == DONE, describe(process)
    found = batches.tree(back)
    assert len(found) == len(before) - 1
    assert {name for name in found if found[name] != before[name]} == {"run0/0-big_storage_views.pt"}


PAGE = (ROOT / "Documentation/batch.md").read_text()


def documented(heading):
    section = PAGE.split(f"\n### {heading}\n")[1].split("\n##")[0]
    return set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


def test_every_key_of_reports_and_plans_is_documented(faulty, tmp_path):
    process = run(*batches.command(faulty, tmp_path / "out", "--json"))
    for line in map(json.loads, process.stdout.splitlines()):
        assert set(line) == documented({"item": "Item", "summary": "Summary"}[line["kind"]])
    process = run(*batches.command(faulty, tmp_path / "out2", "--json", "--dry-run"))
    for line in map(json.loads, process.stdout.splitlines()):
        assert set(line) == documented({"planned": "Planned item", "plan": "Plan"}[line["kind"]])
    found = {key for record in batches.records(tmp_path / "out") for key in record}
    assert found <= documented("Journal")
