"""Checkpoints of OLMo-core become the folders that its own converter writes, compute the same, and
return. The fixtures are what OLMo-core 3.0.0 wrote (Fixtures/generate/core_checkpoints.py)."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from program import DATA, DONE, FIXTURES, USAGE, describe, run

CORE = FIXTURES / "olmo-core"
MODELS = ["olmo2", "olmo3"]
DTYPES = [("f32", "float32"), ("bf16", "bfloat16")]


def do(*arguments, code):
    done = run(*arguments)
    assert done.returncode == code, describe(done)
    return done


def convert(name, output, *flags):
    do("olmo-to-hf", CORE / name / "step2", "-o", output, *flags, code=DONE)
    return load_file(output / "model.safetensors")


def assert_equal(found, expected):
    assert set(found) == set(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype, name
        assert torch.equal(found[name], tensor), name


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(["flag", "dtype"], DTYPES)
def test_equals_its_own_converter(name, flag, dtype, tmp_path):
    found = convert(name, tmp_path / "hf", "--dtype", flag, "--verify")
    assert_equal(found, load_file(CORE / name / f"hf-{dtype}" / "model.safetensors"))
    ours = json.loads((tmp_path / "hf" / "config.json").read_text())
    theirs = json.loads((CORE / name / f"hf-{dtype}" / "config.json").read_text())
    # The version of the writer and the two spellings of transformers 4 and 5.
    for key in ["transformers_version", "dtype", "torch_dtype", "rope_theta", "rope_scaling",
                "rope_parameters"]:
        ours.pop(key, None)
        theirs.pop(key, None)
    assert ours | {"clip_qkv": None} == theirs | {"clip_qkv": None}


@pytest.mark.parametrize("name", MODELS)
def test_computes_the_same_logits(name, tmp_path):
    convert(name, tmp_path / "hf")
    expected = load_file(CORE / name / "logits.safetensors")
    model = AutoModelForCausalLM.from_pretrained(
        tmp_path / "hf", dtype=torch.float32, attn_implementation="eager")
    with torch.no_grad():
        logits = model(expected["tokens"]).logits
    assert type(model).__name__ == f"O{name[1:]}ForCausalLM"
    assert (logits - expected["logits"]).abs().max() < 1e-5
    # A model with another rotation or without windows is further away.
    model.config.sliding_window = None
    assert expected["logits"].abs().max() > 0.1


@pytest.mark.parametrize("name", MODELS)
def test_keeps_the_vocabulary(name, tmp_path):
    kept = convert(name, tmp_path / "kept", "--keep-vocab")
    cut = convert(name, tmp_path / "cut")
    assert kept["lm_head.weight"].shape[0] == 128 and cut["lm_head.weight"].shape[0] == 100
    for key in ["lm_head.weight", "model.embed_tokens.weight"]:
        assert torch.equal(kept[key][:100], cut[key])
    assert json.loads((tmp_path / "kept" / "config.json").read_text())["vocab_size"] == 128


@pytest.mark.parametrize("name", MODELS)
def test_takes_the_optimizer_state(name, tmp_path):
    do("olmo-to-hf", CORE / name / "step2", "-o", tmp_path / "hf", "--optimizer", "--verify",
        code=DONE)
    do("safetensors-to-pt", tmp_path / "hf" / "optimizer.safetensors", "-o", tmp_path / "o.pt",
        code=DONE)
    state = torch.load(tmp_path / "o.pt", weights_only=True)
    weights = load_file(tmp_path / "hf" / "model.safetensors")
    assert set(state["state"]) == set(weights)
    for key, values in state["state"].items():
        assert values["exp_avg"].shape == weights[key].shape, key
        assert values["exp_avg_sq"].shape == weights[key].shape, key
    decays = {group["weight_decay"]: group["params"] for group in state["param_groups"]}
    assert decays[0.0] == ["model.embed_tokens.weight"]
    assert len(decays[0.1]) == len(weights) - 1


@pytest.mark.parametrize("name", MODELS)
def test_takes_unsharded_files(name, tmp_path):
    do("unshard", CORE / name / "step2", "-o", tmp_path / "whole", code=DONE)
    shutil.copy(CORE / name / "step2" / "config.json", tmp_path / "whole" / "config.json")
    do("olmo-to-hf", tmp_path / "whole", "-o", tmp_path / "hf", "--optimizer", code=DONE)
    convert(name, tmp_path / "direct", "--optimizer")
    for file in ["model.safetensors", "optimizer.safetensors", "config.json"]:
        assert (tmp_path / "hf" / file).read_bytes() == (tmp_path / "direct" / file).read_bytes()


@pytest.mark.parametrize("name", MODELS)
def test_returns(name, tmp_path):
    convert(name, tmp_path / "hf", "--keep-vocab", "--optimizer")
    do("hf-to-olmo", tmp_path / "hf", "-o", tmp_path / "core", "--to", "olmo-core", "--verify",
        code=DONE)
    do("unshard", CORE / name / "step2", "-o", tmp_path / "whole", code=DONE)
    assert_equal(
        torch.load(tmp_path / "core" / "model.pt", weights_only=True),
        torch.load(tmp_path / "whole" / "model.pt", weights_only=True))
    before = json.loads((CORE / name / "step2" / "config.json").read_text())["model"]
    after = json.loads((tmp_path / "core" / "config.json").read_text())["model"]
    assert after["block"]["feed_forward"]["hidden_size"] == before["block"]["feed_forward"][
        "hidden_size"]
    # What its converter makes of it is what it made of the original.
    do("olmo-to-hf", tmp_path / "core", "-o", tmp_path / "again", "--keep-vocab", code=DONE)
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == (
        tmp_path / "hf" / "model.safetensors").read_bytes()


def test_refuses_another_model(tmp_path):
    shutil.copytree(CORE / "olmo2" / "step2", tmp_path / "step2")
    config = tmp_path / "step2" / "config.json"
    document = json.loads(config.read_text())
    document["model"]["n_layers"] = 3
    config.write_text(json.dumps(document))
    done = do("olmo-to-hf", tmp_path / "step2", "-o", tmp_path / "hf", code=DATA)
    assert "blocks.2.attention.w_q.weight" in done.stderr
    assert not (tmp_path / "hf").exists()


def test_refuses_windows_for_the_other_trainer(tmp_path):
    convert("olmo3", tmp_path / "hf")
    done = do("hf-to-olmo", tmp_path / "hf", "-o", tmp_path / "olmo", code=DATA)
    assert "sliding attention windows" in done.stderr
    do("hf-to-olmo", tmp_path / "hf", "-o", tmp_path / "olmo", "--to", "olmo-core", "--config",
        "x.yaml", code=USAGE)


def test_refuses_tied_weights_that_differ(tmp_path):
    do("unshard", CORE / "olmo2" / "step2", "-o", tmp_path / "whole", code=DONE)
    document = json.loads((CORE / "olmo2" / "step2" / "config.json").read_text())
    document["model"]["tie_word_embeddings"] = True
    (tmp_path / "whole" / "config.json").write_text(json.dumps(document))
    done = do("olmo-to-hf", tmp_path / "whole", "-o", tmp_path / "hf", code=DATA)
    assert "tied" in done.stderr
    weights = torch.load(tmp_path / "whole" / "model.pt", weights_only=True)
    weights["lm_head.w_out.weight"] = weights["embeddings.weight"].clone()
    (tmp_path / "whole" / "model.pt").unlink()
    save_file(weights, tmp_path / "whole" / "model.safetensors")
    do("olmo-to-hf", tmp_path / "whole", "-o", tmp_path / "hf", code=DONE)
    assert "lm_head.weight" not in load_file(tmp_path / "hf" / "model.safetensors")
