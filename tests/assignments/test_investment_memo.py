"""The investment memo: right solutions get full marks, plausible wrong ones lose what they should."""

import json
from collections import Counter

import here
import pytest
from attacks import SALT

from genai_utils.business import evidence, verdict
from genai_utils.business.machines import Buildout
from tools.grading import handout, peers, viva
from tools.grading.judge import items, mark
from tools.grading.sandbox import Limits, Sandbox
from tools.grading.source import broken, load, solution, variant
from tools.grading.submissions import Submission
from tools.notebooks import ROOT

HERE = ROOT / "tests/assignments/investment-memo"
SOURCE = load("investment-memo")
OWN = variant(SOURCE, SALT, "ada")
ITEMS = items(SOURCE)
FULL = sum(item.points for item in ITEMS)
TRUSTED = Sandbox(trust=True, limits=Limits(load=60, answer=20))
WRONG = here.wrong_ones(HERE)


@pytest.fixture(scope="module")
def names():
    return solution(SOURCE, OWN)


def lost(names, *cells: str, only: str = "") -> dict[str, str]:
    return here.lost(ITEMS, names, OWN, *cells, only=only)


def graded(cells):
    return mark(SOURCE, Submission("ada", "x", cells, digest="x"), SALT, TRUSTED)


def code(notebook) -> tuple[str, ...]:
    return tuple("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")


def test_the_teachers_notebook_gets_full_marks_and_passes_its_public_checks():
    result = graded(code(handout.teacher(SOURCE, OWN)))
    assert result.points == FULL == 30 and not result.errors, result.items
    assert "not yet" not in result.log and result.log.count("right: ") == 18


@pytest.mark.parametrize("name", ["right_arrays.py", "right_plain.py"])
def test_right_in_other_words_is_right(name):
    result = graded((f"OWN = {OWN}", (HERE / name).read_text()))
    assert result.points == FULL, [each for each in result.items if each["comment"]]


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_solution_loses_the_points_that_it_should(name, names):
    cells, title = WRONG[name]
    found = lost(names, cells)
    assert len(found) < len(ITEMS) / 2 and any(title in each for each in found), found


@pytest.mark.parametrize("bug", SOURCE.bugs)
def test_every_planted_mistake_is_seen_by_a_hidden_test_and_by_a_public_check(bug, names, capsys):
    wrong = broken(next(part.text for part in SOURCE.parts if part.kind == "mend"), SOURCE.bugs, bug)
    assert list(lost(names, wrong)) == ["trials are pooled"]
    here.public(SOURCE, names, OWN, wrong)
    assert "not yet" in capsys.readouterr().out


def test_what_is_handed_out_gets_next_to_nothing_and_tells_no_secret():
    made = handout.student(SOURCE, OWN, len(ITEMS))
    result = graded(code(made))
    assert result.points <= 1 and "hint 1 of" in result.log and not result.alarm
    text = json.dumps(made)
    for secret in ("@hidden", "BUGS", OWN["bug"], "def variant", "truth.", "math.prod(chances)", "{{"):
        assert secret not in text, secret


def test_the_solution_says_what_the_package_says(names):
    path = names["sales"](30.0, 0.8, 0.5, 5)
    assert path == pytest.approx(list(verdict.fading(30.0, 0.8, years=5, keeps=0.5)))
    build = Buildout(100.0, 1.0, 5, 20, rate=0.1, running=0.05, margin=0.5, utilisation=0.6)
    paid = names["paid_share"](30.0, 0.8, 0.5, 5, 0.1, build.required_revenue)
    assert paid == pytest.approx(verdict.paid(build, run_rate=30.0, growth=0.8, keeps=0.5))
    for chances in ([0.9, 0.8, 0.4], [0.5] * 4):
        assert names["known"](chances) == pytest.approx(verdict.bounds(chances))
        assert names["tied"](chances, 0.3) == pytest.approx(verdict.chance_of_all(chances, tied=0.3))
    readings = [(0.5, 0.8, 0.9), (0.5, 1.0, 2.0), (1.0, 1.1, 1.2)]
    conditions = [verdict.Condition("it holds", *each) for each in readings]
    assert [names["stands"](*each) for each in readings] == [each.stands for each in conditions]
    for some in (conditions[:2], conditions[1:], conditions[2:]):
        assert names["all_stand"]([each.stands for each in some]) == verdict.joint(some)
    pooled = evidence.random_effects([evidence.Effect(*each) for each in ((0.1, 0.05), (0.3, 0.1), (0.0, 0.08))])
    np = names["np"] if "np" in names else pytest.importorskip("numpy")
    found = names["pool"](np.array([0.1, 0.3, 0.0]), np.array([0.05, 0.1, 0.08]))
    assert found == pytest.approx([*pooled.effect, pooled.tau, pooled.i2, pooled.knapp])


def test_a_thousand_students_have_a_thousand_pilots_which_all_can_be_solved():
    owns = [variant(SOURCE, SALT, f"student {number}") for number in range(1_000)]
    assert len({repr(own) for own in owns}) == 1_000 and {own["bug"] for own in owns} == set(SOURCE.bugs)
    found = Counter()
    for own in owns[::4]:
        truth = solution(SOURCE, own)
        assert 0 < truth["my_readings"][0] < truth["my_readings"][2] and truth["my_paid"] == sorted(truth["my_paid"])
        assert 0 <= truth["my_growth"] < 1_000
        found[truth["my_verdict"]] += 1
    assert len(found) >= 2 and max(found.values()) < 0.8 * 250, found


def test_every_question_of_a_talk_changes_something(names):
    for each in viva.questions(SOURCE):
        before, after = (names[each.name](*given) for given in each.inputs(OWN))
        assert before != after, each.change


def test_the_rubric_of_the_peers_is_that_of_the_text():
    text = next(part.text for part in SOURCE.parts if "Two fellow students and" in part.text)
    assert len(peers.rubric(SOURCE)) == 4 and all(each in text for each in peers.rubric(SOURCE))
