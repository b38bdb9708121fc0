"""What `ckptconv config` writes is what transformers and OLMo's own loader read."""

import json
import pathlib
import random
import re

import pytest
import yaml
from omegaconf import OmegaConf
from tokenizers import Tokenizer, models
from transformers import AutoConfig, GenerationConfig, LlamaConfig, Olmo2Config, OlmoConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

import olmo_configs
from program import DATA, DONE, FIXTURES, describe, run
from test_json import assert_documented

COMMON = dict(
    d_model=64, n_heads=4, n_layers=2, rope=True, attention_dropout=0.0, residual_dropout=0.0,
    embedding_dropout=0.0, include_bias=False, bias_for_layer_norm=False, max_sequence_length=64,
    vocab_size=4000, embedding_size=4096, eos_token_id=3998, pad_token_id=1, flash_attention=False)
OLMO1 = COMMON | dict(layer_norm_with_affine=False, attention_layer_norm_with_affine=False)
OLMO2 = COMMON | dict(
    layer_norm_type="rms", attention_layer_norm=True, norm_after=True, layer_norm_eps=1e-6,
    rope_theta=500_000, weight_tying=False, pad_token_id=3999)
LLAMA = COMMON | dict(layer_norm_type="rms", layer_norm_eps=1e-6, weight_tying=False)

MODELS = {
    "olmo1-tied": OLMO1 | dict(mlp_ratio=8),
    "olmo1-untied-clip": OLMO1 | dict(weight_tying=False, clip_qkv=8.0, mlp_hidden_size=256),
    "olmo1-theta": OLMO1 | dict(rope_theta=500_000),
    "olmo1-groups": OLMO1 | dict(block_group_size=2),
    "olmo1-low-precision": OLMO1 | dict(layer_norm_type="low_precision"),
    "olmo1-llama-block": OLMO1 | dict(block_type="llama"),
    "olmo1-mistaken-eos": OLMO1 | dict(vocab_size=50280, embedding_size=50304, eos_token_id=0),
    "olmo2": OLMO2 | dict(mlp_ratio=8),
    "olmo2-gqa": OLMO2 | dict(n_kv_heads=2, mlp_hidden_size=352),
    "olmo2-mqa": OLMO2 | dict(multi_query_attention=True, embedding_size=None),
    "olmo2-bare-norms": OLMO2 | dict(attention_layer_norm_with_affine=False),
    "llama": LLAMA | dict(mlp_ratio=8),
    "llama-block": LLAMA | dict(block_type="llama", mlp_hidden_size=352),
}

# Sections beside the model's, with values of every kind that OmegaConf dumps.
REST = {
    "run_name": "x-${seed}", "seed": 6198, "epoch": None, "dry_run": False,
    "optimizer": {"name": "adamw", "learning_rate": 4e-4, "eps": 1e-8, "betas": [0.9, 0.95]},
    "scheduler": {"t_max": 5e12, "t_warmup": 10.0},
    "data": {"paths": ["a.npy", "1e-5", "yes", "1_000", "it's", "a: b", "", " x", "é"]},
    "tokenizer": {"identifier": "tokenizers/allenai_gpt-neox-olmo-dolma-v1_5.json"},
    "max_duration": "4e12T", "save_folder": "${oc.env:HOME,/tmp}/x", "evaluators": [],
}


def translate(source, output, *flags):
    process = run("config", source, "-o", output, *flags)
    assert process.returncode == DONE, describe(process)
    return output


def written(model, folder, rest=REST):
    path = folder / "config.yaml"
    path.write_text(OmegaConf.to_yaml(OmegaConf.create({**rest, "model": model})))
    return path


@pytest.mark.parametrize("name", MODELS)
def test_transformers_reads_what_the_fields_say(name, tmp_path):
    section = MODELS[name]
    folder = translate(written(section, tmp_path), tmp_path / "hf")
    found = AutoConfig.from_pretrained(folder)
    seen = olmo_configs.config.ModelConfig.new(**section)
    is_rms, after = seen.layer_norm_type == "rms", seen.norm_after
    kind = Olmo2Config if after else LlamaConfig if is_rms else OlmoConfig
    feed_forward = seen.mlp_hidden_size or seen.d_model * seen.mlp_ratio
    expected = kind(
        architectures=[MODEL_FOR_CAUSAL_LM_MAPPING_NAMES[kind.model_type]],
        vocab_size=seen.embedding_size or seen.vocab_size, hidden_size=seen.d_model,
        intermediate_size=feed_forward // 2, num_hidden_layers=seen.n_layers,
        num_attention_heads=seen.n_heads, num_key_value_heads=seen.effective_n_kv_heads,
        max_position_embeddings=seen.max_sequence_length, rope_theta=seen.rope_theta,
        tie_word_embeddings=seen.weight_tying, pad_token_id=seen.pad_token_id, bos_token_id=None,
        eos_token_id=50279 if "mistaken" in name else seen.eos_token_id, torch_dtype="float32",
        **({"rms_norm_eps": seen.layer_norm_eps} if is_rms else {"clip_qkv": seen.clip_qkv}))
    found, expected = found.to_dict(), expected.to_dict()
    assert found.pop("ckptconv")["version"] == 1
    assert found.pop("_name_or_path", "") in (str(folder), "")
    expected.pop("_name_or_path", None)
    assert found == expected
    generation = GenerationConfig.from_pretrained(folder)
    assert generation.eos_token_id == found["eos_token_id"]
    assert generation.pad_token_id == found["pad_token_id"]


