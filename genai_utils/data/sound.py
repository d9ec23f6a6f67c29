"""Sound that ships with the course: the numbers 0 to 20 in four languages and four voices, 8,000 samples a second.

Recordings: Asterisk core sounds 1.6.1 (Debian's asterisk-core-sounds-*-wav). English and French are under Creative
Commons Attribution-ShareAlike 3.0, Italian and Russian under Attribution 3.0; speakers in NOTICE; cut by
tools/make_sound.py.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from genai_utils.checks import one_of
from genai_utils.data.files import verified

FILE = Path(__file__).with_name("sound.npz")
SHA256 = "43b0412815d5d9f994e374c8cf89322f37c3064f433b80c5054a97725e5fb0be"
RATE = 8_000  # samples a second
VOICES = ("English", "French", "Italian", "Russian")
HELD_OUT = (3, 7, 11, 15, 19)  # numbers that only the test split speaks


@dataclass(frozen=True)
class Words:
    """Recordings of spoken numbers: `waves[i]` (length,) int16 says `numbers[i]` in the voice VOICES[voices[i]]."""

    waves: tuple[Tensor, ...]
    numbers: Tensor
    voices: Tensor

    def __len__(self) -> int:
        return len(self.waves)

    def of(self, voice: str) -> Words:
        """The recordings of one voice.  Raises: ValueError for a voice that is not one of `VOICES`."""
        one_of(VOICES, voice=voice)
        return self._chosen(self.voices == VOICES.index(voice))

    def _chosen(self, wanted: Tensor) -> Words:
        waves = tuple(wave for wave, keep in zip(self.waves, wanted.tolist(), strict=True) if keep)
        return Words(waves, self.numbers[wanted], self.voices[wanted])


def spoken_numbers(split: str = "train") -> Words:
    """The numbers 0 to 20 as each of four voices says them: 64 recordings to train on, 20 of other numbers to test on.

    Recordings are int16, 8,000 samples a second, 0.2 to 1.0 s long: 40 s to train on, 13 s to test on.
    Raises: ValueError: another split, or the file is not the one we shipped.
    """
    one_of(("train", "test"), split=split)
    words = _words()
    held_out = torch.isin(words.numbers, torch.tensor(HELD_OUT))
    return words._chosen(held_out if split == "test" else ~held_out)


def _words() -> Words:
    with np.load(io.BytesIO(verified(FILE, SHA256))) as data:
        samples = np.ascontiguousarray(data["halves"].T).view("<i2")[:, 0]
        waves = torch.from_numpy(samples.astype(np.int16)).split(data["lengths"].tolist())
        return Words(waves, torch.from_numpy(data["numbers"]).long(), torch.from_numpy(data["voices"]).long())
