"""The answer at a chapter's head: numbers with ranges, escaped, linked to the section that computes them."""

from dataclasses import replace

import pytest
from docutils.nodes import make_id

from genai_utils.show import answer
from genai_utils.show.answers import Line

PRICE = Line("0.40 USD", "0.1 to 2 USD", "a million tokens <cost> their seller", "What does a *token* cost, and why?")
LOAD = Line("56 %", "51 to 60 %", "of the tokens must be paid for", "One published day, checked")


@pytest.fixture
def shown(monkeypatch):
    """What an answer of two lines displays, by kind."""
    outputs = []
    monkeypatch.setattr("genai_utils.show.answers.display", lambda data, raw: outputs.append(data))
    answer("November 2026", PRICE, LOAD)
    return outputs[0]


def test_an_answer_shows_its_numbers_its_ranges_and_its_month(shown):
    head = "The answer as of November 2026\n0.40 USD (0.1 to 2 USD): a million tokens <cost>"
    assert shown["text/plain"].startswith(head) and "[One published day, checked]" in shown["text/plain"]


def test_it_is_escaped_and_leads_to_the_section_as_the_site_names_it(shown):
    assert "&lt;cost&gt;" in shown["text/html"] and f'href="#{make_id(PRICE.section)}"' in shown["text/html"]


@pytest.mark.parametrize(
    "title", ["Price = worth + bubble", "“95 % fail”, taken apart", "Zhipu's price", "Who keeps it?"]
)
def test_a_section_has_the_address_that_the_site_gives_it(title):
    assert replace(PRICE, section=title).anchor == make_id(title)


@pytest.mark.parametrize(
    ("as_of", "lines", "fault"),
    [
        ("2026-11", (PRICE, LOAD), "as_of must be a month"),
        ("November 2026", (PRICE,), "two to four lines, got 1"),
        ("November 2026", (PRICE,) * 5, "two to four lines, got 5"),
    ],
)
def test_an_answer_without_a_month_or_with_too_many_lines_is_refused(as_of, lines, fault):
    with pytest.raises(ValueError, match=fault):
        answer(as_of, *lines)


@pytest.mark.parametrize(("field", "text"), [("number", "little"), ("range", ""), ("says", " "), ("section", "")])
def test_a_line_that_says_nothing_is_refused(field, text):
    given = {"number": "1", "range": "0 to 2", "says": "x", "section": "y"} | {field: text}
    with pytest.raises(ValueError, match=f"{field}"):
        Line(**given)
