"""The models of the business chapters can be bent: each slider, at its two ends, changes what its cell says."""

import contextlib
import inspect
import io
from collections.abc import Callable
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
import pytest
from contract import names

from tools.notebooks import ROOT, Project, build

COURSE = Project(ROOT)
LIVE = [name for name in COURSE.names if COURSE.parts(name)[0].live]
Bent = tuple[Callable[..., Any], dict[str, Any]]


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


@pytest.mark.parametrize("name", COURSE.names)
def test_a_chapter_says_that_it_is_live_when_it_has_sliders(name):
    front, text = COURSE.parts(name)
    assert front.live == ("sliders(" in text)


@pytest.mark.parametrize("bent", LIVE, indirect=True)
def test_each_slider_begins_at_the_printed_value_and_moves_the_answer_at_both_ends(bent):
    assert bent
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
