"""The equations of the chapter on machines: computed a second way that shares no code, or as published."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy.integrate import quad
from scipy.stats import norm

from genai_utils.business import machines as m
from genai_utils.records.facts import fact

verifies = pytest.mark.verifies
RATES = st.floats(0.0, 0.5)


@verifies("machines.annuity")
@given(st.floats(1.0, 1e6), RATES, st.integers(1, 40))
@example(1.5, 5e-324, 1)
def test_a_loan_repaid_by_the_annuity_ends_at_zero(loan, rate, years):
    debt = loan
    for _ in range(years):
        debt = debt * (1 + rate) - m.annuity(loan, rate=rate, years=years)
    assert debt == approx(0.0, abs=1e-9 * loan * (1 + rate) ** years)


@verifies("machines.annuity")
def test_a_machine_that_lasts_for_ever_costs_its_interest():
    assert m.annuity(500.0, rate=0.1, years=math.inf) == 50.0
    assert m.annuity(500.0, rate=0.1, years=300) == approx(50.0, rel=1e-9)


@verifies("machines.capex-revenue")
@given(st.floats(0.0, 0.3), st.integers(1, 8), st.integers(9, 30), st.floats(0.0, 0.2), st.floats(0.0, 0.8))
def test_required_revenue_pays_back_chips_and_buildings_on_two_accounts(rate, chip, building, running, margin):
    """What is left of revenue after sellers and running costs, parted by bisection, ends both loans at zero."""
    build = m.Buildout(100.0, 0.6, chip, building, rate, running, margin, 0.7)
    left = build.required_revenue * (1 - margin) - 100.0 * running

    def owed(loan, years, payment):
        for _ in range(years):
            loan = loan * (1 + rate) - payment
        return loan

    low, high = 0.0, left
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if owed(60.0, chip, middle) > 0 else (low, middle)
    assert owed(40.0, building, left - low) == approx(0.0, abs=1e-6 * (1 + rate) ** building)


@verifies("machines.pile")
@given(st.integers(1, 12), st.floats(-0.5, 1.5))
def test_the_pile_is_counted_layer_by_layer(years, growth):
    """Buy for thirty years and more, scrap what is too old, count what stands."""
    bought, last = [], 1.0
    for _ in range(years + 3):
        bought.append(last)
        last *= 1 + growth
    standing = sum(amount for age, amount in enumerate(reversed(bought)) if age < years)
    assert m.pile(years, growth) == approx(standing / bought[-1], rel=1e-9)


@verifies("machines.every-year")
@pytest.mark.parametrize("life", [1, 2, 5])
def test_the_published_chain_is_a_steady_state_without_interest(life):
    """Cahn: chips are half of the cost, sellers keep half; spent every year, the life of the chips does not matter."""
    spent = 2 * fact("B-V8").stated("$150B")
    build = m.Buildout(spent, 0.5, life, 20, rate=0.0, running=0.0, margin=0.5, utilisation=1.0)
    assert build.every_year(0.0) == approx(fact("B-V8").stated("$600B"), rel=1e-12)


@verifies("machines.every-year")
@given(st.floats(0.0, 0.3), st.integers(1, 8), st.floats(0.0, 0.2), st.floats(-0.2, 1.0))
def test_a_year_of_a_programme_pays_every_vintage_that_stands(rate, chip, running, growth):
    """Vintages one by one: each has a build-out of its own, and sends a bill for what of it is still in use."""
    now = 50
    bill = 0.0
    for year in range(now + 1):
        spent, age = 100.0 * (1 + growth) ** (year - now), now - year
        one = m.Buildout(spent, 0.6, chip, 15, rate, running, 0.4, 0.7).parts()
        bill += (one["chips"] + one["running"]) * (age < chip) + one["buildings"] * (age < 15)
    build = m.Buildout(100.0, 0.6, chip, 15, rate, running, 0.4, 0.7)
    assert build.every_year(growth) == approx(bill / 0.6, rel=1e-9)


@verifies("machines.path")
@settings(max_examples=60)
@given(st.floats(0.0, 0.3), st.integers(1, 8), st.floats(60.0, 300.0), st.floats(0.0, 1.0), st.floats(0.0, 0.8))
def test_on_the_path_an_account_that_takes_all_bills_ends_at_zero(rate, life, revenue, part, margin):
    """Year by year: what is sold from day to day comes in, the bill goes out, interest on the balance; 0 is left."""
    build = m.Buildout(400.0, 0.7, life, 20, rate, 0.05, margin, 0.6)
    claimed = part * revenue
    growth = m.break_even_growth(build, run_rate=revenue, claimed=claimed)
    balance = 0.0
    for year in range(life):
        sold = quad(lambda t: revenue * (1 + growth) ** t, year, year + 1)[0]
        balance = balance * (1 + rate) + sold - claimed - build.required_revenue
    assert balance == approx(0.0, abs=1e-6 * build.required_revenue * (1 + rate) ** life)


@verifies("machines.path")
def test_a_pace_that_reaches_the_bill_in_the_last_year_is_half_of_what_it_takes():
    """391 a year from a pace of 109, five years, 10 %: 58 %, by bisection on monthly sales; 29 % reach 391 too late."""
    build = m.Buildout(725.0, 0.7, 5, 20, 0.1, 0.05, 0.5, 0.6)
    assert m.break_even_growth(build, run_rate=109.0) == approx(0.583, abs=0.002)
    assert (build.required_revenue / 109.0) ** 0.2 - 1 == approx(0.29, abs=0.002)


@verifies("machines.run-rate")
@given(st.floats(-0.9, 20.0), st.floats(1.0, 1e6))
def test_sales_of_the_year_are_the_integral_of_a_steady_growth(growth, run_rate):
    trailing = quad(lambda t: run_rate * (1 + growth) ** (t - 1), 0, 1)[0]
    assert m.growth_behind(trailing, run_rate) == approx(growth, rel=1e-6, abs=1e-6)


@verifies("machines.hour")
@given(st.floats(0.05, 1.0), st.floats(1.0, 8.0))
def test_hours_sold_times_their_price_are_the_required_revenue(utilisation, life):
    """Sell by the clock: 8,760 hours, of which a share is sold."""
    build = m.Buildout(30_000.0, 0.7, life, 20.0, 0.1, 0.05, 0.3, utilisation)
    sold = 24 * 365 * utilisation
    assert sold * build.price_per_hour == approx(build.required_revenue, rel=1e-12)


@verifies("machines.depreciation")
@given(st.integers(1, 12), st.floats(-0.5, 1.5))
def test_wear_in_the_books_is_that_of_a_ledger_kept_machine_by_machine(years, growth):
    """Exact fractions for the parts: each year's purchase is written off in equal parts, from its own year on."""
    spent = [(1 + growth) ** year for year in range(years + 4)]
    written = [0.0] * len(spent)
    for year, amount in enumerate(spent):
        for later in range(year, min(year + years, len(spent))):
            written[later] += amount * float(Fraction(1, years))
    assert m.depreciation_share(years, growth) == approx(written[-1] / spent[-1], rel=1e-9)
    assert m.straight_line(spent, years=years) == approx(np.array(written), rel=1e-9)


