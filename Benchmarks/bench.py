"""Times ckptconv beside `cp` and beside PyTorch, in one run, on one machine.

    bench.py [--rounds N] [--binary PATH] [--probe PATH] [--report FILE] [--section NAME]
    bench.py --clean

Makes a checkpoint of OLMo-2 1B's shape (5.9 GB) and one of many small tensors in .bench/ once and
keeps them; --clean removes them. --section prints one section and writes no report. Every round runs every command once, so a disk or a neighbor
that slows down slows all of them. Sources are in the page cache; outputs are removed and written
back between runs. Needs hyperfine and GNU time, and a Python with torch and safetensors: run it
with that of the interop tests.
"""

import argparse
import datetime
import filecmp
import json
import os
import pathlib
import platform
import re
import shlex
import shutil
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
BENCH = ROOT / ".bench"
OUTPUT = BENCH / "output.safetensors"

# The ways that `ckptconv` replaces: load everything, write everything.
PYTORCH = """
import sys, torch, safetensors.torch
safetensors.torch.save_file(torch.load(sys.argv[1], weights_only=True), sys.argv[2])
"""
PYTORCH_BACK = """
import sys, torch, safetensors.torch
torch.save(safetensors.torch.load_file(sys.argv[1]), sys.argv[2])
"""

# Opening a file by the reference library, timed from inside: Python takes longer to start.
REFERENCE_OPENING = """
import sys, time
from safetensors import safe_open
start = time.perf_counter()
with safe_open(sys.argv[1], "np") as file:
    names = file.keys()
print(time.perf_counter() - start)
"""

# A cast by one thread of PyTorch: file to file, and then how long the cast itself took in memory.
PYTORCH_CAST = """
import sys, time, torch
torch.set_num_threads(1)
source, target = (getattr(torch, name) for name in sys.argv[1:3])
values = torch.from_file(sys.argv[3], size=int(sys.argv[5]), dtype=source).clone()
start = time.perf_counter()
cast = values.to(target)
print(time.perf_counter() - start)
cast.view(torch.int16 if target.itemsize == 2 else torch.int32).numpy().tofile(sys.argv[4])
"""


