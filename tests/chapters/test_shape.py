"""Every chapter keeps the promises of contract.py."""

from functools import cache

import pytest
from contract import BOOK_RULES, CHAPTER_RULES, read_book, read_chapter

from tools.notebooks import ROOT, Project

COURSE = Project(ROOT)
read_chapter, read_book = cache(read_chapter), cache(read_book)


def test_every_text_has_a_notebook_and_every_notebook_a_text():
    stored, written = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}, set(COURSE.names)
    problems = [f"book/chapters/{name}.md has no notebook: run `make notebooks`" for name in written - stored]
    problems += [f"notebooks/{name}.ipynb has no text: delete it, or write the text" for name in stored - written]
    assert written and not problems, "\n".join(problems)


@pytest.mark.parametrize("rule", CHAPTER_RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", COURSE.names)
def test_chapter(name, rule):
    problems = [f"{name} {problem}" for problem in rule(read_chapter(COURSE, name))]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("rule", BOOK_RULES, ids=lambda rule: rule.__name__)
def test_book(rule):
    problems = list(rule(read_book(COURSE)))
    assert not problems, "\n".join(problems)
