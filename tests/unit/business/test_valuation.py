"""Valuation keeps the laws of money, and refuses numbers that cannot be."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from genai_utils.business import valuation as v

COMPANY = v.Company(30.0, 0.6, 0.35, 0.1)


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=20), st.floats(0, 0.5))
def test_the_worth_of_two_projects_together_is_the_sum_of_their_worths(pairs, rate):
    one, other = (list(each) for each in zip(*pairs, strict=True))
    both = v.present_value([a + b for a, b in pairs], rate=rate)
    assert both == approx(v.present_value(one, rate=rate) + v.present_value(other, rate=rate), abs=1e-8)


def test_nothing_is_worth_nothing():
    assert v.present_value([], rate=0.1) == 0.0


@pytest.mark.parametrize("rate", [-1.0, -2.0, math.nan, math.inf])
def test_an_impossible_rate_is_refused(rate):
    with pytest.raises(ValueError, match="rate must be"):
        v.present_value([1.0], rate=rate)


def test_a_flow_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="cash must hold finite numbers"):
        v.present_value([1.0, math.nan], rate=0.1)


def test_a_perpetuity_that_outgrows_its_rate_is_refused():
    with pytest.raises(ValueError, match=r"growth must stay below the rate, got 0\.1 and 0\.1: such a sum is infinite"):
        v.perpetuity(1.0, rate=0.1, growth=0.1)


def test_near_and_far_future_add_up():
    assert COMPANY.near_value + COMPANY.far_value == approx(COMPANY.value, rel=1e-12)
    assert COMPANY.near_value > 0 < COMPANY.far_value


def test_growth_begins_at_its_first_value_and_fades_towards_the_long_run():
    growth = np.diff(np.concatenate([[30.0], COMPANY.revenues])) / np.concatenate([[30.0], COMPANY.revenues[:-1]])
    assert growth[0] == approx(0.6)
    assert np.all(np.diff(growth) < 0) and growth[-1] > 0.03
    assert growth[1] - 0.03 == approx(0.75 * (growth[0] - 0.03))


@given(st.floats(0.05, 0.5), st.floats(0.01, 0.3))
def test_more_margin_is_worth_more_and_more_interest_less(margin, more):
    base = replace(COMPANY, margin=margin)
    assert replace(base, margin=margin + more).value > base.value > replace(base, rate=base.rate + more).value


@pytest.mark.parametrize(
    "wrong",
    [{"revenue": 0}, {"revenue": -1}, {"growth": -1}, {"margin": math.nan}, {"rate": 0.03}, {"fade": 1.5}]
    + [{"years": 0}, {"long_run": -1}, {"revenue": math.nan}, {"rate": math.inf}]
    + [{"ramp": -1}, {"margin_today": math.nan}],
)
def test_an_impossible_company_is_refused(wrong):
    with pytest.raises(ValueError):
        replace(COMPANY, **wrong)


def test_a_loss_of_today_turns_evenly_into_the_margin():
    company = replace(COMPANY, margin=0.25, margin_today=-0.5, ramp=5, years=7)
    assert company.margins == approx([-0.35, -0.2, -0.05, 0.1, 0.25, 0.25, 0.25])
    assert replace(company, years=3).margins == approx([-0.35, -0.2, -0.05])


@given(st.floats(-1.0, 0.3), st.integers(0, 10))
def test_a_margin_that_is_there_from_the_start_is_a_ramp_of_none_or_of_one_year(today, ramp):
    at_once = replace(COMPANY, margin_today=today, ramp=ramp % 2)
    assert at_once.margins == approx(np.full(10, COMPANY.margin)) and at_once.value == approx(COMPANY.value)
    assert replace(at_once, margin_today=COMPANY.margin, ramp=ramp).value == approx(COMPANY.value)


@given(st.floats(-0.9, 0.0), st.floats(0.01, 0.5), st.integers(1, 9))
def test_a_smaller_loss_of_today_is_worth_more_and_a_longer_way_to_profit_less(today, better, ramp):
    base = replace(COMPANY, margin_today=today, ramp=ramp + 1)
    assert replace(base, ramp=ramp).value > base.value
    assert replace(base, margin_today=today + better).value > base.value


@given(st.floats(-0.2, 2.0), st.floats(0.0, 500.0))
def test_cash_in_the_price_need_not_be_earned(growth, cash):
    company = replace(COMPANY, growth=growth)
    assert v.implied_growth(company.value + cash, company, cash=cash) == approx(growth, abs=1e-7)
    assert COMPANY.at_price(company.value + cash, cash=cash).value == approx(company.value)


def test_each_lens_explains_the_price_and_a_stricter_one_asks_for_more_growth():
    seen = v.through_lenses(900.0, 50.0, margin_today=-0.2, cash=60.0)
    assert list(seen) == ["kind", "middle", "strict"]
    assert [company.value for company in seen.values()] == approx([840.0] * 3)
    assert [company.margins[4] for company in seen.values()] == approx([0.35, 0.25, 0.15])
    assert seen["kind"].growth < seen["middle"].growth < seen["strict"].growth


def test_more_cash_than_price_and_less_than_none_are_refused():
    with pytest.raises(ValueError, match="cash must be below the price, got 20.0 and 20.0"):
        v.implied_growth(20.0, COMPANY, cash=20.0)
    with pytest.raises(ValueError, match="cash must be"):
        v.implied_growth(20.0, COMPANY, cash=-1.0)


@given(st.floats(-0.2, 3.0), st.integers(1, 10))
def test_a_company_can_be_made_to_reach_a_revenue(growth, year):
    revenue = replace(COMPANY, growth=growth).revenues[year - 1]
    assert COMPANY.reaching(revenue, year=year).growth == approx(growth, abs=1e-7)


@pytest.mark.parametrize(("revenue", "year"), [(0.0, 2), (math.nan, 2), (50.0, 0), (50.0, 11), (1e9, 1)])
def test_a_revenue_that_cannot_be_reached_is_refused(revenue, year):
    with pytest.raises(ValueError, match="must be|leads to a revenue"):
        COMPANY.reaching(revenue, year=year)


@pytest.mark.parametrize("price", [0.0, -5.0, math.nan])
def test_a_price_that_is_none_is_refused(price):
    with pytest.raises(ValueError, match="price must be a finite number above 0"):
        v.implied_growth(price, COMPANY)


def test_a_price_that_no_growth_explains_is_refused():
    with pytest.raises(ValueError, match=r"no growth from -99 % to \+10,000 % explains a price of 10\.0"):
        v.implied_growth(10.0, replace(COMPANY, margin=-0.1))


def test_a_margin_given_in_percent_is_refused():
    with pytest.raises(ValueError, match="margin of cloud is a share of its revenue, got 55; write 60 % as 0.6"):
        v.capture({"application": 0.3, "cloud": 55})
    with pytest.raises(ValueError, match="chips must be a finite number, got nan"):
        v.capture({"chips": math.nan})


def test_makers_keep_their_gross_profit_and_no_more_than_what_was_paid():
    assert v.kept_by_makers(75.0, 50.0, {"all": 0.5}) == approx(0.25)
    assert v.kept_by_makers(0.0, 50.0, {"all": 0.5}) == 1.0
    assert v.kept_by_makers(120.0, 10.0, {"one": 0.9, "other": 1.0}) == approx(1 / 13)


@pytest.mark.parametrize(("surplus", "revenue", "margin"), [(-1, 1, 0.5), (1, 0, 0.5), (1, 1, 0.0), (1, 1, -0.5)])
def test_value_that_is_none_is_refused(surplus, revenue, margin):
    with pytest.raises(ValueError, match="must be"):
        v.kept_by_makers(surplus, revenue, {"all": margin})


def test_without_layers_all_goes_to_the_suppliers():
    assert v.capture({}) == {"suppliers": 1.0}


def test_a_bubble_that_cannot_burst_grows_at_the_rate():
    paths = v.bubble_paths(10.0, rate=0.1, burst=0.0, years=3, paths=2, seed=0)
    assert paths == approx(np.array([[10.0, 11.0, 12.1, 13.31]] * 2))


def test_a_burst_bubble_never_comes_back():
    paths = v.bubble_paths(1.0, rate=0.05, burst=0.3, years=20, paths=500, seed=0)
    assert np.all(paths[:, 1:][paths[:, :-1] == 0] == 0)


@pytest.mark.parametrize(("start", "burst"), [(0.0, 0.1), (-1.0, 0.1), (1.0, 1.0), (1.0, -0.1), (1.0, math.nan)])
def test_an_impossible_bubble_is_refused(start, burst):
    with pytest.raises(ValueError, match="start must be a finite number above 0|burst is a share"):
        v.bubble_paths(start, rate=0.05, burst=burst, years=2, paths=1, seed=0)