def olmo2_1b():
    """Names and shapes of allenai/OLMo-2-0425-1B, float32: 1.48 billion parameters."""
    width, hidden, vocabulary = 2048, 16_384, 100_352
    yield "transformer.wte.weight", (vocabulary, width)
    yield "transformer.ln_f.weight", (width,)
    for block in range(16):
        prefix = f"transformer.blocks.{block}."
        yield prefix + "k_norm.weight", (width,)
        yield prefix + "q_norm.weight", (width,)
        yield prefix + "attn_out.weight", (width, width)
        yield prefix + "ff_out.weight", (width, hidden // 2)
        yield prefix + "att_proj.weight", (3 * width, width)
        yield prefix + "ff_proj.weight", (hidden, width)
        yield prefix + "attn_norm.weight", (width,)
        yield prefix + "ff_norm.weight", (width,)
    yield "transformer.ff_out.weight", (vocabulary, width)


def many_small():
    """50 000 tensors of 256 bytes: what counts is the pickle and the directory."""
    for number in range(50_000):
        yield f"experts.{number}.bias", (64,)


SOURCES = {"OLMo-2 1B": ("olmo2-1b.pt", olmo2_1b), "50 000 small tensors": ("many.pt", many_small)}

OPENED_TENSORS = 100_000
# Tensors in the files whose reading and conversion is counted in instructions.
COUNTED_TENSORS = 5_000

CASTS = [("float32", "bfloat16"), ("float32", "float16"), ("bfloat16", "float32")]
ELEMENTS = BENCH / "elements.bin"
ELEMENTS_BYTE_COUNT = 2 << 30


def make_elements():
    """A file of normally distributed bfloat16 numbers, which as float32 are ordinary ones too."""
    if ELEMENTS.exists():
        return
    import torch

    torch.manual_seed(2)
    partial = ELEMENTS.with_suffix(".partial")
    with open(partial, "wb") as file:
        for _ in range(ELEMENTS_BYTE_COUNT >> 26):
            numbers = torch.randn(1 << 25).to(torch.bfloat16)
            file.write(numbers.view(torch.int16).numpy().tobytes())
    partial.rename(ELEMENTS)


# A batch of this many files of 1 MiB: what counts beside the bytes is what each file costs.
SMALL_FILES = 300
# What users write without `batch`: one start of the program for each file.
LOOP = """
for source in "$2"/*.pt; do
  "$1" pt-to-safetensors --quiet "$source" -o "$3/$(basename "$source" .pt).safetensors" || exit
done
"""


def make_small_files():
    folder = BENCH / "small"
    if folder.exists():
        return folder
    import torch

    print(f"making {folder.relative_to(ROOT)}", file=sys.stderr)
    torch.manual_seed(1)
    partial = BENCH / "small.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for number in range(SMALL_FILES):
        state_dict = {f"layers.{layer}.weight": torch.empty(128, 128).uniform_() for layer in range(16)}
        torch.save(state_dict, partial / f"{number:03}.pt")
    partial.rename(folder)
    return folder


def make_sources():
    BENCH.mkdir(exist_ok=True)
    for name, shapes in SOURCES.values():
        path = BENCH / name
        if path.exists():
            continue
        import torch

        print(f"making {path.relative_to(ROOT)}", file=sys.stderr)
        torch.manual_seed(1)
        state_dict = {name: torch.empty(shape).uniform_() for name, shape in shapes()}
        # A run that is interrupted must not leave half a file for the next.
        partial = path.with_suffix(".partial")
        torch.save(state_dict, partial)
        partial.rename(path)


def hyperfine(command, prepare=None, runs=1, warmup=0):
    """Wall seconds of each run."""
    results = BENCH / "hyperfine.json"
    options = ["--shell=none", "--style=none", f"--runs={runs}", f"--warmup={warmup}"]
    options += [f"--prepare={prepare}"] if prepare else []
    subprocess.run(
        ["hyperfine", *options, f"--export-json={results}", shlex.join(map(str, command))],
        check=True, stdout=subprocess.DEVNULL)
    return json.loads(results.read_text())["results"][0]["times"]


def with_memory(command):
    """The command under GNU time, and the function that then tells its peak memory in bytes."""
    report = BENCH / "time.txt"
    return (
        ["/usr/bin/time", "-f", "%M", "-o", report, *command],
        lambda: int(report.read_text()) * 1024)


def measure_conversions(source, commands, rounds, output=OUTPUT):
    """Wall seconds and peak bytes of every command, all of them once per round."""
    prepare = shlex.join(["sh", "-c", f"rm -rf {shlex.quote(str(output))}; sync"])
    subprocess.run(["cat", source], check=True, stdout=subprocess.DEVNULL)
    results = {name: ([], []) for name in commands}
    for number in range(rounds):
        print(f"{source.name}: round {number + 1} of {rounds}", file=sys.stderr)
        for name, command in commands.items():
            timed, peak = with_memory(command)
            results[name][0].extend(hyperfine(timed, prepare))
            results[name][1].append(peak())
    subprocess.run(["rm", "-rf", output], check=True)
    return results


# The shape of OLMo-2 1B as OLMo's trainer describes it.
OLMO2_1B_CONFIG = """model:
  d_model: 2048
  n_heads: 16
  n_layers: 16
  mlp_ratio: 8
  weight_tying: false
  rope: true
  rope_theta: 500000
  attention_layer_norm: true
  attention_dropout: 0.0
  layer_norm_type: rms
  layer_norm_eps: 1.0e-06
  include_bias: false
  bias_for_layer_norm: false
  max_sequence_length: 4096
  vocab_size: 100278
  embedding_size: 100352
  eos_token_id: 100257
  pad_token_id: 100277
  norm_after: true
"""


def measure_folders(binary, source, rounds):
    """Wall seconds and peak bytes of the way to Hugging Face and back, and of proofs."""
    step, folder, output = (BENCH / name for name in ("step1-unsharded", "hf", "output-unsharded"))
    subprocess.run(["rm", "-rf", step, folder], check=True)
    step.mkdir()
    os.link(source, step / "model.pt")
    (step / "config.yaml").write_text(OLMO2_1B_CONFIG)
    subprocess.run([binary, "olmo-to-hf", step, "-o", folder, "--quiet"], check=True)
    commands = {
        "`cp`": ["cp", "--reflink=never", source, output],
        "`ckptconv olmo-to-hf`": [binary, "olmo-to-hf", step, "-o", output, "--quiet"],
        "`ckptconv hf-to-olmo`": [binary, "hf-to-olmo", folder, "-o", output, "--quiet"],
        "`ckptconv verify`": [binary, "verify", "--quiet", source, step / "model.pt"],
        "`ckptconv roundtrip`": [binary, "roundtrip", "--quiet", source],
        "`ckptconv check`": [binary, "check", "--quiet", source],
    }
    results = measure_conversions(source, commands, rounds, output)
    subprocess.run(["rm", "-rf", step, folder], check=True)
    return results


def folder_section(source, results):
    size = source.stat().st_size
    return [
        f"## To Hugging Face and back, and proofs: {size / 1e9:.2f} GB", "",
        *conversion_table(size, results),
        "`verify` compares the file with itself under another name; it, `roundtrip` and `check` write",
        "nothing.", "",
    ]


def measure_batch(binary, folder, rounds):
    """Wall seconds and peak bytes of a batch, of a shell loop and of `cp`, all once per round."""
    output = BENCH / "small-output"
    prepare = shlex.join([
        "sh", "-c", f"rm -rf {shlex.quote(str(output))}; mkdir {shlex.quote(str(output))}; sync"])
    batch = [binary, "batch", "pt-to-safetensors", "--quiet", "--files", folder, "-o", output]
    commands = {
        "`cp -r`": ["cp", "-r", "--reflink=never", folder, output],
        "`ckptconv batch`": batch,
        "`ckptconv batch --jobs 4`": [*batch, "--jobs", "4"],
        "a shell loop of `ckptconv`": ["sh", "-c", LOOP, "sh", binary, folder, output],
    }
    subprocess.run(
        ["cat", *sorted(folder.iterdir())], check=True, stdout=subprocess.DEVNULL)
    results = {name: ([], []) for name in commands}
    for number in range(rounds):
        print(f"{folder.name}: round {number + 1} of {rounds}", file=sys.stderr)
        for name, command in commands.items():
            timed, peak = with_memory(command)
            results[name][0].extend(hyperfine(timed, prepare))
            results[name][1].append(peak())
    shutil.rmtree(output)
    return results


def batch_section(folder, results):
    size = sum(path.stat().st_size for path in folder.iterdir())
    baseline = statistics.median(results["`cp -r`"][0])
    return [
        f"## {SMALL_FILES} small files: {size / 1e6:.0f} MB", "",
        "| command | median | range | rate | against cp | peak memory |",
        "| --- | --- | --- | --- | --- | --- |",
        *(row(name, *result, size, baseline) for name, result in results.items()), "",
        "The batch waits until its outputs and its journal are on the disk; `cp` and the loop do not.",
        "",
    ]


def measure_inspection(binary, source):
    """Wall seconds of many runs and peak bytes of `inspect`."""
    command = [binary, "inspect", source]
    timed, peak = with_memory(command)
    subprocess.run(timed, check=True, stdout=subprocess.DEVNULL)
    return hyperfine(command, runs=20, warmup=3), [peak()]


def make_opened():
    path = BENCH / "opened.safetensors"
    if not path.exists():
        import numpy
        from safetensors.numpy import save_file

        print(f"making {path.relative_to(ROOT)}", file=sys.stderr)
        partial = path.with_suffix(".partial")
        save_file(
            {f"experts.{number}.weight": numpy.zeros((2, 3), numpy.float32)
             for number in range(OPENED_TENSORS)}, partial)
        partial.rename(path)
    return path


def measure_opening(probe, path, rounds):
    """Wall seconds and peak bytes of opening a file by `ckptconv`'s reader and by the reference."""
    ours, peak = with_memory([probe, "open", path])
    theirs, their_peak = with_memory([sys.executable, "-c", REFERENCE_OPENING, path])
    results = {"`ckptconv`": ([], []), "safetensors": ([], [])}
    for _ in range(5 * rounds):
        results["`ckptconv`"][0].extend(hyperfine(ours))
        results["`ckptconv`"][1].append(peak())
        process = subprocess.run(map(str, theirs), check=True, capture_output=True, text=True)
        results["safetensors"][0].append(float(process.stdout))
        results["safetensors"][1].append(their_peak())
    return results


def opening_section(path, results):
    size = path.stat().st_size
    return [
        f"## A safetensors file of {OPENED_TENSORS} tensors: {size / 1e6:.0f} MB", "",
        "To open it: the header is read and checked. `ckptconv` makes its graph of it as well, and its",
        "time is that of a whole process; that of the reference library is without Python's start.", "",
        "| reader | median | range | peak memory |", "| --- | --- | --- | --- |",
        *(row(name, *result) for name, result in results.items()), "",
    ]


def make_counted():
    """Paths of a `.pt` and of a safetensors file with some thousand small tensors."""
    import torch
    from safetensors.torch import save_file

    archive, plain = BENCH / "counted.pt", BENCH / "counted.safetensors"
    state = {
        f"layers.0.experts.{number // 3}.w{number % 3 + 1}.weight": torch.zeros(2, 3)
        for number in range(COUNTED_TENSORS)}
    torch.save(state, archive)
    save_file(state, plain)
    return archive, plain


def count_instructions(binary, arguments):
    """How many instructions a run of the program takes, which is the same on every machine."""
    process = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", binary, *arguments],
        check=True, capture_output=True, text=True)
    return int(re.search(r"Collected : (\d+)", process.stderr).group(1))


