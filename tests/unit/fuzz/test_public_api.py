"""Every public callable is tried with random good and bad arguments; the rules are in fuzz_rules.py.

30 pairs of calls each here, fewer of slow ones; fuzz_report.py tries as many as you like.
"""

import math

import fuzz_networks
import pytest
from fuzz_rules import fuzz, names_one, refuses_nan
from fuzz_special import HOLDERS, ROOMS, SKIPPED, SLOW
from fuzz_targets import Argument, Target, takes_tensor, targets, uncallable
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from genai_utils.records import used

EXAMPLES = 30  # a quarter of them for networks, which take longer
ALL = [target for room in ROOMS for target in targets(room) if target.name not in SKIPPED]


@pytest.mark.parametrize("target", ALL, ids=str)
def test_an_argument_is_used_or_refused_by_its_name(target, monkeypatch):
    monkeypatch.setattr(used, "noted", set())
    room = target.name.split(".")[0]
    tally = fuzz(target, EXAMPLES // SLOW.get(target.name, 4 if room in fuzz_networks.ROOMS else 1))
    assert tally["returned"], f"no good call of {target} ever returned: name its arguments in fuzz_special.GOOD"


TENSORS = [(target, name) for target in ALL for name, each in target.arguments.items() if takes_tensor(each)]


@pytest.mark.parametrize(("target", "name"), TENSORS, ids=str)
@given(data=st.data())
@settings(max_examples=2, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
def test_a_tensor_with_nan_in_it_is_refused_by_its_name(target, name, data):
    assert target.name in HOLDERS or target.holds or refuses_nan(target, name, data)


def test_all_is_tried_but_what_is_abstract_and_one_command():
    left_out = [target.name for room in ROOMS for target in targets(room) if not uncallable(target.call)]
    assert set(left_out) & set(SKIPPED) == {"zoo.__main__.main"}


def broken(call):
    return Target("room.file.broken", call, {"x": Argument(float, False)})


def raising(error):
    def call(x):
        raise error

    return call


@pytest.mark.parametrize(
    "call",
    [
        raising(KeyError("x")),
        raising(ZeroDivisionError("x")),
        raising(ValueError("something is wrong")),
        raising(MemoryError("x")),
        lambda x: math.nan,
        lambda x: x,
        lambda x: 1.0,
    ],
    ids=["KeyError", "ZeroDivisionError", "no name", "memory", "NaN", "NaN through", "NaN ignored"],
)
def test_each_rule_bites(call):
    with pytest.raises(AssertionError):
        fuzz(broken(call), 200)


@pytest.mark.parametrize(
    ("message", "named"),
    [("x must be 1", True), ("the max is 3", False), ("a firm", False), ("a must be", True), ("paying share", True)],
)
def test_a_message_names_an_argument_as_a_word(message, named):
    assert names_one(message, ["x", "a", "paying_share"]) is named
