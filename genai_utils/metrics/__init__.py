"""Metrics of the course: how good are generated samples, how likely does a model find data?"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

_SUBMODULES = ("classifier", "likelihood", "samples", "text")

__all__ = [*_SUBMODULES]


def __getattr__(name: str) -> ModuleType:
    """Load ``metrics.name`` on first use."""
    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"genai_utils.metrics has no {name!r}; it offers {', '.join(__all__)}")