def instruction_section(binary):
    archive, plain = make_counted()
    there, back = BENCH / "counted-there.safetensors", BENCH / "counted-back.pt"
    one_thread = ["--threads", "1", "--force"]
    commands = {
        "inspect .pt": ["inspect", archive],
        "inspect safetensors": ["inspect", plain],
        "pt-to-safetensors": ["pt-to-safetensors", archive, "-o", there, *one_thread],
        "safetensors-to-pt": ["safetensors-to-pt", there, "-o", back, *one_thread],
    }
    lines = [
        f"## Instructions for {COUNTED_TENSORS} small tensors", "",
        "Counted by `valgrind --tool=callgrind`; start-up takes 4 million of them.", "",
        "| command | instructions | for each tensor |", "| --- | --- | --- |",
    ]
    for name, arguments in commands.items():
        count = count_instructions(binary, arguments)
        lines.append(f"| `{name}` | {count / 1e6:.0f} million | {count / COUNTED_TENSORS:,.0f} |")
    return [*lines, ""]


def same_bytes_as_pytorch(binary, source):
    """Whether `--no-skeleton` gives the very file that PyTorch and safetensors give."""
    theirs = BENCH / "pytorch.safetensors"
    subprocess.run(
        [binary, "pt-to-safetensors", source, "-o", OUTPUT, "--no-skeleton", "--quiet"], check=True)
    subprocess.run([sys.executable, "-c", PYTORCH, source, theirs], check=True)
    same = filecmp.cmp(OUTPUT, theirs, shallow=False)
    OUTPUT.unlink()
    theirs.unlink()
    return same


