"""Opens PyTorch and safetensors checkpoints without PyTorch and without running a pickle.

    import ckptconv

    tensors = ckptconv.load("model.pt")          # a dict of read-only numpy views, memory-mapped
    values = ckptconv.values("optim.pt")         # learning rates, steps, names
    ckptconv.convert("model.pt", to="safetensors", verify=True)

Every function runs the program ``ckptconv``, which this package contains. The program reads the file
in its own process. This module maps the tensors into memory at the places that the program tells.
"""

from ckptconv._commands import convert, scan, skeleton, verify
from ckptconv._load import Text, inspect, load, values
from ckptconv._program import CheckpointError, CheckpointWarning, find_ckptconv_bin

__all__ = [
    "CheckpointError", "CheckpointWarning", "Text", "convert", "find_ckptconv_bin", "inspect", "load",
    "scan", "skeleton", "values", "verify",
]


def __getattr__(name: str) -> str:
    # Looking for it takes longer than everything else here.
    if name == "__version__":
        from importlib.metadata import version
        return version("ckptconv")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
