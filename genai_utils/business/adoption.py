"""How a new thing spreads: the Bass model, fitted with its uncertainty.

Time in years since the launch; adopters in any one unit (a million users).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from scipy.optimize import least_squares

from genai_utils import checks

Numbers = float | Sequence[float] | np.ndarray

_MILESTONE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)([MB]) \((\d{1,2} [A-Z][a-z]{2} \d{4})\)")
_MILLIONS = {"M": 1.0, "B": 1_000.0}

# The search for the two speeds, a year: from "one in a million by itself" to "everybody within a month".
_INNOVATION = np.geomspace(1e-6, 3.0, 70)
_IMITATION = np.geomspace(1e-3, 20.0, 70)


def milestones(statement: str, launch: date) -> tuple[np.ndarray, np.ndarray]:
    """Years since the launch and millions reached, of each "100M (6 Nov 2023)" or "1.2B (29 Sep 2026)": (n,) twice.

    Raises: ValueError: a statement without a dated number, or a day that does not exist.
    """
    checks.of_type(str, statement=statement)
    checks.of_type(date, launch=launch)
    found = _MILESTONE.findall(statement)
    if not found:
        raise ValueError(f'statement holds no milestone such as "100M (6 Nov 2023)": {statement!r}')
    days = [(datetime.strptime(day, "%d %b %Y").date() - launch).days for _, _, day in found]
    reached = [float(number) * _MILLIONS[unit] for number, unit, _ in found]
    return np.array(days) / 365.25, np.array(reached)


@dataclass(frozen=True)
class Bass:
    """Adoption by two motives: of one's own accord, and because others have. Equation (adoption.hazard).

    ceiling: how many will ever adopt, > 0.  innovation: share of the rest that adopts by itself, a year, > 0.
    imitation: further share when all others have adopted, a year, 0 or more.
    Raises: ValueError: an argument out of its range, NaN or infinite.
    Source: Bass 1969, doi:10.1287/mnsc.15.5.215 (p and q there).
    """

    ceiling: float
    innovation: float
    imitation: float

    def __post_init__(self) -> None:
        checks.above(0.0, ceiling=self.ceiling, innovation=self.innovation)
        checks.at_least(0.0, imitation=self.imitation)

    @checks.representable
    def share(self, years: Numbers) -> np.ndarray:
        """Share of the ceiling reached; 0 before the launch. Equation (adoption.bass)."""
        return _share(checks.array("years", years, "(...)", least=0), self.innovation, self.imitation)

    @checks.representable
    def adopters(self, years: Numbers) -> np.ndarray:
        """How many have adopted."""
        return self.ceiling * self.share(years)

    @checks.representable
    def new(self, years: Numbers) -> np.ndarray:
        """How many adopt, a year; 0 before the launch. Equation (adoption.hazard)."""
        seen_at, share = checks.array("years", years, "(...)", least=0), self.share(years)
        rate = self.ceiling * (self.innovation + self.imitation * share) * (1.0 - share)
        return np.where(seen_at < 0, 0.0, rate)

    @property
    @checks.representable
    def peak(self) -> float:
        """Years until most adopt in a day; 0 if it only falls. Equation (adoption.peak)."""
        if self.imitation <= self.innovation:
            return 0.0
        return math.log(self.imitation / self.innovation) / (self.innovation + self.imitation)


@checks.representable
def fit(years: Numbers, adopters: Numbers, *, bound: float, ceiling: float | None = None) -> Bass:
    """The Bass model with the least squared error.

    Args: years, adopters: what was seen, shape (n,).  bound: no ceiling above it; people alive, say.
        ceiling: fixed instead of fitted.
    Raises: ValueError: fewer points than numbers to fit, a point before the launch or not finite, or a bad ceiling.
    """
    checks.above(0.0, bound=bound, ceiling=bound if ceiling is None else ceiling)
    seen_at, seen = _seen(years, adopters, 2 if ceiling is not None else 3)
    if ceiling is not None and ceiling > bound:
        raise ValueError(f"ceiling must be above 0 and at most the bound {bound}, got {ceiling}")
    return _fit_all(seen_at, seen[None, :], bound, ceiling)[0]


@checks.representable
def bootstrap(years: Numbers, adopters: Numbers, *, bound: float, draws: int, seed: int) -> list[Bass]:
    """Models fitted to the data that might have been: fitted curve plus errors drawn from the fit's own.

    The errors are drawn independently and made larger by the three numbers fitted. Errors of a cumulative series
    hang together, so the true uncertainty is larger than this.
    Args: as in `fit`; more than three points.
    Raises: ValueError: as there.
    """
    checks.above(0.0, bound=bound)
    checks.whole(0, seed=seed)
    seen_at, seen = _seen(years, adopters, 4)
    checks.fits(draws=draws, years=len(seen))
    fitted = _fit_all(seen_at, seen[None, :], bound, None)[0].adopters(seen_at)
    errors = (seen - fitted) * math.sqrt(len(seen) / (len(seen) - 3))
    drawn = np.random.default_rng(seed).choice(errors, (draws, len(seen)))
    return _fit_all(seen_at, fitted + drawn, bound, None)


def _share(years: np.ndarray, innovation: np.ndarray | float, imitation: np.ndarray | float) -> np.ndarray:
    left = np.exp(-(innovation + imitation) * np.maximum(years, 0.0))
    return (1.0 - left) / (1.0 + imitation / innovation * left)


def _seen(years: Numbers, adopters: Numbers, least: int) -> tuple[np.ndarray, np.ndarray]:
    seen_at, seen = checks.array("years", years, "(n,)", least=0), checks.array("adopters", adopters, "(n,)", least=0)
    if seen_at.shape != seen.shape or len(seen) < least:
        raise ValueError(f"years and adopters need {least} or more pairs, got shapes {seen_at.shape} and {seen.shape}")
    if not (seen_at > 0).all():
        raise ValueError(f"years must be after the launch, above 0, got {seen_at.min()}; leave earlier ones out")
    return seen_at, seen


def _fit_all(years: np.ndarray, adopters: np.ndarray, bound: float, ceiling: float | None) -> list[Bass]:
    """Least squares for each row of adopters (rows, n): the best cell of a grid, then refined from there."""
    innovation, imitation = (axis.ravel() for axis in np.meshgrid(_INNOVATION, _IMITATION))
    curves = _share(years, innovation[:, None], imitation[:, None])
    ceilings = _best_ceiling(curves, adopters, bound, ceiling)
    size = (curves**2).sum(axis=1)
    if not (np.isfinite(ceilings).all() and np.isfinite(adopters**2).all()):
        raise ValueError("years or adopters, or the bound, are too large or too small to fit; use other units")
    best = np.argmin(ceilings**2 * size - 2 * ceilings * (adopters @ curves.T), axis=1)
    starts = np.log(np.stack([innovation[best], imitation[best]], axis=1))
    return [_refined(years, row, start, bound, ceiling) for row, start in zip(adopters, starts, strict=True)]


def _best_ceiling(curves: np.ndarray, adopters: np.ndarray, bound: float, ceiling: float | None) -> np.ndarray:
    """Given the shape of the curve, its best height is known: shape (rows, curves)."""
    if ceiling is not None:
        return np.full((len(adopters), len(curves)), ceiling)
    return np.clip(adopters @ curves.T / (curves**2).sum(axis=1), 1e-9, bound)


def _refined(years: np.ndarray, adopters: np.ndarray, start: np.ndarray, bound: float, ceiling: float | None) -> Bass:
    def model(logs: np.ndarray) -> tuple[float, np.ndarray]:
        curve = _share(years, *np.exp(logs))
        return float(_best_ceiling(curve[None], adopters[None], bound, ceiling)[0, 0]), curve

    def errors(logs: np.ndarray) -> np.ndarray:
        height, curve = model(logs)
        return height * curve - adopters

    low, high = np.log([_INNOVATION[0], _IMITATION[0]]) - 1e-9, np.log([_INNOVATION[-1], _IMITATION[-1]]) + 1e-9
    logs = least_squares(errors, start, bounds=(low, high), x_scale=1.0).x
    return Bass(model(logs)[0], *(float(number) for number in np.exp(logs)))
