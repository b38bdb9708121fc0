"""A batch of many small real checkpoints, and what it leaves behind."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import time

from files import ZIP, below, kind
from program import BINARY, DONE, FIXTURES, describe

# `make kills` sets this to 50.
KILLS = int(os.environ.get("CKPTCONV_KILLS", "8"))

# Where a batch keeps what is not its output.
STORE = ".ckptconv-batch"


def make_inputs(folder, files=110, steps=8):
    """Copies of fixtures in a tree: single files, and whole checkpoint directories."""
    sources = [path for path in below(FIXTURES / "torch-corpus") if kind(path) == ZIP]
    for number, source in enumerate(sources[:files]):
        place = folder / f"run{number % 7}" / f"{number}-{source.name}"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, place)
    for step in range(steps):
        shutil.copytree(
            FIXTURES / "olmo1-lionw/step12-unsharded", folder / f"steps/step{step}-unsharded")
    return folder


def make_checkpoints(folder, count=16):
    """Whole checkpoints of two runs, under the names that OLMo's trainer gives them."""
    sources = ["olmo2-fsdp/step6-unsharded", "olmo1-lionw/step12-unsharded"]
    for step in range(count):
        run = step % len(sources)
        shutil.copytree(FIXTURES / sources[run], folder / f"run{run}/step{step}-unsharded")
    return folder


def command(folder, output, *flags, verb="pt-to-safetensors"):
    return [BINARY, "batch", verb, "--files", "--keep-going", folder, "-o", output, *flags]


def run(*arguments, **options):
    return subprocess.run(
        arguments, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL,
        **options)


def timed(command):
    """The seconds that a run takes that succeeds."""
    start = time.monotonic()
    process = run(*command)
    assert process.returncode == DONE, describe(process)
    return time.monotonic() - start


def kill_until_done(command, output, expected, seconds, verb="", kills=KILLS):
    """Kills a batch so many times and lets it end; fails unless `output` is `expected` then, and
    nothing was done twice. A batch that ends before is begun anew."""
    seed = random.randrange(2**32)
    generator = random.Random(seed)
    # What comes before the first item takes its time in each run; some items follow it.
    start = time.monotonic()
    run(*command, "--merge-reports")
    wait = time.monotonic() - start + seconds / 8
    killed = survivors = 0
    while killed < kills:
        done = done_counts(output, verb) if output.exists() else {}
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(generator.uniform(0, 2 * wait))
        process.kill()
        ended = process.wait() != -signal.SIGKILL
        # What was done stays done, and nothing is done a second time.
        now = done_counts(output, verb) if output.exists() else {}
        assert set(now.values()) <= {1}, f"seed {seed}: done twice"
        assert set(done) <= set(now), f"seed {seed}"
        if ended:
            check_ended(command, output, expected, verb, seed)
            shutil.rmtree(output / STORE / verb if verb else output)
        else:
            killed += 1
            survivors += len(now) - len(done)
    check_ended(command, output, expected, verb, seed)
    print(f"{killed} kills, before which {survivors} items were done")


def check_ended(command, output, expected, verb, seed):
    """Lets a batch end, and fails unless it ends like an undisturbed one."""
    process = run(*command)
    assert process.returncode == DONE, f"seed {seed}: {describe(process)}"
    assert tree(output) == expected, f"seed {seed}"
    assert set(done_counts(output, verb).values()) == {1}, f"seed {seed}"
    left = [path.name for path in output.rglob(".ckptconv-*") if path.name != STORE]
    assert not left, f"seed {seed}: {left}"


def tree(root):
    """The hash of every file below a directory, without what belongs to the batch itself."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*")) if path.is_file() and STORE not in path.parts}


def records(root, verb=""):
    """Everything that the journals say, each file's lines in their order; torn ends left out.

    Verbs that only look at checkpoints have journals of their own."""
    found = []
    for journal in sorted((root / STORE / verb).glob("journal*.jsonl")):
        for line in journal.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                found.append(json.loads(line))
    return found


def done_counts(root, verb=""):
    """How often each item became done."""
    counts = {}
    for record in records(root, verb):
        if record["state"] == "done":
            counts[record["item"]] = counts.get(record["item"], 0) + 1
    return counts
