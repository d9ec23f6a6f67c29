"""What the models of money ask of their inputs. Each check refuses a number by its name, with what came instead."""

from __future__ import annotations

import math
from typing import Literal


def finite(**numbers: float) -> None:
    """Refuse NaN and infinities.  Raises: ValueError."""
    for name, number in numbers.items():
        if not math.isfinite(number):
            raise ValueError(f"{name} must be a finite number, got {number}")


def above(bound: float, **numbers: float) -> None:
    """Refuse what is not finite and above a bound.  Raises: ValueError."""
    for name, number in numbers.items():
        if not bound < number < math.inf:
            raise ValueError(f"{name} must be a finite number above {bound:g}, got {number}")


def at_least(bound: float, **numbers: float) -> None:
    """Refuse what is not finite and at the bound or above it.  Raises: ValueError."""
    for name, number in numbers.items():
        if not bound <= number < math.inf:
            raise ValueError(f"{name} must be a finite number, {bound:g} or more, got {number}")


def share(within: Literal["(0, 1)", "(0, 1]", "[0, 1)", "[0, 1]"], **numbers: float) -> None:
    """Refuse what is no part of a whole; a round bracket leaves its end out.  Raises: ValueError."""
    for name, number in numbers.items():
        ends = {0.0} if within[0] == "[" else set()
        ends |= {1.0} if within[-1] == "]" else set()
        if not (0 < number < 1 or number in ends):
            raise ValueError(f"{name} is a share in {within}, got {number}; write 60 % as 0.6")
