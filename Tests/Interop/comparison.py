"""Compares two Python objects the way a checkpoint's owner would: everything that can differ.

Types, order, every bit of every number and tensor; dtype, shape, stride, offset, flags; and
identity: what is one object (or one storage) on one side is one on the other.
"""

import collections
import struct

import numpy as np
import torch

import vocabulary

# More would bury the first, which is the one that says what happened.
DIFFERENCES_SHOWN = 10

# Python itself decides whether two equal ones of these are one object.
WITHOUT_IDENTITY = (
    type(None), bool, int, float, complex, type, torch.dtype, torch.layout, torch.qscheme)


def bits_of(number):
    return struct.pack(">d", number).hex()


def bytes_of(tensor):
    """The row-major bytes of a strided tensor's values."""
    plain = tensor.detach().resolve_conj().resolve_neg()
    if plain.is_quantized:
        plain = plain.int_repr()
    flat = plain.contiguous().flatten()
    # One element is contiguous whatever its stride, but only a stride of 1 can be viewed as bytes.
    flat = flat.as_strided((flat.numel(),), (1,), flat.storage_offset())
    return flat.view(torch.uint8).numpy().tobytes()


def shortened(value):
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:100]}... ({len(text)} characters)"


class Identities:
    """Which object of one side stands for which of the other, one to one."""

    def __init__(self):
        self.forth, self.back = {}, {}

    def pairs(self, expected, found):
        """Notes a pair; returns whether it agrees with all noted before."""
        return (
            self.forth.setdefault(expected, found) == found
            and self.back.setdefault(found, expected) == expected)


