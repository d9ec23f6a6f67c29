"""The part of the GPU check that runs chapters to their end with the budget of a GPU, where there is no Jupyter.

    python -m tools.gpu.chapters NAME FILE [--cells N]

runs the code cells of a chapter in the empty folder in which it is started and keeps in FILE how each of them ended.
What a notebook shows is thrown away. A cell that fails is kept with its error; those after it run all the same.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ("gan-training", "transformers")
CELL = re.compile(r"^```python[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def cells(text: str) -> list[str]:
    """The code cells of a chapter, in order.  text: its Markdown."""
    return [source.rstrip("\n") for source in CELL.findall(text)]


def stand_in() -> None:
    """Modules that show things in notebooks: where they are missing, others that show nothing."""
    if not find_spec("IPython"):
        shown = _module("IPython.display")
        shown.display = _shows_nothing  # type: ignore[attr-defined]
        for name in ("HTML", "Image", "Markdown", "Audio", "SVG", "Pretty"):
            setattr(shown, name, Widget)
        _module("IPython", display=shown, get_ipython=lambda: None, version_info=(9, 0))  # matplotlib asks for both
    if not find_spec("traitlets"):
        _module("traitlets", __getattr__=_trait)
    for name, offered in {"anywidget": "AnyWidget", "ipywidgets": "interact"}.items():
        if not find_spec(name):
            _module(name, **{offered: Widget})


class Widget:
    """Stands for whatever a notebook would draw."""

    def __init__(self, *values: Any, **options: Any):
        for name, value in options.items():
            setattr(self, name, value)

    def trait_names(self) -> list[str]:
        """What may be set."""
        return [name for name in dir(type(self)) if isinstance(getattr(type(self), name), Trait)]


class Trait:
    """Stands for an attribute of a widget; can be called as the decorator that some of them are."""

    def __init__(self, *values: Any, **options: Any):
        self.values = values

    def __call__(self, function: Any) -> Any:
        """Leave a function as it is."""
        return function

    def tag(self, **options: Any) -> Trait:
        """Nobody follows it."""
        return self


def _shows_nothing(*shown: Any, **options: Any) -> None:
    """Takes what would be shown."""


def _trait(name: str) -> Any:
    """Any kind of trait; what Python itself asks a module for is not there."""
    if name.startswith("__"):
        raise AttributeError(name)
    return Trait


def _module(name: str, **offered: Any) -> ModuleType:
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    vars(module).update(offered)
    sys.modules[name] = module
    return module


def run(sources: list[str], keep: Callable[[list[dict[str, Any]]], None]) -> list[dict[str, Any]]:
    """Run cells one after the other; what became of them is kept after each."""
    stand_in()
    space: dict[str, Any] = vars(_module("__main__", __name__="__main__"))
    found: list[dict[str, Any]] = []
    for number, source in enumerate(sources, 1):
        start = time.time()
        error = _failure(source, space, f"cell {number}")
        row = {"cell": number, "begins": source.splitlines()[0], "seconds": round(time.time() - start, 2)}
        found.append(row | ({"error": error} if error else {}))
        keep(found)
    return found


def _failure(source: str, space: dict[str, Any], name: str) -> list[str] | None:
    """Run a cell and, as notebooks do, make the text of its last expression.  Returns: the lines of an error."""
    try:
        tree = ast.parse(source, name)
        last = tree.body[-1] if tree.body else None
        shown = ast.Expression(last.value) if isinstance(last, ast.Expr) else None
        exec(compile(ast.Module(tree.body[:-1] if shown else tree.body, []), name, "exec"), space)
        if shown:
            value = eval(compile(shown, name, "eval"), space)
            for form in ("_repr_html_", "__repr__"):
                getattr(value, form, str)()
    except Exception as error:
        place = [
            f"line {frame.lineno}" for frame in traceback.extract_tb(error.__traceback__) if frame.filename == name
        ]
        return [*place[-1:], *_line(source, place), f"{type(error).__name__}: {error}"[:500]]
    return None


def _line(source: str, place: list[str]) -> list[str]:
    lines = source.splitlines()
    return [lines[int(place[-1].split()[1]) - 1].strip()] if place else []


def chapters(check: Any) -> None:
    """Run the chapters side by side, each in a process of its own, for as long as there is time.

    Raises: AssertionError: a cell failed, or a chapter did not reach its end.
    """
    names = check.pick(CHAPTERS, CHAPTERS[:1])
    with tempfile.TemporaryDirectory() as folder:
        places = {name: Path(folder, name) for name in names}
        started = {name: _start(check, name, place) for name, place in places.items()}
        try:
            while check.left > 4 and any(process.poll() is None for process in started.values()):
                time.sleep(0.5)
                _gather(check, places)
        finally:
            for process in started.values():
                process.kill()
        broken = _gather(check, places)
    ended = {name: process.wait() for name, process in started.items()}
    check.note("exit", ended)
    late = [f"{name} did not reach its end" for name, code in ended.items() if code < 0]
    assert not broken and not any(ended.values()), "; ".join(broken + late) or f"ended with {ended}"


def _start(check: Any, name: str, place: Path) -> subprocess.Popen[bytes]:
    place.mkdir()
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"}
    environment |= {"GENAI_BUDGET": check.pick("gpu", "smoke")}
    command = [sys.executable, "-m", "tools.gpu.chapters", name, str(place / "cells.json")]
    command += check.pick([], ["--cells", "4"])
    with (check.out / f"chapter-{name}.log").open("wb") as log:
        return subprocess.Popen(command, cwd=place, env=environment, stdout=log, stderr=subprocess.STDOUT)


def _gather(check: Any, places: dict[str, Path]) -> list[str]:
    """Keep how far the chapters are.  Returns: the cells that failed, in words."""
    broken = []
    for name, place in places.items():
        done = json.loads((place / "cells.json").read_text()) if (place / "cells.json").exists() else []
        wrong = [row for row in done if "error" in row]
        check.note(name, {"cells": len(done), "of": len(cells(_text(name))), "failed": wrong})
        check.note(f"{name}, seconds", [row["seconds"] for row in done])
        check.figure(f"chapter.{name}.seconds", sum(row["seconds"] for row in done), "s")
        broken += [f"{name}, cell {row['cell']}: {row['error'][-1]}" for row in wrong]
    return broken


def _text(name: str) -> str:
    return (ROOT / "book" / "chapters" / f"{name}.md").read_text(encoding="utf-8")


def main() -> int:
    """Run one chapter.  Returns: the exit status, 1 if a cell failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("file", type=Path)
    parser.add_argument("--cells", type=int, help="only the first ones, and whether the rest can be read")
    options = parser.parse_args()
    sources = cells(_text(options.name))
    for number, source in enumerate(sources, 1):
        ast.parse(source, f"cell {number}")

    def keep(found: list[dict[str, Any]]) -> None:
        fresh = options.file.with_suffix(".part")
        fresh.write_text(json.dumps(found))
        os.replace(fresh, options.file)
        row = found[-1]
        print(f"-- cell {row['cell']}: {row['seconds']} s {row.get('error', '')}", flush=True)

    found = run(sources[: options.cells], keep)
    return int(any("error" in row for row in found))


if __name__ == "__main__":
    sys.exit(main())
