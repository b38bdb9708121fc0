"""`ckptconv stats` against PyTorch in double precision, on small runs with one thing wrong each."""

import csv
import json
import os
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from program import DATA, DIFFERENCE, DONE, USAGE, convert, describe, run, succeed
from statistics_reference import assert_equal, tensor_numbers, update_numbers
from training_runs import EMBEDDING, ROWS, VOCABULARY, Run


def measured(*arguments, code=DONE):
    """The JSON lines of `ckptconv stats`: those of checkpoints, and that of the run."""
    process = run("stats", "--json", *arguments)
    assert process.returncode == code, describe(process)
    lines = [json.loads(line) for line in process.stdout.splitlines()]
    assert [line["kind"] for line in lines] == ["checkpoint"] * (len(lines) - 1) + ["run"]
    return lines[:-1], lines[-1]


def by_name(checkpoint, part="model"):
    return {tensor["name"]: tensor for tensor in checkpoint["tensors"] if tensor["part"] == part}


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    return Run(tmp_path_factory.mktemp("healthy"), [0, 20, 40, 60])


FLOATS = [
    torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn,
    torch.float8_e5m2]


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_elements_of_each_type(dtype, tmp_path):
    generator = torch.Generator().manual_seed(11)

    def random(*shape, scale=1.0):
        return torch.randn(shape, generator=generator, dtype=torch.float64) * scale

    limits = torch.finfo(dtype)
    special = random(3000)
    special[7:14] = torch.tensor(
        [0.0, -0.0, limits.max, -limits.max, limits.smallest_normal, limits.smallest_normal / 2,
         float("nan")])
    tensors = {
        "normal": random(37, 58, scale=0.02), "special": special, "scalar": random().reshape(()),
        "empty": torch.empty(0, 4), "constant": torch.full((5000,), 0.25),
        "zeros": torch.zeros(8, 8), "nan": torch.full((9,), float("nan")),
        "heavy": random(20000).pow(3), "cube": random(3, 4, 5), "one row": random(1, 4099),
        "one column": random(4099, 1)}
    if dtype == torch.float64:
        # The fourth powers of the largest doubles are no doubles.
        tensors["special"][9:11] = 1e70
    if dtype in (torch.float64, torch.float32):
        tensors |= {
            "far from zero": random(200, 70) + 1e6, "tiny": random(4097, scale=1e-30),
            "huge": random(4097, scale=1e30),
            "cancelling": torch.cat([torch.full((30000,), 1e8), torch.full((30000,), -1e8),
                                     random(77)])}
    tensors = {name: tensor.to(dtype) for name, tensor in tensors.items()}
    save_file(tensors, tmp_path / "model.safetensors")
    (checkpoint,), _ = measured("--fail-on", "never", tmp_path / "model.safetensors")
    found = by_name(checkpoint)
    for name, tensor in tensors.items():
        assert_equal(found[name], tensor_numbers(tensor), name)


def test_elements_of_integers(tmp_path):
    tensors = {
        "int64": torch.arange(-50, 5000), "bool": torch.tensor([True, False, True]),
        "uint8": torch.arange(256, dtype=torch.uint8)}
    save_file(tensors, tmp_path / "model.safetensors")
    (checkpoint,), _ = measured(tmp_path / "model.safetensors")
    for name, tensor in tensors.items():
        assert_equal(by_name(checkpoint)[name], tensor_numbers(tensor), name)


def test_moments_and_updates(healthy):
    checkpoints, found = measured(healthy.folder)
    assert found["steps"] == [0, 20, 40, 60]
    for checkpoint, directory in zip(checkpoints, healthy.checkpoints):
        weights = torch.load(directory / "model.pt", weights_only=True)
        optimizer = torch.load(directory / "optim.pt", weights_only=True)
        tensors, moments = by_name(checkpoint), by_name(checkpoint, "optim")
        assert set(tensors) == set(weights)
        for name, weight in weights.items():
            assert_equal(tensors[name], tensor_numbers(weight), name)
        updates = {parameter["name"]: parameter for parameter in checkpoint["adam"]}
        assert set(updates) == set(optimizer["state"])
        for name, state in optimizer["state"].items():
            expected = update_numbers(weights[name], state, optimizer["param_groups"][0])
            assert_equal(updates[name], expected, name)
            for key in "exp_avg", "exp_avg_sq":
                assert_equal(moments[f"{name}.{key}"], tensor_numbers(state[key]), name)


