"""The Bass model behaves as adoption does, and its fit finds what made the data."""

import subprocess
import sys
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from genai_utils.business import adoption

MODELS = st.builds(adoption.Bass, st.floats(1.0, 1e4), st.floats(1e-4, 1.0), st.floats(0.0, 5.0))
TRUE = adoption.Bass(ceiling=1_000.0, innovation=0.01, imitation=1.8)
YEARS = np.linspace(0.4, 6.0, 12)


def test_the_module_needs_no_torch():
    code = "import sys, genai_utils.business.adoption; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@given(MODELS)
def test_adoption_starts_at_zero_never_falls_and_stays_below_the_ceiling(model):
    seen = model.adopters(np.linspace(-1.0, 30.0, 200))
    assert seen[0] == 0 and (np.diff(seen) >= -1e-9 * model.ceiling).all() and seen.max() <= model.ceiling


@given(MODELS)
def test_nobody_adopts_before_the_launch(model):
    assert model.new(-0.5) == 0 and model.new(0.0) == approx(model.ceiling * model.innovation)


@given(MODELS, st.floats(0.5, 20.0))
def test_another_unit_of_users_changes_nothing_else(model, unit):
    scaled = replace(model, ceiling=model.ceiling * unit)
    np.testing.assert_allclose(scaled.adopters(YEARS), unit * model.adopters(YEARS), rtol=1e-12)
    assert scaled.peak == model.peak


def test_without_enough_imitation_sales_only_fall():
    assert adoption.Bass(1.0, 0.3, 0.2).peak == 0.0


@pytest.mark.parametrize(
    "changes", [{"ceiling": 0}, {"innovation": 0.0}, {"imitation": -0.1}, {"ceiling": float("nan")}]
)
def test_a_model_without_sense_is_refused(changes):
    with pytest.raises(ValueError, match=f"{next(iter(changes))} must be a finite number"):
        replace(TRUE, **changes)


def test_exact_data_give_back_the_model_that_made_them():
    found = adoption.fit(YEARS, TRUE.adopters(YEARS), bound=8_000)
    assert (found.ceiling, found.innovation, found.imitation) == approx((1_000, 0.01, 1.8), rel=1e-4)


def test_the_search_for_a_speed_ends_at_the_edge_of_its_range():
    """Growth that nobody began, and none that imitates: the fit stops at one in a million and at a thousandth."""
    slow = adoption.fit(YEARS, adoption.Bass(1_000.0, 1e-9, 2.0).adopters(YEARS + 6), bound=8_000)
    alone = adoption.fit(YEARS, adoption.Bass(1_000.0, 0.5, 0.0).adopters(YEARS), bound=1_000, ceiling=1_000)
    assert slow.innovation >= 0.999_999e-6 and alone.imitation >= 0.999_999e-3
    assert alone.imitation == approx(1e-3, rel=1e-3)


def test_a_fixed_ceiling_is_kept_and_a_bound_is_obeyed():
    seen = TRUE.adopters(YEARS[:3])
    assert adoption.fit(YEARS[:3], seen, bound=8_000, ceiling=700).ceiling == 700
    assert adoption.fit(YEARS, TRUE.adopters(YEARS), bound=900).ceiling <= 900


def test_a_wrong_ceiling_fits_worse_on_a_whole_curve():
    def error(ceiling):
        model = adoption.fit(YEARS, TRUE.adopters(YEARS), bound=8_000, ceiling=ceiling)
        return np.abs(model.adopters(YEARS) - TRUE.adopters(YEARS)).max()

    assert error(1_000) < 0.1 < error(1_300) < error(2_000)


def test_a_bootstrap_of_noisy_data_covers_the_truth_and_depends_on_its_seed_alone():
    noisy = TRUE.adopters(YEARS) + np.random.default_rng(0).normal(0, 15, len(YEARS))
    draws = adoption.bootstrap(YEARS, noisy, bound=8_000, draws=60, seed=3)
    ceilings = np.array([each.ceiling for each in draws])
    assert np.quantile(ceilings, 0.02) < 1_000 < np.quantile(ceilings, 0.98) and ceilings.std() > 1
    assert draws[:3] == adoption.bootstrap(YEARS, noisy, bound=8_000, draws=60, seed=3)[:3]


def test_a_bootstrap_of_exact_data_does_not_spread():
    draws = adoption.bootstrap(YEARS, TRUE.adopters(YEARS), bound=8_000, draws=5, seed=0)
    assert [each.ceiling for each in draws] == approx([1_000] * 5, rel=1e-3)


@pytest.mark.parametrize(
    ("years", "seen", "message"),
    [
        ([1, 2], [1, 2], "need 3 or more pairs"),
        ([1, 2, 3], [1, 2], "pairs"),
        ([0, 1, 2], [1, 2, 3], "after the launch"),
        ([1, 2, 3], [1, float("nan"), 3], "finite"),
    ],
)
def test_data_that_cannot_be_fitted_are_refused(years, seen, message):
    with pytest.raises(ValueError, match=message):
        adoption.fit(years, seen, bound=10)


@pytest.mark.parametrize("ceiling", [0.0, 20.0])
def test_a_ceiling_outside_its_bound_is_refused(ceiling):
    with pytest.raises(ValueError, match="ceiling must be .*(above 0|at most the bound 10)"):
        adoption.fit([1, 2], [1, 2], bound=10, ceiling=ceiling)


def test_a_bootstrap_needs_more_points_than_numbers_to_fit():
    with pytest.raises(ValueError, match="need 4 or more"):
        adoption.bootstrap([1, 2, 3], [1, 2, 3], bound=10, draws=2, seed=0)


def test_milestones_are_read_with_their_days_and_units():
    statement = "users: 100M (30 Nov 2023), 1.2B (29 Nov 2024), 300M (Dec 2024); 50M paying, 2.5M (x)"
    years, reached = adoption.milestones(statement, date(2022, 11, 30))
    assert years == approx([365 / 365.25, 730 / 365.25]) and reached == approx([100, 1_200])


@pytest.mark.parametrize("statement", ["", "300M (Dec 2024)", "300M (31 Jun 2024)"])
def test_a_statement_without_a_dated_milestone_is_refused(statement):
    with pytest.raises(ValueError, match="milestone|day is out of range"):
        adoption.milestones(statement, date(2022, 11, 30))
