"""A reader of the skeleton, written from Documentation/skeleton.md alone.

`load(path)` rebuilds the Python object that the `.pt` file held: real tensors with their strides,
their sharing of storages and their flags, dicts with their order and attributes, arrays, paths.
A storage's bytes that no tensor reaches are not in the safetensors file; they are zero here.
"""

import base64
import concurrent.futures
import pickle
import struct
import sys
import threading
import zlib
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import torch

import safetensors_file
import vocabulary

KEY = "ckptconv.skeleton"
LARGEST_INLINE_INT = 2**53 - 1

# Nodes are built by recursion, which needs a stack as deep as the object.
sys.setrecursionlimit(100_000)
STACK_BYTES = 1 << 29

STORAGES = {
    "DoubleStorage": torch.float64, "FloatStorage": torch.float32, "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
    "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool, "ComplexDoubleStorage": torch.complex128,
    "ComplexFloatStorage": torch.complex64, "QInt8Storage": torch.qint8,
    "QUInt8Storage": torch.quint8, "QInt32Storage": torch.qint32,
    "QUInt4x2Storage": torch.quint4x2, "QUInt2x4Storage": torch.quint2x4,
    # Bytes; the dtype stands in the construction.
    "UntypedStorage": torch.uint8,
}

# dtype of an entry -> dtype of the tensor, where the skeleton does not say another.
DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8,
    "U64": torch.uint64, "U32": torch.uint32, "U16": torch.uint16, "U8": torch.uint8,
    "BOOL": torch.bool, "C64": torch.complex64, "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2, "F8_E4M3FNUZ": torch.float8_e4m3fnuz,
    "F8_E5M2FNUZ": torch.float8_e5m2fnuz, "F8_E8M0": torch.float8_e8m0fnu,
    "F4": torch.float4_e2m1fn_x2,
}


class SkeletonError(Exception):
    """The skeleton does not follow its specification."""


@dataclass(frozen=True)
class StorageClass:
    """A global that names a class of storages."""

    name: str

    @property
    def dtype(self):
        return STORAGES[self.name]


def document_of(file):
    """The skeleton of a file, unpacked where it is compressed."""
    if KEY not in file.metadata:
        raise SkeletonError(f"no {KEY} in __metadata__")
    return parse(file.metadata[KEY])


def parse(text):
    document = safetensors_file.parse_json(text)
    if document["skeleton"] not in (1, 2):
        raise SkeletonError(f"version {document['skeleton']!r} is not known")
    if "deflate" not in document:
        return document
    unpacked = zlib.decompress(base64.b64decode(document["deflate"], validate=True), wbits=-15)
    if len(unpacked) != document["bytes"]:
        raise SkeletonError(f"{len(unpacked)} bytes, announced are {document['bytes']}")
    return parse(unpacked.decode())


def is_node(value):
    """Whether a value is a node, written in place or by its number."""
    return isinstance(value, list)


def number_of(value):
    """The number that a value refers to, if it is a reference."""
    return value[0] if is_node(value) and isinstance(value[0], int) else None


