"""The bubble tests agree with an independent package, behave as tests should, and refuse what has no answer."""

import subprocess
import sys

import exuber
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from genai_utils.business import bubbles

SEEDS = st.integers(0, 10_000)


def walk(n, seed):
    return bubbles.random_walks(n, paths=1, seed=seed)[0]


def test_the_module_needs_no_torch():
    code = "import sys, genai_utils.business.bubbles; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_walk_drifts_by_one_over_its_whole_length():
    """2,500 steps' worth of chance: the mean of the ends has a standard error of 0.02."""
    ends = bubbles.random_walks(4, paths=10_000, seed=0)[:, -1]
    assert ends.mean() == approx(1.0, abs=0.1) and ends.std() == approx(2.0, rel=0.05)


@pytest.mark.parametrize("n", [40, 120, 500])
def test_every_statistic_is_that_of_pyexuber(n):
    ours, theirs = bubbles.exuberance(walk(n, n)), exuber.radf(walk(n, n), lag=0)
    assert ours.window == theirs.minw
    np.testing.assert_allclose(ours.best, theirs.bsadf[:, 0], atol=1e-8)
    np.testing.assert_allclose(ours.from_start, theirs.badf[:, 0], atol=1e-8)
    assert (ours.sadf, ours.gsadf) == approx((theirs.sadf[0], theirs.gsadf[0]), abs=1e-8)


def test_monte_carlo_critical_values_are_those_of_pyexuber_up_to_chance():
    """1,000 paths each; the standard error of such a quantile is about 0.05."""
    n = 120
    null = bubbles.exuberance(bubbles.random_walks(n, paths=1_000, seed=0))
    theirs = exuber.radf_mc_cv(n, nrep=1_000, seed=1)
    for level, cv in zip((0.9, 0.95), theirs.gsadf_cv[:2], strict=True):
        assert bubbles.quantile(null.gsadf, level).value == approx(cv, abs=0.25)
    np.testing.assert_allclose(null.thresholds()[10:], theirs.bsadf_cv[10:, 1], atol=0.3)


def test_wild_critical_values_are_those_of_pyexuber_up_to_chance():
    steps = np.random.default_rng(4).standard_normal(120) * np.where(np.arange(120) < 90, 1.0, 4.0)
    prices = np.cumsum(steps)
    ours = bubbles.exuberance(bubbles.wild_walks(prices, paths=600, seed=0)).gsadf
    theirs = exuber.radf_wb_cv(prices, nboot=600, seed=1).gsadf_cv[0, :2]
    assert [np.quantile(ours, 0.9), np.quantile(ours, 0.95)] == approx(theirs, abs=0.5)


@given(SEEDS, st.floats(0.01, 100.0), st.floats(-1e3, 1e3))
@settings(max_examples=20)
def test_units_and_level_do_not_matter(seed, unit, level):
    prices = walk(60, seed)
    np.testing.assert_allclose(
        bubbles.exuberance(unit * prices + level).best, bubbles.exuberance(prices).best, atol=1e-4
    )


@given(SEEDS)
@settings(max_examples=20)
def test_turning_the_chart_upside_down_does_not_matter(seed):
    """So a crash can be called explosive: the test knows no up and down."""
    prices = walk(60, seed)
    np.testing.assert_allclose(bubbles.exuberance(-prices).best, bubbles.exuberance(prices).best, atol=1e-8)


@given(SEEDS)
@settings(max_examples=20)
def test_more_beginnings_never_lower_the_statistic(seed):
    found = bubbles.exuberance(walk(60, seed))
    assert (found.best >= found.from_start).all() and found.gsadf >= found.sadf


@given(SEEDS)
@settings(max_examples=10)
def test_the_future_does_not_change_the_past(seed):
    prices = walk(80, seed)
    early, late = (bubbles.exuberance(prices[:end], window=15) for end in (50, 80))
    np.testing.assert_allclose(late.best[: len(early.best)], early.best, atol=1e-8)


def test_many_paths_at_once_give_what_each_gives_alone():
    paths = bubbles.random_walks(50, paths=4, seed=0)
    together = bubbles.exuberance(paths)
    assert together.gsadf == approx([float(bubbles.exuberance(path).gsadf) for path in paths])
    assert together.best.shape == (4, 50 - together.window) and together.sadf.shape == (4,)


def test_a_clear_bubble_is_found_and_dated():
    prices = bubbles.explosive_paths(150, start=80, end=110, root=1.08, level=15, paths=1, seed=0)[0]
    null = bubbles.exuberance(bubbles.random_walks(150, paths=300, seed=1))
    found = bubbles.exuberance(prices)
    first, last = max(bubbles.episodes(found.best > null.thresholds()), key=lambda run: run[1] - run[0])
    assert found.gsadf > bubbles.quantile(null.gsadf).high
    assert 80 < first + found.window < 100 and abs(last + found.window - 110) <= 2


def test_a_bubble_bursts_back_to_where_it_began():
    prices = bubbles.explosive_paths(100, start=40, end=60, root=1.1, level=15, paths=2_000, seed=0)
    assert np.mean(prices[:, 60]) > 5 * np.mean(prices[:, 40])
    assert np.mean(prices[:, 61] - prices[:, 40]) == approx(0.0, abs=0.1)


def test_a_test_of_5_percent_is_wrong_in_5_percent_of_calm_markets():
    """1,000 against 1,000 paths: the rate of alarms has a standard error of about 0.01."""
    calm, new = (bubbles.exuberance(bubbles.random_walks(80, paths=1_000, seed=seed)).gsadf for seed in (0, 1))
    assert np.mean(new > bubbles.quantile(calm).value) == approx(0.05, abs=0.035)


