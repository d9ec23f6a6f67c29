"""Sound that the reader can play: inside the page itself, with a name for those who cannot see the player."""

from __future__ import annotations

import base64
import html
import io
import wave

import numpy as np
from IPython.display import display
from torch import Tensor

MAX_SECONDS = 2.0  # a stored second weighs 21 kB at 8,000 samples a second


def audio(samples: Tensor, rate: int, label: str) -> None:
    """Show a player for a recording, which the notebook stores, with its label above it.

    Args: samples: (n,) int16, or float in [-1, 1]; rate: samples a second; label: what one hears, for every reader.
    Raises: ValueError for another shape or range, more than `MAX_SECONDS`, or no label.
    """
    if not label.strip():
        raise ValueError("a recording needs a label: what one hears, in a few words")
    seconds = samples.numel() / rate
    if samples.dim() != 1 or not 0 < seconds <= MAX_SECONDS:
        raise ValueError(
            f"samples must be (n,) of at most {MAX_SECONDS} s, got {tuple(samples.shape)}: {seconds:.1f} s"
        )
    source = base64.b64encode(_wav(_int16(samples), rate)).decode()
    name = html.escape(label)
    player = f'<audio controls preload="metadata" aria-label="{name}" src="data:audio/wav;base64,{source}"></audio>'
    markup = f'<figure class="genai-audio"><figcaption>{name}</figcaption>{player}</figure>'
    display({"text/html": markup, "text/plain": f"[sound, {seconds:.1f} s] {label}"}, raw=True)


def _int16(samples: Tensor) -> np.ndarray:
    if not samples.is_floating_point():
        return samples.cpu().numpy().astype("<i2")
    if not samples.abs().max() <= 1:
        raise ValueError(f"samples must lie in [-1, 1], got up to {float(samples.abs().max())}")
    return (samples.detach().float().cpu().numpy() * 32_767).round().astype("<i2")


def _wav(samples: np.ndarray, rate: int) -> bytes:
    """The bytes of a WAV file: one channel, 16 bits."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.tobytes())
    return file.getvalue()
