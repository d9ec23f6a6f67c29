"""Explorers: widgets whose arithmetic runs in the browser, so that they also work on a page without a kernel."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .capex import WhatMustBeTrue
    from .game import PlayTheGame
    from .gpt import GPTExplorer
    from .latent import LatentExplorer
    from .map import LatentMap
    from .pnl import ProfitAndLoss

_HOME = {
    "GPTExplorer": "gpt",
    "LatentExplorer": "latent",
    "LatentMap": "map",
    "PlayTheGame": "game",
    "ProfitAndLoss": "pnl",
    "WhatMustBeTrue": "capex",
}

__all__ = ["GPTExplorer", "LatentExplorer", "LatentMap", "PlayTheGame", "ProfitAndLoss", "WhatMustBeTrue"]


def __getattr__(name: str) -> Any:
    """Load an explorer on first use: not all of them need torch and trained weights."""
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"genai_utils.show.explorers has no {name!r}; it offers {', '.join(__all__)}")
