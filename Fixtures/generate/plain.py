"""Writes PyTorch training checkpoints of the habits that people have: `plain.py OUTDIR`.

Trains a small network with each optimiser and saves it the way common training scripts do.
Needs torch 2.2 or newer and numpy.
"""

import argparse
import collections
import datetime
import io
import pathlib
import random
import sys

import numpy as np
import torch
import torch.nn as nn

schedulers = torch.optim.lr_scheduler
out = pathlib.Path(sys.argv[1])


class Net(nn.Module):
    """Embedding, convolution, batch norm, and an output tied to the embedding."""

    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(200, 32)
        self.conv = nn.Conv1d(32, 48, 3, padding=1)
        self.bn = nn.BatchNorm1d(48)
        self.fc = nn.Linear(48, 32)
        self.out = nn.Linear(32, 200, bias=False)
        self.out.weight = self.emb.weight

    def forward(self, tokens):
        hidden = self.bn(self.conv(self.emb(tokens).transpose(1, 2))).transpose(1, 2)
        return self.out(torch.relu(self.fc(hidden)))


def train(optimizer_class, **options):
    net = Net()
    optimizer = optimizer_class(net.parameters(), **options)
    average = torch.optim.swa_utils.AveragedModel(net)
    scheduler = schedulers.CosineAnnealingLR(optimizer, T_max=20)
    for _ in range(5):
        optimizer.zero_grad()
        tokens = torch.randint(0, 200, (4, 9))
        loss = nn.functional.cross_entropy(net(tokens).flatten(0, 1), tokens.flatten())
        loss.backward()
        optimizer.step()
        scheduler.step()
        average.update_parameters(net)
    return net, optimizer, scheduler, average, loss


def save_adam_run():
    """One Adam run, saved in every habit. Returns the network and the optimiser."""
    args = argparse.Namespace(
        lr=1e-3, batch_size=32, data="/data/train", resume=None, amp=True, betas=(0.9, 0.999),
        workers=4, layers=[1, 2, 3])
    net, optimizer, scheduler, average, loss = train(torch.optim.Adam, lr=1e-3)
    rng = {
        "python": random.getstate(), "numpy": np.random.get_state(),
        "torch": torch.get_rng_state(), "cuda": None,
    }
    torch.save(
        {
            "model": net.state_dict(), "optimizer": optimizer.state_dict(),
            "lr_scheduler": scheduler.state_dict(), "epoch": 4, "args": args, "rng": rng,
            "best_loss": loss.item(), "best_acc": np.float64(0.731), "loss": loss.detach(),
            "date": datetime.datetime(2024, 5, 6, 7, 8, 9), "dir": pathlib.Path("/runs/a"),
        },
        out / "adam-train.pt")
    torch.save(
        {
            "model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 4,
            "best_loss": loss.item(),
        },
        out / "adam-train-weightsonly-safe.pt")
    torch.save(net.state_dict(), out / "state_dict-tied.pt")
    torch.save(average.state_dict(), out / "ema-swa_utils.pt")
    torch.save(
        {
            "ema": {name: value.clone() for name, value in net.state_dict().items()},
            "decay": 0.9999, "updates": 5,
        },
        out / "ema-dict.pt")
    torch.save(
        {
            "state_dict": {"module." + name: value for name, value in net.state_dict().items()},
            "epoch": 4, "arch": "net", "optimizer": optimizer.state_dict(),
        },
        out / "ddp-imagenet-style.pth.tar")
    save_other_optimizers()
    save_schedulers(net)
    save_lightning_style(net, optimizer, scheduler)
    legacy = {"_use_new_zipfile_serialization": False}
    torch.save(net.state_dict(), out / "legacy-nonzip.pt", **legacy)
    torch.save(
        {"model": net.state_dict(), "optimizer": optimizer.state_dict(), "args": args},
        out / "legacy-nonzip-train.pt", **legacy)
    torch.save(net.state_dict(), out / "proto5.pt", pickle_protocol=5)
    torch.save(net.state_dict(), out / "proto4.pt", pickle_protocol=4)
    return net, optimizer


def save_other_optimizers():
    runs = {
        "sgd": (torch.optim.SGD, {"lr": .1, "momentum": .9}),
        "adamw-amsgrad": (torch.optim.AdamW, {"lr": 1e-3, "amsgrad": True}),
        "adagrad": (torch.optim.Adagrad, {"lr": .01}),
        "rmsprop": (torch.optim.RMSprop, {"lr": .01, "momentum": .9, "centered": True}),
        "adamax": (torch.optim.Adamax, {"lr": .01}),
    }
    for name, (optimizer_class, options) in runs.items():
        net, optimizer, *_ = train(optimizer_class, **options)
        torch.save(
            {"model": net.state_dict(), "optimizer": optimizer.state_dict()},
            out / f"opt-{name}.pt")


