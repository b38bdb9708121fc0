"""Without a skeleton a flat state dict becomes the very file that safetensors itself writes."""

import collections
import random

import pytest
import safetensors.torch
import torch

from files import assert_same_file
from program import convert
from tensors import DTYPES, of_bits, short_name

NAMES = {
    "plain": "weight", "dots": "layers.0.attn.weight", "empty": "", "space": " a b ",
    "quotes": "\"double\" and 'single'", "backslash": "a\\b\\\\c", "slash": "a/b",
    "newline": "a\nb\r\t", "controls": "".join(map(chr, range(32))), "delete": "a\x7fb",
    "c1": "\x80\x9f\xa0", "separators": "\u2028\u2029\ufeff", "accents": "é",
    "decomposed": "e\u0301", "emoji": "😀🧪",
    "astral": "\U0010ffff", "nul": "a\0b", "html": "<a href='x'>&amp;</a>", "escapes": "\\u0041\\n",
    "long": "x" * 5000, "braces": '{"dtype":"F32"}', "bidirectional": "\u202eabc", "digits": "0",
}
CHARACTERS = "ab.01_/ \"\\'\n\t\x01\x1f\x7f\x80éß漢\u2028😀{}[]:,"


def check(state_dict, tmp_path, output, what, **options):
    source, expected = tmp_path / "model.pt", tmp_path / "expected.safetensors"
    torch.save(state_dict, source, **options)
    safetensors.torch.save_file(dict(state_dict), expected)
    convert(source, output, "--no-skeleton")
    assert_same_file(expected, output, what)


@pytest.mark.parametrize("dtype", DTYPES, ids=short_name)
def test_a_dtype(dtype, tmp_path, output):
    rng = random.Random(11)
    shapes = {
        "scalar": (), "vector": (7,), "matrix": (3, 4), "empty": (0,), "deep": (1, 2, 1, 3, 1),
    }
    if dtype == torch.float4_e2m1fn_x2:
        # Its last dimension counts pairs, so a scalar has no place in safetensors.
        del shapes["scalar"]
    state_dict = {name: of_bits(dtype, shape, rng) for name, shape in shapes.items()}
    check(state_dict, tmp_path, output, short_name(dtype))


def test_all_dtypes_together(tmp_path, output):
    rng = random.Random(12)
    order = DTYPES[:]
    rng.shuffle(order)
    state_dict = {f"{short_name(dtype)}.w": of_bits(dtype, (2, 2), rng) for dtype in order}
    check(state_dict, tmp_path, output, "all dtypes")


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name(name, tmp_path, output):
    check({name: torch.ones(2), "other": torch.zeros(1)}, tmp_path, output, repr(name))


def test_all_names_together(tmp_path, output):
    check({name: torch.ones(1) for name in NAMES.values()}, tmp_path, output, "all names")


SPECIAL = {
    "empty dict": {},
    "empty OrderedDict": collections.OrderedDict(),
    "one scalar": {"x": torch.tensor(1.5)},
    "only empty tensors": {"a": torch.empty(0), "b": torch.empty(2, 0, 3), "c": torch.empty(0, 5)},
    "nan payloads": {"x": torch.tensor([0x7FC00001, -1], dtype=torch.int32).view(torch.float32)},
    "a slice at an offset": {"x": torch.arange(100)[40:60]},
    "two slices of one storage": dict(zip("ab", torch.arange(12.0).split(6))),
    "more than 1000 tensors": {f"w.{number}": torch.tensor([number]) for number in range(2001)},
    # Work that grows with the square of their number would run into the time limit.
    "50 000 tensors": {f"w.{number}": torch.tensor([number]) for number in range(50_000)},
    "1 MiB and one element": {"x": torch.arange((1 << 18) + 1, dtype=torch.float32)},
}


@pytest.mark.parametrize("state_dict", SPECIAL.values(), ids=SPECIAL)
def test_a_special_case(state_dict, tmp_path, output, request):
    check(state_dict, tmp_path, output, request.node.callspec.id)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_protocol(protocol, tmp_path, output):
    state_dict = {"a.b": torch.ones(3), "é": torch.zeros(2, 2), "x" * 300: torch.tensor(True)}
    check(state_dict, tmp_path, output, f"protocol {protocol}", pickle_protocol=protocol)


def random_state_dict(rng):
    state_dict = rng.choice([dict, collections.OrderedDict])()
    for _ in range(rng.randrange(40)):
        name = "".join(rng.choice(CHARACTERS) for _ in range(rng.randrange(12)))
        shape = tuple(rng.choice([0, 1, 1, 2, 3, 5]) for _ in range(rng.randrange(5)))
        dtype = rng.choice(DTYPES)
        if dtype == torch.float4_e2m1fn_x2 and not shape:
            continue
        state_dict[name] = of_bits(dtype, shape, rng)
    return state_dict


@pytest.mark.parametrize("seed", range(40))
def test_a_random_state_dict(seed, tmp_path, output):
    rng = random.Random(seed)
    state_dict = random_state_dict(rng)
    protocol = rng.choice([2, 3, 4, 5])
    check(state_dict, tmp_path, output, f"seed {seed}", pickle_protocol=protocol)


def test_a_module(tmp_path, output):
    module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    check(module.state_dict(), tmp_path, output, "state_dict of a module")
