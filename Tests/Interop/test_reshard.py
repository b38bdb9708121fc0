"""PyTorch loads the distributed checkpoints of `reshard` on any number of ranks, and goes on training."""

import os
import subprocess
import sys

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.format_utils import dcp_to_torch_save

from program import DATA, DONE, describe, run
from test_distributed import assert_equal

STEPS = 3

# The model and the training of all processes here; a rank has its rows under FSDP2.
COMMON = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 6)
        self.first = nn.Linear(6, 7)
        self.last = nn.Linear(7, 1)
        self.register_buffer("scale", torch.tensor(0.5))

    def forward(self, tokens):
        return self.last(torch.tanh(self.first(self.embed(tokens)))) * self.scale

def make(fsdp=None):
    torch.manual_seed(1)
    model = Net()
    if fsdp is not None:
        fsdp(model)
    return model, torch.optim.AdamW(model.parameters(), lr=0.01, betas=(0.8, 0.9))

def train(model, optimizer, steps, first):
    losses = []
    for step in range(first, first + steps):
        tokens = torch.randint(11, (8,), generator=torch.Generator().manual_seed(step))
        loss = (model(tokens) - 1).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
"""

RESUME = COMMON + """
import sys
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions, get_state_dict, set_state_dict)
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

directory, rank, world, flat, store = *sys.argv[1:5], sys.argv[5]
dist.init_process_group(
    "gloo", init_method=f"file://{store}", rank=int(rank), world_size=int(world))
mesh = init_device_mesh("cpu", (int(world),))
model, optimizer = make(lambda module: fully_shard(module, mesh=mesh))
options = StateDictOptions(flatten_optimizer_state_dict=flat == "flat")
weights, moments = get_state_dict(model, optimizer, options=options)
state = {"model": weights, "optim": moments}

read = [0]
class Counting(dcp.FileSystemReader):
    def read_data(self, plan, planner):
        read[0] = sum(
            self.storage_data[item.storage_index].length for item in plan.items)
        return super().read_data(plan, planner)

dcp.load(state, storage_reader=Counting(directory))
set_state_dict(
    model, optimizer, model_state_dict=state["model"], optim_state_dict=state["optim"],
    options=options)
losses = train(model, optimizer, 3, 3)
print(repr((losses, read[0])), flush=True)
dist.destroy_process_group()
"""


def resume(directory, world, flat, store):
    """The losses of three more steps on some ranks, and the bytes of the items that each read."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", RESUME, directory, str(rank), str(world), flat, store],
            env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        for rank in range(world)]
    answers = []
    for process in processes:
        output, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        answers.append(eval(output))  # noqa: S307, what this file printed
    return answers


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    """A step that one process saved with `torch.save`, and the losses of the steps after it."""
    scope = {}
    exec(COMMON, scope)  # noqa: S102, the source above
    directory = tmp_path_factory.mktemp("training")
    torch.set_num_threads(1)
    model, optimizer = scope["make"]()
    scope["train"](model, optimizer, STEPS, 0)
    torch.save(model.state_dict(), directory / "model.pt")
    torch.save(optimizer.state_dict(), directory / "optim.pt")
    names = [name for name, _ in model.named_parameters()]
    state = optimizer.state_dict()
    for group in state["param_groups"]:
        group["param_names"] = [names[number] for number in group["params"]]
    torch.save(
        {"model": model.state_dict(), "optim": state}, directory / "both.pt")
    losses = scope["train"](model, optimizer, STEPS, STEPS)
    return directory, losses


@pytest.mark.parametrize(
    "world, form, flags", [
        (1, "nested", ["--ranks", "1"]), (2, "flat", ["--ranks", "2"]),
        (3, "nested", ["--chunk-size", "64B"])],
    ids=["one rank", "two ranks, flat", "three ranks, chunks of two rows"])
def test_training_goes_on(world, form, flags, training, tmp_path):
    source, losses = training
    output = tmp_path / "dcp"
    process = run(
        "reshard", source / "both.pt", "-o", output, "--optimizer", form, "--verify", *flags)
    assert process.returncode == DONE, describe(process)
    answers = resume(output, world, form, tmp_path / "store")
    for found, _ in answers:
        assert found == (losses if world == 1 else pytest.approx(losses, rel=1e-5))


def test_each_rank_reads_its_own_rows(tmp_path):
    state = {"w": torch.arange(300 * 4096.0).reshape(300, 4096), "b": torch.ones(30)}
    torch.save(state, tmp_path / "model.pt")
    output = tmp_path / "dcp"
    process = run("reshard", tmp_path / "model.pt", "-o", output, "--ranks", "3")
    assert process.returncode == DONE, describe(process)
    sizes = [path.stat().st_size for path in sorted(output.glob("*.distcp"))]
    assert len(sizes) == 3
    assert max(sizes) <= 1.1 * sum(value.nbytes for value in state.values()) / 3


