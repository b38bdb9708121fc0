"""Checkpoints of OLMo's own models become folders that transformers computes the same with, and
return as the files that they were."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

import files
import hugging_face
import olmo_models
from comparison import assert_same
from program import DATA, DIFFERENCE, DONE, describe, run

every_model = pytest.mark.parametrize("name", olmo_models.MODELS)

# One of each kind where what is tested does not depend on the model.
KINDS = ["olmo1-tied", "olmo2-few-keys", "llama", "olmo1-groups", "olmo2-norms-without-weights"]
one_of_each = pytest.mark.parametrize("name", KINDS)


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    """Makes the checkpoint of a model once and returns its directory and the model."""
    made = {}
    root = tmp_path_factory.mktemp("olmo")

    def make(name, **arguments):
        key = (name, *arguments.items())
        if key not in made:
            folder = root / str(len(made)) / "step2-unsharded"
            made[key] = folder, olmo_models.save(folder, name, **arguments)
        return made[key]

    return make


def convert(verb, source, output, *flags):
    process = run(verb, source, "-o", output, *flags)
    assert process.returncode == DONE, describe(process)
    return process


@every_model
def test_transformers_computes_what_olmo_computes(name, checkpoints, tmp_path):
    source, model = checkpoints(name)
    convert("olmo-to-hf", source, tmp_path / "hf")
    found = hugging_face.logits(hugging_face.load(tmp_path / "hf"))
    expected = hugging_face.logits(model)
    assert expected.std() > 0.1, "logits that are all alike prove nothing"
    difference = (found - expected).abs().max().item()
    assert difference < 1e-5, difference


def weights(folder):
    """The tensors of a folder, whatever file they are in."""
    safetensors = folder / "model.safetensors"
    if safetensors.exists():
        return load_file(safetensors)
    return torch.load(folder / "pytorch_model.bin", weights_only=True)


@pytest.mark.parametrize(
    "source",
    [path for path in files.checkpoints() if (path.parent / "ref-hf").exists()],
    ids=files.label)
def test_the_weights_are_those_that_the_script_of_olmo_writes(source, tmp_path):
    convert("olmo-to-hf", source, tmp_path / "hf")
    found, expected = weights(tmp_path / "hf"), weights(source.parent / "ref-hf")
    # The script writes a tied output once more into a pickled file.
    tied = expected.pop("lm_head.weight", None) if "lm_head.weight" not in found else None
    assert tied is None or torch.equal(tied, expected["model.embed_tokens.weight"])
    assert sorted(found) == sorted(expected)
    for name, tensor in expected.items():
        assert tensor.dtype == found[name].dtype and torch.equal(tensor, found[name]), name


@every_model
@pytest.mark.parametrize("optimizer, by_name", [("adamw", False), ("lionw", True)])
def test_the_way_there_and_back_returns_every_file(
        name, optimizer, by_name, checkpoints, tmp_path):
    source, _ = checkpoints(name, optimizer=optimizer, by_name=by_name)
    convert("olmo-to-hf", source, tmp_path / "hf", "--optimizer", "--max-shard-size", "20KB")
    back = tmp_path / "back-unsharded"
    convert("hf-to-olmo", tmp_path / "hf", back)
    for file in ["model.pt", "optim.pt", "train.pt", "config.yaml"]:
        assert (back / file).read_bytes() == (source / file).read_bytes(), file
    assert sorted(path.name for path in back.iterdir()) == [
        "config.yaml", "model.pt", "optim.pt", "train.pt"]


@one_of_each
def test_the_way_back_needs_no_saved_settings(name, checkpoints, tmp_path):
    """Without the saved settings, names, order and bits are the same nevertheless."""
    source, model = checkpoints(name)
    convert("olmo-to-hf", source, tmp_path / "hf", "--no-carry")
    assert not (tmp_path / "hf/olmo").exists()
    back = tmp_path / "back-unsharded"
    # What Hugging Face has no place for comes from the template then.
    convert("hf-to-olmo", tmp_path / "hf", back, "--config", source / "config.yaml")
    found = torch.load(back / "model.pt", weights_only=True)
    expected = model.state_dict()
    assert list(found) == list(expected)
    hugging_face.assert_same_tensors(dict(expected), found)
    assert torch.load(back / "train.pt", weights_only=True) == {}
    config = olmo_models.TrainConfig.load(back / "config.yaml")
    assert config.model == olmo_models.TrainConfig.load(source / "config.yaml").model


@one_of_each
@pytest.mark.parametrize("layout", ["olmo", "plain"])
def test_safetensors_are_a_source_too(name, layout, checkpoints, tmp_path):
    source, _ = checkpoints(name)
    converted = tmp_path / "step2-unsharded"
    process = run("pt-to-safetensors", source, "-o", converted, "--layout", layout)
    assert process.returncode == DONE, describe(process)
    convert("olmo-to-hf", source, tmp_path / "from-pt")
    convert("olmo-to-hf", converted, tmp_path / "from-safetensors")
    assert (tmp_path / "from-pt/model.safetensors").read_bytes() == (
        tmp_path / "from-safetensors/model.safetensors").read_bytes()
    convert("hf-to-olmo", tmp_path / "from-safetensors", tmp_path / "back-unsharded")
    assert (tmp_path / "back-unsharded/model.pt").read_bytes() == (source / "model.pt").read_bytes()


def test_olmos_own_safetensors_without_a_skeleton(checkpoints, tmp_path):
    source, model = checkpoints("olmo2-few-keys")
    converted = tmp_path / "step2-unsharded"
    process = run("pt-to-safetensors", source, "-o", converted, "--no-skeleton")
    assert process.returncode == DONE, describe(process)
    convert("olmo-to-hf", converted, tmp_path / "hf", "--optimizer")
    convert("hf-to-olmo", tmp_path / "hf", tmp_path / "back-unsharded", "--as", "safetensors")
    for file in ["model.safetensors", "optim.safetensors"]:
        found = olmo_models.olmo_files.safetensors_file_to_state_dict(
            tmp_path / "back-unsharded" / file)
        expected = olmo_models.olmo_files.safetensors_file_to_state_dict(converted / file)
        assert_same(expected, found, file, values_only=True)


@one_of_each
@pytest.mark.parametrize("dtype, torch_dtype", [("bf16", torch.bfloat16), ("f16", torch.float16)])
def test_casts_are_torchs(name, dtype, torch_dtype, checkpoints, tmp_path):
    source, _ = checkpoints(name)
    convert("olmo-to-hf", source, tmp_path / "full")
    convert("olmo-to-hf", source, tmp_path / "hf", "--dtype", dtype)
    expected = {
        key: value.to(torch_dtype)
        for key, value in hugging_face.tensors(tmp_path / "full").items()}
    hugging_face.assert_same_tensors(expected, hugging_face.tensors(tmp_path / "hf"))
    named = hugging_face.config(tmp_path / "hf")
    assert named["torch_dtype"] == str(torch_dtype).removeprefix("torch.")
    back = tmp_path / "back-unsharded"
    convert("hf-to-olmo", tmp_path / "hf", back, "--dtype", "f32")
    found = torch.load(back / "model.pt", weights_only=True)
    assert {tensor.dtype for tensor in found.values()} == {torch.float32}


@every_model
def test_the_optimizer_is_split_like_its_weights(name, checkpoints, tmp_path):
    """What Hugging Face's optimizer would hold of each parameter is the rows of OLMo's."""
    source, _ = checkpoints(name)
    convert("olmo-to-hf", source, tmp_path / "hf", "--optimizer")
    weights = hugging_face.tensors(tmp_path / "hf")
    process = run(
        "safetensors-to-pt", tmp_path / "hf/optimizer.safetensors", "-o", tmp_path / "optim.pt")
    assert process.returncode == DONE, describe(process)
    state = torch.load(tmp_path / "optim.pt", weights_only=True)
    parameters = [key for group in state["param_groups"] for key in group["params"]]
    assert sorted(parameters) == sorted(state["state"])
    # Norms without weights are ones in the folder and have no state.
    assert set(parameters) <= set(weights)
    assert all("norm" in key for key in set(weights) - set(parameters))
    for key, values in state["state"].items():
        assert values["exp_avg"].shape == values["exp_avg_sq"].shape == weights[key].shape
        assert values["step"].item() == 2.0
    original = torch.load(source / "optim.pt", weights_only=True)
    names = {key: name.removeprefix("module.") for group in original["param_groups"]
             for key, name in zip(group["params"], group["param_names"])}
    fused = next(key for key, name in names.items() if name.endswith((".0.ff_proj.weight")))
    up, gate = (state["state"][f"model.layers.0.mlp.{part}_proj.weight"]["exp_avg"]
                for part in ("up", "gate"))
    assert torch.equal(torch.cat([up, gate]), original["state"][fused]["exp_avg"])


def test_an_optimizer_that_has_made_no_step(checkpoints, tmp_path):
    source, _ = checkpoints("olmo2", steps=0)
    convert("olmo-to-hf", source, tmp_path / "hf", "--optimizer")
    convert("hf-to-olmo", tmp_path / "hf", tmp_path / "back-unsharded")
    assert (tmp_path / "back-unsharded/optim.pt").read_bytes() == (source / "optim.pt").read_bytes()


def through_hugging_face(source, folder, kind):
    convert("olmo-to-hf", source, folder / "hf", "--optimizer")
    convert("hf-to-olmo", folder / "hf", folder / "x-unsharded", "--optimizer-names", kind)
    return folder / "x-unsharded/optim.pt"


def on_the_way_out(source, folder, kind):
    convert("pt-to-safetensors", source, folder / "there", "--optimizer-names", kind)
    convert("safetensors-to-pt", folder / "there/optim.safetensors", folder / "optim.pt")
    return folder / "optim.pt"


def on_the_way_back(source, folder, kind):
    convert("pt-to-safetensors", source, folder / "there")
    convert(
        "safetensors-to-pt", folder / "there/optim.safetensors", folder / "optim.pt",
        "--optimizer-names", kind)
    return folder / "optim.pt"


@pytest.mark.parametrize("name", ["olmo2-few-keys", "olmo2-eleven-layers", "olmo1-groups"])
@pytest.mark.parametrize("way", [through_hugging_face, on_the_way_out, on_the_way_back])
def test_names_are_repaired_for_the_other_strategy(way, name, checkpoints, tmp_path):
    single, _ = checkpoints(name)
    fsdp, _ = checkpoints(name, by_name=True)
    for source, kind, other in [(single, "fsdp", fsdp), (fsdp, "single", single)]:
        (tmp_path / kind).mkdir()
        found = torch.load(way(source, tmp_path / kind, kind), weights_only=True)
        expected = torch.load(other / "optim.pt", weights_only=True)
        for group in expected["param_groups"]:
            group["param_names"] = [
                key.replace("_fsdp_wrapped_module.", "") for key in group["param_names"]]
        assert_same(expected, found, kind, values_only=True)


def test_shards_hold_what_their_index_says(checkpoints, tmp_path):
    source, model = checkpoints("olmo2")
    convert("olmo-to-hf", source, tmp_path / "hf", "--max-shard-size", "30KB")
    index = json.loads((tmp_path / "hf/model.safetensors.index.json").read_text())
    files = sorted(path.name for path in (tmp_path / "hf").glob("model-*.safetensors"))
    assert len(files) > 2 and sorted(set(index["weight_map"].values())) == files
    found = hugging_face.tensors(tmp_path / "hf")
    assert set(index["weight_map"]) == set(found)
    size = sum(tensor.numel() * tensor.element_size() for tensor in found.values())
    assert index["metadata"]["total_size"] == size
    # The folder is the one that save_pretrained makes of the same model. transformers 5 moves the
    # output layer to the front in a model that it has loaded, so it saves one that it has made.
    loaded = hugging_face.load(tmp_path / "hf")
    made = type(loaded)(loaded.config)
    made.load_state_dict(loaded.state_dict())
    made.save_pretrained(tmp_path / "theirs", max_shard_size="30KB")
    for name in [*files, "model.safetensors.index.json"]:
        assert (tmp_path / "theirs" / name).read_bytes() == (tmp_path / "hf" / name).read_bytes()


def test_a_checkpoint_of_another_configuration_is_refused(checkpoints, tmp_path):
    source, _ = checkpoints("olmo2")
    other, _ = checkpoints("olmo2-few-keys")
    wrong = tmp_path / "step2-unsharded"
    wrong.mkdir()
    (wrong / "model.pt").write_bytes((source / "model.pt").read_bytes())
    (wrong / "config.yaml").write_bytes((other / "config.yaml").read_bytes())
    process = run("olmo-to-hf", wrong, "-o", tmp_path / "hf")
    assert process.returncode == DATA, describe(process)
    assert "transformer.blocks.0.att_proj.weight' has shape [96, 32]" in process.stderr, process.stderr
    assert "n_kv_heads" in process.stderr, process.stderr
    assert not (tmp_path / "hf").exists()


REFUSED = {
    "alibi": olmo_models.OLMO1 | dict(rope=False, alibi=True),
    "rope": olmo_models.OLMO1 | dict(rope=False),
    "activation_type": olmo_models.OLMO1 | dict(activation_type="gelu"),
    "include_bias": olmo_models.OLMO1 | dict(include_bias=True),
    "embedding_layer_norm": olmo_models.OLMO2 | dict(embedding_layer_norm=True),
    "scale_logits": olmo_models.OLMO2 | dict(scale_logits=True),
    "clip_qkv": olmo_models.OLMO2 | dict(clip_qkv=8.0),
    "layer_norm_with_affine": olmo_models.OLMO1 | dict(layer_norm_with_affine=True),
    "norm_after": olmo_models.LLAMA | dict(
        attention_layer_norm=True, attention_layer_norm_with_affine=True),
}


@pytest.mark.parametrize("field", REFUSED)
def test_what_no_class_can_represent_is_refused_by_the_field(
        field, tmp_path, monkeypatch):
    monkeypatch.setitem(olmo_models.MODELS, field, REFUSED[field])
    source = tmp_path / "step2-unsharded"
    olmo_models.save(source, field, steps=0)
    process = run("olmo-to-hf", source, "-o", tmp_path / "hf")
    assert process.returncode == DATA, describe(process)
    assert field in process.stderr, process.stderr
    assert not (tmp_path / "hf").exists()


def verdict(first, second, exit_code=DONE):
    """The last line of verify, which is the same in both directions."""
    lines = []
    for pair in (first, second), (second, first):
        process = run("verify", *pair)
        assert process.returncode == exit_code, describe(process)
        lines.append(process.stdout.splitlines()[-1])
    assert lines[0] == lines[1]
    return lines[0]


@every_model
def test_verify_follows_the_translation(name, checkpoints, tmp_path):
    source, _ = checkpoints(name)
    convert("olmo-to-hf", source, tmp_path / "hf", "--optimizer", "--verify")
    assert verdict(source, tmp_path / "hf") == "identical"
    convert("olmo-to-hf", source, tmp_path / "shards", "--verify", "--max-shard-size", "20KB")
    assert verdict(source, tmp_path / "shards") == "identical"
    convert("olmo-to-hf", source, tmp_path / "cast", "--verify", "--dtype", "bf16")
    assert verdict(source, tmp_path / "cast") == "equal after rounding to bfloat16"
    convert("hf-to-olmo", tmp_path / "hf", tmp_path / "back-unsharded", "--verify")
    assert verdict(tmp_path / "hf", tmp_path / "back-unsharded") == "identical"


@pytest.mark.parametrize(
    "source",
    [path for path in files.checkpoints() if (path.parent / "ref-hf").exists()],
    ids=files.label)
def test_verify_agrees_with_the_script_of_olmo(source):
    assert verdict(source, source.parent / "ref-hf") == "identical"


def test_verify_finds_one_changed_number_under_both_names(checkpoints, tmp_path):
    source, _ = checkpoints("olmo2-few-keys")
    convert("olmo-to-hf", source, tmp_path / "hf", "--optimizer")
    for file, name, olmo in [
        ("model", "model.layers.1.mlp.gate_proj.weight", "transformer.blocks.1.ff_proj.weight"),
        ("optimizer", "state.model.layers.1.self_attn.k_proj.weight.exp_avg",
         "state.transformer.blocks.1.att_proj.weight.exp_avg"),
    ]:
        path = tmp_path / "hf" / f"{file}.safetensors"
        original = path.read_bytes()
        tensors = load_file(path)
        tensors[name][3, 5] += 1
        save_file(tensors, path, {"format": "pt"})
        process = run("verify", source, tmp_path / "hf", "--json")
        assert process.returncode == DIFFERENCE, describe(process)
        found = [
            difference for finding in json.loads(process.stdout)["files"]
            for difference in finding["differences"]]
        # A file that save_file wrote has no skeleton, and so no groups.
        changed = [difference for difference in found if difference["kind"] == "bytes"]
        assert [(change["place"], change["counterpart"]) for change in changed] == [(name, olmo)]
        assert "element [3, 5]" in changed[0]["first"]
        path.write_bytes(original)


@pytest.mark.parametrize("member, value", [("rope_theta", 12345.0), ("num_attention_heads", 2)])
def test_verify_finds_a_changed_setting(member, value, checkpoints, tmp_path):
    source, _ = checkpoints("olmo2-few-keys")
    convert("olmo-to-hf", source, tmp_path / "hf")
    path = tmp_path / "hf/config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {member: value}))
    assert verdict(source, tmp_path / "hf", DIFFERENCE) == "different: 1 difference"


def test_a_batch_deletes_what_it_has_verified(checkpoints, tmp_path):
    source, _ = checkpoints("olmo1-tied")
    for name, flags, remains in [("whole", ["--optimizer"], False), ("part", [], True)]:
        tree = tmp_path / name
        step = tree / "step2-unsharded"
        step.mkdir(parents=True)
        for file in source.iterdir():
            (step / file.name).write_bytes(file.read_bytes())
        process = run(
            "batch", "olmo-to-hf", tree, "-o", tmp_path / f"{name}-hf", "--verify",
            "--delete-source", *flags)
        assert process.returncode == DONE, describe(process)
        assert step.exists() == remains, describe(process)
