"""Tied weights of real model classes: `save_pretrained` and every reader must agree on the name."""

import json
import shutil

import pytest
import safetensors.torch
import torch
import transformers

import hugging_face
import safetensors_file
from files import assert_same_file
from program import bring_back, convert, describe, run

SIZES = {
    "vocab_size": 40, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
    "num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 32,
}
MODELS = {
    "llama": (transformers.LlamaForCausalLM, transformers.LlamaConfig(
        **SIZES, tie_word_embeddings=True)),
    "olmo2": (transformers.Olmo2ForCausalLM, transformers.Olmo2Config(
        **SIZES, tie_word_embeddings=True, pad_token_id=1, eos_token_id=1)),
    "bert": (transformers.BertForMaskedLM, transformers.BertConfig(
        vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=32)),
    "gpt2": (transformers.GPT2LMHeadModel, transformers.GPT2Config(
        vocab_size=40, n_embd=16, n_layer=2, n_head=2, n_positions=32)),
    "t5": (transformers.T5ForConditionalGeneration, transformers.T5Config(
        vocab_size=40, d_model=16, d_kv=8, d_ff=24, num_layers=2, num_heads=2,
        decoder_start_token_id=0)),
    "bart": (transformers.BartForConditionalGeneration, transformers.BartConfig(
        vocab_size=40, d_model=16, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=24,
        decoder_ffn_dim=24, encoder_attention_heads=2, decoder_attention_heads=2,
        max_position_embeddings=32)),
}
models = pytest.mark.parametrize("name", MODELS)


def make(name):
    torch.manual_seed(1)
    model_class, config = MODELS[name]
    return model_class(config)


@models
@pytest.mark.parametrize("order", ["as it is", "reversed"])
@pytest.mark.parametrize("flags", [(), ("--no-skeleton",)], ids=["skeleton", "bare"])
def test_a_converted_folder_loads(name, order, flags, tmp_path):
    model = make(name)
    folder = tmp_path / "folder"
    model.config.save_pretrained(folder)
    values = list(model.state_dict().items())
    if order == "reversed":
        # Of names that are no embedding the first in the file stays; only these can be in any order.
        values = [item for item in values if item[0].endswith("bias")] + [
            item for item in reversed(values) if not item[0].endswith("bias")]
    torch.save(dict(values), folder / "pytorch_model.bin")
    convert(folder / "pytorch_model.bin", folder / "model.safetensors", *flags)
    (folder / "pytorch_model.bin").unlink()
    loaded, info = type(model).from_pretrained(folder, output_loading_info=True)
    assert not info["unexpected_keys"] and not info["mismatched_keys"], info
    for key, value in model.state_dict().items():
        other = loaded.state_dict()[key]
        assert other.device.type != "meta", f"{key} has no data"
        assert torch.equal(value, other), key


@models
def test_the_name_that_save_pretrained_keeps_has_the_bytes(name, tmp_path, output):
    model = make(name)
    model.save_pretrained(tmp_path / "theirs")
    theirs = safetensors_file.read(tmp_path / "theirs/model.safetensors")
    torch.save(model.state_dict(), tmp_path / "model.pt")
    ours = safetensors_file.read(convert(tmp_path / "model.pt", output))
    assert ours.tensors == theirs.tensors


@models
def test_the_names_of_save_model_return(name, tmp_path, output):
    model = make(name)
    source = tmp_path / "model.safetensors"
    safetensors.torch.save_model(model, source)
    loaded = torch.load(bring_back(source, tmp_path / "model.pt"), weights_only=True)
    expected = model.state_dict()
    assert set(loaded) == set(expected)
    for key, value in expected.items():
        assert torch.equal(loaded[key], value), key
    pointers = {key: value.data_ptr() for key, value in expected.items()}
    for first in expected:
        for second in expected:
            tied = loaded[first].data_ptr() == loaded[second].data_ptr()
            assert tied == (pointers[first] == pointers[second]), (first, second)
    assert_same_file(source, convert(tmp_path / "model.pt", output), name)


def olmo_folder(folder, save):
    model = make("olmo2")
    model.config.save_pretrained(folder)
    save(model, folder / "model.safetensors")
    return model


def save_model(model, path):
    safetensors.torch.save_model(model, path, metadata={"format": "pt"})


def save_base(model, path):
    safetensors.torch.save_file(model.model.state_dict(), path, metadata={"format": "pt"})


@pytest.mark.parametrize("save", [save_model, save_base], ids=["save_model", "the base model"])
def test_other_names_of_a_tied_model_are_taken(save, tmp_path, output):
    folder = tmp_path / "folder"
    model = olmo_folder(folder, save)
    checked = run("check", folder)
    assert checked.returncode == 0, describe(checked)
    process = run("hf-to-olmo", folder, "-o", output)
    assert process.returncode == 0, describe(process)
    back = tmp_path / "back"
    process = run("olmo-to-hf", output, "-o", back)
    assert process.returncode == 0, describe(process)
    assert torch.equal(
        hugging_face.logits(hugging_face.load(back), 40), hugging_face.logits(model, 40))


def test_an_embedding_that_is_only_an_alias_is_a_problem_for_transformers(tmp_path):
    folder = tmp_path / "folder"
    olmo_folder(folder, save_model)
    process = run("check", "--for", "hf", folder)
    assert process.returncode == 1, describe(process)
    assert "'model.embed_tokens.weight' is stored as 'lm_head.weight'" in process.stdout, (
        describe(process))
    if (4, 52) <= hugging_face.VERSION < (5, 0):
        model = transformers.AutoModelForCausalLM.from_pretrained(folder)
        assert model.model.embed_tokens.weight.device.type == "meta"
