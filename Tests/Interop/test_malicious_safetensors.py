"""Pickles inside of safetensors files, and skeletons, that would run code are refused by name.

OLMo's own loader runs `pickle.loads` on the names and on the values of its files.
"""

import base64
import json
import pickle

import pytest
import safetensors
import safetensors.torch
import torch

from archives import global_
from program import DONE, convert, describe, refuse, run
from test_malicious import ARGUMENT, CALLS, CHAINS, EVASIONS

KEPT = ("kept",)
SKELETON = "ckptconv.skeleton"


def name_of(path, flag=False):
    return base64.urlsafe_b64encode(pickle.dumps((path, flag), 4)).decode()


def save(tensors, tmp_path, metadata=None):
    """The file, and a path in a folder in which nothing may appear."""
    file, folder = tmp_path / "model.safetensors", tmp_path / "output"
    safetensors.torch.save_file(tensors, file, metadata)
    folder.mkdir()
    return file, folder / "model.pt"


def with_value(call, tmp_path):
    """A file in OLMo's layout in which a value makes the call."""
    hostile = torch.tensor(list(b"\x80\x02" + call + b"."), dtype=torch.uint8)
    return save(
        {name_of(("bad",), True): hostile, name_of(KEPT): torch.ones(2)}, tmp_path)


def with_key(call, tmp_path):
    """A file in OLMo's layout in which a name makes the call."""
    hostile = b"\x80\x04" + call + b"\x85\x89\x86."
    return save(
        {base64.urlsafe_b64encode(hostile).decode(): torch.ones(1), name_of(KEPT): torch.ones(2)},
        tmp_path)


@pytest.mark.parametrize("place", [with_value, with_key])
@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_refused_by_name(name, place, tmp_path):
    file, output = place(CALLS[name], tmp_path)
    message = refuse(file, output, command="safetensors-to-pt")
    # Protocol 4 has no names of Python 2, so one stays as it is.
    assert f".{name.rpartition('.')[2]}'" in message and "tensor '" in message, message


@pytest.mark.parametrize("place", [with_value, with_key])
@pytest.mark.parametrize("evasion", EVASIONS)
def test_an_evasion_is_refused_by_name(evasion, place, tmp_path):
    file, output = place(EVASIONS[evasion], tmp_path)
    message = refuse(file, output, command="safetensors-to-pt")
    assert "'os.system'" in message or "'posix.system'" in message, message


@pytest.mark.parametrize("place", [with_value, with_key])
@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_a_chain_is_refused(chain, place, tmp_path):
    file, output = place(chain, tmp_path)
    refuse(file, output, command="safetensors-to-pt")


@pytest.mark.parametrize("name", CALLS)
def test_drop_unsafe_puts_none_in_the_place_of_a_value(name, tmp_path):
    file, output = with_value(CALLS[name], tmp_path)
    process = run("safetensors-to-pt", file, "-o", output, "--drop-unsafe")
    assert process.returncode == DONE and name in process.stderr, describe(process)
    found = torch.load(output, weights_only=True)
    assert found["bad"] is None and found["kept"].tolist() == [1, 1]
    assert name.rpartition(".")[2].encode() not in output.read_bytes(), f"{name} is still named"


def test_a_name_that_is_no_pair_of_keys_and_flag_is_refused(tmp_path):
    for number, hostile in enumerate((
        b"\x80\x04]\x89\x86.", b"\x80\x04)K\x01\x86.", b"\x80\x04N.", b"\x80\x04)\x89\x88\x87.",
        b"\x80\x04)\x89\x86", b"\x80\x04}\x85\x89\x86.",
    )):
        folder = tmp_path / str(number)
        folder.mkdir()
        name = base64.urlsafe_b64encode(hostile).decode()
        file, output = save({name: torch.ones(1), name_of(KEPT): torch.ones(2)}, folder)
        refuse(file, output, command="safetensors-to-pt")


# MARK: Skeletons


def skeleton_with(nodes, tmp_path):
    """A file whose skeleton has `nodes` behind its own, the first as a value of its dict."""
    source, file = tmp_path / "source.pt", tmp_path / "made.safetensors"
    torch.save({"w": torch.ones(2), "bad": "here"}, source)
    convert(source, file)
    with safetensors.safe_open(file, "pt") as opened:
        metadata, tensors = opened.metadata(), {"w": opened.get_tensor("w")}
    document = json.loads(metadata[SKELETON])
    count = len(document["nodes"])
    entries = document["root"]
    entries[entries.index("bad") + 1] = [count]

    def numbered(part):
        # ["@", 1] is the reference to the second of the new nodes.
        if isinstance(part, list):
            return [count + part[1]] if part[:1] == ["@"] else [numbered(item) for item in part]
        if isinstance(part, dict):
            return {key: numbered(value) for key, value in part.items()}
        return part

    document["nodes"] += numbered(nodes)
    return save(tensors, tmp_path, metadata | {SKELETON: json.dumps(document)})


