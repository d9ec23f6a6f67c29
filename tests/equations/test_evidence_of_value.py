"""The equations of the chapter on evidence: each computed a second way that shares no code, or as published."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy import optimize, stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_confint

from genai_utils.business import evidence as ev
from genai_utils.records.facts import fact

verifies = pytest.mark.verifies
WANTED = ["pool"]
EFFECTS = st.lists(
    st.tuples(st.floats(-1, 1), st.floats(0.02, 1)).map(lambda pair: ev.Effect(*pair)), min_size=3, max_size=12
)
RNG = np.random.default_rng(0)


def statsmodels_pool(effects):
    """DerSimonian and Laird's result by statsmodels."""
    logs, errors = np.array(effects).T
    with np.errstate(all="ignore"):
        return combine_effects(logs, errors**2, method_re="chi2")


@verifies("evidence.log-ratio")
def test_the_error_of_a_logarithm_is_that_of_many_simulated_trials():
    """A change of +26 % with an error of 3 points: spread of log(1 + change), to 1 % with 400,000 draws."""
    draws = np.log1p(RNG.normal(0.26, 0.03, 400_000))
    ours = ev.effect_from_error(0.26, 0.03)
    assert (draws.mean(), draws.std()) == approx((ours.log, ours.error), rel=0.01)


@verifies("evidence.log-ratio")
@given(st.floats(-0.5, 1), st.floats(0.01, 0.5))
def test_an_interval_that_was_made_from_an_effect_gives_the_effect_back(log, error):
    low, high = (math.exp(log + sign * 1.959963984540054 * error) - 1 for sign in (-1, 1))
    ours = ev.effect_from_interval(math.exp(log) - 1, low, high)
    slower = ev.effect_from_interval(math.exp(log) - 1, low, high, of_time=True)
    assert ours == approx((log, error), abs=1e-9) and slower == approx((-log, error), abs=1e-9)


@verifies("evidence.random-effects")
@given(EFFECTS)
def test_the_pooled_mean_and_its_weights_are_those_of_statsmodels(effects):
    ours, theirs = ev.random_effects(effects), statsmodels_pool(effects)
    if theirs.tau2 < 0:  # statsmodels goes on with a negative variance; the method says: take none
        expected = theirs.mean_effect_fe, theirs.sd_eff_w_fe, theirs.weights_rel_fe
    else:
        expected = theirs.mean_effect_re, theirs.sd_eff_w_re, theirs.weights_rel_re
    assert ours.effect == approx(expected[:2], rel=1e-8, abs=1e-10)
    assert ours.weights == approx(expected[2], rel=1e-8)


@verifies("evidence.random-effects")
@given(EFFECTS)
def test_the_pooled_mean_is_the_least_squares_constant(effects):
    """Weighted least squares with the weights found must return the same constant."""
    ours = ev.random_effects(effects)
    logs = np.array([effect.log for effect in effects])
    best = optimize.minimize_scalar(lambda mean: float(ours.weights @ (logs - mean) ** 2), bounds=(-1, 1))
    assert ours.effect.log == approx(best.x, abs=1e-5)


@verifies("evidence.random-effects")
@given(EFFECTS)
@settings(max_examples=25)
def test_the_chapter_s_own_lines_agree_with_the_package(chapter, effects):
    mean, error, tau, i2, knapp = chapter["pool"](*np.array(effects).T)
    ours = ev.random_effects(effects)
    expected = (*ours.effect, ours.tau, ours.i2, ours.knapp)
    assert (mean, error, tau, i2, knapp) == approx(expected, rel=1e-9, abs=1e-9)


@verifies("evidence.hartung-knapp")
@given(EFFECTS)
def test_the_error_by_hartung_and_knapp_is_that_of_statsmodels(effects):
    ours, theirs = ev.random_effects(effects), statsmodels_pool(effects)
    assume(theirs.tau2 >= 0)  # statsmodels goes on with a negative variance
    assert ours.knapp == approx(theirs.sd_eff_w_re_hksj, rel=1e-6, abs=1e-9)


@verifies("evidence.hartung-knapp")
@given(st.lists(st.floats(-1, 1), min_size=3, max_size=12).filter(lambda logs: np.std(logs) > 1e-3))
def test_with_equal_errors_the_interval_is_student_s_for_the_logarithms_alone(logs):
    low, high = ev.random_effects([ev.Effect(log, 0.1) for log in logs]).interval()
    expected = stats.ttest_1samp(logs, 0.0).confidence_interval()
    assert (math.log1p(low), math.log1p(high)) == approx(tuple(expected), rel=1e-6, abs=1e-9)


