"""What a training run on many devices takes and costs: exchange of gradients, efficiency, failures, rent or purchase.

Bytes, seconds, hours and US dollars (USD) as the names say.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from genai_utils import checks


@checks.representable
def ring_seconds(*, gradient_bytes: float, devices: int, bytes_per_second: float, latency: float = 0.0) -> float:
    """Time in which devices in a ring add up their gradients (all-reduce). Equation (gpu.ring).

    Each sends 2 (n - 1) messages of 1/n of the bytes to its neighbour: n - 1 that add, n - 1 that hand the sums on.
    Args: bytes_per_second: of one link in one direction, > 0.  latency: seconds that each message takes besides.
    Raises: ValueError: an argument out of its range, NaN or infinite.
    Source: Patarasuk & Yuan 2009, doi:10.1016/j.jpdc.2008.09.002.
    """
    checks.whole(1, devices=devices)
    checks.at_least(0.0, gradient_bytes=gradient_bytes, latency=latency)
    checks.above(0.0, bytes_per_second=bytes_per_second)
    return 2 * (devices - 1) * (gradient_bytes / devices / bytes_per_second + latency)


@checks.representable
def efficiency(*, compute_seconds: float, exchange_seconds: float, hidden_seconds: float = 0.0) -> float:
    """Share of their time in which devices compute, each with a batch of its own. Equation (gpu.efficiency).

    Args: compute_seconds: of one device's step.  exchange_seconds: see `ring_seconds`.  hidden_seconds: of the
        exchange that can run while gradients are still computed, at most about two thirds of the computing.
    Raises: ValueError: an argument out of its range, NaN or infinite.
    """
    checks.above(0.0, compute_seconds=compute_seconds)
    checks.at_least(0.0, exchange_seconds=exchange_seconds, hidden_seconds=hidden_seconds)
    return compute_seconds / (compute_seconds + max(0.0, exchange_seconds - hidden_seconds))


@checks.representable
def checkpoint_interval(*, write_seconds: float, seconds_between_failures: float) -> float:
    """Seconds of work between checkpoints that lose least: sqrt(2 d M). Equation (gpu.interval).

    Args: write_seconds: d, what a checkpoint takes, and far less than M, seconds_between_failures, of the whole
        cluster on average: a device's own, divided by their number.
    Raises: ValueError: an argument out of its range, NaN or infinite.
    Source: Young 1974, doi:10.1145/361147.361115; Daly 2006, doi:10.1016/j.future.2004.11.016, has higher orders.
    """
    checks.above(0.0, write_seconds=write_seconds, seconds_between_failures=seconds_between_failures)
    return math.sqrt(2 * write_seconds * seconds_between_failures)


class Bill(NamedTuple):
    """What a run takes: hours on the clock, and USD."""

    hours: float
    usd: float


@checks.representable
def bill(*, device_hours: float, devices: int, efficiency: float, usd_per_device_hour: float) -> Bill:
    """Hours and rent of a run.

    Args: device_hours: that one device alone would need, >= 0.  efficiency: of so many together, (0, 1].
    Raises: ValueError: an argument out of its range, NaN or infinite.
    """
    checks.at_least(0.0, device_hours=device_hours, usd_per_device_hour=usd_per_device_hour)
    checks.whole(1, devices=devices)
    checks.share("(0, 1]", efficiency=efficiency)
    hours = device_hours / (devices * efficiency)
    return Bill(hours, hours * devices * usd_per_device_hour)


@checks.never_nan
def hours_to_own(*, machine_usd: float, owner_usd_per_hour: float, rent_usd_per_hour: float) -> float:
    """Hours of use after which a machine bought is cheaper than one rented; infinite where its power costs the rent.

    Args: machine_usd: its price less what it will be sold for.  owner_usd_per_hour: power, place and care.
    Raises: ValueError: an argument out of its range, NaN or infinite.
    """
    checks.at_least(0.0, machine_usd=machine_usd, owner_usd_per_hour=owner_usd_per_hour)
    checks.above(0.0, rent_usd_per_hour=rent_usd_per_hour)
    saved = rent_usd_per_hour - owner_usd_per_hour
    return machine_usd / saved if saved > 0 else math.inf
