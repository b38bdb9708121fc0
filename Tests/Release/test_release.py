"""The archive and the wheel install and run on any Linux: `make test-release`, as root.

CKPTCONV_DIST is their folder. CKPTCONV_SYSTEMS names trees of other systems to run the program in,
such as those that debootstrap makes, joined with `:`.
"""

import contextlib
import filecmp
import functools
import glob
import hashlib
import http.server
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DIST = pathlib.Path(os.environ["CKPTCONV_DIST"])
STEP = ROOT / "Fixtures/olmo2-fsdp/step6-unsharded"
(ARCHIVE,) = DIST.glob("ckptconv-*-linux-*.tar.xz")
(WHEEL,) = DIST.glob("ckptconv-*.whl")
VERSION = ARCHIVE.name.split("-")[1]
INSTALLED = {
    "bin/ckptconv", "share/man/man1/ckptconv.1", "share/bash-completion/completions/ckptconv",
    "share/fish/vendor_completions.d/ckptconv.fish", "share/zsh/site-functions/_ckptconv"}
LICENSES = {"share/doc/ckptconv/LICENSE", "share/doc/ckptconv/THIRD_PARTY.txt"}

# Both conversions, the folder for transformers, and what only reads.
COMMANDS = [
    "pt-to-safetensors step -o packed", "safetensors-to-pt packed -o back", "verify step packed",
    "olmo-to-hf step -o hf --optimizer", "hf-to-olmo hf -o olmo", "inspect --json step",
    "check step", "scan step"]


def run(*command, **options):
    process = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        stdin=subprocess.DEVNULL, **options)
    assert process.returncode == 0, f"{command}: exit {process.returncode}\n{process.stdout}"
    return process.stdout


def files_below(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def assert_same_tree(first, second):
    assert files_below(first) == files_below(second)
    for name in files_below(first):
        assert filecmp.cmp(first / name, second / name, shallow=False), name


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    run("tar", "-xf", ARCHIVE, "-C", folder)
    return folder / ARCHIVE.name.removesuffix(".tar.xz") / "bin/ckptconv"


@pytest.fixture(scope="session")
def expected(program, tmp_path_factory):
    """The outputs of the program on this system, and what it printed."""
    folder = tmp_path_factory.mktemp("here")
    shutil.copytree(STEP, folder / "step")
    printed = [run(program, *command.split(), cwd=folder) for command in COMMANDS]
    assert_same_tree(folder / "back", STEP)
    return folder, printed


def test_the_program_needs_no_library(program):
    process = subprocess.run(["ldd", program], capture_output=True, text=True)
    assert "not a dynamic executable" in process.stderr


SYSTEMS = [None, *filter(None, os.environ.get("CKPTCONV_SYSTEMS", "").split(":"))]


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda path: os.path.basename(path or "empty"))
def test_the_program_runs_in_other_systems(system, program, expected, tmp_path):
    root = pathlib.Path(system) if system else tmp_path
    # What containers and batch nodes have at least.
    for name in "proc", "tmp":
        (root / name).mkdir(exist_ok=True)
    folder = root / "ckptconv-test"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(STEP, folder / "step")
    shutil.copy(program, folder)
    outputs, printed = expected
    # The mount is seen by this process alone, and ends with it.
    inside = "mount -t proc proc proc && exec chroot . /ckptconv-test/ckptconv"
    for command, said in zip(COMMANDS, printed, strict=True):
        words = [
            f"/ckptconv-test/{word}" if (folder / word).exists() or previous == "-o" else word
            for previous, word in zip(["", *command.split()], command.split())]
        found = run("unshare", "--mount", "sh", "-c", f'{inside} "$@"', "sh", *words, cwd=root)
        assert found.replace("/ckptconv-test/", "") == said, command
    (folder / "ckptconv").unlink()
    assert_same_tree(folder, outputs)
    shutil.rmtree(folder)


