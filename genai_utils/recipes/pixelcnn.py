"""A PixelCNN of bytes: the loop of the chapter on pixels, only longer."""

from __future__ import annotations

import json
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from genai_utils import zoo
from genai_utils.data import images as data
from genai_utils.metrics import samples
from genai_utils.metrics.likelihood import bits_per_dim
from genai_utils.models import pixelcnn
from genai_utils.recipes.ship import Job, Recipe, cut_gradients, report_table

BATCH, RATE, NORM = 8, 4e-3, 1.0
N_SAMPLES = 2_000
SIZES = {"levels": 256, "width": 40, "blocks": 5, "first": 9, "size": 5}


def train(job: Job) -> nn.Module:
    """Raise the probability of the training pictures."""
    pixels, bare, run = data.fashion_mnist("train", full=True).pixels, job.build(), job.run()
    adam = torch.optim.AdamW(bare.parameters(), RATE, betas=(0.9, 0.99), weight_decay=0.0, fused=True)
    cut_gradients(adam, NORM)
    due = torch.optim.lr_scheduler.LambdaLR(adam, lambda done: rate(done / job.steps))
    model, optimizer, schedule = run.setup(bare, adam, due)
    for x in run.batches(pixelcnn.to_levels(pixels, bare.levels), batch_size=BATCH):
        loss = F.cross_entropy(model(x), x)
        run.step(optimizer, loss)
        schedule.step()
        run.log(loss=loss)
    return bare


def rate(share: float) -> float:
    """Share of the full rate when this share of the steps is done: it warms up, then falls in a line to zero."""
    return min((share + 1e-3) / 0.05, max(1 - share, 0.0) / 0.95)


def judge(model: pixelcnn.PixelCNN) -> dict[str, Any]:
    """Exact bits of the test pictures, and samples against real ones."""
    test = data.fashion_mnist("test", full=True)
    drawn = model.sample(N_SAMPLES, generator=torch.Generator().manual_seed(1))
    report = samples.evaluate(drawn[:, None] / (model.levels - 1) * 2 - 1, test.images)
    return {
        "levels": model.levels,
        "top": model.levels - 1,
        "bits": bits_per_dim(model.log_prob(pixelcnn.to_levels(test.pixels, model.levels)), levels=1),
        "n": N_SAMPLES,
        "table": report_table(report),
    }


CARD = """# pixelcnn

A PixelCNN (`genai_utils.models.pixelcnn.PixelCNN`) of articles of clothing, 28 x 28 pixels of {levels} grey
levels: it knows the exact probability of every picture, and draws new ones pixel by pixel.

- **Input** grey levels (n, 28, 28), int64, 0 to {top}. **Output** of `log_prob` nats (n,), of `sample` levels.
{facts}

## Quality
The 10,000 test images take **{bits.value:.3f} ± {bits.spread:.3f} bits a pixel** at {levels} grey levels (exact, no
bound). {n:,} samples against the 10,000 test images, in the features of `fashion-classifier` (this is not FID), and
beside it what as many real training images score; the spreads are those of `genai_utils.metrics.samples`.

{table}

## Limits
It knows articles of clothing as they stand in one catalogue. Most of its bits are spent on the grain of single pixels;
a sample can have perfect grain and no sleeve.
"""

RECIPES = [Recipe(zoo.Entry("pixelcnn", "models.pixelcnn:PixelCNN", json.dumps(SIZES)), 8_000, train, judge, CARD)]
