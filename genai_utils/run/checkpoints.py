"""Checkpoints in one safetensors file: tensors as tensors, everything else as JSON in the header; no pickle.

A file is written beside its place and moved there whole, so that a crash or a full disk never harms the one before. Its
header holds the sha256 of all its bytes, those of the sum itself taken as zeros: whatever changed since is noticed.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from genai_utils.checks import of_type

WAYS_OUT = "start anew with Run(..., fresh=True) or name another file"
KEY, BLANK = b'"sha256":"', b"0" * 64  # nowhere else in the header: the quotes of a string are escaped there


def save(path: Path, state: Any) -> None:
    """Write a tree of dicts, lists, numbers, strings and tensors; the folder is there.

    Raises: OSError; the old file is then untouched.
    """
    tensors: dict[str, Tensor] = {}
    header = {"sha256": BLANK.decode(), "tree": json.dumps(_pack(state, tensors))}
    partial = _partial(path)
    try:
        _write(partial, safetensors.torch.save(tensors, header))
        os.replace(partial, path)
    except OSError as error:
        with suppress(OSError):  # there may be no such folder
            partial.unlink()
        kept = "the checkpoint before it is untouched" if path.exists() else "nothing was written"
        message = f"could not write the checkpoint {path}: {error}; {kept}. Free some disk space or name another place"
        raise OSError(message) from error


def load(path: Path) -> Any:
    """Read what `save` wrote, on the CPU.  Raises: OSError for a missing, foreign, older or damaged file."""
    of_type(Path, path=path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OSError(f"could not read the checkpoint {path}: {error.strerror}; {WAYS_OUT}") from error
    if KEY not in content:
        raise OSError(f"{path} is damaged, no checkpoint, or of an older version (no checksum); {WAYS_OUT}")
    start = content.index(KEY) + len(KEY)
    if content[start : start + len(BLANK)] != _sum(content, start):
        raise OSError(f"{path} is damaged: its bytes are not those that were written; {WAYS_OUT}")
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return _unpack(json.loads(header["__metadata__"]["tree"]), safetensors.torch.load(content))


def remove_leftovers(path: Path) -> None:
    """Remove what a process left that was killed while it saved.  Only for the one run that may write here."""
    _partial(path).unlink(missing_ok=True)


def restore(part: Any, state: Any, path: Path) -> None:
    """Load the saved state of a model, optimizer or schedule in place.

    Raises: ValueError: a state that does not fit.  TypeError: another type.
    """
    of_type((nn.Module, Optimizer, LRScheduler), part=part)
    of_type(dict, state=state)
    of_type(Path, path=path)
    try:
        part.load_state_dict(state)
    except (RuntimeError, ValueError, KeyError) as error:
        found = f"the state in {path} does not fit this {type(part).__name__}, the part: {error}"
        raise ValueError(f"{found}; {WAYS_OUT}") from error
    if isinstance(part, Optimizer):
        _match_layout(part)


def _partial(path: Path) -> Path:
    of_type(Path, path=path)
    return path.with_name(f"{path.name}.part")


def _write(path: Path, content: bytes) -> None:
    """Write the bytes of a file, its sum in their place, through to the disk."""
    start = content.index(KEY + BLANK) + len(KEY)
    with open(path, "wb") as file:
        for piece in (content[:start], _sum(content, start), memoryview(content)[start + len(BLANK) :]):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def _sum(content: bytes, start: int) -> bytes:
    """sha256 of a file whose own sum begins at `start`, in hex digits."""
    digest = hashlib.sha256(content[:start] + BLANK)
    digest.update(memoryview(content)[start + len(BLANK) :])
    return digest.hexdigest().encode()


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
