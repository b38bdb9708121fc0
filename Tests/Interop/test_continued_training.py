"""OLMo's own trainer goes on from a directory that went there and back as from the original."""

import functools
import json
import shutil
import subprocess
import sys

import pytest

from files import checkpoints
from program import DONE, ROOT, describe, run

STEPS = 3
TRAINER = ROOT / "Tests/Interop/olmo_trainer.py"

directories = pytest.mark.parametrize(
    "directory", [path for path in checkpoints() if (path / "model.pt").exists()],
    ids=lambda path: "/".join(path.parts[-2:]))


def trained_on(checkpoint, folder):
    """What the trainer reports of its steps."""
    folder.mkdir()
    process = subprocess.run(
        [sys.executable, "-W", "ignore", TRAINER, checkpoint, str(STEPS), folder],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600)
    assert process.returncode == 0, process.stderr[-3000:]
    return json.loads(process.stdout)


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """What the trainer reports when it goes on from the original, by directory."""
    @functools.cache
    def reports(directory):
        return trained_on(directory, tmp_path_factory.mktemp("original") / "run")

    return reports


@directories
def test_the_losses_are_the_same_to_the_bit(directory, originals, tmp_path):
    converted, returned = tmp_path / "converted", tmp_path / directory.name
    for command, source, output in (
        ("pt-to-safetensors", directory, converted), ("safetensors-to-pt", converted, returned)
    ):
        process = run(command, source, "-o", output)
        assert process.returncode == DONE, describe(process)
    for name in ("config.yaml", "model.pt", "optim.pt", "train.pt"):
        assert (returned / name).read_bytes() == (directory / name).read_bytes(), name
    expected = originals(directory)
    assert len(expected) == STEPS and "train/CrossEntropyLoss" in expected[0], expected
    assert trained_on(returned, tmp_path / "returned-run") == expected


@directories
def test_a_directory_without_skeletons_trains_on_alike(directory, originals, tmp_path):
    """The object that comes back is then OLMo's nested dict, whose bytes are not the original's."""
    converted, returned = tmp_path / "converted", tmp_path / directory.name
    process = run(
        "pt-to-safetensors", directory, "-o", converted, "--no-skeleton", "--allow-loss")
    assert process.returncode == DONE, describe(process)
    process = run("safetensors-to-pt", converted, "-o", returned)
    assert process.returncode == DONE, describe(process)
    shutil.rmtree(converted)
    expected = originals(directory)
    assert trained_on(returned, tmp_path / "returned-run") == expected


@directories
def test_the_way_through_hugging_face_trains_on_alike(directory, originals, tmp_path):
    folder, returned = tmp_path / "hf", tmp_path / directory.name
    for command, source, output, *flags in (
        ("olmo-to-hf", directory, folder, "--optimizer"), ("hf-to-olmo", folder, returned)
    ):
        process = run(command, source, "-o", output, *flags)
        assert process.returncode == DONE, describe(process)
    assert trained_on(returned, tmp_path / "returned-run") == originals(directory)
