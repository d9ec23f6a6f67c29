"""How fast this machine is, measured: time of a call, operations a second, bytes a second, and what they allow.

A rate is that of the fastest repeat, since neighbours and clocks can only slow a machine down; a time is the median.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from numbers import Real
from statistics import quantiles
from typing import TypeVar

import numpy as np
import torch

from genai_utils import checks
from genai_utils.metrics.estimate import Estimate

QUARTERS = "half the range between the quartiles over repeats"
FASTEST = "how far the median repeat stays below the fastest"
NUMBERS = 250_000  # of 4 bytes, in a megabyte
Shape = tuple[int, int, int]
Number = TypeVar("Number", float, np.ndarray)


def laps(call: Callable[[], object], repeats: int = 5) -> list[float]:
    """Seconds of each of `repeats` calls, the work of the current GPU included.

    One more call comes first and is not counted: it compiles, fills caches and takes memory.
    Raises: ValueError: fewer than 2 repeats have no spread.  TypeError: nothing to call.
    """
    checks.callables(call=call)
    _check_repeats(repeats)
    return [_lap(call) for _ in range(repeats + 1)][1:]


def seconds(call: Callable[[], object], *, repeats: int = 5) -> Estimate:
    """Median time of a call, seconds; see `laps`.  Raises: as there."""
    first, median, third = quantiles(laps(call, repeats), n=4, method="inclusive")
    return Estimate(median, (third - first) / 2, repeats, QUARTERS)


@checks.representable
def matmul_sweep(
    shapes: Sequence[Shape], dtype: torch.dtype, device: torch.device | str, repeats: int = 5
) -> dict[Shape, Estimate]:
    """Operations a second of matrix products, by shape: (m, k, n) multiplies (m, k) by (k, n) in 2 m k n operations.

    Raises: ValueError: a size below 1 or too large, a device that is not here, a dtype that it cannot multiply, fewer
        than 2 repeats.  TypeError: another type.
    """
    _check_shapes(shapes)
    _check_dtype(dtype, device)
    _check_repeats(repeats)
    found = {}
    for m, k, n in shapes:
        a, b = (torch.randn(size, device=device).to(dtype) for size in ((m, k), (k, n)))
        out = torch.empty(m, n, device=device, dtype=dtype)
        found[m, k, n] = _rate(2 * m * k * n, partial(torch.mm, a, b, out=out), repeats)
    return found


def peak(sweep: Mapping[Shape, Estimate]) -> Estimate:
    """The highest rate of a sweep. Measured against it, no step that multiplies as the sweep did exceeds 100 %.

    Raises: ValueError: an empty sweep, or a rate that is NaN or infinite.  TypeError: no sweep.
    """
    checks.of_type(Mapping, sweep=sweep)
    if not sweep:
        raise ValueError("sweep must hold at least one rate, got none; give matmul_sweep a shape")
    for rate in sweep.values():
        checks.of_type(Estimate, **{"a rate of sweep": rate})
        checks.finite(**{"a rate of sweep": rate.value})
    return max(sweep.values(), key=float)


@checks.representable
def bandwidth(device: torch.device | str, megabytes: int = 256, repeats: int = 5) -> Estimate:
    """Bytes a second between memory and processor: y += x reads two arrays of so many megabytes and writes one.

    Take several times what the caches hold (an H100: 50 MB; a server's CPU: up to some hundred MB).
    Raises: ValueError: megabytes below 1 or above 4000, a device that is not here, fewer than 2 repeats.
        TypeError: another type.
    """
    checks.fits(megabytes=megabytes, numbers_in_each=NUMBERS)
    _check_device(device)
    _check_repeats(repeats)
    x, y = (torch.zeros(megabytes * NUMBERS, device=device) for _ in range(2))
    return _rate(3 * x.nbytes, lambda: y.add_(x), repeats)


@checks.representable
def attainable(intensity: Number, peak: float, bandwidth: float) -> Number:
    """Operations a second that a machine allows at best: the roofline. Equation (gpu.roofline).

    Args: intensity: operations for each byte moved, >= 0, a number or array.  peak: operations a second, > 0.
        bandwidth: bytes a second, > 0.
    Raises: ValueError: an argument out of its range, NaN or infinite.  TypeError: no number.
    Source: Williams, Waterman & Patterson 2009, doi:10.1145/1498765.1498785.
    """
    checks.of_type((Real, np.ndarray), intensity=intensity)
    least = checks.array("intensity", intensity, "(...)", least=0).min(initial=0.0)
    checks.at_least(0.0, intensity=least)
    checks.above(0.0, peak=peak, bandwidth=bandwidth)
    return np.minimum(peak, intensity * bandwidth)


@checks.representable
def utilization(work: float, seconds: float, limit: float) -> float:
    """Share of what the machine could have done in that time. Equations (gpu.mfu) and (gpu.mbu).

    MFU: `work` counts the operations that the model needs (recomputed ones are not needed) and `limit` is the peak,
    operations a second.  MBU: `work` counts the bytes that must be read (`models.gpt.decoding_bytes`) and `limit` is
    the bandwidth, bytes a second.  Above 1 the inputs contradict each other; the number is returned, because that is
    how one finds out.
    Raises: ValueError: work negative, seconds or limit not above zero, or any NaN or infinite.
    Source: MFU: Chowdhery et al. 2022, arXiv:2204.02311, §4.1.
    """
    checks.at_least(0.0, work=work)
    checks.above(0.0, seconds=seconds, limit=limit)
    return work / (seconds * limit)


def _check_repeats(repeats: int) -> None:
    checks.whole(2, repeats=repeats)  # one time alone has no spread
    checks.fits(repeats=repeats)


def _check_shapes(shapes: Sequence[Shape]) -> None:
    checks.of_type(Sequence, shapes=shapes)
    for shape in shapes:
        if not isinstance(shape, Sequence) or len(shape) != 3:
            raise ValueError(f"shapes must hold three sizes (m, k, n) each, got {shape!r}")
        m, k, n = ({f"{axis} in shapes": size} for axis, size in zip("mkn", shape, strict=True))
        for matrix in (m | k, k | n, m | n):
            checks.fits(**matrix)


def _check_device(device: torch.device | str) -> None:
    checks.of_type((torch.device, str), device=device)
    try:
        torch.ones(1, device=device).cpu()  # from the meta device nothing comes back
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built for the device
        raise ValueError(f"device must be one of this machine, got {str(device)!r}: {error}") from error


def _check_dtype(dtype: torch.dtype, device: torch.device | str) -> None:
    _check_device(device)
    checks.of_type(torch.dtype, dtype=dtype)
    one = torch.ones(1, 1, device=device)
    try:
        one.to(dtype) @ one.to(dtype)
    except RuntimeError as error:
        raise ValueError(f"dtype must be one that {device} multiplies, got {dtype}: {error}") from error


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
