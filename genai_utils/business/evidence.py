"""Does it pay? Trials taken together, trials planned, and the ways in which evidence misleads.

Effects are logarithms of a ratio (0.14 is about 15 % more), shares and changes are fractions (5 % is 0.05).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri
from scipy.stats import beta, t

from genai_utils import checks

Numbers = Sequence[float] | np.ndarray


class Effect(NamedTuple):
    """What a trial found: the logarithm of the ratio of productivities, and its standard error."""

    log: float
    error: float

    @property
    @checks.representable
    def change(self) -> float:
        """The effect as a fraction: 0.15 is 15 % more output in the same time."""
        return math.expm1(self.log)

    @checks.representable
    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Confidence interval of the change.

        Raises: ValueError: level is not between 0 and 1.
        """
        checks.share("(0, 1)", level=level)
        width = float(ndtri(0.5 + level / 2)) * self.error
        return math.expm1(self.log - width), math.expm1(self.log + width)


@checks.representable
def effect_from_error(change: float, error: float, *, of_time: bool = False) -> Effect:
    """Effect of a published change whose standard error is published too. Equation (evidence.log-ratio).

    Args: of_time: the change is one of time, so that less is better: -0.4 (40 % less) is 67 % more in the same time.
    Raises: ValueError: change is -1 or below, or error not above 0.
    """
    checks.above(-1.0, change=change)
    checks.above(0.0, error=error)
    return Effect(_signed(change, of_time), error / (1.0 + change))


@checks.representable
def effect_from_interval(change: float, low: float, high: float, *, of_time: bool = False) -> Effect:
    """Effect of a published change with its 95 % interval, taken as symmetric in logarithms.

    Equation (evidence.log-ratio).
    Raises: ValueError: a change of -1 or below, or an interval that does not hold the change.
    """
    checks.above(-1.0, change=change, low=low, high=high)
    if not low <= change <= high or low == high:
        raise ValueError(f"low to high, the interval must hold the change, got {low} to {high} for {change}")
    return Effect(_signed(change, of_time), (math.log1p(high) - math.log1p(low)) / (2 * float(ndtri(0.975))))


