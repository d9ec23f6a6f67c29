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
        for function in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)):
            for mark in (node for node in function.decorator_list if isinstance(node, ast.Call)):
                if ast.unparse(mark.func).split(".")[-1] == "verifies":
                    found.setdefault(ast.literal_eval(mark.args[0]), []).append(function.name)
    return found
