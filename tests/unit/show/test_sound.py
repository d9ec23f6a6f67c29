"""A recording shown is stored in the notebook, plays what it was given, and has a name."""

import base64
import io
import re
import wave

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup

from genai_utils.show import sound


@pytest.fixture
def shown(monkeypatch):
    outputs: list[dict] = []
    monkeypatch.setattr(sound, "display", lambda bundle, raw: outputs.append(bundle))
    return outputs


def played(bundle):
    """Rate and samples of the WAV file in the player's own address."""
    source = BeautifulSoup(bundle["text/html"], "html.parser").audio["src"]
    kind, data = source.split(",")
    assert kind == "data:audio/wav;base64"
    with wave.open(io.BytesIO(base64.b64decode(data))) as file:
        return file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2")


@pytest.mark.parametrize("samples, expected", [
    (torch.tensor([0, 5, -32768, 32767], dtype=torch.int16), [0, 5, -32768, 32767]),
    (torch.tensor([0.0, 0.5, -1.0, 1.0]), [0, 16384, -32767, 32767]),
])  # fmt: skip
def test_the_player_holds_the_samples_itself(shown, samples, expected):
    sound.audio(samples, 8_000, "four samples")
    rate, found = played(shown[0])
    assert rate == 8_000 and found.tolist() == expected
    assert not re.search(r"https?:", shown[0]["text/html"])


def test_everybody_learns_what_it_is(shown):
    sound.audio(torch.zeros(8_000), 8_000, 'says "seven" <loud>')
    page = BeautifulSoup(shown[0]["text/html"], "html.parser")
    assert page.audio["aria-label"] == page.figcaption.text == 'says "seven" <loud>'
    assert shown[0]["text/plain"] == '[sound, 1.0 s] says "seven" <loud>'
    assert len(shown[0]["text/html"]) < 25_000


@pytest.mark.parametrize("samples, label, message", [
    (torch.zeros(9), " ", "needs a label"),
    (torch.zeros(2, 9), "two", r"must be \(n,\) of at most 2.0 s, got \(2, 9\)"),
    (torch.zeros(0), "none", r"got \(0,\)"),
    (torch.zeros(16_001), "long", "got .*: 2.0 s"),
    (torch.tensor([0.0, 1.5]), "loud", r"lie in \[-1, 1\], got up to 1.5"),
    (torch.tensor([0.0, float("nan")]), "nothing", r"lie in \[-1, 1\], got up to nan"),
])  # fmt: skip
def test_what_cannot_be_played_is_refused(shown, samples, label, message):
    with pytest.raises(ValueError, match=message):
        sound.audio(samples, 8_000, label)
    assert not shown
