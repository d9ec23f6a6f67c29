"""How fast this machine is, measured: time of a call, operations a second, bytes a second, and what they allow.

A rate is that of the fastest repeat, since neighbours and clocks can only slow a machine down; a time is the median.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import quantiles
from typing import TypeVar

import numpy as np
import torch

from genai_utils.metrics.estimate import Estimate

QUARTERS = "half the range between the quartiles over repeats"
FASTEST = "how far the median repeat stays below the fastest"
Shape = tuple[int, int, int]
Number = TypeVar("Number", float, np.ndarray)


def laps(call: Callable[[], object], repeats: int = 5) -> list[float]:
    """Seconds of each of `repeats` calls, the work of the current GPU included.

    One more call comes first and is not counted: it compiles, fills caches and takes memory.
    Raises: ValueError: fewer than 2 repeats have no spread.
    """
    if repeats < 2:
        raise ValueError(f"repeats must be at least 2, got {repeats}: one time alone has no spread")
    return [_lap(call) for _ in range(repeats + 1)][1:]


def seconds(call: Callable[[], object], *, repeats: int = 5) -> Estimate:
    """Median time of a call, seconds; see `laps`."""
    first, median, third = quantiles(laps(call, repeats), n=4, method="inclusive")
    return Estimate(median, (third - first) / 2, repeats, QUARTERS)


def matmul_sweep(
    shapes: Sequence[Shape], dtype: torch.dtype, device: torch.device | str, repeats: int = 5
) -> dict[Shape, Estimate]:
    """Operations a second of matrix products, by shape: (m, k, n) multiplies (m, k) by (k, n) in 2 m k n operations."""
    found = {}
    for m, k, n in shapes:
        a, b = (torch.randn(size, device=device).to(dtype) for size in ((m, k), (k, n)))
        out = torch.empty(m, n, device=device, dtype=dtype)
        found[m, k, n] = _rate(2 * m * k * n, partial(torch.mm, a, b, out=out), repeats)
    return found


def peak(sweep: Mapping[Shape, Estimate]) -> Estimate:
    """The highest rate of a sweep. Measured against it, no step that multiplies as the sweep did exceeds 100 %."""
    return max(sweep.values(), key=float)


def bandwidth(device: torch.device | str, megabytes: int = 256, repeats: int = 5) -> Estimate:
    """Bytes a second between memory and processor: y += x reads two arrays of so many megabytes and writes one.

    Take several times what the caches hold (an H100: 50 MB; a server's CPU: up to some hundred MB).
    """
    x, y = (torch.zeros(megabytes * 250_000, device=device) for _ in range(2))  # 4 bytes each
    return _rate(3 * x.nbytes, lambda: y.add_(x), repeats)


def attainable(intensity: Number, peak: float, bandwidth: float) -> Number:
    """Operations a second that a machine allows at best: the roofline. Equation (gpu.roofline).

    Args: intensity: operations for each byte moved, a number or array.  peak: operations a second.
        bandwidth: bytes a second.
    Source: Williams, Waterman & Patterson 2009, doi:10.1145/1498765.1498785.
    """
    return np.minimum(peak, intensity * bandwidth)


def utilization(work: float, seconds: float, limit: float) -> float:
    """Share of what the machine could have done in that time. Equations (gpu.mfu) and (gpu.mbu).

    MFU: `work` counts the operations that the model needs (recomputed ones are not needed) and `limit` is the peak,
    operations a second.  MBU: `work` counts the bytes that must be read (`models.gpt.decoding_bytes`) and `limit` is
    the bandwidth, bytes a second.  Above 1 the inputs contradict each other; the number is returned, because that is
    how one finds out.
    Source: MFU: Chowdhery et al. 2022, arXiv:2204.02311, §4.1.
    """
    return work / (seconds * limit)


def _lap(call: Callable[[], object]) -> float:
    _wait()
    start = time.perf_counter()
    call()
    _wait()
    return time.perf_counter() - start


def _wait() -> None:
    """A GPU works on after the call that asked it has returned."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def _rate(work: float, call: Callable[[], object], repeats: int) -> Estimate:
    times = sorted(laps(call, repeats))
    return Estimate(work / times[0], work / times[0] - work / times[len(times) // 2], repeats, FASTEST)