@contextlib.contextmanager
def served(folder):
    """The address of a folder on a server of this machine."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    handler.log_message = None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def install(*arguments, **options):
    return run("sh", DIST / "install.sh", *arguments, **options)


@pytest.mark.parametrize("is_remote", [False, True], ids=["file", "address"])
def test_the_archive_installs(is_remote, tmp_path):
    with served(DIST) if is_remote else contextlib.nullcontext(ARCHIVE) as source:
        install("--prefix", "there", source, cwd=tmp_path)
    prefix = tmp_path / "there"
    assert files_below(prefix) == INSTALLED | LICENSES
    assert run(prefix / "bin/ckptconv", "--version") == f"ckptconv {VERSION}\n"
    notices = (prefix / "share/doc/ckptconv/THIRD_PARTY.txt").read_text()
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in notices and "(package libc6-dev)" in notices
    # A newer version replaces it, also while it runs.
    with subprocess.Popen([prefix / "bin/ckptconv", "inspect", STEP], stdout=subprocess.PIPE):
        install("--prefix", prefix, ARCHIVE)
    assert files_below(prefix) == INSTALLED | LICENSES


def test_an_archive_with_another_sum_is_refused(tmp_path):
    shutil.copy(DIST / "SHA256SUMS", tmp_path)
    data = bytearray(ARCHIVE.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / ARCHIVE.name).write_bytes(data)
    process = subprocess.run(
        ["sh", DIST / "install.sh", "--prefix", tmp_path / "there", tmp_path / ARCHIVE.name],
        capture_output=True, text=True)
    assert process.returncode == 1
    assert "is not the file that SHA256SUMS lists" in process.stderr
    assert not (tmp_path / "there").exists()


def test_the_sums_are_those_of_the_files():
    lines = (DIST / "SHA256SUMS").read_text().splitlines()
    sums = dict(reversed(line.split("  ")) for line in lines)
    assert set(sums) == {ARCHIVE.name, WHEEL.name, "install.sh"}
    for name, digest in sums.items():
        assert hashlib.sha256((DIST / name).read_bytes()).hexdigest() == digest


def pythons():
    """Every Python from 3.8 on that is here, by its version."""
    found = {}
    for path in [sys.executable, *glob.glob("/usr/bin/python3*"), *glob.glob(
            os.path.expanduser("~/.pyenv/versions/*/bin/python3"))]:
        code = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
        process = subprocess.run([path, "-c", code], capture_output=True, text=True)
        if process.returncode == 0 and tuple(map(int, process.stdout.split("."))) >= (3, 8):
            found.setdefault(process.stdout.strip(), path)
    return dict(sorted(found.items(), key=lambda item: int(item[0].split(".")[1])))


@pytest.mark.parametrize("version, python", pythons().items())
def test_pip_installs_the_wheel_without_a_network(version, python, tmp_path):
    venv = tmp_path / "venv"
    run(python, "-m", "venv", venv)
    run("unshare", "--net", venv / "bin/pip", "install", "--no-index", WHEEL)
    assert all((venv / name).is_file() for name in INSTALLED)
    # The file on the PATH is the program itself: no Python starts.
    assert (venv / "bin/ckptconv").read_bytes()[:4] == b"\x7fELF"
    assert run(venv / "bin/ckptconv", "--version") == f"ckptconv {VERSION}\n"
    assert run(venv / "bin/python", "-m", "ckptconv", "--version") == f"ckptconv {VERSION}\n"
    there_and_back = (
        "import ckptconv, sys; step, out, back = sys.argv[1:]\n"
        "ckptconv.convert(step, out, to='safetensors', verify=True)\n"
        "ckptconv.convert(out, back, to='pt')\n"
        "step = ckptconv.values(step)['global_step']\n"
        "print(ckptconv.__version__, len(ckptconv.inspect(back)), step)\n")
    printed = run(
        venv / "bin/python", "-I", "-c", there_and_back, STEP, tmp_path / "out", tmp_path / "back")
    assert printed == f"{VERSION} 3 6\n"
    assert_same_tree(tmp_path / "back", STEP)


def test_other_installers(tmp_path):
    environment = {
        **os.environ, "HOME": str(tmp_path), "UV_TOOL_DIR": str(tmp_path / "uv"),
        "UV_TOOL_BIN_DIR": str(tmp_path / "uv-bin"), "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(tmp_path / "pipx-bin")}
    tools = pathlib.Path(sys.executable).parent
    pip = tools / "python", "-m", "pip", "install", "--no-index"
    run(*pip, "--target", tmp_path / "target", WHEEL)
    run(tools / "uv", "tool", "install", "--offline", WHEEL, env=environment)
    run(tools / "pipx", "install", WHEEL, env=environment)
    for folder in "target/bin", "uv-bin", "pipx-bin":
        assert run(tmp_path / folder / "ckptconv", "--version") == f"ckptconv {VERSION}\n"
    environment["PYTHONPATH"] = str(tmp_path / "target")
    printed = run(tools / "python", "-m", "ckptconv", "--version", env=environment)
    assert printed == f"ckptconv {VERSION}\n"


def test_the_index_would_take_the_wheel():
    tools = pathlib.Path(sys.executable).parent
    assert "PASSED" in run(tools / "twine", "check", "--strict", WHEEL)
    assert "requires no external shared libraries" in run(tools / "auditwheel", "show", WHEEL)


@pytest.fixture(scope="session")
def recipes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recipes")
    address = "https://example.org/me/ckptconv/releases/download/v1"
    run(ROOT / "Packaging/fill", ARCHIVE, address, folder)
    for recipe in files_below(folder):
        text = (folder / recipe).read_text()
        assert "@" not in text.replace("$@", ""), f"{recipe} has a place that is not filled in"
        assert f"{address}/" in text and "https://example.org/me/ckptconv" in text
        assert hashlib.sha256(ARCHIVE.read_bytes()).hexdigest() in text
    return folder


def test_the_recipe_for_arch_linux(recipes, tmp_path):
    run("tar", "-xf", ARCHIVE, "-C", tmp_path)
    steps = 'source "$0"; pkgdir=$PWD/package; check; (package); echo "$pkgname $pkgver $license"'
    printed = run("bash", "-euc", steps, recipes / "PKGBUILD", cwd=tmp_path)
    assert printed == f"ckptconv-bin {VERSION} Apache-2.0\n"
    notices = {f"share/licenses/ckptconv-bin/{name}" for name in ("LICENSE", "THIRD_PARTY.txt")}
    assert files_below(tmp_path / "package/usr") == INSTALLED | notices


def test_the_recipe_for_conda(recipes, tmp_path):
    recipe = yaml.safe_load((recipes / "conda/meta.yaml").read_text())
    run("tar", "-xf", ARCHIVE, "-C", tmp_path, "--strip-components=1")
    environment = {**os.environ, "PREFIX": str(tmp_path / "prefix")}
    for command in recipe["build"]["script"]:
        run("sh", "-euc", command, cwd=tmp_path, env=environment)
    assert files_below(tmp_path / "prefix") == INSTALLED
    environment["PATH"] = f"{tmp_path / 'prefix/bin'}:{os.environ['PATH']}"
    for command in recipe["test"]["commands"]:
        run("sh", "-euc", command, env=environment)
    assert all((tmp_path / name).is_file() for name in recipe["about"]["license_file"])


def test_workflows_follow_their_schema_and_call_targets_that_are_there():
    workflows = sorted((ROOT / ".github/workflows").glob("*.yml"))
    tools = pathlib.Path(sys.executable).parent
    run(tools / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    targets = set(re.findall(r"^  make ([\w-]+)", run("make", "help", cwd=ROOT), re.MULTILINE))
    for workflow in workflows:
        for job in yaml.safe_load(workflow.read_text())["jobs"].values():
            for step in job["steps"]:
                command = step.get("run", "")
                if command.startswith("make "):
                    called = {word for word in command.split()[1:] if "=" not in word}
                    assert called and called <= targets, f"{workflow.name}: {command}"
