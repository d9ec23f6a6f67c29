"""Conditions stand where their readings put them, chances add up, and what cannot be is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from genai_utils.business import verdict as v
from genai_utils.business.machines import Buildout

CHANCE = st.floats(0.0, 1.0)
BUILD = Buildout(500.0, 0.7, 5.0, 20.0, rate=0.1, running=0.05, margin=0.5, utilisation=0.6)
HOLDS, OPEN, FAILS = (v.Condition("It is so", *ends) for ends in ((1.0, 2.0, 3.0), (0.5, 1.2, 1.5), (0.1, 0.5, 0.9)))


@pytest.mark.parametrize(("each", "stands"), [(HOLDS, "holds"), (OPEN, "open"), (FAILS, "fails")])
def test_a_condition_stands_where_all_its_readings_agree(each, stands):
    assert each.stands == stands


def test_just_enough_is_enough_and_the_kind_reading_must_reach_it():
    assert v.Condition("x", 1.0, 1.0, 1.0).stands == "holds"
    assert v.Condition("x", 0.5, 0.7, 1.0).stands == "open"


@pytest.mark.parametrize(
    ("conditions", "stands"),
    [((HOLDS,), "holds"), ((HOLDS, OPEN), "open"), ((HOLDS, OPEN, FAILS), "fails"), ((HOLDS, HOLDS), "holds")],
)
def test_a_chain_is_as_strong_as_its_weakest_link(conditions, stands):
    assert v.joint(conditions) == stands == v.joint(conditions[::-1])


@pytest.mark.parametrize("ends", [(0.0, 1.0, 2.0), (2.0, 1.0, 3.0), (0.5, 2.0, 1.0), (-1.0, 1.0, 2.0)])
def test_readings_that_do_not_rise_from_above_nought_are_refused(ends):
    with pytest.raises(ValueError, match="must"):
        v.Condition("x", *ends)


def test_a_condition_says_something_and_a_verdict_has_conditions():
    with pytest.raises(ValueError, match="says is empty"):
        v.Condition(" ", 1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="conditions is empty"):
        v.joint([])
    with pytest.raises(TypeError, match="condition 2"):
        v.joint([HOLDS, "open"])


@given(CHANCE, st.lists(CHANCE, min_size=1, max_size=5), CHANCE)
def test_the_four_endings_share_out_one_and_keep_the_users_chance(users, investors, tied):
    ends = v.quadrants(users, investors, tied=tied)
    assert sum(ends.values()) == approx(1.0) and min(ends.values()) >= 0
    assert ends["gold mine"] + ends["gift to users"] == approx(users)
    assert ends["gold mine"] + ends["transfer"] == approx(v.chance_of_all(investors, tied=tied))


@given(st.lists(CHANCE, min_size=1, max_size=5), CHANCE, CHANCE)
def test_another_condition_never_makes_all_of_them_likelier(chances, one_more, tied):
    assert v.chance_of_all([*chances, one_more], tied=tied) <= v.chance_of_all(chances, tied=tied) + 1e-12


@pytest.mark.parametrize("chances", [[], [0.5, 1.1], [-0.1], [np.nan], [[0.5]]])
def test_chances_that_are_none_are_refused(chances):
    for of in (v.bounds, v.chance_of_all):
        with pytest.raises(ValueError, match="chances"):
            of(chances)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_growth_that_keeps_more_of_itself_pays_more(keeps, more):
    lazy, lasting = sorted((keeps, more))
    paid = [v.paid(BUILD, run_rate=100.0, growth=1.0, keeps=kept) for kept in (lazy, lasting)]
    assert paid[0] <= paid[1] + 1e-12


def test_without_growth_it_is_revenue_over_bill():
    assert v.paid(BUILD, run_rate=100.0, growth=0.0, keeps=0.5, claimed=50.0) == approx(
        100.0 / (BUILD.required_revenue + 50.0)
    )


@pytest.mark.parametrize("life", [2.5, 101.0, float("inf")])
def test_a_life_that_is_no_whole_number_of_years_is_refused(life):
    build = Buildout(500.0, 0.7, life, 20.0, rate=0.1, running=0.05, margin=0.5, utilisation=0.6)
    with pytest.raises(ValueError, match="chip_life of build must be a whole number"):
        v.paid(build, run_rate=100.0, growth=0.5, keeps=0.5)


def test_a_verdict_flips_where_the_ratio_is_one_and_a_range_without_it_is_refused():
    assert v.flips(lambda x: x / 3, 0.1, 10.0) == approx(3.0)
    with pytest.raises(ValueError, match="does not pass 1"):
        v.flips(lambda x: x / 3, 0.1, 2.0)
