"""The recipe of the shipped WaveNet, on a few words and a few steps, and what was shipped."""

import hashlib
import re

import pytest
import torch

from genai_utils import zoo
from genai_utils.data import sound
from genai_utils.models import wavenet
from tools import train_wavenet

ALL = sound.spoken_numbers()
FEW = sound.Words(tuple(wave[2_000:3_500] for wave in ALL.waves[::16]), ALL.numbers[::16], ALL.voices[::16])


def test_training_lowers_the_bits_and_repeats_with_its_seed():
    first, second, other = (train_wavenet.train(FEW, steps=6, seed=seed) for seed in (0, 0, 1))
    torch.manual_seed(0)
    assert train_wavenet.bits(first, FEW) < train_wavenet.bits(wavenet.spoken(), FEW) - 0.1
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.mix.weight, other.mix.weight)


def test_the_recipe_writes_weights_and_card(monkeypatch, tmp_path):
    monkeypatch.setattr(sound, "spoken_numbers", lambda split="train": FEW)
    monkeypatch.setattr("sys.argv", ["train_wavenet.py", "--steps", "2", "--output", str(tmp_path)])
    monkeypatch.setattr(torch, "set_num_threads", lambda n: None)  # the other tests keep their threads
    train_wavenet.main()
    content = (tmp_path / "wavenet.safetensors").read_bytes()
    written = (tmp_path / "wavenet.md").read_text()
    assert hashlib.sha256(content).hexdigest() in written and "--seed 0 --steps 2`" in written
    headings = [line for line in written.splitlines() if line.startswith("#")]
    assert headings == [line for line in zoo.card("wavenet").splitlines() if line.startswith("#")]


def test_the_shipped_network_hears_unheard_words_as_well_as_its_card_says():
    english = sound.spoken_numbers("test").of("English")
    stated = float(re.search(r"\| English \| [\d.]+ \| ([\d.]+) \|", zoo.card("wavenet"))[1])
    net = zoo.load("wavenet")
    assert isinstance(net, wavenet.WaveNet) and stated < 5
    assert train_wavenet.bits(net, english) == pytest.approx(stated, abs=0.02)
