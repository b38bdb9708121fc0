"""Whatever system call fails: the outputs are the old ones or the new ones, and nothing else is left.

A small conversion of each kind is run once to count its system calls (`faults.c`), and then once for
each call with that call failing, in the ways that such a call can fail.
"""

import collections
import dataclasses
import os
import shutil
import zipfile

import pytest

import faults
from program import DONE, FIXTURES, describe, run

# `make faults` sets this to 1: all commands, and everything that can happen to each call.
ALL = os.environ.get("CKPTCONV_FAULTS") == "1"

pytestmark = pytest.mark.skipif(
    not shutil.which("cc") and not shutil.which("clang"), reason="there is no C compiler")

VIEWS = FIXTURES / "plain/views.pt"
OLMO1 = FIXTURES / "olmo1-lionw/step12-unsharded"
OLMO2 = FIXTURES / "olmo2-fsdp/step6-unsharded"


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return faults.build(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A folder with what is converted, and beside it what the outputs are to replace."""
    folder = tmp_path_factory.mktemp("inputs")
    shutil.copy(VIEWS, folder / "views.pt")
    deflate(FIXTURES / "plain/state_dict-tied.pt", folder / "deflated.pt")
    shutil.copytree(OLMO1, folder / "olmo1-unsharded")
    shutil.copytree(OLMO2, folder / "olmo2-unsharded")
    (folder / "tree/a").mkdir(parents=True)
    shutil.copy(VIEWS, folder / "tree/views.pt")
    shutil.copy(FIXTURES / "plain/layouts.pt", folder / "tree/a/layouts.pt")
    for arguments in [
            ("pt-to-safetensors", folder / "views.pt"),
            ("olmo-to-hf", OLMO2, "--max-shard-size", "600KB", "-o", folder / "hf")]:
        process = run(*arguments)
        assert process.returncode == DONE, describe(process)
    return folder


def deflate(source, target):
    """The same archive with compressed entries."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))


@dataclasses.dataclass(frozen=True)
class Case:
    """A command, in which `@` stands for the directory of inputs."""

    line: str
    # Outputs that exist before and are replaced.
    old: tuple = ()
    takes_output: bool = False
    # Whether --resume goes on with it.
    resumes: bool = False
    # Whether it is run without being asked for, too.
    is_usual: bool = True

    def arguments(self, inputs):
        return [word.replace("@", f"{inputs}/") for word in self.line.split()]

    def prepare(self, work):
        for name in self.old:
            path = work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"the old {name}")


SHARDS = tuple(
    f"hf/{name}" for name in [
        "config.json", "generation_config.json", "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors", "model.safetensors.index.json"])
OLMO = tuple(f"x-unsharded/{name}" for name in ["config.yaml", "model.pt", "train.pt"])

