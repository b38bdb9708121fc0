"""`check` finds what torch, OLMo and transformers would stumble over, and nothing else."""

import json
import shutil
import struct
import subprocess
import zipfile

import pytest
import torch

from files import checkpoints, corpus, label
from program import BINARY, DIFFERENCE, DONE, FIXTURES, describe, run

SOUND = FIXTURES / "olmo2-fsdp/step6-unsharded"


def check(path, *flags):
    process = run("check", "--json", *flags, path)
    assert process.returncode in (DONE, DIFFERENCE), describe(process)
    report = json.loads(process.stdout)
    problems = [f for f in report["findings"] if f["severity"] == "problem"]
    assert all(f["remedy"] for f in problems if f["topic"] in ("files", "configuration", "tensors"))
    assert report["sound"] == (not problems) == (process.returncode == DONE), describe(process)
    return report["findings"]


def load(path):
    return torch.load(path, map_location="cpu", weights_only=False)


@pytest.mark.parametrize(
    "directory", [d for d in checkpoints() if (d / "model.pt").exists()], ids=label)
def test_what_the_trainer_wrote_is_sound(directory):
    assert check(directory, "--finite", "--for", "olmo") == []


# MARK: Single faults

def change(path, edit):
    """Loads a file, edits what is in it and saves it again."""
    value = load(path)
    torch.save(edit(value) or value, path)


def first(mapping):
    return next(iter(mapping.values()))


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def flip_step(path):
    """Damages the record of a number of steps, whatever else there is."""
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        record = next(r for r in archive.infolist() if archive.read(r) == struct.pack("<f", 6))
    names = struct.unpack_from("<HH", data, record.header_offset + 26)
    data[record.header_offset + 30 + sum(names)] ^= 1
    path.write_bytes(data)


def set_(mapping, key, value):
    mapping[key] = value


def drop_field(optimizer):
    del first(optimizer["state"])["exp_avg_sq"]


def drop_state(optimizer):
    del optimizer["state"][next(iter(optimizer["state"]))]


def add_to_group(optimizer):
    for key in ("params", "param_names"):
        optimizer["param_groups"][1][key].append(optimizer["param_groups"][0][key][0])


def leave_group(optimizer):
    for key in ("params", "param_names"):
        del optimizer["param_groups"][0][key][0]


def reshape_moment(optimizer):
    state = first(optimizer["state"])
    state["exp_avg"] = torch.zeros(3, 5)


def scalar_moment(optimizer):
    first(optimizer["state"])["exp_avg"] = torch.zeros(())


def no_tensor(optimizer):
    first(optimizer["state"])["exp_avg"] = None


def cast_moment(optimizer):
    state = first(optimizer["state"])
    state["exp_avg_sq"] = state["exp_avg_sq"].bfloat16()


def step_that_is_none(optimizer):
    first(optimizer["state"])["step"].fill_(float("nan"))


def flip_records(path):
    """Damages two records with data, of several."""
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        records = [r for r in archive.infolist() if "/data/" in r.filename]
    for record in records[2:4]:
        names = struct.unpack_from("<HH", data, record.header_offset + 26)
        data[record.header_offset + 30 + sum(names)] ^= 1
    path.write_bytes(data)


def make_directory(path):
    """Puts a directory where a file was, with what would be read of it if it were a folder."""
    file = path.read_bytes()
    path.unlink()
    path.mkdir()
    (path / "pytorch_model.bin").write_bytes(file)


def swap(one, other):
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)


def edit_config(before, after):
    def edit(directory):
        path = directory / "config.yaml"
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after))
    return edit


PAGE = "<!DOCTYPE html>\n<html><body>404</body></html>\n"


def step_apart(optimizer):
    first(optimizer["state"])["step"].fill_(5)


def all_steps(number):
    def edit(optimizer):
        for state in optimizer["state"].values():
            state["step"].fill_(number)
    return edit


def rename_tensor(model):
    name = next(iter(model))
    model["transformer.other.weight"] = model.pop(name)


