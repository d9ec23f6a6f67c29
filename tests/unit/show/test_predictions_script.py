"""The site's script scores a reader's predictions as Python does."""

import json
import shutil

import numpy as np
import pytest
from node import run_module
from pytest import approx
from scipy.stats import binomtest

from genai_utils.records.forecasts import brier
from tools.notebooks import ROOT

RNG = np.random.default_rng(0)
KEPT = [
    {"chapter": f"c{i}", "title": "C", "number": 1, "question": "?", "guess": "A", "made": "2026-11-28"}
    | {"confidence": int(sure), "right": (bool(RNG.random() < 0.6), None)[i % 7 == 0]}
    for i, sure in enumerate(RNG.integers(50, 101, size=60))
]
DECIDED = [each for each in KEPT if each["right"] is not None]


@pytest.fixture(scope="module")
def js(tmp_path_factory):
    """Evaluate JavaScript over the exports of predictions.js and `given`."""
    folder = tmp_path_factory.mktemp("predictions")
    shutil.copy(ROOT / "book/_static/predictions.js", folder)
    return lambda expression, given=None: run_module("predictions.js", f"return {expression};", given, folder)


def test_the_score_is_that_of_the_book(js):
    parts = [KEPT, KEPT[:2], [each for each in KEPT if each["confidence"] > 90]]
    ours = [
        brier([each["confidence"] / 100 for each in part if each["right"] is not None],
              [each["right"] for each in part if each["right"] is not None])
        for part in parts
    ]  # fmt: skip
    assert js("given.map(explorer.brier)", parts) == approx(ours, rel=1e-12)
    assert js("explorer.brier(given)", [KEPT[0]]) is None and KEPT[0]["right"] is None


def test_the_interval_is_wilsons(js):
    cases = [(0, 1), (1, 1), (3, 7), (50, 100), (999, 1_000)]
    ours = [binomtest(right, n).proportion_ci(method="wilson") for right, n in cases]
    found = js("given.map(([right, n]) => explorer.interval(right, n))", cases)
    assert found == [approx([each.low, each.high], abs=1e-12) for each in ours]


def test_each_resolved_prediction_lies_in_one_bin(js):
    bins = js("explorer.bins(given)", KEPT)
    assert sum(each["count"] for each in bins) == len(DECIDED)
    assert [each["from"] for each in bins] == [50, 60, 70, 80, 90]
    for found in bins:
        inside = [each for each in DECIDED if found["from"] <= each["confidence"] <= found["to"]]
        assert (found["count"], found["right"]) == (len(inside), sum(each["right"] for each in inside))
        assert found["said"] == approx(np.mean([each["confidence"] for each in inside]) / 100)
        assert found["share"] == approx(found["right"] / found["count"])
    assert js("explorer.bins(given)", [KEPT[0]]) == []


def test_what_is_damaged_is_left_out(js):
    bad = [3, None, {}, KEPT[0] | {"confidence": 49}, KEPT[0] | {"right": "yes"}, KEPT[0] | {"guess": 3}]
    texts = ["", "{", "null", "3", "{}", json.dumps([*bad, KEPT[0], KEPT[1]])]
    assert js("given.map(explorer.parse)", texts) == [[], [], [], [], [], KEPT[:2]]
