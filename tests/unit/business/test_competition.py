"""Price cuts, growth and rivals: the models behave as markets do and refuse what makes no sense."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from genai_utils.business import competition as co

SHARES = st.floats(0.01, 0.99)
AMOUNTS = st.floats(0.01, 1e4)


def test_the_module_needs_no_torch():
    code = "import sys, genai_utils.business.competition; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_half_the_price_needs_twice_the_volume_and_more_to_keep_the_profit():
    assert co.volume_to_keep_revenue(0.5) == 2
    assert co.volume_to_keep_profit(0.2, margin=0.25) == approx(5)
    assert co.volume_to_keep_profit(0.25, margin=0.25) == math.inf
    assert co.volume_to_keep_profit(0.0, margin=0.25) == 1


@given(SHARES, SHARES)
def test_profit_asks_for_more_volume_than_revenue_does(cut, margin):
    needed = co.volume_to_keep_profit(cut, margin=margin)
    assert needed >= co.volume_to_keep_revenue(cut) * (1 - 1e-12)


@given(SHARES, SHARES)
def test_if_the_cost_falls_as_far_as_the_price_profit_asks_for_what_revenue_asks(cut, margin):
    needed = co.volume_to_keep_profit(cut, margin=margin, cost_fall=cut)
    assert needed == approx(co.volume_to_keep_revenue(cut), rel=1e-9)


@given(st.floats(0.01, 0.9), st.floats(1.1, 50))
def test_elasticity_grows_with_the_volume_gained(cut, more):
    small = co.elasticity(price=(1, 1 - cut), volume=(1, more))
    assert small < co.elasticity(price=(1, 1 - cut), volume=(1, 2 * more))
    assert co.elasticity(price=(1 - cut, 1), volume=(more, 1)) == approx(small)


def test_growth_of_an_exact_exponential_has_no_error():
    fitted = co.fit_growth([2024, 2024.5, 2025], [1, 2, 4])
    assert fitted.yearly_factor == approx(4) and fitted.doubling_months == approx(6)
    assert fitted.error == approx(0, abs=1e-6) and fitted.forecast(2026) == approx((16, 16, 16), rel=1e-5)


@given(st.lists(st.floats(0.1, 100), min_size=4, max_size=8), st.floats(0.01, 100))
def test_growth_does_not_depend_on_the_unit(amounts, unit):
    years = np.arange(len(amounts))
    one, other = co.fit_growth(years, amounts), co.fit_growth(years, np.array(amounts) * unit)
    assert one.rate == approx(other.rate, abs=1e-9) and one.error == approx(other.error, abs=1e-9)


def test_a_forecast_gets_wider_with_its_level_and_with_its_distance():
    fitted = co.fit_growth([0, 1, 2, 3], [1, 3, 5, 20])
    ranges = [np.log(high / low) for low, _, high in map(fitted.forecast, (1.5, 4, 8))]
    assert ranges[0] < ranges[1] < ranges[2]
    assert fitted.forecast(4, 0.5)[2] < fitted.forecast(4, 0.9)[2]
    assert fitted.interval(0.5)[1] < fitted.interval(0.95)[1]


@given(st.lists(AMOUNTS, min_size=2, max_size=6), AMOUNTS)
def test_a_newcomer_never_raises_the_price_of_a_war(costs, newcomer):
    assert min(costs) <= co.undercut_price([*costs, newcomer]) <= co.undercut_price(costs)


@given(AMOUNTS, AMOUNTS, st.floats(0, 1e5))
def test_open_weights_never_raise_the_leader_s_price_and_never_push_it_below_cost(cost, switching, advantage):
    model = {"cost": cost, "switching": switching, "advantage": advantage}
    shut, opened = co.leader_price(**model, open_rival=False), co.leader_price(**model, open_rival=True)
    assert cost < opened <= shut * (1 + 1e-9)
    gap = max(0.0, switching / 2 - advantage / 6)
    assert shut - opened == approx(gap, rel=1e-6, abs=1e-9 * (cost + switching + advantage))


@pytest.mark.parametrize("open_rival", [True, False])
def test_the_leader_s_price_has_no_jump_where_it_takes_the_whole_market(open_rival):
    low, high = (co.leader_price(cost=1, switching=1, advantage=a, open_rival=open_rival) for a in (3 - 1e-9, 3 + 1e-9))
    assert low == approx(high, rel=1e-6) == approx(3.0)


def test_a_basket_costs_between_its_cheapest_and_its_dearest_kind():
    assert co.basket_price([1, 4], [3, 1]) == approx(1.75)
    assert co.basket_price([5.0, 7.0], [0.0, 2.0]) == 7


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=1, max_size=5), st.floats(0.01, 100))
def test_a_basket_does_not_depend_on_its_size_and_follows_its_prices(kinds, times):
    prices, mix = np.array(kinds).T
    price = co.basket_price(prices, mix)
    assert min(prices) * (1 - 1e-9) <= price <= max(prices) * (1 + 1e-9)
    assert co.basket_price(prices, times * mix) == approx(price, rel=1e-9)
    assert co.basket_price(times * prices, mix) == approx(times * price, rel=1e-9)


def test_break_even_revenue_has_no_end_without_margin():
    assert co.break_even_revenue(fixed=10, margin=0.5) == 20
    assert co.break_even_revenue(fixed=10, margin=0) == co.break_even_revenue(fixed=10, margin=-0.2) == math.inf


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: co.volume_to_keep_revenue(1.0), r"cut is a share in \[0, 1\), got 1.0"),
        (lambda: co.volume_to_keep_revenue(60), "write 60 % as 0.6"),
        (lambda: co.volume_to_keep_revenue(math.nan), "got nan"),
        (lambda: co.volume_to_keep_profit(0.1, margin=0), "margin is a share"),
        (lambda: co.volume_to_keep_profit(0.1, margin=0.5, cost_fall=-1), "cost_fall is a share"),
        (lambda: co.elasticity(price=(1, 1), volume=(1, 2)), "the price stayed at 1"),
        (lambda: co.elasticity(price=(1, -1), volume=(1, 2)), "price_after must be a finite number above 0, got -1"),
        (lambda: co.elasticity(price=(1, 2), volume=(math.nan, 2)), "volume must hold finite numbers"),
        (lambda: co.fit_growth([1, 2], [1, 2]), "at least 3 dates"),
        (lambda: co.fit_growth([1, 2, 3], [1, 2]), "as many amounts"),
        (lambda: co.fit_growth([1, 2, 3], [1, 0, 2]), "above 0"),
        (lambda: co.fit_growth([1, 2, math.nan], [1, 1, 2]), "finite"),
        (lambda: co.fit_growth([1, 1, 1], [1, 2, 3]), "all points are of the same date"),
        (lambda: co.fit_growth([1, 2, 3], [1, 2, 3]).interval(90), r"level is a share in \(0, 1\), got 90"),
        (lambda: co.undercut_price([1]), "needs two firms, got 1"),
        (lambda: co.undercut_price([1, -1]), "costs must be finite"),
        (lambda: co.leader_price(cost=1, switching=0, advantage=1, open_rival=True), "switching must be"),
        (
            lambda: co.leader_price(cost=1, switching=1, advantage=-1, open_rival=True),
            "advantage must be a finite number",
        ),
        (lambda: co.basket_price([1, 2], [1]), "the same kinds, got 2 and 1"),
        (lambda: co.basket_price([1, -2], [1, 1]), "must be 0 or more"),
        (lambda: co.basket_price([1, 2], [0, 0]), "some tokens above 0"),
        (lambda: co.break_even_revenue(fixed=-1, margin=0.5), "fixed must be a finite number, 0 or more"),
        (lambda: co.break_even_revenue(fixed=1, margin=50), "margin must be at most 1, got 50"),
    ],
)
def test_bad_input_is_refused_with_what_came(call, complaint):
    with pytest.raises(ValueError, match=complaint):
        call()
