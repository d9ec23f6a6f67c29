"""The recipe of the shipped WaveNet, on a few words and a few steps, and what was shipped."""

import re

import pytest
import torch

from genai_utils import zoo
from genai_utils.data import sound
from genai_utils.recipes import wavenet
from genai_utils.recipes.ship import Job

ENGLISH = sound.spoken_numbers("test").of("English")


def test_training_lowers_the_bits():
    (recipe,), words = wavenet.RECIPES, sound.spoken_numbers()
    trained = wavenet.train(Job(recipe, 6, progress=False))
    torch.manual_seed(0)
    assert wavenet.bits(trained, words) < wavenet.bits(zoo.build("wavenet"), words) - 0.1


def test_the_shipped_network_hears_unheard_words_as_well_as_its_card_says():
    stated = float(re.search(r"\| English \| [\d.]+ \| ([\d.]+) \|", zoo.card("wavenet"))[1])
    assert stated < 5
    assert wavenet.bits(zoo.load("wavenet"), ENGLISH) == pytest.approx(stated, abs=0.02)
