"""Which submissions resemble each other more than independent correct solutions do."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from itertools import combinations

TOKEN = re.compile(r"#[^\n]*|\"[^\"\n]*\"|'[^'\n]*'|\d[\w.]*|\w+|[^\w\s]")
LENGTH = 10  # tokens in a row
MOST = 200_000  # characters that are looked at


def prints(code: str) -> frozenset[int]:
    """Hashes of all runs of ten tokens, with names, numbers and strings each taken for the same."""
    tokens = [_kind(token) for token in TOKEN.findall(code[:MOST]) if not token.startswith("#")]
    return frozenset(hash(tuple(tokens[i : i + LENGTH])) for i in range(len(tokens) - LENGTH + 1))


def alike(one: frozenset[int], other: frozenset[int]) -> float:
    """Share of the runs of either that both have, in [0, 1]; 0 if there are none."""
    both = len(one & other)
    return both / (len(one) + len(other) - both) if both else 0.0


def pairs(named: dict[str, frozenset[int]]) -> list[tuple[float, str, str]]:
    """All pairs, the most alike first."""
    found = [(alike(named[a], named[b]), a, b) for a, b in combinations(sorted(named), 2)]
    return sorted(found, key=lambda pair: (-pair[0], pair[1:]))


def null(solutions: Sequence[str], handed_out: str) -> list[float]:
    """How alike independent correct solutions are, what was handed out left aside."""
    common = prints(handed_out)
    return [alike(a - common, b - common) for a, b in combinations(map(prints, solutions), 2)]


def _kind(token: str) -> str:
    if token[0] in "\"'":
        return "text"
    if token[0].isdigit():
        return "number"
    return token if keyword.iskeyword(token) or not token.isidentifier() else "name"
