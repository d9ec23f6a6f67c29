"""Forecasts that can be wrong: dated statements with probabilities, and the score for when they are due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from genai_utils import checks
from genai_utils.records.table import from_csv, html_table, html_text
from genai_utils.records.used import note

TABLE = Path(__file__).with_name("forecasts.csv")
_RESULTS = {"": "open", "yes": "came true", "no": "did not"}


@dataclass(frozen=True)
class Forecast:
    """One statement about the future. made, due: days.  probability: that it comes true, in the judgement of `by`.

    rule, source: how and by what it will be decided.  outcome: "yes" or "no"; "" until then.
    Raises: ValueError: the probability is not strictly between 0 and 1, it is due before it was made, or the outcome is
    another word.  TypeError: a field of another type.
    """

    id: str
    made: date
    by: str
    statement: str
    probability: float
    due: date
    rule: str
    source: str
    outcome: str = ""

    def __post_init__(self) -> None:
        checks.as_hinted(self)
        if not 0 < self.probability < 1:
            raise ValueError(f"forecast {self.id} needs a probability between 0 and 1, got {self.probability}")
        if not self.made < self.due:
            raise ValueError(f"forecast {self.id} is due on {self.due}, before it was made on {self.made}")
        if self.outcome not in _RESULTS:
            raise ValueError(f"forecast {self.id} has the outcome {self.outcome!r}; write yes, no or nothing")

    def __str__(self) -> str:
        return f"{self.id:<4} {self.probability:4.0%} by {self.due}: {self.statement} [{_RESULTS[self.outcome]}]"


class Ledger(tuple[Forecast, ...]):
    """Forecasts that show themselves as a table."""

    @property
    def decided(self) -> Ledger:
        """Those whose outcome is known."""
        return Ledger(each for each in self if each.outcome)

    def due(self, day: date) -> Ledger:
        """Those that ought to be decided by that day and are not."""
        checks.of_type(date, day=day)
        return Ledger(each for each in self if not each.outcome and each.due <= day)

    def brier(self) -> float:
        """Brier score of the decided ones.  Raises: ValueError: none is."""
        decided = self.decided
        return brier([each.probability for each in decided], [each.outcome == "yes" for each in decided])

    def __str__(self) -> str:
        return "\n".join(map(str, self))

    def _repr_html_(self) -> str:
        names = ("id", "chance", "statement", "due", "decided by", "made by", "outcome")
        return html_table(names, map(_row, self))


def forecasts() -> Ledger:
    """All forecasts of the course, by the day on which they are due."""
    note(TABLE)
    return Ledger(sorted(from_csv(Forecast, TABLE, "id"), key=lambda each: (each.due, each.id)))


def brier(probabilities: Sequence[float] | np.ndarray, outcomes: Sequence[bool] | np.ndarray) -> float:
    """Mean squared distance of what was said from what came: 0 is a prophet, 0.25 a coin. Equation (forecast.brier).

    Args: probabilities: in [0, 1], (n,).  outcomes: 0 or 1, (n,).
    Raises: ValueError: none given, unequal numbers, or one out of its range.
    Source: Brier 1950, Monthly Weather Review 78(1).
    """
    said = checks.array("probabilities", probabilities, least=0)
    came = checks.array("outcomes", outcomes, least=0)
    if said.shape != came.shape or not len(said):
        shapes = f"{said.shape} and {came.shape}"
        raise ValueError(f"probabilities and outcomes: a score needs one outcome for each probability, got {shapes}")
    if not ((said >= 0) & (said <= 1)).all() or not np.isin(came, (0.0, 1.0)).all():
        raise ValueError("probabilities must be in [0, 1] and outcomes 0 or 1; leave undecided ones out")
    return float(np.mean((said - came) ** 2))


def _row(each: Forecast) -> list[str]:
    decided = f"{each.rule} Source: {each.source}."
    made, result = f"{each.by}, {each.made}", _RESULTS[each.outcome]
    cells = (each.id, f"{each.probability:.0%}", each.statement, str(each.due), decided, made, result)
    return list(map(html_text, cells))
