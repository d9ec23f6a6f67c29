"""Right solutions get full marks in whatever words, plausible wrong ones lose points, all variants can be solved."""

import importlib.util
import json
import re
import sys
from dataclasses import replace

import nbformat
import pytest
from attacks import SALT

from genai_utils.business import unit_economics as ue
from genai_utils.business.valuation import Company
from tools.grading import handout, viva
from tools.grading.judge import items, mark
from tools.grading.sandbox import Limits, Sandbox
from tools.grading.source import broken, filled, load, solution, stub, variant
from tools.grading.submissions import PLACE, Submission, read
from tools.notebooks import ROOT

HERE = ROOT / "tests/assignments/business-case"
SOURCE = load("business-case")
OWN = variant(SOURCE, SALT, "ada")
FULL = sum(item.points for item in items(SOURCE))
TRUSTED = Sandbox(trust=True, limits=Limits(load=60, answer=20))  # these solutions are ours


def wrong() -> dict[str, str]:
    found = importlib.util.spec_from_file_location("wrong", HERE / "wrong.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module.WRONG


def points(*cells: str, student: str = "ada") -> tuple[float, list[str]]:
    result = mark(SOURCE, Submission(student, "x", cells, digest="x"), SALT, TRUSTED)
    assert not result.alarm
    return result.points, [f"{item['title']}: {item['comment']}" for item in result.items if item["comment"]]


def solved(own=OWN) -> tuple[str, ...]:
    cells = handout.teacher(SOURCE, own)["cells"]
    return tuple("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def test_the_teachers_notebook_gets_full_marks_and_passes_its_public_checks():
    result = mark(SOURCE, Submission("ada", "x", solved(), digest="x"), SALT, TRUSTED)
    assert result.points == FULL == 25 and not result.errors
    assert "not yet" not in result.log and result.log.count("right: ") >= 13


@pytest.mark.parametrize("name", ["right_plain.py", "right_loops.py"])
def test_a_right_solution_in_other_words_gets_full_marks(name):
    assert points(f"OWN = {OWN}", (HERE / name).read_text()) == (FULL, [])


@pytest.mark.parametrize("name", wrong())
def test_a_wrong_solution_loses_points(name):
    found, comments = points(*solved(), wrong()[name])
    assert found < FULL and len(comments) < len(items(SOURCE)) / 2, comments


@pytest.mark.parametrize("bug", SOURCE.bugs)
def test_every_planted_mistake_loses_points_and_shows_in_a_public_check(bug):
    right = next(part.text for part in SOURCE.parts if part.kind == "mend")
    cells = [cell.replace(right, broken(right, SOURCE.bugs, bug)) for cell in solved()]
    result = mark(SOURCE, Submission("ada", "x", tuple(cells), digest="x"), SALT, TRUSTED)
    assert result.points < FULL and "not yet" in result.log


def test_the_notebook_as_it_is_handed_out_gets_next_to_nothing_and_tells_hints():
    cells = handout.student(SOURCE, OWN, len(items(SOURCE)))["cells"]
    code = tuple("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    result = mark(SOURCE, Submission("ada", "x", code, digest="x"), SALT, TRUSTED)
    assert result.points <= 2 and "hint 1 of" in result.log and "right: 3.60" not in result.log


def test_the_student_sees_no_solution_and_no_hidden_test():
    text = json.dumps(handout.student(SOURCE, OWN, len(items(SOURCE))))
    assert "hidden tests" in text and "{{" not in text and "<!-- task" not in text
    for secret in ("left_over", "@hidden", "BUGS", OWN["bug"], "def variant", "truth."):
        assert secret not in text


def test_an_answer_in_words_has_a_place_and_comes_back(tmp_path):
    made = handout.student(SOURCE, OWN, 1)
    nbformat.validate(nbformat.from_dict(made), relax_add_props=False)
    handout.write(tmp_path / "ada.ipynb", made)
    assert read(tmp_path / "ada.ipynb").words == (("cause", ""), ("memo", ""))
    text = (tmp_path / "ada.ipynb").read_text().replace(PLACE, "Growth was forgotten.", 1)
    (tmp_path / "ada.ipynb").write_text(text)
    assert read(tmp_path / "ada.ipynb").words == (("cause", "Growth was forgotten."), ("memo", ""))


def test_a_talk_has_three_questions_about_the_students_own_cells_with_computed_answers():
    code = (f"OWN = {OWN}", (HERE / "right_loops.py").read_text())
    submission = Submission("ada", "x", code, digest="x")
    page = viva.page(SOURCE, submission, SALT, TRUSTED)
    said = re.findall(r"This notebook: (\S+) becomes (\S+?)\. The solution: (\S+) becomes (\S+?)\.\*", page)
    assert len(said) == 3 and all(a == c and b == d and a != b for a, b, c, d in said), page
    assert page == viva.page(SOURCE, submission, SALT, TRUSTED) and page.count("    def ") >= 3
    others = {viva.page(SOURCE, replace(submission, student=f"s{n}"), SALT, TRUSTED) for n in range(4)}
    assert len(others) == 4
    empty = viva.page(SOURCE, Submission("ada", "x", ("1",), digest="x"), SALT, TRUSTED)
    assert "nothing (" in empty and "no such function" in empty


def test_every_question_of_a_talk_changes_something():
    truth = solution(SOURCE, OWN)
    for each in viva.questions(SOURCE):
        before, after = (truth[each.name](*given) for given in each.inputs(OWN))
        assert before != after, each.change


def test_a_stub_is_the_head_of_its_solution():
    taken = next(part.text for part in SOURCE.parts if "def usd_per_million" in part.text)
    assert taken.splitlines()[0] in stub(taken) and "1_000_000" in taken and "1_000_000" not in stub(taken)
    assert taken in (ROOT / "book/chapters/unit-economics.md").read_text(encoding="utf-8")


def test_the_solution_says_what_the_package_says():
    truth = solution(SOURCE, OWN)
    assert truth["usd_per_million"](900.0, 7.0, 0.3) == pytest.approx(
        ue.usd_per_million_tokens(tokens_per_second=900, machine_usd_per_hour=7, utilisation=0.3))  # fmt: skip
    for tries in (1, 4):
        whole = ue.usd_per_task(try_usd=1, check_usd=4, accepted=0.3, tries=tries, by_hand_usd=60)
        assert truth["task_cost"](1, 4, 0.3, tries, 60) == pytest.approx(whole)
    company = Company(OWN["revenue"], truth["my_growth"], OWN["margin"], OWN["rate"])
    assert company.value == pytest.approx(OWN["price"], rel=1e-6)


def test_a_thousand_students_have_a_thousand_assignments_which_all_can_be_solved():
    owns = [variant(SOURCE, SALT, f"student {number}") for number in range(1_000)]
    assert len({repr(own) for own in owns}) == 1_000 and {own["bug"] for own in owns} == set(SOURCE.bugs)
    assert owns[7] == variant(SOURCE, SALT, "student 7") != variant(SOURCE, b"another salt", "student 7")
    for own in owns:
        truth = solution(SOURCE, own)
        assert -0.5 < truth["my_growth"] < 5 and truth["my_money"] > 0 and truth["my_task_usd"] > 0


def test_what_somebody_else_was_given_does_not_help():
    found, comments = points(*solved(variant(SOURCE, SALT, "ben")))
    assert found == FULL - 3 and "your own product" in comments[0]


def test_the_command_writes_notebooks_that_are_graded_by_their_names(tmp_path, capsys):
    from tools import assignments

    (tmp_path / "salt").write_bytes(SALT)
    said = ["1", "--students", "ada,ben", "--salt", str(tmp_path / "salt"), "--out", str(tmp_path / "out")]
    assert assignments.main([*said, "--policy", "open"]) == 0 and "2 notebooks" in capsys.readouterr().out
    assert (tmp_path / "out/ada/AGENTS.md").read_text() == (ROOT / "assignments/policies/open.md").read_text()
    for name in ("ada", "ben"):
        found = read(tmp_path / f"out/teacher/{name}_business-case.ipynb")
        assert mark(SOURCE, found, SALT, TRUSTED).points == FULL
    assert assignments.main(["1", "--students", "a_b", "--salt", str(tmp_path / "salt")]) == 2
    assert assignments.main(["nine", "--students", "a"]) == 2 and "business-case" in capsys.readouterr().err


def test_the_secret_is_made_once_and_is_for_its_owner(tmp_path):
    from tools.assignments import made_salt

    made = made_salt(tmp_path / "salt")
    assert len(made) == 64 and made == made_salt(tmp_path / "salt")
    assert (tmp_path / "salt").stat().st_mode & 0o077 == 0


def test_the_source_names_what_it_cannot_find():
    from tools.grading.source import parse

    for text in ("<!-- task: pixels nothing -->", "<!-- exercise: pixels 99 -->", '```python tags=["secret"]\n```\n'):
        with pytest.raises(ValueError, match="no function|no exercise|tags are"):
            parse("x", f"# X\n\n{text}\n")
    with pytest.raises(ValueError, match="not once"):
        broken("x = 1", {"b": ("y", "z")}, "b")
    assert filled("{{a}} {b} {{c}}", {"a": 1, "c": 2}) == "1 {b} 2" and sys.version_info >= (3, 10)
