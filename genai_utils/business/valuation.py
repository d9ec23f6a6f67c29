"""What future money is worth, and what a price takes for granted.

Money in any one unit, time in years, rates, growth, shares and margins as fractions (5 % is 0.05).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq

from genai_utils import checks

LENSES = {"kind": (0.35, 0.10), "middle": (0.25, 0.12), "strict": (0.15, 0.15)}  # margin in 5 years, rate: assumptions


@checks.representable
def present_value(cash: Sequence[float] | np.ndarray, *, rate: float) -> float:
    """Today's worth of yearly payments; the first comes in one year. Equation (value.npv).

    Raises: ValueError: rate is -1 or below, or a number is NaN or infinite.
    """
    flows = checks.array("cash", cash, least=0)
    checks.above(-1.0, rate=rate)
    return float(flows @ (1.0 + rate) ** -np.arange(1.0, len(flows) + 1))


@checks.representable
def perpetuity(cash: float, *, rate: float, growth: float) -> float:
    """Worth of payments without end: `cash` in one year, then growing. Equation (value.perpetuity).

    Raises: ValueError: growth is not below rate (the sum has no end), or a number is NaN or infinite.
    """
    checks.finite(cash=cash, rate=rate, growth=growth)
    if not growth < rate:
        raise ValueError(f"growth must stay below the rate, got {growth} and {rate}: such a sum is infinite")
    return cash / (rate - growth)


@dataclass(frozen=True)
class Company:
    """A company by its discounted cash flow; its growth fades towards the long run. Equation (value.dcf).

    revenue: of the year just ended, > 0.  growth: of the first year, > -1.  margin: cash flow / revenue.
    rate: discount rate.  fade: share of the excess growth that is lost each year, 0..1.
    long_run: growth after `years`, below rate.  years: told one by one, 1 or more.
    margin_today, ramp: the margin goes evenly from margin_today (below 0: a loss) to margin in `ramp` years, 0 or
    more; at 0 it is there from the first year on. What the last told year has lasts for ever.
    Raises: ValueError: an argument out of its range, NaN or infinite.
    """

    revenue: float
    growth: float
    margin: float
    rate: float
    fade: float = 0.25
    long_run: float = 0.03
    years: int = 10
    margin_today: float = 0.0
    ramp: int = 0

    def __post_init__(self) -> None:
        checks.finite(margin=self.margin, margin_today=self.margin_today)
        checks.above(0.0, revenue=self.revenue)
        checks.above(-1.0, growth=self.growth, long_run=self.long_run)
        checks.share("[0, 1]", fade=self.fade)
        checks.fits(years=self.years)
        checks.whole(0, ramp=self.ramp)
        checks.finite(rate=self.rate)
        if not self.long_run < self.rate:
            raise ValueError(f"long_run must stay below the rate, got {self.long_run} and {self.rate}")

    @property
    @checks.representable
    def revenues(self) -> np.ndarray:
        """Revenue of each of the years, shape (years,). Equation (value.fade)."""
        excess = (self.growth - self.long_run) * (1.0 - self.fade) ** np.arange(self.years)
        return self.revenue * np.cumprod(1.0 + self.long_run + excess)

    @property
    @checks.representable
    def margins(self) -> np.ndarray:
        """Cash flow / revenue of each of the years, shape (years,). Equation (value.ramp)."""
        reached = np.minimum(np.arange(1.0, self.years + 1) / max(self.ramp, 1), 1.0)
        return self.margin_today + (self.margin - self.margin_today) * reached

    @property
    @checks.representable
    def near_value(self) -> float:
        """Today's worth of the cash flows of the years told one by one."""
        return present_value(self.margins * self.revenues, rate=self.rate)

    @property
    @checks.representable
    def far_value(self) -> float:
        """Today's worth of all that comes after them, the "terminal value"."""
        cash = float(self.margins[-1] * self.revenues[-1]) * (1.0 + self.long_run)
        return perpetuity(cash, rate=self.rate, growth=self.long_run) * (1.0 + self.rate) ** -self.years

    @property
    @checks.representable
    def value(self) -> float:
        """Today's worth of everything. Equation (value.dcf)."""
        return self.near_value + self.far_value

    def at_price(self, price: float, *, cash: float = 0.0) -> Company:
        """The same company, growing as its price takes for granted. Equation (value.reverse-dcf).

        Raises: ValueError: as `implied_growth`.
        """
        return replace(self, growth=implied_growth(price, self, cash=cash))

    def reaching(self, revenue: float, *, year: int) -> Company:
        """The same company, growing so that a told year has this revenue. Equation (value.fade), solved for growth.

        Raises: ValueError: it does not tell that year, or no growth between -99 % and +10,000 % leads there.
        """
        checks.above(0.0, revenue=revenue)
        checks.whole(1, year=year)
        if year > self.years:
            raise ValueError(f"year must be one of the {self.years} that the company tells, got {year}")

        def gap(growth: float) -> float:
            return float(replace(self, growth=growth).revenues[year - 1]) - revenue

        return replace(self, growth=_root(gap, f"leads to a revenue of {revenue} in year {year}"))


