"""The generator of a DCGAN: the loop of the chapter on GAN training, only longer and with a slower average."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from genai_utils import zoo
from genai_utils.data import images as data
from genai_utils.metrics import samples
from genai_utils.models import gan
from genai_utils.recipes.ship import Job, Recipe, report_table
from genai_utils.records.table import markdown_table

BATCH, RATE = 32, 1e-3
N_SAMPLES = 10_000


def train(job: Job) -> nn.Module:
    """Play; the averaged generator is what ships."""
    run, G, D = job.run(), job.build(), gan.Discriminator()
    opt_g, opt_d = (torch.optim.Adam(p.parameters(), RATE, betas=(0.5, 0.99), fused=True) for p in (G, D))
    G, D, opt_g, opt_d = run.setup(G, D, opt_g, opt_d)
    average = run.average(G, decay=0.999)
    for real in run.batches(data.fashion_mnist("train", full=True).images, batch_size=BATCH):
        fake = G(run.noise(BATCH, 64))
        d_loss = gan.discriminator_loss(D, real, fake.detach())
        run.step(opt_d, d_loss)
        g_loss = gan.generator_loss(D, fake)
        run.step(opt_g, g_loss)
        run.log(d_loss=d_loss, g_loss=g_loss)
    return average.module


def judge(generator: gan.Generator) -> dict[str, Any]:
    """Samples of a fixed noise against real pictures, and how they share the classes."""
    noise = torch.randn(N_SAMPLES, 64, generator=torch.Generator().manual_seed(1))
    drawn = torch.cat([generator(z) for z in noise.split(500)])
    shares = [(name, f"{float(share):.1%}") for name, share in samples.class_shares(drawn).items()]
    report = samples.evaluate(drawn, data.fashion_mnist("test", full=True).images)
    return {
        "n": N_SAMPLES,
        "report": report_table(report),
        "shares": markdown_table(("class", "share"), shares),
    }


CARD = """# dcgan

The generator of a small DCGAN (`genai_utils.models.gan.Generator`), averaged over its training, that draws articles of
clothing of 28 x 28 grey pixels. The course shows it in the latent explorer and judges it in the chapter on training.

- **Input** noise (n, 64), standard normal. **Output** images (n, 1, 28, 28) in [-1, 1].
{facts}

## Quality
{n:,} samples against the 10,000 test images, in the features of `fashion-classifier` (this is not FID), and beside
it what as many real training images score; the spreads are those of `genai_utils.metrics.samples`.

{report}

Share of each class among the samples, as the classifier sees them (10 % each in the data):

{shares}

## Limits
It knows articles of clothing as they stand in one catalogue, and its texture is smoother than a photograph's. It has
seen products only and cannot draw people. Class shares carry the faults of the classifier that counts them.
"""

RECIPES = [Recipe(zoo.Entry("dcgan", "models.gan:Generator"), 40_000, train, judge, CARD)]
