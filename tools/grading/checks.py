"""Checks that you can run as often as you like; each time one fails, it tells one hint more."""

import math
from collections.abc import Callable
from typing import Any

_tries: dict[str, int] = {}


def close(x: float, y: float, rel: float = 1e-6, near_zero: float = 1e-9) -> bool:
    """Whether two numbers are the same but for rounding."""
    return math.isclose(x, y, rel_tol=rel, abs_tol=near_zero)


def refuses(function: Callable[..., Any], *arguments: float) -> bool:
    """Whether a function raises ValueError."""
    try:
        function(*arguments)
    except ValueError:
        return True
    return False


def check(name: str, test: Callable[[], Any], *hints: str) -> None:
    """Say whether a test holds, and a further hint at each try that fails.  test: without arguments."""
    try:
        seen = "" if test() else "not so"
    except Exception as error:
        seen = f"{type(error).__name__}: {error}"
    if not seen:
        print(f"right: {name}")
        return
    _tries[name] = _tries.get(name, 0) + 1
    print(f"not yet: {name} ({seen})")
    for number, hint in enumerate(hints[: _tries[name]], start=1):
        print(f"  hint {number} of {len(hints)}: {hint}")
