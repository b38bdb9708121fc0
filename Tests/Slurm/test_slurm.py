"""Runs Examples/slurm on a real Slurm of one node, kills a task on the way, and reads the verdict.

    test_slurm.py BINARY

Everything lives in a directory of its own: keys, sockets, state, logs. Needs root, and Debian's
slurm-wlm and munge, which are installed where apt-get can. Exits 77 where that is impossible.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "Examples/slurm"
FIXTURE = ROOT / "Fixtures/olmo1-lionw/step12-unsharded"
STORE = ".ckptconv-batch"
STEPS = 400
TASKS = 4
PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue"]
SKIPPED = 77

CONFIGURATION = """
ClusterName=ckptconv
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort={controller_port}
SlurmdPort={daemon_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
# Neither systemd nor cgroups are there in a container.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_interval=2,sched_min_interval=1
KillWait=5
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def say(text):
    print(f"slurm: {text}", file=sys.stderr, flush=True)


def skip(text):
    say(f"skipped: {text}")
    sys.exit(SKIPPED)


def require_programs():
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if os.geteuid() != 0:
        skip("slurmd must be run by root")
    if not missing:
        return
    if not shutil.which("apt-get"):
        skip(f"{', '.join(missing)} are missing, and so is apt-get")
    say("installing slurm-wlm and munge")
    install = ["apt-get", "install", "-y", "--no-install-recommends", "slurm-wlm", "munge"]
    quiet = {
        "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL}
    if subprocess.run(install, **quiet).returncode:
        subprocess.run(["apt-get", "update"], **quiet)
        if subprocess.run(install, **quiet).returncode:
            skip("apt-get cannot install slurm-wlm and munge")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, condition, seconds=120):
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not happen within {seconds} s")
        time.sleep(0.05)
    return found


@contextlib.contextmanager
def cluster(folder):
    """A Slurm whose every file is in `folder`; its commands find it by the environment."""
    host = socket.gethostname().partition(".")[0]
    for name in ("state", "spool"):
        (folder / name).mkdir()
    configuration = folder / "slurm.conf"
    configuration.write_text(CONFIGURATION.format(
        host=host, folder=folder, controller_port=free_port(), daemon_port=free_port()))
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    os.environ["SLURM_CONF"] = str(configuration)
    daemons = []

    def start(name, *arguments):
        log = (folder / f"{name}.out").open("wb")
        daemons.append(subprocess.Popen(
            [name, *arguments], stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL))

    try:
        start(
            "munged", "--foreground", "--force", f"--socket={folder}/munge.socket",
            f"--key-file={key}", f"--pid-file={folder}/munged.pid",
            f"--seed-file={folder}/munged.seed", f"--log-file={folder}/munged.log")
        wait_for("munged's socket", (folder / "munge.socket").exists)
        start("slurmctld", "-D", "-c", "-f", configuration)
        start("slurmd", "-D", "-f", configuration, "-N", host)
        wait_for("an idle node", lambda: "idle" in output("sinfo", "-h", "-o", "%T", check=False))
        yield
    except BaseException:
        for log in sorted(folder.glob("*.log")) + sorted(folder.glob("*.out")):
            say(f"{log.name}: {log.read_text(errors='replace')[-3000:]}")
        raise
    finally:
        for daemon in reversed(daemons):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def output(*command, check=True):
    process = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=60)
    if check and process.returncode:
        raise RuntimeError(f"{command}: {process.stderr}")
    return process.stdout.strip()


def make_steps(folder):
    """Hundreds of checkpoints that share their bytes on the disk."""
    for step in range(STEPS):
        place = folder / f"step{step}-unsharded"
        place.mkdir(parents=True)
        for name in ("config.yaml", "model.pt"):
            source = folder.parent / name
            if not source.exists():
                shutil.copy(FIXTURE / name, source)
            os.link(source, place / name)


def records(root, task):
    """The whole lines of one task's journal."""
    journal = root / STORE / f"journal-{task}-of-{TASKS}.jsonl"
    if not journal.exists():
        return []
    return [
        json.loads(line) for line in journal.read_bytes().splitlines(keepends=True)
        if line.endswith(b"\n")]


def done(root, task):
    return [record["item"] for record in records(root, task) if record["state"] == "done"]


def state(job):
    lines = output("scontrol", "show", "job", job, "-o", check=False).splitlines()
    return [dict(
        word.split("=", 1) for word in line.split() if "=" in word) for line in lines]


def run_example(folder, binary):
    inputs, root = folder / "runs", folder / "converted"
    make_steps(inputs)
    (folder / "bin").mkdir()
    (folder / "bin/ckptconv").symlink_to(binary)
    os.environ["PATH"] = f"{folder / 'bin'}:{os.environ['PATH']}"
    os.chdir(folder)

    # One task at a time per two processors: some wait while others run.
    job = output(
        "sbatch", "--parsable", f"--array=1-{TASKS}", SCRIPTS / "convert.sbatch", inputs, root)
    say(f"job {job}: {TASKS} tasks for {STEPS} checkpoints")
    before = wait_for("progress of task 2", lambda: len(done(root, 2)) >= 3 and done(root, 2))
    output("scontrol", "requeue", f"{job}_2")
    say(f"task 2 is killed and requeued after {len(before)} checkpoints")
    wait_for("the requeue", lambda: any(
        task.get("JobState") in ("PENDING", "COMPLETING") for task in state(f"{job}_2")))
    killed = done(root, 2)
    assert len(killed) < STEPS / TASKS, "task 2 was done before it could be killed"

    def released():
        # Slurm lets a requeued task wait for two minutes.
        output("scontrol", "update", f"JobId={job}_2", "StartTime=now", check=False)
        return not output("squeue", "-h", "-j", job, check=False)

    wait_for("the end of the array", released, seconds=300)
    verdict = output(
        "sbatch", "--parsable", "--wait", f"--dependency=afterany:{job}",
        SCRIPTS / "verdict.sbatch", inputs, root)
    say(f"job {verdict}: the verdict")

    *items, summary = map(json.loads, (root / "report.jsonl").read_text().splitlines())
    assert summary["complete"] and len(items) == STEPS, summary
    parts = [done(root, task) for task in range(1, TASKS + 1)]
    together = [item for part in parts for item in part]
    assert len(together) == len(set(together)) == STEPS, "an item was converted twice or never"
    assert parts[1][:len(killed)] == killed, "what was done before the kill was done again"
    runs = {record["run"] for record in records(root, 2)}
    assert len(runs) == 2, f"task 2 ran {len(runs)} times"
    assert all(abs(len(part) - STEPS / TASKS) <= 1 for part in parts), "unequal parts"
    outputs = {path.read_bytes() for path in root.glob("*/model.safetensors")}
    assert len(outputs) == 1 and len(list(root.glob("*/model.safetensors"))) == STEPS
    leftovers = [path for path in root.rglob(".ckptconv-*.tmp")]
    assert not leftovers, leftovers
    say(f"all {STEPS} checkpoints are converted once, {len(killed)} of task 2 before it was killed")


def main():
    binary = pathlib.Path(sys.argv[1]).resolve(strict=True)
    require_programs()
    with tempfile.TemporaryDirectory(prefix="ckptconv-slurm-") as name:
        folder = pathlib.Path(name)
        # slurmd and munged insist on directories that others cannot write to.
        folder.chmod(0o755)
        with cluster(folder):
            run_example(folder, binary)


main()
