"""Objects of kinds that the fixtures do not have, made here: the skeleton rebuilds them too."""

import argparse
import random
import warnings

import pytest
import torch

import random_values
import reference
import skeleton
import state_dicts
from comparison import assert_same
from program import DATA, convert, describe, run

warnings.simplefilter("ignore")
base = torch.arange(24.0).reshape(4, 6)


def parameters():
    weight = torch.nn.Parameter(torch.ones(2, 3))
    frozen = torch.nn.Parameter(torch.ones(3), requires_grad=False)
    tagged = torch.nn.Parameter(torch.zeros(2))
    tagged.tensor_parallel = True
    return {"weight": weight, "again": weight, "frozen": frozen, "tagged": tagged}


def shared_parameters():
    weight = torch.nn.Parameter(base.clone())
    return {
        "whole": weight, "data": weight.data, "row": weight.data[1], "detached": weight.detach(),
    }


def tensors_with_attributes():
    tensor = torch.arange(3.0)
    tensor.note = {"why": [1, 2]}
    buffer = torch.nn.Buffer(torch.arange(2.0), persistent=False)
    return {"tensor": tensor, "buffer": buffer}


def gradients():
    return {"leaf": torch.ones(2, requires_grad=True), "plain": torch.ones(2)}


def lazy_flags():
    numbers = torch.tensor([1 + 2j, -3 - 4j, complex("nan"), 0j])
    return {
        "numbers": numbers, "conj": numbers.conj(), "neg": torch._neg_view(numbers),
        "both": torch._neg_view(numbers.conj()), "imag of conj": numbers.clone().conj().imag,
        "real": numbers.clone().real, "conj of 128": numbers.to(torch.complex128).conj(),
        "neg of float": torch._neg_view(base), "transposed": numbers.view(2, 2).t().conj(),
    }


def strides():
    return {
        "permuted": torch.arange(24).reshape(2, 3, 4).permute(2, 0, 1),
        "every other": base[::2, 1::2],
        "expanded": torch.arange(3.0).view(3, 1).expand(3, 4), "scalar of many": base[2, 3],
        "overlapping": torch.arange(6.0).as_strided((3, 3), (1, 1)), "column": base[:, 2:3],
        "windows": base.flatten().unfold(0, 4, 2), "one": torch.tensor(1.5).expand(2, 2),
        "empty with strides": base[:, 6:].t(), "last": base.flatten()[23:],
        "channels last": torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "size one, odd stride": base[:1, ::3].as_strided((1, 2), (17, 3)),
    }


def overlapping_views():
    return {"all": base, "top": base[:3], "bottom": base[1:], "flat": base.view(-1), "t": base.t()}


def meta_tensors():
    return {"meta": torch.empty(2, 3, device="meta"), "half": torch.empty(4, device="meta").half()}


def sparse_tensors():
    dense = torch.eye(4)
    return {
        "coo": dense.to_sparse(), "csr": dense.to_sparse_csr(), "csc": dense.to_sparse_csc(),
        "bsr": dense.to_sparse_bsr((2, 2)), "bsc": dense.to_sparse_bsc((2, 2)),
        "uncoalesced": torch.sparse_coo_tensor([[0, 0]], [1.0, 2.0], (3,)),
    }


def quantized_tensors():
    scales, zeros = torch.tensor([0.1, 0.2]), torch.tensor([1, 2])
    return {
        "quint8": torch.quantize_per_tensor(base, 0.1, 3, torch.quint8),
        "qint8": torch.quantize_per_tensor(base, 0.1, 0, torch.qint8),
        "qint32": torch.quantize_per_tensor(base, 0.1, 0, torch.qint32),
        "per channel": torch.quantize_per_channel(torch.ones(2, 3), scales, zeros, 0, torch.qint8),
    }


