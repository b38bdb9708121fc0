"""Checkpoints of DeepSpeed's ZeRO are put together, with the optimizer's moments.

DeepSpeed itself is not installed here: `write` cuts a state as its source does
(`deepspeed/runtime/zero/stage_1_and_2.py`, `stage3.py`, `deepspeed/runtime/engine.py`).
"""

import collections
import enum
import math
import shutil
import sys
import types

import pytest
import torch

from program import DATA, DONE, describe, run
from test_distributed import assert_equal


class ZeroStageEnum(int, enum.Enum):
    disabled = 0
    optimizer_states = 1
    gradients = 2
    weights = 3


class LossScaler:
    def __init__(self):
        self.cur_scale = 1.0


for name, value in ("deepspeed.runtime.zero.config", ZeroStageEnum), (
        "deepspeed.runtime.fp16.loss_scaler", LossScaler):
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:count]), types.ModuleType(parts[count - 1]))
    setattr(sys.modules[name], value.__name__, value)
    value.__module__, value.__qualname__ = name, value.__name__

GROUPS = [
    {"emb.weight": (13, 8), "up.weight": (11, 8), "cube": (3, 4, 5)},
    {"up.bias": (11,), "scale": (), "none": (0, 4)}]
FIELDS = ["exp_avg", "exp_avg_sq"]


