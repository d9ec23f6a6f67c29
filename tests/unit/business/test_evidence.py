"""The tools of evidence keep their promises, and refuse numbers that cannot be."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from genai_utils.business import evidence as ev

EFFECTS = st.lists(
    st.tuples(st.floats(-1, 1), st.floats(0.02, 1)).map(lambda pair: ev.Effect(*pair)), min_size=2, max_size=12
)
TWO = [ev.Effect(0.1, 0.05), ev.Effect(0.3, 0.1)]


def test_forty_percent_less_time_is_two_thirds_more_output():
    assert ev.effect_from_error(-0.4, 0.05, of_time=True).change == approx(2 / 3)


@given(st.floats(-0.9, 3), st.floats(0.01, 1))
def test_the_interval_of_an_effect_holds_its_change(change, error):
    effect = ev.effect_from_error(change, error)
    low, high = effect.interval()
    assert low < effect.change < high and effect.interval(0.5)[1] < high


@given(EFFECTS)
def test_the_weights_sum_to_one_and_the_mean_lies_between_the_trials(effects):
    pooled = ev.random_effects(effects)
    logs = [effect.log for effect in effects]
    assert pooled.weights.sum() == approx(1) and (pooled.weights > 0).all()
    assert min(logs) - 1e-9 <= pooled.effect.log <= max(logs) + 1e-9 and 0 <= pooled.i2 < 1


@given(EFFECTS, st.randoms())
def test_the_order_of_the_trials_does_not_matter(effects, random):
    shuffled = random.sample(effects, len(effects))
    assert ev.random_effects(shuffled).effect == approx(ev.random_effects(effects).effect, rel=1e-9, abs=1e-12)


def test_equal_trials_show_no_heterogeneity():
    pooled = ev.random_effects([ev.Effect(0.25, 0.125)] * 4)
    assert (pooled.q, pooled.tau, pooled.i2) == (0, 0, 0) and pooled.effect == approx((0.25, 0.0625))
    assert pooled.knapp == 0 and pooled.interval() == approx((pooled.effect.change,) * 2)


def test_a_new_setting_is_less_certain_than_the_mean():
    pooled = ev.random_effects([*TWO, ev.Effect(-0.2, 0.08), ev.Effect(0.5, 0.1)])
    (low, high), (mean_low, mean_high) = pooled.prediction(), pooled.effect.interval()
    assert low < mean_low < mean_high < high


def test_a_spread_that_is_given_is_used_and_one_below_nought_refused():
    given_tau = ev.random_effects(TWO, tau=0.5)
    assert given_tau.tau == 0.5 and given_tau.effect.error > ev.random_effects(TWO).effect.error
    assert ev.random_effects(TWO, tau=0.0).effect.error == approx(sum(each.error**-2 for each in TWO) ** -0.5)
    assert ev.paule_mandel([ev.Effect(0.25, 0.125)] * 4) == 0
    with pytest.raises(ValueError, match="tau"):
        ev.random_effects(TWO, tau=-0.1)


def test_two_trials_are_too_few_to_predict_a_third():
    for use in (ev.random_effects(TWO).prediction, ev.random_effects(TWO).chance_of_harm):
        with pytest.raises(ValueError, match="at least 3 effects, got 2"):
            use()


def test_a_higher_mean_harms_less_often():
    shifted = [ev.random_effects([ev.Effect(log + up, 0.1) for log in (-0.3, 0.1, 0.5)]) for up in (-0.1, 0, 0.2)]
    chances = [pooled.chance_of_harm() for pooled in shifted]
    assert chances[0] == approx(0.5) and chances == sorted(chances, reverse=True) and chances[-1] > 0


@pytest.mark.parametrize("bad", [[], TWO[:1]])
def test_nothing_to_pool_is_refused(bad):
    with pytest.raises(ValueError, match="effects must have shape .*at least 2 of them"):
        ev.random_effects(bad)


@pytest.mark.parametrize("bad", [(math.nan, 0.1), (0.1, 0.0), (0.1, -1.0), (0.1, math.inf), (math.inf, 0.1)])
def test_a_trial_without_a_proper_error_is_refused(bad):
    with pytest.raises(ValueError, match="effects must (hold finite numbers|have errors above 0)"):
        ev.random_effects([*TWO, ev.Effect(*bad)])


@pytest.mark.parametrize(("low", "high"), [(0.3, 0.5), (0.0, 0.1), (0.2, 0.2)])
def test_an_interval_beside_its_change_is_refused(low, high):
    with pytest.raises(ValueError, match="the interval must hold the change"):
        ev.effect_from_interval(0.2, low, high)


@pytest.mark.parametrize(("change", "error"), [(-1, 0.1), (math.nan, 0.1), (0.1, 0), (0.1, math.nan), (math.inf, 1)])
def test_an_impossible_change_is_refused(change, error):
    with pytest.raises(ValueError, match="must be a finite number above"):
        ev.effect_from_error(change, error)


@pytest.mark.parametrize("level", [0, 1, -0.5, math.nan])
def test_a_level_outside_its_range_is_refused(level):
    pooled = ev.random_effects(TWO)
    for use in (
        lambda: TWO[0].interval(level),
        lambda: pooled.interval(level),
        lambda: ev.power(0.1, 1, 10, level=level),
    ):
        with pytest.raises(ValueError, match=r"level is a share in \(0, 1\)"):
            use()


def test_trials_on_one_line_lean_by_its_intercept():
    funnel = ev.egger([ev.Effect(0.1 + 2 * error, error) for error in (0.0625, 0.125, 0.25, 0.5)])
    assert (funnel.lean, funnel.slope) == approx((2, 0.1)) and funnel.p < 1e-6


def test_a_funnel_of_equal_errors_or_two_trials_is_refused():
    with pytest.raises(ValueError, match="different precision"):
        ev.egger([ev.Effect(x, 0.1) for x in (0.1, 0.2, 0.3)])
    with pytest.raises(ValueError, match="effects must have shape .*at least 3 of them"):
        ev.egger(TWO)


@given(st.floats(0, 0.3), st.floats(0.05, 1))
def test_winners_always_look_better_than_they_are(effect, error):
    assert ev.winners_mean(effect, error) > effect


@given(st.floats(0.01, 1), st.floats(0.1, 2))
def test_half_the_effect_needs_four_times_the_trial(effect, spread):
    assert ev.sample_size(effect / 2, spread) == approx(4 * ev.sample_size(effect, spread))


@given(st.floats(0.01, 1), st.floats(0.1, 2), st.floats(2, 1e4))
def test_a_larger_trial_finds_more(effect, spread, size):
    assert ev.power(effect, spread, size) <= ev.power(effect, spread, 2 * size)
    assert ev.power(-effect, spread, size) == ev.power(effect, spread, size)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((0, 1), "effect must be"), ((0.1, 0), "spread must be"), ((math.nan, 1), "effect must be")],
)
def test_a_trial_that_cannot_be_planned_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ev.sample_size(*arguments)


def test_a_certain_trial_is_refused():
    with pytest.raises(ValueError, match=r"power is a share in \(0, 1\), got 1; write 60 % as 0.6"):
        ev.sample_size(0.1, 1, power=1)


def test_one_observation_each_needs_no_correction_and_copies_need_all():
    assert ev.design_effect(1, 0.7) == 1 and ev.design_effect(9, 0) == 1 and ev.design_effect(9, 1) == 9


@pytest.mark.parametrize(("cluster", "correlation"), [(0.5, 0.1), (3, -0.1), (3, 1.1), (3, math.nan), (math.nan, 0.5)])
def test_an_impossible_cluster_is_refused(cluster, correlation):
    with pytest.raises(ValueError, match="(cluster|correlation) must be"):
        ev.design_effect(cluster, correlation)


def test_the_bias_of_selection_has_the_sign_of_the_correlation():
    assert ev.selection_bias(0.5, 1, 0.3) == -ev.selection_bias(-0.5, 1, 0.3) > 0 == ev.selection_bias(0, 1, 0.3)
    with pytest.raises(ValueError, match=r"correlation must be in \[-1, 1\], got 1.5"):
        ev.selection_bias(1.5, 1, 0.3)
    with pytest.raises(ValueError, match=r"share is a share in \(0, 1\)"):
        ev.selection_bias(0.5, 1, 1)


@given(st.floats(0.05, 0.9))
def test_the_more_is_withheld_the_less_is_left(share):
    assert ev.kept_mean(0.2, 0.3, share + 0.05) < ev.kept_mean(0.2, 0.3, share) < 0.2


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_exact_interval_holds_the_share_and_mirrors_failures(count):
    successes, trials = count
    low, high = ev.exact_interval(successes, trials)
    assert 0 <= low <= successes / trials <= high <= 1
    assert ev.exact_interval(trials - successes, trials) == approx((1 - high, 1 - low), abs=1e-9)


@pytest.mark.parametrize(("successes", "trials"), [(-1, 5), (6, 5), (0, 0)])
def test_an_impossible_count_is_refused(successes, trials):
    with pytest.raises(ValueError, match=f"got {successes} of {trials}"):
        ev.exact_interval(successes, trials)


@pytest.mark.parametrize("name", ["exposed", "adopted", "saving", "labour_share"])
@pytest.mark.parametrize("share", [-0.1, 27.0, math.nan])
def test_a_share_that_is_none_is_refused(name, share):
    shares = {"exposed": 0.2, "adopted": 0.2, "saving": 0.3, "labour_share": 0.5} | {name: share}
    with pytest.raises(ValueError, match=rf"{name} is a share in \[0, 1\]"):
        ev.hulten(**shares)


def test_productivity_falls_first_and_the_complete_account_does_not():
    curve = ev.j_curve([0.2] * 6 + [0.02] * 18, gain=0.3, pace=1.0, decay=0.02)
    assert curve.measured[0] == approx(0.8) and curve.measured[-1] > 1 and (curve.complete >= 1).all()


@pytest.mark.parametrize(
    ("invested", "pace", "decay"), [([1.2], 1, 0), ([np.nan], 1, 0), ([0.1], -1, 0), ([0.1], 1, 2)]
)
def test_an_impossible_curve_is_refused(invested, pace, decay):
    with pytest.raises(ValueError, match="(invested|pace) must|decay is a share"):
        ev.j_curve(invested, gain=0.1, pace=pace, decay=decay)
