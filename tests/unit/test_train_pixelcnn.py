"""The recipe of the shipped pixel model, on a few images and a few steps."""

import hashlib
import math

import torch

from genai_utils import zoo
from genai_utils.data.images import Images, fashion_mnist
from genai_utils.models import pixelcnn
from tools import train_pixelcnn

TEST = fashion_mnist("test")
FEW = Images(TEST.pixels[:80], TEST.labels[:80], TEST.classes, "a few")


def test_training_lowers_the_bits_and_repeats_with_its_seed():
    x = pixelcnn.quantize(FEW.pixels, 16)

    def trained(seed):
        torch.manual_seed(seed)
        return train_pixelcnn.train(pixelcnn.PixelCNN(16, width=8, blocks=1), x, steps=12, seed=seed)

    first, second, other = trained(0), trained(0), trained(1)
    assert -first.log_prob(x).mean() / 784 < 0.9 * math.log(16)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.first.weight, other.first.weight)


def test_the_rate_warms_up_and_falls_to_zero():
    rates = [train_pixelcnn.rate(share) for share in (0, 0.025, 0.05, 0.5, 1)]
    assert 0 < rates[0] < rates[1] < rates[2] and rates[2] > rates[3] > rates[4] == 0 and max(rates) <= 1


def test_the_recipe_writes_weights_and_card(monkeypatch, tmp_path):
    monkeypatch.setattr(train_pixelcnn, "fashion_mnist", lambda split, full: FEW)
    monkeypatch.setattr(train_pixelcnn, "N_SAMPLES", 70)
    monkeypatch.setattr(train_pixelcnn, "BUILD", {"pixelcnn": lambda: pixelcnn.PixelCNN(256, width=4, blocks=1)})
    monkeypatch.setattr("sys.argv", ["train_pixelcnn.py", "pixelcnn", "--steps", "2", "--output", str(tmp_path)])
    monkeypatch.setattr(torch, "set_num_threads", lambda n: None)  # the other tests keep their threads
    train_pixelcnn.main()
    content = (tmp_path / "pixelcnn.safetensors").read_bytes()
    written = (tmp_path / "pixelcnn.md").read_text()
    assert hashlib.sha256(content).hexdigest() in written and "pixelcnn --seed 0 --steps 2`" in written
    headings = [line for line in written.splitlines() if line.startswith("#")]
    assert headings == [line for line in zoo.card("pixelcnn").splitlines() if line.startswith("#")]