def measure_cast(probe, source, target, rounds):
    """Wall seconds and peak bytes of a cast by `ckptconv`'s engine and by PyTorch, and the seconds
    of PyTorch's cast alone."""
    import torch

    count = ELEMENTS_BYTE_COUNT // getattr(torch, source).itemsize
    types = [source, target, ELEMENTS, OUTPUT]
    commands = {
        "ckptconv": [probe, "cast", *types],
        "ckptconv, one thread": [probe, "cast", *types, "1"],
        "torch, one thread": [sys.executable, "-c", PYTORCH_CAST, *types, str(count)],
    }
    results = measure_conversions(ELEMENTS, commands, rounds)
    alone = []
    for _ in range(rounds):
        process = subprocess.run(
            map(str, commands["torch, one thread"]), check=True, capture_output=True, text=True)
        alone.append(float(process.stdout))
    OUTPUT.unlink()
    return results, alone


def cast_section(probe, rounds):
    lines = [
        f"## Casts: {ELEMENTS_BYTE_COUNT / 1e9:.2f} GB", "",
        "From a file of nothing but elements to another; torch's last row is `tensor.to(dtype)` by",
        "itself, from memory to memory.", "",
        "| command | median | range | rate | against torch | peak memory |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for source, target in CASTS:
        results, alone = measure_cast(probe, source, target, rounds)
        baseline = statistics.median(results["torch, one thread"][0])
        peaks = results["torch, one thread"][1]
        results["torch, one thread, in memory"] = (alone, peaks)
        lines += [
            row(f"{name}: {source} to {target}", *result, ELEMENTS_BYTE_COUNT, baseline)
            for name, result in results.items()]
    return [*lines, ""]


# Layers of the measured checkpoint: with all 16 its optimizer would not fit into the page cache.
MEASURED_LAYERS = 5


def make_step():
    """A checkpoint with optimizer of OLMo-2 1B's shape, with a third of its layers."""
    step = BENCH / "step1000-unsharded"
    if step.exists():
        return step
    import torch

    print(f"making {step.relative_to(ROOT)}", file=sys.stderr)
    torch.manual_seed(3)
    shapes = {
        name: shape for name, shape in olmo2_1b()
        if ".blocks." not in name or int(name.split(".")[2]) < MEASURED_LAYERS}
    partial = BENCH / "step1000-unsharded.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    torch.save({name: torch.empty(shape).normal_(0, 0.02) for name, shape in shapes.items()},
               partial / "model.pt")
    state = {
        name: {
            "step": torch.tensor(1000.0), "exp_avg": torch.empty(shape).normal_(0, 1e-5),
            "exp_avg_sq": torch.empty(shape).uniform_(1e-10, 4e-9)}
        for name, shape in shapes.items()}
    group = {"lr": 4e-4, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.1}
    torch.save(
        {"state": state, "param_groups": [group | {"params": list(shapes)}]}, partial / "optim.pt")
    torch.save({"global_step": 1000}, partial / "train.pt")
    (partial / "config.yaml").write_text(
        OLMO2_1B_CONFIG.replace("n_layers: 16", f"n_layers: {MEASURED_LAYERS}"))
    partial.rename(step)
    return step


