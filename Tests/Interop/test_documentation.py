"""What README.md and the pages in Documentation show is what the program prints.

`RECORD=1` writes the outputs into the pages anew.
"""

import os
import re
import subprocess

import pytest

from program import BINARY, FIXTURES, ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "Documentation").glob("*.md"))]
CONSOLE = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
IS_RECORDING = os.environ.get("RECORD") == "1"

SESSIONS = [
    pytest.param(page, index, id=f"{page.name}-{index}")
    for page in PAGES for index in range(len(CONSOLE.findall(page.read_text())))]


def printed(commands, folder):
    """The session as a terminal would show it, both streams together."""
    (folder / "Fixtures").symlink_to(FIXTURES)
    (folder / "Documentation").symlink_to(ROOT / "Documentation")
    (folder / "bin").mkdir()
    (folder / "bin/ckptconv").symlink_to(BINARY)
    environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    session = ""
    for command in commands:
        session += f"$ {command}\n"
        # The demo runs in the repository, where `make demo` runs it.
        actual = f"{ROOT / 'Scripts/demo'} bin/ckptconv" if command == "make demo" else command
        session += subprocess.run(
            ["bash", "-c", f"{actual}\ncode=$?; [ $code = 0 ] || echo \"[exit code $code]\""],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=True).stdout
    return session


@pytest.mark.parametrize("page, index", SESSIONS)
def test_a_session_is_what_is_printed(page, index, tmp_path):
    text = page.read_text()
    block = list(CONSOLE.finditer(text))[index]
    # `make demo` shows commands of its own, which are output here.
    lines = block[0].splitlines()
    commands = lines[:1] if lines[0] == "$ make demo" else [
        line for line in lines if line.startswith("$ ")]
    session = printed([line.removeprefix("$ ") for line in commands], tmp_path)
    if IS_RECORDING:
        page.write_text(text[:block.start()] + session + text[block.end():])
        return
    assert session == block[0]


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_picture_has_the_modules_in_the_order_of_the_package():
    package = (ROOT / "Package.swift").read_text()
    modules = re.findall(r'^    module\(\s*"Ckpt(\w+)", in: "(\w+)"', package, re.MULTILINE)
    page = (ROOT / "Documentation/architecture.md").read_text()
    layers = re.findall(r"^ Sources/(\w+): .*\n((?: [┌│├└].*\n)+)", page, re.MULTILINE)
    rows = [(name, layer) for layer, box in layers for name in re.findall(r"^ │ (\w+) ", box, re.M)]
    assert rows == [("ckptconv", "Converter"), *reversed(modules)]