def save_schedulers(net):
    optimizer = torch.optim.SGD(net.parameters(), lr=.1)
    with_momentum = torch.optim.SGD(net.parameters(), lr=.1, momentum=.9)
    every = {
        "cosine": schedulers.CosineAnnealingLR(optimizer, 10),
        "onecycle": schedulers.OneCycleLR(with_momentum, .1, total_steps=10),
        "plateau": schedulers.ReduceLROnPlateau(optimizer),
        "lambda": schedulers.LambdaLR(optimizer, lambda epoch: .9 ** epoch),
        "multistep": schedulers.MultiStepLR(optimizer, [3, 6]),
        "sequential": schedulers.SequentialLR(
            optimizer,
            [schedulers.LinearLR(optimizer), schedulers.ExponentialLR(optimizer, .9)],
            milestones=[2]),
    }
    torch.save(
        {name: scheduler.state_dict() for name, scheduler in every.items()},
        out / "lr-schedulers.pt")


def save_lightning_style(net, optimizer, scheduler):
    progress = {"total": {"ready": 5, "completed": 4, "started": 5, "processed": 5}}
    torch.save(
        {
            "state_dict": {"net." + name: value for name, value in net.state_dict().items()},
            "pytorch-lightning_version": "2.2.1", "epoch": 4, "global_step": 20,
            "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": progress}},
            "callbacks": {
                "ModelCheckpoint{'monitor': 'val_loss'}": {
                    "best_model_score": torch.tensor(.5), "best_model_path": "x.ckpt",
                    "best_k_models": {},
                }
            },
            "optimizer_states": [optimizer.state_dict()],
            "lr_schedulers": [scheduler.state_dict()],
            "hparams_name": "kwargs", "hyper_parameters": {"lr": 1e-3, "layers": [1, 2]},
        },
        out / "lightning-style.ckpt")


def save_layouts():
    base = torch.arange(24.).reshape(4, 6)
    torch.save(
        {
            "base": base, "t": base.t(), "slice": base[1:3, 2:5], "row": base[2],
            "expand": torch.tensor([[1.], [2.]]).expand(2, 3), "chunk": list(base.chunk(2, 0)),
            "perm": torch.arange(24).reshape(2, 3, 4).permute(2, 0, 1),
            "param": nn.Parameter(torch.ones(3)), "buf0d": torch.tensor(3),
            "empty": torch.zeros(0), "empty2": torch.zeros(0, 4),
            "conj": torch.tensor([1 + 2j]).conj(), "neg": torch.tensor([1 + 2j]).imag,
        },
        out / "views.pt")
    torch.save(
        {
            "sparse": torch.eye(3).to_sparse(), "csr": torch.eye(3).to_sparse_csr(),
            "quant": torch.quantize_per_tensor(torch.randn(4), .1, 3, torch.quint8),
        },
        out / "layouts.pt")


def save_dtypes():
    names = (
        "float32 float64 float16 bfloat16 int8 uint8 int16 int32 int64 bool complex64 complex128 "
        "complex32 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz uint16 uint32 uint64 "
        "float8_e8m0fnu float4_e2m1fn_x2").split()
    values = {}
    for name in names:
        dtype = getattr(torch, name, None)
        if dtype is None:
            continue
        try:
            tensor = torch.tensor([0, 1, 2, 3]).to(dtype)
        except RuntimeError:
            tensor = torch.tensor([0, 1, 2, 3], dtype=torch.uint8).view(dtype)
        try:
            # torch 2.2 can hold but not save complex32 and the fnuz float8s.
            torch.save(tensor, io.BytesIO())
            values[name] = tensor
        except Exception as error:
            print("cannot save", name, str(error)[:80])
    torch.save(values, out / "dtypes.pt")


def save_objects():
    torch.save(
        collections.OrderedDict(
            a=collections.defaultdict(list, {"x": [1]}),
            b={1: "i", (2, 3): "t", None: "n", 2.5: "f", True: "b"}, c={"s", "e"}, d=b"\x00\xff",
            e=10**30, f=-1, g=float("inf"), h=float("nan"), i=1j, j=slice(1, 2), k=range(3),
            l=torch.Size([1, 2]), m=torch.float16, n=torch.device("cpu"), o="ünï \U0001f600",
            p=np.arange(3), q=np.float32(2.5), r=collections.Counter("aab"), s=frozenset([1]),
            t=bytearray(b"ab")),
        out / "objects.pt")


def save_as_from_gpu(net, optimizer):
    """What a GPU run leaves: storages tagged cuda:0. Only the tag differs, so no GPU is needed."""
    tag = torch.serialization.location_tag
    torch.serialization.location_tag = lambda storage: "cuda:0"
    torch.save(
        {"model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 4},
        out / "adam-train-cuda0-tagged.pt")
    torch.serialization.location_tag = tag


def main():
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(5)
    np.random.seed(5)
    random.seed(5)
    net, optimizer = save_adam_run()
    save_layouts()
    save_dtypes()
    save_objects()
    torch.save(net, out / "whole-module.pt")
    save_as_from_gpu(net, optimizer)
    print(torch.__version__, np.__version__, len(list(out.iterdir())))


main()
