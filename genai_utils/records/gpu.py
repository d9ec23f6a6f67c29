"""What was measured on a GPU: a table that `python -m tools.gpu_check --keep` writes, and that may not be there yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from genai_utils import checks
from genai_utils.records.table import from_csv
from genai_utils.records.used import note

TABLE = Path(__file__).with_name("gpu.csv")
SAMPLES = Path(__file__).with_name("gpu_samples.txt")
PARTED = "-" * 20  # a line between two texts


@dataclass(frozen=True)
class Figure:
    """One measurement.  spread: as the check that measured it says; None where it has none.  date: of the run.

    Raises: TypeError: a field of another type.  ValueError: a number that is NaN or infinite.
    """

    id: str
    value: float
    spread: float | None
    unit: str
    device: str
    date: date

    def __post_init__(self) -> None:
        checks.as_hinted(self)

    def __float__(self) -> float:
        """The value alone."""
        return self.value

    def __str__(self) -> str:
        spread = "" if self.spread is None else f" ± {self.spread:.2g}"
        return f"{self.value:.3g}{spread} {self.unit} ({self.device}, {self.date})"


def measured_on_gpu(id: str) -> Figure | None:
    """A figure of the table by its id; None while no GPU has measured it, so that a page can say so.

    A chapter that asked is stale when the row appears or changes.
    Raises: TypeError: no words.
    """
    checks.of_type(str, id=id)
    note(TABLE, id=id)
    rows = from_csv(Figure, TABLE, "id") if TABLE.exists() else []
    return next((row for row in rows if row.id == id), None)


def written_on_gpu() -> list[str]:
    """What the language model wrote that a GPU trained, as it came, one text an entry; none while none was trained."""
    note(SAMPLES)
    texts = SAMPLES.read_text(encoding="utf-8").split(PARTED) if SAMPLES.exists() else []
    return [text.strip() for text in texts if text.strip()]
