"""Fines and waiting: known values, and how they move with each number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from genai_utils.business import penalties as p

POSITIVE = st.floats(1e-3, 1e6)
SHARE = st.floats(0.0, 1.0)
LAW = {"amount": 35.0, "share": 0.07}


@pytest.mark.parametrize(("turnover", "lower", "fine"), [(10, True, 0.7), (600, False, 42), (60, False, 35)])
def test_the_ceiling_is_that_of_the_law(turnover, lower, fine):
    assert p.fine_ceiling(turnover, lower=lower, **LAW) == approx(fine)


@given(POSITIVE)
def test_both_readings_meet_where_the_share_makes_the_amount(turnover):
    low, high = (p.fine_ceiling(turnover, lower=lower, **LAW) for lower in (True, False))
    assert low <= high and low + high == approx(35.0 + 0.07 * turnover)
    assert p.fine_ceiling(500.0, lower=True, **LAW) == approx(p.fine_ceiling(500.0, **LAW))


def test_a_fine_of_forty_million_at_one_in_a_thousand_costs_forty_thousand():
    assert p.expected_fine(chance=1e-3, ceiling=40e6) == approx(40e3)
    assert p.expected_fine(chance=1e-3, ceiling=40e6, severity=0.1) == approx(4e3)


@given(POSITIVE, POSITIVE, st.floats(0.01, 1.0))
def test_at_the_needed_chance_the_fine_costs_what_complying_costs(cost, ceiling, severity):
    chance = p.needed_chance(cost=cost, ceiling=ceiling, severity=severity)
    if chance <= 1:
        assert p.expected_fine(chance=chance, ceiling=ceiling, severity=severity) == approx(cost)
    else:
        assert severity * ceiling < cost


@given(POSITIVE, st.floats(0.0, 0.95), st.floats(0.0, 10.0), st.floats(0.0, 0.5))
def test_waiting_is_worth_nothing_at_the_bearable_hurry(cost, dropped, years, rate):
    hurry = p.bearable_hurry(dropped=dropped, years=years, rate=rate)
    value = p.waiting_value(cost=cost, dropped=dropped, years=years, rate=rate, hurry=hurry)
    assert value == approx(0.0, abs=1e-9 * cost)


@given(SHARE, SHARE)
def test_waiting_is_worth_more_the_likelier_it_is_that_the_duty_never_comes(one, other):
    values = [
        p.waiting_value(cost=1.0, dropped=dropped, years=1.0, rate=0.05, hurry=0.1) for dropped in sorted((one, other))
    ]
    assert values[0] <= values[1] + 1e-12


def test_a_duty_that_is_due_today_and_comes_for_sure_is_worth_no_wait():
    assert p.waiting_value(cost=7.0, dropped=0.0, years=0.0, rate=0.1) == 0.0
    assert p.waiting_value(cost=7.0, dropped=1.0, years=0.0, rate=0.1) == 7.0
