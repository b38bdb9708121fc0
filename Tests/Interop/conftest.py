"""Set-up that all interop tests share."""

import warnings

import pytest

import program


def pytest_sessionstart(session):
    if not program.BINARY.is_file():
        pytest.exit(f"no binary at {program.BINARY}: build it first, or set CKPTCONV", 64)
    warnings.simplefilter("ignore")


@pytest.fixture
def output(tmp_path):
    """A path in a folder of its own, in which nothing else may appear."""
    folder = tmp_path / "output"
    folder.mkdir()
    return folder / "model.safetensors"
