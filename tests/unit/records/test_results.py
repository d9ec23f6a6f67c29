"""What other chapters measured can be read by chapter and column."""

import pytest

from genai_utils.records import results as table
from genai_utils.records.results import measured

HEAD = (
    "chapter,model,data,parameters,steps,seconds,bits_per_dim,likelihood,bits_per_character,bits_per_sample,n,"
    "frechet,coverage,usd_per_1000\n"
)
ROWS = (
    "a,small,dots,1,10,5.0,2.5,exact,,,,,,\n"
    "a,large,dots,9,10,5.0,,,,,20,80.0,0.5,\n"
    "b,small,dots,1,10,5.0,2.0,exact,,,,,,\n"
)


@pytest.fixture(autouse=True)
def three_rows(monkeypatch, tmp_path):
    (tmp_path / "results.csv").write_text(HEAD + ROWS)
    monkeypatch.setattr(table, "TABLE", tmp_path / "results.csv")


def test_a_number_is_given_for_each_model_of_a_chapter_that_has_it():
    assert measured("bits_per_dim", "a") == {"small": 2.5}
    assert measured("parameters", "a") == {"small": 1, "large": 9}
    assert measured("frechet", "a") == {"large": 80.0}


def test_a_row_says_what_its_numbers_count():
    (table.TABLE).write_text(
        HEAD
        + "a,pictures,dots,1000,20,5.0,2.5,exact,,,1000,80.25,0.5,0.001\n"
        + "a,letters,plays,1,1,1.0,,,1.25,,,,,0.02\n"
        + "a,sound,words,1,1,1.0,,,,5.5,,,,3.0\n"
        + "a,nothing,dots,1,1,1.0,,,,,,,,\n"
    )
    pictures, letters, sound, nothing = (row.cells() for row in table.results())
    assert pictures == {
        "Model": "pictures",
        "Learned from": "dots",
        "Parameters": "1,000",
        "Training": "20 steps, 5 s",
        "Bits": "2.500 a pixel, exact",
        "Pictures judged": "1,000",
        "Fréchet distance": "80.2",
        "Coverage": "50%",
        "Price of drawing": "0.001 USD for 1,000 pictures",
    }
    assert (letters["Bits"], letters["Price of drawing"]) == ("1.250 a character", "0.02 USD for 1,000 characters")
    assert (sound["Bits"], sound["Price of drawing"]) == ("5.500 a sample of sound", "3 USD for 1,000 seconds of sound")
    assert set(list(nothing.values())[4:]) == {"–"}
    assert str(table.results()[3]) == ("Model nothing; Learned from dots; Parameters 1; Training 1 steps, 1 s")


@pytest.mark.parametrize(
    ("column", "chapters", "error", "message"),
    [
        ("bits", ["a"], ValueError, "results have no column 'bits', only chapter, model, .*usd_per_1000"),
        ("steps", ["a", "c"], ValueError, "no results of the chapters c; run `make notebooks`"),
        ("steps", ["a", "b"], ValueError, "two models of the chapters a, b have one name"),
    ],
)
def test_what_is_not_there_is_named(column, chapters, error, message):
    with pytest.raises(error, match=message):
        measured(column, *chapters)
