"""`ckptconv stats` gives a tensor the same numbers in every container that is read."""

import json
import os
import shutil

import pytest
import torch
import torch.distributed.checkpoint as dcp

from archives import other_zip, records_of
from program import DATA, DONE, describe, run, succeed
from training_runs import EMBEDDING, LIMIT, ROWS, VOCABULARY, Run

MEASURES = ["tensors", "adam", "modules", "total", "optimizer", "parameters", "step"]


def measured(path, *flags):
    """The statistics of a checkpoint that are no paths and sizes of files."""
    process = run("stats", "--json", *flags, path)
    assert process.returncode == DONE, describe(process)
    checkpoint = json.loads(process.stdout.splitlines()[0])
    return {key: checkpoint[key] for key in MEASURES}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A checkpoint of OLMo's trainer, with its numbers."""
    directory = Run(tmp_path_factory.mktemp("run"), [24]).checkpoints[0]
    return directory, measured(directory)


def copied(directory, folder):
    target = folder / directory.name
    shutil.copytree(directory, target)
    return target


def test_legacy_files(checkpoint, tmp_path):
    directory, expected = checkpoint
    legacy = copied(directory, tmp_path)
    for name in "model.pt", "optim.pt":
        value = torch.load(legacy / name, weights_only=True)
        torch.save(value, legacy / name, _use_new_zipfile_serialization=False)
    assert measured(legacy) == expected


def swapped(path):
    """Makes an archive one of a big-endian machine: every storage here has elements of four bytes."""
    records = []
    for name, data in records_of(path):
        if "/data/" in name:
            data = b"".join(data[place : place + 4][::-1] for place in range(0, len(data), 4))
        records.append((name, b"big" if name.endswith("/byteorder") else data))
    other_zip(path, records)


def test_big_endian_storages(checkpoint, tmp_path):
    directory, expected = checkpoint
    big = copied(directory, tmp_path)
    for name in "model.pt", "optim.pt":
        swapped(big / name)
    found = measured(big)
    # Checksums are those of the bytes in the file.
    for numbers in found, (expected := json.loads(json.dumps(expected))):
        for tensor in numbers["tensors"]:
            del tensor["crc32"]
    assert found == expected


def test_shards_with_an_index(checkpoint, tmp_path):
    directory, expected = checkpoint
    shards = succeed(
        "pt-to-safetensors", directory / "model.pt", tmp_path / "shards", "--max-shard-size", "9kB")
    assert len(list(shards.glob("*.safetensors"))) > 1
    tensors = [tensor for tensor in expected["tensors"] if tensor["part"] == "model"]
    found = {tensor["name"]: tensor for tensor in measured(shards)["tensors"]}
    assert found == {tensor["name"]: tensor for tensor in tensors}


def distributed(directory, target, flat):
    """Saves a checkpoint of OLMo's trainer as PyTorch's distributed one, and as OLMo-core does."""
    model = torch.load(directory / "model.pt", weights_only=True)
    optimizer = torch.load(directory / "optim.pt", weights_only=True)
    if flat:
        group = optimizer["param_groups"][0]
        settings = {key: group[key] for key in ("lr", "betas", "eps", "weight_decay")}
        optimizer = {
            f"state.{name}.{key}": value for name, state in optimizer["state"].items()
            for key, value in state.items()}
        optimizer |= {
            f"param_groups.{name}.{key}": value for name in model
            for key, value in settings.items()}
    dcp.save({"model": model, "optim": optimizer}, checkpoint_id=target / "model_and_optim")
    (target / "train").mkdir()
    monitor = {"loss_history": [4.0, 3.5, 3.25], "grad_norm_history": [1.0, 1.0, 1.0]}
    torch.save(
        {"global_step": 24, "callbacks": {"garbage_collector": {}, "stability_monitor": monitor}},
        target / "train/rank0.pt")
    (target / "config.json").write_text(json.dumps({
        "model": {"vocab_size": ROWS}, "dataset": {"tokenizer": {"vocab_size": VOCABULARY}},
        "train_module": {"max_grad_norm": LIMIT, "optim": {"type": "adamw"}}}))
    return target


