"""What a package offers, loaded when first used, so that importing the course costs nothing (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any


def attach(package: str, **homes: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package that offers all its submodules, and the names in `homes`.

    Args: package: its `__name__`.  homes: for each further name the submodule that defines it.
    """
    submodules = {found.name for found in iter_modules(sys.modules[package].__path__) if found.name[0] != "_"}
    offered = sorted(submodules | set(homes))

    def load(name: str) -> Any:
        if name in homes:
            return getattr(import_module(f"{package}.{homes[name]}"), name)
        if name in submodules:
            return import_module(f"{package}.{name}")
        raise AttributeError(f"{package} has no {name!r}; it offers {', '.join(offered)}")

    return load, lambda: offered, offered
