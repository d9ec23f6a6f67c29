"""Which tests verify which equation: read from `@verifies("gan.jsd")` in tests/equations, without running anything."""

from __future__ import annotations

import ast
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
