"""One row a trained model: what it learned from, what it cost and what it is worth, in columns all chapters share."""

from __future__ import annotations

import math
from dataclasses import asdict, fields

from IPython.display import display

from genai_utils.records.facts import fact
from genai_utils.records.results import MIME, Result
from genai_utils.records.table import html_table, html_text

MACHINE_HOUR = "B-U4"  # the fact that prices an hour of machine
JUDGED = 2_000  # generated images that a chapter judges unless it says otherwise: as many as the shipped test images


def result(
    model: str,
    *,
    data: str,
    parameters: int,
    steps: int,
    seconds: float,
    bits_per_dim: float | None = None,
    likelihood: str = "",
    bits_per_character: float | None = None,
    bits_per_sample: float | None = None,
    n: int = JUDGED,
    frechet: float | None = None,
    coverage: float | None = None,
    sampling_seconds: float | None = None,
) -> None:
    """Show a model's row and store it in the notebook, where the table of all models is collected from.

    Args: as the attributes of `Result`; bits of one kind only. n: counts where frechet or coverage is given.
        sampling_seconds: machine seconds for 1,000 images, characters of text or seconds of sound, priced as a GPU.
    Raises: ValueError if a number is negative or not finite, bits_per_dim does not say what it is, or bits come in two
        kinds.
    """
    if (bits_per_dim is None) != (likelihood == ""):
        raise ValueError(f"{model}: give bits_per_dim and likelihood (what kind of number it is) together")
    if sum(bits is not None for bits in (bits_per_dim, bits_per_character, bits_per_sample)) > 1:
        raise ValueError(f"{model}: give bits of one kind: bits_per_dim, bits_per_character or bits_per_sample")
    price = None if sampling_seconds is None else sampling_seconds * (fact(MACHINE_HOUR).value or math.nan) / 3600
    row = Result(
        chapter="",
        model=model,
        data=data,
        parameters=parameters,
        steps=steps,
        seconds=seconds,
        bits_per_dim=bits_per_dim,
        likelihood=likelihood,
        bits_per_character=bits_per_character,
        bits_per_sample=bits_per_sample,
        n=None if frechet is None and coverage is None else n,
        frechet=frechet,
        coverage=coverage,
        usd_per_1000=price,
    )
    for field in fields(row):
        value = getattr(row, field.name)
        if isinstance(value, int | float) and not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{model}: {field.name} must be a finite number >= 0, got {value}")
    table = html_table(list(row.cells()), [list(map(html_text, row.cells().values()))], css="genai-result")
    display({"text/html": table, "text/plain": str(row), MIME: asdict(row)}, raw=True)
