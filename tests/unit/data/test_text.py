"""The texts are the shipped ones, are what their script says, and a damaged file is noticed."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genai_utils.data import text
from tools.make_shakespeare import LENGTHS, play, verse


def test_the_lines_are_short_verse_in_ascii():
    lines = text.shakespeare_lines()
    assert len(lines) == 2957
    assert lines[0] == "From fairest creatures we desire increase," and lines[-1].startswith("To Tarquin's")
    assert all(len(line) in LENGTHS and line.isascii() and line == line.strip() for line in lines)


@pytest.mark.parametrize("split, thousands, inside", [
    ("train", 884, "To be, or not to be"), ("validation", 96, "Out, out, brief candle!"),
])  # fmt: skip
def test_the_plays_are_speeches_in_ascii_under_their_speakers(split, thousands, inside):
    plays = text.shakespeare(split)
    assert round(len(plays) / 1000) == thousands and inside in plays
    assert plays.isascii() and not re.search(r"[\[\]{}\f\t\r]|^ | $|\n{3}|SCENE", plays, re.MULTILINE)
    speeches = plays.strip().split("\n\n")
    named = sum(bool(re.match(r"[A-Z' ,]+:\n\S", speech)) for speech in speeches)
    assert len(speeches) > 500 and named > 0.9 * len(speeches)


def test_the_play_to_validate_on_is_not_among_those_to_train_on():
    validation, train = text.shakespeare("validation"), text.shakespeare()
    passages = [validation[i : i + 60] for i in range(0, len(validation) - 60, 60)]
    assert not any(passage in train for passage in passages)


def test_the_alphabet_writes_both_splits_and_nothing_else():
    alphabet = text.shakespeare_alphabet()
    assert len(alphabet) == 67 and "".join(sorted(set(alphabet))) == alphabet
    assert set(alphabet) == set(text.shakespeare() + text.shakespeare("validation"))


@given(st.text(text.shakespeare_alphabet()))
def test_encoded_text_is_places_in_the_alphabet_and_comes_back_whole(words):
    alphabet = text.shakespeare_alphabet()
    tokens = text.encode(words, alphabet)
    assert tokens.dtype == torch.long and tokens.tolist() == [alphabet.index(character) for character in words]
    assert text.decode(tokens, alphabet) == words


def test_a_character_outside_the_alphabet_is_named():
    with pytest.raises(ValueError, match="'or是', not in the alphabet 'Tbe '"):
        text.encode("To be or 是", "Tbe ")


def test_an_unknown_split_names_those_there_are():
    with pytest.raises(ValueError, match="split must be one of 'train', 'validation', got 'test'"):
        text.shakespeare("test")


@pytest.mark.parametrize("path, load", [("LINES", text.shakespeare_lines), ("PLAYS", text.shakespeare)])
def test_a_damaged_file_is_refused(path, load, tmp_path, monkeypatch):
    shipped = getattr(text, path)
    damaged = tmp_path / shipped.name
    damaged.write_bytes(shipped.read_bytes()[:-1])
    monkeypatch.setattr(text, path, damaged)
    with pytest.raises(ValueError, match="sha256 .* reinstall"):
        load()


def test_headings_numbers_and_long_lines_are_no_verse():
    poem = "THE SONNETS OF SHAKESPEARE\n\nXVIII\n\n  Shall I compare thee to a   summer's day?\n" + "a" * 60
    assert verse(poem) == ["Shall I compare thee to a summer's day?"]


def test_a_play_keeps_what_is_spoken_and_by_whom():
    page = (
        "HAMLET\n\nPERSONS\nHamlet, a prince.\n\nACT I.\n\nScene I. A platform.\n\n[Enter two [very sad] Clowns.]\n\n"
        "1 Clown.\nIs she   to be buried?\n[He sings\nat the grave.]\n\nHam.\nAlas,\n\n[Exeunt\n\n"
        "O cruell&egrave;d\nday\n"
    )
    assert play(page) == "FIRST CLOWN:\nIs she to be buried?\n\nHAM:\nAlas,\n\nO cruelled\nday\n"
