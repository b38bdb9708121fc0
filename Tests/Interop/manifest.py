"""Makes the manifest of a Python object as `Documentation/manifest.md` specifies it, with torch."""

import hashlib
import struct

import torch


def sha256(data):
    return hashlib.sha256(data).digest()


def digest(value):
    """The digest of a value of the types that Python itself has."""
    def items(letter, values):
        return sha256(letter + b"".join(digest(value) for value in values))

    if value is None:
        return sha256(b"N")
    if isinstance(value, bool):
        return sha256(b"T" if value else b"F")
    if isinstance(value, int):
        return sha256(b"I" + shortest(value))
    if isinstance(value, float):
        return sha256(b"D" + struct.pack("<d", value))
    if isinstance(value, str):
        return sha256(b"S" + value.encode("utf-8", "surrogatepass"))
    if isinstance(value, (bytes, bytearray)):
        return sha256((b"B" if isinstance(value, bytes) else b"Y") + value)
    if isinstance(value, dict):
        return items(b"{", [part for pair in value.items() for part in pair])
    if isinstance(value, (set, frozenset)):
        letter = b"<" if isinstance(value, set) else b">"
        return sha256(letter + b"".join(sorted(map(digest, value))))
    return items(b"(" if isinstance(value, tuple) else b"[", value)


def shortest(value):
    """The shortest two's complement, nothing for 0."""
    count = 0
    while not -(1 << 8 * count) >> 1 <= value < (1 << 8 * count) + 1 >> 1 or (value and not count):
        count += 1
    return value.to_bytes(count, "little", signed=True) if value else b""


def elements(tensor):
    """The digest of a tensor's elements."""
    plain = tensor.detach().resolve_conj().resolve_neg().contiguous().flatten()
    return sha256(plain.view(torch.uint8).numpy().tobytes() if plain.numel() else b"")


class Structure:
    """The digest of an object made of dicts, lists, tuples, tensors and values."""

    def __init__(self):
        self.storages = {}

    def digest(self, value):
        if isinstance(value, torch.Tensor):
            return sha256(b"X" + self.text(value).encode())
        if isinstance(value, dict):
            parts = [part for pair in value.items() for part in pair]
        elif isinstance(value, (list, tuple)):
            parts = value
        else:
            return digest(value)
        letter = b"{" if isinstance(value, dict) else b"(" if isinstance(value, tuple) else b"["
        return sha256(letter + b"".join(self.digest(part) for part in parts))

    def text(self, tensor):
        storage = self.storages.setdefault(
            tensor.untyped_storage().data_ptr(), len(self.storages))
        words = [
            str(tensor.dtype).removeprefix("torch."), ",".join(map(str, tensor.shape)),
            ",".join(map(str, tensor.stride())), str(tensor.storage_offset()), str(storage), "cpu"]
        flags = [
            (tensor.requires_grad, "requires_grad"), (tensor.is_conj(), "conj"),
            (tensor.is_neg(), "neg")]
        return " ".join(words + [word for flag, word in flags if flag])


def entries(value, path=()):
    """What the manifest lists of a dict of dicts: name, dtype, shape and digest."""
    for key, item in value.items():
        name = ".".join([*path, str(key)])
        if isinstance(item, torch.Tensor):
            dtype = str(item.dtype).removeprefix("torch.")
            yield name, dtype, list(item.shape), elements(item).hex()
        elif isinstance(item, dict) and item:
            yield from entries(item, [*path, str(key)])
        else:
            yield name, None, None, digest(item).hex()
