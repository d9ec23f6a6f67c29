"""The ledger of forecasts is complete, can be decided, and is scored as it should be."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from genai_utils.records import forecasts as ledger

ALL = ledger.forecasts()
SAID = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=20)


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.id)
def test_every_forecast_says_who_by_when_and_how_it_is_decided(each):
    assert all((each.by, each.statement, each.source)) and len(each.rule) > 30
    assert not each.statement.endswith(".") and each.rule.endswith(".")
    assert each.probability == round(each.probability, 2)


def test_the_ledger_is_in_the_order_of_its_due_dates():
    assert [each.due for each in ALL] == sorted(each.due for each in ALL)


def test_what_is_due_is_what_no_outcome_has_reached():
    first = ALL[0]
    known = ledger.Ledger([replace(first, outcome="yes"), *ALL[1:]])
    assert first in ALL.due(first.due) and not ALL.due(date(2026, 11, 22))
    assert first.id not in {each.id for each in known.due(first.due)} and len(known.decided) == 1


def test_the_score_of_a_ledger_is_that_of_its_decided_forecasts():
    known = ledger.Ledger([replace(ALL[0], outcome="yes"), replace(ALL[1], outcome="no"), *ALL[2:]])
    assert known.brier() == approx(((1 - ALL[0].probability) ** 2 + ALL[1].probability ** 2) / 2)


@pytest.mark.parametrize(("outcome", "word"), [("", "open"), ("yes", "came true"), ("no", "did not")])
def test_a_forecast_shows_its_chance_and_its_fate(outcome, word):
    shown = ledger.Ledger([replace(ALL[0], outcome=outcome, statement="More than $5 & less")])
    assert word in str(shown) and f"{ALL[0].probability:.0%}" in str(shown)
    page = shown._repr_html_()
    assert word in page and "<span>$</span>5 &amp; less" in page and ALL[0].rule[:20] in page


@given(SAID)
def test_a_score_lies_between_a_prophet_and_a_fool(said):
    probabilities, outcomes = zip(*said, strict=True)
    assert 0 <= ledger.brier(probabilities, outcomes) <= 1
    assert ledger.brier(np.array(outcomes, float), outcomes) == 0
    assert ledger.brier(np.full(len(said), 0.5), outcomes) == 0.25


@pytest.mark.parametrize(
    ("said", "came", "message"),
    [([], [], "one outcome for each"), ([0.5], [1, 0], "one outcome for each"), ([1.2], [1], r"in \[0, 1\]"),
     ([float("nan")], [1], "probabilities must hold finite"), ([0.5], [0.5], "outcomes 0 or 1")],
)  # fmt: skip
def test_what_cannot_be_scored_is_refused(said, came, message):
    with pytest.raises(ValueError, match=message):
        ledger.brier(said, came)


def test_a_ledger_without_outcome_has_no_score():
    with pytest.raises(ValueError, match="one outcome for each"):
        ledger.Ledger(each for each in ALL if not each.outcome).brier()


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"probability": 0.0}, "between 0 and 1, got 0"), ({"probability": 1.0}, "between 0 and 1, got 1"),
     ({"due": date(2026, 1, 1)}, "before it was made")],
)  # fmt: skip
def test_a_forecast_that_cannot_be_one_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(ALL[0], **changes)