def measure_statistics(binary, step, rounds):
    """Wall seconds, CPU seconds and peak bytes of measuring a checkpoint."""
    files = [step / "model.pt", step / "optim.pt"]
    peer = [sys.executable, ROOT / "Benchmarks/statistics_peer.py"]
    commands = {
        "`cat`": ["cat", *files],
        "`ckptconv stats`": [binary, "stats", "--quiet", "--fail-on", "never", step],
        "`ckptconv stats --threads 1`":
            [binary, "stats", "--quiet", "--fail-on", "never", "--threads", "1", step],
        "NumPy": [*peer, "numpy", *files],
        "torch": [*peer, "torch", *files],
    }
    report = BENCH / "time.txt"
    subprocess.run(["cat", *files], check=True, stdout=subprocess.DEVNULL)
    results = {name: [] for name in commands}
    for number in range(rounds):
        print(f"{step.name}: round {number + 1} of {rounds}", file=sys.stderr)
        for name, command in commands.items():
            subprocess.run(
                ["/usr/bin/time", "-f", "%e %U %S %M", "-o", report, *command], check=True,
                stdout=subprocess.DEVNULL)
            wall, user, system, peak = map(float, report.read_text().split())
            results[name].append((wall, user + system, peak * 1024))
    return results


def statistics_section(step, results):
    size = sum((step / name).stat().st_size for name in ("model.pt", "optim.pt"))
    lines = [
        f"## Statistics of a checkpoint with optimizer: {size / 1e9:.2f} GB", "",
        f"OLMo-2 1B's shape with {MEASURED_LAYERS} of 16 layers. NumPy and torch compute the same in",
        "chunks (`Benchmarks/statistics_peer.py`), without sketches. `cat` reads the files.", "",
        "| command | wall | CPU | CPU, against NumPy | peak memory |", "| --- | --- | --- | --- | --- |",
    ]
    baseline = statistics.median(cpu for _, cpu, _ in results["NumPy"])
    for name, runs in results.items():
        wall, cpu, _ = map(statistics.median, zip(*runs))
        peak = max(peak for _, _, peak in runs)
        lines.append(
            f"| {name} | {wall:.2f} s | {cpu:.2f} s | {cpu / baseline:.2f} | {peak / 2**20:.1f} MiB |")
    return [*lines, ""]


def comes_back(binary, converted, source):
    """Whether the way back gives the very file that was converted."""
    subprocess.run(
        [binary, "safetensors-to-pt", converted, "-o", OUTPUT, "--quiet"], check=True)
    same = filecmp.cmp(OUTPUT, source, shallow=False)
    OUTPUT.unlink()
    return same


