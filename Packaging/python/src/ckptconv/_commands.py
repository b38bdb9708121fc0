"""The other commands as functions. Each runs the program once."""

from __future__ import annotations

import base64
import json
import os
import struct
import subprocess
import tempfile
import zlib
from typing import IO, TYPE_CHECKING, Any, Dict, List

from ckptconv._load import inspect
from ckptconv._program import DIFFERENCE, DONE, environment, find_ckptconv_bin, report, run

if TYPE_CHECKING:
    from typing import Literal

_COMMANDS = {
    "safetensors": "pt-to-safetensors", "pt": "safetensors-to-pt",
    "hf": "olmo-to-hf", "olmo": "hf-to-olmo",
}

# The key of the skeleton in the metadata of a safetensors file.
_SKELETON = "ckptconv.skeleton"


def convert(
    source: str | os.PathLike[str], output: str | os.PathLike[str] | None = None, *,
    to: Literal["safetensors", "pt", "hf", "olmo"],
    **flags: bool | int | str | os.PathLike[str] | None,
) -> Dict[str, Any]:
    """Converts a file or a directory, and returns the report on what was written.

    ``to`` is the format of the output: ``safetensors``, ``pt``, ``hf`` (a Hugging Face folder of an
    OLMo checkpoint) or ``olmo`` (the way back). Without ``output`` the output is beside the source.
    Keyword arguments are the flags of the command: ``verify=True, layout="plain"``.

    Raises:
        CheckpointError: nothing, or not everything, was written.
    """
    command = _COMMANDS.get(to)
    if command is None:
        raise ValueError(f"to is one of {', '.join(_COMMANDS)}, not {to!r}")
    arguments = ["--json", *_spelled(flags)]
    if output is not None:
        arguments.append(f"--output={os.fspath(output)}")
    result: Dict[str, Any] = json.loads(run(command, *arguments, "--", source))
    return result


def verify(
    first: str | os.PathLike[str], second: str | os.PathLike[str], **flags: bool | int | str | None,
) -> Dict[str, Any]:
    """Compares two checkpoints bit for bit; ``["same"]`` of the report tells the result.

    The members are described in ckptconv's ``Documentation/json.md``, as for the other functions.

    Raises:
        CheckpointError: one of them cannot be read.
    """
    text = run(
        "verify", "--json", *_spelled(flags), "--", first, second, results=(DONE, DIFFERENCE))
    result: Dict[str, Any] = json.loads(text)
    return result


def scan(path: str | os.PathLike[str], **flags: bool | int | str | None) -> List[Dict[str, Any]]:
    """The code that the pickles of a file could run when loaded: one report on each file.

    Raises:
        CheckpointError: the file cannot be read.
    """
    text = run("scan", "--json", *_spelled(flags), "--", path, results=(DONE, DIFFERENCE))
    return [json.loads(line) for line in text.splitlines()]


def skeleton(path: str | os.PathLike[str]) -> Dict[str, Any] | None:
    """The skeleton of a file: the structure of its object, without the tensors' bytes.

    ckptconv's ``Documentation/skeleton.md`` specifies it. For a ``.pt`` file it is the one that a
    conversion would write. A safetensors file that another program wrote has none.

    Raises:
        CheckpointError: the file cannot be read.
    """
    if inspect(path)[0]["container"]["kind"] == "safetensors":
        with open(path, "rb") as file:
            metadata = _metadata(file)
    else:
        metadata = _converted_metadata(path)
    if _SKELETON not in metadata:
        return None
    document: Dict[str, Any] = json.loads(metadata[_SKELETON])
    if "deflate" not in document:
        return document
    # `inspect` has read the file, and with it the document: this is of the length that it says.
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    text = inflater.decompress(base64.b64decode(document["deflate"]), document["bytes"])
    inflated: Dict[str, Any] = json.loads(text)
    return inflated


def _converted_metadata(path: str | os.PathLike[str]) -> Dict[str, str]:
    """The metadata that a conversion to safetensors begins with; the rest of it is not awaited."""
    arguments = ["pt-to-safetensors", "--layout", "plain", "-o", "-", "--", path]
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(
            [find_ckptconv_bin(), *arguments], env=environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=errors,
        ) as process:
            assert process.stdout is not None
            try:
                return _metadata(process.stdout)
            except EOFError:
                exit_code = process.wait()
            finally:
                process.kill()
        errors.seek(0)
        report(errors.read(), exit_code, results=())
        raise AssertionError("a report without results raises")


def _metadata(file: IO[bytes]) -> Dict[str, str]:
    """The metadata in the header of a safetensors file."""
    (size,) = struct.unpack("<Q", _read(file, 8))
    metadata: Dict[str, str] = json.loads(_read(file, size)).get("__metadata__", {})
    return metadata


def _read(file: IO[bytes], count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _spelled(flags: Dict[str, Any]) -> List[str]:
    """Keyword arguments as the flags of a command line."""
    arguments = []
    for name, value in flags.items():
        flag = "--" + name.replace("_", "-")
        if value is True:
            arguments.append(flag)
        elif value is not False and value is not None:
            text = os.fspath(value) if isinstance(value, os.PathLike) else value
            arguments.append(f"{flag}={text}")
    return arguments
