"""Runs the ckptconv binary: CKPTCONV, or the debug build of this checkout."""

import os
import pathlib
import shlex
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Fixtures"
BINARY = pathlib.Path(os.environ.get("CKPTCONV", ROOT / ".build/debug/ckptconv")).resolve()
PROBE = pathlib.Path(os.environ.get("CKPTPROBE", BINARY.with_name("ckptprobe"))).resolve()

DONE, DIFFERENCE, USAGE, DATA, IO = 0, 1, 64, 65, 74

# A small file is a matter of milliseconds; what takes this long hangs.
TIMEOUT_SECONDS = 60


def run(*arguments):
    """Runs ckptconv and returns the finished process with text output."""
    return subprocess.run(
        [BINARY, *map(os.fspath, arguments)], capture_output=True, text=True,
        timeout=TIMEOUT_SECONDS, stdin=subprocess.DEVNULL)


def describe(process):
    """The command, its exit code and what it said, for the message of an assertion."""
    return (
        f"{shlex.join(map(str, process.args))}\nexit {process.returncode}\n"
        f"stdout: {process.stdout[:2000]}\nstderr: {process.stderr[:2000]}")


def convert(source, output, *flags):
    """Converts one file or directory to safetensors; fails unless that works. Returns `output`."""
    return succeed("pt-to-safetensors", source, output, *flags)


def bring_back(source, output, *flags):
    """Converts one file or directory to `.pt`; fails unless that works. Returns `output`."""
    return succeed("safetensors-to-pt", source, output, *flags)


def succeed(command, source, output, *flags):
    process = run(command, source, "-o", output, *flags)
    assert process.returncode == DONE, describe(process)
    return output


def refuse(source, output, *flags, command="pt-to-safetensors"):
    """Converts what must be refused; fails unless exit 65 leaves nothing. Returns the message."""
    process = run(command, source, "-o", output, *flags)
    assert process.returncode == DATA, describe(process)
    assert process.stderr.startswith("ckptconv: error: "), describe(process)
    left = sorted(path.name for path in output.parent.iterdir() if path != source)
    assert not left, f"left behind: {left}\n{describe(process)}"
    return process.stderr


def probe(*arguments):
    """Runs calls of the library that commands do not give by themselves (`Tests/Probe`)."""
    process = subprocess.run(
        [PROBE, *map(os.fspath, arguments)], capture_output=True, text=True,
        timeout=600, stdin=subprocess.DEVNULL)
    assert process.returncode == DONE, describe(process)