def at(number):
    return ["@", number]


@pytest.mark.parametrize("name", CALLS)
def test_a_skeleton_cannot_name_what_runs_code(name, tmp_path):
    module, _, function = name.rpartition(".")
    file, output = skeleton_with(
        [["call", at(1), at(2)], ["global", module, function], ["tuple", "touch /tmp/pwned"]],
        tmp_path)
    assert f"'{name}'" in refuse(file, output, command="safetensors-to-pt")


OS_SYSTEM, COMMAND = ["global", "os", "system"], ["tuple", "touch /tmp/pwned"]
SKELETONS = {
    "new": [["new", at(1), at(2)], OS_SYSTEM, COMMAND],
    "new_ex": [["new_ex", at(1), at(2), at(3)], OS_SYSTEM, COMMAND, ["dict"]],
    "instance": [["instance", at(1), at(2)], OS_SYSTEM, COMMAND],
    "a name of Python 2": [
        ["call", at(1), at(2)], ["global", "__builtin__", "eval"], ["tuple", "1"]],
    "named only": [["list", at(1)], OS_SYSTEM],
    "by names that are nodes": [
        ["call", at(1), at(2)], ["global", at(3), at(4)], COMMAND, ["str", "os"], ["str", "system"]],
    "as a state": [
        ["call", at(1), at(2), {"state": at(3)}], ["global", "collections", "OrderedDict"],
        ["tuple"], OS_SYSTEM],
    "as an item": [
        ["call", at(1), at(2), {"items": [at(3)]}], ["global", "collections", "deque"], ["tuple"],
        OS_SYSTEM],
}


@pytest.mark.parametrize("nodes", SKELETONS.values(), ids=SKELETONS)
def test_another_way_to_say_it_is_refused_by_name(nodes, tmp_path):
    file, output = skeleton_with(nodes, tmp_path)
    message = refuse(file, output, command="safetensors-to-pt")
    assert "'os.system'" in message or "'__builtin__.eval'" in message, message


NO_PICKLE = {
    "getattr": [
        ["call", at(1), at(2)], ["global", "builtins", "getattr"], ["tuple", at(3), "system"],
        ["global", "os", "path"]],
    "a call of a result": [
        ["call", at(1), at(2)], ["call", at(3), at(2)], ["tuple"],
        ["global", "collections", "OrderedDict"]],
    "arguments that are no tuple": [
        ["call", at(1), at(2)], ["global", "collections", "OrderedDict"], ["list"]],
    "a tuple that contains itself": [["tuple", at(0)]],
    "an object that is its own argument": [
        ["call", at(1), at(2)], ["global", "collections", "deque"], ["tuple", at(0)]],
    "a global with a name that is no str": [["global", "os", 7]],
}


@pytest.mark.parametrize("nodes", NO_PICKLE.values(), ids=NO_PICKLE)
def test_what_no_pickle_describes_is_refused(nodes, tmp_path):
    file, output = skeleton_with(nodes, tmp_path)
    refuse(file, output, command="safetensors-to-pt")


def test_drop_unsafe_puts_none_in_the_place_of_a_node(tmp_path):
    file, output = skeleton_with([["call", at(1), at(2)], OS_SYSTEM, COMMAND], tmp_path)
    process = run("safetensors-to-pt", file, "-o", output, "--drop-unsafe")
    assert process.returncode == DONE and "os.system" in process.stderr, describe(process)
    found = torch.load(output, weights_only=True)
    assert found["bad"] is None and found["w"].tolist() == [1, 1]
    assert b"system" not in output.read_bytes()


def test_nothing_hostile_goes_along_beside_the_object(tmp_path):
    """The source's own pickle, which TorchScript's skeletons carry, is judged like the nodes."""
    hostile = b"\x80\x02" + global_("os", "system") + ARGUMENT + b"R."

    source = tmp_path / "source.pt"
    torch.save({"w": torch.ones(2)}, source)
    made = convert(source, tmp_path / "made.safetensors")
    with safetensors.safe_open(made, "pt") as opened:
        metadata, tensors = opened.metadata(), {"w": opened.get_tensor("w")}
    document = json.loads(metadata[SKELETON])
    document["source"]["pickle"] = base64.b64encode(hostile).decode()
    file, output = save(tensors, tmp_path, metadata | {SKELETON: json.dumps(document)})
    process = run("safetensors-to-pt", file, "-o", output)
    if process.returncode == DONE:
        assert b"system" not in output.read_bytes(), "the pickle was taken over"
    else:
        assert not list(output.parent.iterdir()), describe(process)
