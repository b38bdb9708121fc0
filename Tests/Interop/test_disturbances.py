"""Full disks, read-only directories, other runs, changing sources, kills and closed pipes: the output is
the old one or the new one, and nothing else is left."""

import contextlib
import errno
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import stat
import struct
import subprocess
import tempfile
import time

import pytest

import faults
from faults import hidden
from program import BINARY, DATA, DONE, FIXTURES, IO, TIMEOUT_SECONDS, describe, run

# `make faults` sets this to 1.
ALL = os.environ.get("CKPTCONV_FAULTS") == "1"
KILLS = 16 if ALL else 2

VIEWS = FIXTURES / "plain/views.pt"
OLMO1 = FIXTURES / "olmo1-lionw/step12-unsharded"
OLMO2 = FIXTURES / "olmo2-fsdp/step6-unsharded"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    for arguments in [
            ("pt-to-safetensors", OLMO2 / "model.pt", "-o", folder / "model.safetensors"),
            ("olmo-to-hf", OLMO2, "--max-shard-size", "600KB", "-o", folder / "hf")]:
        process = run(*arguments)
        assert process.returncode == DONE, describe(process)
    (folder / "tree").mkdir()
    for name in ("one", "two", "three"):
        shutil.copy(VIEWS, folder / f"tree/{name}.pt")
    (folder / "broken.pt").write_bytes(VIEWS.read_bytes()[:3000])
    return folder


# Each command, with its inputs; what it writes is called `out`.
COMMANDS = {
    "pt-to-safetensors": lambda inputs: ["pt-to-safetensors", OLMO2 / "model.pt", "-o", "out"],
    "pt-to-safetensors-directory": lambda inputs: ["pt-to-safetensors", OLMO1, "-o", "out"],
    "safetensors-to-pt": lambda inputs: [
        "safetensors-to-pt", inputs / "model.safetensors", "-o", "out"],
    "olmo-to-hf": lambda inputs: ["olmo-to-hf", OLMO2, "-o", "out", "--max-shard-size", "600KB"],
    "hf-to-olmo": lambda inputs: ["hf-to-olmo", inputs / "hf", "-o", "out"],
    "config": lambda inputs: ["config", OLMO2, "-o", "out"],
    "verify": lambda inputs: ["verify", OLMO1, "--manifest", "out"],
    "batch": lambda inputs: ["batch", "pt-to-safetensors", "--files", inputs / "tree", "-o", "out"],
}

each_command = pytest.mark.parametrize("name", COMMANDS)


