"""Data sets and facts of the course: images, toys with exact densities, sourced numbers about money, all results."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .facts import fact
    from .images import Images, fashion_mnist

_HOME = {"Images": "images", "fashion_mnist": "images", "fact": "facts"}
_SUBMODULES = ("facts", "images", "results", "sound", "text", "toys")

__all__ = ["Images", "fact", "fashion_mnist", *_SUBMODULES]


def __getattr__(name: str) -> Any:
    """Load ``data.name`` on first use, so that facts can be read without importing torch."""
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"genai_utils.data has no {name!r}; it offers {', '.join(__all__)}")
