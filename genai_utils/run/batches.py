"""Which rows of the data a step learns from: a function of seed and step alone, so that resuming is exact."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import Tensor


def whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    """A whole number within bounds.  Raises: ValueError."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or number < least or (most is not None and number > most):
        bounds = f"of at least {least}" if most is None else f"in {least}..{most}"
        raise ValueError(f"{name} must be a whole number {bounds}, got {value!r}")
    return number


class Order:
    """Row numbers of any step, for one of several processes that share each batch; reshuffled every epoch.

    Args: n: rows of the data.  batch_size: rows of a step, over all processes.  rank, ranks: this process, and how many
        there are.  device: where the data lies.
    """

    def __init__(
        self, n: int, batch_size: int, seed: int, rank: int = 0, ranks: int = 1, device: torch.device | str = "cpu"
    ):
        batch_size = whole("batch_size", batch_size, 1, n)
        if batch_size % ranks:
            raise ValueError(f"batch_size must divide by {ranks} processes, got {batch_size}")
        self.n, self.batch_size, self.seed, self.rank, self.ranks = n, batch_size, seed, rank, ranks
        self.device = device
        self._epoch, self._shuffled = -1, torch.empty(0, dtype=torch.long)

    def rows(self, step: int) -> Tensor:
        """Row numbers of a step, counted from 0: (batch_size / ranks,) int64."""
        epoch, place = divmod(step, self.n // self.batch_size)
        if epoch != self._epoch:
            shuffle = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
            self._epoch, self._shuffled = epoch, torch.randperm(self.n, generator=shuffle).to(self.device)
        return self._shuffled[place * self.batch_size : (place + 1) * self.batch_size][self.rank :: self.ranks]


def check_data(data: tuple[Tensor, ...]) -> None:
    """Refuse what cannot be learned from.  Raises: ValueError for no data, unequal lengths, NaN or infinity."""
    if not data or len({len(part) for part in data}) > 1:
        raise ValueError(f"batches needs tensors of equal length, got lengths {[len(part) for part in data]}")
    for part in data:
        bad = (~torch.isfinite(part)).flatten(1).any(1) if part.dim() > 1 else ~torch.isfinite(part)
        if bad.any():
            found = f"{int(bad.sum()):,} of {len(part):,} examples hold NaN or infinity"
            raise ValueError(f"{found}, the first is number {int(bad.nonzero()[0])}; remove them before training")
