"""The equations of the chapter on rules: each computed a second way that shares no code."""

import math
from dataclasses import fields, replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from genai_utils.business import compliance, penalties

verifies = pytest.mark.verifies
PERCENT = st.integers(1, 99)
ANSWERS = [each.name for each in fields(compliance.Product) if each.name != "name"]
PRODUCTS = st.builds(compliance.Product, name=st.just("any"), **{name: st.booleans() for name in ANSWERS})


@verifies("rules.union")
@settings(max_examples=50)
@given(PRODUCTS)
def test_the_joint_work_is_what_remains_when_every_topic_is_crossed_out_once(product):
    """Walk through the printed duties and write down each topic that is not on the paper yet."""
    product = replace(product, in_china=True, in_eu=True)
    paper, twice = [], []
    for place in ("EU", "CN"):
        seen = []
        for duty in compliance.duties(product):
            if duty.place == place and duty.kind != "other" and duty.topic not in seen:
                seen.append(duty.topic)
                (twice if duty.topic in paper else paper).append(duty.topic)
    assert compliance.joint(product) == (len(paper), len(twice))


@verifies("rules.ceiling")
@given(st.integers(0, 10_000), st.integers(1, 100), PERCENT)
def test_the_ceiling_is_the_last_euro_that_the_law_still_allows(turnover, amount, percent):
    """Go down from the top in hundredths of a euro until the fine is allowed: by one of the two, or by both."""
    allows = (100 * amount, percent * turnover)
    highest = next(fine for fine in range(max(allows), -1, -1) if any(fine <= most for most in allows))
    lowest = next(fine for fine in range(max(allows), -1, -1) if all(fine <= most for most in allows))
    numbers = {"amount": float(amount), "share": percent / 100}
    assert penalties.fine_ceiling(turnover, **numbers) == approx(highest / 100)
    assert penalties.fine_ceiling(turnover, **numbers, lower=True) == approx(lowest / 100)


@verifies("rules.expected")
def test_many_years_of_breaking_a_rule_cost_the_expected_fine_each():
    """Draw 400,000 years; the mean of the fines within four standard errors."""
    rng = np.random.default_rng(0)
    chance, ceiling, severity = 0.03, 15e6, 0.2
    fines = np.where(rng.random(400_000) < chance, severity * ceiling, 0.0)
    ours = penalties.expected_fine(chance=chance, ceiling=ceiling, severity=severity)
    assert ours == approx(fines.mean(), abs=4 * fines.std() / math.sqrt(len(fines)))


@verifies("rules.expected")
@given(st.integers(1, 10**6), st.integers(1, 10**6), PERCENT)
def test_the_needed_chance_in_exact_fractions(cost, ceiling, percent):
    exact = Fraction(cost) / (Fraction(percent, 100) * ceiling)
    ours = penalties.needed_chance(cost=float(cost), ceiling=float(ceiling), severity=percent / 100)
    assert ours == approx(float(exact), rel=1e-9)


@verifies("rules.wait")
@given(st.floats(1.0, 100.0), PERCENT, st.integers(0, 8), st.floats(0.0, 0.3), st.floats(0.0, 1.0))
def test_two_firms_with_a_bank_account_differ_by_the_value_of_waiting(cost, percent, years, rate, hurry):
    """One pays today. The other saves, year by year, what it will need later; the tree has two branches."""
    dropped = percent / 100
    saved = 0.0
    for chance, bill in ((dropped, 0.0), (1 - dropped, (1 + hurry) * cost)):
        for _ in range(years):
            bill /= 1 + rate
        saved += chance * bill
    ours = penalties.waiting_value(cost=cost, dropped=dropped, years=years, rate=rate, hurry=hurry)
    assert ours == approx(cost - saved, rel=1e-9, abs=1e-9)


@verifies("rules.wait")
@given(PERCENT, st.floats(0.0, 8.0), st.floats(0.0, 0.3))
def test_bisection_finds_the_hurry_at_which_waiting_stops_to_pay(percent, years, rate):
    dropped, low, high = percent / 100, 0.0, 1e4
    for _ in range(200):
        middle = (low + high) / 2
        pays = (1 - dropped) * (1 + middle) * math.exp(-years * math.log1p(rate)) < 1
        low, high = (middle, high) if pays else (low, middle)
    assert penalties.bearable_hurry(dropped=dropped, years=years, rate=rate) == approx(low, rel=1e-6, abs=1e-6)
