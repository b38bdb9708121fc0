"""Describes what torch finds in checkpoint files: `manifests.py INDIR OUTDIR`.

For every file below INDIR that `torch.load` opens, OUTDIR gets FILE.json with one entry per leaf:
dtype, shape, stride, storage and the SHA-256 of its contiguous little-endian bytes for a tensor;
type and repr for anything else. Tests without Python compare with these. A path is joined with
`/`; int keys are written `int:0`. Loading executes pickles: only for files of one's own.
"""

import hashlib
import json
import pathlib
import sys
import warnings

import torch

# A list longer than this is one leaf: RNG states are thousands of ints.
LONGEST_LIST_WALKED = 200
SUFFIXES = {".pt", ".bin", ".ckpt", ".tar"}


def describe_tensor(tensor):
    description = {"dtype": str(tensor.dtype), "shape": list(tensor.shape)}
    try:
        description["stride"] = list(tensor.stride())
        description["storage_nbytes"] = tensor.untyped_storage().nbytes()
        description["storage_offset"] = tensor.storage_offset()
        elements = tensor.detach().resolve_conj().resolve_neg().contiguous().flatten()
        data = bytes(elements.view(torch.uint8).numpy()) if elements.numel() else b""
        description["sha256"] = hashlib.sha256(data).hexdigest()
    except (RuntimeError, NotImplementedError) as error:
        description["error"] = str(error)[:80]
    return description


def is_container(value):
    return isinstance(value, (dict, list, tuple, torch.Tensor))


def walk(value, path, leaves):
    if isinstance(value, torch.Tensor):
        leaves["/".join(path)] = describe_tensor(value)
    elif isinstance(value, dict) and value:
        for key, item in value.items():
            is_int = isinstance(key, int) and not isinstance(key, bool)
            walk(item, path + (f"int:{key}" if is_int else str(key),), leaves)
    elif (
        isinstance(value, (list, tuple))
        and len(value) < LONGEST_LIST_WALKED
        and any(is_container(item) for item in value)
    ):
        for index, item in enumerate(value):
            walk(item, path + (f"[{index}]",), leaves)
    else:
        leaves["/".join(path)] = {"type": type(value).__name__, "repr": repr(value)[:300]}


def main(source, destination):
    warnings.simplefilter("ignore")
    for file in sorted(path for path in source.rglob("*") if path.suffix in SUFFIXES):
        try:
            value = torch.load(file, map_location="cpu", weights_only=False)
        except Exception as error:
            print("not loaded:", file, type(error).__name__, str(error)[:100])
            continue
        leaves = {}
        walk(value, (), leaves)
        manifest = {
            "file_bytes": file.stat().st_size, "root": type(value).__name__, "leaves": leaves,
        }
        path = destination / (str(file.relative_to(source)) + ".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(manifest, indent=0))


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