@verifies("evidence.hartung-knapp")
def test_where_the_mean_is_nought_the_interval_errs_far_less_often_than_z():
    """1,500 collections of eight trials like ours: it misses zero in less than 10 %, z in more than 12 %."""
    errors, missed = np.array([0.06, 0.02, 0.005, 0.5, 0.08, 0.08, 0.14, 0.06]), np.zeros(2)
    for _ in range(1_500):
        pooled = ev.random_effects([*map(ev.Effect, RNG.normal(0, np.hypot(0.13, errors)), errors)])
        missed += [not low < 0 < high for low, high in (pooled.interval(), pooled.effect.interval())]
    assert missed[0] / 1_500 < 0.1 < 0.12 < missed[1] / 1_500


@verifies("evidence.heterogeneity")
@given(EFFECTS)
def test_the_spread_of_true_effects_is_that_of_statsmodels(effects):
    ours, theirs = ev.random_effects(effects), statsmodels_pool(effects)
    assert ours.q == approx(theirs.q, rel=1e-8, abs=1e-12)
    assert ours.tau**2 == approx(max(0.0, theirs.tau2), rel=1e-6, abs=1e-10)
    rounding = theirs.q < 1e-12  # equal effects: theirs may then lie below 0, and its share anywhere
    assert ours.i2 == approx(0.0 if rounding else max(0.0, theirs.i2), rel=1e-6, abs=1e-9)


@verifies("evidence.heterogeneity")
def test_the_estimated_spread_is_the_true_one_on_average():
    """3,000 collections of 30 trials with a true spread of 0.2: their mean variance, to four standard errors."""
    errors = np.geomspace(0.02, 0.2, 30)
    found = []
    for _ in range(3_000):
        logs = RNG.normal(0.1, np.hypot(0.2, errors))
        found.append(ev.random_effects([*map(ev.Effect, logs, errors)]).tau ** 2)
    assert np.mean(found) == approx(0.04, abs=4 * np.std(found) / math.sqrt(len(found)))


@verifies("evidence.paule-mandel")
@given(EFFECTS)
def test_with_the_spread_found_the_residual_form_is_its_degrees_of_freedom(effects):
    """y' P y = k - 1, P by a matrix that removes the mean; or tau is 0, and it is no more than k - 1."""
    logs, errors = np.array(effects).T
    tau, ones = ev.paule_mandel(effects), np.ones((len(logs), 1))
    inverse = np.linalg.inv(np.diag(errors**2 + tau**2))
    project = inverse - inverse @ ones @ np.linalg.inv(ones.T @ inverse @ ones) @ ones.T @ inverse
    form, freedom = logs @ project @ logs, len(logs) - 1
    assert form == approx(freedom, rel=1e-6) if tau > 1e-6 else form < freedom * (1 + 1e-6)


@verifies("evidence.paule-mandel")
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=12), st.floats(0.02, 0.5))
def test_with_equal_errors_the_spread_is_what_the_errors_leave_of_the_variance(logs, error):
    left = max(0.0, np.var(logs, ddof=1) - error**2)
    assert ev.paule_mandel([ev.Effect(log, error) for log in logs]) ** 2 == approx(left, rel=1e-9, abs=1e-9)


@verifies("evidence.paule-mandel")
def test_where_precision_differs_a_hundredfold_paule_and_mandel_miss_the_spread_by_less():
    """1,000 collections with errors like ours and a true spread of 0.2: typical miss of both estimates of tau."""
    errors, missed = np.array([0.06, 0.02, 0.005, 0.5, 0.08, 0.08, 0.14, 0.06]), []
    for _ in range(1_000):
        effects = [*map(ev.Effect, RNG.normal(0, np.hypot(0.2, errors)), errors)]
        missed.append([ev.random_effects(effects).tau - 0.2, ev.paule_mandel(effects) - 0.2])
    laird, mandel = np.sqrt(np.square(missed).mean(axis=0))
    assert mandel < 0.9 * laird


@verifies("evidence.prediction")
def test_the_prediction_holds_the_next_setting_as_often_as_it_says():
    """2,000 collections of 20 precise trials; the 80 % interval holds the truth of one more, to 4 points."""
    held = 0
    for _ in range(2_000):
        truth = RNG.normal(0.1, 0.2, 21)
        effects = [ev.Effect(log, 0.03) for log in RNG.normal(truth[:20], 0.03)]
        low, high = ev.random_effects(effects).prediction(0.8)
        held += low < math.expm1(truth[20]) < high
    assert held / 2_000 == approx(0.8, abs=0.04)


