"""PyTorch's own distributed checkpoints are merged to what was saved, and to what its converter makes."""

import os
import shutil
import subprocess
import sys

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.format_utils import dcp_to_torch_save

from program import DATA, DONE, describe, run

RANKS = 4

# What each of several processes does: it has a part of each tensor, and all save together.
SAVE = """
import sys
import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Replicate, Shard, distribute_tensor

directory, rank, world = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
dist.init_process_group("gloo", init_method=f"file://{directory}.store", rank=rank, world_size=world)
mesh = init_device_mesh("cpu", (world,))
whole = torch.load(directory + ".pt", weights_only=True)
placements = {"rows": Shard(0), "few": Shard(0), "columns": Shard(1), "everywhere": Replicate()}
state = {"model": {}, "optim": whole["optim"], "extra": whole["extra"]}
for name, tensor in whole["model"].items():
    state["model"][name] = distribute_tensor(tensor, mesh, [placements[name.split(".")[0]]])
dcp.save(state, checkpoint_id=directory)
# The same as a file of each rank, on a mesh of one and of two dimensions, and as pieces in safetensors.
torch.save(state, f"{directory}.ranks/model_world_size_{world}_rank_{rank}.pt")
if world == 4:
    grid = init_device_mesh("cpu", (2, 2), mesh_dim_names=("replicas", "shards"))
    for name, places in [("grid", [Shard(0), Shard(1)]), ("twice", [Shard(0), Shard(0)]),
                         ("replicas", [Replicate(), Shard(0)])]:
        numbers = torch.arange(35.0).view(7, 5)
        state["model"][name] = distribute_tensor(numbers, grid, places)
    torch.save(state, f"{directory}.grid/rank{rank}.pt")
dcp.save(state["model"], storage_writer=dcp.HuggingFaceStorageWriter(
    f"{directory}.pieces", save_distributed=True))
dist.destroy_process_group()
"""


def state_dict():
    generator = torch.Generator().manual_seed(3)
    model = {}
    for dtype in (torch.float32, torch.bfloat16, torch.int64):
        numbers = torch.randint(-9, 9, (7, 5), generator=generator).to(dtype)
        kind = str(dtype).removeprefix("torch.")
        model[f"rows.{kind}"] = numbers
        model[f"few.{kind}"] = numbers[:2].clone()
        model[f"columns.{kind}"] = numbers.clone()
        model[f"everywhere.{kind}"] = numbers[0].clone()
    return {
        "model": model,
        "optim": {
            "state": {0: {"step": torch.tensor(4.0), "exp_avg": torch.ones(3)}},
            "param_groups": [{"lr": 0.1, "betas": (0.9, 0.99), "params": [0]}]},
        "extra": {"epoch": 3, "name": "é", "nested": [1, {"t": torch.zeros(2)}], "none": None}}


def save_with_processes(script, directory, ranks):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, directory, str(rank), str(ranks)],
            env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE, text=True)
        for rank in range(ranks)]
    for process in processes:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors


@pytest.fixture(scope="module")
def sharded(tmp_path_factory):
    directory = tmp_path_factory.mktemp("dcp") / "step3"
    torch.save(state_dict(), f"{directory}.pt")
    for kind in "ranks", "grid", "pieces":
        os.mkdir(f"{directory}.{kind}")
    save_with_processes(SAVE, directory, RANKS)
    return directory


def assert_equal(expected, found, place="root"):
    if isinstance(expected, torch.Tensor):
        assert found.dtype == expected.dtype and found.shape == expected.shape, place
        assert torch.equal(expected, found), place
    elif isinstance(expected, dict):
        assert list(expected) == list(found), place
        for key in expected:
            assert_equal(expected[key], found[key], f"{place}.{key}")
    elif isinstance(expected, (list, tuple)):
        assert type(expected) is type(found) and len(expected) == len(found), place
        for index, (left, right) in enumerate(zip(expected, found)):
            assert_equal(left, right, f"{place}.{index}")
    else:
        assert type(expected) is type(found) and expected == found, place


