"""What the models of the course cost and what they are worth: one row a model, collected from the executed chapters."""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from pathlib import Path

TABLE = Path(__file__).with_name("results.csv")


@dataclass(frozen=True)
class Row:
    """One model of one chapter; None where it has no such number. See `show.results.Result` for the columns."""

    chapter: str
    model: str
    data: str
    parameters: int
    steps: int
    seconds: float
    bits_per_dim: float | None
    likelihood: str
    frechet: float | None
    coverage: float | None
    usd_per_1000: float | None


TEXTS = ("chapter", "model", "data", "likelihood")
COUNTS = ("parameters", "steps")


def results() -> list[Row]:
    """All rows, chapter by chapter."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        return [_parsed(row) for row in csv.DictReader(file, strict=True)]


def _parsed(row: dict[str, str]) -> Row:
    texts = {name: row[name] for name in TEXTS}
    counts = {name: int(row[name]) for name in COUNTS}
    others = [field.name for field in fields(Row) if field.name not in (*TEXTS, *COUNTS)]
    return Row(**texts, **counts, **{name: float(row[name]) if row[name] else None for name in others})  # type: ignore[arg-type]
