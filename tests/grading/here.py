"""Hidden tests that ask functions of this very process: quick, for code that is ours."""

import importlib.util
import json
import random
import time
from pathlib import Path
from types import SimpleNamespace

from tools.grading import checks, judge
from tools.grading.channel import Ended
from tools.grading.judge import Ask, Raised, Result
from tools.grading.runner import Notebook, answered
from tools.grading.source import filled


class Here(Ask):
    """Asks names; what goes in and comes out is JSON, as with a sandbox."""

    def __init__(self, names) -> None:
        self.notebook = Notebook()
        self.notebook.names = names

    def _answer(self, *question, cores=None):
        began = time.process_time()
        answer = answered(self.notebook, {"ask": question[0], "with": json.loads(json.dumps(question[1:]))})
        if cores is not None and time.process_time() - began > cores:
            raise Ended(f"it used more than {cores:g} core-seconds")
        if "raised" in answer:
            raise Raised(str(question[1]), answer["raised"])
        return json.loads(json.dumps(answer["value"]))


def lost(items, names, own, *cells: str, only: str = "") -> dict[str, str]:
    """Titles of the tests that fail when cells follow the solution's names, and why."""
    given, result = dict(names), Result("ada", "x", "")
    for cell in cells:
        exec(cell, given)
    ask, truth = Here(given), SimpleNamespace(**names)
    asked = [item for item in items if only in item.title]
    found = {each.title: judge._comment(each, (ask, random.Random(5), own, truth), result) for each in asked}
    assert not result.alarm
    return {title: comment for title, comment in found.items() if comment}


def wrong_ones(folder: Path) -> dict[str, tuple[str, str]]:
    """Wrong solutions of an assignment, and the test that must notice each."""
    found = importlib.util.spec_from_file_location("wrong", folder / "wrong.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module.WRONG


def public(source, names, own, *cells: str) -> None:
    """Run the public checks after cells that follow the solution's names."""
    checks._tries.clear()
    given = dict(names) | {"check": checks.check, "close": checks.close, "refuses": checks.refuses}
    for cell in cells:
        exec(cell, given)
    exec(filled(source.code("public"), own), given)
