"""Coverage, errata and the other pages keep their word: complete, and every link leads somewhere."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import nbformat
import pytest
from contract import announced
from myst_parser.mdit_to_docutils.base import default_slugify

from genai_utils.records import edited
from tools.notebooks import ROOT, Project

COURSE = Project(ROOT)
BOOK = ROOT / "book"
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in BOOK.rglob("*.md") if path.parent.name != "chapters")
EXPLORERS = sorted({path.stem for path in (ROOT / "genai_utils/show/explorers").glob("*.js")} - {"kit"})
COVERAGE, ERRATA, FAQ = (BOOK / "appendix" / f"{name}.md" for name in ("coverage", "errata", "faq"))
LANDING = BOOK / "intro.md"

# How many things of each kind the five articles name, numbered from 01.
NAMED = dict(M=36, T=41, D=5, A=25, B=27, R=17, C=6, F=19, L=23, G=8, S=33, Q=12, O=10)

CODE = re.compile(r"^(?P<fence>[`~]{3,})(?!\{).*?^(?P=fence)\s*$|`[^`\n]+`", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#{1,6} (.+?)\s*$", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^()\s]+)\)")
PLANNED = re.compile(r"planned: ([a-z0-9-]+)")
ROW = re.compile(r"^\| ([A-Z]\d\d) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def text_of(path: Path) -> str:
    """The Markdown of a page or notebook, without its code."""
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return CODE.sub("", edited.text_of(path))


@cache
def anchors(path: Path) -> set[str]:
    """What a link to a heading of this file may end in."""
    titles = [re.sub(r"[*`]|\$", "", title) for title in HEADING.findall(text_of(path))]
    return {default_slugify(title) for title in titles}


def problem(page: Path, link: str) -> str | None:
    """Say why a link on a page leads nowhere; None if it leads to a file and, where it names one, a heading."""
    file, _, anchor = link.partition("#")
    target = (page.parent / file).resolve() if file else page
    if not target.is_file():
        return f"{link}: there is no such file"
    if state := re.match(r"([a-z]+)=", anchor):
        return None if state[1] in EXPLORERS else f"{link}: no explorer is called {state[1]}, only {EXPLORERS}"
    if anchor and anchor not in anchors(target):
        return f"{link}: {target.name} has no such heading, only {', '.join(sorted(anchors(target)))}"
    return None


def links(page: Path) -> list[str]:
    return LINK.findall(text_of(page))


ROWS = ROW.findall(edited.text_of(COVERAGE))


def test_every_number_of_the_articles_occurs_exactly_once():
    assert [number for number, _, _ in ROWS] == [
        f"{kind}{number:02}" for kind, count in NAMED.items() for number in range(1, count + 1)
    ]


def test_each_number_is_treated_somewhere_or_planned_for_a_chapter_that_is_announced():
    coming = announced(edited.text_of(LANDING))
    homeless = [
        f"book/appendix/coverage.md, {number}: {place!r} neither links a place nor says `planned: ` and one of {coming}"
        for number, _, place in ROWS
        if not LINK.search(place) and not ((planned := PLANNED.fullmatch(place)) and planned[1] in coming)
    ]
    assert coming and not homeless, "\n".join(homeless)


def mark(place: str) -> str:
    """How far a row of the table is done."""
    if PLANNED.fullmatch(place):
        return "Planned"
    word = place.split(": ")[0]
    return word.capitalize() if word in ("mentioned", "replaced") else "Treated"


def test_the_counts_in_the_text_are_those_of_the_tables():
    text = edited.text_of(COVERAGE)
    counted = {word: int(count) for word, count in re.findall(r"^- \*\*(\w+)\*\*, (\d+)", text, re.MULTILINE)}
    assert counted == Counter(mark(place) for _, _, place in ROWS)
    assert re.search(r"name (\d+) things", text)[1] == str(len(ROWS))


@pytest.mark.parametrize("page", PAGES)
def test_every_exercise_that_a_page_names_exists(page):
    for numbers, link in re.findall(r"\[[^\]]*exercises? ([\d and,]+)\]\(([^)#]+)", text_of(ROOT / page)):
        chapter = text_of((ROOT / page).parent / link)
        for number in re.findall(r"\d+", numbers):
            assert f"> **Exercise {number} (bug hunt)" in chapter, f"{link} has no bug hunt {number}"


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_a_heading(page):
    problems = [found for link in links(ROOT / page) if (found := problem(ROOT / page, link))]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("link", ["nowhere.md", "errata.md#nowhere", "../../notebooks/nowhere.ipynb#title"])
def test_a_link_that_leads_nowhere_is_noticed(link):
    assert problem(COVERAGE, link)


ENTRIES = re.split(r"^### ", edited.text_of(ERRATA), flags=re.MULTILINE)[1:]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.split(":")[0])
def test_an_erratum_says_where_it_stands_what_is_right_in_it_what_holds_and_where_to_see_it(entry):
    title, _, text = entry.partition("\n")
    assert re.fullmatch(r"E-[A-Z]\d+: .+ \(S[0-4] §.+\)", title)
    for part in ("- **Says:** ", "- **Right in it:** ", "- **What holds:** ", "- **See it:** "):
        assert part in text, f"{title} lacks {part}"
    assert LINK.search(text.split("**See it:**")[1]), f"{title} leads nowhere"


def test_no_erratum_is_listed_twice():
    numbers = [entry.split(":")[0] for entry in ENTRIES]
    assert numbers and len(numbers) == len(set(numbers))


QUESTIONS = re.split(r"^## ", edited.text_of(FAQ), flags=re.MULTILINE)[1:]


def test_each_question_of_the_articles_has_an_answer():
    assert len(QUESTIONS) == NAMED["Q"]


@pytest.mark.parametrize("entry", QUESTIONS, ids=lambda entry: entry.split("\n")[0])
def test_a_question_is_answered_in_two_or_three_sentences_with_a_link_to_the_evidence(entry):
    question, _, answer = entry.partition("\n\n")
    said = re.fullmatch(r"\*S[0-4] §[\d., QS§;]+\.\* (.+)", answer.strip())
    assert question.endswith("?") and said, "an answer begins with the article and section that ask"
    prose = re.sub(r"\]\([^)]*\)", "]", said[1])
    assert 2 <= len(re.findall(r"[.?!](?= |$)", prose)) <= 3
    assert "../../notebooks/" in answer and not re.search(r"\d", prose), "figures stand in the linked cells"
