"""Instances of classes that ckptconv does not know: read as data, named, and written again."""

import filecmp
import functools
import io
import operator
import signal
import sys
import typing

import numpy
import pytest
import torch
import torch._weights_only_unpickler

import archives
import instances
import safetensors_file
import skeleton
from archives import global_, text
from program import bring_back, convert, describe, refuse, run


def round_trip(source, output):
    """Converts there and back, and compares the bytes of the file."""
    returned = bring_back(convert(source, output), output.with_suffix(".returned.pt"))
    assert filecmp.cmp(source, returned, shallow=False), f"{source} comes back as other bytes"


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_instances_of_nested_classes_return(protocol, tmp_path, output):
    source = tmp_path / "model.pt"
    torch.save(instances.nested(), source, pickle_protocol=protocol)
    round_trip(source, output)
    assert "net.head.weight" in safetensors_file.read(output).tensors


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_an_object_of_a_nested_class_by_keywords(protocol, tmp_path, output):
    source = tmp_path / "model.pt"
    torch.save({"w": torch.ones(2), "named": instances.Outer.Named(size=3)}, source,
               pickle_protocol=protocol)
    if protocol >= 4:
        return round_trip(source, output)
    # Below protocol 4 its class is bound to the keywords by a partial, which can call anything.
    assert "'functools.partial'" in refuse(source, output)
    convert(source, output, "--drop-unsafe")
    assert "w" in safetensors_file.read(output).tensors


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_nested_class_is_listed_by_its_own_name(protocol, tmp_path):
    source = tmp_path / "model.pt"
    torch.save({"w": torch.ones(2), "c": instances.Outer.Config()}, source,
               pickle_protocol=protocol)
    assert "unknown classes: instances.Outer.Config\n" in run("inspect", source).stdout


@pytest.mark.parametrize("name", [
    "test", "profile", "inspect", "site", "code", "trace", "platform", "signal", "operator", "ssl",
    "pdb", "dbm", "threading", "unittest", "timeit", "glob", "test.model", "code.model",
    "concurrent.model", "http.model"])
def test_a_module_of_the_user_may_have_a_name_of_the_standard_library(
        name, tmp_path, output, monkeypatch):
    source = tmp_path / "model.pt"
    module = instances.module_of_the_user(name)
    monkeypatch.setitem(sys.modules, name, module)
    torch.save(module.Net(2, 2), source)
    round_trip(source, output)
    assert sorted(safetensors_file.read(output).tensors) == ["bias", "weight"]


VALUES = {
    "signals": lambda: [signal.SIGTERM, signal.SIG_DFL],
    "buffers": lambda: [io.BytesIO(b"abc"), io.StringIO("abc")],
    "types": lambda: [
        typing.Any, typing.Optional[int], typing.Union[int, str], typing.List[int], list[int],
        typing.Callable[[int], str], typing.Literal["a", 1], typing.Tuple[int, ...], type(None),
        int | None],
}


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("kind", VALUES)
def test_values_in_modules_that_can_run_code_return(kind, protocol, tmp_path, output):
    source = tmp_path / "model.pt"
    torch.save({"value": VALUES[kind](), "w": torch.ones(2)}, source, pickle_protocol=protocol)
    round_trip(source, output)


def test_a_memory_mapped_array_is_a_value(tmp_path, output):
    source = tmp_path / "model.pt"
    mapped = numpy.memmap(tmp_path / "data.bin", dtype="f4", mode="w+", shape=(3,))
    torch.save({"value": mapped, "w": torch.ones(2)}, source)
    round_trip(source, output)


def test_marks_of_the_compiler_on_a_tensor_return(tmp_path, output):
    source = tmp_path / "model.pt"
    tensor = torch.arange(8.0).reshape(4, 2)
    torch._dynamo.mark_dynamic(tensor, 0, min=2, max=8)
    torch.save({"x": tensor}, source)
    torch.load(source, weights_only=True)
    round_trip(source, output)


def test_whatever_torch_loads_without_trust_is_read(tmp_path, output):
    """Every name of torch's own list, as a value in one pickle."""
    # Importing them puts their classes on the list.
    import torch.distributed.device_mesh  # noqa: F401
    import torch.distributed.tensor  # noqa: F401
    import torch.nested._internal.nested_tensor  # noqa: F401
    allowed = sorted(torch._weights_only_unpickler._get_allowed_globals())
    assert len(allowed) > 140
    program = b"\x80\x02}("
    for name in allowed:
        module, _, attribute = name.rpartition(".")
        module = {"builtins": "__builtin__"}.get(module, module)
        program += text(name) + global_(module, attribute)
    source = archives.torch_zip(tmp_path / "model.pt", program + b"u.")
    assert len(torch.load(source, weights_only=True)) == len(allowed)
    convert(source, output)


class Scheduler:
    """Of torch 1.x: a method is among the attributes."""

    def __init__(self):
        self.last_epoch = 3
        self.anneal = self.step

    def step(self):
        return self


UNSAFE = {
    "a method": (lambda: Scheduler(), "attribute 'step' of an object of 'test_classes.Scheduler'"),
    "a method of another object": (
        lambda: instances.Outer().run, "attribute 'run' of an object of 'instances.Outer'"),
    "a partial": (lambda: functools.partial(torch.optim.AdamW, lr=1e-3), "'functools.partial'"),
    "an item getter": (lambda: operator.itemgetter(1), "'operator.itemgetter'"),
}


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("kind", UNSAFE)
def test_what_can_run_code_is_dropped_and_the_tensors_are_read(kind, protocol, tmp_path, output):
    make, subject = UNSAFE[kind]
    value = {"w": torch.arange(3.0), "value": make(), "v": torch.ones(2)}
    source = tmp_path / "model.pt"
    torch.save(value, source, pickle_protocol=protocol)
    message = refuse(source, output)
    assert subject in message and "--drop-unsafe" in message, message
    process = run("pt-to-safetensors", source, "-o", output, "--drop-unsafe")
    assert process.returncode == 0 and subject in process.stderr, describe(process)
    entries = safetensors_file.read(output).tensors
    assert sorted(entries) == ["v", "w"], entries
    assert torch.equal(skeleton.load(output)["w"], value["w"])


def test_the_tensors_of_a_compiled_module_are_read(tmp_path, output):
    source = tmp_path / "model.pt"
    module = torch.nn.Linear(2, 3)
    torch.save(torch.compile(module), source)
    convert(source, output, "--drop-unsafe")
    entries = safetensors_file.read(output).tensors
    assert [entry for entry in entries if entry.endswith("weight")], entries


def test_the_tensors_beside_a_function_of_dill_are_read(tmp_path, output):
    """As `torch.save(value, file, pickle_module=dill)` writes it, in short."""
    function = (
        global_("dill._dill", "_create_function") + b"(" + global_("dill._dill", "_create_code")
        + b"(K\x01K\x00tRc__main__\n__dict__\nNNt" + b"R}" + text("__defaults__") + b"Nsb")
    source = tmp_path / "model.pt"
    torch.save({"w": torch.arange(3.0), "f": None}, source)
    records = dict(archives.records_of(source))
    name = next(name for name in records if name.endswith("data.pkl"))
    records[name] = records[name].replace(text("f") + b"q\x0eN", text("f") + b"q\x0e" + function)
    archives.other_zip(source, records.items())
    assert "'dill._dill._create_function'" in refuse(source, output)
    convert(source, output, "--drop-unsafe")
    assert list(safetensors_file.read(output).tensors) == ["w"]
