"""Today's conditions are those that the earlier chapters computed, and each input moves its own the right way."""

import pytest
from pytest import approx

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