def start(arguments, folder, **options):
    return subprocess.Popen(
        [BINARY, *map(os.fspath, arguments)], cwd=folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def finish(process):
    """Waits until a process has ended; the finished process."""
    output, errors = process.communicate(timeout=TIMEOUT_SECONDS)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def run_in(folder, arguments, **options):
    return finish(start(arguments, folder, **options))


@pytest.fixture(scope="module")
def undisturbed(inputs, tmp_path_factory):
    """What each command leaves behind when nothing happens to it."""
    found = {}
    for name, arguments in COMMANDS.items():
        folder = tmp_path_factory.mktemp(name)
        process = run_in(folder, arguments(inputs))
        assert process.returncode == DONE, describe(process)
        found[name] = faults.state(folder)
    return found


# Disks


def failed(process, *reasons):
    assert process.returncode == IO, describe(process)
    assert process.stderr.startswith("ckptconv: error: "), describe(process)
    assert any(reason in process.stderr for reason in reasons), describe(process)


@contextlib.contextmanager
def mounted(folder, *options):
    """A file system of its own at `folder`, which takes rights that root has."""
    folder.mkdir()
    if shutil.which("mount") is None or subprocess.run(
            ["mount", *options, folder], capture_output=True).returncode:
        pytest.skip("this user cannot mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@each_command
def test_a_full_disk_is_reported_and_has_nothing_on_it(name, inputs, tmp_path):
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=32k", "tmpfs") as disk:
        (disk / "rest").write_bytes(bytes(28 << 10))
        process = run_in(disk, COMMANDS[name](inputs))
        failed(process, "not enough space", "no space left on device")
        assert "free some space, or choose another output with -o" in process.stderr
        found = set(faults.state(disk)) - {"rest"}
        assert {path for path in found if faults.STORE not in path} <= {"out"}
        assert name == "batch" or not found


@each_command
def test_a_disk_without_room_for_names_is_reported(name, inputs, tmp_path):
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=16m,nr_inodes=2", "tmpfs") as disk:
        (disk / "rest").touch()
        failed(run_in(disk, COMMANDS[name](inputs)), "no space left on device")
        assert set(faults.state(disk)) == {"rest"}


@each_command
def test_a_read_only_file_system_is_reported(name, inputs, tmp_path):
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=16m", "tmpfs") as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        process = run_in(disk, COMMANDS[name](inputs))
        failed(process, "read-only file system")
        assert "choose another output with -o" in process.stderr
        assert not faults.state(disk)


@pytest.fixture
def somebody():
    """A directory and a copy of the program that other users reach; what makes a process one."""
    folder = pathlib.Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    try:
        if os.geteuid():
            yield folder, BINARY, {}
        else:
            program = folder / "ckptconv"
            shutil.copy(BINARY, program)
            options = {"user": 65534, "group": 65534, "extra_groups": []}
            if subprocess.run([program, "--version"], capture_output=True, **options).returncode:
                pytest.skip("other users cannot run the program here")
            yield folder, program, options
    finally:
        shutil.rmtree(folder)


@each_command
def test_a_directory_without_permission_is_reported(name, inputs, somebody):
    folder, program, options = somebody
    shutil.copytree(OLMO1, folder / "olmo1-unsharded")
    shutil.copytree(OLMO2, folder / "olmo2-unsharded")
    shutil.copytree(inputs, folder / "inputs")
    names = {OLMO1: folder / "olmo1-unsharded", OLMO2: folder / "olmo2-unsharded",
             OLMO2 / "model.pt": folder / "olmo2-unsharded/model.pt"}
    closed = folder / "closed"
    closed.mkdir()
    closed.chmod(0o555)
    before = faults.state(folder)
    arguments = [names.get(word, word) for word in COMMANDS[name](folder / "inputs")]
    process = subprocess.run(
        [program, *map(os.fspath, arguments)], cwd=closed, capture_output=True, text=True,
        timeout=TIMEOUT_SECONDS, **options)
    failed(process, "permission denied")
    assert faults.state(folder) == before


LIMITS = {
    "the size of files": (resource.RLIMIT_FSIZE, 64, "file too large"),
    "open files": (resource.RLIMIT_NOFILE, 4, "too many open files")}


@pytest.mark.parametrize("limit", LIMITS)
@each_command
def test_a_limit_is_reported(name, limit, inputs, tmp_path):
    kind, value, words = LIMITS[limit]
    process = run_in(
        tmp_path, COMMANDS[name](inputs),
        preexec_fn=lambda: resource.setrlimit(kind, (value, value)))
    failed(process, words)
    assert {path for path in faults.state(tmp_path) if faults.STORE not in path} <= {"out"}


# Other runs


@each_command
def test_of_runs_with_one_output_one_wins(name, inputs, undisturbed, tmp_path):
    for _ in range(10 if ALL else 1):
        folder = pathlib.Path(tempfile.mkdtemp(dir=tmp_path))
        processes = [start(COMMANDS[name](inputs), folder) for _ in range(6)]
        processes = [finish(process) for process in processes]
        codes = [process.returncode for process in processes]
        assert codes.count(DONE) >= 1 and set(codes) <= {DONE, IO}, codes
        # A batch that begins after the first one has ended finds its outputs.
        assert codes.count(DONE) == 1, codes
        assert faults.state(folder) == undisturbed[name]


@each_command
def test_runs_that_replace_one_output_leave_a_whole_one(name, inputs, undisturbed, tmp_path):
    for _ in range(10 if ALL else 1):
        folder = pathlib.Path(tempfile.mkdtemp(dir=tmp_path))
        process = run_in(folder, COMMANDS[name](inputs))
        processes = [start([*COMMANDS[name](inputs), "--force"], folder) for _ in range(6)]
        for process in map(finish, processes):
            allowed = {DONE, IO} if name == "batch" else {DONE}
            assert process.returncode in allowed, describe(process)
        assert faults.state(folder) == undisturbed[name]


def test_runs_that_fail_do_not_take_directories_from_those_that_succeed(inputs, tmp_path):
    for attempt in range(20 if ALL else 3):
        processes = []
        for number in range(8):
            source = inputs / "broken.pt" if number % 2 else VIEWS
            output = f"{attempt}/a/b/{number}/"
            processes.append(start(["pt-to-safetensors", source, "-o", output], tmp_path))
            output = f"{attempt}/a/b/"
        codes = [finish(process).returncode for process in processes]
        assert codes == [DONE, DATA] * 4
        found = {path for path, value in faults.state(tmp_path / str(attempt)).items() if value}
        assert found == {f"a/b/{number}/views.safetensors" for number in (0, 2, 4, 6)}


# Sources that change


@pytest.fixture
def large(tmp_path):
    """A safetensors file of 128 MiB of zeros that take no room."""
    path = tmp_path / "large.safetensors"
    size = 128 << 20
    header = json.dumps({"w": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}})
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header.encode())
        file.truncate(8 + len(header) + size)
    yield path
    path.unlink(missing_ok=True)


