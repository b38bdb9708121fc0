"""`check --for hf` says of Hugging Face folders what transformers does with them."""

import json
import pathlib
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Olmo2Config, Olmo2ForCausalLM

import hugging_face
from program import DIFFERENCE, DONE, FIXTURES, describe, run


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound") / "hf"
    torch.manual_seed(1)
    Olmo2ForCausalLM(Olmo2Config(
        vocab_size=256, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2)).save_pretrained(folder)
    return folder


def set_config(**members):
    def edit(folder):
        path = folder / "config.json"
        config = json.loads(path.read_text()) | members
        path.write_text(json.dumps({k: v for k, v in config.items() if v is not None}))
    return edit


def save_again(metadata=None, edit=lambda tensors: tensors):
    def change(folder):
        path = folder / "model.safetensors"
        tensors = edit(load_file(path))
        path.unlink()
        save_file(tensors, path, metadata=metadata)
    return change


def pickled(edit=lambda tensors: tensors, **options):
    def change(folder):
        path = folder / "model.safetensors"
        torch.save(edit(load_file(path)), folder / "pytorch_model.bin", **options)
        path.unlink()
    return change


def without(name):
    return lambda tensors: {k: v for k, v in tensors.items() if k != name}


def trainer_layout(folder):
    process = run(
        "pt-to-safetensors", "--layout", "olmo", FIXTURES / "olmo2-fsdp/step6-unsharded/model.pt",
        "--force", "-o", folder / "model.safetensors")
    assert process.returncode == DONE, describe(process)


PT = {"format": "pt"}
CASES = {
    "as saved": lambda folder: None,
    "no generation config": lambda folder: (folder / "generation_config.json").unlink(),
    "no metadata": save_again(),
    "format mlx": save_again({"format": "mlx"}),
    "brain floats": save_again(PT, lambda t: {k: v.bfloat16() for k, v in t.items()}),
    "pickle": pickled(),
    "no architectures": set_config(architectures=None),
    "no config": lambda folder: (folder / "config.json").unlink(),
    "page for config": lambda folder: (folder / "config.json").write_text("<html></html>"),
    "no weights": lambda folder: (folder / "model.safetensors").unlink(),
    "no model type": set_config(model_type=None),
    "unknown format": save_again({"format": "x"}),
    "metadata without format": save_again({"made": "here"}),
    "width": set_config(hidden_size=64),
    "vocabulary": set_config(vocab_size=300),
    "heads": set_config(num_key_value_heads=4),
    "a block more": set_config(num_hidden_layers=3),
    "a block less": set_config(num_hidden_layers=1),
    "a tensor missing": save_again(PT, without("model.norm.weight")),
    "layout of the trainer": trainer_layout,
    "pickle of protocol 4": pickled(pickle_protocol=4),
    "pickle of a path": pickled(lambda t: t | {"path": pathlib.PurePosixPath("x")}),
    "pickle of a dict in a dict": pickled(lambda t: {"state_dict": t}),
}


def loads(folder):
    """Whether transformers finds every tensor of the model in the folder, and no other."""
    try:
        hugging_face.load(folder)
    except Exception:
        return False
    return True


@pytest.mark.parametrize("name", CASES)
def test_check_says_what_transformers_does(sound, tmp_path, name):
    folder = tmp_path / "folder"
    shutil.copytree(sound, folder)
    CASES[name](folder)
    process = run("check", "--json", "--for", "hf", folder)
    assert process.returncode in (DONE, DIFFERENCE), describe(process)
    report = json.loads(process.stdout)
    assert report["sound"] == loads(folder), describe(process)
    assert report["loads"] in ([True] if report["sound"] else [False, None]), describe(process)


def test_of_models_that_are_not_known_nothing_is_claimed(sound, tmp_path):
    folder = tmp_path / "folder"
    shutil.copytree(sound, folder)
    set_config(model_type="unheard_of")(folder)
    report = json.loads(run("check", "--json", "--for", "hf", folder).stdout)
    assert report["sound"] and report["loads"] is None, report