@pytest.mark.parametrize("name", ["whole.pt", "whole.safetensors"])
def test_one_file_has_what_was_saved(name, sharded, tmp_path):
    output = tmp_path / name
    process = run("unshard", sharded, "-o", output, "--verify")
    assert process.returncode == DONE, describe(process)
    if output.suffix == ".safetensors":
        process = run("safetensors-to-pt", output, "-o", tmp_path / "back.pt")
        assert process.returncode == DONE, describe(process)
        output = tmp_path / "back.pt"
    found = torch.load(output, weights_only=True)
    # Flattening keeps integer keys of an optimizer's state as strings; they come back as integers.
    assert_equal(state_dict(), found)
    dcp_to_torch_save(sharded, tmp_path / "theirs.pt")
    theirs = torch.load(tmp_path / "theirs.pt", weights_only=True)
    # Its order is that in which the ranks' tensors were written.
    assert theirs["model"].keys() == found["model"].keys()
    for name in theirs["model"]:
        assert_equal(theirs["model"][name], found["model"][name], name)


def test_a_directory_has_a_file_for_each_part(sharded, tmp_path):
    process = run("unshard", sharded, "-o", tmp_path / "out")
    assert process.returncode == DONE, describe(process)
    expected = state_dict()
    for name, part in [("model", "model"), ("optim", "optim"), ("other", "extra")]:
        found = torch.load(tmp_path / f"out/{name}.pt", weights_only=True)
        assert_equal(expected[part], found["extra"] if name == "other" else found)


def test_every_command_takes_the_directory(sharded, tmp_path):
    whole = tmp_path / "whole.pt"
    assert run("unshard", sharded, "-o", whole).returncode == DONE
    for command in [("verify", sharded, whole), ("diff", sharded, whole), ("inspect", sharded)]:
        process = run(*command)
        assert process.returncode == DONE, describe(process)
    process = run("pt-to-safetensors", sharded, "-o", tmp_path / "st")
    assert process.returncode == DONE, describe(process)
    assert sorted(path.name for path in (tmp_path / "st").iterdir()) == [
        "model.safetensors", "optim.safetensors", "other.safetensors"]
    process = run("batch", "pt-to-safetensors", sharded.parent, "-o", tmp_path / "batch")
    assert process.returncode == DONE, describe(process)
    assert (tmp_path / "batch/step3/model.safetensors").exists()


def test_one_process_without_a_group(tmp_path):
    state = {"w": torch.arange(6.0).reshape(2, 3).t(), "flag": True}
    dcp.save(state, checkpoint_id=tmp_path / "dcp", no_dist=True)
    process = run("unshard", tmp_path / "dcp", "-o", tmp_path / "w.pt")
    assert process.returncode == DONE, describe(process)
    assert_equal(state, torch.load(tmp_path / "w.pt", weights_only=True))


def test_folders_of_accelerate_are_one_checkpoint(tmp_path):
    """accelerate and the Trainer of transformers save the model and the optimizer apart."""
    parts = {
        "pytorch_model_fsdp_0": {"model": {"w": torch.arange(6.0).reshape(2, 3)}},
        "optimizer_0": {"optimizer": {"state": {"w": {"exp_avg": torch.ones(2, 3)}}}}}
    step = tmp_path / "checkpoint-5"
    for folder, state in parts.items():
        dcp.save(state, checkpoint_id=step / folder, no_dist=True)
    torch.save({"step": 5}, step / "scheduler.bin")
    expected = parts["pytorch_model_fsdp_0"] | parts["optimizer_0"]
    process = run("unshard", step, "-o", tmp_path / "whole.pt")
    assert process.returncode == DONE, describe(process)
    assert_equal(expected, torch.load(tmp_path / "whole.pt", weights_only=True))
    process = run("unshard", step, "-o", tmp_path / "out", "--to", "safetensors")
    assert process.returncode == DONE, describe(process)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "model.safetensors", "optimizer.safetensors"]
    process = run("verify", step, tmp_path / "whole.pt")
    assert process.returncode == DONE, describe(process)


# What each of several processes does: it saves its rows without talking to the others.
SAVE_ALONE = """
import sys
import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Shard, distribute_tensor

directory, rank, world = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
dist.init_process_group("gloo", init_method=f"file://{directory}.store", rank=rank, world_size=world)
mesh = init_device_mesh("cpu", (world,))
whole = torch.load(directory + ".pt", weights_only=True)
state = {"w": distribute_tensor(whole["w"], mesh, [Shard(0)]), "b": whole["b"], "lr": whole["lr"]}
dcp.save(state, checkpoint_id=directory, use_collectives=False)
dist.destroy_process_group()
"""