@verifies("machines.loop")
@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 95))
def test_money_goes_round_until_nothing_is_left_of_it(own, outside, percent):
    """The seller hands back a share of what he was paid, which buys again, and so on: a geometric series."""
    money = spent = float(own + outside)
    for _ in range(2_000):
        money *= percent / 100
        spent += money
    assert m.purchases(own, outside, vendor=percent / 100) == approx(spent, rel=1e-9, abs=1e-9)


@verifies("machines.debt")
@given(st.floats(-0.3, 1.0), st.floats(-0.3, 1.0), st.floats(0.0, 0.6), st.floats(0.0, 0.3), st.integers(1, 12))
def test_the_debt_is_that_of_loans_kept_one_by_one(bought_growth, own_growth, vendor, rate, years):
    """Each year's gap is a loan of its own, which grows by its interest until the last year; no balance is carried."""
    plan = m.Expansion(100.0, bought_growth, 60.0, own_growth, vendor, rate)
    loans = [
        ((1 - vendor) * 100.0 * (1 + bought_growth) ** t - 60.0 * (1 + own_growth) ** t) * (1 + rate) ** (years - 1 - t)
        for t in range(years)
    ]
    assert plan.debts(years)[-1] == approx(math.fsum(loans), rel=1e-9, abs=1e-6)


@verifies("machines.debt")
@given(st.floats(0.05, 0.6), st.floats(0.0, 0.04), st.floats(0.0, 0.5))
def test_at_equal_pace_the_debt_tends_to_a_multiple_of_own_cash(growth, rate, vendor):
    """Debt over cash tends to (gap / own) (1 + g) / (g - r); 1,000 years."""
    assume(growth - rate > 0.02)
    plan = m.Expansion(100.0, growth, 30.0, growth, vendor, rate)
    years = 700
    gap = (1 - vendor) * 100.0 / 30.0 - 1
    assert (plan.debts(years) / plan.cash(years))[-1] == approx(gap * (1 + growth) / (growth - rate), rel=1e-4)


@verifies("machines.energy")
@given(st.floats(1e6, 1e12), st.floats(0.1, 1e4), st.floats(0.1, 20.0), st.floats(0.05, 1.0), st.floats(1.0, 2.0))
def test_electricity_is_that_of_a_meter_in_joules(tokens, node_hours, kilowatts, load, pue):
    """Watts times seconds at the meter of the site; a kWh has 3.6 million joules."""
    joules = 1_000.0 * kilowatts * load * 3_600.0 * node_hours * pue
    ours = m.kwh_per_million(tokens, node_hours=node_hours, kilowatts=kilowatts, load=load, pue=pue)
    assert ours == approx(joules / tokens * 1e6 / 3.6e6, rel=1e-9)


@verifies("machines.spread")
@pytest.mark.parametrize("rho", [0.0, 0.3, 0.8])
def test_the_spread_of_a_sum_grows_with_the_correlation(rho):
    """Four normal inputs: sd of the sum by formula and by 100,000 draws, to 1.5 %."""
    matrix = np.full((4, 4), rho) + (1 - rho) * np.eye(4)
    sds = np.array([1.0, 2.0, 0.5, 1.5])
    drawn = norm.ppf(m.together(matrix, draws=100_000, seed=0)) * sds
    pairs = sum(rho * sds[i] * sds[j] for i in range(4) for j in range(4) if i != j)
    assert drawn.sum(axis=1).std() == approx(math.sqrt((sds**2).sum() + pairs), rel=0.015)


@verifies("machines.spread")
def test_ranks_of_a_gaussian_copula_correlate_as_its_closed_form_says():
    """Spearman's rho = 6 / pi arcsin(rho / 2), to 0.01 with 100,000 draws; and each input alone is uniform."""
    pair = m.together(np.array([[1.0, 0.6], [0.6, 1.0]]), draws=100_000, seed=1)
    assert np.corrcoef(pair.T)[0, 1] == approx(6 / math.pi * math.asin(0.3), abs=0.01)
    assert np.quantile(pair, [0.1, 0.5, 0.9], axis=0) == approx(np.array([[0.1] * 2, [0.5] * 2, [0.9] * 2]), abs=0.01)