@verifies("evidence.prediction")
def test_with_three_trials_the_prediction_is_as_wide_as_cauchy_s_distribution():
    """One degree of freedom: t is Cauchy's, whose quantile is a tangent; equal errors make tau^2 = s^2 - error^2."""
    logs = np.array([-0.3, 0.1, 0.5])
    low, high = ev.random_effects([ev.Effect(log, 0.1) for log in logs]).prediction()
    tau2 = logs.var(ddof=1) - 0.01
    width = math.tan(math.pi * 0.475) * math.sqrt(tau2 + (tau2 + 0.01) / 3)
    assert (math.log1p(low), math.log1p(high)) == approx((0.1 - width, 0.1 + width), rel=1e-9)


@verifies("evidence.prediction")
@given(EFFECTS)
def test_the_chance_of_harm_is_the_level_at_which_the_prediction_reaches_zero(effects):
    pooled = ev.random_effects(effects)
    assume(abs(pooled.effect.log) > 1e-3)
    harm = pooled.chance_of_harm()
    assume(1e-6 < harm < 1 - 1e-6)
    ends = pooled.prediction(abs(1 - 2 * harm))
    assert min(map(abs, ends)) == approx(0, abs=1e-6)


@verifies("evidence.power")
@given(st.floats(0.05, 0.8), st.floats(0.1, 2.0), st.floats(0.5, 0.99))
@settings(max_examples=40)
def test_the_size_of_a_trial_is_that_of_statsmodels(effect, spread, wanted):
    size = ev.sample_size(effect, spread, power=wanted)
    theirs = NormalIndPower().power(effect / spread, size, 0.05, alternative="larger")
    one_sided = NormalIndPower().power(effect / spread, size, 0.025, alternative="larger")
    assert one_sided == approx(wanted, abs=1e-9) and theirs > one_sided
    assert ev.power(effect, spread, size) == approx(wanted, abs=1e-9)


@verifies("evidence.power")
def test_simulated_trials_find_the_effect_as_often_as_promised():
    """4,000 trials at the size for 80 %: a t-test of two groups each, to four standard errors."""
    size = math.ceil(ev.sample_size(0.05, 0.25))
    treated, control = RNG.normal(0.05, 0.25, (4_000, size)), RNG.normal(0, 0.25, (4_000, size))
    found = np.mean(stats.ttest_ind(treated, control, axis=1).pvalue < 0.05)
    assert found == approx(0.8, abs=4 * 0.4 / math.sqrt(4_000))


@verifies("evidence.design-effect")
@given(st.integers(1, 40), st.floats(0, 1))
def test_the_design_effect_is_the_variance_of_a_mean_by_its_covariance_matrix(cluster, correlation):
    matrix = np.full((cluster, cluster), correlation) + (1 - correlation) * np.eye(cluster)
    mean = np.full(cluster, 1 / cluster)
    assert ev.design_effect(cluster, correlation) == approx(mean @ matrix @ mean * cluster, rel=1e-9)


@verifies("evidence.selection")
@given(st.floats(-0.9, 0.9), st.floats(0.1, 2), st.floats(0.05, 0.95))
@settings(max_examples=30)
def test_the_bias_of_selection_is_a_difference_of_two_integrals(correlation, spread, share):
    """E[skill | uses it] - E[skill | does not], by quadrature over the wish to use it."""
    wish = np.linspace(-9, 9, 200_001)
    skill, weight = correlation * spread * wish, stats.norm.pdf(wish)
    uses = wish > stats.norm.isf(share)
    users, others = (np.average(skill[chosen], weights=weight[chosen]) for chosen in (uses, ~uses))
    assert ev.selection_bias(correlation, spread, share) == approx(users - others, abs=2e-3 * spread)


@verifies("evidence.withheld")
@given(st.floats(-0.5, 0.5), st.floats(0.05, 1), st.floats(0.02, 0.98))
@settings(max_examples=30)
def test_what_is_left_after_withholding_is_a_truncated_normal(effect, spread, withheld):
    ceiling = stats.norm.isf(withheld)
    expected = stats.truncnorm.mean(-np.inf, ceiling, loc=effect, scale=spread)
    assert ev.kept_mean(effect, spread, withheld) == approx(expected, abs=1e-8)


