"""The numbers of a run: losses that must stay finite, and the history of what was logged."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer

from genai_utils.checks import callables, of_type, whole


class NonFiniteLossError(RuntimeError):
    """A loss or a weight became NaN or infinite; training stopped before a checkpoint could be spoilt."""


def check_optimizers(optimizers: Sequence[Optimizer]) -> None:
    """Refuse what is no row of optimizers.  Raises: TypeError."""
    of_type((list, tuple), optimizers=optimizers)
    for one in optimizers:
        of_type(Optimizer, optimizers=one)


class Loss(NamedTuple):
    """A loss: its step, counted from 0, the optimizers that go down its gradient, and its value, on the device."""

    step: int
    optimizers: Sequence[Optimizer]
    value: Tensor


class Log:
    """Losses and logged values, kept on the device until they are read: reading makes a processor wait for its GPU.

    `history` holds one value a step under each name, the mean over processes.
    """

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self._losses: list[Loss] = []
        self._row: dict[str, Tensor] = {}  # of the step that is under way
        self._rows: list[dict[str, Tensor]] = []

    def loss(self, step: int, optimizers: Sequence[Optimizer], loss: Tensor) -> None:
        """Remember a loss, to be checked later.  Raises: TypeError, ValueError: no such step, optimizers, or number."""
        whole(0, step=step)
        check_optimizers(optimizers)
        of_type(Tensor, loss=loss)
        if loss.numel() != 1:
            raise ValueError(f"loss must be one number, got shape {tuple(loss.shape)}")
        self._losses.append(Loss(step, optimizers, loss.detach().reshape(())))

    def record(self, values: dict[str, Tensor | float], device: torch.device) -> None:
        """Remember values of the step under way; of two under one name the later.

        Raises: ValueError: more than one number.  TypeError: none.
        """
        of_type(dict, values=values)
        of_type(torch.device, device=device)
        for name, value in values.items():
            number = _number(name, value, device)
            if number.numel() != 1:
                raise ValueError(f"log takes one number a name, {name} has shape {tuple(number.shape)}; log its mean")
            self._row[name] = number.reshape(())

    def end_step(self) -> None:
        """The values that follow are of the next step."""
        self._rows.append(self._row)
        self._row = {}

    def broken(self) -> Loss | None:
        """Read the losses since the last call, all at once: the first that is NaN or infinite."""
        losses, self._losses = self._losses, []
        if len(losses) > 1 and torch.stack([loss.value for loss in losses]).isfinite().all():
            return None
        return next((loss for loss in losses if not math.isfinite(loss.value.item())), None)

    def flush(self, mean: Callable[[Tensor], Tensor]) -> None:
        """Move what was recorded into `history`.  mean: over processes, of values (n,).  Raises: TypeError."""
        callables(mean=mean)
        found = [(name, value) for row in self._rows for name, value in row.items()]
        self._rows.clear()
        if not found:
            return
        for (name, _), value in zip(found, mean(torch.stack([value for _, value in found])).tolist(), strict=True):
            self.history.setdefault(name, []).append(value)


def _number(name: str, value: Tensor | float, device: torch.device) -> Tensor:
    try:
        return torch.as_tensor(value, device=device).detach().float()
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"log takes numbers, got {name}={value!r}") from error
