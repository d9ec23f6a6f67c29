"""What machines must earn keeps the laws of money, and refuses numbers that cannot be."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from genai_utils.business import machines as m

BUILD = m.Buildout(100.0, 0.7, 5.0, 20.0, rate=0.1, running=0.05, margin=0.5, utilisation=0.6)
PLAN = m.Expansion(bought=100.0, bought_growth=0.4, own=50.0, own_growth=0.4, vendor=0.0, rate=0.1)


def test_an_annuity_at_nearly_no_interest_is_that_at_none():
    assert m.annuity(100.0, rate=1e-12, years=4) == approx(m.annuity(100.0, rate=0.0, years=4), rel=1e-9)


@pytest.mark.parametrize(("rate", "years"), [(-0.1, 5), (0.1, 0), (0.1, -1), (0.1, math.nan), (math.nan, 5)])
def test_an_impossible_annuity_is_refused(rate, years):
    with pytest.raises(ValueError, match="must be"):
        m.annuity(100.0, rate=rate, years=years)


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
    bars = m.swings(lambda build: build.required_revenue, BUILD, ranges)
    assert [bar.name for bar in bars] == ["capex", "utilisation", "margin"]
    assert bars[0].width == approx(0.2 * BUILD.required_revenue) and bars[1].width == bars[2].width == 0.0
    assert bars[0].low == approx(replace(BUILD, capex=90.0).required_revenue)


def test_a_swing_of_an_input_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="got 'chip_price'; did you mean 'chip_life'|'chip_share'"):
        m.swings(lambda build: build.required_revenue, BUILD, {"chip_price": (1.0, 2.0)})


def test_draws_depend_on_the_seed_alone():
    one, same, other = (m.together(np.eye(2), draws=5, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    assert one.shape == (5, 2) and np.all((one > 0) & (one < 1))


def test_inputs_with_one_cause_move_as_one():
    one, other = m.together(np.ones((2, 2)), draws=50, seed=0).T
    assert one == approx(other, abs=1e-5)


@pytest.mark.parametrize("matrix", [[[1.0, 0.5]], [[1.0, 0.5], [0.4, 1.0]], [[2.0, 0.0], [0.0, 1.0]], [1.0]])
def test_what_is_no_correlation_matrix_is_refused(matrix):
    with pytest.raises(ValueError, match="symmetric matrix with ones on its diagonal"):
        m.together(np.array(matrix), draws=2, seed=0)


def test_correlations_that_contradict_each_other_are_refused():
    matrix = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    with pytest.raises(ValueError, match="contradict each other"):
        m.together(matrix, draws=2, seed=0)


def test_of_half_a_year_half_is_in_use():
    assert m.pile(2.5, 0.0) == 2.5 and m.pile(0.5, 0.3) == 0.5
    assert m.pile(1.5, 1.0) == approx(1 + 0.5 / 2)


@pytest.mark.parametrize(
    ("years", "growth"), [(0, 0.1), (-1, 0.1), (101, 0.1), (math.inf, 0.1), (3, -1), (3, math.nan)]
)
def test_an_impossible_pile_is_refused(years, growth):
    with pytest.raises(ValueError, match="years must be|growth must be"):
        m.pile(years, growth)


@given(st.floats(0.0, 1.0), st.floats(0.05, 0.5))
def test_the_faster_spending_grew_the_less_of_it_is_due(growth, more):
    assert BUILD.every_year(growth + more) < BUILD.every_year(growth)


def test_spending_once_is_the_first_year_of_spending_for_ever():
    """After a leap of a millionfold only the last vintage counts."""
    assert BUILD.every_year(1e6) == approx(BUILD.required_revenue, rel=1e-5)


def test_buildings_that_last_for_ever_have_no_steady_state():
    with pytest.raises(ValueError, match="building_life must be"):
        replace(BUILD, building_life=math.inf).every_year(0.1)


@given(st.floats(1.0, 6.0), st.floats(0.5, 3.0))
def test_chips_that_die_sooner_need_faster_growth(life, more):
    short, long = (
        m.break_even_growth(replace(BUILD, chip_life=years), run_rate=40.0, claimed=40.0)
        for years in (life, life + more)
    )
    assert long < short


def test_revenue_that_is_there_already_need_not_grow():
    assert m.break_even_growth(BUILD, run_rate=BUILD.required_revenue) == approx(0.0, abs=1e-9)
    assert m.break_even_growth(BUILD, run_rate=2 * BUILD.required_revenue) < 0
    assert m.break_even_growth(
        replace(BUILD, chip_life=2.5), run_rate=replace(BUILD, chip_life=2.5).required_revenue
    ) == (approx(0.0, abs=1e-9))


@given(st.floats(1e-3, 1e3))
def test_the_growth_needed_does_not_depend_on_the_unit_of_money(unit):
    scaled = m.break_even_growth(replace(BUILD, capex=100.0 * unit), run_rate=30.0 * unit, claimed=20.0 * unit)
    assert scaled == approx(m.break_even_growth(BUILD, run_rate=30.0, claimed=20.0), rel=1e-6)


@pytest.mark.parametrize("wrong", [{"run_rate": 0.0}, {"run_rate": -1.0}, {"claimed": -1.0}, {"claimed": math.nan}])
def test_an_impossible_race_is_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        m.break_even_growth(BUILD, **({"run_rate": 30.0} | wrong))


def test_a_race_that_no_growth_wins_is_refused():
    with pytest.raises(ValueError, match=r"no growth from -99 % to \+10,000 % turns a run rate of 1e-09 into"):
        m.break_even_growth(replace(BUILD, chip_life=1.0), run_rate=1e-9)
    with pytest.raises(ValueError, match="chip_life of build must be"):
        m.break_even_growth(replace(BUILD, chip_life=math.inf), run_rate=30.0)


def test_a_year_without_growth_sells_its_run_rate():
    assert m.growth_behind(100.0, 100.0) == approx(0.0, abs=1e-9)
    assert m.growth_behind(100.0, 120.0) > 0 > m.growth_behind(100.0, 80.0)


def test_sales_that_no_steady_growth_explains_are_refused():
    with pytest.raises(ValueError, match="no steady growth leads to sales of 1e-06"):
        m.growth_behind(1e-6, 1e6)


@given(st.floats(0.5, 20.0))
def test_without_growth_wear_is_what_is_bought_whatever_the_life(years):
    assert m.depreciation_share(years, 0.0) == approx(1.0, rel=1e-12)


@given(st.floats(1.0, 10.0), st.floats(0.1, 5.0), st.floats(0.05, 1.0))
def test_while_spending_grows_a_longer_life_shows_less_wear(years, more, growth):
    assert m.depreciation_share(years + more, growth) < m.depreciation_share(years, growth)


@given(st.lists(st.floats(0.0, 100.0), min_size=1, max_size=12), st.floats(0.5, 6.0))
def test_all_that_was_spent_is_written_off_in_the_end(spending, years):
    written = m.straight_line([*spending, *[0.0] * 6], years=years)
    assert written.sum() == approx(sum(spending), abs=1e-9)


def test_without_vendor_finance_sales_are_the_money_that_is_there():
    assert m.purchases(3.0, 4.0, vendor=0.0) == 7.0
    assert m.purchases(3.0, 4.0, vendor=0.5) == 14.0


@pytest.mark.parametrize(("own", "vendor"), [(-1.0, 0.1), (1.0, 1.0), (1.0, -0.1), (math.nan, 0.1)])
def test_impossible_financing_is_refused(own, vendor):
    with pytest.raises(ValueError, match="own must be|vendor is a share"):
        m.purchases(own, 1.0, vendor=vendor)


def test_lenders_stop_in_the_first_year_above_their_limit():
    ratios = PLAN.debts(12) / PLAN.cash(12)
    stop = PLAN.stop(3.0, years=12)
    assert ratios[stop - 1] > 3.0 >= ratios[stop - 2]
    assert PLAN.stop(3.0, years=stop - 1) is None


@given(st.floats(0.0, 0.5), st.floats(0.0, 0.4))
def test_more_vendor_finance_never_makes_lenders_stop_sooner(vendor, more):
    first, later = (replace(PLAN, vendor=share).debts(8) for share in (vendor, vendor + more))
    assert np.all(later <= first + 1e-9)


def test_whoever_earns_more_than_he_buys_for_saves():
    assert np.all(replace(PLAN, own=120.0).debts(5) < 0) and replace(PLAN, own=120.0).stop(0.0, years=5) is None


@pytest.mark.parametrize(
    "wrong",
    [{"bought": 0.0}, {"own": 0.0}, {"bought_growth": -1.0}, {"own_growth": math.nan}, {"vendor": 1.0}, {"rate": -0.1}],
)
def test_an_impossible_expansion_is_refused(wrong):
    with pytest.raises(ValueError):
        replace(PLAN, **wrong)


METER = {"node_hours": 24.0, "kilowatts": 10.0, "load": 0.5, "pue": 1.2}


def test_a_hundred_and_forty_four_kilowatt_hours_for_a_million_tokens():
    assert m.kwh_per_million(1e6, **METER) == approx(144.0)
    assert m.kwh_per_million(2e6, **METER) == approx(72.0)


@pytest.mark.parametrize(
    "wrong", [{"load": 0.0}, {"load": 70}, {"pue": 0.9}, {"kilowatts": 0.0}, {"node_hours": math.inf}]
)
def test_an_impossible_meter_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        m.kwh_per_million(1e6, **(METER | wrong))
