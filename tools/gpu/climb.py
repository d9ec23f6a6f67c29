"""A waterfall: one change after the other, what each does to the time and, seed by seed, to the quality."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import TypeVar

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from tools.gpu.check import Check, free, reason

Rung = TypeVar("Rung")


@dataclass
class Lap:
    """One training.  ms: a step, the first ones left out.  first: seconds that the first took beyond that (compiling).

    examples: in a second.  quality: lower is better.  memory: bytes at most, 0 where nobody counts.
    """

    ms: float
    first: float
    examples: float
    quality: float
    memory: float


@dataclass
class Climb:
    """Laps by rung, and rungs that failed."""

    laps: dict[str, list[Lap]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def climb(check: Check, name: str, rungs: Mapping[str, Rung], fit: Callable[[Rung, int], Lap], seeds: int) -> None:
    """Train on each rung from each seed, as many seeds as were planned for; figures are told after each seed.

    A rung that fails is noted and left out.
    """
    found, longest = Climb(), 0.0
    for seed in range(seeds):
        end = check.until if seed < 2 else check.planned  # two seeds if it can be
        if seed and end - time.time() < 1.2 * longest + 2:
            break
        start = time.time()
        for rung, options in rungs.items():
            if rung not in found.failed:
                _try(found, rung, lambda options=options, seed=seed: fit(options, seed))  # type: ignore[misc]
        longest = time.time() - start  # the first one also compiles
        tell(check, name, found)
        check.note("failed", found.failed)


def _try(found: Climb, rung: str, fit: Callable[[], Lap]) -> None:
    try:
        found.laps.setdefault(rung, []).append(fit())
    except Exception as error:
        found.failed[rung] = reason(error)
        found.laps.pop(rung, None)
    free()


def tell(check: Check, name: str, found: Climb) -> None:
    """Figures of every rung: time with spread, speed against the first, quality and its change with a p-value."""
    before: list[Lap] | None = None
    first = next(iter(found.laps.values()), None)
    for rung, laps in found.laps.items():
        id = f"{name}.{rung}"
        check.figure(f"{id}.ms", fmean(lap.ms for lap in laps), "ms a step", _spread([lap.ms for lap in laps]))
        check.figure(f"{id}.first", laps[0].first, "s for the first steps, beyond their time")
        rates = [lap.examples for lap in laps]
        check.figure(f"{id}.examples", fmean(rates), "examples/s", _spread(rates))
        check.figure(f"{id}.memory", max(lap.memory for lap in laps), "bytes at most")
        _tell_quality(check, id, laps, before)
        if first:
            speed = [lap.examples / other.examples for lap, other in zip(laps, first, strict=False)]
            check.figure(f"{id}.speed", fmean(speed), "times the first rung", _spread(speed))
        before = laps


def _tell_quality(check: Check, id: str, laps: list[Lap], before: list[Lap] | None) -> None:
    values = [lap.quality for lap in laps]
    check.figure(f"{id}.quality", fmean(values), "lower is better", _spread(values))
    changes = [lap.quality - old.quality for lap, old in zip(laps, before or [], strict=False)]
    if changes:
        check.figure(f"{id}.change", fmean(changes), "against the rung before", _spread(changes))
    if len(changes) > 1 and (p := _p_value(changes)) is not None:
        check.figure(f"{id}.p", p, f"p-value of the change, {len(changes)} pairs")


def _p_value(changes: list[float]) -> float | None:
    """Of a paired t-test; 1 where nothing changed."""
    try:
        from scipy.stats import ttest_1samp
    except ImportError:
        return None
    return float(ttest_1samp(changes, 0.0).pvalue) if len(set(changes)) > 1 else float(not any(changes))


def _spread(values: list[float]) -> float | None:
    return stdev(values) if len(values) > 1 else None


class Watch:
    """Times a loop: the first steps, in which things are compiled and memory is taken, apart from the rest."""

    def __init__(self, check: Check, steps: int, batch: int):
        self.check, self.steps, self.batch, self.done = check, steps, batch, 0
        self.apart = min(10, steps // 2)
        if check.on_gpu:
            torch.cuda.reset_peak_memory_stats()
        check.wait()
        self.start = time.perf_counter()

    def tick(self) -> None:
        """A step was asked for."""
        self.done += 1
        if self.done in (self.apart, self.steps):
            self.check.wait()
            now = time.perf_counter()
            if self.done == self.apart:
                self.early = now - self.start
            self.end = now

    def lap(self, quality: float) -> Lap:
        """What the loop took."""
        each = (self.end - self.start - self.early) / (self.steps - self.apart)
        memory = torch.cuda.max_memory_allocated() if self.check.on_gpu else 0
        return Lap(1e3 * each, max(0.0, self.early - self.apart * each), self.batch / each, quality, memory)


class Rows(Dataset[Tensor]):
    """One example after the other, as tutorials have it."""

    def __init__(self, data: Tensor):
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, row: int) -> Tensor:
        return self.data[row]


def source(data: Tensor, order: Tensor, batch: int, device: torch.device, workers: int | None) -> Iterator[Tensor]:
    """Batches of rows of `data` in this order, on the device.

    workers: None: indexed at once, where the data lie; else one by one, through a DataLoader with so many processes.
    """
    rows = order[: len(order) // batch * batch].view(-1, batch)
    if workers is None:
        return (data[chosen].to(device) for chosen in rows.to(data.device))
    loader = DataLoader(Rows(data), batch_sampler=rows.tolist(), num_workers=workers, pin_memory=device.type == "cuda")
    return (one.to(device, non_blocking=True) for one in loader)
