"""What a part of the GPU check is given: a device, a size, a place for its figures, and the time it may take."""

from __future__ import annotations

import gc
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import torch
from torch import Tensor

from genai_utils.metrics.estimate import Estimate
from tools.gpu.report import Report

Size = TypeVar("Size")


class OutOfTime(BaseException):
    """A part took longer than it may. No `except Exception` of a part keeps it from ending."""


@dataclass
class Check:
    """One part at work.

    toy: small sizes, to rehearse on a processor.  data: folder that `tools.make_gpu_data` wrote, or None.  out: for
    files that come back.  until: time at which the part is ended.  planned: time at which it should be done.
    """

    report: Report
    part: str
    device: torch.device
    toy: bool
    data: Path | None
    out: Path
    until: float
    planned: float

    @property
    def left(self) -> float:
        """Seconds that this part still has."""
        return self.until - time.time()

    @property
    def on_gpu(self) -> bool:
        """Whether this is the real thing."""
        return self.device.type == "cuda"

    def pick(self, full: Size, toy: Size) -> Size:
        """The size of a real run or that of a rehearsal."""
        return toy if self.toy else full

    def figure(self, id: str, value: float | Estimate, unit: str, spread: float | None = None) -> None:
        """Keep a number; an estimate comes with its spread."""
        known = value.spread if isinstance(value, Estimate) else spread
        self.report.figure(self.part, id, float(value), unit, known)

    def note(self, name: str, value: Any) -> None:
        """Keep what is no number."""
        self.report.note(self.part, name, value)

    def compiled(self, call: Callable[..., Tensor], mode: str | None = None) -> Callable[..., Tensor]:
        """The call, compiled; in a rehearsal traced alone, since no compiler need be there."""
        if self.toy:
            return torch.compile(call, backend="eager")
        return torch.compile(call, mode=mode, dynamic=False)

    def wait(self) -> None:
        """Until the device has done what it was asked to."""
        if self.on_gpu:
            torch.cuda.synchronize()


def free() -> None:
    """Give back what nobody holds any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def reason(error: BaseException) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"[:300]


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """A block that is broken off after so many seconds.  Raises: OutOfTime."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise OutOfTime(f"more than {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.01))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