def read_count(process):
    """How many bytes a process has read."""
    counts = pathlib.Path(f"/proc/{process.pid}/io").read_text()
    return int(counts.split("rchar: ")[1].split("\n")[0])


def start_and_stop(arguments, folder, **options):
    """A process that is stopped in the middle of reading a large file."""
    for _ in range(20):
        process = start(arguments, folder, **options)
        with contextlib.suppress(OSError):
            while read_count(process) < 4 << 20:
                time.sleep(0.001)
            process.send_signal(signal.SIGSTOP)
            if read_count(process) < 100 << 20:
                return process
            process.send_signal(signal.SIGCONT)
        finish(process)
        shutil.rmtree(folder)
        folder.mkdir()
    pytest.skip("this machine reads too fast")


READERS = {
    "safetensors-to-pt": lambda large: ["safetensors-to-pt", large, "-o", "out.pt"],
    "verified": lambda large: ["safetensors-to-pt", large, "-o", "out.pt", "--verify", "--sync"],
    "manifest": lambda large: ["verify", large, "--manifest", "out.json"],
    "compared": lambda large: ["verify", large, large],
    "checked": lambda large: ["check", large, "--finite"],
}


def truncate(path):
    os.truncate(path, path.stat().st_size // 8)


def overwrite(path):
    with open(path, "r+b") as file:
        file.seek(-8, os.SEEK_END)
        file.write(b"\1" * 8)


@pytest.mark.skipif(not os.path.exists("/proc/self/io"), reason="nothing tells what is read")
@pytest.mark.parametrize("disturb", [truncate, overwrite])
@pytest.mark.parametrize("name", READERS)
def test_a_source_that_changes_while_it_is_read_is_an_error(name, disturb, large, tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    process = start_and_stop([*READERS[name](large), "--threads", "1"], folder)
    disturb(large)
    process.send_signal(signal.SIGCONT)
    process = finish(process)
    failed(process, "the file changed while it was read", "the file shrank while it was read")
    assert "run again when no program writes to it" in process.stderr
    assert not faults.state(folder)


# Kills and signals


@each_command
@pytest.mark.parametrize("replaces", [False, True], ids=["new", "over-old"])
def test_a_killed_run_leaves_the_old_or_the_new(name, replaces, inputs, undisturbed, tmp_path):
    seed = random.randrange(2**32)
    generator = random.Random(seed)
    whole = undisturbed[name]
    begin = time.monotonic()
    run_in(tmp_path, COMMANDS[name](inputs))
    duration = time.monotonic() - begin
    force = ["--force"] if replaces else []
    killed = left = 0
    for number in range(KILLS):
        folder = tmp_path / str(number)
        folder.mkdir()
        if replaces:
            for path, value in whole.items():
                if value:
                    (folder / path).parent.mkdir(parents=True, exist_ok=True)
                    (folder / path).write_text(f"old {path}")
            shutil.rmtree(folder / "out" / faults.STORE, ignore_errors=True)
        before = faults.state(folder)
        process = start([*COMMANDS[name](inputs), *force], folder)
        time.sleep(generator.uniform(0, duration))
        process.kill()
        killed += finish(process).returncode == -signal.SIGKILL
        found = faults.state(folder)
        left += bool(hidden(found))
        for path in found.keys() - hidden(found):
            assert found[path] in (before.get(path, "-"), whole.get(path, "-")), f"{seed}: {path}"
        # The same command does what it did not come to do, over whatever it had done.
        is_begun = any(found[path] for path in found.keys() - hidden(found))
        again = ["--resume"] if name == "batch" else ["--force"] if is_begun else []
        process = run_in(folder, [*COMMANDS[name](inputs), *dict.fromkeys(force + again)])
        assert process.returncode == DONE, f"seed {seed}: {describe(process)}"
        found = faults.state(folder)
        assert {path: found[path] for path in found.keys() - hidden(found)} == whole, seed
    print(f"{name}: {killed} killed, {left} left a hidden name")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@each_command
def test_a_signal_ends_a_run_and_nothing_is_left(name, number, inputs, undisturbed, tmp_path):
    generator = random.Random()
    begin = time.monotonic()
    run_in(tmp_path, COMMANDS[name](inputs))
    duration = time.monotonic() - begin
    ended = 0
    for attempt in range(12 if ALL else 1):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        # What runs in the background may ignore signals, and a child inherits that.
        process = start(
            COMMANDS[name](inputs), folder,
            preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
        time.sleep(generator.uniform(0.2, 1) * duration)
        process.send_signal(number)
        process = finish(process)
        assert process.returncode in (-number, DONE), describe(process)
        ended += process.returncode == -number
        found = faults.state(folder)
        assert not hidden(found), describe(process)
        if name == "batch":
            assert all(value in (None, undisturbed[name].get(path)) for path, value in found.items())
        else:
            assert found in ({}, undisturbed[name]), describe(process)
    print(f"{name}: {ended} ended by signal {number}")


@pytest.mark.skipif(not shutil.which("cc"), reason="there is no C compiler")
def test_where_files_must_have_names_a_signal_takes_them_away(large, tmp_path):
    folder = tmp_path / "work"
    arguments = ["safetensors-to-pt", large, "-o", "out.pt", "--threads", "1"]
    command = faults.Run(faults.build(tmp_path), folder, arguments)
    (unnamed,) = [number for number, call, _ in command.calls() if call == "open-unnamed"]
    fault = faults.Fault(unnamed, "open-unnamed", "", "EOPNOTSUPP")
    (folder / "named").mkdir()
    process = start_and_stop(
        arguments, folder / "named",
        env={**os.environ, "LD_PRELOAD": str(command.library), **fault.environment})
    (name,) = os.listdir(folder / "named")
    assert name.startswith(".ckptconv-") and name.endswith(".tmp")
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGCONT)
    process = finish(process)
    assert process.returncode == -signal.SIGTERM, describe(process)
    assert not faults.state(folder / "named")


# Pipes


def without_reader():
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@each_command
def test_a_reader_of_the_report_that_has_gone_changes_nothing(name, inputs, undisturbed, tmp_path):
    writer = without_reader()
    process = subprocess.run(
        [BINARY, *map(os.fspath, COMMANDS[name](inputs)), "--json"], cwd=tmp_path, stdout=writer,
        stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_SECONDS, stdin=subprocess.DEVNULL)
    os.close(writer)
    assert process.returncode == DONE, process.stderr
    assert faults.state(tmp_path) == undisturbed[name]


VERDICTS = {
    "convert": ["pt-to-safetensors", "broken.pt", "-o", "out"],
    "verify": ["verify", "tree/one.pt", "model.safetensors"],
    "diff": ["diff", "tree/one.pt", "model.safetensors"],
    "check": ["check", "broken.pt"],
    "roundtrip": ["roundtrip", "broken.pt"],
    "inspect": ["inspect", "broken.pt", "tree/one.pt"],
}


@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["text", "json"])
@pytest.mark.parametrize("name", VERDICTS)
def test_a_verdict_does_not_depend_on_who_reads_it(name, flags, inputs):
    codes = []
    for writer in [os.open("/dev/null", os.O_WRONLY), without_reader()]:
        process = subprocess.run(
            [BINARY, *VERDICTS[name], *flags], cwd=inputs, stdout=writer, stderr=subprocess.PIPE,
            timeout=TIMEOUT_SECONDS, stdin=subprocess.DEVNULL)
        os.close(writer)
        codes.append(process.returncode)
    assert codes[0] != DONE and codes[0] == codes[1]


@pytest.mark.parametrize("command, source", [
    ("pt-to-safetensors", OLMO2 / "model.pt"), ("safetensors-to-pt", "model.safetensors")])
def test_a_stream_that_is_not_taken_whole_is_an_error(command, source, inputs):
    process = subprocess.Popen(
        [BINARY, command, inputs / source, "-o", "-"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=False)
    process.stdout.read(1000)
    process.stdout.close()
    errors = process.stderr.read().decode()
    assert process.wait(TIMEOUT_SECONDS) == IO, errors
    assert "standard output: broken pipe" in errors


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@each_command
def test_a_full_disk_behind_the_report_is_an_error(name, inputs, undisturbed, tmp_path):
    with open("/dev/full", "w") as full:
        process = subprocess.run(
            [BINARY, *map(os.fspath, COMMANDS[name](inputs)), "--json"], cwd=tmp_path, stdout=full,
            stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_SECONDS, stdin=subprocess.DEVNULL)
    failed_with = f"ckptconv: error: standard output: {os.strerror(errno.ENOSPC).lower()}"
    assert process.returncode == IO and failed_with in process.stderr, process.stderr
    # The deed is done by then.
    assert faults.state(tmp_path) == undisturbed[name]


def test_a_pipe_with_a_name_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "model.pt")
    assert stat.S_ISFIFO((tmp_path / "model.pt").stat().st_mode)
    process = run("inspect", tmp_path / "model.pt")
    assert process.returncode == IO, describe(process)
    assert "a regular file is needed" in process.stderr
