"""A class is graded: nobody is lost, nobody's grade depends on the others, and only what changed is graded again."""

import csv
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from attacks import ATTACKS, HONEST, LIMITS, SALT, notebook, sandbox, toy

from tools import grade
from tools.grading import batch as batches
from tools.grading import report, similarity
from tools.grading.batch import Batch, file_name, shard, stored
from tools.grading.judge import Result
from tools.grading.seccomp import CLONE, CLONE3, DENIED, IOCTL, program
from tools.grading.submissions import Submission, handed_in
from tools.notebooks import ROOT

WRONG = HONEST.replace("2 * x", "3 * x")
HEADER = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"


class Light(Batch):
    """With the small limits of the attacks; trusted unless said otherwise, since these submissions are ours."""

    def sandbox(self, slot):
        return sandbox(slot) if not self.trust else batches.Sandbox(trust=True, limits=LIMITS)


def grading(tmp_path, **other) -> Light:
    return Light(toy(), SALT, tmp_path / "out", **{"trust": True, "jobs": 2} | other)


def rows(path) -> list[list[str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.fixture
def handed(tmp_path):
    """A folder with four students; the last one's submission is no notebook."""
    folder = tmp_path / "class"
    folder.mkdir()
    for name, code in {"ada": HONEST, "ben": WRONG, "cy": "1 +"}.items():
        (folder / f"{name}_x.ipynb").write_bytes(notebook((code,)))
    (folder / "dora.ipynb").write_text("no notebook")
    return folder


def test_each_gets_his_own_points_and_only_changes_are_graded_again(tmp_path, handed):
    told = []
    results = grading(tmp_path).run(handed_in(handed), lambda result, known: told.append((result.student, known)))
    assert [(each.student, each.points) for each in results] == [("ada", 3), ("ben", 1), ("cy", 0), ("dora", 0)]
    assert told == [(name, False) for name in ("ada", "ben", "cy", "dora")] and "no notebook" in results[3].problem
    (handed / "ben_x.ipynb").write_bytes(notebook((HONEST,)))
    told.clear()
    again = grading(tmp_path).run(handed_in(handed), lambda result, known: told.append((result.student, known)))
    assert told == [("ada", True), ("ben", False), ("cy", True), ("dora", True)] and again[1].points == 3
    grading(tmp_path, fresh=True).run(handed_in(handed), lambda result, known: told.append((result.student, known)))
    assert not any(known for _, known in told[4:])


def test_a_grade_changes_with_the_test_the_salt_and_the_grader_not_with_neighbours(tmp_path, handed):
    one, both = handed_in(handed)[:1], handed_in(handed)
    keys = {grading(tmp_path)._key(one[0]), grading(tmp_path)._key(both[0])}
    assert len(keys) == 1
    other = Light(toy(), b"another", tmp_path / "out", trust=True)
    assert other._key(one[0]) not in keys and grading(tmp_path, trust=False)._key(one[0]) not in keys


def test_shards_are_graded_apart_and_make_the_whole(tmp_path, handed):
    everybody, told = handed_in(handed), []
    parts = [shard(everybody, f"{k}/3") for k in (1, 2, 3)]
    assert sorted(each.student for part in parts for each in part) == [each.student for each in everybody]
    for part in parts:
        grading(tmp_path).run(part, lambda *_: None)
    grading(tmp_path).run(everybody, lambda result, known: told.append(known))
    assert told == [True] * 4
    for bad in ("0/3", "4/3", "3", "a/b"):
        with pytest.raises(ValueError, match="3/8"):
            shard(everybody, bad)


def test_when_the_grader_fails_at_one_the_others_are_graded_and_the_teacher_is_told(tmp_path, handed, monkeypatch):
    right = batches.mark
    monkeypatch.setattr(
        batches, "mark", lambda source, each, *rest: 1 / 0 if each.student == "ben" else right(source, each, *rest)
    )
    results = grading(tmp_path).run(handed_in(handed), lambda *_: None)
    assert [each.points for each in results] == [3, 0, 0, 0] and "ZeroDivisionError" in results[1].alarm
    assert not grading(tmp_path).path("ben").exists(), "what failed is tried again"


def test_a_hidden_test_that_fails_itself_is_an_alarm_for_the_teacher():
    from tools.grading.judge import mark
    from tools.grading.source import parse

    source = parse(
        "x", '# X\n```python tags=["hidden"]\n@hidden("odd", 1)\ndef _(ask, rng, own, truth):\n    1 / 0\n```\n'
    )
    result = mark(source, Submission("ada", "x", ("1",)), SALT, batches.Sandbox(trust=True))
    assert result.points == 0 and "ZeroDivisionError" in result.alarm and result.problem == ""


def test_a_damaged_result_is_graded_again(tmp_path):
    (tmp_path / "x.json").write_text("{}")
    assert stored(tmp_path / "x.json") is None and stored(tmp_path / "y.json") is None


def test_files_are_named_after_students_and_lie_in_the_folder():
    odd = ["../../x", "a/b", "a b", "ä", ".", "", "x" * 300, "CON", "a\0b"]
    names = {file_name(each) for each in odd}
    assert len(names) == len(odd) and all("/" not in each and "." not in each and len(each) < 80 for each in names)
    assert file_name("ada-1") == "ada-1"


def result(student: str, *points: float, **other) -> Result:
    items = [
        {"title": f"item {n}", "points": p, "most": 2.0, "comment": "" if p else "not so"} for n, p in enumerate(points)
    ]
    return Result(student, f"{student}.ipynb", "", items, **other)


def test_tables_are_what_canvas_and_moodle_read(tmp_path):
    report.write(
        tmp_path, "A toy", [result("ada", 2, 2), result("ben", 2, 0), result("=cmd()", 0, 0, problem="-1")], []
    )
    canvas, moodle = rows(tmp_path / "grades.csv"), rows(tmp_path / "moodle.csv")
    assert canvas[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "A toy"]
    assert canvas[1][5] == "4" and [row[5] for row in canvas[2:]] == ["4", "2", "0"]
    assert canvas[4][0] == "'=cmd()", "a spreadsheet would run it"
    assert moodle[0][:4] == ["Identifier", "Full name", "ID number", "Grade"] and moodle[2][5] == "item 1: not so"
    assert len(list((tmp_path / "feedback").iterdir())) == 3


def test_the_page_of_a_student_runs_nothing_he_wrote():
    evil = "<script>alert(1)</script>"
    items = [{"title": "t", "points": 0.0, "most": 1.0, "comment": evil}]
    page = report.page("A toy", Result(evil, evil, "", items, evil, "", evil, {"1": evil}, {evil: evil}))
    assert "<script" not in page and page.count("&lt;script") == 8 and "default-src 'none'" in page


def test_statistics_find_the_hard_and_the_telling_item():
    chance = random.Random(0)
    found = []
    for number in range(600):
        able = number / 600
        found.append(
            result(f"s{number}", *[2.0 * (able > level) for level in (0.1, 0.5, 0.9)], 2.0 * (chance.random() > 0.5))
        )
    found.append(result("lost", 0, 0, 0, 0, problem="it did not run"))
    table = report.statistics(found)
    assert [row[1] for row in table] == [600] * 4, "who could not be graded is left out"
    easy, middle, hard, coin = ([float(row[2]), float(row[3])] for row in table)
    assert easy[0] > 0.85 > middle[0] > 0.4 > hard[0] and middle[1] > 0.2 > 0.1 > coin[1]
    assert report.statistics([]) == [] and report.statistics([result("a", 2), result("b", 2)])[0][3] == ""


def test_a_copy_with_other_names_is_alike_and_an_independent_solution_is_not():
    folder = ROOT / "tests/assignments/business-case"
    one, other = (similarity.prints((folder / name).read_text()) for name in ("right_plain.py", "right_loops.py"))
    copy = (
        (folder / "right_plain.py")
        .read_text()
        .replace("excess", "e")
        .replace("crowd", "many")
        .replace("1e6", "1_000_000")
    )
    assert similarity.alike(one, similarity.prints(copy)) > 0.9 > 0.4 > similarity.alike(one, other)
    assert similarity.pairs({"a": one, "b": other, "c": one})[0] == (1.0, "a", "c")
    assert similarity.alike(frozenset(), frozenset()) == 0 and similarity.null(["x"], "") == []


@pytest.fixture
def told(tmp_path, monkeypatch):
    """What the command says to arguments: status, output, errors."""

    def asked(*arguments: str, **environment: str) -> tuple[int, str, str]:
        command = [sys.executable, str(ROOT / "tools/grade.py"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=os.environ | environment)
        return done.returncode, done.stdout, done.stderr

    return asked


def test_without_a_sandbox_it_refuses_and_says_why(tmp_path, handed, told):
    (tmp_path / "salt").write_bytes(SALT)
    arguments = [str(handed), "--assignment", "1", "--salt", "salt"]
    status, said, errors = told(*arguments, PATH="/nowhere")
    assert status == 2 and "bwrap is missing" in errors and "--trust" in errors and not (tmp_path / "grades").exists()
    status, said, _ = told(*arguments, "--trust", "--viva", PATH="/nowhere")
    assert status == 0 and "dora.ipynb: it is no notebook" in said
    assert sorted(path.stem for path in (tmp_path / "grades/viva").iterdir()) == ["ada", "ben", "cy"]
    assert [row[0] for row in rows(tmp_path / "grades/grades.csv")[2:]] == ["ada", "ben", "cy", "dora"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["class", "--assignment", "nine"], "there is no assignment 'nine'"),
        (["nowhere", "--assignment", "1"], "no folder"),
        (["class", "--assignment", "1", "--salt", "nowhere"], "tools/assignments.py"),
        (["class", "--assignment", "1", "--jobs", "0"], "--jobs"),
        (["class", "--assignment", "1", "--salt", "salt", "--shard", "9/8"], "3/8"),
    ],
)
def test_what_cannot_be_graded_is_said(tmp_path, handed, monkeypatch, capsys, arguments, words):
    (tmp_path / "salt").write_bytes(SALT)
    monkeypatch.chdir(tmp_path)
    assert grade.main([*arguments, "--trust"]) == 2 and words in capsys.readouterr().err


@pytest.mark.usefixtures("sandboxed")
def test_a_class_with_hostile_students_is_graded_as_if_they_were_not_there(tmp_path, handed):
    alone = {
        each.student: each.points for each in grading(tmp_path, trust=False).run(handed_in(handed), lambda *_: None)
    }
    kinds = ("a fork bomb", "slow growth", "everything deleted", "signals to the parent", "forged answers on all doors")
    for number, kind in enumerate(kinds):
        (handed / f"b{number}.ipynb").write_bytes(notebook(ATTACKS[kind].cells))
    found = grading(tmp_path, trust=False, fresh=True, jobs=4).run(handed_in(handed), lambda *_: None)
    assert len(found) == len(alone) + len(kinds)
    assert (
        alone
        == {each.student: each.points for each in found if each.student in alone}
        == dict(ada=3, ben=1, cy=0, dora=0)
    )


@pytest.mark.skipif(not os.path.exists(HEADER), reason="no header of the kernel here to compare the numbers with")
def test_system_calls_have_the_numbers_of_the_kernel():
    found = re.findall(r"^#define __NR_(\w+) (\d+)", Path(HEADER).read_text(), re.MULTILINE)
    names = {name: int(number) for name, number in found}
    ours = {name: numbers[0] for name, numbers in DENIED.items()} | dict(
        clone=CLONE[0], clone3=CLONE3[0], ioctl=IOCTL[0]
    )
    assert {name: names.get(name, number) for name, number in ours.items()} == ours
    assert len(program()) % 8 == 0