def test_distances_from_sketches(healthy):
    checkpoints, found = measured(healthy.folder)
    weights = [
        torch.load(directory / "model.pt", weights_only=True)
        for directory in healthy.checkpoints]

    def distance(one, other):
        return sum((one[name] - other[name]).double().pow(2).sum() for name in one) ** 0.5

    for number in range(1, len(weights)):
        for key, other in ("distance_previous", number - 1), ("distance_first", 0):
            expected = float(distance(weights[number], weights[other]))
            # Twice the standard deviation of one tensor's sketch; a model's is smaller.
            assert found["series"][key][number] == pytest.approx(expected, rel=0.09)
    assert found["series"]["distance_previous"][0] is None
    assert found["distances"] == "sketch"
    assert all(row[number] == pytest.approx(1) for number, row in enumerate(found["similarity"]))


def nan(step, tensors, state):
    if step >= 40:
        tensors["transformer.blocks.1.ff_proj.weight"][3, 5] = float("nan")


def infinite_moment(step, tensors, state):
    if step >= 40:
        state["transformer.ff_out.weight"]["exp_avg_sq"][7, 1] = float("inf")


def other_moments(step, tensors, state):
    if step >= 40:
        state["transformer.blocks.0.ff_out.weight"]["exp_avg_sq"] *= 1e-5


def dead_rows(step, name, gradient):
    if name == EMBEDDING:
        gradient[10:15] = 0


def vanishing(step, name, gradient):
    if name == "transformer.blocks.1.attn_out.weight":
        gradient *= 1e-22


def frozen(step, name, gradient):
    return not (step > 20 and ".blocks.0." in name)


def jump(step, name, gradient):
    gradient *= 50 if step > 38 else 1


