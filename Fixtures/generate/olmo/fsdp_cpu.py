"""OLMo's own scripts/train.py under FSDP on the CPU, over gloo: `fsdp_cpu.py OLMO_SOURCE CONFIG`.

On a CPU scripts/train.py turns to distributed_strategy=single; this driver calls the same main()
with FSDP kept. What writes the checkpoints (the trainer, its checkpointers, torch's FSDP) is
untouched. Changed, for the CPU only: FSDP's device_id, gloo's missing collectives, and the
offloading noted below. Runs with torch 2.2 under `torch.distributed.run`.
"""

import datetime
import importlib.util
import pathlib
import sys

import torch
import torch.distributed as dist
from torch.distributed.fsdp import FullyShardedDataParallel

dist.init_process_group("gloo", timeout=datetime.timedelta(minutes=5))


def reduce_scatter_tensor(output, input, op=dist.ReduceOp.SUM, group=None, async_op=False):
    total = input.clone()
    dist.all_reduce(total, op=dist.ReduceOp.SUM, group=group)
    ranks = dist.get_world_size(group)
    part = total.chunk(ranks)[dist.get_rank(group)]
    if op == dist.ReduceOp.AVG:
        part = part / ranks
    output.copy_(part.view_as(output))


def all_gather_into_tensor(output, input, group=None, async_op=False):
    parts = list(output.view(-1).chunk(dist.get_world_size(group)))
    dist.all_gather(parts, input.reshape(-1), group=group)


dist.reduce_scatter_tensor = reduce_scatter_tensor
dist.all_gather_into_tensor = all_gather_into_tensor
# FSDP's optim_state_dict calls these even when everything is on the CPU.
torch.cuda.synchronize = lambda *args, **kwargs: None
torch.cuda.memory_summary = lambda *args, **kwargs: ""

script = pathlib.Path(sys.argv[1]) / "scripts/train.py"
spec = importlib.util.spec_from_file_location("olmo_train_script", script)
train = importlib.util.module_from_spec(spec)
spec.loader.exec_module(train)


def cpu_fsdp(module, **options):
    options["device_id"] = torch.device("cpu")
    return FullyShardedDataParallel(module, **options)


train.FSDP = cpu_fsdp

# With offload_to_cpu torch takes .to("cpu") for a copy; on the CPU it is none, and the storage is
# then freed under rank 0. Without it FSDP clones, and the same state dict is written. The same
# holds for the optimiser: exp_avg and exp_avg_sq would share one reused gather buffer.
import olmo.checkpoint

full_model = olmo.checkpoint.FullStateDictConfig
full_optimizer = olmo.checkpoint.FullOptimStateDictConfig
olmo.checkpoint.FullStateDictConfig = (
    lambda rank0_only, offload_to_cpu: full_model(rank0_only=rank0_only, offload_to_cpu=False))
olmo.checkpoint.FullOptimStateDictConfig = (
    lambda rank0_only, offload_to_cpu: full_optimizer(
        rank0_only=rank0_only, offload_to_cpu=False))

train.prepare_cli_environment()
train.add_cached_path_clients()
config = train.TrainConfig.load(sys.argv[2], [])
config.model.init_device = "cpu"
train.main(config)
