"""Folders that save_pretrained wrote become checkpoints that OLMo's own code loads and computes the
same with, and return as the folders that they were."""

import json
import shutil

import pytest
import torch
from transformers import (
    LlamaConfig, LlamaForCausalLM, Olmo2Config, Olmo2ForCausalLM, OlmoConfig, OlmoForCausalLM)

import hugging_face
import olmo_models
from program import DATA, DONE, describe, run

COMMON = dict(
    vocab_size=256, hidden_size=32, intermediate_size=88, num_hidden_layers=3,
    num_attention_heads=4, max_position_embeddings=64, eos_token_id=248, pad_token_id=249,
    bos_token_id=None, rope_theta=10000.0)

MODELS = {
    "olmo": (OlmoForCausalLM, OlmoConfig(**COMMON, tie_word_embeddings=False)),
    "olmo-tied-clipped": (
        OlmoForCausalLM, OlmoConfig(**COMMON, tie_word_embeddings=True, clip_qkv=0.05)),
    "olmo2": (Olmo2ForCausalLM, Olmo2Config(**COMMON, tie_word_embeddings=False)),
    "olmo2-few-keys": (
        Olmo2ForCausalLM,
        Olmo2Config(**COMMON | dict(rope_theta=500000.0), num_key_value_heads=2)),
    "olmo2-tied": (Olmo2ForCausalLM, Olmo2Config(**COMMON, tie_word_embeddings=True)),
    "llama": (LlamaForCausalLM, LlamaConfig(**COMMON, tie_word_embeddings=False)),
    "llama-one-key-tied": (
        LlamaForCausalLM,
        LlamaConfig(**COMMON, num_key_value_heads=1, tie_word_embeddings=True)),
}

WAYS = {
    "safetensors": dict(),
    "safetensors-shards": dict(max_shard_size="40KB"),
    "bin": dict(safe_serialization=False),
    "bin-shards": dict(safe_serialization=False, max_shard_size="40KB"),
}


