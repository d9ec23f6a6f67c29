"""Judges are drawn fairly, and their points become comparable by the marks of the teacher."""

import csv
import json
from collections import Counter

import numpy as np
import pytest
from attacks import SALT

from tools import peers as command
from tools.grading import peers
from tools.grading.source import load, parse

CLASS = [f"student {n}" for n in range(23)]


@pytest.mark.parametrize("n", [3, 4, 5, 8, 23, 200])
def test_nobody_judges_himself_and_all_judge_and_are_judged_alike(n):
    authors = [f"student {k}" for k in range(n)]
    drawn = peers.draw(authors, SALT, "x")
    assert sorted(drawn) == sorted(authors)
    assert all(judge not in others and len(set(others)) == 2 for judge, others in drawn.items())
    assert set(Counter(author for others in drawn.values() for author in others).values()) == {2}
    if n >= 5:
        assert not any(judge in drawn[other] for judge, others in drawn.items() for other in others)


def test_the_draw_follows_from_the_secret_and_the_class():
    drawn = peers.draw(CLASS, SALT, "x")
    assert drawn == peers.draw(CLASS[::-1], SALT, "x")
    others = [peers.draw(CLASS, b"another", "x"), peers.draw(CLASS, SALT, "y"), peers.draw([*CLASS, "new"], SALT, "x")]
    assert all(other != drawn for other in others)
    for few in (CLASS[:2], ["a", "a", "b"]):
        with pytest.raises(ValueError, match="at least 3 different"):
            peers.draw(few, SALT, "x")


def test_everybody_may_judge_everybody_else():
    """Over many secrets each pair comes about as often as another."""
    count = Counter()
    for n in range(600):
        drawn = peers.draw(["a", "b", "c", "d", "e"], str(n).encode(), "x")
        count.update((judge, other) for judge, others in drawn.items() for other in others)
    assert len(count) == 20 and all(abs(n - 300) < 5 * 12.3 for n in count.values()), count


def class_of(rng, n=60, marked=12, generous=1.2):
    """True worth, points of judges with biases and scatter, and a teacher's marks."""
    authors = [f"{k}" for k in range(n)]
    worth = dict(zip(authors, rng.normal(7, 1.5, n).clip(1, 11), strict=True))
    bias = dict(zip(authors, rng.normal(generous, 1.2, n), strict=True))
    drawn = peers.draw(authors, str(rng.integers(1e9)).encode(), "x")
    given = {(j, a): float(np.clip(worth[a] + bias[j] + rng.normal(0, 0.8), 0, 12)) for j in drawn for a in drawn[j]}
    marks = {a: float(np.clip(worth[a] + rng.normal(0, 0.3), 0, 12)) for a in authors[:marked]}
    return worth, given, marks


def errors(rng, generous: float) -> tuple[float, float]:
    """Root mean squared errors on memos that no teacher saw: of the plain mean, and of the combined scores."""
    plain, better = [], []
    for _ in range(20):
        worth, given, marks = class_of(rng, generous=generous)
        found = peers.combined(given, marks, 12)
        for author in worth.keys() - marks.keys():
            plain.append(np.mean([points for (_, a), points in given.items() if a == author]) - worth[author])
            better.append(found.scores[author] - worth[author])
    return float(np.sqrt(np.mean(np.square(plain)))), float(np.sqrt(np.mean(np.square(better))))


def test_calibration_helps_where_judges_are_generous_and_does_no_harm_where_they_are_not():
    rng = np.random.default_rng(0)
    plain, better = errors(rng, 1.2)
    assert better < 0.75 * plain, (plain, better)
    plain, better = errors(rng, 0.0)
    assert better < 1.02 * plain, (plain, better)


def test_what_judges_are_off_is_what_they_are_off_where_no_teacher_looked():
    """Each mark is left out of the fit that is compared with it; else the judges would look better than they are."""
    rng, said, true = np.random.default_rng(1), [], []
    for _ in range(30):
        worth, given, marks = class_of(rng)
        found = peers.combined(given, marks, 12)
        said.append(found.agreement**2)
        true += [(found.scores[author] - worth[author]) ** 2 for author in worth.keys() - marks.keys()]
    assert np.mean(said) == pytest.approx(np.mean(true), rel=0.25), (np.mean(said), np.mean(true))


