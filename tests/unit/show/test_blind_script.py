"""What the blind test says of a round follows from the answers."""

import shutil

import pytest
from node import run_module

from tools.notebooks import ROOT

ALL_REAL = [{"kind": kind, "real": True} for kind in ["real"] * 7 + ["VAE"] * 9 + ["DCGAN"] * 4]


@pytest.fixture(scope="module")
def js(tmp_path_factory):
    """Evaluate JavaScript over the exports of blind.js and `given`."""
    folder = tmp_path_factory.mktemp("blind")
    for name in ("blind.js", "predictions.js"):
        shutil.copy(ROOT / "book/_static" / name, folder)
    return lambda expression, given=None: run_module("blind.js", f"return {expression};", given, folder)


def answers(right: int) -> list[dict[str, object]]:
    """Twenty answers, half of them about real things, so many of them right."""
    return [{"kind": kind, "real": (kind == "real") == (i < right)} for i, kind in enumerate(["real", "VAE"] * 10)]


def test_answers_are_counted_by_what_was_shown_and_what_was_said(js):
    assert js("explorer.confusion(given)", ALL_REAL) == [[7, 0], [13, 0]]
    assert js("explorer.fooled(given)", ALL_REAL) == [
        {"kind": "DCGAN", "shown": 4, "taken": 4},
        {"kind": "VAE", "shown": 9, "taken": 9},
    ]
    assert js("explorer.confusion(given)", answers(20)) == [[10, 0], [0, 10]]


@pytest.mark.parametrize(
    ("right", "words"),
    [
        (20, "100 % (95 % interval 84 % to 100 %). You told them apart better than a coin does."),
        (13, "65 % (95 % interval 43 % to 82 %). A coin may do as well"),
        (0, "0 % (95 % interval 0 % to 16 %). You were wrong more often than a coin"),
    ],
)
def test_the_words_follow_from_the_interval(js, right, words):
    assert words in js("explorer.verdict(given)", answers(right))


def test_a_round_is_drawn_without_repetition(js):
    assert sorted(js("explorer.drawn(given, 9)", list(range(9)))) == list(range(9))
    assert js("explorer.drawn(given, 3, () => 0.999)", [1, 2, 3, 4]) == [4, 3, 2]
