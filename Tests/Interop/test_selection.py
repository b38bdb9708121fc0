"""Parts of a checkpoint: one dict as the whole, some of the tensors, other names, another dtype."""

import pytest
import safetensors.torch
import torch

import archives
import skeleton
from program import DATA, DONE, bring_back, convert, describe, refuse, run


@pytest.fixture
def source(tmp_path):
    torch.manual_seed(3)
    state = {f"module.layer{n}.weight": torch.rand(2, 3) for n in range(3)}
    state |= {"module.layer0.bias": torch.rand(2), "module.steps": torch.tensor(7)}
    path = tmp_path / "checkpoint.pt"
    torch.save({"state_dict": state, "a.b": {"c": {"w": torch.ones(1)}}, "epoch": 3}, path)
    return path


def state(source):
    return torch.load(source, weights_only=True)["state_dict"]


def assert_tensors(expected, path):
    found = safetensors.torch.load_file(path)
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype and torch.equal(found[name], value), name


def test_the_dict_under_a_key_is_the_whole(source, output):
    convert(source, output, "--key", "state_dict")
    assert_tensors(state(source), output)
    assert set(skeleton.load(output)) == set(state(source))
    back = torch.load(bring_back(output, output.with_suffix(".pt")), weights_only=True)
    assert list(back) == list(state(source))


def test_keys_may_have_dots(source, output):
    convert(source, output, "--key", "a.b.c")
    assert_tensors({"w": torch.ones(1)}, output)


@pytest.mark.parametrize("key, words", [
    ("weights", "there is no key 'weights'"), ("epoch", "'epoch' is 3, not a dict"),
    ("state_dict.module.steps", "not a dict"), ("a.b.x", "there is no key 'x'")])
def test_a_key_that_leads_to_no_dict_is_refused(source, output, key, words):
    assert words in refuse(source, output, "--key", key)


@pytest.mark.parametrize("flags, names", [
    (["--only", "*.weight"], ["layer0.weight", "layer1.weight", "layer2.weight"]),
    (["--skip", "*layer*"], ["steps"]),
    (["--only", "*layer0*,*steps", "--skip", "*.bias"], ["layer0.weight", "steps"]),
    (["--only", "*layer[01].weight"], ["layer0.weight", "layer1.weight"]),
])
def test_tensors_are_selected_by_their_names(source, output, flags, names):
    convert(source, output, "--key", "state_dict", *flags)
    assert_tensors({f"module.{n}": state(source)[f"module.{n}"] for n in names}, output)
    assert set(skeleton.load(output)) == {f"module.{n}" for n in names}


def test_names_that_no_tensor_has_are_refused(source, output):
    assert "no tensor has a name" in refuse(source, output, "--only", "*.gamma")


def test_a_prefix_is_removed_and_proposed(source, output):
    process = run("pt-to-safetensors", source, "-o", output, "--key", "state_dict")
    assert "--strip-prefix module." in process.stdout + process.stderr, describe(process)
    process = run(
        "pt-to-safetensors", source, "-o", output, "--key", "state_dict", "--strip-prefix",
        "module.", "--force")
    assert process.returncode == DONE, describe(process)
    assert "--strip-prefix" not in process.stdout + process.stderr, describe(process)
    assert_tensors({n.removeprefix("module."): v for n, v in state(source).items()}, output)


def test_names_that_would_be_one_are_refused(tmp_path, output):
    source = tmp_path / "model.pt"
    torch.save({"module.w": torch.ones(1), "w": torch.zeros(1)}, source)
    process = run("pt-to-safetensors", source, "-o", output, "--strip-prefix", "module.")
    assert process.returncode == DATA and "same name" in process.stderr, describe(process)


@pytest.mark.parametrize("dtype, torch_dtype", [
    ("bf16", torch.bfloat16), ("f16", torch.float16), ("f32", torch.float32)])
@pytest.mark.parametrize("flags", [(), ("--no-skeleton",)], ids=["skeleton", "bare"])
def test_floats_are_cast_and_integers_are_not(source, output, dtype, torch_dtype, flags):
    convert(source, output, "--key", "state_dict", "--dtype", dtype, *flags)
    expected = {
        name: value.to(torch_dtype) if value.is_floating_point() else value
        for name, value in state(source).items()}
    assert_tensors(expected, output)
    back = torch.load(bring_back(output, output.with_suffix(".pt")), weights_only=True)
    for name, value in expected.items():
        assert back[name].dtype == value.dtype and torch.equal(back[name], value), name


def test_the_way_back_takes_the_same_flags(source, tmp_path, output):
    convert(source, output)
    back = bring_back(
        output, tmp_path / "part.pt", "--key", "state_dict", "--only", "*.weight", "--dtype", "bf16")
    found = torch.load(back, weights_only=True)
    assert list(found) == [f"module.layer{n}.weight" for n in range(3)]
    for name, value in found.items():
        assert torch.equal(value, state(source)[name].bfloat16()), name
    assert sum("/data/" in name for name, _ in archives.records_of(back)) == 3


def test_what_is_written_can_be_verified(source, output):
    convert(source, output, "--key", "state_dict", "--only", "*.weight", "--verify")
