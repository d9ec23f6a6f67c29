"""Put what results/*.json hold into README.md, between the marks of its tables: python benchmarks/tables.py"""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import gpu
import grading
import mutants
from contest import RESULTS

README = Path(__file__).with_name("README.md")
MARKED = re.compile(r"(<!-- table: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def tables() -> dict[str, str]:
    """Every table of results, by its name."""
    made = {"gpu": gpu.table(RESULTS / "gpu.json"), "mutants": mutants.table(), "grading": grading.table()}
    for path in sorted(set(RESULTS.glob("*.json")) - {RESULTS / f"{name}.json" for name in made}):
        made |= importlib.import_module(path.stem).CONTEST.tables(json.loads(path.read_text(encoding="utf-8")))
    return made


def filled(text: str, made: dict[str, str]) -> str:
    """The text with these tables in their places.  Raises: KeyError for a place without a table."""
    return MARKED.sub(lambda place: f"{place[1]}{made[place[2]]}\n{place[3]}", text)


if __name__ == "__main__":
    README.write_text(filled(README.read_text(encoding="utf-8"), tables()), encoding="utf-8")
