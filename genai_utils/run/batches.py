"""Which rows of the data a step learns from: a function of seed and step alone, so that resuming is exact."""

from __future__ import annotations

import torch
from torch import Tensor


class Order:
    """Row numbers of any step, for one of several processes that share each batch; reshuffled every epoch.

    Args: n: rows of the data.  batch_size: rows of a step, over all processes.  rank, ranks: this process, and how many
        there are.  device: where the data lies.
    """

    def __init__(
        self, n: int, batch_size: int, seed: int, rank: int = 0, ranks: int = 1, device: torch.device | str = "cpu"
    ):
        if not 1 <= batch_size <= n or batch_size % ranks:
            raise ValueError(f"batch_size must lie in 1..{n} and divide by {ranks} processes, got {batch_size}")
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
