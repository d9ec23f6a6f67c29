"""A record is no luck: how often a board errs is measured where nobody is better, and where somebody is."""

import json
import os

import numpy as np
import pytest
from attacks import SALT, notebook

from tools import leaderboard as command
from tools.grading.leaderboard import LEAST, Board, Entry, p_value, unfit
from tools.grading.source import load, parse
from tools.grading.submissions import Submission

WORLDS = [f"world {n}" for n in range(10)]


def scores(rng, better: float = 0.0, worlds: list[str] = WORLDS, hard: np.ndarray | None = None) -> dict[str, float]:
    """Of a model: how hard each world is (0.02), and the chance of its own training (0.004)."""
    hard = np.zeros(len(worlds)) if hard is None else hard
    return dict(zip(worlds, 0.25 + hard - better + rng.normal(0, 0.004, len(worlds)), strict=True))


def accepted(rng, better: float, paired: bool, tries: int) -> float:
    """Share of challenges that become a record, against a record that was chosen by nothing."""
    found = 0
    for _ in range(tries):
        hard = rng.normal(0, 0.02, (2, 10))
        other = [f"other {n}" for n in range(10)]
        record = scores(rng, hard=hard[0])
        challenger = scores(rng, better, WORLDS if paired else other, hard[0 if paired else 1])
        board = Board([Entry("baseline", "", record)])
        found += not board.tried("ada", "x", challenger).why
    return found / tries


@pytest.mark.parametrize("paired", [True, False])
def test_without_a_gain_one_challenge_in_a_hundred_is_accepted(paired):
    """Within four standard errors of 0.01: neither more, nor never."""
    rate = accepted(np.random.default_rng(1), 0.0, paired, 4_000)
    assert abs(rate - 0.01) < 4 * np.sqrt(0.01 * 0.99 / 4_000), rate


def test_a_true_gain_is_accepted_and_needs_the_pairs():
    rng = np.random.default_rng(2)
    assert accepted(rng, 0.008, True, 400) > 0.9 and accepted(rng, 0.008, False, 400) < 0.2
    assert accepted(rng, -0.008, True, 400) == 0


def test_a_class_of_equals_makes_few_records_where_the_lower_mean_makes_many():
    """A hundred models of one quality; a board without a test would change hands again and again."""
    rng, with_test, without = np.random.default_rng(3), [], []
    for _ in range(30):
        hard = rng.normal(0, 0.02, 10)
        class_ = [scores(rng, hard=hard) for _ in range(101)]
        board = Board([Entry("baseline", "", class_[0])])
        for number, each in enumerate(class_[1:]):
            board.tried(f"student {number}", str(number), each)
        means = [np.mean(list(each.values())) for each in class_]
        with_test.append(len(board.records) - 1)
        without.append(sum(mean < min(means[:n]) for n, mean in enumerate(means) if n))
    assert np.mean(with_test) < 1 < 3 < np.mean(without), (np.mean(with_test), np.mean(without))


def test_who_tries_a_hundred_times_is_not_lucky_once():
    rng, records = np.random.default_rng(4), 0
    for _ in range(60):
        hard = rng.normal(0, 0.02, 10)
        board = Board([Entry("baseline", "", scores(rng, hard=hard))])
        for number in range(100):
            board.tried("ada", str(number), scores(rng, hard=hard))
        records += len(board.records) > 1
    assert records / 60 < 0.2  # one p below 0.01 among a hundred tries would be the rule: 1 - 0.99 ** 100 is 0.63


def test_too_few_worlds_or_no_numbers_are_no_record():
    rng = np.random.default_rng(5)
    board = Board.of(scores(rng))
    few = {name: 0.01 * n for n, name in enumerate(WORLDS[: LEAST - 1])}
    assert "at least 5 worlds" in board.tried("ada", "1", few).why
    assert "not finite" in board.tried("ada", "2", dict.fromkeys(WORLDS, float("nan"))).why
    assert board.tried("ada", "3", {}, "it used more than 3 core-seconds").why.startswith("it used")
    assert len(board.records) == 1 and len(board.log) == 4 and board.log[-1].tries == 3
    with pytest.raises(ValueError, match="at least"):
        Board.of(few)
    assert unfit(scores(rng)) == ""


