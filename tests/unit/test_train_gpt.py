"""The recipe of the shipped GPT on a few steps, and the grid of eight bits on which its weights lie."""

import hashlib
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.torch import load_file

from genai_utils import zoo
from genai_utils.data import text
from genai_utils.models import gpt
from tools import train_gpt

ALPHABET = text.shakespeare_alphabet()


@given(hnp.arrays("float32", (3, 5), elements=st.floats(-4, 4, width=16)).map(torch.from_numpy))
def test_a_row_on_its_grid_is_at_most_half_a_step_away_and_stays_where_it_is(matrix):
    matrix = matrix + torch.tensor([0.1, 0, 0, 0, 0])  # a row of zeros would have no grid
    matrix[matrix.abs().amax(1) < 0.05] = 0.1
    step = matrix.abs().amax(dim=1, keepdim=True) / 127
    grid = train_gpt.on_grid(matrix)
    assert ((grid - matrix).abs() <= step * 0.50001).all()
    assert torch.equal((grid / step).round(), (train_gpt.on_grid(grid) / step).round())


def test_the_shipped_matrices_are_integers_of_eight_bits_times_a_scale_a_row():
    state = load_file(zoo.WEIGHTS / "gpt.safetensors")
    matrices = [value for value in state.values() if value.dim() == 2]
    assert len(matrices) == 4 * 4 + 2
    for matrix in matrices:
        multiples = matrix / (matrix.abs().amax(dim=1, keepdim=True) / 127)
        assert (multiples - multiples.round()).abs().max() < 1e-3 and multiples.abs().max() < 127.001


def test_the_shipped_model_knows_macbeth_as_well_as_its_card_says():
    card, model = zoo.card("gpt"), zoo.load("gpt")
    found = train_gpt.surprise(model, text.encode(text.shakespeare("validation"), ALPHABET))
    assert found == pytest.approx(float(re.search(r"\*\*([\d.]+) nats\*\*", card)[1]), abs=0.002)
    assert found < 1.72


def test_training_repeats_with_its_seed_and_learns(monkeypatch):
    monkeypatch.setattr(train_gpt, "BATCH", 4)
    tokens = text.encode(text.shakespeare("train")[:3_000], ALPHABET)
    first, second, other = (train_gpt.train(tokens, 8, seed) for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.head.weight, other.head.weight)
    assert train_gpt.surprise(first, tokens) < train_gpt.surprise(gpt.shakespeare(), tokens) - 0.5


def test_the_recipe_writes_weights_and_card(monkeypatch, tmp_path):
    plays = text.shakespeare("train")[:3_000]
    monkeypatch.setattr(text, "shakespeare", lambda split: plays)
    monkeypatch.setattr("sys.argv", ["train_gpt.py", "--steps", "2", "--output", str(tmp_path)])
    monkeypatch.setattr(torch, "set_num_threads", lambda n: None)  # the other tests keep their threads
    monkeypatch.setattr(train_gpt, "WRITTEN", 20)
    train_gpt.main()
    content = (tmp_path / "gpt.safetensors").read_bytes()
    written = (tmp_path / "gpt.md").read_text()
    assert hashlib.sha256(content).hexdigest() in written and "--seed 0 --steps 2`" in written
    headings = [line for line in written.splitlines() if line.startswith("#")]
    assert headings == [line for line in zoo.card("gpt").splitlines() if line.startswith("#")]