def build(name, dtype=torch.float32):
    kind, config = MODELS[name]
    torch.manual_seed(3)
    model = kind(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return model.to(dtype)


def save(folder, name, dtype=torch.float32, **way):
    model = build(name, dtype)
    model.save_pretrained(folder, **way)
    (folder / "tokenizer.json").write_text('{"version": "1.0"}')
    return model.float()


def convert(verb, source, output, *flags):
    process = run(verb, source, "-o", output, *flags)
    assert process.returncode == DONE, describe(process)
    return process


def load_as_olmo_does(folder):
    """OLMo's model with the weights of a checkpoint; fails unless names and shapes are its own."""
    config = olmo_models.TrainConfig.load(folder / "config.yaml").model
    config.init_device = "cpu"
    config.flash_attention = False
    model = olmo_models.OLMo(config)
    state = torch.load(folder / "model.pt", weights_only=True)
    assert list(state) == list(model.state_dict())
    model.load_state_dict(state, strict=True)
    return model


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", MODELS)
def test_olmo_computes_what_transformers_computes_and_the_folder_returns(name, way, tmp_path):
    source = tmp_path / "hf"
    expected = save(source, name, **WAYS[way])
    output = tmp_path / "model-unsharded"
    process = convert("hf-to-olmo", source, output)
    assert "--reset_optimizer_state --reset_trainer_state" in process.stderr, process.stderr
    assert "warning" not in process.stderr, process.stderr
    assert torch.load(output / "train.pt", weights_only=True) == {}
    model = load_as_olmo_does(output)
    difference = (hugging_face.logits(model) - hugging_face.logits(expected)).abs().max().item()
    assert difference < 1e-5, difference

    shard_size = ["--max-shard-size", "40KB"] if "shards" in way else []
    convert("olmo-to-hf", output, tmp_path / "back", *shard_size)
    found = hugging_face.tensors(tmp_path / "back")
    expected_tensors = hugging_face.tensors(source)
    if MODELS[name][1].tie_word_embeddings:
        # A .bin has tied weights under both names, which are one storage.
        expected_tensors.pop("lm_head.weight", None)
    hugging_face.assert_same_tensors(expected_tensors, found)
    for file in ["config.json", "generation_config.json", "tokenizer.json"]:
        assert (tmp_path / "back" / file).read_bytes() == (source / file).read_bytes(), file
    if way.startswith("safetensors"):
        for path in source.glob("model*"):
            assert (tmp_path / "back" / path.name).read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_keeps_its_bits_unless_asked(dtype, tmp_path):
    source = tmp_path / "hf"
    save(source, "olmo2", dtype)
    process = convert("hf-to-olmo", source, tmp_path / "x-unsharded")
    assert "--dtype f32" in process.stderr, process.stderr
    found = torch.load(tmp_path / "x-unsharded/model.pt", weights_only=True)
    assert {tensor.dtype for tensor in found.values()} == {dtype}
    load_as_olmo_does(tmp_path / "x-unsharded")
    convert("olmo-to-hf", tmp_path / "x-unsharded", tmp_path / "back")
    for file in ["config.json", "model.safetensors"]:
        assert (tmp_path / "back" / file).read_bytes() == (source / file).read_bytes(), file
    convert("hf-to-olmo", source, tmp_path / "y-unsharded", "--dtype", "f32")
    wide = torch.load(tmp_path / "y-unsharded/model.pt", weights_only=True)
    hugging_face.assert_same_tensors({key: value.float() for key, value in found.items()}, wide)


def test_a_template_supplies_the_rest(tmp_path):
    source = tmp_path / "hf"
    save(source, "olmo2")
    template = olmo_models.train_config("olmo2")
    template.optimizer.learning_rate = 3e-4
    template.model.init_cutoff_factor = 3.0
    template.save(tmp_path / "template.yaml")
    convert("hf-to-olmo", source, tmp_path / "x-unsharded", "--config", tmp_path / "template.yaml")
    found = olmo_models.TrainConfig.load(tmp_path / "x-unsharded/config.yaml")
    assert found.optimizer == template.optimizer and found.model.init_cutoff_factor == 3.0
    assert found.model.rope_theta == 10000, "config.json decides what the model computes"
    load_as_olmo_does(tmp_path / "x-unsharded")


def test_the_trainers_layout_of_safetensors(tmp_path):
    source = tmp_path / "hf"
    save(source, "olmo2")
    convert("hf-to-olmo", source, tmp_path / "x-unsharded", "--as", "safetensors")
    convert("hf-to-olmo", source, tmp_path / "y-unsharded")
    found = olmo_models.olmo_files.safetensors_file_to_state_dict(
        tmp_path / "x-unsharded/model.safetensors")
    expected = torch.load(tmp_path / "y-unsharded/model.pt", weights_only=True)
    hugging_face.assert_same_tensors(expected, found)


def test_a_name_that_the_trainer_does_not_take_is_warned_of(tmp_path):
    save(tmp_path / "hf", "olmo")
    process = convert("hf-to-olmo", tmp_path / "hf", tmp_path / "olmo")
    assert "-unsharded" in process.stderr and "warning" in process.stderr, process.stderr


def change(folder, **members):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | members))


REFUSED_MEMBERS = {
    "rope_scaling": dict(rope_scaling=dict(rope_type="linear", factor=2.0)),
    "attention_bias": dict(attention_bias=True),
    "hidden_act": dict(hidden_act="gelu"),
    "head_dim": dict(head_dim=16),
    "rope_theta": dict(rope_theta=10000.5),
    "model_type": dict(model_type="olmo9"),
    "sliding attention windows": dict(model_type="olmo3"),
    "mlp_bias": dict(mlp_bias=True),
}


@pytest.mark.parametrize("member", REFUSED_MEMBERS)
def test_what_olmo_cannot_train_is_refused_by_the_member(member, tmp_path):
    save(tmp_path / "hf", "llama")
    change(tmp_path / "hf", **REFUSED_MEMBERS[member])
    process = run("hf-to-olmo", tmp_path / "hf", "-o", tmp_path / "x-unsharded")
    assert process.returncode == DATA, describe(process)
    assert member in process.stderr, process.stderr
    assert not (tmp_path / "x-unsharded").exists()


def refuse(folder, *words):
    process = run("hf-to-olmo", folder, "-o", folder.parent / "x-unsharded")
    assert process.returncode == DATA, describe(process)
    for word in words:
        assert word in process.stderr, process.stderr
    assert not (folder.parent / "x-unsharded").exists()


