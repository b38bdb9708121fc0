"""A batch keeps the statistics of many checkpoints, each measured once, whatever happens on the way."""

import ctypes
import os
import shutil
import struct
import subprocess

import pytest

import batches
from batches import run
from program import BINARY, DONE, describe
from training_runs import Run

STATS = {"verb": "stats"}
STEPS = range(0, 44, 4)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A run, the statistics of its checkpoints, and the seconds that they take."""
    folder = tmp_path_factory.mktemp("stats")
    made = Run(folder / "run", STEPS)
    seconds = batches.timed(batches.command(made.folder, folder / "out", **STATS))
    expected = batches.tree(folder / "out")
    assert sorted(expected) == sorted(f"step{step}-unsharded.stats.json" for step in STEPS)
    return made.folder, expected, seconds


@pytest.mark.parametrize("jobs", [1, 3])
def test_killed_and_resumed_it_ends_like_an_undisturbed_one(jobs, undisturbed, tmp_path):
    inputs, expected, seconds = undisturbed
    output = tmp_path / "out"
    command = batches.command(inputs, output, "--jobs", str(jobs), "--resume", **STATS)
    batches.kill_until_done(command, output, expected, seconds, kills=max(20, batches.KILLS))


def test_shards_measure_each_checkpoint_once(undisturbed, tmp_path):
    """Tasks of a Slurm array need nothing of each other; one call at the end tells about the run."""
    inputs, expected, _ = undisturbed
    output = tmp_path / "out"
    for task in "213":
        environment = {
            **os.environ, "SLURM_ARRAY_TASK_ID": task, "SLURM_ARRAY_TASK_COUNT": "3",
            "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "3", "SLURM_ARRAY_TASK_STEP": "1"}
        process = run(*batches.command(inputs, output, **STATS), env=environment)
        assert process.returncode == DONE, describe(process)
    assert batches.tree(output) == expected
    assert set(batches.done_counts(output).values()) == {1}
    kept, read = (run(BINARY, "stats", "--quiet", "--json", place) for place in (output, inputs))
    assert kept.returncode == DONE and kept.stdout == read.stdout, describe(kept)


class Opened:
    """The files of a tree that are opened while this is entered, as inotify(7) tells them."""

    def __init__(self, tree):
        self.names = set()
        self.library = ctypes.CDLL(None, use_errno=True)
        self.watches = {}
        self.handle = self.library.inotify_init1(os.O_NONBLOCK)
        assert self.handle >= 0, os.strerror(ctypes.get_errno())
        for path in tree.rglob("*"):
            if path.is_file():
                watch = self.library.inotify_add_watch(self.handle, os.fsencode(path), 0x20)
                assert watch >= 0, os.strerror(ctypes.get_errno())
                self.watches[watch] = path.relative_to(tree).as_posix()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            events = os.read(self.handle, 1 << 20)
        except BlockingIOError:
            events = b""
        while events:
            watch, _, _, length = struct.unpack_from("iIII", events)
            self.names.add(self.watches[watch])
            events = events[16 + length:]
        os.close(self.handle)


def test_adding_a_step_opens_only_its_files(undisturbed, tmp_path):
    inputs, expected, _ = undisturbed
    tree = tmp_path / "run"
    names = sorted((path.name for path in inputs.iterdir()), key=lambda name: int(name[4:-10]))
    for name in names[:-1]:
        shutil.copytree(inputs / name, tree / name)
    command = [BINARY, "stats", tree, "-o", tmp_path / "kept", "--html", tmp_path / "report.html"]
    with Opened(tree) as first:
        process = run(*command)
    assert process.returncode == DONE, describe(process)
    assert {name.split("/")[0] for name in first.names} == set(names[:-1])
    shutil.copytree(inputs / names[-1], tree / names[-1])
    with Opened(tree) as second:
        process = run(*command, "--force")
    assert process.returncode == DONE, describe(process)
    added = {f"{names[-1]}/{name}" for name in ("config.yaml", "model.pt", "optim.pt", "train.pt")}
    assert second.names == added
    assert sorted(batches.tree(tmp_path / "kept")) == sorted(expected)
    with Opened(tree) as third:
        process = run(*command, "--force")
    assert process.returncode == DONE and not third.names, describe(process)


def test_steps_can_be_deleted_once_they_are_measured(undisturbed, tmp_path):
    inputs, _, _ = undisturbed
    tree = tmp_path / "run"
    shutil.copytree(inputs, tree)
    kept = tmp_path / "kept"
    command = [BINARY, "batch", "stats", tree, "-o", kept]
    assert run(*command).returncode == DONE
    expected = subprocess.run(
        [BINARY, "stats", "--json", kept], capture_output=True, text=True, check=True).stdout
    shutil.rmtree(tree)
    process = run(BINARY, "stats", "--json", kept)
    assert process.returncode == DONE and process.stdout == expected, describe(process)