PADDING = ("note", "rows", 20, EMBEDDING)
FAULTS = {
    "nothing": ({}, [PADDING]),
    "a NaN": ({"saved": nan}, [
        PADDING, ("problem", "not-finite", 40, "transformer.blocks.1.ff_proj.weight")]),
    "an infinite moment": ({"saved": infinite_moment}, [
        PADDING, ("problem", "not-finite", 40, "transformer.ff_out.weight.exp_avg_sq")]),
    "moments of two runs": ({"saved": other_moments}, [
        PADDING, ("problem", "moments-disagree", 40, "transformer.blocks.0.ff_out.weight"),
        ("warning", "update-size", 40, "transformer.blocks.0.ff_out.weight"),
        ("warning", "relative-update", 40, "transformer.blocks.0.ff_out.weight")]),
    "tokens without data": ({"gradient": dead_rows}, [("warning", "rows", 20, EMBEDDING)]),
    "squares that underflow": ({"gradient": vanishing, "epsilon": 1e-30}, [
        PADDING, ("warning", "second-moment-vanished", 20, "transformer.blocks.1.attn_out.weight"),
        ("warning", "update-size", 20, "transformer.blocks.1.attn_out.weight")]),
    "a block without gradients": ({"gradient": frozen}, [PADDING] + [
        ("warning", "frozen", 40, f"transformer.blocks.0.{name}.weight")
        for name in ("q_norm", "attn_out", "ff_out", "att_proj", "ff_proj")]),
    "gradients that grow": ({"gradient": jump}, [
        PADDING, ("warning", "gradient-jump", 40, None)]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_findings(fault, tmp_path):
    options, expected = FAULTS[fault]
    if fault == "a block without gradients":
        options = options | {"rate": 1e-3}
    Run(tmp_path, [0, 20, 40], **options)
    code = DIFFERENCE if any(severity == "problem" for severity, *_ in expected) else DONE
    _, found = measured(tmp_path, code=code)
    findings = {
        (finding["severity"], finding["rule"], finding["step"], finding["tensor"])
        for finding in found["findings"]}
    # A jump of gradients makes some updates larger than usual, by chance.
    if fault == "gradients that grow":
        findings = {finding for finding in findings if finding[1] != "update-size"}
    assert findings == set(expected)


def test_findings_say_what_and_where(tmp_path):
    Run(tmp_path, [20], gradient=dead_rows)
    process = run("stats", tmp_path, "--fail-on", "warning")
    assert process.returncode == DIFFERENCE, describe(process)
    assert (
        f"warning: step 20: {EMBEDDING}: {5 + ROWS - VOCABULARY} rows without update "
        "(10 to 14, 60 to 63), 5 of them among the 60 of vocab_size" in process.stdout)


def test_layouts_and_formats_agree(healthy, tmp_path):
    directory = healthy.checkpoints[2]
    (expected,), _ = measured(directory)
    for layout in "olmo", "plain":
        output = convert(directory, tmp_path / layout, "--layout", layout)
        (found,), _ = measured(output)
        for key in "tensors", "adam", "total", "modules", "optimizer":
            assert found[key] == expected[key], (layout, key)
    bare = convert(
        directory / "optim.pt", tmp_path / "bare.safetensors", "--layout", "plain",
        "--no-skeleton", "--allow-loss")
    (found,), _ = measured(bare)
    assert by_name(found, "optim") == by_name(expected, "optim")


def test_threads_do_not_change_a_bit(healthy, tmp_path):
    large = {f"t{number}": torch.randn(1500, 1000 + number) for number in range(3)}
    save_file(large, tmp_path / "large.safetensors")
    for path in healthy.checkpoints[1], tmp_path / "large.safetensors":
        texts = {run("stats", "--json", "--threads", threads, path).stdout for threads in "127"}
        assert len(texts) == 1


def test_storages_of_every_kind(tmp_path):
    """Views, tied and deflated tensors have the numbers of their elements."""
    base = torch.randn(40, 30)
    tensors = {
        "transposed": base.t(), "sliced": base[3:20:2, 5:], "expanded": base[:1].expand(7, 30),
        "tied": base[3:20:2, 5:], "flat": torch.randn(10_000)}
    plain = tmp_path / "plain.pt"
    torch.save(tensors, plain)
    deflated = tmp_path / "deflated.pt"
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(
            deflated, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            target.writestr(entry.filename, source.read(entry))
    for path in plain, deflated:
        (checkpoint,), _ = measured(path)
        found = by_name(checkpoint)
        assert set(found) == set(tensors) - {"tied"}
        for name in found:
            assert_equal(found[name], tensor_numbers(tensors[name]), name)


def test_moments_that_lie_apart(tmp_path):
    """The moments of a parameter may be views of larger storages."""
    run_ = Run(tmp_path / "run", [20])
    path = run_.checkpoints[0] / "optim.pt"
    (expected,), _ = measured(run_.checkpoints[0])
    optimizer = torch.load(path, weights_only=True)
    for state in optimizer["state"].values():
        for key in "exp_avg", "exp_avg_sq":
            if state[key].dim() == 2:
                state[key] = state[key].t().contiguous().t()
    torch.save(optimizer, path)
    (found,), _ = measured(run_.checkpoints[0])
    assert found["adam"] == expected["adam"]
    assert found["tensors"] == expected["tensors"]


def test_damage_is_an_error(tmp_path):
    torch.save({"w": torch.randn(1000)}, tmp_path / "model.pt")
    data = bytearray((tmp_path / "model.pt").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "model.pt").write_bytes(data)
    process = run("stats", tmp_path / "model.pt")
    assert process.returncode == DATA, describe(process)
    assert "CRC-32" in process.stderr


def test_kept_statistics(tmp_path):
    """What was measured is not read again, and tells the same as the checkpoints."""
    first = Run(tmp_path / "run", [0, 20])
    kept = tmp_path / "kept"
    _, expected = measured(first.folder)
    _, found = measured("--quiet", first.folder)
    assert found == expected
    process = run("stats", first.folder, "-o", kept)
    assert process.returncode == DONE, describe(process)
    before = {path.name: path.stat().st_mtime_ns for path in kept.iterdir() if path.is_file()}
    assert sorted(before) == ["step0-unsharded.stats.json", "step20-unsharded.stats.json"]
    # A file whose size and time are the same is not opened: nobody sees what is in it now.
    for name in "model.pt", "optim.pt":
        path = first.checkpoints[1] / name
        status = path.stat()
        path.write_bytes(bytes(status.st_size))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    second = Run(tmp_path / "more", [0, 40])
    second.checkpoints[1].rename(first.folder / "step40-unsharded")
    process = run("stats", first.folder, "-o", kept)
    assert process.returncode == DONE, describe(process)
    after = {path.name: path.stat().st_mtime_ns for path in kept.iterdir() if path.is_file()}
    assert len(after) == 3
    assert {name: after[name] for name in before} == before
    checkpoints, found = measured(kept)
    assert found["steps"] == [0, 20, 40]
    assert found["series"]["norm"][:2] == expected["series"]["norm"]
    assert [checkpoint["step"] for checkpoint in checkpoints] == [0, 20, 40]


def test_changed_checkpoints_are_measured_again(tmp_path):
    made = Run(tmp_path / "run", [20])
    kept = tmp_path / "kept"
    assert run("stats", made.folder, "-o", kept).returncode == DONE
    torch.save({"w": torch.ones(3)}, made.checkpoints[0] / "model.pt")
    process = run("stats", made.folder, "-o", kept)
    assert process.returncode == DONE, describe(process)
    (checkpoint,), _ = measured(kept)
    assert list(by_name(checkpoint)) == ["w"]


def test_csv(healthy, tmp_path):
    path = tmp_path / "all.csv"
    process = run("stats", "--csv", path, healthy.folder)
    assert process.returncode == DONE, describe(process)
    checkpoints, _ = measured(healthy.folder)
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(len(checkpoint["tensors"]) for checkpoint in checkpoints)
    last = checkpoints[-1]["tensors"][0]
    row = [row for row in rows if row["step"] == "60" and row["name"] == last["name"]][0]
    assert float(row["rms"]) == last["rms"]
    assert float(row["grad_rms"]) == checkpoints[-1]["adam"][0]["grad_rms"]
    process = run("stats", "--csv", path, healthy.folder)
    assert "--force" in process.stderr, describe(process)


def test_tables(healthy):
    directory = healthy.checkpoints[-1]
    process = run("stats", "--sort", "rms", "--columns", "name,rms", "--limit", "3", directory)
    names = [line.split()[0] for line in process.stdout.splitlines()[1:4]]
    (checkpoint,), _ = measured(directory)
    largest = sorted(by_name(checkpoint).values(), key=lambda tensor: -tensor["rms"])
    assert names == [tensor["name"] for tensor in largest[:3]]
    process = run("stats", "--only", "*.blocks.1.*", "--columns", "name", directory)
    assert process.stdout.count("transformer.blocks.1.") == 5, describe(process)
    for grouping, count in ("block", 6), ("module", 6):
        process = run("stats", "--by", grouping, directory)
        table = process.stdout.split("\n\n")[1]
        assert len(table.splitlines()) == count + 1, describe(process)
    process = run("stats", "--sort", "nothing", directory)
    assert process.returncode == USAGE, describe(process)


def test_names_do_not_steer_the_terminal(tmp_path):
    save_file({"a\x1b[2Jb\nc": torch.full((2,), float("nan"))}, tmp_path / "model.safetensors")
    process = run("stats", tmp_path / "model.safetensors")
    assert process.returncode == DIFFERENCE, describe(process)
    assert "\x1b" not in process.stdout and r"a\u{1b}[2Jb\u{a}c" in process.stdout


def test_a_checkpoint_without_optimizer(tmp_path):
    succeed_path = tmp_path / "model.safetensors"
    save_file({"w": torch.randn(20, 20)}, succeed_path)
    (checkpoint,), found = measured(succeed_path)
    assert checkpoint["adam"] == [] and checkpoint["step"] is None
    assert checkpoint["total"]["grad_norm"] is None
    assert found["findings"] == []
    save_file({}, tmp_path / "empty.safetensors")
    (checkpoint,), _ = measured(tmp_path / "empty.safetensors")
    assert checkpoint["tensors"] == [] and checkpoint["total"]["norm"] == 0


def test_another_optimizer(tmp_path):
    """Lion keeps one moment: there are numbers about it, and none about updates of Adam."""
    directory = Run(tmp_path, [20]).checkpoints[0]
    optimizer = torch.load(directory / "optim.pt", weights_only=True)
    for state in optimizer["state"].values():
        del state["exp_avg_sq"]
    torch.save(optimizer, directory / "optim.pt")
    (checkpoint,), _ = measured(directory)
    assert checkpoint["adam"] == []
    assert len(by_name(checkpoint, "optim")) == len(optimizer["state"])


def test_hugging_face_folders(healthy, tmp_path):
    """Tensors that are not split on the way have the same numbers under their other names."""
    from program import FIXTURES
    source = FIXTURES / "olmo2-fsdp/step6-unsharded"
    folder = succeed("olmo-to-hf", source, tmp_path / "hf", "--optimizer")
    (one,), _ = measured(source, code=run("stats", source).returncode)
    (other,), _ = measured(folder, code=run("stats", folder).returncode)
    names = {
        "transformer.wte.weight": "model.embed_tokens.weight",
        "transformer.blocks.0.ff_out.weight": "model.layers.0.mlp.down_proj.weight",
        "transformer.blocks.1.attn_out.weight": "model.layers.1.self_attn.o_proj.weight"}
    ours, theirs = by_name(one), by_name(other)
    updates = {parameter["name"]: parameter for parameter in one["adam"]}
    their_updates = {parameter["name"]: parameter for parameter in other["adam"]}
    for name, other_name in names.items():
        assert ours[name] | {"name": other_name} == theirs[other_name]
        assert updates[name] | {"name": other_name} == their_updates[other_name]
