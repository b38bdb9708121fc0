"""Writes a model checkpoint as torch.save would, of any size and without PyTorch.

The tensors are those of an OLMo-2 model with d_model 2048, cut or repeated to the size wanted, in
float32. Their bytes are random, so that no file system can make them smaller.
"""

import io
import itertools
import math
import os
import pickle
import random
import sys
import types
import zipfile

ALIGNMENT = 64
D_MODEL, D_FEED_FORWARD = 2048, 16384
LAYER = {
    "attn_out.weight": (D_MODEL, D_MODEL),
    "att_proj.weight": (3 * D_MODEL, D_MODEL),
    "ff_proj.weight": (D_FEED_FORWARD, D_MODEL),
    "ff_out.weight": (D_MODEL, D_FEED_FORWARD // 2),
    "q_norm.weight": (D_MODEL,),
    "k_norm.weight": (D_MODEL,),
    "attn_norm.weight": (D_MODEL,),
    "ff_norm.weight": (D_MODEL,),
}


class Storage:
    """Stands for a storage; the pickler writes its persistent id."""

    def __init__(self, key, count):
        self.key, self.count = key, count


class Tensor:
    """Is pickled as the call that rebuilds it."""

    def __init__(self, storage, shape):
        self.storage, self.shape = storage, shape

    def __reduce__(self):
        strides = []
        step = 1
        for dimension in reversed(self.shape):
            strides.insert(0, step)
            step *= dimension
        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
        return rebuild, (self.storage, 0, self.shape, tuple(strides), False, {})


def stand_in(module, name):
    """A global that pickles by its name, without the module that really has it."""
    def function():
        pass
    function.__module__, function.__qualname__, function.__name__ = module, name, name
    sys.modules.setdefault(module, types.ModuleType(module))
    setattr(sys.modules[module], name, function)
    return function


def shapes(byte_count):
    """Names and shapes of tensors that take `byte_count` bytes or little more."""
    for layer in itertools.count():
        for name, shape in LAYER.items():
            if byte_count <= 0:
                return
            count = math.prod(shape)
            yield f"transformer.blocks.{layer}.{name}", shape, count
            byte_count -= 4 * count


def write(path, byte_count):
    """Writes a checkpoint of about `byte_count` bytes to `path`."""
    stand_in("torch._utils", "_rebuild_tensor_v2")
    storage_class = stand_in("torch", "FloatStorage")
    tensors = [
        (name, Tensor(Storage(str(key), count), shape))
        for key, (name, shape, count) in enumerate(shapes(byte_count))]

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            if isinstance(value, Storage):
                return "storage", storage_class, value.key, "cpu", value.count
            return None

    pickled = io.BytesIO()
    Pickler(pickled, protocol=2).dump(dict(tensors))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        add(archive, "archive/data.pkl", [pickled.getvalue()])
        add(archive, "archive/byteorder", [b"little"])
        for _, tensor in tensors:
            storage = tensor.storage
            add(archive, f"archive/data/{storage.key}", noise(4 * storage.count))
        add(archive, "archive/version", [b"3\n"])


def noise(byte_count):
    """Random bytes in chunks: one megabyte, turned around for each chunk."""
    block = os.urandom(1 << 20)
    while byte_count > 0:
        turn = random.randrange(len(block))
        chunk = (block[turn:] + block[:turn])[:byte_count]
        byte_count -= len(chunk)
        yield chunk


def add(archive, name, chunks):
    """Adds a record whose bytes begin at a multiple of 64, as torch's writer does."""
    info = zipfile.ZipInfo(name)
    header = 30 + len(name) + 20
    padding = -(archive.fp.tell() + header + 4) % ALIGNMENT
    info.extra = b"FB" + padding.to_bytes(2, "little") + b"Z" * padding
    with archive.open(info, "w", force_zip64=True) as record:
        for chunk in chunks:
            record.write(chunk)
