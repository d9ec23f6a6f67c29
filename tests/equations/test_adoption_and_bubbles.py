"""The equations of the chapter on adoption and bubbles: computed a second way that shares no code."""

import math

import exuber
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy.integrate import solve_ivp
from scipy.optimize import minimize_scalar
from sklearn.metrics import brier_score_loss
from statsmodels.regression.linear_model import OLS

from genai_utils.business import bubbles
from genai_utils.business.adoption import Bass
from genai_utils.records.forecasts import brier

verifies = pytest.mark.verifies


def t_of_level(prices):
    """The t statistic of the level in the regression of steps on a constant and the level."""
    return OLS(np.diff(prices), np.column_stack([np.ones(len(prices) - 1), prices[:-1]])).fit().tvalues[1]


MODELS = st.builds(Bass, st.floats(1.0, 1e3), st.floats(0.001, 0.5), st.floats(0.01, 4.0))


@verifies("adoption.hazard")
@verifies("adoption.bass")
@given(MODELS)
@settings(max_examples=25)
def test_the_closed_form_solves_the_differential_equation(model):
    """dN/dt = (p + q N/m)(m - N) from N = 0, integrated by scipy."""

    def flow(_, n):
        return (model.innovation + model.imitation * n / model.ceiling) * (model.ceiling - n)

    years = np.linspace(0.0, 12.0, 25)
    solved = solve_ivp(flow, (0.0, 12.0), [0.0], t_eval=years, rtol=1e-9, atol=1e-9 * model.ceiling).y[0]
    np.testing.assert_allclose(model.adopters(years), solved, atol=1e-6 * model.ceiling)
    np.testing.assert_allclose(model.new(years), flow(0.0, solved), atol=1e-5 * model.ceiling)


@verifies("adoption.peak")
@given(st.floats(0.001, 0.3), st.floats(1.2, 50.0))
@settings(max_examples=25)
def test_the_peak_is_where_a_search_finds_the_steepest_point(innovation, times):
    model = Bass(1.0, innovation, innovation * times)

    def slope(years, h=1e-5):
        return float(model.share(years + h) - model.share(years - h)) / (2 * h)

    found = minimize_scalar(lambda years: -slope(years), bounds=(1e-3, 4 * model.peak + 1), method="bounded").x
    assert slope(model.peak) >= slope(found) - 1e-8 and found == approx(model.peak, rel=0.02, abs=0.05)


@verifies("bubble.adf")
@given(st.integers(0, 10_000), st.integers(12, 60))
@settings(max_examples=25)
def test_one_window_has_the_t_statistic_of_statsmodels(seed, n):
    prices = np.cumsum(np.random.default_rng(seed).standard_normal(n))
    ours = bubbles.exuberance(prices, window=n - 1).best
    assert ours[-1] == approx(t_of_level(prices), abs=1e-8)


@verifies("bubble.bsadf")
@verifies("bubble.gsadf")
def test_running_sums_give_what_regressions_one_by_one_give():
    """Every window by statsmodels, on a walk, and the largest for each last day."""
    prices, window = np.cumsum(np.random.default_rng(5).standard_normal(45)), 12
    best = [max(t_of_level(prices[start : end + 1]) for start in range(end - window + 1)) for end in range(window, 45)]
    found = bubbles.exuberance(prices, window=window)
    np.testing.assert_allclose(found.best, best, atol=1e-8)
    assert found.gsadf == approx(max(best), abs=1e-8)


@verifies("bubble.window")
@given(st.integers(12, 5_000))
def test_the_shortest_window_is_that_of_pyexuber(n):
    assert bubbles.minimum_window(n) == exuber.psy_minw(n)


@verifies("bubble.explosive")
def test_the_mean_of_many_bubbles_grows_as_compound_interest():
    """40,000 paths, at the end of the bubble; the stated error is four standard errors of the mean."""
    start, end, root, level = 5, 25, 1.05, 15.0
    paths = bubbles.explosive_paths(40, start=start, end=end, root=root, level=level, paths=40_000, seed=0)
    grown = level * root ** (end - start)
    error = 4 * paths[:, end].std() / math.sqrt(len(paths))
    assert paths[:, end].mean() == approx(grown, abs=error) and error < 0.02 * grown


@verifies("bubble.wild-bootstrap")
def test_wild_walks_vary_as_the_sum_of_squared_steps():
    """Given the prices, E y* = 0 and cov(y*_s, y*_t) = sum of the squared steps up to the earlier; 60,000 draws."""
    prices = np.array([0.0, 1.0, -1.0, 3.0, 3.5])
    drawn = bubbles.wild_walks(prices, paths=60_000, seed=0)
    squares = np.concatenate([[0.0], np.cumsum(np.diff(prices) ** 2)])
    expected = np.minimum.outer(squares, squares)
    assert np.abs(drawn.mean(axis=0)).max() < 0.08
    np.testing.assert_allclose(np.cov(drawn.T, bias=True), expected, atol=0.03 * squares[-1])


@verifies("forecast.brier")
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30))
def test_the_score_is_that_of_scikit_learn(pairs):
    said, came = (list(column) for column in zip(*pairs, strict=True))
    assert brier(said, came) == approx(brier_score_loss(came, said, pos_label=True, labels=[False, True]), abs=1e-12)


@verifies("forecast.honest")
@given(st.floats(0.01, 0.99), st.floats(0.0, 1.0))
def test_the_expected_score_is_the_gap_to_the_truth_plus_what_nobody_can_know(true, said):
    """Both outcomes weighted by their chance; and a search finds no better saying than the truth."""

    def expected(word):
        return true * brier([word], [True]) + (1 - true) * brier([word], [False])

    assert expected(said) == approx((said - true) ** 2 + true * (1 - true), abs=1e-12)
    assert minimize_scalar(expected, bounds=(0, 1), method="bounded").x == approx(true, abs=1e-4)
