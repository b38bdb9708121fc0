"""`check` knows the tensors of every model that OLMo builds, and says what OLMo's loader says."""

import json

import pytest
import torch

import olmo_models
from olmo.config import ModelConfig
from olmo.model import OLMo
from program import DIFFERENCE, DONE, describe, run


def write(folder, state, config):
    folder.mkdir()
    train = olmo_models.train_config("olmo2")
    train.model = config
    train.save(folder / "config.yaml")
    torch.save(state, folder / "model.pt")


def objections(folder):
    """What `check` has against the model and its configuration."""
    process = run("check", "--json", "--for", "olmo", folder)
    assert process.returncode in (DONE, DIFFERENCE), describe(process)
    return [
        finding for finding in json.loads(process.stdout)["findings"]
        if finding["topic"] in ("configuration", "tensors", "loading", "content")]


def loads(state, config):
    """Whether a model of OLMo takes these tensors, and computes with them."""
    try:
        model = OLMo(config)
        model.load_state_dict(model._make_state_dict_compatible(dict(state))[0])
        model(torch.tensor([[1, 2, 3]]))
    except Exception:
        return False
    return True


def state_of(fields):
    return OLMo(ModelConfig(**fields)).state_dict()


@pytest.mark.parametrize("name", olmo_models.MODELS)
def test_a_model_of_olmo_is_what_its_configuration_says(tmp_path, name):
    fields = olmo_models.MODELS[name]
    write(tmp_path / "step2-unsharded", state_of(fields), ModelConfig(**fields))
    assert objections(tmp_path / "step2-unsharded") == []


# Models that Hugging Face has no class for.
FOREIGN = {
    "positions": dict(rope=False),
    "alibi": dict(rope=False, alibi=True),
    "biases": dict(include_bias=True),
    "biases-of-norms-too": dict(include_bias=True, bias_for_layer_norm=None),
    "biases-of-norms": dict(bias_for_layer_norm=True),
    "gelu": dict(activation_type="gelu"),
    "relu-tied": dict(activation_type="relu", weight_tying=True),
    "norm-of-embedding": dict(embedding_layer_norm=True),
    "query-norms": dict(norm_after=False),
    "llama-blocks": dict(block_type="llama"),
    "everything": dict(
        include_bias=True, bias_for_layer_norm=True, activation_type="gelu", block_type="llama",
        embedding_layer_norm=True, rope=False, mlp_hidden_size=None, mlp_ratio=3),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_models_of_olmo_alone_are_known_too(tmp_path, name):
    fields = olmo_models.OLMO2 | FOREIGN[name]
    write(tmp_path / "step2-unsharded", state_of(fields), ModelConfig(**fields))
    assert objections(tmp_path / "step2-unsharded") == []


# One field of the configuration that is not the model's.
CHANGES = [
    dict(d_model=64), dict(n_layers=2), dict(n_layers=4), dict(n_heads=8), dict(n_heads=3),
    dict(n_kv_heads=2), dict(multi_query_attention=True), dict(mlp_hidden_size=96),
    dict(mlp_hidden_size=177), dict(vocab_size=200), dict(vocab_size=300),
    dict(embedding_size=384), dict(embedding_size=None), dict(weight_tying=True),
    dict(attention_layer_norm=False), dict(attention_layer_norm_with_affine=False),
    dict(layer_norm_with_affine=False), dict(layer_norm_type="default"), dict(norm_after=False),
    dict(include_bias=True), dict(bias_for_layer_norm=True), dict(bias_for_layer_norm=None),
    dict(activation_type="gelu"), dict(block_type="llama"), dict(block_group_size=3),
    dict(block_group_size=2), dict(rope=False), dict(alibi=True), dict(alibi=True, rope=False),
    dict(embedding_layer_norm=True), dict(max_sequence_length=128), dict(rope_theta=10_000),
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
@pytest.mark.parametrize("name", ["olmo1-untied", "olmo1-llama-blocks", "olmo2"])
def test_check_objects_where_olmo_does(tmp_path, name, change):
    state = state_of(olmo_models.MODELS[name])
    config = ModelConfig(**(olmo_models.MODELS[name] | change))
    write(tmp_path / "step2-unsharded", state, config)
    found = objections(tmp_path / "step2-unsharded")
    assert (not found) == loads(state, config), found
    assert len(found) <= 12, "a field that is wrong is no flood"


@pytest.mark.parametrize("wrapper", ["_fsdp_wrapped_module.", "module.", "_orig_mod."])
def test_wrappers_are_taken_out_where_olmo_takes_them_out(tmp_path, wrapper):
    fields = olmo_models.MODELS["olmo2"]
    state = {wrapper + name: tensor for name, tensor in state_of(fields).items()}
    write(tmp_path / "step2-unsharded", state, ModelConfig(**fields))
    found = objections(tmp_path / "step2-unsharded")
    assert (not found) == loads(state, ModelConfig(**fields)), found
