"""Loads tensors and values without reading a tensor and without running a pickle."""

from __future__ import annotations

import json
import os
import warnings
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Tuple, overload

from ckptconv._program import CheckpointError, CheckpointWarning, run

if TYPE_CHECKING:
    from typing import Literal

    import numpy as np
    import torch


class Text(str):
    """The text of a value that has no like in JSON, much like its `repr`; long ones are cut."""

    def __repr__(self) -> str:
        return f"ckptconv.Text({str(self)!r})"


def inspect(path: str | os.PathLike[str]) -> List[Dict[str, Any]]:
    """The container, tensors, values and totals of a file, or of each file of a directory.

    The section ``ckptconv inspect --json`` of ``Documentation/json.md`` describes the members.
    """
    return [json.loads(line) for line in run("inspect", "--json", "--", path).splitlines()]


@overload
def load(
    path: str | os.PathLike[str], *, framework: Literal["numpy"] = "numpy",
) -> Dict[str, np.ndarray[Any, np.dtype[Any]]]: ...


@overload
def load(
    path: str | os.PathLike[str], *, framework: Literal["torch"],
) -> Dict[str, torch.Tensor]: ...


def load(path: str | os.PathLike[str], *, framework: str = "numpy") -> Dict[str, Any]:
    """The tensors of a checkpoint by their names, in the order of the file, memory-mapped.

    ``path`` is a file or a directory of any kind that ``ckptconv inspect`` reads. Dots join nested
    keys: ``optimizer.state.0.exp_avg``. Nothing is read before an element is used, and no pickle
    runs. Checksums are not compared; `verify` and ``ckptconv check`` do that.

    ``framework="numpy"`` gives read-only arrays with the strides that the tensors have in the file.
    ml_dtypes, if installed, has the element types that NumPy lacks. Without it such an array is a
    record with one field of raw bits: ``array["bfloat16"]``. Tensors on the meta device have no
    data; a warning names them, and they are left out.

    ``framework="torch"`` gives tensors on the CPU that share storages as in the file. Writing to
    them changes memory and never the file. Tensors on the meta device are on it again.

    Raises:
        CheckpointError: the file cannot be read, or two files of a directory have a name in common.
    """
    view: Callable[[Dict[str, Any]], Any]
    if framework == "numpy":
        from ckptconv._numpy import Arrays
        view = Arrays().array
    elif framework == "torch":
        from ckptconv._torch import Tensors
        view = Tensors().tensor
    else:
        raise ValueError(f"framework is 'numpy' or 'torch', not {framework!r}")

    tensors: Dict[str, Any] = {}
    for file, row in _rows(path, "tensors"):
        name = row["name"]
        if row["storage"] is None and framework == "numpy":
            warnings.warn(
                f"{file}: {name} has no data (meta device) and is left out", CheckpointWarning,
                stacklevel=2)
        elif row["storage"] is not None and row["place"] is None and 0 not in row["shape"]:
            raise CheckpointError(
                f"{file}: {name}: its elements are not in one piece", "unsupported", [file, name],
                remedy="convert the checkpoint with ckptconv.convert, and load that")
        else:
            tensors[name] = view(row)
    return tensors


def values(path: str | os.PathLike[str]) -> Dict[str, Any]:
    """The values of a checkpoint that are not tensors, by their names, in the order of the file.

    Numbers, strings, booleans, None, lists and dicts with string keys are Python's. Tuples are lists.
    Everything else is a `Text` much like its ``repr``.

    Raises:
        CheckpointError: as `load`.
    """
    found: Dict[str, Any] = {}
    for _, row in _rows(path, "values"):
        text = row["value"]
        if "data" in row:
            found[row["name"]] = row["data"]
        else:
            # JSON has no infinity, and a string would have quotes.
            found[row["name"]] = float(text) if text in ("nan", "inf", "-inf") else Text(text)
    return found


def _rows(path: str | os.PathLike[str], kind: str) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """The tensors or values of all files, each with its file; no two have one name."""
    owners: Dict[str, str] = {}
    for report in inspect(path):
        file = report["path"]
        for row in report[kind]:
            name = row["name"]
            if name in owners:
                raise CheckpointError(
                    f"{file}: {owners[name]} has {name!r} as well", "conflict", [file, name],
                    remedy="load one of the files by its own path")
            owners[name] = file
            yield file, row