def test_p_is_that_of_scipy_and_one_where_nothing_differs():
    from scipy import stats

    rng = np.random.default_rng(6)
    a, b, c = scores(rng), scores(rng, 0.003), scores(rng, 0.003, [f"other {n}" for n in range(7)])
    pair = [list(each.values()) for each in (a, b, c)]
    assert p_value(a, b) == pytest.approx(stats.ttest_rel(pair[0], pair[1], alternative="greater").pvalue)
    assert p_value(a, dict(reversed(b.items()))) == pytest.approx(p_value(a, b))
    welch = stats.ttest_ind(pair[0], pair[2], equal_var=False, alternative="greater").pvalue
    assert p_value(a, c) == pytest.approx(welch)
    flat = dict.fromkeys(WORLDS, 0.2)
    assert p_value(a, a) == p_value(flat, dict.fromkeys(WORLDS, 0.1)) == p_value(flat, dict.fromkeys("abcde", 0.1)) == 1


def test_a_board_is_kept_and_read(tmp_path):
    rng = np.random.default_rng(7)
    board = Board.of(scores(rng))
    assert not board.tried("a|b", "1", scores(rng, 0.05)).why
    board.write(tmp_path / "board.json")
    assert Board.read(tmp_path / "board.json").log == board.log and board.knows("1") and not board.knows("2")
    assert "| a/b |" in board.table() and board.table().count("\n") == 4
    (tmp_path / "board.json").write_text('[{"x": 1}]')
    with pytest.raises(ValueError, match="no leaderboard"):
        Board.read(tmp_path / "board.json")


LEARNED = """
import numpy as np
def learn(x, seconds, seed):
    white = (x.sum(0) + 0.5) / (len(x) + 1)
    bias, pairs = np.log(white / (1 - white)), np.zeros((196, 196), np.float32)
    for _ in range(STEPS):
        y = x[:1000].astype(np.float32)
        error = 1 / (1 + np.exp(-(bias + y @ pairs.T))) - y
        pairs -= 4 * np.tril(error.T @ y, -1) / len(y)
        bias = bias - 0.5 * error.mean(0)
    return {"shares": [1.0], "bias": bias[None], "pairs": pairs[None]}
"""


def test_the_command_scores_a_folder_and_takes_the_better_one_only_once(tmp_path, monkeypatch, capsys):
    """Trusted, with small budgets: each submission trains in five worlds."""
    source = load("train-under-budget")
    text = (command.Path(command.__file__).parents[1] / "assignments/train-under-budget.md").read_text()
    small = parse(source.name, text.replace("3, 2, 3_000, 600", "1.5, 1, 1_000, 200").replace("1.0, 0)", "0.1, 0)"))
    monkeypatch.setattr(command, "load", lambda name: small if name == "5" else load(name))
    folder = tmp_path / "class"
    folder.mkdir()
    for number, (name, steps) in enumerate({"ada": "0", "ben": "15", "cy": "15 + 0 * len(x[0])"}.items()):
        path = folder / f"{name}_x.ipynb"
        path.write_bytes(notebook((LEARNED.replace("STEPS", steps),)))
        os.utime(path, (1_000 + number, 1_000 + number))
    (folder / "dora.ipynb").write_text("nothing")
    (tmp_path / "salt").write_bytes(SALT)
    said = [str(folder), "--assignment", "5", "--salt", str(tmp_path / "salt"), "--worlds", "5", "--trust"]
    said += ["--board", str(tmp_path / "board.json")]
    assert command.main(said) == 0
    log = {each["student"]: each["why"] for each in json.loads((tmp_path / "board.json").read_text())}
    assert list(log) == ["baseline", "ada", "ben", "cy"] and log["ben"] == ""
    assert "luck" in log["ada"] and "luck" in log["cy"], log
    assert "| ben |" in (tmp_path / "board.md").read_text() and "1 records in 3 tries" in (
        told := capsys.readouterr().out
    )
    assert "dora.ipynb: it is no notebook" in told
    assert command.main(said) == 0 and "1 records in 3 tries" in capsys.readouterr().out
    assert command.main([*said[:2], "1", *said[3:], "--board", str(tmp_path / "b")]) == 2
    assert "has no leaderboard" in capsys.readouterr().err
    assert command.main([str(tmp_path / "none"), *said[1:]]) == 2


def test_a_submission_over_its_budget_is_logged_without_scores():
    contest = command.Contest(load("5"), SALT, worlds=5, trust=True)
    cell = "def learn(x, seconds, seed):\n    while True: pass"
    contest.names["measured"].__globals__["SECONDS"] = 0.2
    assert contest.scored(Submission("ada", "x", (cell,), digest="1")) == ({}, "it used more than 0.2 core-seconds")
    assert sorted(contest.baseline()) == sorted(contest.worlds) and len(set(contest.worlds.values())) == 5
