"""`check --for olmo` says of whole directories what OLMo's loader does with them."""

import functools
import json
import pathlib
import shutil

import pytest
import torch

import olmo_models
import olmo.checkpoint
from olmo.checkpoint import load_state_dict
from olmo.model import OLMo
from olmo.optim import build_optimizer, fix_optim_state_dict
from program import DIFFERENCE, DONE, convert, describe, run


def check(folder, *flags):
    process = run("check", "--json", "--for", "olmo", *flags, folder)
    assert process.returncode in (DONE, DIFFERENCE), describe(process)
    return json.loads(process.stdout)


@pytest.mark.parametrize("by_name", [False, True], ids=["one device", "FSDP"])
@pytest.mark.parametrize("name", olmo_models.MODELS)
def test_what_olmo_saves_is_sound(tmp_path, name, by_name):
    folder = tmp_path / "step2-unsharded"
    olmo_models.save(folder, name, "lionw" if by_name else "adamw", by_name)
    report = check(folder, "--finite")
    assert report["findings"] == [] and report["loads"] is True, report


def local(folder, name, local_cache=None):
    """What `resource_path` gives for a file that is not in a cloud."""
    path = pathlib.Path(folder) / name
    if not path.exists():
        raise FileNotFoundError(path)
    return path


def loads(folder, monkeypatch):
    """Whether OLMo's loader takes model, optimizer and trainer's state, and a step can follow."""
    # What OLMo 0.6.0 needs to load its own train.pt with torch 2.6 and later.
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    monkeypatch.setattr(olmo.checkpoint, "resource_path", local)
    config = olmo_models.train_config("olmo2")
    model = OLMo(config.model)
    optimizer = build_optimizer(config, model)
    try:
        state = load_state_dict(folder, "model.pt")
        model.load_state_dict(model._make_state_dict_compatible(state)[0])
        state = load_state_dict(folder, "optim.pt")
        optimizer.load_state_dict(fix_optim_state_dict(optimizer, state))
        for parameter in model.parameters():
            parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
        try:
            load_state_dict(folder, "train.pt")
        except FileNotFoundError:
            load_state_dict(folder, "other.pt")
    except Exception:
        return False
    return True


def change(name, edit):
    def changed(folder):
        state = torch.load(folder / name, weights_only=False)
        edit(state)
        torch.save(state, folder / name)
    return changed


def safetensors(layout, *names):
    def converted(folder):
        for name in names:
            convert(folder / f"{name}.pt", folder / f"{name}.safetensors", "--layout", layout)
    return converted


def only_safetensors(folder):
    safetensors("olmo", "model", "optim", "train")(folder)
    for path in folder.glob("*.pt"):
        path.unlink()


def remove(name):
    return lambda folder: (folder / name).unlink()


def rename(before, after):
    return lambda folder: (folder / before).rename(folder / after)


def twice(optimizer):
    for key in ("params", "param_names"):
        optimizer["param_groups"][1][key].append(optimizer["param_groups"][0][key][0])


def prefixed(prefix):
    def edit(model):
        for name in list(model):
            model[prefix + name] = model.pop(name)
    return edit


SITUATIONS = {
    "as saved": lambda folder: None,
    "safetensors of the trainer's layout": safetensors("olmo", "model", "optim"),
    "nothing but safetensors": only_safetensors,
    "a plain model.safetensors": safetensors("plain", "model"),
    "a plain optim.safetensors": safetensors("plain", "optim"),
    "other.pt": rename("train.pt", "other.pt"),
    "no model": remove("model.pt"),
    "no optimizer": remove("optim.pt"),
    "no trainer": remove("train.pt"),
    "brain floats": change("model.pt", lambda m: m.update({k: m[k].bfloat16() for k in m})),
    "NaN": change("model.pt", lambda m: m["transformer.wte.weight"].fill_(float("nan"))),
    "a wrapper of FSDP": change("model.pt", prefixed("_fsdp_wrapped_module.")),
    "another wrapper": change("model.pt", prefixed("module.")),
    "a tensor missing": change("model.pt", lambda m: m.pop("transformer.ln_f.weight")),
    "a moment missing": change("optim.pt", lambda o: o["state"][0].pop("exp_avg")),
    "a moment of another shape": change(
        "optim.pt", lambda o: o["state"][0].update(exp_avg=torch.zeros(3))),
    "a moment that is no tensor": change("optim.pt", lambda o: o["state"][0].update(exp_avg=None)),
    "a parameter in two groups": change("optim.pt", twice),
    "no state yet": change("optim.pt", lambda o: o.update(state={})),
    "model and optimizer swapped": lambda folder: [
        rename(*names)(folder)
        for names in (("model.pt", "x"), ("optim.pt", "model.pt"), ("x", "optim.pt"))],
}


@functools.cache
def saved(folder):
    olmo_models.save(folder / "step2-unsharded", "olmo2")
    return folder / "step2-unsharded"


@pytest.mark.parametrize("name", SITUATIONS)
def test_olmo_loads_what_check_says_it_loads(tmp_path_factory, tmp_path, monkeypatch, name):
    folder = tmp_path / "step2-unsharded"
    shutil.copytree(saved(tmp_path_factory.getbasetemp() / "saved"), folder)
    SITUATIONS[name](folder)
    report = check(folder)
    assert report["sound"] == loads(folder, monkeypatch), report
    assert report["loads"] in ([True] if report["sound"] else [False, None]), report
