"""Checkpoints in one safetensors file: tensors as tensors, everything else as JSON in the header; no pickle.

A file is written beside its place and moved there whole, so that a crash or a full disk never harms the one before.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.optim import Optimizer


def save(path: Path, state: Any) -> None:
    """Write a tree of dicts, lists, numbers, strings and tensors.  Raises: OSError; the old file is then untouched."""
    tensors: dict[str, Tensor] = {}
    header = {"tree": json.dumps(_pack(state, tensors))}
    partial = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, partial, metadata=header)
        with open(partial, "rb") as written:
            os.fsync(written.fileno())
        os.replace(partial, path)
    except (OSError, SafetensorError) as error:
        partial.unlink(missing_ok=True)
        kept = "the checkpoint before it is untouched" if path.exists() else "nothing was written"
        message = f"could not write the checkpoint {path}: {error}; {kept}. Free some disk space or name another place"
        raise OSError(message) from error


def load(path: Path) -> Any:
    """Read what `save` wrote, on the CPU.  Raises: OSError for a missing, foreign or damaged file."""
    try:
        with safe_open(path, framework="pt") as file:
            tree = json.loads((file.metadata() or {})["tree"])
            return _unpack(tree, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    except (KeyError, ValueError, SafetensorError) as error:
        raise OSError(f"{path} is not a whole checkpoint ({error}); delete it to start afresh") from error


def restore(part: Any, state: Any, path: Path) -> None:
    """Load the saved state of a model, optimizer or schedule in place.  Raises: ValueError if it does not fit."""
    try:
        part.load_state_dict(state)
    except (RuntimeError, ValueError, KeyError) as error:
        message = f"{path} does not fit this {type(part).__name__}: {error}; delete it or name another file"
        raise ValueError(message) from error
    if isinstance(part, Optimizer):
        _match_layout(part)


def _match_layout(optimizer: Optimizer) -> None:
    """Give loaded moments their parameter's memory layout: fused optimizers walk both side by side."""
    for parameter, moments in optimizer.state.items():
        for name, value in moments.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                moments[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _pack(tree: Any, tensors: dict[str, Tensor]) -> Any:
    """Replace tensors by their number; dicts become lists of pairs, because JSON knows only string keys."""
    if isinstance(tree, Tensor):
        name = str(len(tensors))
        tensors[name] = tree.detach().cpu().clone(memory_format=torch.contiguous_format)
        return {"tensor": name}
    if isinstance(tree, dict):
        return {"dict": [[key, _pack(value, tensors)] for key, value in tree.items()]}
    if isinstance(tree, (list, tuple)):
        return [_pack(value, tensors) for value in tree]
    return tree


def _unpack(tree: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(tree, dict):
        return tensors[tree["tensor"]] if "tensor" in tree else {k: _unpack(v, tensors) for k, v in tree["dict"]}
    return [_unpack(value, tensors) for value in tree] if isinstance(tree, list) else tree
