"""The checkpoints to test with, and byte comparison of safetensors files."""

import os
import pathlib
import zipfile

import safetensors_file
from program import FIXTURES

ZIP, TORCHSCRIPT, LEGACY = "torch-zip", "torchscript", "torch-legacy"
SUFFIXES = {".pt", ".pth", ".ckpt", ".tar", ".bin"}


def kind(path):
    """What a file is, by its content."""
    with open(path, "rb") as file:
        if file.read(4) != b"PK\x03\x04":
            return LEGACY
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    return TORCHSCRIPT if any(name.endswith("/constants.pkl") for name in names) else ZIP


def below(folder):
    return sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES)


def named_by(variable):
    """The folders in an environment variable, joined with `:`."""
    return [pathlib.Path(name) for name in os.environ.get(variable, "").split(":") if name]


def corpus():
    """The fixtures, and the files in folders of the same kind that CKPTCONV_CORPUS names."""
    folders = [FIXTURES / "torch-corpus", FIXTURES / "plain", *named_by("CKPTCONV_CORPUS")]
    return [path for folder in folders for path in below(folder)]


def of_kind(*wanted):
    return [path for path in corpus() if kind(path) in wanted]


def checkpoints():
    """The OLMo directories of the fixtures and below the folders in CKPTCONV_CHECKPOINTS."""
    return sorted(
        path.parent
        for folder in (FIXTURES, *named_by("CKPTCONV_CHECKPOINTS"))
        for path in folder.rglob("config.yaml")
        if path.parent.name.endswith("-unsharded"))


def label(path):
    """A short name for test ids."""
    return "/".join(path.parts[-2:])


def assert_same_file(expected, found, what):
    """Fails where two safetensors files differ in a byte, naming the entry that differs."""
    left, right = expected.read_bytes(), found.read_bytes()
    if left == right:
        return
    ours, theirs = safetensors_file.read(found), safetensors_file.read(expected)
    assert list(ours.tensors) == list(theirs.tensors), f"{what}: names or their order differ"
    assert ours.metadata == theirs.metadata, f"{what}: __metadata__ differs"
    for name, entry in theirs.tensors.items():
        mine = ours.tensors[name]
        assert (mine.dtype, mine.shape) == (entry.dtype, entry.shape), f"{what}: {name!r} differs"
        assert bytes(mine.data) == bytes(entry.data), f"{what}: the bytes of {name!r} differ"
    first = next(
        (at for at, pair in enumerate(zip(left, right)) if pair[0] != pair[1]),
        min(len(left), len(right)))
    raise AssertionError(
        f"{what}: {len(left)} bytes expected, {len(right)} found, first difference at byte {first}:"
        f"\nexpected ...{left[max(first - 40, 0):first + 40]!r}"
        f"\nfound    ...{right[max(first - 40, 0):first + 40]!r}")
