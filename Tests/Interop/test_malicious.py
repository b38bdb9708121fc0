"""Pickles that would run code are refused by the name of what they would run."""

import json
import pytest

import archives
import safetensors_file
import skeleton
from archives import dict_of, global_, text
from program import DATA, FIXTURES, convert, describe, refuse, run

ARGUMENT = text("touch /tmp/pwned") + b"\x85"

# Name of the global in the message -> the opcodes that call it.
CALLS = {
    "os.system": global_("os", "system") + ARGUMENT + b"R",
    "posix.system": global_("posix", "system") + ARGUMENT + b"R",
    "nt.system": global_("nt", "system") + ARGUMENT + b"R",
    "builtins.eval": global_("__builtin__", "eval") + ARGUMENT + b"R",
    "builtins.exec": global_("builtins", "exec") + ARGUMENT + b"R",
    "builtins.compile": global_("__builtin__", "compile") + ARGUMENT + b"R",
    "builtins.__import__": global_("__builtin__", "__import__") + ARGUMENT + b"R",
    "builtins.open": global_("__builtin__", "open") + ARGUMENT + b"R",
    "subprocess.Popen": global_("subprocess", "Popen") + ARGUMENT + b"R",
    "subprocess.getoutput": global_("commands", "getoutput") + ARGUMENT + b"R",
    "sys.exit": global_("sys", "exit") + ARGUMENT + b"R",
    "socket.create_connection": global_("socket", "create_connection") + ARGUMENT + b"R",
    "shutil.rmtree": global_("shutil", "rmtree") + ARGUMENT + b"R",
    "ctypes.CDLL": global_("ctypes", "CDLL") + ARGUMENT + b"R",
    "runpy.run_path": global_("runpy", "run_path") + ARGUMENT + b"R",
    "pty.spawn": global_("pty", "spawn") + ARGUMENT + b"R",
    "pickle.loads": global_("pickle", "loads") + ARGUMENT + b"R",
    "webbrowser.open": global_("webbrowser", "open") + ARGUMENT + b"R",
    "pip._internal.main": global_("pip._internal", "main") + ARGUMENT + b"R",
    "importlib.import_module": global_("importlib", "import_module") + ARGUMENT + b"R",
    "functools.partial": global_("functools", "partial") + ARGUMENT + b"R",
    "operator.attrgetter": global_("operator", "attrgetter") + ARGUMENT + b"R",
    "types.CodeType": global_("types", "CodeType") + ARGUMENT + b"R",
    "marshal.loads": global_("marshal", "loads") + ARGUMENT + b"R",
    "torch.hub.load": global_("torch.hub", "load") + ARGUMENT + b"R",
    "torch.load": global_("torch", "load") + ARGUMENT + b"R",
    "torch.serialization.load": global_("torch.serialization", "load") + ARGUMENT + b"R",
    "numpy.load": global_("numpy", "load") + ARGUMENT + b"R",
}

# The same thing said in other opcodes. Every one would run os.system("...").
EVASIONS = {
    "STACK_GLOBAL": text("os") + text("system") + b"\x93" + ARGUMENT + b"R",
    "STACK_GLOBAL from memo": (
        text("system") + b"q\x05" + text("os") + b"q\x06" + b"00h\x06h\x05\x93" + ARGUMENT + b"R"),
    "STACK_GLOBAL from short strings":
        b"\x8c\x02os\x8c\x06system\x93" + ARGUMENT + b"R",
    "STACK_GLOBAL with a name put together by DUP":
        text("os") + b"q\x052" + b"0" + text("system") + b"\x93" + ARGUMENT + b"R",
    "INST": b"(" + text("touch /tmp/pwned") + b"ios\nsystem\n",
    "OBJ": b"(" + global_("os", "system") + text("touch /tmp/pwned") + b"o",
    "NEWOBJ": global_("os", "system") + ARGUMENT + b"\x81",
    "NEWOBJ_EX": global_("os", "system") + ARGUMENT + b"}\x92",
    "memoised and called twice": (
        global_("os", "system") + b"q\x00" + ARGUMENT + b"Rh\x00" + ARGUMENT + b"R\x86"),
    "its result thrown away": global_("os", "system") + ARGUMENT + b"R0K\x01",
    "below a mark thrown away": b"(" + global_("os", "system") + ARGUMENT + b"R1K\x01",
    "inside a tuple in a list": b"]((" + global_("os", "system") + ARGUMENT + b"RK\x01te",
    "as a dict key": b"}" + global_("os", "system") + ARGUMENT + b"RK\x01s",
    "as the state of an object": (
        global_("collections", "OrderedDict") + b")R}" + text("x") + global_("os", "system")
        + ARGUMENT + b"Rsb"),
    "as the arguments of an innocent call": (
        global_("collections", "OrderedDict") + global_("os", "system") + ARGUMENT + b"R\x85R"),
    "named but not called": global_("os", "system"),
    "a second PROTO in between": b"\x80\x04" + global_("os", "system") + ARGUMENT + b"R",
}

# What a pickle can be made of that reaches a function without naming it.
CHAINS = {
    "builtins.getattr": (
        global_("__builtin__", "getattr") + global_("os", "path") + text("os") + b"\x86R"),
    "os.system": (
        global_("os", "system") + b"q\x07" + global_("functools", "reduce") + b"h\x07]\x86R"),
}


def hostile(tmp_path, data_pkl):
    folder = tmp_path / "hostile"
    folder.mkdir()
    return archives.torch_zip(folder / "model.pt", data_pkl)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_refused_by_name(name, tmp_path, output):
    source = hostile(tmp_path, dict_of("x", CALLS[name]))
    message = refuse(source, output)
    assert f"'{name}'" in message, message


@pytest.mark.parametrize("evasion", EVASIONS)
def test_an_evasion_is_refused_by_name(evasion, tmp_path, output):
    source = hostile(tmp_path, dict_of("x", EVASIONS[evasion]))
    message = refuse(source, output)
    assert "'os.system'" in message or "'posix.system'" in message, message


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_is_refused(name, tmp_path, output):
    refuse(hostile(tmp_path, dict_of("x", CHAINS[name])), output)


@pytest.mark.parametrize("name", CALLS)
def test_drop_unsafe_puts_none_in_its_place_and_says_so(name, tmp_path, output):
    source = hostile(tmp_path, dict_of("x", CALLS[name]))
    process = run("pt-to-safetensors", source, "-o", output, "--drop-unsafe")
    assert process.returncode == 0, describe(process)
    assert name in process.stderr + process.stdout, describe(process)
    assert skeleton.load(output) == {"x": None, "kept": 1}, name
    document = skeleton.document_of(safetensors_file.read(output))
    assert name.rpartition(".")[2] not in json.dumps(document), f"{name} is still named in the skeleton"


def test_a_real_checkpoint_with_a_payload(tmp_path, output):
    source = FIXTURES / "broken/malicious-train-pt/train.pt"
    assert "'posix.system'" in refuse(source, output)
    convert(source, output, "--drop-unsafe")
    assert skeleton.load(output) == {"global_step": 6, "x": None}


def test_inspect_refuses_or_reports_but_runs_nothing(tmp_path):
    source = hostile(tmp_path, dict_of("x", CALLS["os.system"]))
    process = run("inspect", source)
    assert process.returncode in (0, DATA), describe(process)
    assert "os.system" in process.stdout + process.stderr, describe(process)