def version_of(command):
    process = subprocess.run(command, capture_output=True, text=True)
    return process.stdout.splitlines()[0].strip() if process.stdout else "unknown"


def field(path, key):
    """The value of a `key : value` line in a file of /proc."""
    lines = pathlib.Path(path).read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(key))


def machine(binary):
    import safetensors
    import torch

    memory = int(field("/proc/meminfo", "MemTotal").split()[0]) / 2**20
    kernel = ".".join(platform.release().split(".")[:2])
    file_system = version_of(["stat", "-f", "-c", "%T", str(BENCH)])
    return [
        f"{field('/proc/cpuinfo', 'model name')}, {os.cpu_count()} CPUs, "
        f"{memory:.0f} GiB of memory, {file_system}",
        f"{platform.system()} {kernel}, {version_of(['cp', '--version'])}, "
        f"{version_of(['hyperfine', '--version'])}",
        f"{version_of([binary, '--version'])}",
        f"Python {platform.python_version()}, torch {torch.__version__}, "
        f"safetensors {safetensors.__version__}",
    ]


def row(name, times, peaks, byte_count=None, baseline=None):
    median = statistics.median(times)
    wall = f"{median * 1000:.1f} ms" if median < 1 else f"{median:.2f} s"
    spread = f"{min(times) / median:.2f} to {max(times) / median:.2f}"
    cells = [name, wall, spread]
    if byte_count is not None:
        cells += [f"{byte_count / median / 1e9:.2f} GB/s", f"{median / baseline:.2f}"]
    return "| " + " | ".join([*cells, f"{max(peaks) / 2**20:.1f} MiB"]) + " |"


def conversion_table(size, conversions):
    baseline = statistics.median(conversions["`cp`"][0])
    return [
        "| command | median | range | rate | against cp | peak memory |",
        "| --- | --- | --- | --- | --- | --- |",
        *(row(name, *result, size, baseline) for name, result in conversions.items()), "",
    ]


def section(title, source, conversions, returns, inspection, same, identical):
    size = source.stat().st_size
    return [
        f"## {title}: {size / 1e9:.2f} GB", "",
        *conversion_table(size, conversions),
        "The way back, from the safetensors file that `ckptconv` wrote:", "",
        *conversion_table(size, returns),
        "The file that came back was "
        + ("byte for byte the one that was converted." if identical else "**another file.**"), "",
        "| command | median | range | peak memory |", "| --- | --- | --- | --- |",
        row("`ckptconv inspect`", *inspection), "",
        "With `--no-skeleton` the output was "
        + ("byte for byte what torch and safetensors wrote." if same else "**another file.**"), "",
    ]


def report(binary, rounds, sections):
    return "\n".join([
        "# Benchmarks", "",
        "Written by `make bench` (`Benchmarks/bench.py`): do not edit. "
        f"Measured on {datetime.date.today().isoformat()}.", "",
        *(f"- {line}" for line in machine(binary)), "",
        f"Each of {rounds} rounds ran every command once, so that what slows one slows all; the",
        "table has the median and how far the fastest and the slowest run were from it. Sources",
        "were in the page cache; the output was removed, and writes flushed, before every run.",
        "Memory is the largest resident set that GNU time saw in any run.", "",
        *sections,
        "## Commands", "",
        "```sh",
        "cp --reflink=never SOURCE OUTPUT",
        "ckptconv pt-to-safetensors SOURCE -o OUTPUT --quiet",
        "python -c '" + PYTORCH.strip() + "' SOURCE OUTPUT",
        "ckptconv safetensors-to-pt CONVERTED -o OUTPUT --quiet",
        "python -c '" + PYTORCH_BACK.strip() + "' CONVERTED OUTPUT",
        "ckptconv inspect SOURCE",
        "probe open OPENED",
        "python -c '" + REFERENCE_OPENING.strip() + "' OPENED",
        "ckptconv olmo-to-hf STEP -o OUTPUT --quiet",
        "ckptconv hf-to-olmo FOLDER -o OUTPUT --quiet",
        "ckptconv verify --quiet SOURCE SOURCE",
        "ckptconv roundtrip --quiet SOURCE",
        "ckptconv check --quiet SOURCE",
        "probe cast FROM TO SOURCE OUTPUT [THREADS]",
        "python -c '" + PYTORCH_CAST.strip() + "' FROM TO SOURCE OUTPUT COUNT",
        "cp -r --reflink=never SMALL OUTPUT",
        "ckptconv batch pt-to-safetensors --quiet --files SMALL -o OUTPUT [--jobs 4]",
        "sh -c '" + LOOP.strip() + "' sh ckptconv SMALL OUTPUT",
        "ckptconv stats --quiet --fail-on never STEP [--threads 1]",
        "python Benchmarks/statistics_peer.py numpy|torch STEP/model.pt STEP/optim.pt",
        "```", "",
    ])


