"""The benchmark of the grader, with a class of six; README shows a class of 200 that lost nobody and nothing."""

import json

import pytest

from tools.grading.sandbox import why_not
from tools.notebooks import ROOT


@pytest.fixture
def grading(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import grading

    return grading


def test_it_runs_from_its_start_to_its_file(grading, tmp_path, monkeypatch):
    if reason := why_not():
        pytest.skip(f"no sandbox: {reason}")
    monkeypatch.setattr(grading, "KINDS", ("a daemon", "the canary overwritten"))
    grading.main(["--students", "6", "--hostile", "2", "--output", str(tmp_path / "found.json")])
    run = json.loads((tmp_path / "found.json").read_text())["runs"][0]
    assert (run["students"], run["wrong"], run["lost"], run["escapes"]) == (6, 0, 0, 0) and run["seconds"] < 60


def test_a_class_of_200_with_hostile_students_takes_less_than_ten_minutes(grading):
    run = json.loads(grading.RESULT.read_text(encoding="utf-8"))["runs"][0]
    assert run["students"] >= 200 and run["hostile"] >= 25 and run["kinds"] >= 10 and run["jobs"] == 2
    assert run["seconds"] < 600 and run["again"] < 10
    assert run["wrong"] == run["lost"] == run["escapes"] == 0
