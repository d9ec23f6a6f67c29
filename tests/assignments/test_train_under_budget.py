"""Training under a budget: right solutions get full marks, plausible wrong ones lose what they should, worlds are fair.

Budgets are smaller here than in the assignment, so that a test takes a second.
"""

import json
from types import SimpleNamespace

import here
import numpy as np
import pytest
from attacks import SALT

from tools.grading import handout, judge, viva
from tools.grading.batch import Batch
from tools.grading.channel import Channel
from tools.grading.judge import Ask, items, mark
from tools.grading.runner import plain
from tools.grading.sandbox import Limits, Sandbox, why_not
from tools.grading.source import ASSIGNMENTS, broken, parse, solution, variant
from tools.grading.submissions import Submission
from tools.notebooks import ROOT

NO_SANDBOX = why_not()
HERE = ROOT / "tests/assignments/train-under-budget"
TEXT = (ASSIGNMENTS / "train-under-budget.md").read_text(encoding="utf-8")


def light(seconds: float):
    """The assignment with small budgets."""
    text = TEXT.replace("SECONDS, WORLDS, LEARN, HELD = 3, 2,", f"SECONDS, WORLDS, LEARN, HELD = {seconds}, 1,")
    return parse("train-under-budget", text.replace("learn(train, 1.0, 0)", "learn(train, 0.2, 0)"))


SOURCE = light(0.4)
OWN = variant(SOURCE, SALT, "ada")
ITEMS = items(SOURCE)
FULL = sum(item.points for item in ITEMS)
TRUSTED = Sandbox(trust=True, limits=Limits(load=60, answer=20))
WRONG = here.wrong_ones(HERE)


def solved() -> tuple[str, ...]:
    cells = handout.teacher(SOURCE, OWN)["cells"]
    return tuple("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


@pytest.fixture(scope="module")
def names():
    return solution(SOURCE, OWN)


def lost(names, *cells: str, only: str = "") -> dict[str, str]:
    return here.lost(ITEMS, names, OWN, *cells, only=only)


def test_the_teachers_notebook_gets_full_marks_and_passes_its_public_checks():
    result = mark(SOURCE, Submission("ada", "x", solved(), digest="x"), SALT, TRUSTED)
    assert result.points == FULL == 26 and not result.errors, result.items
    assert "not yet" not in result.log and result.log.count("right: ") >= 16


@pytest.mark.skipif(bool(NO_SANDBOX), reason=f"no sandbox: {NO_SANDBOX}")
def test_the_same_notebook_gets_full_marks_in_the_sandbox_with_a_single_process():
    sandbox = Sandbox(limits=Limits(load=60, answer=20, processes=int(SOURCE.settings["processes"])))
    result = mark(SOURCE, Submission("ada", "x", solved(), digest="x"), SALT, sandbox)
    assert result.points == FULL and not result.errors, result.items


@pytest.mark.parametrize("name", ["right_momentum.py", "right_plain.py"])
def test_right_in_other_words_is_right(name, names):
    others = (HERE / name).read_text()
    assert lost(names, f"OWN = {OWN}", others) == {}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_solution_loses_the_points_that_it_should(name, names):
    code, title = WRONG[name]
    noticed = lost(names, code, only=title)
    assert noticed and all(title in each for each in noticed)
    others = [each for each in ITEMS if title not in each.title and "way" not in each.title]
    assert len(lost(names, code)) < len(ITEMS) / 2 if title != "of the way" else len(others) > 3


@pytest.mark.parametrize("bug", SOURCE.bugs)
def test_every_planted_mistake_is_seen_by_a_hidden_test_and_by_a_public_check(bug, names, capsys):
    right = next(part.text for part in SOURCE.parts if part.kind == "mend")
    wrong = broken(right, SOURCE.bugs, bug)
    assert list(lost(names, wrong, only="EM")) == ["EM: shares, means and spreads"]
    here.public(SOURCE, names, OWN, wrong)
    assert "not yet" in capsys.readouterr().out


def test_what_is_handed_out_gets_next_to_nothing():
    cells = handout.student(SOURCE, OWN, len(ITEMS))["cells"]
    code = tuple("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    result = mark(SOURCE, Submission("ada", "x", code, digest="x"), SALT, TRUSTED)
    assert result.points <= 1 and "hint 1 of" in result.log and not result.alarm
    text = json.dumps(handout.student(SOURCE, OWN, 1))
    for secret in ("@hidden", "BUGS", OWN["bug"], "def variant", "truth.", "decay = 3e-4", "def measured"):
        assert secret not in text


def test_the_grader_gives_it_a_single_process(tmp_path):
    assert Batch(SOURCE, SALT, tmp_path).sandbox(0).limits.processes == 1


class Spy(Channel):
    """Remembers what goes in."""

    heard: list[str] = []

    def ask(self, question, seconds, cores=None):
        Spy.heard.append(json.dumps(question))
        return super().ask(question, seconds, cores)


def test_held_out_pictures_never_enter_and_training_pictures_do(names, monkeypatch):
    monkeypatch.setattr("tools.grading.sandbox.Channel", Spy)
    found = judge.hidden_names(SOURCE)
    ask = Ask(TRUSTED, (*solved()[:4], "def learn(x, seconds, seed): return independent(x)", SOURCE.code("task")[:600]))
    found["measured"](ask, SimpleNamespace(**names), 2**100 + 7)
    ask.close()
    entered = [json.dumps(plain(names["world"](2**100 + 7, n, part)))[60:2_000] for n, part in ((3_000, 1), (600, 2))]
    assert [any(data in each for each in Spy.heard) for data in entered] == [True, False]
    assert not any(str(2**100 + 7) in each for each in Spy.heard)


def test_nobody_gets_below_the_floor_and_the_truth_reaches_it(names):
    """The floor is the density of the world, pair by pair, and the least that a model needs."""
    held_out = names["world"](11, 400, 2)
    least = names["floor"](held_out, 11)
    places, x = names["moved"](11, 6, 1), held_out[:2]
    logs = [np.logaddexp.reduce([(turned := ((p | q) != picture).sum()) * np.log(0.02) + (196 - turned) * np.log(0.98)
            for p in places for q in places]) - 2 * np.log(len(places)) for picture in x]  # fmt: skip
    assert names["floor"](x, 11) == pytest.approx(-np.mean(logs) / np.log(2) / 196, abs=1e-5)
    assert least < names["bits"](names["learn"](names["world"](11, 3_000, 1), 0.2, 0), held_out)


def test_a_thousand_students_have_a_thousand_worlds_with_room_for_a_model(names):
    owns = [variant(SOURCE, SALT, f"student {number}") for number in range(1_000)]
    assert len({own["seed"] for own in owns}) == 1_000 and {own["bug"] for own in owns} == set(SOURCE.bugs)
    for own in owns[:12]:
        terms = {name: own[name] for name in ("shapes", "reach", "noise")}
        images = names["world"](own["seed"], 300, 1, **terms)
        base = names["bits"](names["independent"](images), images)
        assert names["floor"](images, own["seed"], **terms) < 0.85 * base
    for own in owns:
        assert names["alphabet"](own["seed"], own["shapes"]).sum((1, 2)).min() >= 1
        assert 0 < names["p_value"](own["trial"], [0.2521, 0.2433, 0.2498, 0.2391, 0.2466, 0.2412]) < 1


def test_a_talk_asks_for_what_changes(names):
    for each in viva.questions(SOURCE):
        before, after = (names[each.name](*given) for given in each.inputs(OWN))
        assert before != after, each.change
