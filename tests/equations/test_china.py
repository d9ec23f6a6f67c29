"""The equations of the chapter on China: each computed a second way that shares no code."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy import integrate, stats
from scipy.optimize import brentq

from genai_utils.business import competition as co

verifies = pytest.mark.verifies
PERCENT = st.integers(1, 99)


@verifies("china.revenue")
@given(PERCENT)
def test_the_needed_volume_restores_revenue_in_exact_fractions(percent):
    """Old revenue 1 = new price times new volume."""
    new_price = 1 - Fraction(percent, 100)
    assert co.volume_to_keep_revenue(percent / 100) == approx(float(1 / new_price), rel=1e-12)


@verifies("china.profit")
@given(PERCENT, st.integers(1, 100), st.integers(0, 100))
def test_the_needed_volume_restores_gross_profit_in_exact_fractions(cut, margin, cheaper):
    """Solve volume x (price - cost) = old profit for the volume; no volume is enough where the new price is too low."""
    price, cost = Fraction(1), 1 - Fraction(margin, 100)
    profit = price - cost
    unit = price * (1 - Fraction(cut, 100)) - cost * (1 - Fraction(cheaper, 100))
    ours = co.volume_to_keep_profit(cut / 100, margin=margin / 100, cost_fall=cheaper / 100)
    if abs(unit) < Fraction(1, 10**6):
        return  # at the edge rounding decides between a huge number and infinity
    assert ours == (approx(float(profit / unit), rel=1e-9) if unit > 0 else math.inf)


@verifies("china.basket")
@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 40)), min_size=1, max_size=4))
def test_billing_every_token_of_the_basket_alone_comes_to_the_stated_price(kinds):
    """Bill the tokens one by one in hundredths, then divide the bill by their number."""
    bill = [cents for cents, tokens in kinds for _ in range(tokens)]
    ours = co.basket_price([cents / 100 for cents, _ in kinds], [tokens for _, tokens in kinds])
    assert ours == approx(float(Fraction(sum(bill), 100 * len(bill))), rel=1e-9)


@verifies("china.elasticity")
@given(st.floats(0.2, 5.0), st.floats(0.05, 0.95))
def test_elasticity_recovers_the_exponent_of_a_demand_curve_that_is_integrated(exponent, cut):
    """Walk from the old price to the new one: at each step 1 % of price moves the volume by `exponent` %."""
    log_volume, _ = integrate.quad(lambda price: -exponent / price, 1.0, 1.0 - cut)
    assert co.elasticity(price=(1.0, 1.0 - cut), volume=(1.0, math.exp(log_volume))) == approx(exponent, rel=1e-6)


@verifies("china.elasticity")
@given(st.floats(0.05, 0.95), st.floats(1.01, 100.0))
def test_revenue_survives_a_cut_exactly_where_the_elasticity_is_one_or_more(cut, more):
    answer = co.elasticity(price=(1.0, 1.0 - cut), volume=(1.0, more))
    assert (answer > 1) == (more * (1 - cut) > 1) or answer == approx(1, abs=1e-9)
    revenue = more * (1 - cut)
    assert (1 - cut) ** (1 - answer) == approx(revenue, rel=1e-9)


@verifies("china.growth")
@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(3, 12))
def test_the_line_is_that_of_scipy_with_its_error(seed, n):
    rng = np.random.default_rng(seed)
    years, amounts = rng.uniform(2020, 2030, n), np.exp(rng.normal(0, 3, n))
    ours, theirs = co.fit_growth(years, amounts), stats.linregress(years, np.log(amounts))
    assert ours.rate == approx(theirs.slope, rel=1e-6, abs=1e-6)
    assert ours.error == approx(theirs.stderr, rel=1e-6, abs=1e-6)
    low, high = ours.interval(0.95)
    reach = stats.t.ppf(0.975, n - 2) * theirs.stderr
    assert math.log(high / low) == approx(2 * reach, rel=1e-5)


@verifies("china.growth")
@given(st.floats(0.05, 5.0))
def test_counting_month_by_month_doubles_after_the_stated_time(rate):
    fitted = co.fit_growth([0.0, 1.0, 2.0], np.exp(rate * np.arange(3)))
    months = brentq(lambda month: math.exp(rate * month / 12) - 2, 0, 12 * 20)
    assert fitted.doubling_months == approx(months, rel=1e-6)
    assert fitted.yearly_factor == approx(math.exp(rate), rel=1e-6)


@verifies("china.forecast")
def test_the_prediction_interval_covers_as_often_as_it_says():
    """5,000 histories of six points with known growth and noise; standard error of the share 0.6 points."""
    rng, years = np.random.default_rng(0), np.arange(6.0)
    logs = 1.5 * years + rng.normal(0, 0.7, (5_000, 6))
    true = np.exp(1.5 * 8.0 + rng.normal(0, 0.7, 5_000))
    ends = np.array([co.fit_growth(years, np.exp(row)).forecast(8.0, 0.8) for row in logs])
    covered = np.mean((ends[:, 0] <= true) & (true <= ends[:, 2]))
    assert covered == approx(0.8, abs=4 * math.sqrt(0.8 * 0.2 / 5_000))


@verifies("china.forecast")
@given(st.integers(0, 10_000), st.integers(3, 12), st.floats(2015, 2035), st.floats(0.5, 0.99))
def test_the_prediction_interval_is_the_one_that_matrix_algebra_gives(seed, n, year, level):
    """Least squares as a matrix: variance of a new point s^2 (1 + x (X'X)^-1 x), with no sum over dates by hand."""
    rng = np.random.default_rng(seed)
    years, logs = 2020 + rng.permutation(10 * n)[:n] / 10, rng.normal(0, 1, n)
    design, new = np.column_stack([np.ones(n), years - 2020]), np.array([1.0, year - 2020])
    line = np.linalg.pinv(design) @ logs
    variance = np.sum((logs - design @ line) ** 2) / (n - 2)
    reach = math.sqrt(variance * (1 + new @ np.linalg.inv(design.T @ design) @ new))
    reach *= stats.t.isf((1 - level) / 2, n - 2)
    ends = co.fit_growth(years, np.exp(logs)).forecast(year, level)
    assert np.log(ends) == approx(new @ line + reach * np.array([-1, 0, 1]), rel=1e-5, abs=1e-5)


@verifies("china.bertrand")
@settings(max_examples=30)
@given(st.lists(st.integers(1, 60), min_size=2, max_size=6))
def test_firms_that_undercut_each_other_by_a_cent_stop_at_the_second_lowest_cost(costs):
    """Play the war: whoever can still earn one cent below the going price takes the market, till nobody can."""
    price, holder = 100, 0
    while challengers := [firm for firm, cost in enumerate(costs) if firm != holder and cost < price]:
        price, holder = price - 1, challengers[-1]
    assert abs(price - co.undercut_price(costs)) <= 1


PLACES = np.linspace(0, 1, 1_001)


def leader_share(price, rival, switching, advantage):
    """Customers of the leader, each of 1,001 places on the line buying where it loses less; prices broadcast."""
    return np.mean(price + switching * PLACES - advantage < rival + switching * (1 - PLACES), axis=-1)


def leader_best(rival, cost, switching, advantage):
    """The leader's best price against a fixed price of the rival, tried out on a grid."""
    prices = np.linspace(cost, cost + advantage + 2 * switching, 1_500)
    shares = leader_share(prices[:, None], rival, switching, advantage)
    return prices[np.argmax((prices - cost) * shares)]


def rival_best(price, cost, switching, advantage):
    prices = np.linspace(cost, cost + 2 * switching, 1_500)
    shares = 1 - leader_share(price, prices[:, None], switching, advantage)
    return prices[np.argmax((prices - cost) * shares)]


CASES = [(1.0, 1.0, 0.0), (1.0, 1.0, 1.2), (0.3, 2.0, 5.0), (2.0, 0.5, 0.9), (1.0, 0.5, 4.0)]


@verifies("china.open")
@pytest.mark.parametrize(("cost", "switching", "advantage"), CASES)
def test_against_hosts_who_sell_at_cost_no_price_earns_the_leader_more(cost, switching, advantage):
    ours = co.leader_price(cost=cost, switching=switching, advantage=advantage, open_rival=True)
    assert ours == approx(leader_best(cost, cost, switching, advantage), abs=0.02 * (switching + advantage))


@verifies("china.owned")
@pytest.mark.parametrize(("cost", "switching", "advantage"), CASES)
def test_two_owners_who_answer_each_other_settle_at_the_stated_price(cost, switching, advantage):
    """Best responses in turn; a thousand places leave a few per cent, since profit is flat around its best price."""
    price = rival = cost + switching
    for _ in range(15):
        price = leader_best(rival, cost, switching, advantage)
        rival = rival_best(price, cost, switching, advantage)
    ours = co.leader_price(cost=cost, switching=switching, advantage=advantage, open_rival=False)
    assert ours == approx(price, abs=0.04 * (switching + advantage))


@verifies("china.break-even")
@given(st.floats(1.0, 1e6), PERCENT)
def test_bisection_finds_the_revenue_that_pays_the_fixed_costs(fixed, percent):
    margin = percent / 100
    revenue = brentq(lambda sales: sales * margin - fixed, 0.0, 200 * fixed)
    assert co.break_even_revenue(fixed=fixed, margin=margin) == approx(revenue, rel=1e-6)