class Reader:
    """Rebuilds the object of one file, node by node, each once."""

    def __init__(self, file):
        self.file = file
        self.document = document_of(file)
        self.nodes = self.document["nodes"]
        self.forms = self.document.get("forms", [])
        self.built = {}
        self.parts_of_forms = {}
        self.storages = {}
        number_keys(self.document)
        # The tensors that are named by their paths, by identity.
        self.unnamed = {}

    def root(self):
        root = self.value(self.document["root"])
        self.name_by_path(root, (), set())
        if self.unnamed:
            raise SkeletonError("no path of keys leads to a tensor without a name")
        return root

    def value(self, value):
        if is_node(value):
            # A node in place is told from others by the list that it is, which is as old as the document.
            number = number_of(value)
            node, number = (value, id(value)) if number is None else (self.nodes[number], number)
            if number not in self.built:
                self.build(number, node)
            return self.built[number]
        if isinstance(value, int) and abs(value) > LARGEST_INLINE_INT:
            raise SkeletonError(f"the int {value} is too large to stand outside a node")
        if isinstance(value, dict):
            raise SkeletonError(f"{value} is not a value")
        return value

    def values(self, values):
        return [self.value(value) for value in values]

    def build(self, number, node):
        kind, *parts = node
        method = getattr(self, "build_" + kind, None)
        if method is None:
            raise SkeletonError(f"node {number} is of the unknown kind {kind!r}")
        method(number, *parts)

    def keep(self, number, value):
        # A recursive object that cannot be made before its parts (a tuple) was made meanwhile,
        # from inside itself; that one is the object.
        return self.built.setdefault(number, value)

    # Containers that can be made empty, so that their parts may refer to them.

    def build_dict(self, number, *parts):
        self.set_pairs(self.keep(number, {}), parts)

    def build_list(self, number, *parts):
        result = self.keep(number, [])
        for part in parts:
            result.append(self.value(part))

    def build_set(self, number, *parts):
        result = self.keep(number, set())
        for part in parts:
            result.add(self.value(part))

    # Values that are made from their parts.

    def build_tuple(self, number, *parts):
        self.keep(number, tuple(self.values(parts)))

    def build_frozenset(self, number, *parts):
        self.keep(number, frozenset(self.values(parts)))

    def build_str(self, number, text, surrogates=None):
        if text is None:
            text = base64.b64decode(surrogates, validate=True).decode("utf-8", "surrogatepass")
        self.keep(number, text)

    def build_int(self, number, digits):
        self.keep(number, int(digits, 16))

    def build_float(self, number, bits):
        self.keep(number, struct.unpack(">d", bytes.fromhex(bits))[0])

    def build_bytes(self, number, text, spelling=None):
        self.keep(number, base64.b64decode(text, validate=True))

    def build_bytearray(self, number, text):
        self.keep(number, bytearray(base64.b64decode(text, validate=True)))

    def build_global(self, number, module, name):
        module, name = self.value(module), self.value(name)
        if name in STORAGES:
            self.keep(number, StorageClass(name))
        else:
            self.keep(number, vocabulary.resolve(module, name))

    # Objects that calls made.

    def build_call(self, number, function, args, then=None):
        function, args = self.value(function), self.value(args)
        self.finish(number, lambda: function(*args), then)

    def build_instance(self, number, cls, args, then=None):
        self.build_call(number, cls, args, then)

    def build_new(self, number, cls, args, then=None):
        cls, args = self.value(cls), self.value(args)
        self.finish(number, lambda: cls.__new__(cls, *args), then)

    def build_new_ex(self, number, cls, args, kwargs, then=None):
        cls, args, kwargs = self.value(cls), self.value(args), self.value(kwargs)
        self.finish(number, lambda: cls.__new__(cls, *args, **kwargs), then)

    def finish(self, number, make, then):
        if number not in self.built:
            self.change(self.keep(number, make()), then)

    def change(self, result, then):
        then = then or {}
        for item in then.get("items", ()):
            result.append(self.value(item))
        self.set_pairs(result, then.get("pairs", ()))
        if "state" in then:
            state = self.value(then["state"])
            if hasattr(result, "__setstate__"):
                result.__setstate__(state)
            else:
                attributes, slots = state if isinstance(state, tuple) else (state, None)
                vars(result).update(attributes or {})
                for name, value in (slots or {}).items():
                    setattr(result, name, value)

    def set_pairs(self, mapping, parts):
        if len(parts) % 2:
            raise SkeletonError("a key without a value")
        for key, value in zip(parts[::2], parts[1::2]):
            mapping[self.value(key)] = self.value(value)

    # Tensors.

    def build_persistent(self, number, identity):
        self.keep(number, self.storage(identity))

    def build_storage(self, number, name, identity, truth=None):
        storage = self.keep(number, self.storage(identity))
        elements = torch.empty(0, dtype=storage.dtype).set_(storage)
        self.fill(elements, self.value(name), truth)

    def build_tensor(self, number, name, construction=None, truth=None):
        if isinstance(name, int):
            return self.build_by_form(number, name, construction, truth)
        if construction is None:
            entry = self.file.tensors[name]
            dtype, shape = truth_of(entry, truth)
            tensor = torch.empty(shape, dtype=dtype)
        else:
            tensor = self.construct(*construction)
        self.keep(number, tensor)
        if name is not None:
            self.fill(tensor, name, truth)
        elif not tensor.is_meta:
            raise SkeletonError(f"node {number}: no name, but the tensor is not a meta tensor")

    def build_by_form(self, number, form, key, name):
        """A tensor of which the form, the key of its storage and its name are known, or follow."""
        parts = self.form(form)
        function, kind, cls, location, count, offset, shape, strides, requires_grad, hooks = parts[:10]
        storage = self.storage_of((kind, cls, self.value(key), location, count))
        tensor = self.keep(number, function(
            storage, offset, tuple(shape), tuple(strides), requires_grad, hooks(), *parts[10:]))
        if name is None:
            self.unnamed[id(tensor)] = tensor
        else:
            self.fill(tensor, name, None)

    def form(self, number):
        """The parts of a form, which its tensors share."""
        if number not in self.parts_of_forms:
            form = self.forms[number]
            self.parts_of_forms[number] = [
                *self.values(form[:6]), form[6], form[7], *self.values(form[8:])]
        return self.parts_of_forms[number]

    def name_by_path(self, value, path, seen):
        """Fills the tensors that are named by the keys on the first path to them."""
        if self.unnamed.pop(id(value), None) is not None:
            self.fill(value, self.name_of(path), None)
        elif type(value) in (dict, OrderedDict) and id(value) not in seen:
            seen.add(id(value))
            for key, inner in value.items():
                if type(key) in (str, int):
                    self.name_by_path(inner, (*path, key), seen)

    def name_of(self, path):
        if self.document["layout"] == "olmo":
            return base64.urlsafe_b64encode(pickle.dumps((path, False), protocol=4)).decode()
        return ".".join(map(str, path))

    def storage(self, identity):
        return self.storage_of(self.value(identity))

    def storage_of(self, identity):
        kind, cls, key, _, numel, *view = identity
        if kind != "storage":
            raise SkeletonError(f"a persistent id of the kind {kind!r}")
        if key not in self.storages:
            self.storages[key] = torch.UntypedStorage(numel * cls.dtype.itemsize).fill_(0)
        storage = self.storages[key]
        if view and view[0] is not None:
            # A part of the storage, in a legacy file.
            _, start, count = view[0]
            storage = storage[start * cls.dtype.itemsize : (start + count) * cls.dtype.itemsize]
        return torch.storage.TypedStorage(wrap_storage=storage, dtype=cls.dtype, _internal=True)

    def construct(self, kind, function, args, then=None):
        """A tensor whose elements are not there yet."""
        if kind != "call":
            raise SkeletonError(f"a tensor made by {kind!r} is not known to this reader")
        tensor = self.value(function)(*self.value(args))
        self.change(tensor, then)
        return tensor

    def fill(self, tensor, name, truth):
        entry = self.file.tensors[name]
        found = (tensor.dtype, tuple(tensor.shape))
        if truth_of(entry, truth) != found:
            raise SkeletonError(
                f"{name!r}: the entry has {truth_of(entry, truth)}, the construction {found}")
        write_elements(tensor, entry.data)


