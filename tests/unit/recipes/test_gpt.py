"""The recipe of the shipped GPT, and the eight bits in which its matrices lie."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.torch import load_file

from genai_utils import zoo
from genai_utils.data import text
from genai_utils.models.quantization import eight_bits, on_grid
from genai_utils.recipes import gpt
from genai_utils.recipes.ship import Job

ALPHABET = text.shakespeare_alphabet()
MACBETH = text.encode(text.shakespeare("validation"), ALPHABET)


@given(hnp.arrays("float32", (3, 2, 5), elements=st.floats(-4, 4, width=16)).map(torch.from_numpy))
def test_a_row_on_its_grid_is_at_most_half_a_step_away_and_stays_where_it_is(matrix):
    step = eight_bits(matrix)[1][:, None, None]
    grid = on_grid(matrix)
    assert ((grid - matrix).abs() <= step * 0.50001).all()
    assert torch.equal(eight_bits(grid)[0], eight_bits(matrix)[0])


def test_the_shipped_matrices_lie_in_eight_bits_and_a_scale_a_row():
    stored = load_file(zoo.WEIGHTS / "gpt.safetensors")
    whole = {name: value for name, value in stored.items() if value.dtype == torch.int8}
    model = zoo.load("gpt").state_dict()
    assert {name for name, value in model.items() if value.dim() == 2} == set(whole)
    for name, value in whole.items():
        assert torch.equal(value.float() * stored[f"{name}:scales"][:, None], model[name])
        assert torch.equal(eight_bits(model[name])[0], value), "the page rounds again: it must change nothing"


def test_the_shipped_model_knows_macbeth_as_well_as_its_card_says():
    found = gpt.surprise(zoo.load("gpt"), MACBETH)
    assert found == pytest.approx(float(re.search(r"\*\*([\d.]+) nats\*\*", zoo.card("gpt"))[1]), abs=0.002)
    assert found < 1.72


def test_training_learns(monkeypatch):
    monkeypatch.setattr(gpt, "BATCH", 4)
    (recipe,) = gpt.RECIPES
    tokens = text.encode(text.shakespeare("train"), ALPHABET)
    trained = gpt.train(Job(recipe, 8, progress=False))
    assert gpt.surprise(trained, tokens) < gpt.surprise(zoo.build("gpt"), tokens) - 0.5
