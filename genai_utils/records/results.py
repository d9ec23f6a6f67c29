"""What the models of the course cost and what they are worth: one row a model, collected from the executed chapters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from genai_utils import checks
from genai_utils.records.table import from_csv
from genai_utils.records.used import note

TABLE = Path(__file__).with_name("results.csv")
MIME = "application/vnd.genai.result+json"


@dataclass(frozen=True)
class Result:
    """What a model cost and what it is worth. None where it has no such number.

    chapter: where it was measured; a chapter leaves it empty in its own rows.  data: what it learned from.
    steps: optimizer steps.  seconds: of training.  bits_per_dim: of a pixel of the test images at 256 grey levels, so
    that equally likely levels cost 8.  likelihood: what kind of number that is, e.g. "exact" or "lower bound (ELBO)".
    bits_per_character: of text; the row's data say which.  bits_per_sample: of sound at 256 mu-law levels. Both exact.
    n: of the generated images that were judged.  frechet, coverage: of these against the test images, see
    `metrics.samples`.  usd_per_1000: rent of the machine, training not counted, for 1,000 images; characters, if the
    row has bits a character; seconds of sound, if it has bits a sample.
    Raises: TypeError: a field of another type.  ValueError: a number that is NaN or infinite, or a count below 0.
    """

    chapter: str
    model: str
    data: str
    parameters: int
    steps: int
    seconds: float
    bits_per_dim: float | None
    likelihood: str
    bits_per_character: float | None
    bits_per_sample: float | None
    n: int | None
    frechet: float | None
    coverage: float | None
    usd_per_1000: float | None

    def __post_init__(self) -> None:
        checks.as_hinted(self)

    def cells(self) -> dict[str, str]:
        """The row in words, column by column; a dash where it has no such number."""
        return {
            "Model": self.model,
            "Learned from": self.data,
            "Parameters": f"{self.parameters:,}",
            "Training": f"{self.steps:,} steps, {self.seconds:,.0f} s",
            "Bits": self._bits(),
            "Pictures judged": _written(self.n, "{:,}"),
            "Fréchet distance": _written(self.frechet, "{:.1f}"),
            "Coverage": _written(self.coverage, "{:.0%}"),
            "Price of drawing": _written(self.usd_per_1000, "{:.2g} USD for 1,000 " + self._drawn()),
        }

    def _bits(self) -> str:
        forms = {
            "{:.3f} a pixel, " + self.likelihood: self.bits_per_dim,
            "{:.3f} a character": self.bits_per_character,
            "{:.3f} a sample of sound": self.bits_per_sample,
        }
        return next((_written(bits, form) for form, bits in forms.items() if bits is not None), "–")

    def _drawn(self) -> str:
        if self.bits_per_character is not None:
            return "characters"
        return "pictures" if self.bits_per_sample is None else "seconds of sound"

    def __str__(self) -> str:
        return "; ".join(f"{name} {text}" for name, text in self.cells().items() if text != "–")


def results() -> list[Result]:
    """All rows, chapter by chapter. A chapter reads those of others with `measured`."""
    note(TABLE)
    return read(TABLE)


def read(table: Path) -> list[Result]:
    """The rows of such a table; a chapter reads its own by `results` or `measured`, which note what they read.

    Raises: ValueError: a damaged table; names the line and the remedy.  TypeError: no path.
    """
    checks.of_type(Path, table=table)
    return from_csv(Result, table, "chapter", "model")


def measured(column: str, *chapters: str) -> dict[str, Any]:
    """One number, or word, of each model of these chapters that has it, by the model's name.

    It says whose and which, so that a chapter is stale when that changes, and not when others only ran longer.
    Raises: ValueError: no such column, a chapter without a row, or two models of one name.  TypeError: no words.
    """
    checks.of_type(str, column=column)
    for chapter in chapters:
        checks.of_type(str, chapters=chapter)
    rows = [row for row in read(TABLE) if row.chapter in chapters]
    _check(column, chapters, rows)
    for chapter in chapters:
        note(TABLE, "model", column, chapter=chapter)
    return {row.model: value for row in rows if (value := getattr(row, column)) not in (None, "")}


def _check(column: str, chapters: Sequence[str], rows: Sequence[Result]) -> None:
    columns = [field.name for field in fields(Result)]
    if column not in columns:
        raise ValueError(f"results have no column {column!r}, only {', '.join(columns)}")
    if missing := sorted(set(chapters) - {row.chapter for row in rows}):
        raise ValueError(
            f"no results of the chapters {', '.join(missing)}; run `make notebooks`, or see results() for what there is"
        )
    if len({row.model for row in rows}) < len(rows):
        raise ValueError(
            f"two models of the chapters {', '.join(chapters)} have one name; ask for one chapter at a time"
        )


def _written(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)
