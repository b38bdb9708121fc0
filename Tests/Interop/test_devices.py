"""Tensors that PyTorch saves by other calls than those of the CPU: devices, shards, packed types."""

import warnings

import numpy
import pytest
import torch
import torch.distributed as dist

import archives
import safetensors_file
from archives import global_, text
from program import bring_back, convert, describe, run

warnings.simplefilter("ignore")


class Foreign:
    """Pickled as a call of a function of `torch._utils`."""

    def __init__(self, function, *arguments):
        self.call = getattr(torch._utils, function), arguments

    def __reduce__(self):
        return self.call


def array(values, dtype, device="xla:0"):
    """As PyTorch 1.x saves a tensor of a device that has no storages."""
    return Foreign("_rebuild_device_tensor_from_numpy", values, dtype, device, False)


ARRAYS = {
    "w": (numpy.arange(6, dtype="f4").reshape(2, 3), torch.float32),
    "b": (numpy.array([0.1, -2.5, 3e38], dtype="f4"), torch.bfloat16),
    "h": (numpy.array([0.1, 65504, 1e-8], dtype="f4"), torch.float16),
    "s": (numpy.array(7), torch.int64),
    "m": (numpy.array([True, False]), torch.bool),
    "c": (numpy.array([1 + 2j], dtype="c8"), torch.complex64),
    "t": (numpy.asfortranarray(numpy.arange(6, dtype="i4").reshape(2, 3)), torch.int32),
    "big": (numpy.arange(3, dtype=">f8"), torch.float64),
    "none": (numpy.zeros((0, 2), dtype="f4"), torch.float32),
}


def expected(values, dtype):
    """What `map_location="cpu"` gives."""
    return torch.from_numpy(values.astype(values.dtype.newbyteorder("="))).to(dtype)


@pytest.mark.parametrize("function", [
    "_rebuild_xla_tensor", "_rebuild_device_tensor_from_numpy"])
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_arrays_of_devices_are_tensors(function, protocol, tmp_path, output):
    source = tmp_path / "model.pt"
    model = {name: array(values, dtype) for name, (values, dtype) in ARRAYS.items()}
    torch.save({"model": model, "step": 3}, source, pickle_protocol=protocol)
    records = archives.records_of(source)
    # Its name before PyTorch 2.0; the arguments are the same.
    if function == "_rebuild_xla_tensor" and protocol == 2:
        records = [
            (name, data.replace(b"_rebuild_device_tensor_from_numpy", function.encode()))
            for name, data in records]
        archives.other_zip(source, records)
    convert(source, output)
    loaded = torch.load(bring_back(output, tmp_path / "back.pt"), weights_only=False)["model"]
    for name, (values, dtype) in ARRAYS.items():
        tensor = expected(values, dtype)
        assert loaded[name].dtype == dtype and loaded[name].shape == tensor.shape, name
        assert torch.equal(loaded[name], tensor), name
    process = run("verify", source, output)
    assert process.returncode == 0, describe(process)


def test_tensors_of_ascend_are_read(tmp_path, output):
    """A file of the CPU in which each tensor is rebuilt by `torch_npu`, as it writes them."""
    source = tmp_path / "model.pt"
    base = torch.arange(12.0)
    values = {"w": base.view(3, 4), "view": base.view(3, 4)[1:, :2], "h": torch.ones(4).half()}
    torch.save(values, source)
    records = []
    for name, data in archives.records_of(source):
        if name.endswith("data.pkl"):
            data = data.replace(
                b"ctorch._utils\n_rebuild_tensor_v2\n",
                b"ctorch_npu.utils.storage\n_rebuild_npu_tensor\n")
            # Its arguments have the device's memory format behind those of PyTorch.
            data = data.replace(b")Rq\x0btq\x0c", b")Rq\x0bK\x02tq\x0c")
        records.append((name, data))
    archives.other_zip(source, records)
    convert(source, output)
    loaded = safetensors_file.read(output).tensors
    assert {name: entry.shape for name, entry in loaded.items()} == {
        name: tuple(value.shape) for name, value in values.items()}
    for name, value in values.items():
        assert bytes(loaded[name].data) == value.contiguous().numpy().tobytes(), name


