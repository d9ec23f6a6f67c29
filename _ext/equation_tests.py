"""Which tests verify which equation: read from `@verifies("gan.jsd")` in tests/equations, without running anything.

A test is tied to what a page prints: either the formula is parsed from the page and computed (as_printed), or its text
is bound by a digest in bound.txt, which fails when the text changes.
"""

from __future__ import annotations

import ast
import hashlib
import re
from functools import cache
from pathlib import Path


@cache
def tests(source: str) -> dict[str, list[str]]:
    """Equation name -> names of the tests that verify it, in the order of the files."""
    found: dict[str, list[str]] = {}
    for path in sorted(Path(source, "tests/equations").glob("test_*.py")):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for function in (node for node in nodes if isinstance(node, ast.FunctionDef) and node.name[:5] == "test_"):
            for mark in (node for node in function.decorator_list if isinstance(node, ast.Call)):
                if ast.unparse(mark.func).split(".")[-1] == "verifies":
                    for name in map(ast.literal_eval, mark.args):
                        found.setdefault(name, []).append(function.name)
    return found


@cache
def bound(source: str) -> dict[str, str]:
    """Equation name -> digest of its text, of those that are bound; the others are parsed."""
    lines = Path(source, "tests/equations/bound.txt").read_text(encoding="utf-8").splitlines()
    return {name: digest for name, digest in (line.split() for line in lines if line[:1] not in ("", "#"))}


def digest(formula: str) -> str:
    """Eight letters that change with a formula, not with its spaces."""
    return hashlib.sha256(re.sub(r"\s+", "", formula).encode()).hexdigest()[:8]