def test_metadata_of_each_rank_is_joined(tmp_path):
    expected = {"w": torch.arange(14.0).reshape(7, 2), "b": torch.ones(3), "lr": 0.1}
    step = tmp_path / "step1"
    torch.save(expected, f"{step}.pt")
    save_with_processes(SAVE_ALONE, step, 2)
    assert sorted(path.name for path in step.glob("*.metadata")) == ["__0.metadata", "__1.metadata"]
    process = run("unshard", step, "-o", tmp_path / "whole.pt")
    assert process.returncode == DONE, describe(process)
    assert_equal(expected, torch.load(tmp_path / "whole.pt", weights_only=True))
    (step / "__1.metadata").unlink()
    process = run("inspect", step)
    assert process.returncode == DATA and "is in no block" in process.stderr, describe(process)


def test_a_damaged_item_is_found(sharded, tmp_path):
    damaged = tmp_path / "damaged"
    shutil.copytree(sharded, damaged)
    path = sorted(damaged.glob("*.distcp"))[0]
    data = bytearray(path.read_bytes())
    values = torch.load(f"{sharded}.pt", weights_only=True)["model"]["rows.int64"]
    place = data.find(values[0].numpy().tobytes())
    assert place > 0
    data[place] ^= 1
    path.write_bytes(data)
    process = run("unshard", damaged, "-o", tmp_path / "out.pt")
    assert process.returncode == DATA, describe(process)
    assert "CRC-32" in process.stderr and path.name in process.stderr
    assert not (tmp_path / "out.pt").exists()


def merged(directory, tmp_path, code=DONE):
    """The object that `unshard` makes of a directory."""
    process = run("unshard", directory, "-o", tmp_path / "merged.pt", "--verify")
    assert process.returncode == code, describe(process)
    return torch.load(tmp_path / "merged.pt", weights_only=True) if code == DONE else process.stderr


def test_files_of_ranks_are_joined(sharded, tmp_path):
    assert_equal(state_dict(), merged(f"{sharded}.ranks", tmp_path))


def test_meshes_of_two_dimensions(sharded, tmp_path):
    found = merged(f"{sharded}.grid", tmp_path)["model"]
    for name in "grid", "twice", "replicas":
        assert_equal(torch.arange(35.0).view(7, 5), found[name], name)


def test_pieces_in_safetensors_are_joined(sharded, tmp_path):
    found = merged(f"{sharded}.pieces", tmp_path)
    expected = state_dict()["model"]
    assert found.keys() >= expected.keys()
    for name in expected:
        assert_equal(expected[name], found[name], name)


@pytest.mark.parametrize("kind", ["ranks", "grid", "pieces"])
@pytest.mark.parametrize("missing", [0, RANKS - 1])
def test_a_missing_rank_is_named(kind, missing, sharded, tmp_path):
    directory = tmp_path / "cut"
    shutil.copytree(f"{sharded}.{kind}", directory)
    paths = sorted(directory.iterdir())
    paths[missing].unlink()
    if kind == "pieces" and missing == RANKS - 1:
        # Whole shapes are not stored, so that rows are fewer where the last file is missing. The
        # columns, which another rank's rows have, tell.
        message = "in no block"
    else:
        message = f"rank {missing} of {RANKS} is missing"
    errors = merged(directory, tmp_path, DATA)
    assert message in errors, errors


def test_values_that_differ_are_told(sharded, tmp_path):
    directory = tmp_path / "differ"
    directory.mkdir()
    for rank in range(2):
        torch.save({"model": {"buffer": torch.full((3,), rank)}, "step": rank}, directory / f"rank{rank}.pt")
    process = run("unshard", directory, "-o", tmp_path / "out.pt")
    assert process.returncode == DONE, describe(process)
    for name in "model.buffer", "step":
        assert f"'{name}' differs between the ranks" in process.stderr
    assert torch.load(tmp_path / "out.pt")["model"]["buffer"].tolist() == [0, 0, 0]


def test_files_of_several_saves_are_refused(sharded, tmp_path):
    directory = tmp_path / "mixed"
    shutil.copytree(f"{sharded}.ranks", directory)
    shutil.copy(directory / "model_world_size_4_rank_0.pt", directory / "model_world_size_2_rank_0.pt")
    assert "several saves" in merged(directory, tmp_path, DATA)


def test_a_tensor_that_is_sharded_on_some_ranks_is_refused(sharded, tmp_path):
    directory = tmp_path / "partly"
    shutil.copytree(f"{sharded}.ranks", directory)
    torch.save({"model": {"rows.float32": torch.zeros(7, 5)}}, directory / "model_world_size_4_rank_0.pt")
    assert "'model.rows.float32' is sharded on some ranks only" in merged(directory, tmp_path, DATA)
