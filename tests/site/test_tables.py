"""Tables that a reader may search: a row stays where it holds all words that were typed."""

import pytest
from browsing import open_page, parsed

pytestmark = pytest.mark.xdist_group("search")
VISIBLE = "rows => rows.filter((row) => row.offsetParent).map((row) => row.textContent.toLowerCase())"


@pytest.mark.parametrize(("page", "words"), [("facts", "h100 gpu"), ("glossary", "生成")])
def test_a_table_shows_the_rows_that_hold_all_words(page, words, site, chromium):
    tab = open_page(chromium, site, f"book/appendix/{page}.html")
    everything = tab.locator("tbody tr").evaluate_all(VISIBLE)
    tab.locator("input.filter").fill(words)
    found = tab.locator("tbody tr").evaluate_all(VISIBLE)
    told = tab.locator(".filter-count").text_content()
    tab.locator("input.filter").fill("no such word anywhere")
    nothing = tab.locator("tbody tr").evaluate_all(VISIBLE)
    tab.close()
    assert found == [row for row in everything if all(word in row for word in words.split())]
    assert 0 < len(found) < len(everything) and told == f"{len(found)} of {len(everything)}" and not nothing


def test_each_fact_that_a_page_calls_its_oldest_has_a_row(site):
    rows = {row["id"] for row in parsed("book/appendix/facts.html").select("[id^=fact-]")}
    links = [link["href"] for link in parsed("notebooks/unit-economics.html").select(".money-age a")]
    assert links and {link.partition("#")[2] for link in links} <= rows
