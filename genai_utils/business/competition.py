"""What a price cut must bring, how fast a market grows, and what rivals do to a price: small models in closed form.

Money in any one unit, time in years, shares, margins and cuts as fractions (5 % is 0.05).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from genai_utils import checks


def volume_to_keep_revenue(cut: float) -> float:
    """Factor by which the volume must grow so that revenue survives a price cut. Equation (china.revenue).

    Args: cut: share of the price that is given up, 0 <= cut < 1.
    Raises: ValueError: cut out of its range or NaN.
    """
    checks.share("[0, 1)", cut=cut)
    return 1.0 / (1.0 - cut)


@checks.never_nan
def volume_to_keep_profit(cut: float, *, margin: float, cost_fall: float = 0.0) -> float:
    """Factor by which the volume must grow so that gross profit survives a price cut. Equation (china.profit).

    Infinite where the new price no longer covers the cost of a unit: then no volume is enough.

    Args:
        cut: share of the price that is given up, 0 <= cut < 1.
        margin: gross margin before the cut, 0 < margin <= 1.
        cost_fall: share by which the cost of a unit falls in the meantime, 0 <= cost_fall <= 1.
    Raises: ValueError: an argument out of its range or NaN.
    """
    checks.share("[0, 1)", cut=cut)
    checks.share("(0, 1]", margin=margin)
    checks.share("[0, 1]", cost_fall=cost_fall)
    left = margin - cut + (1.0 - margin) * cost_fall  # gross profit of a unit, as a share of the old price
    return margin / left if left > 0 else math.inf


@checks.representable
def elasticity(*, price: tuple[float, float], volume: tuple[float, float]) -> float:
    """By how many per cent the volume rises for each per cent of price, before and after. Equation (china.elasticity).

    At 1 revenue is unchanged, above 1 it grows with a cut. It credits the cut with all that happened in the meantime.

    Args: price, volume: (before, after), each above 0; the prices differ.
    Raises: ValueError: a number not above 0, NaN or infinite, or a price that did not change.
    """
    for name, ends in (("price", price), ("volume", volume)):
        checks.of_type((tuple, list), **{name: ends})
        checks.array(name, ends, "(2,)")
    checks.above(0.0, price_before=price[0], price_after=price[1], volume_before=volume[0], volume_after=volume[1])
    if price[0] == price[1]:
        raise ValueError(f"the price stayed at {price[0]}: no elasticity can be read from that")
    growth, cut = volume[1] / volume[0], price[0] / price[1]
    checks.above(0.0, **{"volume after / before": growth, "price before / after": cut})
    return math.log(growth) / math.log(cut)


@dataclass(frozen=True)
class Growth:
    """A straight line through the logarithms of n dated amounts. Equation (china.growth).

    rate: per year, continuous.  error: its standard error.  log_mean, year_mean: centre of the line.
    residual: standard deviation of the logarithms around the line, n - 2 degrees of freedom.  n: points, >= 3.
    """

    rate: float
    error: float
    residual: float
    log_mean: float
    year_mean: float
    n: int

    def __post_init__(self) -> None:
        checks.finite(rate=self.rate, log_mean=self.log_mean, year_mean=self.year_mean)
        checks.at_least(0.0, error=self.error, residual=self.residual)
        checks.whole(3, n=self.n)

    @property
    @checks.representable
    def yearly_factor(self) -> float:
        """Amount of one year as a multiple of the year before."""
        return math.exp(self.rate)

    @property
    @checks.representable
    def doubling_months(self) -> float:
        """Months in which the amount doubles; negative where it shrinks."""
        return 12.0 * math.log(2.0) / self.rate

    @checks.representable
    def interval(self, level: float = 0.9) -> tuple[float, float]:
        """Confidence interval of the yearly factor, if the errors are independent, equal and normal."""
        reach = self._quantile(level) * self.error
        return math.exp(self.rate - reach), math.exp(self.rate + reach)

    @checks.representable
    def forecast(self, year: float, level: float = 0.9) -> tuple[float, float, float]:
        """Low end, middle and high end of the prediction interval at a date. Equation (china.forecast)."""
        checks.finite(year=year)
        away = year - self.year_mean
        middle = self.log_mean + self.rate * away
        spread = math.sqrt(self.residual**2 * (1.0 + 1.0 / self.n) + (self.error * away) ** 2)
        reach = self._quantile(level) * spread
        return math.exp(middle - reach), math.exp(middle), math.exp(middle + reach)

    def _quantile(self, level: float) -> float:
        checks.share("(0, 1)", level=level)
        return float(student.ppf(0.5 + level / 2.0, self.n - 2))


@checks.representable
def fit_growth(years: Sequence[float] | np.ndarray, amounts: Sequence[float] | np.ndarray) -> Growth:
    """Fit exponential growth by least squares on the logarithms. Equation (china.growth).

    Args: years: dates, at least 3, not all equal.  amounts: one for each date, above 0.
    Raises: ValueError: lengths differ, fewer than 3 points, an amount not above 0, NaN or infinite, or only one date.
    """
    t, y = checks.array("years", years, least=0), checks.array("amounts", amounts, least=0)
    if t.shape != y.shape or len(t) < 3:
        raise ValueError(f"years must be at least 3 dates and amounts as many amounts, got {t.shape} and {y.shape}")
    if not (y > 0).all():
        raise ValueError(f"amounts must be above 0, got {y}")
    logs, away = np.log(y), t - t.mean()
    spread = float(away @ away)
    if spread == 0:
        raise ValueError(f"years must differ, all points are of the same date, {t[0]}: growth needs two")
    rate = float(away @ logs) / spread
    residual = float(np.sqrt(((logs - logs.mean() - rate * away) ** 2).sum() / (len(t) - 2)))
    return Growth(rate, residual / math.sqrt(spread), residual, float(logs.mean()), float(t.mean()), len(t))


def undercut_price(costs: Sequence[float]) -> float:
    """Price at which a war over one and the same product ends: the second-lowest unit cost. Equation (china.bertrand).

    Raises: ValueError: fewer than two firms, or a cost negative, NaN or infinite.
    Source: Bertrand 1883, with unequal costs; see Tirole 1988, The Theory of Industrial Organization, §5.1.
    """
    firms = checks.array("costs", costs, least=0)
    if len(firms) < 2:
        raise ValueError(f"costs: a price war needs two firms, got {len(firms)}; one alone has nobody to undercut")
    if not (firms >= 0).all():
        raise ValueError(f"costs must be finite, 0 or more, got {costs}")
    return sorted(costs)[1]


@checks.representable
def leader_price(*, cost: float, switching: float, advantage: float, open_rival: bool) -> float:
    """Best price against one rival, customers spread evenly on Hotelling's line. Equations (china.owned), (china.open).

    Args:
        cost: of a unit, the same for both, >= 0.
        switching: what a unit at the far end of the line loses in a customer's eyes, > 0, in money a unit.
        advantage: what the leader's unit is worth more to everybody, >= 0, in money a unit.
        open_rival: the rival's weights are open, so that hosts sell it at cost; else its owner picks his best price.
    Raises: ValueError: an argument out of its range, NaN or infinite.
    Source: Hotelling 1929, doi:10.2307/2224214, with a difference in quality.
    """
    checks.above(0.0, switching=switching)
    checks.at_least(0.0, cost=cost, advantage=advantage)
    if advantage >= 3 * switching:  # everybody buys from the leader, who only keeps the rival out
        return cost + advantage - switching
    if open_rival:
        return cost + (switching + advantage) / 2.0
    return cost + switching + advantage / 3.0


@checks.representable
def basket_price(prices: Sequence[float] | np.ndarray, tokens: Sequence[float] | np.ndarray) -> float:
    """Price of a token at a fixed mix of kinds, so that price lists can be compared. Equation (china.basket).

    Args: prices: of each kind of token, 0 or more, shape (kinds,).  tokens: how many of each, 0 or more, not all 0.
    Returns: in the unit of the prices; the sum over the kinds, divided by all tokens.
    Raises: ValueError: lengths differ, a number negative, NaN or infinite, or no tokens.
    Source: Laspeyres 1871, the index that keeps the basket of its first year.
    """
    each, mix = checks.array("prices", prices), checks.array("tokens", tokens)
    if each.shape != mix.shape:
        raise ValueError(f"prices and tokens must name the same kinds, got {len(each)} and {len(mix)}")
    if (each < 0).any() or (mix < 0).any() or not mix.any():
        raise ValueError(f"prices and tokens must be 0 or more, some tokens above 0, got {prices} and {tokens}")
    return float(each @ (mix / mix.sum()))


@checks.never_nan
def break_even_revenue(*, fixed: float, margin: float) -> float:
    """Revenue whose gross profit pays the fixed costs. Equation (china.break-even).

    Args: fixed: research, sales, administration, >= 0.  margin: gross, <= 1; at or below 0 the answer is infinite.
    Raises: ValueError: fixed negative, margin above 1, or either NaN.
    """
    checks.at_least(0.0, fixed=fixed)
    checks.finite(margin=margin)
    if margin > 1:
        raise ValueError(f"margin must be at most 1, got {margin}; write 60 % as 0.6")
    return fixed / margin if margin > 0 else math.inf