# The fault, the topic and the file of the finding, and what it says.
FAULTS = {
    "no model": (lambda d: (d / "model.pt").unlink(), "files", "model.pt", "missing"),
    "no optimizer": (lambda d: (d / "optim.pt").unlink(), "files", "optim.pt", "missing"),
    "no trainer": (lambda d: (d / "train.pt").unlink(), "files", "train.pt", "missing"),
    "no config": (lambda d: (d / "config.yaml").unlink(), "files", "config.yaml", "missing"),
    "page for config": (
        lambda d: (d / "config.yaml").write_text(PAGE), "content", "config.yaml",
        "a web page, not a configuration"),
    "empty config": (
        lambda d: (d / "config.yaml").write_bytes(b""), "content", "config.yaml", "empty"),
    "tensors for config": (
        lambda d: shutil.copy(d / "train.pt", d / "config.yaml"), "content", "config.yaml",
        "file of tensors"),
    "directory for config": (
        lambda d: make_directory(d / "config.yaml"), "content", "config.yaml", "directory"),
    "directory for model": (
        lambda d: make_directory(d / "model.pt"), "content", "model.pt", "directory"),
    "model and optimizer swapped": (
        lambda d: swap(d / "model.pt", d / "optim.pt"), "content", "model.pt",
        "an optimizer state"),
    "optimizer and model swapped": (
        lambda d: swap(d / "model.pt", d / "optim.pt"), "content", "optim.pt", "a model state"),
    "model for trainer": (
        lambda d: shutil.copy(d / "model.pt", d / "train.pt"), "content", "train.pt",
        "a model state"),
    "empty": (lambda d: (d / "optim.pt").write_bytes(b""), "content", "optim.pt", "empty"),
    "cut": (lambda d: cut(d / "model.pt"), "content", "model.pt", "100 are missing"),
    "flipped bit": (lambda d: flip(d / "optim.pt"), "content", "optim.pt", "CRC-32"),
    "flipped bit of a step": (
        lambda d: flip_step(d / "optim.pt"), "optimizer", "optim.pt", "CRC-32"),
    "gzip": (
        lambda d: (d / "model.pt").write_bytes(b"\x1f\x8b\x08" + bytes(100)), "content",
        "model.pt", "gzip"),
    "lfs": (
        lambda d: (d / "model.pt").write_text(
            "version https://git-lfs.github.com/spec/v1\n"
            f"oid sha256:{'0' * 64}\nsize 12345\n"),
        "content", "model.pt", "a file of 12.3 kB"),
    "yaml": (
        lambda d: (d / "config.yaml").write_text("model: [1"), "configuration", "config.yaml",
        "line"),
    "heads that do not divide": (
        edit_config("n_heads: 4", "n_heads: 5"), "configuration", "config.yaml", "is not a multiple of"),
    "another number of blocks": (
        edit_config("n_layers: 2", "n_layers: 4"), "tensors", "model.pt",
        "2 blocks are missing, the first is 'transformer.blocks.2' (n_layers: 4)"),
    "tied": (
        edit_config("weight_tying: false", "weight_tying: true"), "tensors", "model.pt",
        "'transformer.ff_out.weight' with shape [4096, 32] is not part of the model (weight_tying: true)"),
    "biases": (
        edit_config("include_bias: false", "include_bias: true"), "tensors", "model.pt",
        "'transformer.blocks.0.ff_out.bias' with shape [32] is missing (include_bias: true); the same in 1 "
        "other block"),
    "another optimizer": (
        edit_config("name: adamw", "name: lionw"), "optimizer", "optim.pt",
        "exp_avg_sq, which lionw does not use"),
    "unknown field": (
        lambda d: (d / "config.yaml").write_text(
            (d / "config.yaml").read_text().replace("model:\n", "model:\n  wings: 2\n")),
        "configuration", "config.yaml", "'wings'"),
    "another width": (
        lambda d: (d / "config.yaml").write_text(
            (d / "config.yaml").read_text().replace("d_model: 32", "d_model: 64")),
        "tensors", "model.pt", "d_model"),
    "tensor renamed": (
        lambda d: change(d / "model.pt", rename_tensor), "tensors", "model.pt",
        "'transformer.other.weight'"),
    "tensor cast": (
        lambda d: change(
            d / "model.pt", lambda m: set_(m, next(iter(m)), first(m).to(torch.bfloat16))),
        "tensors", "model.pt", "1 of bfloat16"),
    "no moments of one": (
        lambda d: change(d / "optim.pt", drop_state), "optimizer", "optim.pt",
        "1 parameter without a state"),
    "no second moment": (
        lambda d: change(d / "optim.pt", drop_field), "optimizer", "optim.pt",
        "without exp_avg_sq"),
    "moment of another shape": (
        lambda d: change(d / "optim.pt", reshape_moment), "optimizer", "optim.pt", "[3, 5]"),
    "moment of one number": (
        lambda d: change(d / "optim.pt", scalar_moment), "optimizer", "optim.pt",
        "exp_avg has [], the weight has"),
    "moment that is no tensor": (
        lambda d: change(d / "optim.pt", no_tensor), "optimizer", "optim.pt", "exp_avg is None"),
    "moment cast": (
        lambda d: change(d / "optim.pt", cast_moment), "optimizer", "optim.pt",
        "exp_avg_sq has different dtypes"),
    "step that is none": (
        lambda d: change(d / "optim.pt", step_that_is_none), "optimizer", "optim.pt", ": nan"),
    "in two groups": (
        lambda d: change(d / "optim.pt", add_to_group), "optimizer", "optim.pt",
        "in the param groups twice"),
    "in no group": (
        lambda d: change(d / "optim.pt", leave_group), "optimizer", "optim.pt",
        "in no param group"),
    "steps apart": (
        lambda d: change(d / "optim.pt", step_apart), "steps", "optim.pt", "5, 6"),
    "optimizer of another step": (
        lambda d: change(d / "optim.pt", all_steps(12)), "steps", "optim.pt", "12 steps"),
    "trainer of another step": (
        lambda d: change(d / "train.pt", lambda t: set_(t, "global_step", 5)), "steps",
        "train.pt", "global_step is 5"),
    "no trainer state": (
        lambda d: change(d / "train.pt", lambda t: {"epoch": 0}), "steps", "train.pt",
        "'global_step' is missing"),
}


