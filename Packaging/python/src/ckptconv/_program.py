"""Runs the program and turns what it says into exceptions and warnings."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import warnings
from typing import Any, Iterable

DONE, DIFFERENCE = 0, 1


class CheckpointError(Exception):
    """Something was not done: a file is damaged, unsafe or missing, or the system refused.

    Attributes:
        message: where and what was found against what was expected, as one sentence.
        code: the kind of fault, such as ``truncated``, ``forbidden`` or ``inputOutput``; ckptconv's
            ``Documentation/json.md`` lists them.
        place: where, outermost first: file, archive entry, tensor.
        offset: the byte in the innermost place, or None.
        remedy: what can be done about it, or None.
    """

    def __init__(
        self, message: str, code: str = "unsupported", place: Iterable[str] = (),
        offset: int | None = None, remedy: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.place = tuple(place)
        self.offset = offset
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.remedy}" if self.remedy else self.message


class CheckpointWarning(UserWarning):
    """Something was done, but not as it might be expected."""


def find_ckptconv_bin() -> str:
    """The path of the program that was installed with this package, else of one on the PATH."""
    name = "ckptconv" + (sysconfig.get_config_var("EXE") or "")
    package = os.path.dirname(os.path.abspath(__file__))
    folders = [
        sysconfig.get_path("scripts"),
        sysconfig.get_path("scripts", scheme=f"{os.name}_user"),
        # Where `pip install --target` puts it.
        os.path.join(os.path.dirname(package), "bin"),
    ]
    for folder in folders:
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"no {name} in {', '.join(folders)} or on the PATH")
    return found


def run(command: str, *arguments: str | os.PathLike[str], results: Iterable[int] = (DONE,)) -> str:
    """Runs a command and returns what it prints.

    ``results`` are the exit codes that are no failure. Warnings become `CheckpointWarning`.
    """
    process = subprocess.run(
        [find_ckptconv_bin(), command, *arguments], env=environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    report(process.stderr, process.returncode, results)
    return process.stdout.decode()


def environment() -> dict[str, str]:
    """The environment of this process, with messages as `report` reads them."""
    return {**os.environ, "CKPTCONV_MESSAGES": "json"}


def report(stderr: bytes, exit_code: int, results: Iterable[int] = (DONE,)) -> None:
    """Warns of what there is to warn of, and raises the first error if the run has failed."""
    messages: list[dict[str, Any]] = []
    # The last words of a program that crashes are no JSON.
    words: list[str] = []
    for line in stderr.decode(errors="replace").split("\n"):
        if line.startswith("{"):
            messages.append(json.loads(line))
        elif line:
            words.append(line)
    for message in messages:
        if message["level"] == "warning":
            warnings.warn(message["message"], CheckpointWarning, stacklevel=_depth())
    if exit_code in results:
        return
    for message in messages:
        if message["level"] == "error":
            raise CheckpointError(
                message["message"], message["code"] or "malformed", message["path"],
                message["offset"], message["hint"])
    raise CheckpointError(
        "\n".join([f"ckptconv ended with exit status {exit_code}", *words]), "crashed")


def _depth() -> int:
    """How many calls are between a warning and whoever called this package."""
    depth, frame = 1, sys._getframe(1)
    package = __name__.partition(".")[0]
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        depth, frame = depth + 1, frame.f_back
    return depth
