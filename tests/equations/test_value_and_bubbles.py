"""The equations of the chapter on value and bubbles: computed a second way that shares no code, or as published."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy.integrate import quad
from scipy.stats import norm

from genai_utils.business import valuation as v
from genai_utils.records.facts import fact

verifies = pytest.mark.verifies
RATES = st.floats(0.0, 0.5)
FLOWS = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30)


@verifies("value.npv")
@given(FLOWS, RATES)
def test_a_bank_account_that_pays_out_the_flows_ends_at_zero(cash, rate):
    """Deposit the present value, earn interest, pay each flow: nothing is left, and nothing is missing."""
    balance = v.present_value(cash, rate=rate)
    for payment in cash:
        balance = balance * (1 + rate) - payment
    assert balance / (1 + rate) ** len(cash) == approx(0.0, abs=1e-8)


@verifies("value.perpetuity")
@given(st.floats(0.02, 0.5), st.floats(-0.3, 0.9))
def test_a_perpetuity_is_the_sum_of_very_many_payments(rate, part):
    growth = part * rate
    ratio = (1 + growth) / (1 + rate)
    payments = math.ceil(math.log(1e-12) / math.log(ratio))
    summed = sum(100.0 * (1 + growth) ** t / (1 + rate) ** (t + 1) for t in range(payments))
    assert v.perpetuity(100.0, rate=rate, growth=growth) == approx(summed, rel=1e-9)


@verifies("value.annuity")
@given(st.floats(1.0, 1e6), RATES, st.integers(1, 40))
@example(1.5, 5e-324, 1)
def test_a_loan_repaid_by_the_annuity_ends_at_zero(loan, rate, years):
    debt = loan
    for _ in range(years):
        debt = debt * (1 + rate) - v.annuity(loan, rate=rate, years=years)
    assert debt == approx(0.0, abs=1e-9 * loan * (1 + rate) ** years)


@verifies("value.annuity")
def test_a_machine_that_lasts_for_ever_costs_its_interest():
    assert v.annuity(500.0, rate=0.1, years=math.inf) == 50.0
    assert v.annuity(500.0, rate=0.1, years=300) == approx(50.0, rel=1e-9)


@verifies("value.dcf")
@settings(max_examples=40)
@given(st.floats(-0.2, 2.0), st.floats(0.05, 0.6), st.floats(0.06, 0.2), st.floats(0.0, 1.0), st.integers(1, 15))
def test_a_company_is_worth_its_cash_flows_added_up_year_by_year(growth, margin, rate, fade, years):
    """1,500 years one by one, without the formula for the far future; what is beyond is below 1e-9 at these rates."""
    revenue, summed, excess = 10.0, 0.0, growth - 0.03
    for year in range(1, 1_501):
        revenue *= 1 + 0.03 + (excess if year <= years else 0.0)
        excess *= 1 - fade
        summed += margin * revenue / (1 + rate) ** year
    company = v.Company(10.0, growth, margin, rate, fade, years=years)
    assert company.value == approx(summed, rel=1e-9)


@verifies("value.reverse-dcf")
@settings(max_examples=40)
@given(st.floats(-0.3, 3.0), st.floats(0.05, 0.6), st.floats(0.06, 0.2))
def test_the_implied_growth_gives_the_price_back(growth, margin, rate):
    company = v.Company(10.0, growth, margin, rate)
    assert v.implied_growth(company.value, v.Company(10.0, 0.0, margin, rate)) == approx(growth, abs=1e-7)


@verifies("value.reverse-dcf")
def test_without_fading_and_far_future_the_implied_growth_has_a_closed_form():
    """One year, then a perpetuity: price = margin revenue (1 + g) / (rate - long run)."""
    company = v.Company(10.0, 0.0, 0.3, 0.1, fade=0.0, long_run=0.02, years=1)
    assert v.implied_growth(90.0, company) == approx(90.0 * 0.08 / 3.0 - 1, abs=1e-9)


@verifies("value.capture")
@given(st.lists(st.integers(-50, 100), min_size=1, max_size=6))
def test_shares_are_those_of_a_hundred_coins_handed_down(percents):
    """Exact fractions: each layer takes its part of what reaches it; no coin is lost."""
    coins, kept = Fraction(100), []
    for percent in percents:
        kept.append(coins * percent / 100)
        coins -= kept[-1]
    ours = v.capture({f"layer {i}": percent / 100 for i, percent in enumerate(percents)})
    assert [100 * share for share in ours.values()] == approx([float(coin) for coin in [*kept, coins]], abs=1e-9)
    assert sum(ours.values()) == approx(1.0, abs=1e-12)


@verifies("value.capex-revenue")
@pytest.mark.parametrize(("chips", "revenue"), [("$50B", "$200B"), ("$150B", "$600B")])
def test_the_published_questions_are_a_machine_that_lasts_one_year_without_interest(chips, revenue):
    """Exactly: chips are half of the cost, users' suppliers keep half, and the year's spending is the year's cost."""
    spent = 2 * fact("B-V8").stated(chips)
    build = v.Buildout(spent, 0.5, 1, 1, rate=0.0, running=0.0, margin=0.5, utilisation=1.0)
    assert build.required_revenue == fact("B-V8").stated(revenue)


