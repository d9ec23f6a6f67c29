"""Tests of equations may use what their chapter defines, without running what it measures."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.notebooks import ROOT, Project, build


def statements(name: str) -> Iterator[ast.stmt]:
    """All statements of the code cells of a chapter, but for the cell that installs."""
    for cell in build(Project(ROOT), name).cells:
        if cell.cell_type == "code" and "setup" not in cell.metadata.get("tags", []):
            yield from ast.parse(cell.source).body


def definitions(name: str, wanted: Iterable[str]) -> dict[str, Any]:
    """The functions and classes of these names in a chapter, with what it imports."""
    wanted, module = set(wanted), ast.Module([], [])
    for statement in statements(name):
        if isinstance(statement, ast.Import | ast.ImportFrom) or getattr(statement, "name", "") in wanted:
            module.body.append(statement)
    found: dict[str, Any] = {}
    exec(compile(module, name, "exec"), found)
    assert wanted <= set(found), f"{name} does not define {', '.join(wanted - set(found))}"
    return found


@pytest.fixture(scope="module")
def chapter(request) -> dict[str, Any]:
    """What the chapter of a test file defines, as far as the file lists it in WANTED."""
    name = Path(request.module.__file__).stem.removeprefix("test_").replace("_", "-")
    return definitions(name, request.module.WANTED)
