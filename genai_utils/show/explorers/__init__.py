"""Explorers: widgets whose arithmetic runs in the browser, so that they also work on a page without a kernel."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .game import PlayTheGame
    from .latent import LatentExplorer
    from .map import LatentMap

_HOME = {"LatentExplorer": "latent", "LatentMap": "map", "PlayTheGame": "game"}

__all__ = ["LatentExplorer", "LatentMap", "PlayTheGame"]


def __getattr__(name: str) -> Any:
    """Load an explorer on first use: not all of them need torch and trained weights."""
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"genai_utils.show.explorers has no {name!r}; it offers {', '.join(__all__)}")