class Comparison:
    """Walks two objects side by side and notes where they differ.

    With `values_only` what a tensor's owner can see counts, and not how it lies in memory.
    """

    def __init__(self, values_only=False):
        self.values_only = values_only
        self.differences = []
        self.objects, self.storages = Identities(), Identities()
        self.compared = set()
        # An id is good only as long as its object lives.
        self.alive = []
        self.pending = collections.deque()

    def run(self, expected, found):
        self.later("<root>", expected, found)
        while self.pending and len(self.differences) < DIFFERENCES_SHOWN:
            self.compare(*self.pending.popleft())
        return self.differences

    def later(self, where, expected, found):
        self.pending.append((where, expected, found))

    def same(self, where, expected, found):
        """Notes a difference of two plain values; returns whether there is none."""
        if expected != found:
            self.differences.append(
                f"{where}: expected {shortened(expected)}, found {shortened(found)}")
        return expected == found

    def compare(self, where, expected, found):
        if not self.same(where + " (type)", type(expected), type(found)):
            return
        if self.has_identity(expected):
            pair = id(expected), id(found)
            if pair in self.compared:
                return
            self.compared.add(pair)
            self.alive.append((expected, found))
            if not self.values_only and not self.objects.pairs(*pair):
                self.same(where + " (identity)", "as shared in the source", "shared otherwise")
                return
        self.compare_values(where, expected, found)
        if self.has_attributes(expected):
            self.compare_attributes(where, vars(expected), vars(found))

    def has_attributes(self, value):
        # A tensor's attributes are not part of its value: training frameworks leave marks there.
        hidden = (torch.Tensor,) if self.values_only else ()
        return hasattr(value, "__dict__") and not isinstance(
            value, (type, vocabulary.Opaque, *hidden))

    def has_identity(self, value):
        if isinstance(value, (str, bytes, tuple)):
            # CPython has one empty tuple, one empty string and one of each short character.
            return len(value) > 1
        return not isinstance(value, WITHOUT_IDENTITY) and not callable(value)

    def compare_values(self, where, expected, found):
        if isinstance(expected, float):
            self.same(where, bits_of(expected), bits_of(found))
        elif isinstance(expected, complex):
            self.later(where + ".real", expected.real, found.real)
            self.later(where + ".imag", expected.imag, found.imag)
        elif isinstance(expected, dict):
            self.compare_dicts(where, expected, found)
        elif isinstance(expected, (list, tuple, collections.deque)):
            self.same(where + " (length)", len(expected), len(found))
            for index, (left, right) in enumerate(zip(expected, found)):
                self.later(f"{where}[{index}]", left, right)
            if isinstance(expected, collections.deque):
                self.same(where + " (maxlen)", expected.maxlen, found.maxlen)
        elif isinstance(expected, torch.Tensor):
            self.compare_tensors(where, expected, found)
        elif isinstance(expected, torch.storage.TypedStorage):
            self.same(where + " (dtype)", expected.dtype, found.dtype)
            self.compare_storages(where, expected.untyped(), found.untyped())
        elif isinstance(expected, (np.ndarray, np.generic)):
            self.compare_arrays(where, expected, found)
        elif isinstance(expected, vocabulary.Opaque):
            self.later(where + " (record)", expected.record, found.record)
        elif not hasattr(expected, "__dict__") or callable(expected):
            self.same(where, expected, found)

    def compare_dicts(self, where, expected, found):
        self.same(where + " (length)", len(expected), len(found))
        for (left_key, left), (right_key, right) in zip(expected.items(), found.items()):
            self.later(f"{where} (key {shortened(left_key)})", left_key, right_key)
            self.later(f"{where}[{shortened(left_key)}]", left, right)
        if isinstance(expected, collections.defaultdict):
            self.same(
                where + " (default_factory)", expected.default_factory, found.default_factory)

    def compare_attributes(self, where, expected, found):
        # Python interns the names of attributes, so whose string each is says nothing.
        self.same(where + " (attributes)", list(expected), list(found))
        for name in expected.keys() & found.keys():
            self.later(f"{where}.{name}", expected[name], found[name])

    def compare_arrays(self, where, expected, found):
        self.same(where + " (dtype)", expected.dtype, found.dtype)
        self.same(where + " (shape)", expected.shape, found.shape)
        if expected.dtype.hasobject:
            self.later(where + " (items)", expected.tolist(), found.tolist())
        else:
            self.same(where + " (bytes)", expected.tobytes(), found.tobytes())
        if isinstance(expected, np.ndarray):
            self.same(where + " (strides)", expected.strides, found.strides)

    def compare_tensors(self, where, expected, found):
        aspects = ["dtype", "layout", "device", "is_nested", "is_quantized"]
        if not expected.is_nested:
            aspects.append("shape")
        if not self.values_only:
            aspects.append("requires_grad")
        for aspect in aspects:
            if not self.same(
                f"{where} ({aspect})", getattr(expected, aspect), getattr(found, aspect)
            ):
                return
        if expected.layout == torch.sparse_coo:
            self.same(where + " (coalesced)", expected.is_coalesced(), found.is_coalesced())
            self.compare_parts(where, expected, found, ["_indices", "_values"])
        elif expected.layout != torch.strided:
            compressed = {torch.sparse_csr, torch.sparse_bsr}
            rows = expected.layout in compressed
            names = ["crow_indices", "col_indices"] if rows else ["ccol_indices", "row_indices"]
            self.compare_parts(where, expected, found, [*names, "values"])
        elif expected.is_nested:
            self.compare_parts(where, expected, found, ["values", "_nested_tensor_size"])
        else:
            self.compare_strided(where, expected, found)

    def compare_parts(self, where, expected, found, methods):
        for method in methods:
            left, right = getattr(expected, method)(), getattr(found, method)()
            self.compare_tensors(f"{where}.{method}", left, right)

    def compare_strided(self, where, expected, found):
        if not self.values_only:
            for aspect in ("stride", "storage_offset", "is_conj", "is_neg"):
                left, right = getattr(expected, aspect)(), getattr(found, aspect)()
                self.same(f"{where} ({aspect})", left, right)
        if expected.is_meta:
            return
        if expected.is_quantized:
            self.same(where + " (qscheme)", expected.qscheme(), found.qscheme())
            if expected.qscheme() == torch.per_tensor_affine:
                self.same(where + " (scale)", expected.q_scale(), found.q_scale())
                self.same(where + " (zero point)", expected.q_zero_point(), found.q_zero_point())
            else:
                self.compare_parts(
                    where, expected, found, ["q_per_channel_scales", "q_per_channel_zero_points"])
        left, right = bytes_of(expected), bytes_of(found)
        if left != right:
            pairs = enumerate(zip(left, right))
            first = next((at for at, (one, other) in pairs if one != other), "length")
            self.same(f"{where} (bytes, first difference at {first})", left, right)
        if not self.values_only:
            self.compare_storages(where, expected.untyped_storage(), found.untyped_storage())

    def compare_storages(self, where, expected, found):
        self.alive.append((expected, found))
        self.same(where + " (storage bytes)", expected.nbytes(), found.nbytes())
        if not self.storages.pairs(expected._cdata, found._cdata):
            self.same(where + " (storage)", "as shared in the source", "shared otherwise")


def assert_same(expected, found, what, values_only=False):
    """Fails with the places that differ; `what` names the file."""
    differences = Comparison(values_only).run(expected, found)
    assert not differences, "\n".join([f"{what} differs:", *differences])
