"""Runs ckptconv while one of its system calls fails, and looks at what it leaves behind."""

import concurrent.futures
import dataclasses
import errno
import hashlib
import os
import pathlib
import shutil
import subprocess

from program import BINARY, DONE, IO, TIMEOUT_SECONDS

SOURCE = pathlib.Path(__file__).with_name("faults.c")
# Where a batch writes down what it has done.
STORE = ".ckptconv-batch"

# What can happen to each call: values of errno, `short` for a half of the bytes, `none` for no byte.
KINDS = {
    "open": ["EIO", "EINTR", "EACCES", "EMFILE", "ESTALE"],
    "open-new": ["EIO", "EINTR", "EACCES", "ENOSPC", "EROFS"],
    "open-unnamed": ["EIO", "EINTR", "EACCES", "ENOSPC", "EOPNOTSUPP", "EISDIR"],
    "read": ["EIO", "EINTR", "short", "ESTALE"],
    "pread": ["EIO", "EINTR", "short", "ESTALE"],
    "write": ["EIO", "EINTR", "short", "none", "ENOSPC"],
    "pwrite": ["EIO", "EINTR", "short", "none", "ENOSPC", "EDQUOT", "EFBIG"],
    "fallocate": ["EIO", "EINTR", "ENOSPC", "EOPNOTSUPP", "EFBIG"],
    "ftruncate": ["EIO", "EINTR", "ENOSPC"],
    "fdatasync": ["EIO", "EINTR", "ENOSPC", "EDQUOT"],
    "fsync": ["EIO", "EINTR", "ENOSPC", "EINVAL"],
    "syncfs": ["EIO", "EINTR", "ENOSPC"],
    "rename": ["EIO", "EACCES", "ENOSPC", "EROFS"],
    "renameat2": ["EIO", "ENOSYS", "ENOSPC"],
    "link": ["EIO", "EPERM", "ENOSPC"],
    "linkat": ["EIO", "EACCES", "ENOSPC", "EDQUOT"],
    "unlink": ["EIO", "EACCES"],
    "mkdir": ["EIO", "EACCES", "ENOSPC", "EROFS"],
    "rmdir": ["EIO", "EACCES"],
    "stat": ["EIO", "EACCES", "ESTALE"],
    "lstat": ["EIO", "EACCES"],
    "fstat": ["EIO", "ESTALE"],
    "statvfs": ["EIO", "EINTR", "ENOSYS"],
    "close": ["EIO", "EINTR", "ENOSPC"],
    "fcntl": ["EMFILE"],
    "flock": ["EIO", "EINTR", "ENOLCK"],
    "opendir": ["EIO", "EACCES", "EMFILE"],
    "readdir": ["EIO"],
    "mmap": ["ENOMEM"],
    "getcwd": ["ENOENT", "EACCES"],
    "nanosleep": ["EINTR"],
    "pthread_create": ["EAGAIN"],
}
# Nobody notices these, where they can happen.
HARMLESS = {"short", "EINTR"}
# What stays broken once it is.
STICKY = {
    "pwrite": ["ENOSPC", "EIO", "none", "short"], "write": ["ENOSPC", "EIO", "none"],
    "pread": ["EIO", "short"], "fallocate": ["ENOSPC", "EOPNOTSUPP"], "open-new": ["ENOSPC"],
    "open-unnamed": ["ENOSPC", "EOPNOTSUPP"], "linkat": ["ENOSPC", "EIO"], "rename": ["EIO"],
    "mkdir": ["ENOSPC"], "statvfs": ["EIO"], "fdatasync": ["EIO"], "fsync": ["EIO"],
}


def build(folder):
    """Compiles what stands between the program and the C library; the path, or None."""
    compiler = next(filter(shutil.which, ["cc", "clang", "gcc"]), None)
    if compiler is None:
        return None
    library = folder / "faults.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl", "-lpthread"], check=True)
    return library


