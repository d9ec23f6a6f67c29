"""What a deck takes from a chapter, on a chapter of a few cells."""

import json
from pathlib import Path

import pytest

from tools import slides
from tools.deck import page, parts
from tools.notebooks import ROOT

CLAIM = {"application/vnd.genai.claim+json": {"verdict": "depends", "text": "Eggs are cheap.", "evidence": "in May"}}
TEXT = """\
# Eggs: a business

**Question.** What does an egg cost?

After this chapter you can count.

> **Predict.** (a) One? (b) Two, see [there](vae.ipynb)?

## The price

Eggs are sold by the dozen, e.g. on Mondays. So the price of one is

$$
p = \\frac{P}{12} \\tag{egg.price}
$$

**Nobody can buy a third of an egg, not even at a discount.** That is a law.

FIGURE

Is it far? The price falls in spring, when hens are glad. Later it rises.

> **Business.** Buy in spring. Sell in winter, if $p > 1$.

> **Exercise 1.** Count.

> **Exercise 2 (bug hunt).** Mend it.

> **Quiz 1.** How many?

<details><summary>Twelve</summary>Right: a dozen.</details>
<details><summary>Ten</summary>No.</details>

> **Quiz 2.** And now?
"""


def chapter(folder: Path, text: str = TEXT) -> Path:
    """A notebook with this text, a figure where it says so, one in a solution, and a claim at its end."""
    picture = {"data": {"image/png": "iVBORw0KGgo=\n", "text/plain": "Prices by month <low in May>."}}
    before, after = text.split("FIGURE")
    code = {"cell_type": "code", "source": "", "outputs": [picture], "metadata": {}}
    cells = [
        {"cell_type": "markdown", "source": before, "metadata": {}},
        code,
        {"cell_type": "markdown", "source": after, "metadata": {}},
        code | {"metadata": {"tags": ["hide-cell"]}},
        code | {"outputs": [{"data": CLAIM}]},
    ]
    file = folder / "eggs.ipynb"
    file.write_text(json.dumps({"cells": cells}))
    return file


@pytest.fixture
def made(tmp_path) -> dict[str, parts.Slide]:
    """Its slides by kind."""
    found = parts.slides(chapter(tmp_path), "Farming")
    assert len({slide.kind for slide in found}) == len(found)
    return {slide.kind: slide for slide in found}


def test_the_slides_come_in_the_order_of_the_chapter(made):
    order = "title question predict equation figure business exercise quiz claims"
    assert " ".join(made) == order
    assert made["title"].heading == "Eggs: a business" and made["title"].text == ["Farming"]


def test_a_figure_keeps_its_alt_text_and_is_read_by_the_speaker(made):
    figure = made["figure"]
    assert figure.heading == "The price" and figure.alt == "Prices by month <low in May>."
    assert figure.text == ["The price falls in spring, when hens are glad."]
    assert figure.notes == ["Is it far? The price falls in spring, when hens are glad. Later it rises."]
    assert 'alt="Prices by month &lt;low in May&gt;."' in page.section(figure, first=False)


def test_an_equation_stands_between_the_sentences_around_it(made):
    lead, formula, reading = made["equation"].text
    assert lead == "So the price of one is" and r"\tag" not in formula and made["equation"].name == "egg.price"
    assert reading == "**Nobody can buy a third of an egg, not even at a discount.**"
    assert r"\[" in page.section(made["equation"], first=False)


def test_the_parts_of_a_question_begin_lines_and_links_within_the_book_are_words(made):
    html = page.section(made["predict"], first=False)
    assert "<p>(b) Two, see there?</p>" in html and "href" not in html


def test_only_the_bug_hunt_and_the_first_question_become_slides(made):
    assert made["exercise"].text == ["Mend it."] and made["business"].text[0].splitlines()[0] == "- Buy in spring."
    assert made["quiz"].text == ["How many?", "- Twelve\n- Ten"] and "Right: a dozen." in made["quiz"].notes[0]


def test_verdicts_come_last_with_their_evidence_as_notes(made):
    assert made["claims"].text == ["- **~ depends** Eggs are cheap."] and "in May" in made["claims"].notes[0]


def test_what_is_worth_least_goes_when_there_is_too_much():
    many = [parts.Slide("figure", f"Section {number}") for number in range(30)]
    kept = parts.fewest([parts.Slide("title", "T"), *many, parts.Slide("quiz", "Q"), parts.Slide("claims", "C")])
    assert len(kept) == parts.MOST and [kept[0].kind, kept[-1].kind] == ["title", "claims"]
    assert [slide.heading for slide in kept[1:-1]] == [f"Section {number}" for number in range(18)]


@pytest.mark.parametrize(
    ("formula", "broken"),
    [
        ("a = b", "a = b"),
        ("x" * 99 + r" \qquad y", r"\begin{gathered} " + "x" * 99 + r" \\[0.5em] y \end{gathered}"),
        ("x" * 99 + " = f(a = 1) = c", r"\begin{aligned} " + "x" * 99 + r" &= f(a = 1) \\ &= c \end{aligned}"),
        (r"\begin{aligned} " + "x" * 99, r"\begin{aligned} " + "x" * 99),
    ],
)
def test_a_long_formula_is_broken_where_no_bracket_is_open(formula, broken):
    assert parts.lines(formula) == broken


def test_no_sentence_is_cut_in_bold_words_formulas_or_abbreviations():
    text = "**One. Two.** See $a.\\ B$ here, e.g. There. Is it? Yes."
    assert parts.sentences(text) == ["**One. Two.**", "See $a.\\ B$ here, e.g. There.", "Is it?", "Yes."]


def test_what_leads_nowhere_or_says_nothing_is_no_key_sentence():
    assert parts.key_sentences("Why? So: it is\n\nas follows") == []
    egg = "(A hen lays one egg a day. Not two.)"
    assert parts.key_sentences(f"**No.** {egg} Then.") == [egg]
    assert parts.leading("Let $a$ be small. Then") == "Let $a$ be small. Then"
    assert parts.leading("Let $a$ be small. Then the cost of it is") == "Then the cost of it is"
    assert not parts.bold_sentences("**First the price.** Then more of it.")


def test_without_the_vendored_scripts_it_says_what_puts_them_there(tmp_path, capsys):
    (tmp_path / "_toc.yml").write_text((ROOT / "_toc.yml").read_text())
    assert slides.main(root=tmp_path, out=tmp_path / "slides") == 1
    assert "`python tools/vendor_assets.py` puts the JavaScript there" in capsys.readouterr().err
