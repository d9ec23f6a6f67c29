"""Small GPTs of three sizes, trained for three numbers of steps and with other choices: what each cost and reached.

Measured by tools/measure_scaling.py on the plays that ship with the course.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from genai_utils import checks
from genai_utils.records.table import from_csv
from genai_utils.records.used import note

TABLE = Path(__file__).with_name("scaling.csv")


@dataclass(frozen=True)
class Row:
    """One training run.

    variant: "ours", or the one choice that differs; "GPT-2 RATE" has all choices of that model.
    tokens: characters seen.
    flops: 3 * models.gpt.forward_flops * tokens.  bits: a character of Macbeth, from at least 32 characters of past.
    seconds: of one core, for training alone.
    Raises: TypeError: a field of another type.  ValueError: a number that is NaN or infinite, or a count below 0.
    """

    size: str
    variant: str
    layers: int
    width: int
    parameters: int
    steps: int
    tokens: int
    flops: float
    seed: int
    bits: float
    seconds: float

    def __post_init__(self) -> None:
        checks.as_hinted(self)


def scaling_runs(variant: str | None = "ours") -> list[Row]:
    """The runs of one variant; of all with None.  Raises: ValueError: no run is of this variant."""
    rows = from_csv(Row, TABLE, "size", "variant", "steps", "seed")
    chosen = [row for row in rows if variant in (None, row.variant)]
    if not chosen:
        raise ValueError(f"no run of variant {variant!r}; there are {sorted({row.variant for row in rows})}")
    note(TABLE, variant=variant)
    return chosen