def state(folder):
    """Everything in a directory: the hash of each file, None for a directory.

    Of journals and reports of a batch only the names are looked at: they have times in them.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_file():
            found[name] = None
        elif STORE in path.parts or path.suffix == ".jsonl":
            found[name] = ""
        else:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@dataclasses.dataclass
class Fault:
    """What one call is to do."""

    number: int
    call: str
    path: str
    kind: str
    sticky: bool = False

    @property
    def environment(self):
        words = ("short", "none", "kill")
        value = self.kind if self.kind in words else str(getattr(errno, self.kind))
        found = {"FAULT_CALL": str(self.number), "FAULT_KIND": value}
        return found | {"FAULT_STICKY": "1"} if self.sticky else found

    @property
    def reason(self):
        """The sentence that the message has."""
        if self.kind == "none":
            return os.strerror(errno.EIO).lower()
        text = os.strerror(getattr(errno, self.kind))
        return text[0].lower() + text[1:]

    @property
    def is_apt(self):
        """Whether this can happen to such a call; threads may have another one meet it."""
        return self.kind in KINDS[self.call]

    @property
    def is_harmless(self):
        return self.kind in HARMLESS and self.is_apt

    def __str__(self):
        often = ", again and again" if self.sticky else ""
        return f"call {self.number}, {self.call} on {self.path or '-'}: {self.kind}{often}"


def every_fault(calls):
    """Everything that can happen to each of these calls."""
    once = [Fault(*call, kind) for call in calls for kind in KINDS[call[1]]]
    always = [
        Fault(*call, kind, sticky=True) for call in calls for kind in STICKY.get(call[1], [])]
    return once + always


def one_fault_each(calls, first):
    """One fault for each call, of the kinds by turns; `first` is where to begin among them."""
    turns = {}
    faults = []
    for call in calls:
        kinds = KINDS[call[1]]
        turn = turns[call[1]] = turns.get(call[1], first - 1) + 1
        faults.append(Fault(*call, kinds[turn % len(kinds)]))
    return faults


class Run:
    """One command in a directory of its own, which `prepare` fills before."""

    def __init__(
            self, library, folder, arguments, *, prepare=lambda work: None, takes_output=False,
            is_gradual=False, resume=()):
        self.library = library
        self.folder = folder
        self.arguments = list(map(os.fspath, arguments))
        self.prepare = prepare
        # Whether the standard output is what the command writes.
        self.takes_output = takes_output
        # Whether of several outputs some may be new and some old when it fails.
        self.is_gradual = is_gradual
        # What to add to the command to go on after a fault.
        self.resume = resume

    def start(self, name, extra=(), **environment):
        """Runs the command in a new directory; the directory, its state before, the process."""
        work = self.folder / name
        if not extra:
            work.mkdir(parents=True)
            self.prepare(work)
        before = state(work)
        process = subprocess.run(
            [BINARY, *self.arguments, *extra], cwd=work, capture_output=True,
            timeout=TIMEOUT_SECONDS, stdin=subprocess.DEVNULL,
            env={**os.environ, "LD_PRELOAD": str(self.library), **environment})
        process.stderr = process.stderr.decode(errors="replace")
        return work, before, process

    def found(self, work, process):
        """What there is after a run."""
        found = state(work)
        if self.takes_output:
            found["standard output"] = hashlib.sha256(process.stdout).hexdigest()
        return found

    def calls(self):
        """The calls of a run that nothing happens to: number, name and path of each."""
        log = self.folder / "calls"
        work, self.before, process = self.start("whole", FAULT_LOG=str(log))
        assert process.returncode == DONE, process.stderr
        self.after = self.found(work, process)
        return [(int(number), call, path) for number, call, path in read_log(log)]


def read_log(log):
    if not log.exists():
        return []
    return [line.split(" ", 2) for line in log.read_text(errors="replace").splitlines()]


@dataclasses.dataclass
class Verdict:
    """How a run took a fault: its complaints are what is wrong with that."""

    fault: Fault
    exit_code: int
    complaints: list
    stderr: str
    # The hidden names that a killed run has left.
    left: int = 0

    def __str__(self):
        return f"{self.fault}: {'; '.join(self.complaints)}\n{self.stderr.strip()[:500]}"


def judge(run, fault):
    """Runs a command with a fault, and says what is wrong with the outcome."""
    name = f"{fault.number}-{fault.kind}{'-sticky' if fault.sticky else ''}"
    log = run.folder / f"{name}.log"
    try:
        work, before, process = run.start(name, FAULT_LOG=str(log), **fault.environment)
    except subprocess.TimeoutExpired:
        return Verdict(fault, None, ["it hangs"], "")
    # Threads take turns as they like: the call may be another one than in the run before.
    for _, fault.call, fault.path in read_log(log)[:1]:
        pass
    found = run.found(work, process)
    complaints = complain(run, fault, process, before, found)
    if process.returncode != DONE and run.resume and not complaints:
        _, _, resumed = run.start(name, run.resume)
        found = run.found(work, resumed)
        if resumed.returncode != DONE:
            complaints.append(f"exit {resumed.returncode} with --resume: {resumed.stderr}")
        elif found != run.after:
            complaints.append(f"after --resume {differences(run.after, found)}")
    if not complaints:
        shutil.rmtree(work)
        log.unlink(missing_ok=True)
    return Verdict(fault, process.returncode, complaints, process.stderr)


def judge_killed(run, fault):
    """Kills a command before a call, and says what is wrong with what is left, and with another run."""
    name = f"{fault.number}-kill"
    work, before, process = run.start(name, **fault.environment)
    if process.returncode == DONE:
        # Threads take turns as they like; this time there were fewer calls.
        shutil.rmtree(work)
        return Verdict(fault, DONE, [], "")
    after, found, complaints = run.after, state(work), []
    for path in found.keys() - hidden(found):
        is_whole = found[path] in (before.get(path, "-"), after.get(path, "-"))
        if not is_whole and STORE not in path:
            complaints.append(f"{path} is neither the old one nor the new one")
    for path in before.keys() - found.keys():
        complaints.append(f"{path} is gone")
    left = hidden(found)
    is_begun = found.keys() - left - before.keys() and not run.resume
    _, _, process = run.start(name, run.resume or (["--force"] if is_begun else ["-q"]))
    found = run.found(work, process)
    visible = {path: found[path] for path in found.keys() - hidden(found)}
    if process.returncode != DONE:
        complaints.append(f"another run ends with {process.returncode}")
    elif visible != run.after:
        complaints.append(f"after another run {differences(run.after, visible)}")
    if not complaints:
        shutil.rmtree(work)
    return Verdict(fault, -9, complaints, process.stderr, len(left))


def hidden(found):
    """The names that a killed run may leave: they say whose they are."""
    return {
        path for path in found
        if any(part.startswith(".ckptconv-") and part.endswith(".tmp")
               for part in pathlib.PurePath(path).parts)}


def complain(run, fault, process, before, found):
    complaints = []
    after = run.after
    if hidden(found):
        complaints.append(f"left behind: {sorted(hidden(found))}")
    if process.returncode == DONE:
        if found != after:
            complaints.append(f"exit 0, but {differences(after, found)}")
    elif process.returncode == IO or not fault.is_apt:
        if fault.is_harmless:
            complaints.append("a fault that can be made good ends the run")
        if fault.is_apt:
            complaints += complain_of_message(process, fault)
        # What is told comes after the deed.
        is_told = fault.path == "standard output" and not run.takes_output
        if run.is_gradual or run.takes_output:
            for path in (before.keys() | after.keys() | found.keys()) - {"standard output"}:
                if found.get(path, "-") not in (before.get(path, "-"), after.get(path, "-")):
                    complaints.append(f"{path} is neither the old one nor the new one")
        elif found not in ([before, after] if is_told else [before]):
            complaints.append(f"exit 74, but {differences(before, found)}")
    else:
        complaints.append(f"exit {process.returncode}")
    return complaints


def complain_of_message(process, fault):
    errors = [line for line in process.stderr.splitlines() if line.startswith("ckptconv: error: ")]
    if not errors:
        return ["no message"]
    if not any(fault.reason in line for line in errors):
        return [f"the message does not say '{fault.reason}'"]
    if not any(line.count(": ") >= 3 for line in errors):
        return ["the message does not say where"]
    return []


def differences(expected, found):
    missing = sorted(expected.keys() - found.keys())
    extra = sorted(found.keys() - expected.keys())
    changed = sorted(path for path in expected.keys() & found.keys() if expected[path] != found[path])
    return f"missing {missing}, unexpected {extra}, changed {changed}"


def judge_all(run, faults, judge=judge):
    """The verdicts on many faults, as many at a time as there are processors."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda fault: judge(run, fault), faults))
