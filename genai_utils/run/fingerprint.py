"""What is being trained, as rows of words: two runs may share a checkpoint only where all their rows are equal.

Not among the rows: values that training moves (a checkpoint brings its own), and the code of classes and functions,
which go by their names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from numbers import Number
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from genai_utils.checks import of_type, tensors, whole

Rows = dict[str, str]
WHOLE = 2**24  # bytes: larger data are told by the sum of all their words and by some rows
SOME = 4_096  # rows
LONGEST = 120  # characters of a value
PASSING = {"training", "forward"}  # of a module: accelerate wraps forward where it computes in bf16
MOVING = {"optimizer", "last_epoch", "_step_count", "_last_lr", "_is_initial", "_get_lr_called_within_step"}


def of_parts(parts: Sequence[nn.Module | Optimizer | LRScheduler], steps: int) -> Rows:
    """Rows of what is trained and by what.  steps: over which the factors of a schedule are compared.

    Raises: TypeError, ValueError: something else, or no steps.
    """
    of_type((list, tuple), parts=parts)
    for part in parts:
        of_type((nn.Module, Optimizer, LRScheduler), parts=part)
    whole(1, steps=steps)
    models = [(i, part) for i, part in enumerate(parts, 1) if isinstance(part, nn.Module)]
    names = {id(p): f"{name} of part {i}" for i, model in models for name, p in model.named_parameters()}
    rows = {f"part {i}": type(part).__qualname__ for i, part in enumerate(parts, 1)}
    for i, part in enumerate(parts, 1):
        if isinstance(part, nn.Module):
            found = _of_module(part)
        elif isinstance(part, Optimizer):
            found = _of_optimizer(part, names)
        else:
            found = _of_schedule(part, steps)
        rows |= {f"{key} of part {i} ({type(part).__qualname__})": _short(value) for key, value in found}
    return rows


def of_data(data: Sequence[Tensor], batch_size: int) -> Rows:
    """Rows of tensors with one row an example.  Raises: TypeError, ValueError: something else, or no batch."""
    of_type((list, tuple), data=data)
    for part in data:
        tensors("(n, ...)", data=part)
    whole(1, batch_size=batch_size)
    rows = {f"data {i}": f"{told(part)} with digest {digest(part)}" for i, part in enumerate(data, 1)}
    return {"batch_size": str(batch_size)} | rows


def digest(data: Tensor) -> str:
    """Sixteen hex digits of the content of a tensor (n, ...).

    Beyond 16 MiB they stand for the sum of all words, which finds what was changed, and for 4,096 rows spread evenly,
    which find what was moved.
    Raises: TypeError, ValueError: no such tensor, or NaN.
    """
    tensors("(n, ...)", data=data)
    words = data.view({1: torch.uint8, 2: torch.int16, 4: torch.int32}.get(data.element_size(), torch.int64))
    every = 1 if words.numel() * words.element_size() <= WHOLE else -(-len(words) // SOME)
    content = words[::every].cpu().contiguous().numpy().tobytes() + str(int(words.sum(dtype=torch.int64))).encode()
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def difference(there: Rows, here: Rows) -> str | None:
    """The first row that differs between a checkpoint and this run, in words.  Raises: TypeError: no rows."""
    of_type(dict, there=there, here=here)
    keys = [key for key in there | here if there.get(key) != here.get(key)]
    if not keys:
        return None
    more = f" (and {len(keys) - 1} more differences)" if len(keys) > 1 else ""
    return f"{keys[0]} is {there.get(keys[0], 'absent')} there and {here.get(keys[0], 'absent')} here{more}"


def told(value: Any, names_only: bool = False) -> str:
    """A setting in words that are the same in every process."""
    if value is None or isinstance(value, (str, bool, Number, torch.dtype)):
        return repr(value)
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {told(one, names_only)}' for key, one in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(told(one, names_only) for one in value)}]"
    return _called(value, names_only)


def _called(value: Any, names_only: bool) -> str:
    """The name of a function, with the values that it closes over; of any other object that of its class."""
    if isinstance(value, partial):
        return f"{told(value.func)}{told([value.args, value.keywords])}"
    name = getattr(value, "__qualname__", type(value).__qualname__)
    cells = [] if names_only else [cell.cell_contents for cell in getattr(value, "__closure__", None) or ()]
    return f"{name}{told(cells, names_only=True)}" if cells else name


def _of_module(module: nn.Module) -> Iterator[tuple[str, str]]:
    for name, part in module.named_modules():
        if name:
            yield name, type(part).__qualname__
        for key, value in vars(part).items():
            if not key.startswith("_") and key not in PASSING and not isinstance(value, Tensor):
                yield from _settings(f"{name}.{key}".removeprefix("."), value)
    for name, value in module.state_dict().items():
        yield f"tensor {name}", told(value)


def _settings(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """One row, or one for each field of a configuration."""
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _settings(f"{name}.{field.name}", getattr(value, field.name))
    else:
        yield name, told(value)


def _of_optimizer(optimizer: Optimizer, names: dict[int, str]) -> Iterator[tuple[str, str]]:
    for i, group in enumerate(optimizer.param_groups, 1):
        moved = "lr" if "initial_lr" in group else None  # by a schedule
        for key, value in group.items():
            if key not in ("params", moved):
                yield f"{key} of group {i}", told(value.item() if isinstance(value, Tensor) else value)
        for number, parameter in enumerate(group["params"], 1):
            yield f"parameter {number} of group {i}", names.get(id(parameter), told(parameter))
    for hooks in (optimizer._optimizer_step_pre_hooks, optimizer._optimizer_step_post_hooks):
        yield from ((f"hook {i}", told(hook)) for i, hook in enumerate(hooks.values(), 1))


def _of_schedule(schedule: LRScheduler, steps: int) -> Iterator[tuple[str, str]]:
    for key, value in vars(schedule).items():
        if key == "lr_lambdas":
            for i, factor in enumerate(value, 1):
                yield from ((f"factor {i} at step {at}", _factor(factor, at)) for at in _some_steps(steps))
        elif key == "_schedulers":
            for i, one in enumerate(value, 1):
                yield f"schedule {i}", type(one).__qualname__
                yield from ((f"{name} of schedule {i}", row) for name, row in _of_schedule(one, steps))
        elif key not in MOVING:
            yield key, told(value)


def _factor(factor: Callable[[int], float], step: int) -> str:
    try:
        return repr(float(factor(step)))
    except (ArithmeticError, LookupError, ValueError):  # a schedule need not reach every step of its run
        return "none"


def _some_steps(steps: int) -> list[int]:
    """33 steps spread evenly, and more at both ends, where rates rise and fall fast."""
    even = {(steps - 1) * k // 32 for k in range(33)}
    near = {2**k for k in range(steps.bit_length()) if 2**k < steps}
    return sorted(even | near | {steps - 1 - step for step in near})


def _short(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}… ({hashlib.blake2b(text.encode(), digest_size=8).hexdigest()})"
