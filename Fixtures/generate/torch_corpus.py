"""Saves one set of objects with the torch that runs it: `torch_corpus.py OUTDIR`.

Runs under torch 1.4 to 2.15, hence Python 3.6, and writes the same file names under each, so that
what differs between two folders is what differs between two versions of `torch.save`.
"""

import argparse
import collections
import os
import pathlib
import random
import sys

import torch

VERSION = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])

DTYPES = [
    "float16", "float32", "float64", "bfloat16", "uint8", "int8", "int16", "int32", "int64", "bool",
    "complex64", "complex128", "uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2",
    "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu",
]


def save(value, name, **options):
    torch.save(value, name + ".pt", **options)


def skipping(what, action):
    """Runs `action`; an old torch that cannot do it says so and the others go on."""
    try:
        action()
    except Exception as error:
        print("skip", what, repr(error)[:80])


class TiedModule(torch.nn.Module):
    """Buffers (one of them a 0-dim int64) and two parameters that are one."""

    def __init__(self):
        super().__init__()
        self.emb = torch.nn.Embedding(17, 8)
        self.lin = torch.nn.Linear(8, 8)
        self.bn = torch.nn.BatchNorm1d(8)
        self.head = torch.nn.Linear(8, 17, bias=False)
        self.head.weight = self.emb.weight


def train():
    """A trained network and its training checkpoint with the values that trainers put into one."""
    net = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3))
    optimizer = torch.optim.AdamW(
        [{"params": net[0].parameters(), "lr": 3e-4}, {"params": net[2].parameters()}],
        lr=1e-3, weight_decay=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
    for _ in range(3):
        optimizer.zero_grad()
        net(torch.randn(4, 6)).pow(2).sum().backward()
        optimizer.step()
        scheduler.step()
    return net, {
        "epoch": 3, "step": 12345678901234567890,
        "model": net.state_dict(), "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "best": float("nan"), "inf": -float("inf"), "name": u"caf\u00e9 \u2603 \U0001f600",
        "flags": {"a": True, 1: False, None: 2, (1, "x"): [1, [2, [3]]]},
        "rng": torch.get_rng_state(), "pyrng": random.getstate(), "bytes": b"\x00\xff",
        "args": argparse.Namespace(lr=1e-3, layers=2), "path": pathlib.PurePosixPath("/tmp/x"),
        "size": torch.Size([2, 3]), "dtype": torch.float16,
        "dd": collections.defaultdict(dict, {"k": {"t": torch.ones(2)}}),
        "set": {1}, "big": -(1 << 200),
        "neg": [-1, -129, 255, 256, 65535, 65536, 2**31 - 1, 2**31, -2**31, 2**63],
    }


def layouts():
    base = torch.arange(120, dtype=torch.float32).reshape(2, 3, 4, 5)
    return {
        "base": base, "t": base.transpose(1, 3), "slice": base[1, :, 1:3],
        "exp": torch.arange(4.).view(4, 1).expand(4, 7),
        "cl": torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        "zero": torch.tensor(3.5), "empty": torch.empty(3, 0, 2), "dup": base,
        "step2": torch.arange(10)[::2], "one": torch.ones(1, 1, 1),
    }


def dtypes():
    """One file per dtype, then all that this torch can save in one."""
    saved = collections.OrderedDict()
    for name in DTYPES:
        dtype = getattr(torch, name, None)
        if dtype is None:
            continue
        try:
            if name == "bool":
                tensor = torch.randint(0, 2, (5,)).to(torch.bool)
            else:
                tensor = (torch.rand(3, 4) * 100).to(dtype)
            save({"x": tensor}, "probe_" + name)
            saved[name] = tensor
        except Exception as error:
            print("skip", name, repr(error)[:80])
            if os.path.exists("probe_%s.pt" % name):
                os.unlink("probe_%s.pt" % name)
    save(saved, "dtypes")


def batches():
    """More than 1000 items per SETITEMS and APPENDS batch, more than 255 memo entries."""
    save(
        collections.OrderedDict(
            (("layer.%d.w" % i), torch.full((2,), float(i))) for i in range(1203)),
        "many")
    save(
        {"list": list(range(2500)), "strs": ["s%d" % i for i in range(1500)], "t": torch.zeros(1)},
        "long_lists")


def roots():
    """Something other than a dict of tensors at the top; sharing; recursion."""
    save(torch.nn.Parameter(torch.randn(3, 3)), "root_parameter")
    save(torch.randn(4, 4), "root_tensor")
    save(
        [torch.randn(2), {"w": torch.randn(2, requires_grad=True)}, (1, 2.5, "x")], "root_list")
    save({}, "empty_dict")
    same = {"lr": 0.1}
    save({"g1": same, "g2": same, "l": [same, same]}, "shared_objects")
    recursive = {"self": None, "t": torch.ones(1)}
    recursive["self"] = recursive
    save(recursive, "recursive")


def other_containers(net, views):
    """The two formats that are not `torch.save`'s ZIP."""
    legacy = {"_use_new_zipfile_serialization": False}
    if VERSION >= (1, 6):
        skipping("legacy", lambda: save(net.state_dict(), "legacy", **legacy))
        skipping("legacy", lambda: save(views, "legacy_views", **legacy))
        skipping(
            "jit",
            lambda: torch.jit.save(torch.jit.script(torch.nn.Linear(3, 2)), "torchscript.pt"))


def numpy_objects():
    import numpy

    save(
        {
            "np": numpy.random.RandomState(3).get_state(),
            "arr": numpy.arange(6, dtype="f4").reshape(2, 3),
            "f": numpy.asfortranarray(numpy.eye(2)), "scalar": numpy.float64(1.5),
            "t": torch.zeros(2),
        },
        "numpy_objects")


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    # The archive's prefix is made from the path given to torch.save: names only, no folders.
    os.chdir(str(out))
    torch.manual_seed(7)
    random.seed(7)

    save(TiedModule().state_dict(), "module_state_dict")
    net, checkpoint = train()
    save(checkpoint, "train_checkpoint")
    views = layouts()
    save(views, "views")
    shared = torch.randn(1000)
    save({"a": shared[:10], "b": shared[990:], "whole_not_here": 1}, "big_storage_views")
    dtypes()
    batches()
    roots()
    for protocol in (3, 4, 5):
        skipping(
            "protocol",
            lambda: save(checkpoint, "proto%d" % protocol, pickle_protocol=protocol))
    other_containers(net, views)
    skipping("numpy", numpy_objects)
    if hasattr(torch, "sparse_coo_tensor"):
        indices, values = torch.tensor([[0, 1], [2, 0]]), torch.tensor([3., 4.])
        save({"sp": torch.sparse_coo_tensor(indices, values, (2, 3))}, "sparse")
    with open("dotted.name.v1.pt", "wb") as file:
        torch.save({"w": torch.ones(3)}, file)
    print(torch.__version__, len(list(pathlib.Path(".").glob("*.pt"))))


main(pathlib.Path(sys.argv[1]))
