"""The glossary keeps its word: terms of all chapters, each explained in one sentence where a chapter uses it."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest
from test_appendices import BOOK, HEADING, text_of

from _ext.glossary import Term, read
from tools.notebooks import ROOT

TERMS = read(ROOT)
CHAPTERS = {path.stem: path for path in (BOOK / "chapters").glob("*.md")}
TITLES_AND_LINKS = re.compile(r"^#{1,6} .*$|\[[^\]]*\]\([^)]*\)", re.MULTILINE)


@cache
def plain(chapter: str) -> str:
    """What a reader of a chapter reads, in lower case and on one line."""
    return " ".join(re.sub(r"[*_]", "", text_of(CHAPTERS[chapter])).lower().split())


def in_bold(chapter: str) -> set[str]:
    """What a chapter prints in bold outside titles and links, in lower case."""
    return {
        bold.lower() for bold in re.findall(r"\*\*([^*]+)\*\*", TITLES_AND_LINKS.sub("", text_of(CHAPTERS[chapter])))
    }


def uses(text: str, spelling: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(spelling)}(?!\w)", text))


def is_simplified(words: str) -> bool:
    """Whether GB 2312, the character set of simplified Chinese, knows all characters; it has no traditional ones."""
    try:
        return bool(words.encode("gb2312"))
    except UnicodeEncodeError:
        return False


def problems(term: Term) -> Iterator[str]:
    """What is wrong with one row."""
    if term.chapter not in CHAPTERS:
        yield f"there is no chapter {term.chapter}"
    elif term.section not in HEADING.findall(text_of(CHAPTERS[term.chapter])):
        yield f"{term.chapter} has no heading {term.section!r}"
    elif not any(uses(plain(term.chapter), spelling) for spelling in term.spellings):
        yield f"{term.chapter} never uses it; say what it uses under `also`"
    if not 4 <= len(term.meaning.split()) <= 40:
        yield f"its meaning has {len(term.meaning.split())} words; take 4 to 40"
    if not re.fullmatch(r"[A-Z][^.!?]*\.", term.meaning):
        yield "its meaning is not one sentence, from a capital to a full stop"
    if not is_simplified(term.chinese):
        yield f"{term.chinese!r} is not in simplified characters"


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.term)
def test_a_term_is_explained_in_one_sentence_and_used_where_it_says(term):
    assert not list(problems(term))


@pytest.mark.parametrize(
    "wrong",
    [
        dict(chapter="nowhere"),
        dict(section="Nowhere"),
        dict(term="flux capacitor", also=""),
        dict(meaning="What it is."),
        dict(meaning="It is one thing. And it is another one."),
        dict(meaning=f"It is{' very' * 40} long."),
        dict(chinese="生成對抗網絡"),
    ],
    ids=str,
)
def test_a_wrong_row_is_noticed(wrong):
    right = next(term for term in TERMS if term.term == "token")
    assert not list(problems(right))
    assert len(list(problems(replace(right, **wrong)))) == 1


def test_all_chapters_have_terms_and_together_enough():
    assert len(TERMS) >= 120
    assert {term.chapter for term in TERMS} == set(CHAPTERS)


def test_no_spelling_belongs_to_two_terms():
    counted = Counter(spelling for term in TERMS for spelling in term.spellings)
    assert not [spelling for spelling, times in counted.items() if times > 1]
    assert len({term.anchor for term in TERMS}) == len(TERMS)


def test_half_of_the_terms_are_linked_from_a_bold_use():
    bold = set().union(*map(in_bold, CHAPTERS))
    assert sum(bool(term.spellings & bold) for term in TERMS) >= len(TERMS) // 2 >= 60
