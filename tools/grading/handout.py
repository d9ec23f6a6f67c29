"""Notebooks made from an assignment's source: the student's, with stubs, and the teacher's, with the solution."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tools.grading import checks
from tools.grading.source import ROOT, Part, Source, broken, filled, stub
from tools.grading.submissions import PLACE

RIGHT = ROOT / "tests/assignments"
TEACHERS = ("hidden", "bugs", "variant", "viva")  # cells that no notebook holds
HEAD = "#@title Checks that you can run; press on\n"


def student(source: Source, own: dict[str, Any], hidden: int) -> dict[str, Any]:
    """What a student gets.  hidden: how many tests there are that he does not see."""
    cells = [_cell(part, _handed(part, source, own), own) for part in source.parts if part.kind not in TEACHERS]
    told = _cell(Part("text", ""), f"Beside the checks in this notebook there are {hidden} hidden tests.", {})
    return _notebook([cells[0], told, _setup(), *cells[1:]])


def teacher(source: Source, own: dict[str, Any]) -> dict[str, Any]:
    """The same notebook, solved."""
    cells = [_cell(part, part.text, own) for part in source.parts if part.kind not in TEACHERS]
    return _notebook([cells[0], _setup(), *cells[1:]])


def code(notebook: dict[str, Any]) -> str:
    """All code of a notebook."""
    return "\n\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")


def handed_out(source: Source) -> str:
    """Code that all students have alike."""
    own = [part.text for part in source.parts if part.kind in ("given", "public", "mend")]
    stubs = [stub(part.text) for part in source.parts if part.kind in ("task", "predict")]
    return "\n".join([_checks(), *own, *stubs])


def solutions(source: Source) -> list[str]:
    """Correct solutions written independently: that of the source, and those of the tests."""
    others = sorted((RIGHT / source.name).glob("right_*.py"))
    return [source.code("task"), *(path.read_text(encoding="utf-8") for path in others)]


def _handed(part: Part, source: Source, own: dict[str, Any]) -> str:
    """A part as a student sees it."""
    if part.kind in ("task", "predict"):
        return stub(part.text)
    return broken(part.text, source.bugs, own["bug"]) if part.kind == "mend" else part.text


def _checks() -> str:
    return Path(checks.__file__).read_text(encoding="utf-8")


def _setup() -> dict[str, Any]:
    return _cell(Part("given", ""), HEAD + _checks().rstrip(), {})


def _cell(part: Part, text: str, own: dict[str, Any]) -> dict[str, Any]:
    """A cell of a notebook."""
    source = (filled(text, own) if own else text).strip("\n").splitlines(keepends=True)
    if part.kind in ("text", "answer"):
        return {
            "cell_type": "markdown",
            "metadata": {},
            "source": [*source, *["\n\n" + PLACE] * (part.kind == "answer")],
        }
    empty: dict[str, Any] = {"execution_count": None, "outputs": []}
    return {"cell_type": "code", "metadata": {"tags": [part.kind]}, "source": source} | empty


def _notebook(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """In the format of Jupyter; cells are numbered, so that the same source makes the same file."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    numbered = [{"id": f"cell-{number}"} | cell for number, cell in enumerate(cells)]
    return {"cells": numbered, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def write(path: Path, notebook: dict[str, Any]) -> None:
    """Store a notebook."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