def test_without_scatter_the_worth_and_the_biases_are_found():
    worth = {"a": 4.0, "b": 6.0, "c": 8.0}
    given = {(j, m): worth[m] + 1 for j in ("x", "y") for m in worth}
    found = peers.combined(given, {"a": 4.0, "b": 6.0, "c": 8.0}, 12)
    assert found.scores == worth and found.biases == pytest.approx({"x": 1.0, "y": 1.0}, abs=0.05)
    assert found.apart == [] and found.agreement == pytest.approx(0.0, abs=0.1)
    free = peers.combined(given, {}, 12)
    assert free.scores == pytest.approx({m: each + 1 for m, each in worth.items()}, abs=1e-6) and free.agreement is None


def test_a_mark_is_the_score_and_judges_that_differ_are_named():
    given = {("x", "a"): 2.0, ("y", "a"): 11.0, ("x", "b"): 6.0, ("y", "b"): 6.0}
    found = peers.combined(given, {"b": 9.0, "c": 1.0}, 12)
    assert found.apart == ["a"] and found.scores["b"] == 9.0 and found.scores["c"] == 1.0
    assert 0 <= found.scores["a"] <= 12
    for wrong in ({}, {("x", "a"): 13.0}, {("x", "a"): float("nan")}):
        with pytest.raises(ValueError, match="from 0 to 12"):
            peers.combined(wrong, {}, 12)


def memo(text: str) -> str:
    cells = [
        {"cell_type": "code", "source": "1"},
        {"cell_type": "markdown", "source": f"<!-- answer: memo -->\n{text}"},
    ]
    return json.dumps({"cells": cells})


def rows(path) -> list[list[str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.reader(file))


def test_memos_are_dealt_judged_and_gathered(tmp_path, capsys):
    (tmp_path / "class").mkdir()
    people = [f"p{n}" for n in range(7)]
    for name in people:
        (tmp_path / f"class/{name}_x.ipynb").write_text(memo(f"=Buy, says number {name[1]}."))
    (tmp_path / "class/empty_x.ipynb").write_text(memo(""))
    (tmp_path / "salt").write_bytes(SALT)
    out = tmp_path / "out"
    said = [str(tmp_path / "class"), "--assignment", "6", "--salt", str(tmp_path / "salt"), "--out", str(out)]
    assert command.main(said) == 0 and "7 memos are dealt" in capsys.readouterr().out
    key = {name: author for name, author in rows(out / "key.csv")[1:]}
    assert sorted(key.values()) == people and not any(author in name for name, author in key.items())
    for judge in people:
        form = rows(out / judge / "review.csv")
        texts = {path.stem: path.read_text() for path in (out / judge).glob("*.txt")}
        assert len(form) == 1 + 2 * 4 and {row[0] for row in form[1:]} == set(texts) and len(texts) == 2
        assert all(f"number {key[name][1]}" in text and key[name] != judge for name, text in texts.items())
        filled = [form[0], *([name, line, "2" if judge != "p3" else "four", "since"] for name, line, *_ in form[1:])]
        with (out / judge / "review.csv").open("w", newline="") as file:
            csv.writer(file).writerows(filled)
    assert command.main(said) == 0 and rows(out / "p1/review.csv")[1][2] == "2", "a form that is filled in stays"
    asked = rows(out / "marks.csv")
    assert len(asked) == 4 and asked[1][2].startswith("'=Buy")
    with (out / "marks.csv").open("w", newline="") as file:
        csv.writer(file).writerows([asked[0], *([name, "6.5", text] for name, _, text in asked[1:])])
    capsys.readouterr()
    assert command.main([*said, "--marks", str(out / "marks.csv")]) == 0
    told = capsys.readouterr().out
    assert told.count("p3: no full points") == 2 and "7 memos have scores, 2 judgements are missing" in told
    scores = {row[0]: row[2:4] for row in rows(out / "scores.csv")[1:]}
    assert sorted(scores) == people
    assert Counter(how for _, how in scores.values()) == {"teacher": 3, "judges": 4}
    assert all(abs(float(points) - 6.5) < 0.6 for points, _ in scores.values()), scores
    assert rows(out / "judges.csv")[1][1].lstrip("'").startswith("1.")


def test_what_cannot_be_done_is_said(tmp_path, capsys):
    (tmp_path / "salt").write_bytes(SALT)
    said = [str(tmp_path), "--assignment", "6", "--salt", str(tmp_path / "salt"), "--out", str(tmp_path / "out")]
    assert command.main(said) == 2 and "at least 3" in capsys.readouterr().err
    assert command.main([str(tmp_path / "none"), *said[1:]]) == 2
    with pytest.raises(ValueError, match="no rubric"):
        peers.rubric(parse("x", "# X\n"))
    assert len(peers.rubric(load("6"))) == 4