@checks.representable
def implied_growth(price: float, company: Company, *, cash: float = 0.0) -> float:
    """First year's growth at which the company is worth its price; its own is ignored. Equation (value.reverse-dcf).

    Args: cash: what it holds, part of the price, which growth need not earn, 0 or more.
    Raises: ValueError: no growth between -99 % and +10,000 % explains the price.
    """
    checks.of_type(Company, company=company)
    checks.above(0.0, price=price)
    checks.at_least(0.0, cash=cash)
    if not cash < price:
        raise ValueError(f"cash must be below the price, got {cash} and {price}: there would be nothing to explain")

    def gap(growth: float) -> float:
        return replace(company, growth=growth).value + cash - price

    return _root(gap, f"explains a price of {price} with {cash} of cash in it; look at margin and rate")


@checks.representable
def through_lenses(price: float, revenue: float, *, margin_today: float, cash: float = 0.0) -> dict[str, Company]:
    """What a price takes for granted under each of the LENSES, in which the margin takes five years to arrive.

    Args: revenue: of the year just ended.  margin_today: cash flow / revenue now.  cash: as in `implied_growth`.
    Raises: ValueError: as `Company` and `implied_growth`.
    """
    plain = Company(revenue, 0.0, 0.0, 1.0, margin_today=margin_today, ramp=5)
    return {
        name: replace(plain, margin=margin, rate=rate).at_price(price, cash=cash)
        for name, (margin, rate) in LENSES.items()
    }


def _root(gap: Callable[[float], float], what: str) -> float:
    """The growth at which the gap closes."""
    if not gap(-0.99) < 0 < gap(100.0):
        raise ValueError(f"no growth from -99 % to +10,000 % {what}")
    return float(brentq(gap, -0.99, 100.0, xtol=1e-12))


@checks.representable
def kept_by_makers(surplus: float, revenue: float, margins: Mapping[str, float]) -> float:
    """Largest share of the value created that the makers can keep: their gross profit. Equation (value.surplus).

    Args: surplus: what users would pay beyond what they pay, 0 or more.  revenue: what they pay, > 0.
        margins: as in `capture`; together the layers must earn a profit.
    Raises: ValueError: an argument out of its range, or no profit.
    """
    checks.at_least(0.0, surplus=surplus)
    checks.above(0.0, revenue=revenue)
    profit = revenue * (1.0 - capture(margins)["suppliers"])
    checks.above(0.0, **{"profit of the layers": profit})
    return profit / (surplus + profit)


@checks.representable
def capture(margins: Mapping[str, float]) -> dict[str, float]:
    """Who keeps what of each unit that users pay, when every layer pays the next. Equation (value.capture).

    Args: margins: gross margin of each layer, the one nearest to the users first, at most 1.
    Returns: share of each layer, and under "suppliers" what the last one passes on; the sum is 1.
    Raises: ValueError: a margin above 1, NaN or infinite.
    """
    checks.of_type(Mapping, margins=margins)
    checks.finite(**{f"margin of {layer}": margin for layer, margin in margins.items()})
    passed, shares = 1.0, {}
    for layer, margin in margins.items():
        if margin > 1:
            raise ValueError(f"the margin of {layer} is a share of its revenue, got {margin}; write 60 % as 0.6")
        shares[layer] = passed * margin
        passed *= 1.0 - margin
    return shares | {"suppliers": passed}


@checks.representable
def bubble_paths(start: float, *, rate: float, burst: float, years: int, paths: int, seed: int) -> np.ndarray:
    """Rational bubbles, which may burst every year and for good; shape (paths, years + 1). Equation (value.bubble).

    Args: rate: return that holders ask.  burst: chance of bursting in a year, 0..1 exclusive of 1.
    Raises: ValueError: start not above 0, or burst out of its range.
    Source: Blanchard & Watson 1982, NBER working paper 945.
    """
    checks.above(0.0, start=start)
    checks.above(-1.0, rate=rate)
    checks.share("[0, 1)", burst=burst)
    checks.whole(0, seed=seed)
    checks.fits(paths=paths, years=years)
    alive = np.random.default_rng(seed).random((paths, years)) >= burst
    factors = np.where(alive, (1.0 + rate) / (1.0 - burst), 0.0)
    return start * np.cumprod(np.hstack([np.ones((paths, 1)), factors]), axis=1)
