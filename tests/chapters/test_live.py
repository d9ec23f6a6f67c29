"""The models of the business chapters can be bent: each slider, at its two ends, changes what its cell says."""

import contextlib
import inspect
import io
import symtable
from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
import pytest

from tools.notebooks import ROOT, Project, build

COURSE = Project(ROOT)
CHAPTERS = ["value-and-bubbles", "unit-economics", "evidence-of-value", "adoption-and-bubbles", "china"]
Bent = tuple[Callable[..., Any], dict[str, Any]]


def scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """A scope and all scopes in it."""
    yield table
    for inner in table.get_children():
        yield from scopes(inner)


def names(source: str) -> tuple[set[str], set[str]]:
    """What a cell defines, and what it needs from the cells before it."""
    cell = symtable.symtable(source, "cell", "exec")
    defined = {each.get_name() for each in cell.get_symbols() if each.is_assigned() or each.is_imported()}
    used = {each.get_name() for each in cell.get_symbols() if each.is_referenced()}
    used |= {each.get_name() for scope in scopes(cell) for each in scope.get_symbols() if each.is_global()}
    return defined, used


def behind_sliders(sources: list[str]) -> list[str]:
    """The cells with sliders, and those that they need; the rest of a chapter would take minutes."""
    kept: list[str] = []
    needed: set[str] = set()
    for source in reversed(sources):
        defined, used = names(source)
        if "sliders(" in source or defined & needed:
            kept.insert(0, source)
            needed |= used
    return kept


@pytest.fixture
def bent(request, monkeypatch) -> list[Bent]:
    """What a chapter hands to interact when it is live: functions, and the ranges of their sliders."""
    handed: list[Bent] = []
    monkeypatch.setattr(ipywidgets, "interact", lambda function, **ranges: handed.append((function, ranges)))
    cells = [cell.source for cell in build(COURSE, request.param).cells if cell.cell_type == "code"]
    assert sum("live = False" in source for source in cells) == 1, "live is set once, for all cells of a chapter"
    namespace: dict[str, Any] = {"__name__": "chapter"}  # dataclasses look their module up
    for source in behind_sliders(cells[1:]):
        exec(source.replace("live = False", "live = True"), namespace)
    plt.close("all")
    return handed


def answer(function: Callable[..., Any], arguments: dict[str, Any]) -> str:
    """What a cell prints and shows."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        shown = function(**arguments)
    return f"{printed.getvalue()}{shown}"


@pytest.mark.parametrize("bent", CHAPTERS, indirect=True)
def test_each_slider_begins_at_the_printed_value_and_moves_the_answer_at_both_ends(bent):
    assert len(bent) >= 4
    for function, ranges in bent:
        controls = ipywidgets.interactive(function, {"manual": True}, **ranges).kwargs_widgets
        usual = {each.description: each.value for each in controls}
        inputs = inspect.signature(function).parameters.values()
        assert usual == {each.name: each.default for each in inputs}, (
            f"{function.__name__}: a default is off its slider"
        )
        for control in controls:
            ends = (control.min, control.max) if hasattr(control, "min") else (False, True)
            low, high = (answer(function, usual | {control.description: end}) for end in ends)
            assert low != high, f"{function.__name__}: {control.description} changes nothing"
