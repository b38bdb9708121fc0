"""Tiny models of OLMo's own code, saved as its trainer saves them.

Only the sizes are small. The configurations are those of the official models and of variants that
users train: OLMo 1 (tied, untied, clipped, another theta, blocks in groups), OLMo 2 (with as many
key heads as query heads, with fewer, with one) and those that are Llamas.
"""

import importlib.machinery
import importlib.util
import sys
import types
import warnings

import torch

import olmo_files  # noqa: F401  OLMo without what its package imports


class Absent(types.ModuleType):
    """Stands for a client of a cloud or a terminal, which OLMo imports and no test uses."""

    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (Exception,), dict(
            __init__=lambda self, *_, **__: None, __call__=lambda self, function: function,
            recoverable_errors=()))


class AbsentFinder:
    ROOTS = ("boto3", "botocore", "google", "cached_path", "rich", "datasets", "sklearn",
             "torchmetrics", "wandb",
             "importlib_resources")

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in self.ROOTS:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return Absent(spec.name)

    def exec_module(self, module):
        pass


sys.meta_path.append(AbsentFinder())
warnings.filterwarnings("ignore", message="Embedding size is not a multiple")

from olmo.config import ModelConfig, OptimizerConfig, OptimizerType, TrainConfig  # noqa: E402
from olmo.model import LayerNormBase, OLMo  # noqa: E402

sys.modules["olmo"].LayerNormBase = LayerNormBase
from olmo.optim import build_optimizer  # noqa: E402

COMMON = dict(
    d_model=32, n_heads=4, n_layers=3, rope=True, flash_attention=False, attention_dropout=0.0,
    residual_dropout=0.0, embedding_dropout=0.0, include_bias=False, bias_for_layer_norm=False,
    max_sequence_length=64, vocab_size=250, embedding_size=256, eos_token_id=248,
    pad_token_id=249, init_device="cpu", weight_tying=False)
OLMO1 = COMMON | dict(
    layer_norm_type="default", layer_norm_with_affine=False, attention_layer_norm=False,
    attention_layer_norm_with_affine=False, norm_after=False, mlp_ratio=8)
OLMO2 = COMMON | dict(
    layer_norm_type="rms", layer_norm_with_affine=True, attention_layer_norm=True,
    attention_layer_norm_with_affine=True, norm_after=True, layer_norm_eps=1e-6,
    rope_theta=500_000, mlp_hidden_size=176)
LLAMA = COMMON | dict(
    layer_norm_type="rms", layer_norm_with_affine=True, attention_layer_norm=False,
    attention_layer_norm_with_affine=False, norm_after=False, mlp_ratio=8)

MODELS = {
    "olmo1-tied": OLMO1 | dict(weight_tying=True),
    "olmo1-untied": OLMO1,
    "olmo1-clipped": OLMO1 | dict(clip_qkv=0.05, mlp_hidden_size=96),
    "olmo1-theta": OLMO1 | dict(rope_theta=500_000),
    "olmo1-low-precision": OLMO1 | dict(layer_norm_type="low_precision"),
    "olmo1-groups": OLMO1 | dict(block_group_size=2, n_layers=4, weight_tying=True),
    "olmo1-few-keys": OLMO1 | dict(n_kv_heads=2),
    "olmo1-llama-blocks": OLMO1 | dict(block_type="llama"),
    "olmo2": OLMO2,
    "olmo2-tied": OLMO2 | dict(weight_tying=True),
    "olmo2-few-keys": OLMO2 | dict(n_kv_heads=2),
    "olmo2-one-key": OLMO2 | dict(multi_query_attention=True, embedding_size=None),
    "olmo2-groups": OLMO2 | dict(block_group_size=3, n_layers=6),
    "olmo2-eleven-layers": OLMO2 | dict(n_layers=11),
    "olmo2-query-norms-without-weights": OLMO2 | dict(attention_layer_norm_with_affine=False),
    "olmo2-norms-without-weights": OLMO2 | dict(
        layer_norm_with_affine=False, attention_layer_norm_with_affine=False),
    "llama": LLAMA,
    "llama-tied": LLAMA | dict(weight_tying=True),
    "llama-few-keys": LLAMA | dict(n_kv_heads=1),
    "llama-blocks": LLAMA | dict(block_type="llama"),
    "llama-blocks-one-key": LLAMA | dict(block_type="llama", multi_query_attention=True),
    "llama-norms-without-weights": LLAMA | dict(layer_norm_with_affine=False),
}


def train_config(name, optimizer="adamw", **changes):
    """The configuration of a run that trains the model `name`."""
    config = TrainConfig(
        run_name=name, model=ModelConfig(**MODELS[name]),
        optimizer=OptimizerConfig(
            name=OptimizerType(optimizer), learning_rate=1e-2, decay_norm_and_bias=True,
            decay_embeddings=False),
        max_grad_norm=1.0, save_folder="/tmp/run", **changes)
    return config


def build(config, seed=1):
    """A model whose weights are all different from what they would be untrained."""
    torch.manual_seed(seed)
    model = OLMo(config.model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return model


def trained(config, steps=2):
    """A model and its optimizer after some steps."""
    model = build(config)
    optimizer = build_optimizer(config, model)
    for step in range(steps):
        tokens = torch.randint(0, 200, (2, 16), generator=torch.Generator().manual_seed(step))
        logits = model(tokens).logits
        loss = torch.nn.functional.cross_entropy(
            logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model, optimizer


def keyed_by_name(state, sharded=True):
    """An optimizer's state as FSDP has it: parameters are names, clean in all places but one."""
    names = {key: name for group in state["param_groups"]
             for key, name in zip(group["params"], group["param_names"])}
    groups = []
    for group in state["param_groups"]:
        clean = [names[key] for key in group["params"]]
        wrapped = ["_fsdp_wrapped_module." + name for name in clean]
        groups.append(group | dict(params=clean, param_names=wrapped, sharded=sharded))
    return dict(
        state={names[key]: value for key, value in state["state"].items()}, param_groups=groups)


def on_one_device(state):
    """An optimizer's state as the trainer has it whose model is wrapped for data parallelism."""
    groups = [
        group | dict(param_names=["module." + name for name in group["param_names"]])
        for group in state["param_groups"]]
    return state | dict(param_groups=groups)


def save(folder, name, optimizer="adamw", by_name=False, steps=2):
    """Writes the directory of a checkpoint of the model `name` and returns the model."""
    folder.mkdir(parents=True)
    config = train_config(name, optimizer)
    model, optim = trained(config, steps)
    config.save(folder / "config.yaml")
    torch.save(model.state_dict(), folder / "model.pt")
    state = optim.state_dict()
    torch.save(keyed_by_name(state) if by_name else on_one_device(state), folder / "optim.pt")
    torch.save(
        dict(epoch=0, global_step=steps, world_size=1, rng={"torch": torch.get_rng_state()}),
        folder / "train.pt")
    return model
