"""The equations of the chapter on value and bubbles: computed a second way that shares no code, or as published."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from genai_utils.business import valuation as v

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


@verifies("value.dcf")
@verifies("value.fade")
@verifies("value.ramp")
@settings(max_examples=40)
@given(
    st.floats(-0.2, 2.0), st.floats(-1.0, 0.3), st.floats(0.05, 0.6), st.floats(0.06, 0.2), st.floats(0.0, 1.0),
    st.integers(5, 15),
)  # fmt: skip
def test_a_company_is_worth_its_cash_flows_added_up_year_by_year(growth, today, margin, rate, fade, years):
    """1,500 years one by one, without the formula for the far future; what is beyond is below 1e-9 at these rates."""
    revenue, summed, excess, kept = 10.0, 0.0, growth - 0.03, today
    for year in range(1, 1_501):
        revenue *= 1 + 0.03 + (excess if year <= years else 0.0)
        excess *= 1 - fade
        kept += (margin - today) / 5 if year <= 5 else 0.0
        summed += kept * revenue / (1 + rate) ** year
    company = v.Company(10.0, growth, margin, rate, fade, years=years, margin_today=today, ramp=5)
    assert company.value == approx(summed, rel=1e-9, abs=1e-7)


@verifies("value.fade")
def test_the_excess_growth_loses_a_quarter_every_year():
    """By hand: 43 % fades to 33 %, 25.5 %, 19.875 % on the way to 3 %."""
    revenues = v.Company(100.0, 0.43, 0.2, 0.1).revenues[:4]
    assert revenues == approx([143.0, 143.0 * 1.33, 143.0 * 1.33 * 1.255, 143.0 * 1.33 * 1.255 * 1.19875])


@verifies("value.ramp")
def test_a_loss_of_today_becomes_the_margin_in_five_equal_steps():
    """Sixty cents lost of a dollar today, fifteen kept in five years: fifteen cents a year, in exact fractions."""
    margins = v.Company(100.0, 0.4, 0.15, 0.1, margin_today=-0.6, ramp=5).margins
    assert margins[:6] == approx([float(Fraction(-60 + 15 * t, 100)) for t in (1, 2, 3, 4, 5, 5)])


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


@verifies("value.reverse-dcf")
@given(st.floats(0.0, 80.0))
def test_cash_of_the_round_is_taken_off_the_price_by_the_closed_form(cash):
    """As above, with cash: price - cash = margin revenue (1 + g) / (rate - long run)."""
    company = v.Company(10.0, 0.0, 0.3, 0.1, fade=0.0, long_run=0.02, years=1)
    assert v.implied_growth(90.0, company, cash=cash) == approx((90.0 - cash) * 0.08 / 3.0 - 1, abs=1e-9)


@verifies("value.surplus")
@given(st.lists(st.integers(1, 100), min_size=1, max_size=4), st.integers(1, 500), st.integers(0, 5_000))
def test_makers_keep_what_no_layer_passes_on_of_all_that_is_worth_having(percents, paid, beyond):
    """In cents: hand the dollars down, add up what stays, and set it beside what users have for nothing."""
    passed = Fraction(paid)
    for percent in percents:
        passed -= passed * percent / 100
    profit = paid - passed
    margins = {f"layer {i}": percent / 100 for i, percent in enumerate(percents)}
    assert v.kept_by_makers(beyond, paid, margins) == approx(float(profit / (beyond + profit)), rel=1e-9)


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