@pytest.mark.parametrize("flat", [False, True], ids=["nested", "flat"])
def test_distributed_checkpoints(flat, checkpoint, tmp_path):
    directory, expected = checkpoint
    target = distributed(directory, tmp_path / "step24", flat)
    found = measured(target)
    # The order is that of the metadata.
    for numbers in found, (expected := json.loads(json.dumps(expected))):
        for key in "tensors", "adam":
            numbers[key].sort(key=lambda row: row["name"])
        numbers["optimizer"]["name"] = None
    assert found == expected
    for part in "model", "optim":
        only = measured(target, "--part", part)
        assert {tensor["part"] for tensor in only["tensors"]} == {part}


def test_what_can_run_code_is_dropped_on_request(tmp_path):
    dcp.save({"model": {"w": torch.ones(3, 2)}, "extra": os.system}, checkpoint_id=tmp_path / "step1")
    process = run("stats", tmp_path / "step1")
    assert process.returncode == DATA, describe(process)
    process = run("stats", "--drop-unsafe", tmp_path / "step1")
    assert process.returncode == DONE, describe(process)
    assert f"warning: {tmp_path / 'step1'}: " in process.stderr


def test_a_tree_of_distributed_checkpoints(checkpoint, tmp_path):
    """The directory of a run of OLMo-core: its steps, its tokens, and the losses it remembers."""
    directory, _ = checkpoint
    for step in 24, 48:
        distributed(directory, tmp_path / f"run/step{step}", flat=True)
    state = torch.load(tmp_path / "run/step48/train/rank0.pt", weights_only=True)
    state["global_step"] = 48
    state["callbacks"]["stability_monitor"]["loss_history"] = [2.5, 2.25]
    torch.save(state, tmp_path / "run/step48/train/rank0.pt")
    report = tmp_path / "report.html"
    process = run(
        "stats", "--json", tmp_path / "run", "-o", tmp_path / "kept", "--html", report)
    assert process.returncode == DONE, describe(process)
    *checkpoints, found = map(json.loads, process.stdout.splitlines())
    assert found["steps"] == [24, 48]
    assert [row["losses"] for row in checkpoints] == [
        {"loss": [[22, 4.0], [23, 3.5], [24, 3.25]]}, {"loss": [[47, 2.5], [48, 2.25]]}]
    assert checkpoints[0]["vocab_size"] == VOCABULARY
    (rows,) = [finding for finding in found["findings"] if finding["rule"] == "rows"]
    assert rows["severity"] == "note" and rows["tensor"] == EMBEDDING
    text = report.read_text()
    assert 'id="c-loss"' in text and "from the trainer&#39;s state" in text
    # A training log that the user gives comes first.
    log = tmp_path / "log.csv"
    log.write_text("step,train_loss\n1,9\n2,8\n3,7\n")
    process = run("stats", tmp_path / "kept", "--metrics", log, "--html", report, "--force")
    assert process.returncode == DONE, describe(process)
    assert "train_loss of the training log" in report.read_text()


HISTORIES = {
    "no list": "spam", "texts": ["a", "b"], "not finite": [float("nan"), float("inf")],
    "more losses than steps": [1.0] * 100}


@pytest.mark.parametrize("kind", HISTORIES)
def test_histories_that_are_none(kind, checkpoint, tmp_path):
    target = distributed(checkpoint[0], tmp_path / "step24", flat=False)
    torch.save(
        {"global_step": 24, "callbacks": {"stability_monitor": {"loss_history": HISTORIES[kind]}}},
        target / "train/rank0.pt")
    process = run("stats", "--json", target)
    assert process.returncode == DONE, describe(process)
    checkpoint = json.loads(process.stdout.splitlines()[0])
    assert checkpoint["step"] == 24 and "losses" not in checkpoint
