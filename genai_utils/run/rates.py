"""How the learning rate changes over a run."""

from __future__ import annotations

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def schedule(optimizer: Optimizer, steps: int, warm_up: float = 0.03, last: float = 0.02) -> LambdaLR:
    """The rate rises over the first share of the steps and falls to a share of itself at the end, both in a line."""

    def factor(step: int) -> float:
        return min(1.0, (step + 1) / (warm_up * steps), last + (1 - last) * (1 - step / steps) / (1 - warm_up))

    return LambdaLR(optimizer, factor)