@pytest.mark.parametrize("again", ["as it was", "after save_pretrained"])
@pytest.mark.parametrize("name", MODELS)
def test_a_configuration_returns(name, again, tmp_path):
    source = written(MODELS[name], tmp_path)
    folder = translate(source, tmp_path / "hf")
    if again == "after save_pretrained":
        AutoConfig.from_pretrained(folder).save_pretrained(folder)
    back = translate(folder, tmp_path / "back.yaml").read_text()
    assert olmo_configs.model(back, tmp_path) == olmo_configs.model(source.read_text(), tmp_path)
    rest, original = (OmegaConf.to_container(OmegaConf.create(text), resolve=False)
                      for text in (back, source.read_text()))
    del rest["model"], original["model"]
    assert rest == original


def test_the_trainer_reads_what_returns(tmp_path):
    source = FIXTURES / "olmo2-fsdp/step6-unsharded/config.yaml"
    folder = translate(source, tmp_path / "hf")
    AutoConfig.from_pretrained(folder).save_pretrained(folder)
    back = translate(folder, tmp_path / "back.yaml").read_text()
    text = source.read_text()
    # Sections that are younger than the release of OLMo that judges.
    dropped = {"single", "custom_dataset"}
    old = [OmegaConf.to_container(OmegaConf.create(t)) for t in (text, back)]
    for document in old:
        for name in dropped:
            document.pop(name, None)
            document["data"].pop(name, None)
    kept, returned = (olmo_configs.train(yaml.safe_dump(d), tmp_path) for d in old)
    assert returned == kept


@pytest.mark.parametrize("kind", [OlmoConfig, Olmo2Config, LlamaConfig], ids=lambda k: k.model_type)
def test_olmo_reads_what_transformers_wrote(kind, tmp_path):
    sizes = dict(
        hidden_size=64, intermediate_size=144, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, vocab_size=512, max_position_embeddings=128, rope_theta=20_000.0,
        pad_token_id=None, eos_token_id=5)
    kind(**sizes).save_pretrained(tmp_path / "hf")
    back = translate(tmp_path / "hf", tmp_path / "config.yaml").read_text()
    seen = olmo_configs.model(back, tmp_path)
    assert set(yaml.safe_load(back)) == {"model"}
    assert set(yaml.safe_load(back)["model"]) == set(seen)
    assert (seen["d_model"], seen["mlp_hidden_size"], seen["n_kv_heads"]) == (64, 288, 2)
    assert (seen["rope_theta"], seen["eos_token_id"], seen["pad_token_id"]) == (20_000, 5, 5)
    # and there and back again it is what transformers wrote
    again = AutoConfig.from_pretrained(translate(tmp_path / "config.yaml", tmp_path / "again"))
    first = AutoConfig.from_pretrained(tmp_path / "hf")
    for name in sizes:
        if name != "pad_token_id":
            assert getattr(again, name) == getattr(first, name), name


@pytest.mark.parametrize("model", [
    models.BPE({letter: number for number, letter in enumerate("abcdefg")}, []),
    models.Unigram([("a", -1.0), ("b", -2.0)], None, False),
    models.WordPiece({"a": 0, "b": 11}, unk_token="a"),
], ids=lambda model: type(model).__name__)
def test_the_tokenizer_says_how_many_tokens_there_are(model, tmp_path):
    tokenizer = Tokenizer(model)
    tokenizer.add_special_tokens(["<|end|>", "<|pad|>"])
    LlamaConfig(vocab_size=512, eos_token_id=1, pad_token_id=2).save_pretrained(tmp_path / "hf")
    tokenizer.save(str(tmp_path / "hf/tokenizer.json"))
    back = translate(tmp_path / "hf", tmp_path / "config.yaml").read_text()
    assert olmo_configs.model(back, tmp_path)["vocab_size"] == 1 + max(
        tokenizer.get_vocab().values())


