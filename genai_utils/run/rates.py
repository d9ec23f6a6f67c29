"""How the learning rate changes over a run."""

from __future__ import annotations

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from genai_utils.checks import of_type, share, whole


def schedule(optimizer: Optimizer, steps: int, warm_up: float = 0.03, last: float = 0.02) -> LambdaLR:
    """The rate rises over the first share of the steps and falls to a share of itself at the end, both in a line.

    Raises: TypeError, ValueError: no steps, or a share outside (0, 1) or, for the last, [0, 1].
    """
    of_type(Optimizer, optimizer=optimizer)
    whole(1, steps=steps)
    share("(0, 1)", warm_up=warm_up)
    share("[0, 1]", last=last)

    def factor(step: int) -> float:
        rise, fall = (step + 1) / (warm_up * steps), last + (1 - last) * (1 - step / steps) / (1 - warm_up)
        return min(1.0, rise, max(last, fall))  # after the end it stays at the last

    return LambdaLR(optimizer, factor)