@verifies("evidence.winner")
@given(st.floats(-0.2, 0.5), st.floats(0.05, 0.5))
@settings(max_examples=30)
def test_the_mean_of_winners_is_that_of_a_truncated_normal(effect, error):
    bar = (1.959963984540054 * error - effect) / error
    expected = stats.truncnorm.mean(bar, np.inf, loc=effect, scale=error)
    assert ev.winners_mean(effect, error) == approx(expected, rel=1e-6)


@verifies("evidence.egger")
@given(EFFECTS.filter(lambda effects: np.ptp([effect.error for effect in effects]) > 0.05))
@settings(max_examples=40)
def test_egger_s_line_is_an_ordinary_regression(effects):
    logs, errors = np.array(effects).T
    theirs = OLS(logs / errors, np.column_stack([np.ones_like(errors), 1 / errors])).fit()
    ours = ev.egger(effects)
    assume(theirs.ssr > 1e-9)  # a line through all points leaves no error, and a p-value of rounding
    assert (ours.lean, ours.slope) == approx(tuple(theirs.params), rel=1e-6, abs=1e-8)
    assert ours.p == approx(theirs.pvalues[0], rel=1e-5, abs=1e-9)


@verifies("evidence.exact-interval")
@given(st.integers(1, 200).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_the_exact_interval_is_that_of_statsmodels(count):
    successes, trials = count
    theirs = proportion_confint(successes, trials, method="beta")
    assert ev.exact_interval(successes, trials) == approx(tuple(np.nan_to_num(theirs)), abs=1e-9)


@verifies("evidence.exact-interval")
def test_at_the_ends_of_the_exact_interval_the_count_is_just_believable():
    """Clopper and Pearson's definition: each end leaves 2.5 % in the tail of the binomial beyond the count."""
    low, high = ev.exact_interval(3, 52)
    assert stats.binom.sf(2, 52, low) == approx(0.025, abs=1e-9)
    assert stats.binom.cdf(3, 52, high) == approx(0.025, abs=1e-9)


@verifies("evidence.hulten")
def test_the_published_gain_follows_from_the_published_inputs():
    """0.66 % over ten years, to the second decimal."""
    inputs = fact("B-M3")
    shares = [inputs.stated(text) for text in ("19.9%", "23%", "27%", "53.5%")]
    ours = ev.hulten(exposed=shares[0], adopted=shares[1], saving=shares[2], labour_share=shares[3])
    assert ours == approx(fact("B-M1").stated("0.66%"), abs=5e-5)


@verifies("evidence.hulten")
@given(st.floats(0.05, 0.9), st.floats(0.05, 0.9), st.floats(0.3, 0.7))
@settings(max_examples=30)
def test_hulten_is_the_slope_of_an_economy_that_makes_its_goods_at_the_least_cost(exposed, adopted, labour):
    """Unit cost of a Cobb-Douglas economy of many tasks, each made of labour and capital: cheaper by a tiny saving.

    The log of the unit cost is the sum of the tasks' log costs; its derivative is Hulten's product.
    """
    tasks = 1_000
    done = round(tasks * exposed * adopted)

    def log_unit_cost(saving):
        wages = np.where(np.arange(tasks) < done, 1 - saving, 1.0)
        task_costs = wages**labour  # capital's price is 1
        return float(np.log(task_costs).mean())

    slope = -(log_unit_cost(1e-5) - log_unit_cost(-1e-5)) / 2e-5
    assert ev.hulten(exposed=done / tasks, adopted=1.0, saving=1.0, labour_share=labour) == approx(slope, rel=1e-6)


@verifies("evidence.j-curve")
@given(st.floats(0.01, 0.5), st.floats(0.0, 1.0), st.floats(0.1, 1.5), st.floats(0, 0.2))
def test_with_a_constant_effort_know_how_follows_a_geometric_series(share, gain, pace, decay):
    """K_t = a / (a + d) (1 - (1 - a - d)^t), a = pace share; from it both curves."""
    a = pace * share
    known = a / (a + decay) * (1 - (1 - a - decay) ** np.arange(24))
    ours = ev.j_curve([share] * 24, gain=gain, pace=pace, decay=decay)
    assert ours.measured == approx((1 - share) * (1 + gain * known), rel=1e-9)
    assert ours.complete - ours.measured == approx(np.full(24, share), abs=1e-12)
