"""Formulas as chapters print them: read from the page's LaTeX, computed at random points, held against a reference.

    @as_printed("adoption.peak", p=(0.01, 0.1), q=(0.2, 0.6))
    def peak(p, q):
        return Bass(1.0, p, q).peak

says that the right side of (adoption.peak), computed for random p and q, is what the package computes. A misprinted
exponent, sign or index fails. An equation of which a statement cannot be read so is bound by a hash of its text, in
bound.txt: when it changes, its tests must be looked at again.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from latex import Values, name_of, read, statements

from tools.notebooks import ROOT

DISPLAY = re.compile(r"\$\$(.*?)\$\$", re.DOTALL)
TAG = re.compile(r"\\tag\{([^}]*)\}")
DRAWS = 20


@dataclass(frozen=True)
class Fixed:
    """A function that is itself the value of a symbol."""

    value: Callable[..., Any]


@dataclass(frozen=True)
class Derived:
    """A value that follows from those drawn before it."""

    of: Callable[[Values], Any]


@dataclass(frozen=True)
class Case:
    """One statement of a formula with its reference.

    part: which statement of the display.  where: statements that define symbols which this one uses.
    drawn: symbol -> (low, high), a range of whole numbers, a function of a generator, Fixed, Derived, or a value.
    over: index -> how many values it takes in sums without bounds.
    All sides but the first are computed, and the first where it stands alone.
    """

    name: str
    reference: Callable[..., Any]
    part: int
    where: tuple[int, ...]
    drawn: dict[str, Any]
    over: dict[str, int]

    def values(self, seed: int) -> Values:
        """Random values of the symbols."""
        random, values = np.random.default_rng(seed), Values(over=self.over)
        for symbol, what in self.drawn.items():
            values[symbol] = what.of(values) if isinstance(what, Derived) else _draw(what, random)
        return values

    def expected(self, values: Values) -> Any:
        """What the reference says, given those of the values that it takes."""
        return self.reference(**{name: values[name] for name in inspect.signature(self.reference).parameters})


CASES: list[Case] = []


def as_printed(
    name: str, part: int = 0, where: tuple[int, ...] = (), over: dict[str, int] | None = None, **drawn: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a reference for a formula; see Case."""

    def register(reference: Callable[..., Any]) -> Callable[..., Any]:
        CASES.append(Case(name, reference, part, where, drawn, over or {}))
        return reference

    return register


def unread(name: str, formula: str) -> list[str]:
    """The statements of a formula with two sides or more that no case computes."""
    cases = [case for case in CASES if case.name == name]
    known = {part for case in cases for part in (case.part, *case.where)}
    return [" = ".join(part) for n, part in enumerate(statements(formula)) if len(part) > 1 and n not in known]


@cache
def formulas() -> dict[str, str]:
    """Name -> LaTeX of every named equation of the chapters, without its tag."""
    found = {}
    for path in sorted((ROOT / "book/chapters").glob("*.md")):
        for block in DISPLAY.findall(path.read_text(encoding="utf-8")):
            text = re.sub(r"\n> ?", "\n", block)
            if match := TAG.search(text):
                found[match[1]] = TAG.sub("", text).strip()
    return found


def misfit(case: Case, formula: str) -> str:
    """In which draw the formula differs from the reference, and by how much; empty if it never does."""
    parts = statements(formula)
    first, *others = parts[case.part]
    for seed in range(DRAWS):
        values = case.values(seed)
        for part in case.where:
            values[name_of(parts[part][0])] = read(parts[part][-1])(values)
        expected = np.asarray(case.expected(values), float)
        for side in (side for side in others or [first] if "dots" not in side):
            got = np.asarray(read(side)(values), float)
            if got.shape != expected.shape or not np.allclose(got, expected, rtol=1e-5, atol=1e-9):
                return f"{side.strip()} is {got}, not {expected} in draw {seed}"
    return ""


def _draw(what: Any, random: np.random.Generator) -> Any:
    if isinstance(what, tuple):
        return random.uniform(*what)
    if isinstance(what, range):
        return int(random.integers(what.start, what.stop))
    if isinstance(what, Fixed):
        return what.value
    return what(random) if callable(what) else what
