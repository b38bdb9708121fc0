"""Optimizer and train dicts of the kinds that OLMo pickles into safetensors, one per habit."""

import argparse
import collections
import datetime
import pathlib
import random

import numpy as np
import torch

tensor = torch.arange(3.0)


def fresh(text):
    """An equal string that is another object, as strings read from two places are."""
    return "".join(list(text))


def adamw_keyed_by_number():
    parameters = [torch.nn.Parameter(torch.randn(4, 3)), torch.nn.Parameter(torch.randn(3))]
    optimizer = torch.optim.AdamW([{"params": parameters[:1]}, {"params": parameters[1:]}])
    sum(parameter.pow(2).sum() for parameter in parameters).backward()
    optimizer.step()
    return optimizer.state_dict()


def groups_over_the_frame_limit():
    """More than 64 KiB of pickle, which the C pickler cuts into frames between two items."""
    names = [f"transformer.blocks.{number}.attention.weight" for number in range(3000)]
    return {"param_groups": [{"params": names, "lr": 1e-4, "betas": (0.9, 0.95)}], "t": tensor}


def frames_end_where_they_must():
    """Values that fill a frame to just below, exactly and just above 64 KiB in many ways."""
    return {
        f"x{length}.{extra}": ["y" * length, *range(extra)]
        for length in (65_500, 65_520, 65_535, 65_536, 65_537) for extra in (0, 1, 7, 300)
    }


def payloads_outside_frames():
    return {
        "str": ["a", "b" * 70_000, "c", fresh("b" * 70_000)], "bytes": [b"x" * 65_536, b"y"],
        "two": ("é" * 40_000, b"z" * 100_000), "bytearray": bytearray(70_000), "t": tensor,
    }


def batches():
    counts = (999, 1000, 1001, 2000, 2001)
    return {
        "lists": {str(count): list(range(count)) for count in counts},
        "in lists": [{number: None for number in range(count)} for count in counts],
        "sets": {str(count): set(range(count)) for count in counts},
        "frozensets": [frozenset(range(1001))],
        "ordered": [collections.OrderedDict.fromkeys(range(count)) for count in counts],
        "deques": [collections.deque(range(count)) for count in counts],
        "tuples": [tuple(range(count)) for count in counts],
    }


def strings():
    lengths = (0, 1, 254, 255, 256, 257, 65_535, 65_536)
    return {
        "values": ["s" * length for length in lengths],
        **{fresh("k" * length) + "!": length for length in lengths},
        "accents": ["é" * 127, "é" * 128, "\u2028", "😀", "\0", "漢字"],
        "twice": ["same text"] * 3 + [fresh("same text")],
    }


def integers():
    edges = [
        0, 255, 256, 65_535, 65_536, 2**31 - 1, 2**31, 2**32, 2**39 - 1, 2**39, 2**63, 2**64,
        2**2039 - 1, 2**2039, 2**2047, 2**4096]
    return {
        "values": edges + [-edge for edge in edges] + [-edge - 1 for edge in edges],
        **{edge: -edge for edge in edges[:12]}, -1: {-129: {-32769: tensor, -2**31 - 1: 5}},
    }


def keys_of_other_types():
    return {
        1: tensor, "1": tensor + 1, (1, "x"): tensor + 2, None: {True: 1, 2.5: tensor + 3},
        b"bytes": {(): None, ((1,), (2, (3,))): tensor + 4}, -0.5: "minus a half",
        frozenset([1]): tensor + 5, (1, 2, 3, 4, 5): 0, 3 + 4j: "complex",
    }


def paths_that_repeat_their_keys():
    """The pickler refers back to a key it has met, if it is the same object."""
    key, other = "weight", fresh("weight")
    return {
        "a": {"a": {"a": tensor, "b": {"a": 1}}}, key: {key: {key: tensor + 1, other: tensor + 2}},
        "é": {"é": {"é": tensor + 3}}, "漢": {"漢": tensor + 4}, "": {"": {"": 2}},
        1: {1: {1: tensor + 5}}, (1, 2): {(1, 2): tensor + 6},
    }


def deep_paths():
    result = tensor
    for depth in reversed(range(200)):
        result = {f"level{depth}": result, "leaf": depth}
    return result


def scalars():
    return {
        "none": None, "true": True, "false": False, "zero": 0.0, "minus zero": -0.0,
        "nan": float("nan"), "inf": float("inf"), "-inf": -float("inf"),
        "pi": 3.141592653589793, "tiny": 5e-324,
        "complex": 1.5 - 2j, "ellipsis": ..., "text": "text", "not implemented": NotImplemented,
    }