def refusal(document, folder):
    """What is said of a document that must be refused."""
    path = folder / "refused.yaml"
    path.write_text(document)
    process = run("config", path, "-o", folder / "refused")
    assert process.returncode == DATA, describe(process)
    assert not (folder / "refused").exists()
    return process.stderr


@pytest.mark.parametrize("line", [
    "d_model: 64.0", "d_model: [1]", "rope: maybe", "d_modell: 1", "rope_theta: 5e5",
    "d_model: 1\n  d_model: 2", "layer_norm_type: batch", "init_std: x", "weight_tying: null",
])
def test_what_olmo_refuses_is_refused(line, tmp_path):
    text = f"model:\n  {line}\n"
    with pytest.raises(Exception):
        olmo_configs.model(text, tmp_path)
    refusal(text, tmp_path)


def random_scalar(generator):
    pieces = ["0", "1", "8", "_", ".", "e", "E", "+", "-", ":", "59", "60", "0x", "0b", "x", "inf",
              "nan", ".inf", "~", "null", "y", "Yes", "on", "true", "2024-05-06", "${a}", "'", "#",
              " ", "é", "=", "<<", "{", "[", "*", "!", "%", "@", "|", ">", "?", ",", "\t"]
    return "".join(generator.choice(pieces) for _ in range(generator.randint(1, 6)))


def oracle(text):
    """What OmegaConf reads, or None if it refuses."""
    try:
        found = OmegaConf.to_container(OmegaConf.create(text), resolve=False)
    except Exception:
        return None
    return found if isinstance(found, dict) and "model" in found else None


def is_json(value):
    """Whether JSON has a place for a value: finite numbers of 64 bits, names that are text."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_json(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(is_json, value))
    if isinstance(value, float):
        return abs(value) < float("inf")
    return not isinstance(value, int) or -2**63 <= value < 2**63


def test_values_are_those_of_omegaconf(tmp_path):
    """Random text without quotes goes there and back; what OmegaConf reads stays the same."""
    generator = random.Random(4)
    model = "".join(f"  {name}: {json.dumps(value)}\n" for name, value in OLMO1.items())
    lines = []
    while len(lines) < 1500:
        # What OmegaConf would refuse for itself must not spoil the document.
        text = random_scalar(generator)
        found = oracle(f"model: {{}}\nk: {text}\n")
        if found and set(found) == {"model", "k"} and is_json(found):
            lines.append(f"k{len(lines)}: {text}\n")
    source = tmp_path / "config.yaml"
    source.write_text("".join(lines) + "model:\n" + model)
    folder = translate(source, tmp_path / "hf")
    back = translate(folder, tmp_path / "back.yaml")
    expected = oracle(source.read_text())
    found = oracle(back.read_text())
    del expected["model"], found["model"]
    assert len(found) == len(lines)
    for key in expected:
        value = expected[key]
        assert (type(found[key]), found[key]) == (type(value), value), key


def test_text_is_written_as_omegaconf_writes_it(tmp_path):
    """Random text in quotes returns, in the words that OmegaConf would use."""
    generator = random.Random(5)
    texts = [random_scalar(generator) for _ in range(1500)]
    texts = [text for text in texts if "${" not in text]
    source = written(OLMO1, tmp_path, {"data": {"paths": texts}})
    back = translate(translate(source, tmp_path / "hf"), tmp_path / "back.yaml").read_text()
    assert oracle(back)["data"] == {"paths": texts}


@pytest.mark.parametrize("name", ["olmo2-gqa", "olmo1-mistaken-eos"])
def test_the_report_is_documented(name, tmp_path):
    source = written(MODELS[name], tmp_path)
    for flags in ([source, "-o", tmp_path / "hf"], [tmp_path / "hf", "-o", tmp_path / "b.yaml"]):
        process = run("config", "--json", *flags)
        assert process.returncode == DONE, describe(process)
        report = json.loads(process.stdout)
        assert_documented(report, "Translation")
        for field in report["fields"]:
            assert_documented(field, "Field of a configuration")
        names = {field["olmo"] for field in report["fields"]} - {None}
        assert {f"model.{name}" for name in olmo_configs.config.ModelConfig().asdict()} <= names
        for path in report["outputs"]:
            assert pathlib.Path(path).is_file()


def test_the_page_lists_every_field():
    page = (FIXTURES.parent / "Documentation/config-translation.md").read_text()
    listed = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\|.*\|$", page, re.MULTILINE))))
    assert set(olmo_configs.config.ModelConfig().asdict()) <= listed
    for kind, odd in (OlmoConfig, set()), (Olmo2Config, set()), (LlamaConfig, set()):
        own = set(kind().to_dict()) - set(type(kind()).__mro__[1]().to_dict())
        assert own - odd <= listed, kind
