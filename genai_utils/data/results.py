"""What the models of the course cost and what they are worth: one row a model, collected from the executed chapters."""

from __future__ import annotations

import csv
from dataclasses import dataclass
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


def results() -> list[Row]:
    """All rows, chapter by chapter."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        return [_parsed(row) for row in csv.DictReader(file, strict=True)]


def _parsed(row: dict[str, str]) -> Row:
    return Row(
        chapter=row["chapter"],
        model=row["model"],
        data=row["data"],
        parameters=int(row["parameters"]),
        steps=int(row["steps"]),
        seconds=float(row["seconds"]),
        bits_per_dim=_number(row["bits_per_dim"]),
        likelihood=row["likelihood"],
        frechet=_number(row["frechet"]),
        coverage=_number(row["coverage"]),
        usd_per_1000=_number(row["usd_per_1000"]),
    )


def _number(text: str) -> float | None:
    return float(text) if text else None
