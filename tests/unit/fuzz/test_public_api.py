"""Every public callable is tried with random good and bad arguments; the rules are in fuzz_rules.py.

30 pairs of calls each here, fewer of slow ones; fuzz_report.py tries as many as you like.
"""

import math

import fuzz_networks
import pytest
from fuzz_rules import fuzz, names_one
from fuzz_special import ROOMS, SKIPPED, SLOW
from fuzz_targets import Argument, Target, targets

from genai_utils.records import used

EXAMPLES = 30  # a quarter of them for networks, which take longer
ALL = [target for room in ROOMS for target in targets(room) if target.name not in SKIPPED]


@pytest.mark.parametrize("target", ALL, ids=str)
def test_an_argument_is_used_or_refused_by_its_name(target, monkeypatch):
    monkeypatch.setattr(used, "noted", set())
    room = target.name.split(".")[0]
    tally = fuzz(target, EXAMPLES // SLOW.get(target.name, 4 if room in fuzz_networks.ROOMS else 1))
    assert tally["returned"], f"no good call of {target} ever returned: name its arguments in fuzz_special.GOOD"


def test_what_is_not_tried_is_there_and_has_a_door_that_is():
    everything, tried = {target.name for room in ROOMS for target in targets(room)}, {target.name for target in ALL}
    assert set(SKIPPED) <= everything, set(SKIPPED) - everything
    assert set(fuzz_networks.DOORS.values()) <= tried, set(fuzz_networks.DOORS.values()) - tried


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
