"""A little data for all recipes, so that a few steps take a second."""

import pytest

from genai_utils.data import images, sound, text

TEST = images.fashion_mnist("test")
FEW = images.Images(TEST.pixels[:300], TEST.labels[:300], TEST.classes, "a few")
ALL = sound.spoken_numbers()
WORDS = sound.Words(tuple(wave[2_000:3_500] for wave in ALL.waves[::16]), ALL.numbers[::16], ALL.voices[::16])
PLAY = text.shakespeare("train")[:3_000]


@pytest.fixture(autouse=True)
def little_data(monkeypatch):
    monkeypatch.setattr(images, "fashion_mnist", lambda split, full: FEW)
    monkeypatch.setattr(sound, "spoken_numbers", lambda split="train": WORDS)
    monkeypatch.setattr(text, "shakespeare", lambda split: PLAY)
