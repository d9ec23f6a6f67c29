"""What a run was given to train with, and so what its checkpoint keeps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from accelerate.optimizer import AcceleratedOptimizer
from accelerate.scheduler import AcceleratedScheduler
from accelerate.utils import extract_model_from_parallel
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from genai_utils.checks import of_type
from genai_utils.run import checkpoints
from genai_utils.run.log import check_optimizers

KINDS = (nn.Module, Optimizer, LRScheduler, AcceleratedScheduler)  # an AcceleratedOptimizer is an Optimizer
GIVE = "give it to run.setup, as in `model, optimizer, schedule = run.setup(model, optimizer, schedule)`"


class Parts:
    """Models, optimizers and schedules as they came, without what accelerate wraps around them."""

    def __init__(self) -> None:
        self.all: list[Any] = []
        self._rates: dict[int, list[float]] = {}  # at the start, by the optimizer

    def add(self, part: Any) -> None:
        """Take a part, wrapped or not.  Raises: TypeError: something else."""
        self.all.append(bare(part))

    def check(self) -> None:
        """Refuse to go on where something that trains is not among the parts.  Raises: ValueError."""
        kept = {id(p) for part in self.all if isinstance(part, nn.Module) for p in part.parameters()}
        for optimizer in (part for part in self.all if isinstance(part, Optimizer)):
            trained = list(chain.from_iterable(group["params"] for group in optimizer.param_groups))
            if lost := sum(id(p) not in kept for p in trained):
                found = f"{lost} of the {len(trained)} tensors that {type(optimizer).__name__} trains are in no model"
                raise ValueError(f"{found} that the checkpoint keeps; give their nn.Module to run.setup")
            if "initial_lr" in optimizer.param_groups[0] and not self._schedules(optimizer):
                found = f"a schedule moves the rate of {type(optimizer).__name__}, and the checkpoint does not keep it"
                raise ValueError(f"{found}; {GIVE}")
            self._rates[id(optimizer)] = rates(optimizer)

    def check_step(self, optimizers: Sequence[Optimizer]) -> None:
        """Refuse a step with a rate that a resumed run would not have.  Raises: ValueError, TypeError."""
        check_optimizers(optimizers)
        for optimizer in map(bare, optimizers):
            if id(optimizer) not in self._rates:
                raise ValueError(f"the checkpoint does not keep {type(optimizer).__name__}; {GIVE}")
            last = [[float(rate) for rate in one.get_last_lr()] for one in self._schedules(optimizer)]
            due = last or [self._rates[id(optimizer)]]
            if (found := rates(optimizer)) not in due:
                moved = f"the rate of {type(optimizer).__name__} went from {due[0]} to {found}"
                raise ValueError(f"{moved} by nothing that the checkpoint keeps; make it a schedule, and {GIVE}")

    def trained_by(self, optimizers: Sequence[Optimizer]) -> str:
        """The networks that optimizers move, in words; of those that did not come here, the optimizers themselves.

        Raises: TypeError: no optimizers.
        """
        check_optimizers(optimizers)
        moved = {id(p) for one in optimizers for group in bare(one).param_groups for p in group["params"]}
        networks = [name for name, part in self._networks() if any(id(p) in moved for p in part.parameters())]
        return ", ".join(networks or [type(bare(one)).__name__ for one in optimizers])

    def broken(self) -> str | None:
        """The first network with a weight that is NaN or infinite; each is asked once."""
        for name, part in self._networks():
            sound = [p.detach().isfinite().all() for p in part.parameters()]
            if sound and not torch.stack(sound).all():
                return name
        return None

    def restore(self, states: Sequence[Any], path: Path) -> None:
        """Load the saved state of each part.  Raises: ValueError if one does not fit; TypeError."""
        of_type((list, tuple), states=states)
        if len(states) != len(self.all):
            raise ValueError(f"states must be {len(self.all)}, one a part, got {len(states)}; {checkpoints.WAYS_OUT}")
        for part, state in zip(self.all, states, strict=True):
            checkpoints.restore(part, state, path)

    def _networks(self) -> list[tuple[str, nn.Module]]:
        numbered = enumerate(self.all, 1)
        return [(f"{type(part).__name__} (part {i})", part) for i, part in numbered if isinstance(part, nn.Module)]

    def _schedules(self, optimizer: Optimizer) -> list[LRScheduler]:
        return [one for one in self.all if isinstance(one, LRScheduler) and bare(one.optimizer) is optimizer]


def bare(part: Any) -> Any:
    """A part without what accelerate wrapped around it.  Raises: TypeError: something else."""
    of_type(KINDS, part=part)
    if isinstance(part, AcceleratedOptimizer):
        return part.optimizer
    if isinstance(part, AcceleratedScheduler):
        return part.scheduler
    return extract_model_from_parallel(part) if isinstance(part, nn.Module) else part


def rates(optimizer: Optimizer) -> list[float]:
    """The learning rate of each group.  Raises: TypeError: no optimizer."""
    of_type(Optimizer, optimizer=optimizer)
    return [float(group["lr"]) for group in optimizer.param_groups]
