"""The numbers of a run: losses that must stay finite, and the history of what was logged."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


class NonFiniteLossError(RuntimeError):
    """A loss became NaN or infinite; training stopped before a checkpoint could be spoilt."""


class Log:
    """Losses and logged values, kept on the device until they are read: reading makes a processor wait for its GPU.

    `history` holds one value a step under each name, the mean over processes.
    """

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self._losses: list[Tensor] = []
        self._rows: list[dict[str, Tensor]] = []

    def loss(self, loss: Tensor) -> None:
        """Remember a loss, to be checked later."""
        self._losses.append(loss.detach())

    def record(self, values: dict[str, Tensor | float], device: torch.device) -> None:
        """Remember the values of a step."""
        self._rows.append({name: torch.as_tensor(v, device=device).detach().float() for name, v in values.items()})

    def broken(self) -> float | None:
        """Read the losses since the last call: the last of them if one is NaN or infinite, else None."""
        losses, self._losses = self._losses, []
        return float(losses[-1]) if losses and not torch.stack(losses).isfinite().all() else None

    def flush(self, mean: Callable[[Tensor], Tensor]) -> None:
        """Move what was recorded into `history`.  mean: over processes, of a table (steps, names)."""
        if not self._rows:
            return
        names = list(self._rows[0])
        table = mean(torch.stack([torch.stack([row[name] for name in names]) for row in self._rows]))
        for name, column in zip(names, table.T.tolist(), strict=True):
            self.history.setdefault(name, []).extend(column)
        self._rows.clear()
