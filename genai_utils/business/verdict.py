"""From conditions to a verdict: where each one stands, and what all of them together are worth.

Growth and chances as fractions, time in years, money in any one unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from genai_utils import checks
from genai_utils.business.machines import Buildout


@dataclass(frozen=True)
class Condition:
    """Something that must be true, as what there is over what is needed: 1 is just enough.

    says: the condition as a sentence.  low, today, high: the ratio as a strict, a middle and a kind reading see it.
    Raises: ValueError: no words, a ratio that is not above 0, or ratios that do not rise.  TypeError: another type.
    """

    says: str
    low: float
    today: float
    high: float

    def __post_init__(self) -> None:
        checks.as_hinted(self)
        if not self.says.strip():
            raise ValueError("says is empty; write the condition as a sentence")
        checks.above(0.0, low=self.low, today=self.today, high=self.high)
        if not self.low <= self.today <= self.high:
            raise ValueError(f"low, today and high must rise, got {self.low}, {self.today}, {self.high}")

    @property
    def stands(self) -> str:
        """It "holds" if even the strict reading is enough, "fails" if not even the kind one is, else it is "open"."""
        return "holds" if self.low >= 1 else "fails" if self.high < 1 else "open"


def joint(conditions: Sequence[Condition]) -> str:
    """Where "all of them" stands: it fails with the first that fails, and holds only when every one does.

    Raises: ValueError: no condition.  TypeError: no list or tuple, or something else among them.
    """
    checks.of_type((list, tuple), conditions=conditions)
    checks.of_type(
        Condition, **{f"condition {number} of conditions": each for number, each in enumerate(conditions, 1)}
    )
    if not conditions:
        raise ValueError("conditions is empty; a verdict needs at least one")
    found = {each.stands for each in conditions}
    return "fails" if "fails" in found else "open" if "open" in found else "holds"


def chance_of_all(chances: ArrayLike, *, tied: float = 0.0) -> float:
    """Chance that all hold, if with chance `tied` one cause decides them together. Equation (verdict.tied).

    Args: chances: of each, in [0, 1], (n,).  tied: 0 for independent ones, 1 for one common cause.
    Raises: ValueError: no chance, or a number out of its range.
    """
    each = _chances(chances)
    checks.share("[0, 1]", tied=tied)
    return float((1.0 - tied) * each.prod() + tied * each.min())


def bounds(chances: ArrayLike) -> tuple[float, float]:
    """Least and greatest chance that all hold, whatever ties them (Frechet's bounds). Equation (verdict.bounds).

    Args: chances: of each, in [0, 1], (n,).
    Raises: ValueError: no chance, or one out of its range.
    Source: Frechet 1935, Fundamenta Mathematicae 25.
    """
    each = _chances(chances)
    return max(0.0, float(each.sum()) - len(each) + 1.0), float(each.min())


def quadrants(users: float, investors: ArrayLike, *, tied: float = 0.0) -> dict[str, float]:
    """Chances of the four endings: who gains, the users, the investors, both or nobody.  They add up to 1.

    Args: users: chance that they gain.  investors: chance of each condition of theirs, all needed, (n,).  tied: as in
    `chance_of_all`.
    Raises: ValueError: a number out of its range.
    """
    checks.share("[0, 1]", users=users)
    both = chance_of_all([users, *_chances(investors, "investors")], tied=tied)
    owners = chance_of_all(investors, tied=tied)
    ends = {
        "gold mine": both,
        "gift to users": users - both,
        "transfer": owners - both,
        "waste": 1 - users - owners + both,
    }
    return {name: max(0.0, chance) for name, chance in ends.items()}


@checks.representable
def fading(run_rate: float, growth: float, *, years: int, keeps: float) -> np.ndarray:
    """Sales of each coming year when growth keeps a share of itself from year to year, (years,).

    Args: run_rate: pace of the first day, as a sum a year, above 0.  growth: of the year before, 0 or more; the first
    coming year has keeps x growth, steadily from its first day to its last.  keeps: in [0, 1].
    Raises: ValueError: an argument out of its range.  Equation (verdict.fading).
    """
    checks.above(0.0, run_rate=run_rate)
    checks.at_least(0.0, growth=growth)
    checks.whole(1, years=years)
    checks.share("[0, 1]", keeps=keeps)
    grows = growth * keeps ** np.arange(1.0, years + 1)
    tiny = grows < 1e-9
    mean = np.where(tiny, 1.0, grows / np.log1p(np.where(tiny, 1.0, grows)))  # of a year, in times its first day
    return run_rate * mean * np.cumprod(1.0 + grows) / (1.0 + grows)


@checks.representable
def paid(build: Buildout, *, run_rate: float, growth: float, keeps: float, claimed: float = 0.0) -> float:
    """What users will pay in the chips' life over what they must, in today's money. Equation (verdict.paid).

    Args: build: its chips live a whole number of years.  run_rate, growth, keeps: as in `fading`.  claimed: of each
    year's sales, what older machines go on needing.
    Raises: ValueError: an argument out of its range, or a life that is not whole.
    """
    checks.of_type(Buildout, build=build)
    checks.at_least(0.0, claimed=claimed)
    years = round(build.chip_life) if math.isfinite(build.chip_life) else 0
    if years != build.chip_life or years > 100:
        raise ValueError(f"chip_life of build must be a whole number of years, 100 at most, got {build.chip_life}")
    worth = (1.0 + build.rate) ** -np.arange(1.0, years + 1)
    path = fading(run_rate, growth, years=years, keeps=keeps)
    return float(path @ worth / ((build.required_revenue + claimed) * worth.sum()))


def flips(ratio: Callable[[float], float], low: float, high: float) -> float:
    """The input between low and high at which a ratio is 1: there its verdict changes.

    Raises: ValueError: it does not cross 1 there.
    """
    checks.callables(ratio=ratio)
    checks.finite(low=low, high=high)
    if (ratio(low) - 1.0) * (ratio(high) - 1.0) > 0:
        at_ends = f"{ratio(low):.3g} and {ratio(high):.3g}"
        raise ValueError(f"ratio does not pass 1 between low and high, {low} and {high}: it is {at_ends}")
    return float(brentq(lambda x: ratio(x) - 1.0, low, high, xtol=1e-12))


def _chances(chances: ArrayLike, name: str = "chances") -> np.ndarray:
    """Checked: one or more, each in [0, 1]."""
    each = checks.array(name, chances)
    if not ((each >= 0) & (each <= 1)).all():
        raise ValueError(f"{name} must be in [0, 1], got {each}")
    return each