def parts_of(node):
    """The values of a node, in the order of the text, and what is not a value as it is."""
    for part in node[1:]:
        if isinstance(part, dict):
            # What is done to an object after its call, or the form of an entry in disguise.
            for name, member in part.items():
                if name in ("items", "pairs"):
                    yield from member
                elif name == "state":
                    yield member
        else:
            yield part


def nodes_in(value):
    """The nodes that are written in the place of a value, in the order of the text."""
    pending = [value]
    while pending:
        node = pending.pop()
        if is_node(node) and number_of(node) is None:
            yield node
            pending.extend(reversed(list(parts_of(node))))


def storages_of(record):
    """The names of the storages that an entry of the records stands for, if it is a run."""
    if isinstance(record[0], str):
        return []
    first, count, *order = record
    numbers = range(first, first + count)
    if order:
        numbers = sorted(numbers, key=str)
    return [f"data/{number}" for number in numbers]


def number_keys(document):
    """Writes the keys of storages into the tensors that leave them out."""
    following = 0
    values = [document["root"], *document.get("discarded", []), *document["nodes"]]
    for node in (node for value in values for node in nodes_in(value)):
        if node[0] != "tensor" or not isinstance(node[1], int):
            continue
        key = node[2] if len(node) > 2 else None
        if key is None:
            node[2:3] = [key := str(following)]
        if isinstance(key, str) and key.isdecimal():
            following = int(key) + 1


def truth_of(entry, truth):
    """dtype and shape of the tensor: as the entry has them, unless the skeleton knows better."""
    if truth is not None:
        return getattr(torch, truth["dtype"]), tuple(truth["shape"])
    shape = entry.shape
    if entry.dtype == "F4":
        # Two values in each of torch's elements.
        shape = (*shape[:-1], shape[-1] // 2)
    return DTYPES[entry.dtype], shape


def write_elements(tensor, data):
    """Puts the row-major elements `data` where the tensor's strides say, in its storage."""
    size = tensor.element_size()
    elements = np.frombuffer(data, np.uint8).reshape(tensor.numel(), size).copy()
    sign_bytes = []
    if tensor.is_neg():
        sign_bytes += [size // 2 - 1, size - 1] if tensor.is_complex() else [size - 1]
    if tensor.is_conj():
        sign_bytes += [size - 1]
    for column in sign_bytes:
        # The entry has the values, the storage has them before the lazy flag is applied.
        elements[:, column] ^= 0x80

    positions = np.full(tuple(tensor.shape), tensor.storage_offset(), np.int64)
    for axis, stride in enumerate(tensor.stride()):
        steps = np.arange(tensor.shape[axis], dtype=np.int64) * stride
        positions += steps.reshape([-1 if other == axis else 1 for other in range(tensor.dim())])
    storage = torch.empty(0, dtype=torch.uint8).set_(tensor.untyped_storage()).numpy()
    storage[: storage.size // size * size].reshape(-1, size)[positions.reshape(-1)] = elements


def load(path):
    """The object that the safetensors file at `path` was made from."""
    before = threading.stack_size(STACK_BYTES)
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: Reader(safetensors_file.read(path)).root()).result()
    finally:
        threading.stack_size(before)