def test_the_tree_comes_back_from_pytorch_and_from_unshard(tmp_path):
    state = {
        "model": {
            "rows": torch.arange(35.0).reshape(7, 5), "half": torch.ones(3, 2, dtype=torch.bfloat16),
            "turned": torch.arange(12).reshape(3, 4).t(), "scalar": torch.tensor(3),
            "empty": torch.zeros(0, 4), "flags": torch.tensor([True, False]),
            "small": torch.ones(4, 2, dtype=torch.float8_e4m3fn)},
        "epoch": 3, "name": "é", "list": [1, 2.5, None], "pair": (1, torch.ones(2)),
        "nested": [{"lr": 0.1}, torch.zeros(2, 2)], "huge": 1 << 80}
    torch.save(state, tmp_path / "all.pt")
    process = run(
        "reshard", tmp_path / "all.pt", "-o", tmp_path / "dcp", "--ranks", "3", "--verify")
    assert process.returncode == DONE, describe(process)
    dcp_to_torch_save(tmp_path / "dcp", tmp_path / "theirs.pt")
    theirs = torch.load(tmp_path / "theirs.pt", weights_only=False)
    assert list(theirs) == list(state)
    for name, tensor in state["model"].items():
        assert torch.equal(tensor.float(), theirs["model"][name].float()), name
    process = run("unshard", tmp_path / "dcp", "-o", tmp_path / "back.pt")
    assert process.returncode == DONE, describe(process)
    # Chunks are packed, so the strides of a transposed tensor do not come back.
    state["model"]["turned"] = state["model"]["turned"].contiguous()
    torch.save(state, tmp_path / "packed.pt")
    process = run("verify", tmp_path / "packed.pt", tmp_path / "back.pt")
    assert process.returncode == DONE, describe(process)


def test_numbers_of_parameters_become_names(training, tmp_path):
    source, _ = training
    process = run("reshard", source, "-o", tmp_path / "dcp")
    # The buffer of the model is no parameter, and nothing says so.
    assert process.returncode == DATA, describe(process)
    assert "cannot be named" in process.stderr
    assert not (tmp_path / "dcp").exists()
    weights = torch.load(source / "model.pt", weights_only=True)
    del weights["scale"]
    step = tmp_path / "step"
    step.mkdir()
    torch.save(dict(weights), step / "model.pt")
    (step / "optim.pt").write_bytes((source / "optim.pt").read_bytes())
    process = run("reshard", step, "-o", tmp_path / "dcp")
    assert process.returncode == DONE, describe(process)
    reader = dcp.FileSystemReader(tmp_path / "dcp")
    names = reader.read_metadata().state_dict_metadata
    assert "optim.state.embed.weight.exp_avg" in names
    assert "optim.param_groups.0.decoupled_weight_decay" in names


@pytest.mark.parametrize(
    "target, folders, name", [
        ("accelerate", ["optimizer_0", "pytorch_model_fsdp_0"], "model.embed.weight"),
        ("torchtitan", [""], "embed.weight")])
def test_folders_and_names_are_those_of_the_program(target, folders, name, training, tmp_path):
    source, _ = training
    output = tmp_path / "out"
    process = run(
        "reshard", source / "both.pt", "-o", output, "--for", target, "--ranks", "2", "--verify")
    assert process.returncode == DONE, describe(process)
    found = sorted(str(path.parent.relative_to(output)) for path in output.rglob(".metadata"))
    assert found == sorted(folder or "." for folder in folders)
    names = dcp.FileSystemReader(output / folders[-1]).read_metadata().state_dict_metadata
    assert name in names
    moments = dcp.FileSystemReader(output / folders[0]).read_metadata().state_dict_metadata
    assert "optimizer.state.embed.weight.exp_avg" in moments


def test_a_damaged_source_leaves_nothing(tmp_path):
    torch.save({"w": torch.arange(999.0)}, tmp_path / "model.pt")
    data = bytearray((tmp_path / "model.pt").read_bytes())
    data[data.find(torch.arange(999.0).numpy().tobytes()[64:96])] ^= 1
    (tmp_path / "model.pt").write_bytes(data)
    process = run("reshard", tmp_path / "model.pt", "-o", tmp_path / "dcp", "--ranks", "4")
    assert process.returncode == DATA, describe(process)
    assert "CRC-32" in process.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]
