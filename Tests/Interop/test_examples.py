"""What Examples shows works. The scripts for Slurm have a test of their own: `make test-slurm`."""

import os
import shutil
import signal
import subprocess
import time

import pytest

import batches
from program import BINARY, DATA, FIXTURES, ROOT, describe, convert

EXAMPLES = ROOT / "Examples"
COMMANDS = {
    "a shell loop": ["sh", EXAMPLES / "loop.sh", "runs", "converted"],
    "GNU parallel": ["sh", EXAMPLES / "parallel.sh", "runs", "converted"],
    "make": [
        "make", "--silent", "--keep-going", "-j2", "-f", EXAMPLES / "Makefile", "RUNS=runs",
        "ROOT=converted"],
}


@pytest.fixture
def folder(tmp_path):
    """A directory with runs to convert, in which the examples find the program."""
    for step in range(5):
        shutil.copytree(
            FIXTURES / "olmo1-lionw/step12-unsharded", tmp_path / f"runs/step{step}-unsharded")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/ckptconv").symlink_to(BINARY)
    return tmp_path


def start(name, folder, **options):
    if not shutil.which(command := COMMANDS[name][0]):
        pytest.skip(f"{command} is not installed")
    if name == "GNU parallel" and "GNU parallel" not in subprocess.run(
            ["parallel", "--version"], capture_output=True, text=True).stdout:
        pytest.skip("GNU parallel is not installed")
    # Without this, GNU parallel asks to be cited.
    environment = {
        **os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "PARALLEL_HOME": str(folder / "parallel")}
    (folder / "parallel").mkdir(exist_ok=True)
    (folder / "parallel/will-cite").touch()
    return subprocess.Popen(
        COMMANDS[name], cwd=folder, env=environment, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def run(name, folder):
    process = start(name, folder)
    output, errors = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


@pytest.mark.parametrize("name", COMMANDS)
def test_an_example_converts_everything_and_then_nothing_more(name, folder):
    expected = {}
    for step in sorted((folder / "runs").iterdir()):
        output = convert(step, folder / "expected" / step.name)
        expected |= {
            f"{step.name}/{path}": digest for path, digest in batches.tree(output).items()}
    process = run(name, folder)
    assert process.returncode == 0, describe(process)
    assert batches.tree(folder / "converted") == expected
    times = {path: path.stat().st_mtime_ns for path in (folder / "converted").rglob("*.safetensors")}
    process = run(name, folder)
    assert process.returncode == 0, describe(process)
    assert times == {path: path.stat().st_mtime_ns for path in times}


@pytest.mark.parametrize("delay", [0, 0.01, 0.03, 0.1])
def test_a_killed_loop_leaves_whole_directories_and_goes_on(delay, folder):
    whole = batches.tree(convert(folder / "runs/step0-unsharded", folder / "expected"))
    process = start("a shell loop", folder, start_new_session=True)
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    for path in (folder / "converted").glob("step*"):
        assert batches.tree(path) == whole
    process = run("a shell loop", folder)
    assert process.returncode == 0, describe(process)
    for step in range(5):
        assert batches.tree(folder / f"converted/step{step}-unsharded") == whole


@pytest.mark.parametrize("name", COMMANDS)
def test_a_broken_checkpoint_fails_an_example_and_not_the_others(name, folder):
    broken = folder / "runs/step2-unsharded/model.pt"
    broken.write_bytes(broken.read_bytes()[:5000])
    process = run(name, folder)
    assert process.returncode != 0, describe(process)
    assert "step2-unsharded/model.pt: " in process.stderr
    converted = {path.parent.name for path in (folder / "converted").rglob("model.safetensors")}
    assert converted == {f"step{step}-unsharded" for step in (0, 1, 3, 4)}
    if name != "make":
        assert process.returncode == DATA
