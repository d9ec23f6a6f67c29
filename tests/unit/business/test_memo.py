"""Today's conditions are those that the earlier chapters computed, and each input moves its own the right way."""

import math

import pytest
from pytest import approx
from scipy.optimize import brentq

from genai_utils.business import memo
from genai_utils.business.machines import break_even_growth
from genai_utils.records.facts import fact

PAYS = fact("B-C20").stated("$175B") / 1e9


def test_all_four_conditions_rise_from_the_strict_to_the_kind_reading():
    found = memo.conditions()
    assert [*found] == ["users", "tokens", "machines", "prices"]
    assert all(each.low < each.today < each.high for each in found.values())


@pytest.mark.parametrize(("reading", "claimed"), [("strict", PAYS), ("middle", PAYS), ("kind", 0.0)])
def test_the_machines_are_those_of_their_chapter(reading, claimed):
    steady = break_even_growth(memo.buildout(reading), run_rate=PAYS, claimed=claimed)
    assert memo.machines_paid(reading, growth=steady, keeps=1.0) == approx(1.0, rel=1e-9)


def test_the_year_before_brings_the_sums_of_its_count_and_is_read_three_ways():
    """Uneven: the pace of March that sells the year's sum sells the quarter's, too (logarithmic means of paces)."""
    told = fact("B-C20")
    sold, quarter, now = (told.stated(text) / 1e9 for text in ("$110B", "$25B", "$175B"))
    start, since = now / (1 + memo.pace("strict")), (30 + 31 + 25) / 365

    def brings(first, last, years):
        return years * (last - first) / math.log(last / first)

    march = brentq(lambda m: brings(start, m, 1 - since) + brings(m, now, since) - sold, 50.0, start - 0.1)
    january = march * (start / march) ** (0.25 / (1 - since))
    assert brings(january, march, 0.25) == approx(quarter, rel=1e-9)
    assert brings(now / (1 + memo.pace("kind")), now, 1.0) == approx(sold, rel=1e-9)
    assert memo.pace("middle") == approx((memo.pace("strict") + memo.pace("kind")) / 2)
    assert memo.machines_paid("middle") == memo.machines_paid("middle", growth=memo.pace("middle"))


@pytest.mark.parametrize("reading", memo.READINGS)
def test_inputs_move_their_condition(reading):
    assert memo.token_markup(reading, rent=2.0) == approx(2 * memo.token_markup(reading, rent=4.0))
    assert memo.machines_paid(reading, growth=2.0) > memo.machines_paid(reading, growth=1.0)
    assert memo.sales_over_needed(reading, sales=300.0) == approx(1.5 * memo.sales_over_needed(reading, sales=200.0))
    assert memo.sales_over_needed(reading, year=1) > memo.sales_over_needed(reading, year=2)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: memo.buildout("kindly"),
        lambda: memo.pace("kindly"),
        lambda: memo.token_markup("middle", rent=0.0),
        lambda: memo.sales_over_needed("middle", year=0),
        lambda: memo.sales_over_needed("middle", year=99),
        lambda: memo.sales_over_needed("middle", sales=-1.0),
        lambda: memo.machines_paid("middle", growth=-1.0),
    ],
)
def test_what_cannot_be_is_refused(ask):
    with pytest.raises(ValueError, match=r"reading|rent|machine_usd|year|sales|growth"):
        ask()
