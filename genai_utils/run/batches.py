"""Which rows of the data a step learns from: a function of seed and step alone, so that resuming is exact."""

from __future__ import annotations

import torch
from torch import Tensor

from genai_utils.checks import between, fits, of_type, shaped, whole


def check_seed(seed: int) -> None:
    """Refuse what no order can be drawn from.  Raises: TypeError, ValueError."""
    whole(0, seed=seed)
    between(0, 2**32 - 1, seed=seed)


class Order:
    """Row numbers of any step, for one of several processes that share each batch; reshuffled every epoch.

    Args: n: rows of the data.  batch_size: rows of a step, over all processes.  rank, ranks: this process, and how many
        there are.  device: where the data lies.
    Raises: TypeError: no whole number.  ValueError: a number out of range, or batches that cannot be shared.
    """

    def __init__(
        self, n: int, batch_size: int, seed: int, rank: int = 0, ranks: int = 1, device: torch.device | str = "cpu"
    ):
        fits(n=n)
        whole(1, batch_size=batch_size, ranks=ranks)
        whole(0, rank=rank)
        check_seed(seed)
        if batch_size > n:
            raise ValueError(f"batch_size must be at most n = {n:,}, the rows of the data, got {batch_size}")
        if batch_size % ranks:
            raise ValueError(f"batch_size must divide by ranks = {ranks} processes, got {batch_size}")
        if rank >= ranks:
            raise ValueError(f"rank must be below ranks = {ranks}, got {rank}")
        self.n, self.batch_size, self.seed, self.rank, self.ranks = n, batch_size, int(seed), rank, ranks
        self.device = device
        self._epoch, self._shuffled = -1, torch.empty(0, dtype=torch.long)

    def rows(self, step: int) -> Tensor:
        """Row numbers of a step, counted from 0: (batch_size / ranks,) int64.  Raises: TypeError, ValueError."""
        whole(0, step=step)
        epoch, place = divmod(step, self.n // self.batch_size)
        if epoch != self._epoch:
            shuffle = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
            self._epoch, self._shuffled = epoch, torch.randperm(self.n, generator=shuffle).to(self.device)
        return self._shuffled[place * self.batch_size : (place + 1) * self.batch_size][self.rank :: self.ranks]


def check_data(data: tuple[Tensor, ...]) -> None:
    """Refuse what cannot be learned from.  data: tensors (n, ...).

    Raises: ValueError: no data, unequal lengths, NaN or infinity.  TypeError: no tensors.
    """
    of_type(tuple, data=data)
    for part in data:
        shaped("(n, ...)", data=part)
    lengths = [len(part) for part in data]
    if len(set(lengths)) != 1 or not lengths[0]:
        raise ValueError(f"data must be tensors of equal length, at least one row each, got lengths {lengths}")
    for part in data:
        bad = (~torch.isfinite(part)).flatten(1).any(1) if part.dim() > 1 else ~torch.isfinite(part)
        if bad.any():
            found = f"{int(bad.sum()):,} of {len(part):,} examples hold NaN or infinity"
            first = int(bad.nonzero()[0])
            raise ValueError(f"data must be finite; {found}, the first is number {first}; remove them before training")