@verifies("value.capex-revenue")
@given(st.floats(0.0, 0.3), st.integers(1, 8), st.integers(9, 30), st.floats(0.0, 0.2), st.floats(0.0, 0.8))
def test_required_revenue_pays_back_chips_buildings_and_running_to_the_last_cent(rate, chip, building, running, margin):
    """Three accounts: both loans are repaid within the machines' lives, and the running costs are paid each year."""
    build = v.Buildout(100.0, 0.6, chip, building, rate, running, margin, 0.7)
    left = build.required_revenue * (1 - margin) - 100.0 * running
    per_year = [v.annuity(100.0 * share, rate=rate, years=life) for share, life in [(0.6, chip), (0.4, building)]]
    assert left == approx(sum(per_year), rel=1e-9)
    debt = 60.0
    for _ in range(chip):
        debt = debt * (1 + rate) - (left - per_year[1])
    assert debt == approx(0.0, abs=1e-7)


@verifies("value.hour")
@given(st.floats(0.05, 1.0), st.floats(1.0, 8.0))
def test_hours_sold_times_their_price_are_the_required_revenue(utilisation, life):
    """Sell by the clock: 8,760 hours, of which a share is sold."""
    build = v.Buildout(30_000.0, 0.7, life, 20.0, 0.1, 0.05, 0.3, utilisation)
    sold = 24 * 365 * utilisation
    assert sold * build.price_per_hour == approx(build.required_revenue, rel=1e-12)


@verifies("value.price")
@verifies("value.bubble")
def test_a_bubble_that_may_burst_pays_its_holders_the_rate_and_no_more():
    """200,000 simulated bubbles against (1 + r)^t, within four standard errors of a mean; and the price equation.

    Price = fundamental + bubble must satisfy P = (dividend + E[next P]) / (1 + r) in the first year.
    """
    rate, burst = 0.08, 0.15
    paths = v.bubble_paths(40.0, rate=rate, burst=burst, years=8, paths=200_000, seed=0)
    growth = (1 + rate) ** np.arange(9)
    error = paths.std(axis=0) / np.sqrt(len(paths))
    assert np.all(abs(paths.mean(axis=0) - 40.0 * growth) <= 4 * error + 1e-9)
    alive = (paths > 0).mean(axis=0)
    assert alive == approx((1 - burst) ** np.arange(9), abs=0.005)
    fundamental = 5.0 / rate
    after = 5.0 + fundamental + paths[:, 1]
    assert after.mean() / (1 + rate) == approx(fundamental + 40.0, abs=4 * error[1])


@verifies("value.spread")
@pytest.mark.parametrize("rho", [0.0, 0.3, 0.8])
def test_the_spread_of_a_sum_grows_with_the_correlation(rho):
    """Four normal inputs: sd of the sum by formula and by 100,000 draws, to 1.5 %."""
    matrix = np.full((4, 4), rho) + (1 - rho) * np.eye(4)
    sds = np.array([1.0, 2.0, 0.5, 1.5])
    drawn = norm.ppf(v.together(matrix, draws=100_000, seed=0)) * sds
    pairs = sum(rho * sds[i] * sds[j] for i in range(4) for j in range(4) if i != j)
    assert drawn.sum(axis=1).std() == approx(math.sqrt((sds**2).sum() + pairs), rel=0.015)


@verifies("value.spread")
def test_ranks_of_a_gaussian_copula_correlate_as_its_closed_form_says():
    """Spearman's rho = 6 / pi arcsin(rho / 2), to 0.01 with 100,000 draws; and each input alone is uniform."""
    pair = v.together(np.array([[1.0, 0.6], [0.6, 1.0]]), draws=100_000, seed=1)
    assert np.corrcoef(pair.T)[0, 1] == approx(6 / math.pi * math.asin(0.3), abs=0.01)
    assert np.quantile(pair, [0.1, 0.5, 0.9], axis=0) == approx(np.array([[0.1] * 2, [0.5] * 2, [0.9] * 2]), abs=0.01)