def rare_dtypes():
    numbers = torch.arange(16, dtype=torch.uint8)
    names = ("bits8", "bits16", "bits1x8", "bits2x4", "bits4x2", "complex32", "float4_e2m1fn_x2")
    return {name: numbers.view(getattr(torch, name)) for name in names}


def nested_tensors():
    return {"nested": torch.nested.nested_tensor([torch.ones(2), torch.arange(3.0)])}


def storages():
    tensor = torch.arange(4.0)
    return {
        "typed": tensor.storage(), "tensor": tensor, "alone": torch.arange(3).storage(),
        "untyped": torch.arange(6, dtype=torch.uint8).untyped_storage(),
        "complex": torch.zeros(2, dtype=torch.complex128).storage(),
    }


def keys_that_make_one_name():
    return {
        "a.b": torch.ones(1), "a": {"b": torch.zeros(1), "0": torch.ones(2), 0: torch.ones(3)},
        "a.b#2": torch.ones(4), 1: torch.ones(5), "1": torch.ones(6), True: torch.ones(7),
        "__metadata__": torch.ones(8), (1, "x"): torch.ones(9), "(1, 'x')": torch.ones(10),
    }


def lone_surrogates():
    return {"value": ["\ud800", "a\udfffb", "\ud83d\ude00"], "twice": ["\udc80"] * 2}


def one_list_in_many_places():
    shared = [torch.ones(1)]
    return {"a": shared, "b": shared, "c": {"d": shared}, "e": [shared, shared]}


def module():
    return torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))


def attributes():
    return argparse.Namespace(weights={"w": torch.ones(2)}, ema=[torch.zeros(1)], lr=1.5)


OBJECTS = {
    function.__name__: function
    for function in (
        parameters, shared_parameters, tensors_with_attributes, gradients, lazy_flags, strides,
        overlapping_views, meta_tensors, sparse_tensors, quantized_tensors, rare_dtypes,
        nested_tensors, storages, keys_that_make_one_name, lone_surrogates, one_list_in_many_places,
        module, attributes)
} | state_dicts.KINDS

objects = pytest.mark.parametrize("make", OBJECTS.values(), ids=OBJECTS)


@objects
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_the_skeleton_rebuilds_it(make, protocol, tmp_path, output):
    source = tmp_path / "model.pt"
    torch.save(make(), source, pickle_protocol=protocol)
    convert(source, output)
    assert_same(reference.load(source), skeleton.load(output), make.__name__)


@pytest.mark.parametrize("layout", ["plain", "olmo"])
@pytest.mark.parametrize("seed", range(60))
def test_the_skeleton_rebuilds_a_random_object(seed, layout, tmp_path, output):
    rng = random.Random(seed)
    source = tmp_path / "model.pt"
    protocol = rng.choice([2, 3, 4, 5])
    torch.save(random_values.Maker(rng).state_dict(), source, pickle_protocol=protocol)
    convert(source, output, "--layout", layout)
    assert_same(reference.load(source), skeleton.load(output), f"seed {seed}")


@pytest.mark.parametrize("make", [rare_dtypes, quantized_tensors], ids=lambda make: make.__name__)
def test_without_a_skeleton_a_dtype_that_safetensors_lacks_is_refused(make, tmp_path, output):
    source = tmp_path / "model.pt"
    torch.save(make(), source)
    process = run("pt-to-safetensors", source, "-o", output, "--no-skeleton")
    assert process.returncode == DATA, describe(process)
    assert not output.exists(), describe(process)


def test_protocol_1_is_read(tmp_path, output):
    """Torch writes protocol 0 as well, but cannot read its persistent ids itself."""
    source = tmp_path / "model.pt"
    value = {"w": torch.ones(2), "n": [1, 2.5, None, True, "é", b"\xff", 2**70]}
    torch.save(value, source, pickle_protocol=1)
    convert(source, output)
    assert_same(value["n"], skeleton.load(output)["n"], "the values", values_only=True)
    assert_same(reference.load(source), skeleton.load(output), "protocol 1")