@pytest.fixture
def directory(tmp_path):
    copy = tmp_path / "step6-unsharded"
    shutil.copytree(SOUND, copy)
    return copy


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_where_it_is(directory, name):
    fault, topic, file, words = FAULTS[name]
    fault(directory)
    findings = check(directory)
    found = [f for f in findings if f["path"].endswith(file)]
    # A tensor of another name is one that the optimizer does not know either.
    if name not in ("tensor renamed", "model and optimizer swapped", "optimizer and model swapped"):
        assert len(found) == len(findings), findings
    assert any(f["topic"] == topic and words in f["message"] for f in found), findings
    warned = ("tensor cast", "moment cast", "another optimizer")
    severe = "warning" if name in warned else "problem"
    assert findings[0]["severity"] == severe, findings


def test_every_damaged_record_is_named(directory):
    flip_records(directory / "model.pt")
    flip_records(directory / "optim.pt")
    findings = check(directory, "--finite")
    assert len({f["message"] for f in findings}) == 4, findings
    assert all("CRC-32" in f["message"] for f in findings), findings


def test_steps_may_differ_where_the_configuration_counts_anew(directory):
    change(directory / "optim.pt", all_steps(12))
    config = directory / "config.yaml"
    text = config.read_text()
    assert "restore_dataloader: true" in text
    config.write_text(text.replace("restore_dataloader: true", "restore_dataloader: false"))
    assert [f["severity"] for f in check(directory)] == ["note"]


def test_numbers_that_are_not_finite_are_counted(tmp_path):
    values = {}
    kinds = [
        torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.complex64,
        torch.complex128, torch.float8_e5m2, torch.float8_e4m3fn, torch.float8_e5m2fnuz,
        torch.float8_e4m3fnuz, torch.float8_e8m0fnu,
    ]
    generator = torch.Generator().manual_seed(1)
    for kind in kinds:
        bits = torch.randint(0, 256, (64 * 1024,), generator=generator, dtype=torch.uint8)
        values[str(kind)] = bits.view(kind)
    values["strided"] = torch.tensor([[1.0, float("nan")], [float("inf"), 2.0]]).t()
    values["integers"] = torch.tensor([1 << 40, -1])
    path = tmp_path / "bits.pt"
    torch.save(values, path)
    expected = []
    for name, tensor in values.items():
        # What torch cannot ask of eight bits it can of the same numbers in 32.
        parts = torch.view_as_real(tensor) if tensor.is_complex() else tensor
        wide = parts if parts.dtype in (torch.float64, torch.int64) else parts.float()
        nan, infinite = int(wide.isnan().sum()), int(wide.isinf().sum())
        words = [f"{nan} NaN"] * (nan > 0) + [f"{infinite} infinite"] * (infinite > 0)
        if words:
            expected.append(f"'{name}' has {' and '.join(words)}")
    messages = [f["message"] for f in check(path, "--finite")]
    assert len(messages) == 1
    assert messages[0].startswith(", ".join(expected[:5])), (messages, expected)
    assert messages[0].endswith(f"and {len(expected) - 5} more tensors")
    for name, tensor in values.items():
        torch.save({name: tensor}, path)
        found = [f["message"] for f in check(path, "--finite")]
        assert [text.removesuffix(" values") for text in found] == [
            text for text in expected if text.startswith(f"'{name}'")]


