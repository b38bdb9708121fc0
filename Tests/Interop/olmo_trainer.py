"""Trains on from a checkpoint with OLMo's own trainer: olmo_trainer.py CHECKPOINT STEPS WORKDIR.

Does on one CPU what OLMo's scripts/train.py does with `--load_path`, and prints what the steps report
(losses and norms of gradients) as JSON, every float with all of its bits. Tokens are made here.
"""

import json
import os
import pathlib
import sys
import types
from unittest import mock

import numpy as np
import torch
from omegaconf import OmegaConf
from torch.nn.parallel import DistributedDataParallel

# What OLMo imports for clouds, dashboards and evaluations, and a run like this never calls.
UNUSED = """
    boto3 botocore botocore.config botocore.exceptions cached_path cached_path.schemes datasets google
    google.api_core google.api_core.exceptions google.api_core.retry google.cloud google.cloud.storage
    importlib_resources importlib_resources.abc
    requests rich rich.console rich.highlighter rich.progress rich.text rich.traceback sklearn
    sklearn.metrics torchmetrics wandb"""


class Unused:
    """A class to inherit from that nobody makes instances of."""

    recoverable_errors = ()


def local_path(name, **_):
    """What `cached_path` gives for a file that is not in a cloud."""
    return pathlib.Path(name).resolve(strict=True)


def hide_unused():
    for name in UNUSED.split():
        module = mock.MagicMock(name=name)
        module.__spec__ = types.SimpleNamespace(name=name, origin=None)
        sys.modules[name] = module
    sys.modules["torchmetrics"].Metric = Unused
    sys.modules["cached_path.schemes"].SchemeClient = Unused
    sys.modules["cached_path"].cached_path = local_path
    sys.modules["botocore.exceptions"].ClientError = OSError


def known_to(schema, found):
    """What this OLMo knows of a configuration that a later one wrote."""
    return {
        key: known_to(schema[key], value)
        if OmegaConf.is_dict(value) and OmegaConf.is_dict(schema[key]) else value
        for key, value in found.items() if key in schema}


def configuration(checkpoint, steps, folder):
    from olmo.config import TrainConfig

    tokens = np.random.default_rng(7).integers(0, 3000, 64 * 512).astype(np.uint16)
    tokens.tofile(folder / "tokens.npy")
    schema = OmegaConf.structured(TrainConfig)
    found = OmegaConf.load(checkpoint / "config.yaml")
    found.distributed_strategy = "ddp"
    config = OmegaConf.to_object(OmegaConf.merge(schema, known_to(schema, found)))
    config.data.paths = [str(folder / "tokens.npy")]
    config.load_path = str(checkpoint)
    config.save_folder = str(folder / "run")
    config.model.init_device = "cpu"
    config.device_train_batch_size = config.global_train_batch_size
    config.device_train_grad_accum = (
        config.device_train_batch_size // config.device_train_microbatch_size)
    step = int(checkpoint.name.removeprefix("step").removesuffix("-unsharded"))
    config.max_duration = config.stop_at = step + steps
    config.save_interval = config.save_interval_unsharded = None
    config.eval_interval = 1000
    config.save_data_indices = False
    return config


class Recorder:
    """Notes what every training step reports."""

    def __init__(self, trainer):
        self.steps = []
        self.train_step = trainer.train_step
        trainer.train_step = self

    def __call__(self, *arguments, **options):
        metrics = self.train_step(*arguments, **options)
        self.steps.append({key: float(value).hex() for key, value in metrics.items()})
        return metrics


def train(config):
    from olmo.data import build_train_dataloader
    from olmo.model import OLMo
    from olmo.optim import build_optimizer, build_scheduler
    from olmo.torch_util import seed_all
    from olmo.train import Trainer

    seed_all(config.seed)
    loader = build_train_dataloader(config)
    model = OLMo(config.model)
    wrapped = DistributedDataParallel(model)
    with Trainer(
        cfg=config, epoch=config.epoch, model=model, dist_model=wrapped,
        optim=build_optimizer(config, wrapped), scheduler=build_scheduler(config),
        train_loader=loader, device=torch.device("cpu"), evaluators=[],
    ) as trainer:
        trainer.restore_checkpoint(config.load_path)
        recorder = Recorder(trainer)
        trainer.fit()
    return recorder.steps


def main():
    checkpoint, steps, folder = pathlib.Path(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
    torch.set_num_threads(1)
    # The trainer restores the state of a GPU as well, which is None where there was none.
    torch.cuda.set_rng_state = torch.cuda.get_rng_state = lambda *_: None
    # What OLMo needs to load its own train.pt with torch 2.6 and later.
    os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"
    hide_unused()
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder / 'rendezvous'}", rank=0, world_size=1)
    json.dump(train(configuration(checkpoint, steps, folder)), sys.stdout)
    torch.distributed.destroy_process_group()


main()
