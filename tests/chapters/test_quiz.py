"""Each quiz question has one right choice, by the rule of the site's script: its explanation begins with "Right"."""

import re
import shutil
from itertools import accumulate

import pytest
from node import run_module

from tools.notebooks import ROOT

CHAPTERS = sorted((ROOT / "book/chapters").glob("*.md"))
# As the script wants it: the choices follow the box, one a line.
QUESTION = re.compile(r"^> \*\*Quiz \d\.\*\*.*\n(?:>.*\n)*\n((?:<details>.*</details>\n)+)", re.MULTILINE)
CHOICE = re.compile(r"<details><summary>.*?</summary>(.*)</details>")


def explanations(text):
    """Of each question the explanations of its choices."""
    return [CHOICE.findall(choices) for choices in QUESTION.findall(text)]


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """Evaluate JavaScript over the exports of quiz.js and `given`."""
    folder = tmp_path_factory.mktemp("quiz")
    shutil.copy(ROOT / "book/_static/quiz.js", folder)
    return lambda expression, given=None: run_module("quiz.js", f"return {expression};", given, folder)


def test_each_question_has_exactly_one_right_choice(script):
    given = {path.stem: explanations(path.read_text(encoding="utf-8")) for path in CHAPTERS}
    found = script(
        "Object.entries(given).map(([name, questions]) => [name, questions.map((choices) =>"
        " choices.filter((each) => explorer.verdict(each.trim()) === 'right').length)])",
        given,
    )
    assert dict(found) == {path.stem: [1] * 5 for path in CHAPTERS}


def test_a_choice_is_judged_by_its_first_words(script):
    words = ["Right. So.", "Right: so", "Right, and more", "Right, but there is more", "Rightly said", "It is right."]
    assert script("given.map(explorer.verdict)", words) == ["right", "right", "right", "half", "wrong", "wrong"]


def test_the_score_counts_first_tries_and_says_what_is_open(script):
    tries = list(accumulate(["right", "half", "wrong", "right", "right"], lambda done, each: [*done, each], initial=[]))
    assert script("given.map((tries) => explorer.score(tries, 5))", tries) == [
        "Right at the first try: 0 of 5 (5 still open)",
        "Right at the first try: 1 of 5 (4 still open)",
        "Right at the first try: 1 of 5 (3 still open)",
        "Right at the first try: 1 of 5 (2 still open)",
        "Right at the first try: 2 of 5 (1 still open)",
        "Right at the first try: 3 of 5",
    ]
