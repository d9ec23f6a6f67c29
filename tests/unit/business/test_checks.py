"""Numbers that a model of money cannot use are refused by name."""

import math

import pytest

from genai_utils.business import checks


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("check", [lambda x: checks.finite(cost=x), lambda x: checks.above(0.0, cost=x)])
def test_what_is_not_finite_is_refused(check, bad):
    with pytest.raises(ValueError, match=f"cost must be a finite number.*, got {bad}"):
        check(bad)


def test_a_bound_belongs_to_what_is_at_least_that_and_not_to_what_is_above():
    checks.at_least(0.0, cost=0.0)
    checks.above(0.0, cost=5e-324)
    with pytest.raises(ValueError, match="cost must be a finite number above 0, got 0.0"):
        checks.above(0.0, cost=0.0)
    for bad in (0.5, math.inf, math.nan):
        with pytest.raises(ValueError, match=f"cost must be a finite number, 1 or more, got {bad}"):
            checks.at_least(1.0, cost=bad)


@pytest.mark.parametrize("within", ["(0, 1)", "(0, 1]", "[0, 1)", "[0, 1]"])
def test_a_round_bracket_leaves_its_end_out(within):
    checks.share(within, saved=0.6)
    for end, bracket in ((0.0, within[0]), (1.0, within[-1])):
        if bracket in "[]":
            checks.share(within, saved=end)
        else:
            with pytest.raises(ValueError, match="saved is a share in .*; write 60 % as 0.6"):
                checks.share(within, saved=end)
    for bad in (-0.1, 60.0, math.nan):
        with pytest.raises(ValueError, match=f"saved is a share in .*, got {bad}"):
            checks.share(within, saved=bad)
