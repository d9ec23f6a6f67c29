"""Valuation keeps the laws of money, and refuses numbers that cannot be."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from genai_utils.business import valuation as v

BUILD = v.Buildout(100.0, 0.7, 5.0, 20.0, rate=0.1, running=0.05, margin=0.5, utilisation=0.6)
COMPANY = v.Company(30.0, 0.6, 0.35, 0.1)
TERMS = {"rate": 0.05, "payout": 0.04, "volatility": 0.3}


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


def test_an_annuity_at_nearly_no_interest_is_that_at_none():
    assert v.annuity(100.0, rate=1e-12, years=4) == approx(v.annuity(100.0, rate=0.0, years=4), rel=1e-9)


@pytest.mark.parametrize(("rate", "years"), [(-0.1, 5), (0.1, 0), (0.1, -1), (0.1, math.nan), (math.nan, 5)])
def test_an_impossible_annuity_is_refused(rate, years):
    with pytest.raises(ValueError, match="must be"):
        v.annuity(100.0, rate=rate, years=years)


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
    + [{"years": 0}, {"long_run": -1}, {"revenue": math.nan}, {"rate": math.inf}],
)
def test_an_impossible_company_is_refused(wrong):
    with pytest.raises(ValueError):
        replace(COMPANY, **wrong)


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


def test_without_layers_all_goes_to_the_suppliers():
    assert v.capture({}) == {"suppliers": 1.0}


@given(st.floats(1.0, 8.0), st.floats(0.1, 5.0))
def test_machines_that_last_longer_need_less_revenue(life, more):
    assert replace(BUILD, chip_life=life + more).required_revenue < replace(BUILD, chip_life=life).required_revenue


@given(st.floats(1.0, 1e6))
def test_required_revenue_grows_in_step_with_the_capex(capex):
    assert replace(BUILD, capex=capex).required_revenue == approx(capex / 100 * BUILD.required_revenue, rel=1e-9)


def test_utilisation_changes_the_price_of_an_hour_and_not_the_bill():
    busy = replace(BUILD, utilisation=0.9)
    assert busy.required_revenue == BUILD.required_revenue
    assert busy.price_per_hour == approx(BUILD.price_per_hour * 0.6 / 0.9)


@pytest.mark.parametrize(
    "wrong",
    [{"capex": 0}, {"capex": math.nan}, {"chip_share": 1.2}, {"chip_life": 0}, {"building_life": -1}, {"rate": -0.1}]
    + [{"running": -0.1}, {"margin": 1.0}, {"utilisation": 0.0}, {"utilisation": 60}, {"margin": math.nan}]
    + [{"capex": math.inf}, {"chip_life": math.nan}, {"running": math.inf}],
)
def test_an_impossible_build_out_is_refused(wrong):
    with pytest.raises(ValueError):
        replace(BUILD, **wrong)


def test_the_widest_swing_comes_first_and_each_is_that_of_one_input_alone():
    ranges = {"capex": (90.0, 110.0), "utilisation": (0.3, 0.9), "margin": (0.5, 0.5)}
    bars = v.swings(lambda build: build.required_revenue, BUILD, ranges)
    assert [bar.name for bar in bars] == ["capex", "utilisation", "margin"]
    assert bars[0].width == approx(0.2 * BUILD.required_revenue) and bars[1].width == bars[2].width == 0.0
    assert bars[0].low == approx(replace(BUILD, capex=90.0).required_revenue)


def test_a_swing_of_an_input_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="got 'chip_price'; did you mean 'chip_life'|'chip_share'"):
        v.swings(lambda build: build.required_revenue, BUILD, {"chip_price": (1.0, 2.0)})


def test_draws_depend_on_the_seed_alone():
    one, same, other = (v.together(np.eye(2), draws=5, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    assert one.shape == (5, 2) and np.all((one > 0) & (one < 1))


def test_inputs_with_one_cause_move_as_one():
    one, other = v.together(np.ones((2, 2)), draws=50, seed=0).T
    assert one == approx(other, abs=1e-5)


@pytest.mark.parametrize("matrix", [[[1.0, 0.5]], [[1.0, 0.5], [0.4, 1.0]], [[2.0, 0.0], [0.0, 1.0]], [1.0]])
def test_what_is_no_correlation_matrix_is_refused(matrix):
    with pytest.raises(ValueError, match="symmetric matrix with ones on its diagonal"):
        v.together(np.array(matrix), draws=2, seed=0)


def test_correlations_that_contradict_each_other_are_refused():
    matrix = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    with pytest.raises(ValueError, match="contradict each other"):
        v.together(matrix, draws=2, seed=0)


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


@given(st.floats(20.0, 300.0), st.floats(0.1, 0.6), st.floats(0.05, 0.3))
def test_an_option_is_worth_more_when_the_future_is_less_certain_and_never_less_than_nothing(value, low, more):
    calm, wild = (
        v.call_value(value, 100.0, rate=0.03, payout=0.02, volatility=volatility, years=2.0)
        for volatility in (low, low + more)
    )
    assert 0 <= calm <= wild + 1e-12


def test_being_allowed_to_act_early_is_never_worth_less():
    late, early = (v.binomial_call(120.0, 100.0, **TERMS, years=3.0, steps=60, early=early) for early in (False, True))
    assert early >= late and early >= 20.0


def test_a_tree_with_too_few_steps_is_refused():
    with pytest.raises(ValueError, match="1 steps are too few for rate 0.5"):
        v.binomial_call(100.0, 100.0, rate=0.5, payout=0.0, volatility=0.1, years=4.0, steps=1, early=False)


def test_above_the_hurdle_the_right_is_worth_what_investing_now_brings():
    hurdle = v.wait_forever(100.0, 100.0, **TERMS).hurdle
    assert v.wait_forever(hurdle + 50, 100.0, **TERMS).worth == approx(hurdle - 50)
    assert v.wait_forever(hurdle - 1, 100.0, **TERMS).worth > hurdle - 101


@pytest.mark.parametrize("wrong", [{"volatility": 0.0}, {"rate": math.nan}, {"payout": math.inf}])
def test_an_impossible_option_is_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        v.call_value(100.0, 100.0, **(TERMS | wrong), years=1.0)
    with pytest.raises(ValueError, match="years must be a finite number above 0"):
        v.call_value(100.0, 100.0, **TERMS, years=0.0)


@pytest.mark.parametrize("wrong", [{"rate": 0.0}, {"payout": 0.0}])
def test_without_interest_or_payout_there_is_no_hurdle(wrong):
    with pytest.raises(ValueError, match="must be a finite number above 0"):
        v.wait_forever(100.0, 100.0, **(TERMS | wrong))