def state():
    """Float32 weights and moments by name."""
    generator = torch.Generator().manual_seed(1)
    shapes = {name: shape for group in GROUPS for name, shape in group.items()}
    return {
        field: {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
        for field in ["weight", *FIELDS]}


def cut(tensors, world, stage, pads_last=True):
    """The flat group of each rank."""
    if stage < 3:
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        size = math.ceil(len(flat) / (2 * world)) * 2
        parts = [flat[rank * size:(rank + 1) * size] for rank in range(world)]
        if pads_last:
            parts = [torch.cat([part, torch.zeros(size - len(part))]) for part in parts]
        return [part.clone() for part in parts]
    ranks = [[] for _ in range(world)]
    for tensor in tensors:
        size = math.ceil(tensor.numel() / world)
        padded = torch.cat([tensor.flatten(), torch.zeros(size * world - tensor.numel())])
        for rank in range(world):
            ranks[rank].append(padded[rank * size:(rank + 1) * size])
    return [torch.cat(parts) for parts in ranks]


def write(directory, stage, world, dtype=torch.float32):
    """Writes a checkpoint, and returns what it should become."""
    numbers = state()
    folder = directory / "global_step4"
    folder.mkdir(parents=True)
    (directory / "latest").write_text("global_step4")
    frozen = torch.arange(5.0).to(torch.bfloat16)
    buffer = torch.tensor([1.0, 2.0, 3.0])
    module = collections.OrderedDict(frozen=frozen, buffer=buffer)
    empty = torch.empty(0)
    for name, tensor in numbers["weight"].items():
        module[name] = tensor.to(dtype) if stage < 3 else torch.empty(0)
    module["head.weight"] = module["emb.weight"]
    if stage == 3:
        module["frozen"] = empty.clone()
    size = math.ceil(len(frozen) / world)
    for rank in range(world if stage == 3 else 1):
        states = {
            "module": module, "buffer_names": ["buffer"], "optimizer": None,
            "param_shapes": [
                collections.OrderedDict((name, torch.Size(shape)) for name, shape in group.items())
                for group in GROUPS],
            "frozen_param_shapes": {"frozen": torch.Size([5])},
            "frozen_param_fragments": {"frozen": frozen if stage < 3 else torch.cat(
                [frozen, torch.zeros(size * world - 5, dtype=frozen.dtype)])[rank * size:][:size].clone()},
            "shared_params": {"head.weight": "emb.weight"} if stage < 3 else {},
            "global_steps": 4, "dp_world_size": world, "mp_world_size": 1, "note": "é"}
        name = "mp_rank_00" if stage < 3 else f"zero_pp_rank_{rank}_mp_rank_00"
        torch.save(states, folder / f"{name}_model_states.pt")
    weights = [cut([numbers["weight"][n] for n in group], world, stage, False) for group in GROUPS]
    moments = {
        field: [cut([numbers[field][n] for n in group], world, stage) for group in GROUPS]
        for field in FIELDS}
    groups = [{"lr": 0.01, "weight_decay": 0.1 * number, "params": [number]} for number in range(2)]
    for rank in range(world):
        base = {
            "state": {
                number: {"step": torch.tensor(4.0)} | {
                    field: moments[field][number][rank] for field in FIELDS}
                for number in range(len(GROUPS))},
            "param_groups": groups}
        optimizer = {
            "zero_stage": ZeroStageEnum(stage), "loss_scaler": LossScaler(),
            "partition_count": world,
            "fp32_flat_groups" if stage == 3 else "single_partition_of_fp32_groups":
                [group[rank] for group in weights],
            "optimizer_state_dict" if stage == 3 else "base_optimizer_state": base}
        prefix = "bf16_" if dtype == torch.bfloat16 else ""
        torch.save(
            {"optimizer_state_dict": optimizer},
            folder / f"{prefix}zero_pp_rank_{rank}_mp_rank_00_optim_states.pt")
    model = {name: None for name in module}
    model |= numbers["weight"] | {"frozen": frozen, "buffer": buffer}
    model["head.weight"] = model["emb.weight"]
    return {
        "model": model,
        "optimizer": {
            "state": {
                name: {"step": torch.tensor(4.0)} | {field: numbers[field][name] for field in FIELDS}
                for name in numbers["weight"]},
            "param_groups": [
                {key: value for key, value in group.items() if key != "params"}
                | {"params": list(names)} for group, names in zip(groups, GROUPS)]},
        "global_steps": 4, "dp_world_size": world, "mp_world_size": 1, "note": "é"}


@pytest.mark.parametrize("world", [1, 2, 3, 5])
@pytest.mark.parametrize("stage", [1, 2, 3])
def test_weights_and_moments_return(stage, world, tmp_path):
    expected = write(tmp_path / "step", stage, world, torch.bfloat16)
    for place in tmp_path / "step", tmp_path / "step/global_step4":
        process = run("unshard", place, "-o", tmp_path / "whole.pt", "--verify", "--force")
        assert process.returncode == DONE, describe(process)
        found = torch.load(tmp_path / "whole.pt", weights_only=True)
        assert_equal(expected, found)
        model = found["model"]
        assert model["head.weight"].data_ptr() == model["emb.weight"].data_ptr()
        # An optimizer counts steps in place: each parameter has a counter of its own.
        steps = [state["step"].data_ptr() for state in found["optimizer"]["state"].values()]
        assert len(set(steps)) == len(steps)


def test_every_command_takes_the_directory(tmp_path):
    write(tmp_path / "step", 2, 2)
    whole = tmp_path / "whole.pt"
    assert run("unshard", tmp_path / "step", "-o", whole).returncode == DONE
    for command in [
            ("verify", tmp_path / "step", whole), ("diff", tmp_path / "step", whole),
            ("inspect", tmp_path / "step"), ("roundtrip", whole),
            ("pt-to-safetensors", tmp_path / "step", "-o", tmp_path / "there")]:
        process = run(*command)
        assert process.returncode == DONE, describe(process)


def damaged(change):
    """A checkpoint after a change of the object in one of its files."""
    def apply(folder, name):
        path = folder / name
        value = torch.load(path, weights_only=False)
        change(value)
        torch.save(value, path)
    return apply


def removed(folder, name):
    (folder / name).unlink()


OPTIM = "zero_pp_rank_1_mp_rank_00_optim_states.pt"
FAULTS = {
    "a missing rank": (2, OPTIM, removed, "rank 1 of 2 is missing"),
    "no optimizer of stage 2": (
        2, None, lambda folder, _: [path.unlink() for path in folder.glob("*_optim_states.pt")],
        "optimizer state of rank 0 of 2 is missing"),
    "no optimizer of stage 3": (
        3, None, lambda folder, _: [path.unlink() for path in folder.glob("*_optim_states.pt")],
        "optimizer state of rank 0 of 2 is missing"),
    "an optimizer of another save": (
        2, OPTIM, lambda folder, name: shutil.copy(folder / name, folder / name.replace("_1_", "_2_")),
        "3 files with the optimizer states of 2 ranks"),
    "a model of another save": (
        3, "zero_pp_rank_0_mp_rank_00_model_states.pt", lambda folder, name: shutil.copy(
            folder / name, folder / "mp_rank_00_model_states.pt"), "3 files with the model of 2 ranks"),
    "a universal checkpoint": (
        2, None, lambda folder, _: (folder / "zero").mkdir(), "universal checkpoint"),
    "a frozen parameter that is too long": (
        3, "zero_pp_rank_1_mp_rank_00_model_states.pt", damaged(
            lambda d: d["frozen_param_fragments"].__setitem__("frozen", torch.zeros(9, dtype=torch.bfloat16))),
        "fragments have more elements"),
    "a missing model": (2, "mp_rank_00_model_states.pt", removed, "the file with the model is missing"),
    "a missing model of stage 3": (
        3, "zero_pp_rank_1_mp_rank_00_model_states.pt", removed, "model state of rank 1 of 2 is missing"),
    "a group that is too short": (
        2, OPTIM, damaged(lambda d: d["optimizer_state_dict"]["single_partition_of_fp32_groups"]
                          .__setitem__(0, torch.zeros(3))), "the flat groups have"),
    "a group that is too long": (
        2, OPTIM, damaged(lambda d: d["optimizer_state_dict"]["single_partition_of_fp32_groups"]
                          .__setitem__(1, torch.zeros(99))), "more elements than the parameters"),
    "a matrix for a group": (
        2, OPTIM, damaged(lambda d: d["optimizer_state_dict"]["single_partition_of_fp32_groups"]
                          .__setitem__(0, torch.zeros(3, 3))), "expected a tensor of one dimension"),
    "a shape that is huge": (
        2, "mp_rank_00_model_states.pt", damaged(
            lambda d: d["param_shapes"][0].__setitem__("emb.weight", torch.Size([2**60, 2**60]))),
        "'emb.weight'"),
    "no shapes": (2, "mp_rank_00_model_states.pt", damaged(lambda d: d.pop("param_shapes")),
                  "'param_shapes' is missing"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_named(name, tmp_path):
    stage, file, change, message = FAULTS[name]
    write(tmp_path / "step", stage, 2)
    change(tmp_path / "step/global_step4", file)
    process = run("unshard", tmp_path / "step", "-o", tmp_path / "out.pt")
    assert process.returncode == DATA, describe(process)
    assert message in process.stderr
    assert not (tmp_path / "out.pt").exists()


@pytest.mark.parametrize("name, kind", [
    ("layer_01-model_00-model_states.pt", "pipeline"), ("mp_rank_01_model_states.pt", "tensor"),
    ("expp_rank_0_mp_rank_00_optim_states.pt", "expert")])
def test_other_parallelism_is_refused_by_name(name, kind, tmp_path):
    write(tmp_path / "step", 2, 2)
    (tmp_path / "step/global_step4" / name).write_bytes(b"")
    process = run("unshard", tmp_path / "step", "-o", tmp_path / "out.pt")
    assert process.returncode == DATA, describe(process)
    assert f"{kind} parallelism" in process.stderr