@pytest.fixture
def process_group(tmp_path):
    dist.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def test_a_shard_of_a_distributed_tensor_has_its_name(process_group, tmp_path, output):
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import DTensor, Shard
    mesh = init_device_mesh("cpu", (1,))
    local = torch.arange(8.0).reshape(4, 2)
    whole = DTensor.from_local(local, mesh, [Shard(0)], shape=torch.Size([16, 2]), stride=(2, 1))
    source = tmp_path / "rank0.pt"
    torch.save({"model": {"w": whole}, "plain": torch.ones(2)}, source)
    process = run("pt-to-safetensors", source, "-o", output)
    assert process.returncode == 0, describe(process)
    assert "'model.w' has [4, 2] of [16, 2]" in process.stderr, describe(process)
    entry = safetensors_file.read(output).tensors["model.w"]
    assert entry.shape == (4, 2) and bytes(entry.data) == local.numpy().tobytes()
    back = bring_back(output, tmp_path / "back.pt")
    assert torch.equal(torch.load(back, weights_only=False)["model"]["w"].to_local(), local)


def test_the_shards_of_a_sharded_tensor_have_its_name(process_group, tmp_path, output):
    from torch.distributed._shard import sharded_tensor
    from torch.distributed._shard.sharding_spec import ChunkShardingSpec
    spec = ChunkShardingSpec(dim=0, placements=["rank:0/cpu"])
    whole = sharded_tensor.rand(spec, 5, 3)
    local = whole.local_shards()[0].tensor
    source = tmp_path / "rank0.pt"
    torch.save({"w": whole}, source)
    convert(source, output)
    entry = safetensors_file.read(output).tensors["w"]
    assert entry.shape == tuple(local.shape)
    assert bytes(entry.data) == local.numpy().tobytes()


@pytest.mark.parametrize("shape", [(2, 4), (3, 5), (1,), (4, 3, 2)])
def test_tensors_of_four_bits_return(shape, tmp_path, output):
    scales, zeros = torch.rand(shape[0]) + 0.1, torch.zeros(shape[0])
    tensor = torch.quantize_per_channel(torch.rand(shape), scales, zeros, 0, torch.quint4x2)
    source = tmp_path / "model.pt"
    torch.save({"q": tensor}, source)
    listing = run("inspect", source).stdout
    assert f"quint4x2  {list(shape)}" in " ".join(listing.split(" ")), listing
    convert(source, output)
    back = bring_back(output, tmp_path / "back.pt")
    assert back.read_bytes()[:0] == b""
    loaded = torch.load(back, weights_only=True)["q"]
    assert loaded.shape == tensor.shape and loaded.dtype == tensor.dtype
    assert torch.equal(loaded.dequantize(), tensor.dequantize())


COMMANDS = ("inspect", "pt-to-safetensors", "roundtrip", "check", "verify", "diff")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_names_tensors_without_data(command, tmp_path, output):
    source = tmp_path / "model.pt"
    torch.save({"w": torch.ones(2), "a.weight": torch.empty(3, device="meta")}, source)
    arguments = {
        "pt-to-safetensors": [source, "-o", output], "verify": [source, source],
        "diff": [source, source]}.get(command, [source])
    process = run(command, *arguments)
    assert "1 tensor has no data (meta device): 'a.weight'" in process.stdout + process.stderr, (
        describe(process))


def test_a_file_without_tensors_is_told_of(tmp_path, output):
    source = tmp_path / "model.pt"
    torch.save({"w": numpy.ones(3), "step": 1}, source)
    process = run("pt-to-safetensors", source, "-o", output)
    assert process.returncode == 0 and "no tensor was found" in process.stderr, describe(process)
    assert "NumPy arrays (1)" in process.stderr, describe(process)


def test_a_storage_that_nothing_refers_to_is_told_of(tmp_path, output):
    source = tmp_path / "model.pt"
    torch.save({"w": torch.ones(2), "v": torch.zeros(3)}, source)
    records = archives.records_of(source)
    program = b"\x80\x02}" + text("n") + b"K\x01s."
    archives.other_zip(source, [
        (name, program if name.endswith("data.pkl") else data) for name, data in records])
    for flags in ((), ("--no-skeleton", "--allow-loss", "--force")):
        process = run("pt-to-safetensors", source, "-o", output, *flags)
        assert process.returncode == 0, describe(process)
        assert "is not used by the pickle" in process.stderr, describe(process)


def test_a_global_of_the_device_in_a_pickle_is_no_tensor(tmp_path, output):
    """Only the call with a storage in front is one."""
    source = archives.torch_zip(
        tmp_path / "model.pt",
        b"\x80\x02}" + text("f") + global_("torch_npu.utils.storage", "_rebuild_npu_tensor") + b"s.")
    convert(source, output)
    assert not safetensors_file.read(output).tensors