def bytes_values():
    return {
        "empty": b"", "one": b"\0", "few": b"\x80\xff", "255": b"a" * 255, "256": b"a" * 256,
        "bytearray": bytearray(b"abc"), "empty bytearray": bytearray(),
        "list": [b"x", b"x", b"yy"],
    }


def containers():
    shared = ["shared"]
    return {
        "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ((), ((), ()))], "empty list": [],
        "empty tuple": (), "set": {"one"}, "empty set": set(), "frozenset": frozenset(["one"]),
        "empty frozenset": frozenset(), "dict in list": [{}, {"a": 1}, {"a": {}, 2: ()}],
        "shared": [shared, shared, (shared, shared)],
        "ordered": [collections.OrderedDict(b=1, a=2)],
        "empty ordered": [collections.OrderedDict()], "range": range(1, 9, 2),
        "default": [collections.defaultdict(list, {"k": [1]})], "slice": slice(1, None, 2),
        "counter": [collections.Counter("aab")], "deque": collections.deque([1, 2], 5),
        "default of int": [collections.defaultdict(int, {"k": 1})], "type": int,
    }


def nested_dict_classes():
    """OLMo descends into every kind of dict and returns it as a plain one."""
    return {
        "ordered": collections.OrderedDict(z=tensor, a=collections.OrderedDict(b=1)),
        "default": collections.defaultdict(dict, {1: {"exp_avg": tensor + 1}}),
        "counter": collections.Counter("abca"),
    }


def recursive():
    loop = [1]
    loop.append(loop)
    inside = ([],)
    inside[0].append(inside)
    knot = {"self": None}
    knot["self"] = knot
    return {"list": loop, "tuple": inside, "dict in list": [knot], "t": tensor}


def random_states():
    random.seed(5)
    generator = np.random.RandomState(5)
    return {
        "python": random.getstate(), "numpy": generator.get_state(),
        "torch": torch.get_rng_state(), "cuda": None, "mps": None,
    }


def numpy_values():
    return {
        "scalars": [np.float32(1.5), np.float64(-2.5), np.int64(7), np.bool_(True), np.uint8(3)],
        "array": np.arange(6, dtype="<f4").reshape(2, 3), "fortran": np.asfortranarray(np.eye(3)),
        "empty": np.zeros((0, 3)), "0-d": np.array(5), "dtype": np.dtype("f2"),
        "bool": np.array([True, False]), "complex": np.array([1j]),
        "strings": np.array(["a", "bcd"]),
        "structured": np.zeros(2, dtype=[("x", "<i4"), ("y", "<f8")]),
        "objects": np.array([None, "x", 1], dtype=object), "large": np.arange(20_000),
        "datetime": np.array(["2024-05-06"], dtype="M8[D]"),
    }


def torch_values():
    return {
        "size": torch.Size([2, 3]), "empty size": torch.Size([]), "dtype": torch.bfloat16,
        "device": torch.device("cpu"), "cuda": torch.device("cuda", 1), "layout": [torch.strided],
    }


def library_values():
    return {
        "path": pathlib.PosixPath("/runs/a b/step6"), "relative": pathlib.PurePosixPath("x"),
        "paths": [pathlib.PosixPath("/runs/a"), pathlib.PosixPath("/runs/b")],
        "windows": pathlib.PureWindowsPath("C:\\x"),
        "arguments": argparse.Namespace(lr=1e-3, betas=(0.9, 0.95), layers=[1, 2], resume=None),
        "empty arguments": argparse.Namespace(), "date": datetime.datetime(2024, 5, 6, 7, 8, 9),
        "delta": datetime.timedelta(days=1, seconds=2),
    }


def train_state():
    return {
        "epoch": 0, "global_step": 6, "global_train_tokens_seen": 3072, "world_size": 2,
        "checkpoints": [pathlib.PosixPath("/data/runs/a/step3")], "ephemeral_checkpoints": [],
        "rng": random_states(),
    }


def other_layouts():
    """The library wants contiguous tensors; OLMo's script never meets others."""
    return {
        "offset": torch.arange(20.0)[5:9], "scalar": torch.tensor(2), "empty": torch.empty(0, 3),
    }


def an_empty_dict():
    return {}


KINDS = {
    function.__name__: function
    for function in (
        adamw_keyed_by_number, groups_over_the_frame_limit, frames_end_where_they_must,
        payloads_outside_frames, batches, strings, integers, keys_of_other_types,
        paths_that_repeat_their_keys, deep_paths, scalars, bytes_values, containers,
        nested_dict_classes, recursive, random_states, numpy_values, torch_values, library_values,
        train_state, other_layouts, an_empty_dict)
}