class Pooled(NamedTuple):
    """Several effects taken together. Equations (evidence.random-effects), (evidence.heterogeneity).

    effect: their mean; its own interval takes the spread tau for known.  q: spread of the effects in units of their
    errors.  tau: standard deviation of the true effects.  i2: share of the observed spread that chance does not
    explain.  weights: of the effects, sum 1.  knapp: error of the mean by Hartung and Knapp, (evidence.hartung-knapp).
    """

    effect: Effect
    q: float
    tau: float
    i2: float
    weights: np.ndarray
    knapp: float

    @checks.representable
    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Interval of the mean change by Hartung and Knapp, for few effects. Equation (evidence.hartung-knapp).

        Source: IntHout, Ioannidis & Borm 2014, doi 10.1186/1471-2288-14-25.
        Raises: ValueError: level is not between 0 and 1.
        """
        checks.share("(0, 1)", level=level)
        return self._around(float(t.ppf(0.5 + level / 2, len(self.weights) - 1)) * self.knapp)

    @checks.representable
    def prediction(self, level: float = 0.95) -> tuple[float, float]:
        """Where the true change of one more setting lies. Equation (evidence.prediction).

        Source: Higgins, Thompson & Spiegelhalter 2009, doi 10.1111/j.1467-985X.2008.00552.x.
        Raises: ValueError: level is not between 0 and 1, or fewer than three effects were pooled.
        """
        checks.share("(0, 1)", level=level)
        return self._around(float(t.ppf(0.5 + level / 2, self._freedom())) * math.hypot(self.tau, self.effect.error))

    @checks.representable
    def chance_of_harm(self) -> float:
        """Chance that one more setting, drawn as these were, has a true change below 0. Equation (evidence.prediction).

        Raises: ValueError: fewer than three effects were pooled.
        """
        return float(t.cdf(-self.effect.log / math.hypot(self.tau, self.effect.error), self._freedom()))

    def _freedom(self) -> int:
        if len(self.weights) < 3:
            raise ValueError(f"a prediction needs at least 3 effects, got {len(self.weights)}")
        return len(self.weights) - 2

    def _around(self, width: float) -> tuple[float, float]:
        return math.expm1(self.effect.log - width), math.expm1(self.effect.log + width)


@checks.representable
def random_effects(effects: Sequence[Effect], *, tau: float | None = None) -> Pooled:
    """Random-effects mean of independent effects. Equations (evidence.random-effects), (evidence.heterogeneity).

    Args: tau: spread of the true effects, for instance by `paule_mandel`; left out, that of DerSimonian and Laird.
    Source: DerSimonian & Laird 1986, doi 10.1016/0197-2456(86)90046-2; error also as (evidence.hartung-knapp).
    Raises: ValueError: fewer than two effects, an error not above 0, tau below 0, or a NaN.
    """
    logs, errors = _columns(effects, least=2)
    precision = errors**-2.0
    common = precision @ logs / precision.sum()
    q, excess = float(precision @ (logs - common) ** 2), len(logs) - 1
    tau2 = max(0.0, (q - excess) / (precision.sum() - precision @ precision / precision.sum()))
    if tau is not None:
        checks.at_least(0.0, tau=tau)
        tau2 = tau**2
    weights = 1 / (errors**2 + tau2)
    mean, total = float(weights @ logs / weights.sum()), float(weights.sum())
    knapp = math.sqrt(float(weights @ (logs - mean) ** 2) / (excess * total))
    i2 = max(0.0, 1 - excess / q) if q else 0.0
    return Pooled(Effect(mean, total**-0.5), q, math.sqrt(tau2), i2, weights / total, knapp)


@checks.representable
def paule_mandel(effects: Sequence[Effect]) -> float:
    """Spread tau at which effects disagree as much as it and their errors explain. Equation (evidence.paule-mandel).

    Better than DerSimonian and Laird's where errors differ much: Veroniki et al. 2016, doi 10.1002/jrsm.1164.
    Raises: ValueError: fewer than two effects, an error not above 0, or a NaN.
    """
    logs, errors = _columns(effects, least=2)

    def surplus(tau2: float) -> float:
        weights = 1 / (errors**2 + tau2)
        return float(weights @ (logs - weights @ logs / weights.sum()) ** 2) - (len(logs) - 1)

    most = float(logs.var(ddof=1))  # the surplus is never above 0 there
    return math.sqrt(brentq(surplus, 0.0, most, xtol=1e-15)) if surplus(0.0) > 0 > surplus(most) else 0.0


class Funnel(NamedTuple):
    """Egger's line through a funnel. lean: 0 where small and large trials agree.  slope: effect without error.

    p: how often chance alone would make a funnel lean this much or more.
    """

    lean: float
    slope: float
    p: float


@checks.representable
def egger(effects: Sequence[Effect]) -> Funnel:
    """Do small trials find more than large ones? Equation (evidence.egger).

    Source: Egger, Davey Smith, Schneider & Minder 1997, doi 10.1136/bmj.315.7109.629.
    Raises: ValueError: fewer than three effects, equal errors, an error not above 0, or a NaN.
    """
    logs, errors = _columns(effects, least=3)
    if np.ptp(errors) == 0:
        raise ValueError("effects of different precision are needed for a funnel; all errors are equal")
    line = np.column_stack([np.ones_like(errors), 1 / errors])
    fitted, *_ = np.linalg.lstsq(line, logs / errors, rcond=None)
    freedom = len(errors) - 2
    variance = ((logs / errors - line @ fitted) ** 2).sum() / freedom * np.linalg.inv(line.T @ line)[0, 0]
    p = 2 * t.sf(abs(fitted[0]) / math.sqrt(variance), freedom) if variance > 0 else float(not fitted[0])
    return Funnel(float(fitted[0]), float(fitted[1]), float(p))


@checks.representable
def winners_mean(effect: float, error: float, *, level: float = 0.05) -> float:
    """Mean estimate among the trials that find a significant gain. Equation (evidence.winner).

    Args: effect, error: true effect and standard error of a trial, in one unit.
    Raises: ValueError: error not above 0, or level not between 0 and 1.
    """
    checks.finite(effect=effect)
    checks.above(0.0, error=error)
    bar = _bar(level) - effect / error
    return effect + error * _density(bar) / float(ndtr(-bar))


@checks.representable
def sample_size(effect: float, spread: float, *, power: float = 0.8, level: float = 0.05) -> float:
    """Independent observations in each of two groups that a trial needs. Equation (evidence.power).

    Args: effect: the difference to be seen.  spread: standard deviation of one observation, in the same unit.
    Raises: ValueError: spread not above 0, effect 0, or power or level not between 0 and 1.
    """
    checks.finite(effect=effect)
    checks.above(0.0, spread=spread, effect=abs(effect))
    checks.share("(0, 1)", power=power)
    return 2.0 * ((_bar(level) + float(ndtri(power))) * spread / effect) ** 2


@checks.representable
def power(effect: float, spread: float, size: float, *, level: float = 0.05) -> float:
    """Chance that a trial with `size` observations in each group finds the effect. Equation (evidence.power).

    Raises: ValueError: spread or size not above 0, or level not between 0 and 1.
    """
    checks.finite(effect=effect)
    checks.above(0.0, spread=spread, size=size)
    return float(ndtr(abs(effect) / spread * math.sqrt(size / 2) - _bar(level)))


@checks.representable
def design_effect(cluster: float, correlation: float) -> float:
    """Factor by which observations in clusters are more than independent ones. Equation (evidence.design-effect).

    Args: cluster: observations of one person or team, 1 or more.  correlation: of two of them, 0..1.
    Source: Kish 1965, Survey Sampling.
    Raises: ValueError: an argument out of its range.
    """
    checks.at_least(1.0, cluster=cluster)
    checks.between(0.0, 1.0, correlation=correlation)
    return 1.0 + (cluster - 1.0) * correlation


@checks.representable
def selection_bias(correlation: float, spread: float, share: float) -> float:
    """By how much users differ from the others before they use anything. Equation (evidence.selection).

    Args: correlation: of the wish to use it and of skill, -1..1.  spread: standard deviation of skill.
        share: of those who use it, between 0 and 1.
    Raises: ValueError: an argument out of its range.
    """
    checks.above(0.0, spread=spread)
    checks.share("(0, 1)", share=share)
    checks.between(-1.0, 1.0, correlation=correlation)
    return correlation * spread * _density(float(ndtri(share))) / (share * (1.0 - share))


@checks.representable
def kept_mean(effect: float, spread: float, withheld: float) -> float:
    """Mean effect of what is left when the share with the largest effects is withheld. Equation (evidence.withheld).

    Args: effect, spread: mean and standard deviation of the true effects, which are normal.
    Raises: ValueError: spread not above 0, or withheld not between 0 and 1.
    """
    checks.finite(effect=effect)
    checks.above(0.0, spread=spread)
    checks.share("(0, 1)", withheld=withheld)
    return effect - spread * _density(float(ndtri(withheld))) / (1.0 - withheld)


@checks.representable
def exact_interval(successes: int, trials: int, *, level: float = 0.95) -> tuple[float, float]:
    """Interval for a share that holds the truth with at least this chance. Equation (evidence.exact-interval).

    Source: Clopper & Pearson 1934, doi 10.1093/biomet/26.4.404.
    Raises: ValueError: successes outside 0..trials, no trial, or level not between 0 and 1.
    """
    checks.share("(0, 1)", level=level)
    checks.whole(-1, successes=successes, trials=trials)
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"successes must be 0..trials and trials 1 or more, got {successes} of {trials}")
    tail = (1.0 - level) / 2
    low = beta.ppf(tail, successes, trials - successes + 1) if successes else 0.0
    high = beta.ppf(1.0 - tail, successes + 1, trials - successes) if successes < trials else 1.0
    return float(low), float(high)


def hulten(*, exposed: float, adopted: float, saving: float, labour_share: float) -> float:
    """Gain of an economy's productivity from cheaper tasks. Equation (evidence.hulten).

    Args: exposed: tasks that the technology can do, as a share of all tasks by value.  adopted: share of these where
        it pays.  saving: share of their labour cost that is saved.  labour_share: of labour in their cost.
    Source: Hulten 1978, doi 10.2307/2297252; Acemoglu 2024, NBER working paper 32487.
    Raises: ValueError: a share outside 0..1.
    """
    shares = {"exposed": exposed, "adopted": adopted, "saving": saving, "labour_share": labour_share}
    checks.share("[0, 1]", **shares)
    return math.prod(shares.values())


class JCurve(NamedTuple):
    """Productivity, 1 before the start, shape (months,). measured: what is sold; complete: with what is built."""

    measured: np.ndarray
    complete: np.ndarray


@checks.representable
def j_curve(invested: Numbers, *, gain: float, pace: float, decay: float) -> JCurve:
    """Productivity while hours go into learning and reorganising, which no one books. Equation (evidence.j-curve).

    Args: invested: share of the hours of each month, 0..1.  gain: of output once all know-how is there.
        pace: know-how, as a share of what is missing, for each month's whole working time.
        decay: share of know-how that is lost in a month.
    Source: a small model in the spirit of Brynjolfsson, Rock & Syverson 2021, doi 10.1257/mac.20180386.
    Raises: ValueError: a share or decay outside 0..1, or pace below 0.
    """
    checks.finite(gain=gain)
    checks.at_least(0.0, pace=pace)
    checks.share("[0, 1]", decay=decay)
    hours = checks.array("invested", invested)
    if not ((hours >= 0) & (hours <= 1)).all():
        raise ValueError(f"invested must be shares in [0, 1], got {hours.min()} to {hours.max()}; write 20 % as 0.2")
    known, path = 0.0, []
    for share in hours:
        path.append((1 - share) * (1 + gain * known))
        known += pace * share * (1 - known) - decay * known
    return JCurve(np.array(path), np.array(path) + hours)


def _signed(change: float, of_time: bool) -> float:
    return -math.log1p(change) if of_time else math.log1p(change)


def _columns(effects: Sequence[Effect], *, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Logs and errors, each (k,), after a look at them."""
    logs, errors = checks.array("effects", effects, "(k, 2)", least=least).T
    if not (errors > 0).all():
        raise ValueError(f"effects must have errors above 0, got {errors.min()}")
    return logs, errors


def _bar(level: float) -> float:
    """How many standard errors a two-sided test asks for."""
    checks.share("(0, 1)", level=level)
    return float(ndtri(1.0 - level / 2))


def _density(x: float) -> float:
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
