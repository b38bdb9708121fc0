"""Shards and their index are those of huggingface_hub and of transformers, byte for byte."""

import json
import random

import huggingface_hub
import pytest
import safetensors.torch
import torch
import transformers

from files import assert_same_file
from program import probe

SIZES = [0, 4, 8, 100, 128, 1000, 1024, 4096]


def ours(state_dict, folder, max_shard_size):
    source, output = folder / "model.pt", folder / "ours"
    output.mkdir()
    torch.save(state_dict, source)
    probe("shards", source, output, str(max_shard_size))
    return output


def assert_same_folder(expected, found):
    names = sorted(path.name for path in expected.iterdir() if path.name.startswith("model"))
    assert sorted(path.name for path in found.iterdir()) == names
    for name in names:
        assert_same_file(expected / name, found / name, name)


def save_with_hub(state_dict, folder, max_shard_size):
    """What `save_pretrained` does with a state dict."""
    folder.mkdir()
    split = huggingface_hub.split_torch_state_dict_into_shards(
        state_dict, filename_pattern="model{suffix}.safetensors", max_shard_size=max_shard_size)
    for name, tensors in split.filename_to_tensors.items():
        safetensors.torch.save_file(
            {tensor: state_dict[tensor] for tensor in tensors}, folder / name,
            metadata={"format": "pt"})
    if split.is_sharded:
        parameters = sum(tensor.numel() for tensor in state_dict.values())
        index = {"metadata": {"total_parameters": parameters, **split.metadata},
                 "weight_map": split.tensor_to_filename}
        (folder / "model.safetensors.index.json").write_text(
            json.dumps(index, indent=2, sort_keys=True) + "\n")
    return folder


@pytest.mark.parametrize("seed", range(12))
def test_random_state_dicts(seed, tmp_path):
    rng = random.Random(seed)
    names = [f"model.layers.{number}.é\"{rng.random()}" for number in range(rng.randrange(1, 60))]
    state_dict = {}
    for name in names:
        dtype = rng.choice([torch.float32, torch.bfloat16, torch.int64, torch.uint8])
        state_dict[name] = torch.randint(0, 100, (rng.choice(SIZES) // dtype.itemsize,)).to(dtype)
    maximum = rng.choice([1, 100, 1024, 3000, 10_000, 1 << 40])
    expected = save_with_hub(state_dict, tmp_path / "expected", maximum)
    assert_same_folder(expected, ours(state_dict, tmp_path, maximum))


@pytest.mark.parametrize("max_shard_size", [1, 10_000, 50_000, 10**9])
def test_a_model(max_shard_size, tmp_path):
    config = transformers.LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=False)
    model = transformers.LlamaForCausalLM(config)
    model.save_pretrained(tmp_path / "expected", max_shard_size=max_shard_size)
    assert_same_folder(
        tmp_path / "expected", ours(model.state_dict(), tmp_path, max_shard_size))
