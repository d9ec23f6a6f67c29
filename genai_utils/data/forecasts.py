"""Forecasts that can be wrong: dated statements with probabilities, and the score for when they are due."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path

import numpy as np

TABLE = Path(__file__).with_name("forecasts.csv")
_OUTCOMES = {"": None, "yes": True, "no": False}


@dataclass(frozen=True)
class Forecast:
    """One statement about the future. made, due: days.  probability: that it comes true, in the judgement of `by`.

    rule, source: how and by what it will be decided.  outcome: None until then.
    Raises: ValueError: the probability is not strictly between 0 and 1, or it is due before it was made.
    """

    id: str
    made: date
    by: str
    statement: str
    probability: float
    due: date
    rule: str
    source: str
    outcome: bool | None = None

    def __post_init__(self) -> None:
        if not 0 < self.probability < 1:
            raise ValueError(f"forecast {self.id} needs a probability between 0 and 1, got {self.probability}")
        if not self.made < self.due:
            raise ValueError(f"forecast {self.id} is due on {self.due}, before it was made on {self.made}")

    def __str__(self) -> str:
        result = {None: "open", True: "came true", False: "did not"}[self.outcome]
        return f"{self.id:<4} {self.probability:4.0%} by {self.due}: {self.statement} [{result}]"


class Ledger(tuple[Forecast, ...]):
    """Forecasts that show themselves as a table."""

    @property
    def decided(self) -> Ledger:
        """Those whose outcome is known."""
        return Ledger(each for each in self if each.outcome is not None)

    def due(self, day: date) -> Ledger:
        """Those that ought to be decided by that day and are not."""
        return Ledger(each for each in self if each.outcome is None and each.due <= day)

    def brier(self) -> float:
        """Brier score of the decided ones.  Raises: ValueError: none is."""
        decided = self.decided
        return brier([each.probability for each in decided], [bool(each.outcome) for each in decided])

    def __str__(self) -> str:
        return "\n".join(map(str, self))

    def _repr_html_(self) -> str:
        names = ("id", "chance", "statement", "due", "decided by", "made by", "outcome")
        head = "".join(f'<th scope="col">{name}</th>' for name in names)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(map(_row, self))}</tbody></table>"


def forecasts() -> Ledger:
    """All forecasts of the course, by the day on which they are due."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        rows = [_parsed(row) for row in csv.DictReader(file, strict=True)]
    return Ledger(sorted(rows, key=lambda each: (each.due, each.id)))


def brier(probabilities: Sequence[float] | np.ndarray, outcomes: Sequence[bool] | np.ndarray) -> float:
    """Mean squared distance of what was said from what came: 0 is a prophet, 0.25 a coin. Equation (forecast.brier).

    Args: probabilities: in [0, 1], (n,).  outcomes: 0 or 1, (n,).
    Raises: ValueError: none given, unequal numbers, or one out of its range.
    Source: Brier 1950, Monthly Weather Review 78(1).
    """
    said, came = np.asarray(probabilities, float), np.asarray(outcomes, float)
    if said.shape != came.shape or said.ndim != 1 or not len(said):
        raise ValueError(f"a score needs one outcome for each probability, got shapes {said.shape} and {came.shape}")
    if not ((said >= 0) & (said <= 1)).all() or not np.isin(came, (0.0, 1.0)).all():
        raise ValueError("probabilities must be in [0, 1] and outcomes 0 or 1; leave undecided ones out")
    return float(np.mean((said - came) ** 2))


def _parsed(row: dict[str, str]) -> Forecast:
    if row["outcome"] not in _OUTCOMES:
        raise ValueError(f"forecast {row['id']} has the outcome {row['outcome']!r}; write yes, no or nothing")
    return Forecast(
        id=row["id"],
        made=date.fromisoformat(row["made"]),
        by=row["by"],
        statement=row["statement"],
        probability=float(row["probability"]),
        due=date.fromisoformat(row["due"]),
        rule=row["rule"],
        source=row["source"],
        outcome=_OUTCOMES[row["outcome"]],
    )


def _row(each: Forecast) -> str:
    result = {None: "open", True: "came true", False: "did not"}[each.outcome]
    decided = f"{each.rule} Source: {each.source}."
    cells = (f"{each.probability:.0%}", each.statement, str(each.due), decided, f"{each.by}, {each.made}", result)
    return f'<tr><th scope="row">{each.id}</th>{"".join(f"<td>{_html(cell)}</td>" for cell in cells)}</tr>'


def _html(text: str) -> str:
    """Escaped, and each dollar in an element of its own: Jupyter reads what stands between two of them as a formula."""
    return escape(text).replace("$", "<span>$</span>")