def test_a_wild_market_without_bubble_alarms_the_plain_test_but_not_the_wild_one():
    prices = np.cumsum(np.random.default_rng(11).standard_normal(100) * np.where(np.arange(100) < 60, 1.0, 5.0))
    assert bubbles.wild_p_value(prices, draws=99, seed=0) > 0.05


def test_a_strong_bubble_has_the_least_p_value_there_is():
    prices = bubbles.explosive_paths(100, start=30, end=95, root=1.1, level=15, paths=1, seed=0)[0]
    assert bubbles.wild_p_value(prices, draws=99, seed=0) == approx(1 / 100)


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 5))
def test_episodes_are_the_runs_that_are_long_enough(above, shortest):
    found = bubbles.episodes(np.array(above, bool), shortest=shortest)
    marked = np.zeros(len(above), bool)
    for first, last in found:
        assert last - first + 1 >= shortest and not marked[first : last + 1].any() and all(above[first : last + 1])
        assert (first == 0 or not above[first - 1]) and (last == len(above) - 1 or not above[last + 1])
        marked[first : last + 1] = True
    if shortest == 1:
        assert (marked == np.array(above, bool)).all()


def test_a_quantile_says_what_chance_leaves():
    draws = np.random.default_rng(0).standard_normal((300, 400))
    covers = [found.low <= 1.645 <= found.high for found in map(bubbles.quantile, draws)]
    assert np.mean(covers) > 0.9
    assert str(bubbles.Quantile(1.0, 0.5, 1.5)) == "1.00 (0.50 to 1.50)"


@pytest.mark.parametrize(("numbers", "level"), [(30, 0.95), (1_000, 1.0), (1_000, 0.0)])
def test_a_quantile_that_cannot_be_bounded_is_refused(numbers, level):
    with pytest.raises(ValueError, match="simulate more"):
        bubbles.quantile(np.arange(numbers), level)


@pytest.mark.parametrize("n", [0, 2])
def test_too_short_a_series_is_refused(n):
    with pytest.raises(ValueError, match="too few to look for a bubble"):
        bubbles.minimum_window(n)


@pytest.mark.parametrize("window", [2, 50])
def test_a_window_without_sense_is_refused(window):
    with pytest.raises(ValueError, match="window must have at least 3 steps"):
        bubbles.exuberance(walk(50, 0), window=window)


def test_prices_without_a_number_or_a_movement_are_refused():
    with pytest.raises(ValueError, match="finite number"):
        bubbles.exuberance(np.append(walk(50, 0), np.nan))
    with pytest.raises(ValueError, match="without any movement"):
        bubbles.exuberance(np.full(50, 3.0))


@pytest.mark.parametrize(("start", "end"), [(10, 10), (-1, 5), (5, 50)])
def test_a_bubble_outside_the_series_is_refused(start, end):
    with pytest.raises(ValueError, match="0 <= start < end < n"):
        bubbles.explosive_paths(50, start=start, end=end, root=1.05, level=10, paths=1, seed=0)


@pytest.mark.parametrize("burst", [0.0, 0.02])
def test_holders_of_a_fair_bubble_gain_nothing_on_average(burst):
    """4,000 paths; four standard errors."""
    prices, gains = bubbles.fair_bubbles(40, rate=0.01, burst=burst, bubble=2.0, paths=4_000, seed=0)
    assert prices.shape == gains.shape == (4_000, 40) and (gains[:, 0] == 0).all()
    assert abs(gains[:, -1].mean()) < 4 * gains[:, -1].std() / 4_000**0.5


def test_a_fair_bubble_that_never_bursts_is_interest_and_leaves_no_gain():
    """Without one, and with one, the same gains; the price grows by the interest on the bubble."""
    plain, gains = bubbles.fair_bubbles(30, rate=0.05, burst=0.0, bubble=0.0, paths=2, seed=1)
    blown, same = bubbles.fair_bubbles(30, rate=0.05, burst=0.0, bubble=3.0, paths=2, seed=1)
    np.testing.assert_allclose(same, gains, atol=1e-9)
    np.testing.assert_allclose(blown - plain, np.tile(3.0 * 1.05 ** np.arange(30), (2, 1)))


def test_a_fair_bubble_grows_faster_the_sooner_it_may_burst_and_stays_burst():
    plain, _ = bubbles.fair_bubbles(200, rate=0.0, burst=0.1, bubble=0.0, paths=50, seed=2)
    blown, _ = bubbles.fair_bubbles(200, rate=0.0, burst=0.1, bubble=1.0, paths=50, seed=2)
    bubble = blown - plain
    alive = bubble[:, 1:] > 1e-6
    np.testing.assert_allclose((bubble[:, 1:] / np.maximum(bubble[:, :-1], 1e-9))[alive], 1 / 0.9, rtol=1e-3)
    assert (np.diff(alive.astype(int), axis=1) <= 0).all() and not alive[:, -1].all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"burst": 1.0}, "burst"), ({"rate": -0.1}, "rate"), ({"bubble": -1.0}, "bubble"), ({"n": 0}, "n ")],
)
def test_a_bubble_that_cannot_be_fair_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        bubbles.fair_bubbles(**{"n": 10, "rate": 0.01, "burst": 0.1, "bubble": 1.0, "paths": 2, "seed": 0, **changes})
