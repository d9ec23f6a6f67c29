"""Helpers of the course "Generative AI: Gold Mine or Bubble?"; import as ``gu``.

Submodules (``gu.data``, ``gu.metrics``, ``gu.show``, ...) load when first used: importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {"Run": "run", "budget": "session", "start": "session"}
_SUBMODULES = ("data", "metrics", "models", "run", "session", "show", "zoo")

__all__ = [*_HOME, *_SUBMODULES]


def __getattr__(name: str) -> Any:
    """Load ``gu.name`` on first use (PEP 562)."""
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"genai_utils has no {name!r}; it offers {', '.join(__all__)}")