# MARK: Whether a program would load it

def weights_only_loads(path):
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except Exception:
        return False
    return True


@pytest.mark.parametrize("path", corpus(), ids=label)
def test_torch_loads_what_check_says_it_loads(path):
    findings = check(path, "--for", "torch")
    if any(f["topic"] == "content" and f["severity"] == "problem" for f in findings):
        return  # What is not read at all is said to be so.
    refused = any(f["topic"] == "loading" and f["severity"] == "problem" for f in findings)
    assert refused != weights_only_loads(path), findings


def repacked(change=lambda name, data: data, method=zipfile.ZIP_STORED):
    """Packs the archive anew; records for which `change` gives nothing are left out."""
    def edit(path):
        with zipfile.ZipFile(path) as archive:
            records = [(r.filename, archive.read(r)) for r in archive.infolist()]
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, data in records:
                data = change(name.split("/", 1)[1], data)
                if data is not None:
                    archive.writestr(name, data)
    return edit


ARCHIVES = {
    "repacked": repacked(),
    "deflated": repacked(method=zipfile.ZIP_DEFLATED),
    "without byteorder": repacked(lambda name, data: None if name == "byteorder" else data),
    "without version": repacked(lambda name, data: None if name == "version" else data),
    "of version 11": repacked(lambda name, data: b"11" if name == "version" else data),
    "of version 10": repacked(lambda name, data: b"10 or so" if name == "version" else data),
    "of version x": repacked(lambda name, data: b"x" if name == "version" else data),
    "behind other bytes": lambda path: path.write_bytes(b"other bytes" + path.read_bytes()),
    "before other bytes": lambda path: path.write_bytes(path.read_bytes() + b"other bytes"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_torch_loads_the_archives_that_check_says_it_loads(tmp_path, name):
    path = tmp_path / "file.pt"
    torch.save({"weight": torch.arange(12.0)}, path)
    ARCHIVES[name](path)
    report = json.loads(run("check", "--json", "--for", "torch", path).stdout)
    assert report["loads"] == weights_only_loads(path), report


def test_a_directory_has_its_name_from_within_too(directory):
    for path, name in [(".", directory), ("..", directory / "empty"), ("empty/..", directory)]:
        (directory / "empty").mkdir(exist_ok=True)
        process = subprocess.run(
            [BINARY, "check", "--for", "olmo", path], cwd=name, capture_output=True, text=True)
        assert process.returncode == DONE and "step 6" in process.stdout, describe(process)


def test_of_a_run_a_checkpoint_is_asked_for(directory):
    shutil.copy(directory / "config.yaml", directory.parent)
    shutil.copytree(directory, directory.parent / "step12-unsharded")
    findings = check(directory.parent)
    assert len(findings) == 1 and "directory of a run" in findings[0]["message"], findings
    assert "step12-unsharded'" in findings[0]["remedy"], findings


@pytest.mark.parametrize(
    ("change", "words"),
    [(lambda data: data[:-100], ": 100 missing"), (lambda data: data + b"x", ": 1 too many")])
def test_it_is_said_by_how_much_a_safetensors_file_is_off(directory, change, words):
    path = directory / "model.safetensors"
    process = run("pt-to-safetensors", directory / "model.pt", "-o", path)
    assert process.returncode == DONE, describe(process)
    path.write_bytes(change(path.read_bytes()))
    findings = check(directory)
    assert words in findings[0]["message"] and findings[0]["remedy"], findings


def test_the_trainer_wants_a_name_and_its_own_layout(directory):
    process = run(
        "pt-to-safetensors", directory / "model.pt", "--layout", "plain", "-o",
        directory / "model.safetensors")
    assert process.returncode == DONE, describe(process)
    renamed = directory.rename(directory.parent / "step6")
    findings = [f for f in check(renamed, "--for", "olmo") if f["severity"] == "problem"]
    assert [f["topic"] for f in findings] == ["loading", "loading"]
    assert "'plain'" in "".join(f["message"] for f in findings)
    assert any("step6-unsharded" in (f["remedy"] or "") for f in findings)


def test_a_checkpoint_for_one_program_is_told_from_one_for_another(directory):
    findings = check(directory, "--for", "hf")
    assert any("olmo-to-hf" in (f["remedy"] or "") for f in findings), findings


@pytest.mark.parametrize("program", ["olmo", "hf", "torch"])
def test_the_last_line_says_whether_the_program_would_load_it(directory, program):
    process = run("check", "--for", program, directory)
    loads = "load it; checked" in process.stdout
    refused = "cannot load it" in process.stdout
    # torch refuses the trainer's state, and transformers has no such folders.
    assert loads and refused == (program != "olmo"), describe(process)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["rank0.pt", "config.yaml"], "sharded OLMo checkpoint (torch_legacy)"),
        (["model_and_optim/.metadata", "config.yaml"], "sharded OLMo checkpoint (torch_new)"),
        (["model/rank0.pt", "metadata.yaml", "config.yaml"], "sharded OLMo checkpoint (local)"),
        (["model/metadata.json", "config.yaml"], "sharded OLMo checkpoint (olmo_core)"),
        (["model_and_optim/.metadata", "config.json", ".metadata.json"], "OLMo-core"),
        ([".metadata", "__0_0.distcp"], "distributed checkpoint of PyTorch"),
        (["readme.txt"], "this directory has no checkpoint"),
    ])
