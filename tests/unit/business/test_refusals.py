"""Calls that once gave NaN, infinity or an error of the arithmetic; each is refused by what its message now names."""

import math

import numpy as np
import pytest

from genai_utils.business import adoption, bubbles, competition, compliance, evidence, unit_economics, valuation

NaN = math.nan
PATH = np.append(np.arange(20.0), NaN)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: evidence.power(NaN, 1, 10), "effect"),
        (lambda: evidence.winners_mean(NaN, 1), "effect"),
        (lambda: evidence.winners_mean(-50, 1), "effect=-50, error=1"),
        (lambda: evidence.kept_mean(NaN, 1, 0.5), "effect"),
        (lambda: evidence.j_curve([0.1], gain=NaN, pace=1, decay=0), "gain"),
        (lambda: evidence.j_curve([0.1], gain=0.1, pace=math.inf, decay=0), "pace"),
        (lambda: evidence.Effect(NaN, 1).interval(), "log=nan"),
        (lambda: evidence.Effect(1000.0, 1).change, "log=1000"),
        (lambda: valuation.bubble_paths(1, rate=NaN, burst=0.1, years=2, paths=2, seed=0), "rate"),
        (lambda: valuation.Company(1, 0, 0.2, 0.1).reaching(NaN, year=2), "revenue"),
        (lambda: valuation.kept_by_makers(NaN, 1, {"all": 0.5}), "surplus"),
        (lambda: bubbles.wild_walks(PATH, paths=2, seed=0), "prices"),
        (lambda: bubbles.quantile(PATH), "simulated"),
        (lambda: bubbles.random_walks(0, paths=2, seed=0), "n must"),
        (lambda: adoption.Bass(1, 0.1, 0.1).share([NaN]), "years"),
        (lambda: unit_economics.declined(1, factor=1e-10, years=100), "factor=1e-10, years=100"),
        (lambda: unit_economics.yearly_factor(before=2, after=1, years=1e-12), "years=1e-12"),
        (lambda: unit_economics.Month(0, 1, 1, 1).gross_margin, "revenue_usd=0"),
        (lambda: competition.elasticity(price=(1e-300, 1e300), volume=(1, 2)), "price before / after"),
    ],
)
def test_what_has_no_value_is_refused_by_name(call, named):
    with pytest.raises(ValueError, match=named):
        call()


def test_a_yes_in_words_is_no_answer():
    with pytest.raises(TypeError, match="in_china must be bool, got str: no"):
        compliance.Product("chat", in_china="no")


def test_a_misspelled_answer_of_a_duty_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match="needs must be one of .*, got 'in_chna'; did you mean 'in_china'"):
        compliance.Duty("CN", "law", "Art. 1", "topic", "text", "2026-01-01", "B-R6", ("in_chna",))


def test_no_day_is_no_date():
    with pytest.raises(ValueError, match="on must be a date like 2026-08-02, got '2 August'"):
        compliance.duties(compliance.Product("chat"), on="2 August")


def test_a_funnel_without_any_effect_leans_by_chance():
    """Zero effects in small and in large trials lie on the line exactly: nothing leans, so chance always leans more."""
    funnel = evidence.egger([evidence.Effect(0.0, error) for error in (0.5, 1.0, 1.0)])
    assert (funnel.lean, funnel.p) == (0.0, 1.0)
