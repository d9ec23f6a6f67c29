"""What machines must earn while they live, what the books say of their wear, who lends for them, what they burn.

Money in any one unit, time in years, rates, growth, shares and margins as fractions (5 % is 0.05).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import ndtr

from genai_utils import checks

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

HOURS_PER_YEAR = 8_760.0
LONGEST = 100.0  # years that machines may live where each year is told
Case = TypeVar("Case", bound="DataclassInstance")


@checks.representable
def annuity(amount: float, *, rate: float, years: float) -> float:
    """Equal payment at the end of each year that repays an amount with interest. Equation (machines.annuity).

    Args: rate: 0 or more.  years: above 0; infinite for a machine that lasts for ever.
    Raises: ValueError: an argument out of its range or NaN.
    """
    checks.finite(amount=amount)
    checks.at_least(0.0, rate=rate)
    checks.positive(years=years)
    if rate < 1e-100:  # no interest that could be told from none; smaller rates would lose their digits below
        return amount / years
    return amount * rate / -math.expm1(-years * math.log1p(rate))


@checks.representable
def pile(years: float, growth: float) -> float:
    """Machines in use, as a multiple of those bought this year, after steady growth of purchases.

    Args: years: that each is used, above 0, 100 at most; of the last a part.  growth: of the purchases, above -1.
    Raises: ValueError: an argument out of its range or NaN.  Equation (machines.pile).
    """
    return _piled("years", years, growth)


def _piled(name: str, years: float, growth: float) -> float:
    checks.above(-1.0, growth=growth)
    alive = _alive(name, years)
    return float(alive @ (1.0 + growth) ** -np.arange(float(len(alive))))


def _alive(name: str, years: float) -> np.ndarray:
    """Part of each year of its life in which a machine lives: 1, 1, ..., and what is left of the last."""
    checks.above(0.0, **{name: years})
    checks.between(0.0, LONGEST, **{name: years})
    return np.minimum(1.0, years - np.arange(math.ceil(years)))


@dataclass(frozen=True)
class Buildout:
    """Machines that must pay for themselves. Equation (machines.capex-revenue).

    capex: spent once, > 0.  chip_share: of it on chips, 0..1, the rest on buildings, power and the like.
    chip_life, building_life: years in use, > 0, infinite allowed.  rate: return that investors ask, 0 or more.
    running: electricity and staff a year, as a share of capex, 0 or more.
    margin: share of their revenue that those who sell to users keep for themselves, below 1.
    utilisation: share of the hours that are sold, in (0, 1].
    Raises: ValueError: an argument out of its range or NaN.
    """

    capex: float
    chip_share: float
    chip_life: float
    building_life: float
    rate: float
    running: float
    margin: float
    utilisation: float

    def __post_init__(self) -> None:
        checks.above(0.0, capex=self.capex)
        checks.share("(0, 1]", utilisation=self.utilisation)
        checks.share("[0, 1]", chip_share=self.chip_share)
        checks.at_least(0.0, rate=self.rate, running=self.running)
        checks.positive(chip_life=self.chip_life, building_life=self.building_life)
        checks.finite(margin=self.margin)
        if self.margin >= 1:
            raise ValueError(f"margin must stay below 1, got {self.margin}: nothing would be left for the machines")

    @checks.representable
    def parts(self) -> dict[str, float]:
        """What a year costs: interest and wear of the chips, of the buildings, and running them."""
        chips = self.capex * self.chip_share
        return {
            "chips": annuity(chips, rate=self.rate, years=self.chip_life),
            "buildings": annuity(self.capex - chips, rate=self.rate, years=self.building_life),
            "running": self.capex * self.running,
        }

    @property
    @checks.representable
    def yearly_cost(self) -> float:
        """What the machines must bring in each year, before anybody else earns on them."""
        return sum(self.parts().values())

    @property
    @checks.representable
    def required_revenue(self) -> float:
        """What users must pay each year. Equation (machines.capex-revenue)."""
        return self.yearly_cost / (1.0 - self.margin)

    @checks.representable
    def every_year(self, growth: float) -> float:
        """What users must pay in a year if such sums have been spent every year. Equation (machines.every-year).

        Args: growth: of the spending, a year; capex is what was spent last.
        Raises: ValueError: growth is not above -1, or a life is above 100 years.
        """
        parts, chips = self.parts(), _piled("chip_life", self.chip_life, growth)
        buildings = _piled("building_life", self.building_life, growth)
        cost = (parts["chips"] + parts["running"]) * chips + parts["buildings"] * buildings
        return cost / (1.0 - self.margin)

    @property
    @checks.representable
    def price_per_hour(self) -> float:
        """What users must pay for each hour sold of the machines that the capex bought. Equation (machines.hour)."""
        return self.required_revenue / (HOURS_PER_YEAR * self.utilisation)


@checks.representable
def break_even_growth(build: Buildout, *, run_rate: float, claimed: float = 0.0) -> float:
    """Growth a year of what users pay at which machines pay while their chips live. Equation (machines.path).

    Args: run_rate: what users pay on the first day, as a sum a year, above 0; a year brings what it is on average.
        claimed: of each year's sales, what older machines go on needing.
    Raises: ValueError: no growth between -99 % and +10,000 % does it, or the chips live for more than 100 years.
    """
    checks.of_type(Buildout, build=build)
    checks.above(0.0, run_rate=run_rate)
    checks.at_least(0.0, claimed=claimed)
    alive = _alive("chip_life of build", build.chip_life)
    year = np.arange(1.0, len(alive) + 1)
    worth = alive * (1.0 + build.rate) ** -year
    needed = (build.required_revenue + claimed) / run_rate

    def gap(growth: float) -> float:
        mean = growth / math.log1p(growth) if growth else 1.0  # of a year, in times its first day
        return float(worth @ (mean * (1.0 + growth) ** (year - 1.0) - needed))

    if not gap(-0.99) < 0 < gap(100.0):
        raise ValueError(f"no growth from -99 % to +10,000 % turns a run rate of {run_rate} into what {build} needs")
    return float(brentq(gap, -0.99, 100.0, xtol=1e-12))


@checks.representable
def growth_behind(trailing: float, run_rate: float) -> float:
    """Steady growth of a year that sold `trailing` and ends at a run rate. Equation (machines.run-rate).

    Args: trailing: sales of the last twelve months, > 0.  run_rate: of the last day, as a sum a year, > 0.
    Raises: ValueError: an argument not above 0, or more than a growth of e^500 fits.
    """
    checks.above(0.0, trailing=trailing, run_rate=run_rate)

    def gap(pace: float) -> float:
        return (-math.expm1(-pace) / pace if pace else 1.0) - trailing / run_rate

    if not gap(500.0) < 0 < gap(-500.0):
        raise ValueError(f"no steady growth leads to sales of {trailing} and a run rate of {run_rate}")
    return math.expm1(brentq(gap, -500.0, 500.0, xtol=1e-13))


@checks.representable
def depreciation_share(years: float, growth: float) -> float:
    """Straight-line wear of a year over its purchases, after steady growth. Equation (machines.depreciation).

    Args: as in `pile`.  Raises: ValueError: as there.
    """
    return pile(years, growth) / years


@checks.representable
def straight_line(spending: ArrayLike, *, years: float) -> np.ndarray:
    """Depreciation of each year, equal parts over the life, the first in the year of purchase; shape of spending, (n,).

    Raises: ValueError: spending is none, or years is not above 0 and 100 at most.
    """
    spent = checks.array("spending", spending)
    return np.convolve(spent, _alive("years", years) / years)[: len(spent)]


@checks.representable
def purchases(own: float, outside: float, *, vendor: float) -> float:
    """What can be bought if the seller puts up a share of it himself. Equation (machines.loop).

    Args: own, outside: money of users and owners, and of lenders, 0 or more.  vendor: the seller's share, [0, 1).
    Raises: ValueError: an argument out of its range or NaN.
    """
    checks.at_least(0.0, own=own, outside=outside)
    checks.share("[0, 1)", vendor=vendor)
    return (own + outside) / (1.0 - vendor)


@dataclass(frozen=True)
class Expansion:
    """Machines that are bought before their users have paid for them; lenders fill the gap. Equation (machines.debt).

    bought: for so much in the first year, > 0; bought_growth: a year, > -1.
    own: cash that users leave for machines in the first year, > 0; own_growth: a year, > -1.
    vendor: share of each purchase that the seller puts up, [0, 1).  rate: interest, 0 or more, lent as well.
    Raises: ValueError: an argument out of its range, NaN or infinite.
    """

    bought: float
    bought_growth: float
    own: float
    own_growth: float
    vendor: float
    rate: float

    def __post_init__(self) -> None:
        checks.above(0.0, bought=self.bought, own=self.own)
        checks.above(-1.0, bought_growth=self.bought_growth, own_growth=self.own_growth)
        checks.share("[0, 1)", vendor=self.vendor)
        checks.at_least(0.0, rate=self.rate)

    @checks.representable
    def cash(self, years: int) -> np.ndarray:
        """Own cash of each of the years, shape (years,).  Raises: ValueError: years is not 1 or more."""
        checks.fits(years=years)
        return self.own * (1.0 + self.own_growth) ** np.arange(float(years))

    @checks.representable
    def debts(self, years: int) -> np.ndarray:
        """Owed to lenders at the end of each of the years, shape (years,); below 0 it is savings.

        Raises: ValueError: years is not 1 or more.
        """
        cash, owed, debts = self.cash(years), 0.0, []
        bill = (1.0 - self.vendor) * self.bought * (1.0 + self.bought_growth) ** np.arange(float(years))
        for gap in bill - cash:
            owed = owed * (1.0 + self.rate) + float(gap)
            debts.append(owed)
        return np.array(debts)

    def stop(self, limit: float, *, years: int) -> int | None:
        """First of so many years at whose end the debt is above `limit` years of own cash; None if there is none.

        Raises: ValueError: limit is below 0, or years not 1 or more.
        """
        checks.at_least(0.0, limit=limit)
        above = self.debts(years) > limit * self.cash(years)
        return int(above.argmax()) + 1 if above.any() else None


@checks.representable
def kwh_per_million(tokens: float, *, node_hours: float, kilowatts: float, load: float, pue: float) -> float:
    """Electricity for a million tokens, in kWh. Equation (machines.energy).

    Args: tokens: written or read in so many node-hours, > 0.  kilowatts: of a node at most, > 0.
        load: share of them that is drawn, (0, 1].
        pue: electricity of the site over that of its machines, 1 or more (power usage effectiveness).
    Raises: ValueError: an argument out of its range or NaN.
    """
    checks.above(0.0, tokens=tokens, node_hours=node_hours, kilowatts=kilowatts)
    checks.share("(0, 1]", load=load)
    checks.at_least(1.0, pue=pue)
    return node_hours * kilowatts * load * pue / tokens * 1e6


class Swing(NamedTuple):
    """What one input does to a result when it goes from one end of its range to the other."""

    name: str
    low: float
    high: float

    @property
    @checks.representable
    def width(self) -> float:
        """Distance between the two results."""
        return abs(self.high - self.low)


@checks.representable
def swings(measure: Callable[[Case], float], base: Case, ranges: Mapping[str, tuple[float, float]]) -> list[Swing]:
    """The bars of a tornado chart: one input at a time to its two ends, the others at base; the widest first.

    Args: base: a dataclass.  ranges: low and high end for names of its fields.
    Raises: ValueError: a name that the dataclass lacks; or what it, or `measure`, refuses.
    """
    _check_swings(measure, base, ranges)

    def at(name: str, number: float) -> float:
        return measure(replace(base, **{name: number}))

    found = [Swing(name, at(name, low), at(name, high)) for name, (low, high) in ranges.items()]
    return sorted(found, key=lambda swing: swing.width, reverse=True)


def _check_swings(measure: object, base: object, ranges: Mapping[str, tuple[float, float]]) -> None:
    checks.callables(measure=measure)
    checks.of_type(Mapping, ranges=ranges)
    if not is_dataclass(base) or isinstance(base, type):
        raise TypeError(f"base must be a dataclass, got {base!r}")
    for name, ends in ranges.items():
        checks.one_of([field.name for field in fields(base)], **{"name in ranges": name})
        checks.array(f"ranges of {name}", ends, "(2,)")


@checks.representable
def together(correlation: np.ndarray, *, draws: int, seed: int) -> np.ndarray:
    """Uniform numbers in (0, 1) whose normal scores have these correlations (a Gaussian copula).

    Args: correlation: (k, k), symmetric, ones on the diagonal.  Returns: (draws, k). Equation (machines.spread).
    Raises: ValueError: no such matrix.
    """
    checks.whole(0, seed=seed)
    matrix = checks.array("correlation", correlation, "(...)")
    square = matrix.ndim == 2 and len(matrix) == matrix.shape[1]
    if not (square and np.allclose(matrix, matrix.T) and np.allclose(np.diag(matrix), 1.0)):
        raise ValueError(f"correlation must be a symmetric matrix with ones on its diagonal, got {matrix.tolist()}")
    if np.linalg.eigvalsh(matrix).min() < -1e-13:
        raise ValueError("numbers of the correlation contradict each other: the matrix has a negative eigenvalue")
    checks.fits(draws=draws, correlation=len(matrix))
    # Not Generator.multivariate_normal: equal correlations leave its axes to chance, and to the processor.
    mixing = np.linalg.cholesky(matrix + 1e-12 * np.eye(len(matrix)))
    return ndtr(np.random.default_rng(seed).standard_normal((draws, len(matrix))) @ mixing.T)
