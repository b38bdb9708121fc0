"""The names that layout `plain` gives, worked out on the loaded object."""

import torch

import vocabulary

# Left out of the path of a pickled nn.Module.
MODULE_TABLES = ("_parameters", "_buffers", "_modules")
COMPRESSED = {
    torch.sparse_csr: ("crow_indices", "col_indices", "values"),
    torch.sparse_bsr: ("crow_indices", "col_indices", "values"),
    torch.sparse_csc: ("ccol_indices", "row_indices", "values"),
    torch.sparse_bsc: ("ccol_indices", "row_indices", "values"),
}


def attributes_of(value):
    if isinstance(value, vocabulary.Opaque):
        state = value.record["state"]
        return state if isinstance(state, dict) else {}
    return getattr(value, "__dict__", {}) if not isinstance(value, type) else {}


def parts_of(value):
    """The steps down from a value: pairs of the path's next component (or None) and the part."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key if isinstance(key, str) else repr(key), item
    elif isinstance(value, (list, tuple)):
        yield from ((str(index), item) for index, item in enumerate(value))
    for name, item in attributes_of(value).items():
        yield (None if name in MODULE_TABLES else name), item


def tensors_of(root):
    """Pairs of name and tensor for every path to a tensor, each shared container entered once."""
    entered, pending = set(), [((), root)]
    while pending:
        path, value = pending.pop()
        name = ".".join(path) if path else "tensor"
        if isinstance(value, torch.Tensor):
            if value.layout == torch.strided:
                yield name, value
            elif value.layout == torch.sparse_coo:
                yield f"{name}.indices", value._indices()
                yield f"{name}.values", value._values()
            else:
                for part in COMPRESSED[value.layout]:
                    yield f"{name}.{part}", getattr(value, part)()
            continue
        if id(value) in entered:
            continue
        if isinstance(value, (dict, list, tuple, vocabulary.Opaque)) or attributes_of(value):
            entered.add(id(value))
            below = [
                (path if step is None else (*path, step), part) for step, part in parts_of(value)]
            pending.extend(reversed(below))
