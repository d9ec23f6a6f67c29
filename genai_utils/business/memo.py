"""Today's conditions of the verdict, from the table of facts: what the earlier chapters computed, on one scale.

Each is what there is over what is needed, in three readings: strict, middle and kind.
"""

from __future__ import annotations

import math
from dataclasses import replace

from scipy.optimize import brentq

from genai_utils import checks
from genai_utils.business import evidence, trials
from genai_utils.business import unit_economics as ue
from genai_utils.business.machines import Buildout, growth_behind
from genai_utils.business.price_lists import price_list
from genai_utils.business.valuation import Company, through_lenses
from genai_utils.business.verdict import Condition, paid
from genai_utils.records.facts import fact

READINGS = ("strict", "middle", "kind")
KEEPS = 0.5  # of a year's growth, what the next year still has: an assumption
_RENTS = {"strict": "$4.18", "middle": "$3.64", "kind": "$3.15"}  # of a GPU hour, as fact B-U13 writes them
_LOADS = {"strict": 0.3, "middle": 0.5, "kind": 1.0}  # of the published day's load
_SINCE_MARCH = 86 / 365  # years from the end of the quarter to the day of the run rate, both in fact B-C20


def conditions() -> dict[str, Condition]:
    """The four conditions of a gold mine as they stand, by a short name."""
    measures = token_markup, machines_paid, sales_over_needed
    tokens, machines, prices = ([measure(reading) for reading in READINGS] for measure in measures)
    return {
        "users": users_gain(),
        "tokens": Condition("A token sells for more than it costs to make", *tokens),
        "machines": Condition("Users pay for this year's machines before the chips are old", *machines),
        "prices": Condition("A maker sells what its price takes for granted", *prices),
    }


def users_gain() -> Condition:
    """Output with AI over output without it: mean of the trials at work, with its Hartung-Knapp interval of 95 %."""
    pooled = evidence.random_effects([*trials.at_work().values()])
    low, high = pooled.interval()
    return Condition("Who works with AI gets more done", 1 + low, 1 + pooled.effect.change, 1 + high)


def token_markup(reading: str, *, rent: float | None = None) -> float:
    """List price of DeepSeek's V4-Pro over the cost of its tokens, for the mix of the published day (fact B-U1).

    The price is that of quiet hours.  That day's cost is another model's, raised in proportion to its working weights.
    Args: reading: "strict", "middle" or "kind".  rent: of a GPU, USD an hour; by default as the reading finds it.
    Raises: ValueError: no such reading, or a rent that is not above 0.
    """
    checks.one_of(READINGS, reading=reading)
    usd = fact("B-U13").stated(_RENTS[reading]) if rent is None else rent
    checks.above(0.0, rent=usd)
    day, heavier = fact("B-U1"), fact("B-U11").stated("49B") / fact("B-U10", history=True).stated("37B")
    given, hits = day.stated("608B"), day.stated("342B")
    mix = ue.Tokens(cached_input=hits, fresh_input=given - hits, output=day.stated("168B"))
    made = ue.usd_per_million_tokens(
        tokens_per_second=mix.total / day.stated("226.75") / 86_400 / heavier,
        machine_usd_per_hour=8 * usd,
        utilisation=_LOADS[reading],
    )
    return price_list("V4-Pro").prices.usd_per_million(mix) / made


def pace(reading: str) -> float:
    """Growth of what users paid in the past year (fact B-C20): uneven if strict, steady if kind, else half-way between.

    Raises: ValueError: no such reading.
    """
    checks.one_of(READINGS, reading=reading)
    told = fact("B-C20")
    sold, quarter, now = (told.stated(text) for text in ("$110B", "$25B", "$175B"))
    steady, uneven = growth_behind(sold, now), _uneven_growth(sold, quarter, now)
    return {"strict": uneven, "middle": (steady + uneven) / 2, "kind": steady}[reading]


def _uneven_growth(sold: float, quarter: float, now: float) -> float:
    """Growth of a year that sold `sold`, its quarter until March `quarter`: one log pace until then, another since."""

    def march(log_pace: float) -> float:  # run rate of the quarter's last day
        return quarter * log_pace / -math.expm1(-log_pace / 4)

    def gap(log_pace: float) -> float:
        before = march(log_pace) * -math.expm1(-log_pace * (1 - _SINCE_MARCH)) / log_pace
        return before + _SINCE_MARCH * (now - march(log_pace)) / math.log(now / march(log_pace)) - sold

    before = brentq(gap, -2.9, 3.1)
    return now / march(before) * math.exp(before * (1 - _SINCE_MARCH)) - 1


def buildout(reading: str) -> Buildout:
    """The machines of this year, in billion USD, as the chapter on machines reads them.

    Raises: ValueError: no such reading.
    """
    checks.one_of(READINGS, reading=reading)
    spent = fact("B-A8").stated("$745B") / 1e9
    chips = fact("B-V5").stated("$35B") / fact("B-V5").stated("$50B")
    middle = Buildout(spent, chips, 5, 20, rate=0.10, running=0.05, margin=0.5, utilisation=0.6)
    others = {
        "strict": replace(middle, capex=fact("B-C21").stated("$848B") / 1e9, chip_life=3),
        "kind": replace(middle, capex=fact("B-C22").stated("75%") * spent, chip_life=6),
    }
    return others.get(reading, middle)


def machines_paid(reading: str, *, growth: float | None = None, keeps: float = KEEPS) -> float:
    """What users will have paid by the end of the chips over what they must, if nobody buys younger machines.

    Equation (verdict.paid).

    Args: growth: of the past year; by default as the reading finds it.  keeps: of it, what each next year still has.
    Older machines go on needing what users pay today, but in the kind reading.
    Raises: ValueError: no such reading, or a number out of its range.
    """
    today = fact("B-C20").stated("$175B") / 1e9
    claimed = 0.0 if reading == "kind" else today
    was = pace(reading) if growth is None else growth
    return paid(buildout(reading), run_rate=today, growth=was, keeps=keeps, claimed=claimed)


def listed() -> dict[str, Company]:
    """Anthropic at the market value of its listing, by reading; in billion USD (facts B-V20, B-V23, B-V24)."""
    price, sells = (fact(id).stated(text) / 1e9 for id, text in (("B-V24", "$1,750B"), ("B-V20", "$65B")))
    margin = fact("B-V23").stated("$559M") / fact("B-V23").stated("$10.9B")
    return through_lenses(price, sells, margin_today=margin)


def sales_over_needed(reading: str, *, sales: float | None = None, year: int = 2) -> float:
    """Sales of a year over what the price takes for granted for it, by default the maker's forecast (fact B-V25).

    Args: sales: billion USD.  year: 1 is mid-2027, whose pace stands for a year.
    Raises: ValueError: no such reading, sales not above 0, or a year beyond those that the price spells out.
    """
    checks.one_of(READINGS, reading=reading)
    told = fact("B-V25")
    forecast = (told.stated("$190B") + told.stated("$200B")) / 2e9 if sales is None else sales
    needed = listed()[reading].revenues
    checks.above(0.0, sales=forecast)
    checks.whole(1, year=year)
    if year > len(needed):
        raise ValueError(f"year must be one of the {len(needed)} that the price spells out, got {year}")
    return float(forecast / needed[year - 1])