def test_directories_of_other_kinds_are_named(tmp_path, names, words):
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    findings = check(tmp_path)
    assert len(findings) == 1 and words in findings[0]["message"], findings




# MARK: What works, but hardly as it was meant

def warnings_of(path, *flags):
    return [f["message"] for f in check(path, *flags) if f["severity"] == "warning"]


def test_weights_that_were_cast_are_told_from_those_of_the_trainer(directory):
    change(directory / "model.pt", lambda model: {k: v.bfloat16() for k, v in model.items()})
    assert warnings_of(directory) == [
        "the weights are bfloat16, and the optimizer's state is float32"]


def test_a_plain_model_beside_the_trainers_own_is_warned_of(directory):
    process = run(
        "pt-to-safetensors", directory / "model.pt", "-o", directory / "model.safetensors",
        "--layout", "plain")
    assert process.returncode == DONE, describe(process)
    assert any("its layout is 'plain'" in warning for warning in warnings_of(directory))


def test_a_trainer_state_without_random_numbers_is_warned_of(directory):
    change(directory / "train.pt", lambda train: train.pop("rng") and None)
    assert warnings_of(directory) == ["there is no 'rng' in it"]


def test_negative_means_of_squares_are_counted_with_the_values(directory):
    def edit(optimizer):
        moment = first(optimizer["state"])["exp_avg_sq"]
        moment.view(-1)[:2] = -1.0
        moment.view(-1)[2] = -0.0
    change(directory / "optim.pt", edit)
    assert warnings_of(directory) == []
    found = warnings_of(directory, "--finite")
    assert len(found) == 1 and "exp_avg_sq' has 2 negative numbers" in found[0], found


def test_two_sets_of_weights_are_warned_of(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    torch.save({"w": torch.ones(2)}, tmp_path / "pytorch_model.bin")
    process = run(
        "pt-to-safetensors", tmp_path / "pytorch_model.bin", "-o", tmp_path / "model.safetensors")
    assert process.returncode == DONE, describe(process)
    assert (
        "there are two sets of weights; transformers loads 'model.safetensors' and not "
        "'pytorch_model.bin'") in warnings_of(tmp_path)


@pytest.mark.parametrize("empty, is_warned_of", [(4, True), (2, True), (1, False), (0, False)])
def test_weights_that_zero_leaves_empty_are_warned_of(tmp_path, empty, is_warned_of):
    weights = {f"w{n}": torch.zeros(0 if n < empty else 3) for n in range(4)}
    torch.save({"module": weights}, tmp_path / "mp_rank_00_model_states.pt")
    found = warnings_of(tmp_path / "mp_rank_00_model_states.pt")
    assert bool(found) == is_warned_of, found
    assert all("ZeRO-3" in warning for warning in found)
