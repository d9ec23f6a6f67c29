"""The table of facts parses cleanly, and a fact never shows without source and confidence."""

import re
import subprocess
import sys
from dataclasses import replace
from datetime import date

import pytest

from genai_utils.records.facts import fact, facts


@pytest.mark.parametrize("each", facts(), ids=lambda each: each.id)
def test_every_fact_shows_its_date_and_how_sure_it_is(each):
    for text in (str(each), each._repr_html_()):
        assert each.date in text and re.search(r"primary source read|secondary source only|unverified", text)


def test_a_fact_shows_statement_source_date_and_confidence():
    price = fact("B-U4")
    assert (price.value, price.unit, price.date) == (2.95, "USD per GPU-hour", "2026-05-20")
    assert "— AIMultiple: Cloud GPU Rental Price Index, 2026-05-20 [primary source read (stored copies;" in str(price)
    assert '<a href="https://aimultiple.com/gpu-index">Cloud GPU Rental Price Index</a>' in price._repr_html_()


def test_a_number_with_a_value_states_that_value():
    for each in facts():
        assert each.value is None or f"{each.value:.2f}" in each.statement


@pytest.mark.parametrize(
    ("id", "text", "number"),
    [
        ("B-U1", "608B", 608e9),
        ("B-U1", "56.3%", 0.563),
        ("B-U1", "73.7k", 73_700),
        ("B-U1", "$87,072", 87_072),
        ("B-U1", "$2", 2),
        ("B-T6", "2,664K", 2.664e6),
        ("B-T4", "2.1e25", 2.1e25),
        ("B-T2", "2.4x", 2.4),
    ],
)
def test_a_number_is_read_as_the_statement_writes_it(id, text, number):
    assert fact(id).stated(text) == pytest.approx(number, rel=1e-15)


@pytest.mark.parametrize("text", ["608", "226", "$2.1", "6.3%", "87,072", "609B"])
def test_a_number_that_the_statement_does_not_write_so_is_refused(text):
    with pytest.raises(ValueError, match=f"fact B-U1 does not state '{re.escape(text)}' in its text: DeepSeek"):
        fact("B-U1").stated(text)


def test_words_are_refused_where_a_number_is_asked_for():
    with pytest.raises(ValueError, match="'peak' is not a number as in '608B'"):
        fact("B-U1").stated("peak")


def test_two_dollars_in_a_statement_do_not_become_a_formula():
    assert not re.search(r"\$[^<]|[^>]\$", fact("B-U2")._repr_html_() + facts("prices")._repr_html_())


def test_remarks_on_the_confidence_are_kept():
    assert fact("B-C1").confidence_in_words == "secondary source only (its day from memory)"
    assert fact("B-A3").confidence_in_words == "unverified"


def test_further_addresses_are_linked_too():
    html = fact("B-T3")._repr_html_()
    assert (
        'href="https://arxiv.org/abs/2203.15556"' in html and 'href="https://arxiv.org/abs/2001.08361">[2]</a>' in html
    )


def test_a_source_without_address_is_not_linked():
    assert fact("B-J5").urls == [] and "<a " not in fact("B-J5")._repr_html_()


def test_the_table_shows_every_fact():
    shown = facts()._repr_html_()
    assert all(f'<th scope="row">{each.id}</th>' in shown for each in facts())
    assert str(facts()).count("\n") == len(facts()) - 1


def test_signs_of_html_in_a_statement_are_escaped():
    assert ">=1 function" in str(fact("B-S2"))
    assert all("&gt;=1 function" in shown._repr_html_() for shown in (fact("B-S2"), facts()))


def test_facts_can_be_read_by_topic():
    prices = facts("GPU price")
    assert {each.id for each in prices} == {"B-U3", "B-U4", "B-U5"}
    with pytest.raises(ValueError, match="no facts on the topic 'cats'; there are: .*adoption"):
        facts("cats")


def test_an_unknown_id_names_the_nearest():
    with pytest.raises(ValueError, match="no fact has the id 'B-U44'; nearest: B-U4"):
        fact("B-U44")
    with pytest.raises(ValueError, match="nearest: none"):
        fact("???")


def test_facts_are_read_without_torch():
    code = "import sys; from genai_utils.records import fact; fact('B-U4'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_fact_that_no_longer_holds_is_taken_only_as_history(monkeypatch):
    old = replace(fact("B-U4"), until="2026-08-16")
    monkeypatch.setattr("genai_utils.records.facts._table", lambda: {"B-U4": old})
    with pytest.raises(ValueError, match=r"B-U4 held until 2026-08-16; facts\('GPU price'\)"):
        fact("B-U4")
    assert "2026-05-20, held until 2026-08-16" in str(fact("B-U4", history=True))


def test_the_end_of_a_fact_is_a_day_or_a_month():
    with pytest.raises(ValueError, match="write a day or month"):
        replace(fact("B-U4"), until="summer")


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ("2023", (2023, 1, 1)),
        ("2026-02..04", (2026, 2, 1)),
        ("2023-09; 2026-03-11", (2023, 9, 1)),
        ("2021-2023", (2021, 1, 1)),
    ],
)
def test_a_fact_is_as_old_as_its_date_allows(said, first):
    assert replace(fact("B-U4"), date=said).since == date(*first)


@pytest.mark.parametrize("said", ["summer 2026", "20261"])
def test_a_fact_without_a_year_is_refused(said):
    with pytest.raises(ValueError, match="begin it like 2026"):
        replace(fact("B-U4"), date=said)


@pytest.mark.parametrize(
    ("change", "ages"),
    [
        ({}, True),
        ({"topic": "history"}, False),
        ({"topic": "law US"}, False),
        ({"until": "2026-08"}, False),
        ({"statement": "Many users 2.95", "unit": "users"}, False),
    ],
)
def test_money_ages_unless_it_is_history_or_law(change, ages):
    assert replace(fact("B-U4"), **change).is_money is ages