@verifies("value.npv-option")
@given(st.integers(5, 95), st.integers(20, 90), st.integers(110, 300), st.integers(0, 30), st.integers(0, 40))
def test_waiting_saves_the_bad_ending_and_the_interest_and_misses_the_cash(percent, low, high, interest, missed):
    """Both decisions on 100 worlds, in exact fractions: `percent` of them end well; invest 100 now, or see first."""
    grow = 1 + Fraction(interest, 100)
    ends = [high] * percent + [low] * (100 - percent)
    now = sum(Fraction(end + missed) / grow - 100 for end in ends) / 100
    wait = sum(max(Fraction(end - 100), Fraction(0)) / grow for end in ends) / 100
    saved = Fraction(100 - percent, 100) * (100 - low) + Fraction(interest, 100) * 100
    assert wait - now == (saved - missed) / grow
    chance = percent / 100
    ours = v.present_value([chance * high + (1 - chance) * low + missed], rate=interest / 100) - 100
    assert ours == approx(float(now), abs=1e-9)


@verifies("value.black-scholes")
@given(st.floats(50, 200), st.floats(0.0, 0.1), st.floats(0.0, 0.1), st.floats(0.1, 0.8), st.floats(0.2, 5.0))
@settings(max_examples=40)
def test_the_option_is_the_discounted_mean_of_what_it_pays(value, rate, payout, volatility, years):
    """Adaptive quadrature over the log-normal value, to 1e-6 of the cost."""
    mean, spread = math.log(value) + (rate - payout - volatility**2 / 2) * years, volatility * math.sqrt(years)
    start = (math.log(100.0) - mean) / spread

    def paid(z):
        return (math.exp(mean + spread * z) - 100.0) * norm.pdf(z)

    top = max(start, 0.0) + 12.0 + spread
    expected = math.exp(-rate * years) * quad(paid, start, top, epsabs=1e-9, limit=200)[0]
    ours = v.call_value(value, 100.0, rate=rate, payout=payout, volatility=volatility, years=years)
    assert ours == approx(expected, abs=1e-4)


@verifies("value.black-scholes")
def test_a_textbook_s_example_is_met():
    """Hull, Options, Futures, and Other Derivatives, example on a six-month call: 4.76."""
    assert v.call_value(42.0, 40.0, rate=0.1, payout=0.0, volatility=0.2, years=0.5) == approx(4.76, abs=0.005)


@verifies("value.binomial")
@pytest.mark.parametrize("steps", [500, 2_000])
@pytest.mark.parametrize("payout", [0.0, 0.06])
def test_the_tree_tends_to_the_closed_form(steps, payout):
    """The error of such a tree is of order 1 / steps."""
    terms = {"rate": 0.05, "payout": payout, "volatility": 0.4, "years": 2.0}
    tree = v.binomial_call(90.0, 100.0, **terms, steps=steps, early=False)
    assert tree == approx(v.call_value(90.0, 100.0, **terms), abs=20 / steps)


@verifies("value.wait")
def test_a_long_tree_that_may_be_used_early_tends_to_the_right_without_end():
    """300 years, 3,000 steps, to 0.3 %."""
    terms = {"rate": 0.05, "payout": 0.05, "volatility": 0.35}
    tree = v.binomial_call(100.0, 100.0, **terms, years=300.0, steps=3_000, early=True)
    assert tree == approx(v.wait_forever(100.0, 100.0, **terms).worth, rel=3e-3)


@verifies("value.wait")
def test_the_published_hurdle_is_twice_the_cost():
    """Dixit & Pindyck, Investment under Uncertainty (1994), chapter 5: r = payout = 4 %, sigma = 20 %: V* = 2 I."""
    assert v.wait_forever(100.0, 100.0, rate=0.04, payout=0.04, volatility=0.2).hurdle == approx(200.0, rel=1e-9)


@verifies("value.wait")
@given(st.floats(0.01, 0.2), st.floats(0.01, 0.2), st.floats(0.05, 0.8), st.floats(0.05, 0.95))
def test_the_value_of_waiting_solves_its_differential_equation_and_joins_smoothly(rate, payout, volatility, part):
    """s^2/2 V^2 F'' + (r - d) V F' - r F = 0 by central differences, and F(V*) = V* - I."""

    def worth(value):
        return v.wait_forever(value, 100.0, rate=rate, payout=payout, volatility=volatility).worth

    hurdle = v.wait_forever(100.0, 100.0, rate=rate, payout=payout, volatility=volatility).hurdle
    at, h = part * hurdle, part * hurdle * 1e-3
    slope, bend = (worth(at + h) - worth(at - h)) / (2 * h), (worth(at + h) - 2 * worth(at) + worth(at - h)) / h**2
    left = volatility**2 / 2 * at**2 * bend + (rate - payout) * at * slope
    assert left == approx(rate * worth(at), rel=0.02, abs=1e-6)
    assert worth(hurdle * (1 - 1e-9)) == approx(hurdle - 100.0, rel=1e-5)
