"""The classes and functions that pickles of checkpoints name, and stand-ins for all others.

The skeleton's reader and the loader it is compared with (`reference.py`) resolve names here, so a
class nobody has (`__main__.Net`) is the same stand-in on both sides. Nothing outside the list is
ever imported.
"""

import _compat_pickle
import importlib

import torch

ALLOWED = {
    "builtins": """
        Ellipsis NotImplemented bytearray bytes complex dict frozenset int list object range set
        slice str""",
    "_codecs": "encode",
    "collections": "Counter OrderedDict defaultdict deque",
    "copyreg": "_reconstructor",
    "argparse": "Namespace",
    "datetime": "date datetime timedelta",
    "decimal": "Decimal",
    "fractions": "Fraction",
    "pathlib": "Path PosixPath PurePath PurePosixPath PureWindowsPath",
    "uuid": "UUID",
    "numpy": "dtype ndarray",
    "numpy.core.multiarray": "_reconstruct scalar",
    "numpy._core.multiarray": "_reconstruct scalar",
    "numpy.core.numeric": "_frombuffer",
    "numpy._core.numeric": "_frombuffer",
    "torch": "Size Tensor device per_tensor_affine per_channel_affine",
    "torch._tensor": "_rebuild_from_type_v2",
    "torch._utils": """
        _rebuild_meta_tensor_no_storage _rebuild_nested_tensor _rebuild_parameter
        _rebuild_parameter_with_state _rebuild_qtensor _rebuild_sparse_tensor _rebuild_tensor
        _rebuild_tensor_v2 _rebuild_tensor_v3""",
    "torch.nn.parameter": "Buffer Parameter",
    "torch.serialization": "_get_layout",
    "torch.storage": "TypedStorage UntypedStorage",
}
NAMES = {(module, name) for module, names in ALLOWED.items() for name in names.split()}
NAMES |= {("torch", name) for name, value in vars(torch).items() if isinstance(value, torch.dtype)}


class Opaque:
    """An instance of a class that is not in the vocabulary: how it was made, never the thing."""

    def __new__(cls, *args, **kwargs):
        self = object.__new__(cls)
        self.record = {"args": args, "kwargs": kwargs, "items": [], "pairs": [], "state": None}
        return self

    def __init__(self, *args, **kwargs):
        self.record["called"] = True

    def __setstate__(self, state):
        self.record["state"] = state

    def append(self, item):
        self.record["items"].append(item)

    def extend(self, items):
        self.record["items"].extend(items)

    def __setitem__(self, key, value):
        self.record["pairs"].append((key, value))

    def __repr__(self):
        return f"<an instance of {type(self).__module__}.{type(self).__qualname__}>"


stand_ins = {}


def resolve(module, name):
    """The object of that Python 3 name, or a stand-in."""
    if (module, name) in NAMES:
        return getattr(importlib.import_module(module), name)
    if (module, name) not in stand_ins:
        stand_ins[module, name] = type(name, (Opaque,), {"__module__": module})
    return stand_ins[module, name]


def resolve_any_era(module, name):
    """The same for a name as pickles of protocols 0 to 2 spell it, in Python 2's words."""
    if (module, name) in _compat_pickle.NAME_MAPPING:
        module, name = _compat_pickle.NAME_MAPPING[module, name]
    else:
        module = _compat_pickle.IMPORT_MAPPING.get(module, module)
    return resolve(module, name)
