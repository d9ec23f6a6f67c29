"""The trials are what their facts say, on one scale."""

import math

import pytest
from pytest import approx

from genai_utils.business import trials
from genai_utils.records.facts import fact


def test_less_time_is_more_output_and_more_time_is_less():
    work = trials.at_work()
    assert work["writing, 453 professionals"].change == approx(2 / 3)
    assert work["own projects, 16 developers, 2025"].change == approx(1 / 1.19 - 1)
    assert work["daily work, 4,867 developers"].change == approx(0.2608)


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("one web server, 95 developers", (-math.log(0.79), -math.log(0.11))),
        ("own projects, 16 developers, 2025", (-math.log(1.39), -math.log(1.02))),
        ("some of them again, 2026", (-math.log(1.09), -math.log(0.62))),
        ("new people, 2026", (-math.log(1.09), -math.log(0.85))),
    ],
)
def test_the_error_is_a_quarter_of_the_published_interval(name, ends):
    assert trials.at_work()[name].error == approx((ends[1] - ends[0]) / 3.92, rel=1e-4)


def test_the_rebuilt_error_of_the_writing_trial_is_near_a_tenth_of_its_effect():
    writing = trials.at_work()["writing, 453 professionals"]
    standardised = 2 / math.sqrt(444)  # error of a difference of two halves, in standard deviations
    assert writing.error / writing.log == approx(standardised / 0.8, rel=0.05)


def test_one_estimate_a_team_leaves_six():
    left = trials.one_a_team()
    assert len(left) == 6 and "own projects, 16 developers, 2025" in left and "new people, 2026" not in left
    assert left.items() <= trials.at_work().items()


def test_sales_keep_their_sign_and_their_distance_from_zero_in_errors():
    sales = trials.sales()
    assert [round(100 * effect.change, 2) for effect in sales.values()] == [16.3, 2.93, 2.05, 1.6, -4.5]
    chat = sales["chat where there was none"]
    assert chat.error * (1 + chat.change) / chat.change == approx(0.0995 / 0.274)
    assert "-0.00602" in fact("B-P22").statement and sales["titles of advertisements"].log < 0
