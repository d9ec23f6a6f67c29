"""The search finds every chapter by a word that only this chapter has."""

import re
from collections import Counter

import pytest
from browsing import NOTEBOOKS, open_page, parsed

pytestmark = [pytest.mark.xdist_group("search"), pytest.mark.usefixtures("site")]


def words(page: str) -> Counter[str]:
    """Long words of a chapter's paragraphs, counted."""
    prose = " ".join(paragraph.get_text() for paragraph in parsed(page).select("article p"))
    return Counter(re.findall(r"\b[a-z]{7,}\b", prose))


@pytest.mark.parametrize("page", NOTEBOOKS)
def test_search_finds_a_word_of_the_chapter(page, site, chromium):
    others = set().union(*(words(other) for other in NOTEBOOKS if other != page))
    word = next(word for word, _ in words(page).most_common() if word not in others)
    tab = open_page(chromium, site, f"search.html?q={word}")
    tab.wait_for_function("document.querySelector('.search-summary')?.textContent.includes('found')")
    results = tab.eval_on_selector_all("#search-results li a", "links => links.map((link) => link.pathname)")
    tab.close()
    print(f"{word}: {results}")
    assert f"/{page}" in results
