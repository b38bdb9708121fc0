"""A batch of many small real checkpoints, and what it leaves behind."""

import hashlib
import json
import shutil

from files import ZIP, below, kind
from program import BINARY, FIXTURES

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


def command(folder, output, *flags):
    return [
        BINARY, "batch", "pt-to-safetensors", "--files", "--keep-going", folder, "-o", output,
        *flags]


def tree(root):
    """The hash of every file below a directory, without what belongs to the batch itself."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*")) if path.is_file() and STORE not in path.parts}


def records(root):
    """Everything that the journals say, each file's lines in their order; torn ends left out."""
    found = []
    for journal in sorted((root / STORE).glob("journal*.jsonl")):
        for line in journal.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                found.append(json.loads(line))
    return found


def done_counts(root):
    """How often each item became done."""
    counts = {}
    for record in records(root):
        if record["state"] == "done":
            counts[record["item"]] = counts.get(record["item"], 0) + 1
    return counts