CASES = {
    "file": Case("pt-to-safetensors @views.pt -o out.safetensors --threads 1", is_usual=False),
    "file-with-everything": Case(
        "pt-to-safetensors @views.pt -o out.safetensors --sync --verify --manifest m.json --json "
        "--threads 1"),
    "file-over-old": Case(
        "pt-to-safetensors @views.pt -o out.safetensors --force --sync --threads 1",
        old=("out.safetensors",)),
    "file-of-deflated": Case("pt-to-safetensors @deflated.pt -o out.safetensors --threads 1"),
    "file-by-threads": Case("pt-to-safetensors @olmo1-unsharded/model.pt -o out.st --threads 3"),
    "stream": Case("pt-to-safetensors @views.pt -o - --threads 1", takes_output=True),
    "directory": Case("pt-to-safetensors @olmo1-unsharded -o a/b --train --sync --threads 1"),
    "directory-over-old": Case(
        "pt-to-safetensors @olmo1-unsharded -o b --force --verify --threads 1",
        old=("b/model.safetensors", "b/train.pt", "b/other"), is_usual=False),
    "back": Case("safetensors-to-pt @views.safetensors -o out.pt --sync --verify --threads 1"),
    "back-over-old": Case(
        "safetensors-to-pt @views.safetensors -o out.pt --force --manifest m.json --threads 1",
        old=("out.pt", "m.json"), is_usual=False),
    "back-stream": Case("safetensors-to-pt @views.safetensors -o - --threads 1", takes_output=True),
    "export": Case("olmo-to-hf @olmo2-unsharded -o a/hf --max-shard-size 600KB --sync --threads 1"),
    "export-over-old": Case(
        "olmo-to-hf @olmo2-unsharded -o hf --max-shard-size 600KB --force --sync --threads 1",
        old=SHARDS, is_usual=False),
    "import": Case("hf-to-olmo @hf -o a/x-unsharded --sync --threads 1", is_usual=False),
    "import-over-old": Case("hf-to-olmo @hf -o x-unsharded --force --sync --threads 1", old=OLMO),
    "config": Case("config @olmo2-unsharded -o a/b --sync"),
    "config-over-old": Case(
        "config @olmo2-unsharded -o b --force --json", old=("b/config.json",)),
    "manifest": Case("verify @olmo1-unsharded --manifest m.json --threads 1"),
    "manifest-over-old": Case(
        "verify @views.pt --manifest m.json --force --threads 1", old=("m.json",)),
    "batch": Case(
        "batch pt-to-safetensors --files @tree -o a/out --threads 1 --report r.jsonl",
        resumes=True, is_usual=False),
    "batch-of-folders": Case(
        "batch olmo-to-hf @olmo2-unsharded -o out --threads 1", resumes=True, is_usual=False),
    "batch-of-configs": Case(
        "batch config @olmo2-unsharded -o out --to hf --threads 1", resumes=True, is_usual=False),
    "batch-keeps-going": Case(
        "batch pt-to-safetensors --files @tree -o out --threads 2 --jobs 2 --keep-going --verify",
        resumes=True),
}


def make_command(name, library, inputs, tmp_path):
    case = CASES[name]
    if not case.is_usual and not ALL:
        pytest.skip("make faults runs it")
    return faults.Run(
        library, tmp_path / "runs", case.arguments(inputs), prepare=case.prepare,
        takes_output=case.takes_output, is_gradual=len(case.old) > 0 or case.resumes,
        resume=["--resume"] if case.resumes else [])


def conclude(name, calls, verdicts):
    counts = collections.Counter(verdict.exit_code for verdict in verdicts)
    print(f"{name}: {len(calls)} calls, {len(verdicts)} faults; exit codes {dict(counts)}")
    wrong = [verdict for verdict in verdicts if verdict.complaints]
    assert not wrong, f"{len(wrong)} of {len(verdicts)}:\n" + "\n".join(map(str, wrong[:20]))


@pytest.mark.parametrize("name", CASES)
def test_each_system_call_fails(name, library, inputs, tmp_path):
    command = make_command(name, library, inputs, tmp_path)
    untouched = faults.state(inputs)
    calls = command.calls()
    assert len(calls) > 20
    chosen = faults.every_fault(calls) if ALL else (
        faults.one_fault_each(calls, list(CASES).index(name)))
    conclude(name, calls, faults.judge_all(command, chosen))
    assert faults.state(inputs) == untouched


@pytest.mark.parametrize("name", [name for name in CASES if not CASES[name].takes_output])
def test_killed_before_each_system_call(name, library, inputs, tmp_path):
    command = make_command(name, library, inputs, tmp_path)
    calls = command.calls()
    # Between two calls that only look at something nothing changes.
    looks = {"stat", "lstat", "fstat", "pread", "mmap", "readdir", "opendir", "statvfs", "getcwd"}
    chosen = [faults.Fault(*call, "kill") for call in calls if ALL or call[1] not in looks]
    verdicts = faults.judge_all(command, chosen, faults.judge_killed)
    left = sum(verdict.left > 0 for verdict in verdicts)
    print(f"{left} left a hidden name; ", end="")
    conclude(name, calls, verdicts)
