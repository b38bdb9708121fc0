"""Shards and their index are those of huggingface_hub and of transformers, byte for byte."""

import json
import random

import huggingface_hub
import pytest
import safetensors.torch
import torch
import transformers

from files import assert_same_file
from hugging_face import assert_same_tensors, load, logits, tensors
from program import DATA, bring_back, convert, describe, run

SIZES = [0, 4, 8, 100, 128, 1000, 1024, 4096]


def ours(state_dict, folder, max_shard_size):
    torch.save(state_dict, folder / "model.pt")
    return convert(
        folder / "model.pt", folder / "ours", "--max-shard-size", str(max_shard_size))


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


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(5)
    config = transformers.LlamaConfig(
        vocab_size=200, hidden_size=32, intermediate_size=48, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=False)
    return transformers.LlamaForCausalLM(config)


@pytest.fixture
def sharded_bin(model, tmp_path):
    """A folder with shards of pickles, as transformers before version 5 saves it."""
    folder = tmp_path / "bin"
    model.config.save_pretrained(folder)
    (folder / "README.md").write_text("A model card.")
    split = huggingface_hub.split_torch_state_dict_into_shards(
        model.state_dict(), filename_pattern="pytorch_model{suffix}.bin", max_shard_size=30_000)
    assert split.is_sharded
    for name, names in split.filename_to_tensors.items():
        torch.save({tensor: model.state_dict()[tensor] for tensor in names}, folder / name)
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(
        {"metadata": split.metadata, "weight_map": split.tensor_to_filename}))
    return folder


@pytest.mark.parametrize("flags", [[], ["--max-shard-size", "20KB"]])
def test_a_folder_of_sharded_pickles(flags, model, sharded_bin, tmp_path):
    output = convert(sharded_bin, tmp_path / "out", *flags)
    assert_same_tensors(dict(model.state_dict()), tensors(output))
    assert torch.equal(logits(load(output)), logits(model))
    assert (output / "README.md").read_text() == "A model card."
    names = {path.name for path in output.glob("model-*.safetensors")}
    if not flags:
        pickles = {path.name for path in sharded_bin.glob("*.bin")}
        assert names == {
            name.replace("pytorch_model", "model").replace(".bin", ".safetensors")
            for name in pickles}
    index = json.loads((output / "model.safetensors.index.json").read_text())
    assert index["weight_map"].keys() == model.state_dict().keys()
    assert set(index["weight_map"].values()) == names
    assert run("verify", sharded_bin, output).returncode == 0


def test_shards_become_one_file_and_back(model, sharded_bin, tmp_path):
    expected = dict(model.state_dict())
    one = convert(sharded_bin, tmp_path / "one.safetensors")
    assert_same_tensors(expected, safetensors.torch.load_file(one))
    shards = convert(one, tmp_path / "shards", "--max-shard-size", "20KB")
    assert len(list(shards.glob("one-*.safetensors"))) > 2
    index = shards / "one.safetensors.index.json"
    joined = convert(index, tmp_path / "joined.safetensors")
    assert_same_tensors(expected, safetensors.torch.load_file(joined))
    for source, name in [(sharded_bin, "bin.pt"), (index, "index.pt")]:
        found = torch.load(bring_back(source, tmp_path / name), weights_only=True)
        assert_same_tensors(expected, dict(found))


def test_shards_that_are_safetensors_already(model, tmp_path):
    model.save_pretrained(tmp_path / "hf", max_shard_size=30_000)
    process = run("pt-to-safetensors", tmp_path / "hf", "-o", tmp_path / "out")
    assert process.returncode == DATA, describe(process)
    assert "safetensors files already" in process.stderr and "--max-shard-size" in process.stderr
    found = torch.load(bring_back(tmp_path / "hf", tmp_path / "hf.pt"), weights_only=True)
    assert_same_tensors(dict(model.state_dict()), dict(found))


def test_a_batch_of_folders_cut_into_shards_is_resumed(sharded_bin, tmp_path):
    command = [
        "batch", "pt-to-safetensors", sharded_bin.parent, "-o", tmp_path / "out",
        "--max-shard-size", "20KB"]
    for flags in [], ["--resume"]:
        process = run(*command, *flags)
        assert process.returncode == 0, describe(process)
    assert "1 done before" in process.stderr
    assert len(list((tmp_path / "out/bin").glob("model-*.safetensors"))) > 2