def conversion_sections(binary, probe, rounds):
    sections = []
    for title, (name, _) in SOURCES.items():
        source = BENCH / name
        commands = {
            "`cp`": ["cp", "--reflink=never", source, OUTPUT],
            "`ckptconv pt-to-safetensors`":
                [binary, "pt-to-safetensors", source, "-o", OUTPUT, "--quiet"],
            "torch and safetensors": [sys.executable, "-c", PYTORCH, source, OUTPUT],
        }
        conversions = measure_conversions(source, commands, rounds)
        converted = BENCH / "converted.safetensors"
        subprocess.run(
            [binary, "pt-to-safetensors", source, "-o", converted, "--quiet", "--force"], check=True)
        commands = {
            "`cp`": ["cp", "--reflink=never", converted, OUTPUT],
            "`ckptconv safetensors-to-pt`":
                [binary, "safetensors-to-pt", converted, "-o", OUTPUT, "--quiet"],
            "safetensors and torch": [sys.executable, "-c", PYTORCH_BACK, converted, OUTPUT],
        }
        returns = measure_conversions(converted, commands, rounds)
        identical = comes_back(binary, converted, source)
        converted.unlink()
        inspection = measure_inspection(binary, source)
        same = same_bytes_as_pytorch(binary, source)
        sections += section(
            title, source, conversions, returns, inspection, same, identical)
    return sections


def folder_sections(binary, probe, rounds):
    source = BENCH / SOURCES["OLMo-2 1B"][0]
    return folder_section(source, measure_folders(binary, source, rounds))


def opening_sections(binary, probe, rounds):
    opened = make_opened()
    return opening_section(opened, measure_opening(probe, opened, rounds))


def instruction_sections(binary, probe, rounds):
    return instruction_section(binary)


def cast_sections(binary, probe, rounds):
    make_elements()
    return cast_section(probe, rounds)


def batch_sections(binary, probe, rounds):
    folder = make_small_files()
    return batch_section(folder, measure_batch(binary, folder, rounds))


def statistics_sections(binary, probe, rounds):
    step = make_step()
    return statistics_section(step, measure_statistics(binary, step, rounds))


# In the order of the report.
SECTIONS = {
    "conversion": conversion_sections, "folder": folder_sections, "opening": opening_sections,
    "instructions": instruction_sections, "cast": cast_sections, "batch": batch_sections,
    "statistics": statistics_sections,
}


def run(binary, probe, rounds, destination, section):
    make_sources()
    if section:
        return print("\n".join(SECTIONS[section](binary, probe, rounds)))
    sections = [line for make in SECTIONS.values() for line in make(binary, probe, rounds)]
    destination.write_text(report(binary, rounds, sections))
    print(destination.read_text())


def check_tools():
    for tool in ("hyperfine", "/usr/bin/time", "valgrind"):
        if shutil.which(tool) is None:
            sys.exit(f"bench: {tool} is missing; on Debian: apt-get install hyperfine time valgrind")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--binary", default=ROOT / ".build/ckptconv", type=pathlib.Path)
    parser.add_argument("--probe", default=ROOT / ".build/release/ckptprobe", type=pathlib.Path)
    parser.add_argument(
        "--report", default=ROOT / "Documentation/benchmarks.md", type=pathlib.Path)
    parser.add_argument("--section", choices=SECTIONS, help="print this section only")
    parser.add_argument("--clean", action="store_true", help="remove .bench/ and do nothing else")
    options = parser.parse_args()
    if options.clean:
        shutil.rmtree(BENCH, ignore_errors=True)
    else:
        check_tools()
        run(
            options.binary.resolve(strict=True), options.probe.resolve(strict=True), options.rounds,
            options.report, options.section)


main()