def rewrite(folder, alter):
    import safetensors.torch
    path = folder / "model.safetensors"
    tensors = safetensors.torch.load_file(path)
    alter(tensors)
    safetensors.torch.save_file(tensors, path, {"format": "pt"})


def test_tensors_that_are_missing_or_too_many_are_named(tmp_path):
    folder = tmp_path / "hf"
    save(folder, "olmo2")
    rewrite(folder, lambda tensors: tensors.pop("model.layers.1.mlp.up_proj.weight"))
    refuse(folder, "model.layers.1.mlp.up_proj.weight", "is missing")
    shutil.rmtree(folder)
    save(folder, "olmo2")
    rewrite(folder, lambda tensors: tensors.update(extra=torch.ones(3)))
    refuse(folder, "'extra'", "not part of the model")


def test_an_output_that_is_not_the_embedding_it_is_said_to_be(tmp_path):
    folder = tmp_path / "hf"
    save(folder, "olmo2-tied")
    embedding = {}
    rewrite(folder, lambda tensors: (
        embedding.update(tensors),
        tensors.update({"lm_head.weight": tensors["model.embed_tokens.weight"].clone()})))
    convert("hf-to-olmo", folder, tmp_path / "same-unsharded")
    rewrite(folder, lambda tensors: tensors["lm_head.weight"].add_(1))
    refuse(folder, "lm_head.weight", "tie_word_embeddings")


def test_the_rotary_buffers_of_old_files_say_nothing(tmp_path):
    folder = tmp_path / "hf"
    save(folder, "llama")
    rewrite(folder, lambda tensors: tensors.update({
        f"model.layers.{layer}.self_attn.rotary_emb.inv_freq": torch.ones(4)
        for layer in range(3)}))
    convert("hf-to-olmo", folder, tmp_path / "x-unsharded")
    load_as_olmo_does(tmp_path / "x-unsharded")


def test_norms_that_have_been_trained_have_no_place_in_a_model_without(tmp_path):
    source = tmp_path / "step2-unsharded"
    olmo_models.save(source, "olmo2-norms-without-weights")
    folder = tmp_path / "hf"
    convert("olmo-to-hf", source, folder)
    rewrite(folder, lambda tensors: tensors["model.layers.1.self_attn.q_norm.weight"].mul_(2))
    refuse(folder, "model.layers.1.self_attn.q_norm.weight", "not all ones")


def test_trained_weights_return_into_the_kept_file(tmp_path):
    """A folder that was trained further in place keeps the form of OLMo's file, with new numbers."""
    source = tmp_path / "step2-unsharded"
    olmo_models.save(source, "olmo2-few-keys")
    folder = tmp_path / "hf"
    convert("olmo-to-hf", source, folder)
    rewrite(folder, lambda tensors: [tensor.mul_(1.5) for tensor in tensors.values()])
    convert("hf-to-olmo", folder, tmp_path / "x-unsharded")
    found = torch.load(tmp_path / "x-unsharded/model.pt", weights_only=True)
    expected = torch.load(source / "model.pt", weights_only=True)
    assert type(found) is type(expected) and found._metadata == expected._metadata
    hugging_face.assert_same_tensors({key: value * 1.5 for key, value in expected.items()}, found)


@pytest.mark.parametrize("name", MODELS)
def test_the_checkpoint_passes_verify_and_check(name, tmp_path):
    build(name).save_pretrained(tmp_path / "hf")
    # Files of transformers' Trainer, which OLMo's trainer has no use for.
    (tmp_path / "hf/scheduler.pt").write_bytes(b"")
    output = tmp_path / "step0-unsharded"
    process = run("hf-to-olmo", tmp_path / "hf", "-o", output, "--verify")
    assert process.returncode == DONE, describe(process)
    assert "not converted, because OLMo's trainer has no use for them: scheduler.pt" in process.stderr
    process = run("verify", tmp_path / "hf", output)
    assert process.returncode == DONE, describe(process)
    assert process.stdout.splitlines()[-1] == "identical"
    process = run("check", "--for", "olmo", output)
    assert process.returncode == DONE, describe(process)
    assert "reset_optimizer_state" in process.stdout
