"""Sliders for the inputs of a model, where a kernel is at hand to follow them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def sliders(function: Callable[..., Any], live: bool, **ranges: Any) -> Any:
    """Call a function with its defaults, or, where it is live, once for each move of a slider.

    Args:
        function: prints or returns what a reader shall see; every argument has a default.
        live: whether a kernel runs. A page without one shows what the defaults give.
        ranges: for each argument (lowest, highest) or (lowest, highest, step), as `ipywidgets.interact` takes them.

    Returns: what the function returns, or None where it is live.
    """
    if not live:
        return function()
    from ipywidgets import interact  # late: it takes a while, and most pages need none

    interact(function, **ranges)
    return None
