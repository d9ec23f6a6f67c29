"""Draw what the blind test shows: pictures and lines, real ones and those of the models that ship with the course.

    python tools/make_blind_test.py

writes book/_static/blind.json: 80 pictures, half of them from the 2,000 that no model was trained on, half by three
models; and 48 lines, half of them from Macbeth, which no model read, half by two models. What a model writes is taken
as it comes: nobody chose. Two copies of a line count once.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import genai_utils as gu
from genai_utils.data import fashion_mnist, text
from genai_utils.models import sampling
from genai_utils.models.ngram import NGram

FILE = Path(__file__).resolve().parents[1] / "book" / "_static" / "blind.json"
REAL = "real"
PICTURES = {"DCGAN": 14, "PixelCNN": 13, "VAE": 13}
LINES = {"GPT": 12, "counting": 12}
LENGTHS = range(28, 56)  # characters of a line that is shown


def main() -> None:
    """Write the file."""
    pixels, by = pictures()
    shown = {"kinds": by, "pixels": base64.b64encode(pixels.tobytes()).decode()}
    FILE.write_text(json.dumps({"pictures": shown, "lines": lines()}, indent=1) + "\n", encoding="utf-8")
    print(f"{FILE.name}: {FILE.stat().st_size / 1000:.0f} kB")


def pictures() -> tuple[np.ndarray, list[str]]:
    """Grey values (n, 784) uint8, and who made each."""
    luck = torch.Generator().manual_seed(20261128)
    test = fashion_mnist("test").images
    count = sum(PICTURES.values())
    made = {
        "DCGAN": lambda n: gu.zoo.load("dcgan")(torch.randn(n, 64, generator=luck)),
        "PixelCNN": lambda n: gu.zoo.load("pixelcnn").sample(n, generator=luck)[:, None] / 127.5 - 1,
        "VAE": lambda n: gu.zoo.load("vae").sample(n, generator=luck),
    }
    with torch.no_grad():
        parts = [(REAL, test[torch.randperm(len(test), generator=luck)[:count]])]
        parts += [(name, made[name](n)) for name, n in PICTURES.items()]
    return grey(torch.cat([images for _, images in parts])), [name for name, images in parts for _ in images]


def grey(images: Tensor) -> np.ndarray:
    """Images in [-1, 1] as bytes, (n, 784)."""
    return ((images.flatten(1).clamp(-1, 1) + 1) * 127.5).round().byte().numpy()


def lines() -> list[list[str]]:
    """Pairs of a line and who wrote it."""
    train, test = text.shakespeare(), text.shakespeare("validation")
    luck, torch_luck = np.random.default_rng(20261128), torch.Generator().manual_seed(20261128)
    macbeth = fitting(test)
    found = [[line, REAL] for line in luck.permutation(macbeth)[: sum(LINES.values())]]
    alphabet = text.shakespeare_alphabet()
    prompt = text.encode("\n", alphabet)[None]
    written = sampling.generate(gu.zoo.load("gpt"), prompt, 2_000, generator=torch_luck)
    counted = NGram(train, 6, alphabet).sample(4_000, past="\n", generator=luck)
    for name, said in (("GPT", text.decode(written[0], alphabet)), ("counting", counted)):
        found += [[line, name] for line in fitting(said)[: LINES[name]]]
    return found


def fitting(said: str) -> list[str]:
    """Whole lines of a length that can be judged, each once; names of speakers, in capitals, are left out."""
    whole = dict.fromkeys(line.strip() for line in said.split("\n")[1:-1])
    return [line for line in whole if len(line) in LENGTHS and not line.isupper()]


if __name__ == "__main__":
    main()
