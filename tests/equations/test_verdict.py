"""The equations of the chapter on the verdict: computed a second way that shares no code."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pytest import approx
from scipy.integrate import quad
from scipy.optimize import linprog

from genai_utils.business import verdict as v
from genai_utils.business.machines import Buildout, break_even_growth

verifies = pytest.mark.verifies
CHANCES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=4)


def extremes(chances):
    """Least and greatest chance that all hold, over every joint distribution: two linear programmes."""
    n = len(chances)
    worlds = (np.arange(2**n)[:, None] >> np.arange(n)) & 1  # (worlds, conditions)
    margins = np.vstack([np.ones(len(worlds)), worlds.T])
    every = worlds.all(axis=1).astype(float)
    ends = [linprog(sign * every, A_eq=margins, b_eq=[1.0, *chances], bounds=(0, 1)).fun for sign in (1, -1)]
    return ends[0], -ends[1]


@verifies("verdict.bounds")
@given(CHANCES)
def test_no_joint_distribution_goes_beyond_the_bounds_and_some_reach_them(chances):
    assert v.bounds(chances) == approx(extremes(chances), abs=1e-7)


@verifies("verdict.tied")
@given(CHANCES, st.floats(0.0, 1.0))
def test_the_chance_of_all_is_an_integral_over_the_common_cause(chances, tied):
    """One cause: all hold where a uniform number lies below every chance. Apart: a product of such integrals."""
    u = (np.arange(20_000) + 0.5) / 20_000
    together = np.mean([(u < chance) for chance in chances], axis=0) == 1
    apart = np.prod([np.mean(u < chance) for chance in chances])
    assert v.chance_of_all(chances, tied=tied) == approx((1 - tied) * apart + tied * together.mean(), abs=3e-4)


@verifies("verdict.tied")
@given(CHANCES, st.floats(0.0, 1.0))
def test_a_tie_never_leaves_the_bounds(chances, tied):
    least, most = v.bounds(chances)
    assert least - 1e-12 <= v.chance_of_all(chances, tied=tied) <= most + 1e-12


def by_quadrature(run_rate, growth, keeps, years):
    """Sales of each year: the pace of every instant, added up, with the growth of its year."""
    sales, pace = [], run_rate
    for year in range(1, years + 1):
        x = growth * keeps**year
        sales.append(quad(lambda u, pace=pace, x=x: pace * (1 + x) ** u, 0, 1)[0])
        pace *= 1 + x
    return sales


@verifies("verdict.fading")
@given(st.floats(1.0, 500.0), st.floats(0.0, 3.0), st.floats(0.0, 1.0), st.integers(1, 12))
@example(100.0, 1e-12, 1.0, 3)
def test_a_year_brings_what_its_pace_adds_up_to(run_rate, growth, keeps, years):
    expected = by_quadrature(run_rate, growth, keeps, years)
    assert v.fading(run_rate, growth, years=years, keeps=keeps) == approx(expected, rel=1e-7)


@verifies("verdict.paid")
@given(st.floats(0.0, 0.3), st.integers(1, 8), st.floats(0.0, 2.0), st.floats(0.0, 1.0), st.floats(0.0, 300.0))
def test_what_is_paid_ends_a_loan_account_in_proportion(rate, life, growth, keeps, claimed):
    """Bills scaled by the ratio and paid by the sales leave an account with interest at nought."""
    build = Buildout(500.0, 0.7, life, 20.0, rate=rate, running=0.05, margin=0.5, utilisation=0.6)
    ratio = v.paid(build, run_rate=200.0, growth=growth, keeps=keeps, claimed=claimed)
    account, sales = 0.0, by_quadrature(200.0, growth, keeps, life)
    for each in sales:
        account = account * (1 + rate) + each - ratio * (build.required_revenue + claimed)
    assert account == approx(0.0, abs=1e-6 * sum(sales) * (1 + rate) ** life)


@verifies("verdict.paid")
@given(st.floats(0.0, 0.3), st.integers(1, 8))
def test_on_a_steady_path_it_is_the_race_of_the_chapter_on_machines(rate, life):
    build = Buildout(500.0, 0.7, life, 20.0, rate=rate, running=0.05, margin=0.5, utilisation=0.6)
    steady = break_even_growth(build, run_rate=200.0, claimed=200.0)
    assert v.paid(build, run_rate=200.0, growth=steady, keeps=1.0, claimed=200.0) == approx(1.0, rel=1e-9)
