"""A VQ-VAE and the prior of its codes: the loops of the chapter on VQ-VAE, only longer.

The prior learns the codes of the autoencoder that ships.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from genai_utils import zoo
from genai_utils.data import images as data
from genai_utils.metrics import samples
from genai_utils.models import vqvae
from genai_utils.recipes.ship import Job, Recipe, report_table

RATE, BATCH = 3e-3, 32
RESTART_EVERY, RESTART_UNTIL = 100, 1_000
N_SAMPLES = 10_000


def optimizer(model: nn.Module, steps: int) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """AdamW without decay, and a rate that falls in a line to a fiftieth."""
    adam = torch.optim.AdamW(model.parameters(), RATE, betas=(0.9, 0.99), weight_decay=0.0, fused=True)
    return adam, torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.02, total_iters=steps)


def train(job: Job) -> nn.Module:
    """The autoencoder; its codebook follows the vectors, and codes that die early start again."""
    run, bare = job.run(), job.build()
    model, adam, schedule = run.setup(bare, *optimizer(bare, job.steps))
    for x in run.batches(data.fashion_mnist("train", full=True).images, batch_size=BATCH):
        out = model(x)
        loss = vqvae.loss(x, out)
        run.step(adam, loss)
        schedule.step()
        bare.codebook.update(out.z, out.codes)
        if run.done % RESTART_EVERY == 0 and run.done <= RESTART_UNTIL:
            bare.codebook.restart(out.z, below=0.1 if run.done else math.inf)
        run.log(loss=loss)
    return bare


def train_prior(job: Job) -> nn.Module:
    """The prior, told the kind of clothing."""
    seen = data.fashion_mnist("train", full=True)
    codes = autoencoder().encode(seen.images)
    run, bare = job.run(), job.build()
    model, adam, schedule = run.setup(bare, *optimizer(bare, job.steps))
    for code, label in run.batches(codes, seen.labels, batch_size=BATCH):
        loss = cross_entropy(model(code, label), code)
        run.step(adam, loss)
        schedule.step()
        run.log(loss=loss)
    return bare


def autoencoder() -> vqvae.VQVAE:
    """The one that ships."""
    model = zoo.load("vqvae")
    assert isinstance(model, vqvae.VQVAE)
    return model


def judge(model: vqvae.VQVAE) -> dict[str, Any]:
    """Codes in use, their perplexity and bits, and the error of the test pictures read back."""
    images, size = data.fashion_mnist("test", full=True).images, model.codebook.size
    codes = model.encode(images)
    return {
        "used": vqvae.used(codes, size),
        "size": size,
        "perplexity": vqvae.code_perplexity(codes, size),
        "bits": sum(vqvae.entropy_bits(place, size) for place in codes.flatten(1).T),
        "decibels": samples.psnr(model.decode(codes), images),
    }


def judge_prior(model: vqvae.CodePrior) -> dict[str, Any]:
    """Bits of the test codes, and its pictures against real ones."""
    test, reader = data.fashion_mnist("test", full=True), autoencoder()
    codes = reader.encode(test.images)
    told, untold = (-model.log_prob(codes, labels).mean() / math.log(2) for labels in (test.labels, None))
    drawn = model.sample(N_SAMPLES, generator=torch.Generator().manual_seed(1))
    report = samples.evaluate(reader.decode(drawn), test.images)
    return {"told": told, "untold": untold, "n": N_SAMPLES, "table": report_table(report)}


CARD = """# vqvae

A small VQ-VAE (`genai_utils.models.vqvae.VQVAE`): it writes a picture of an article of clothing as 7 x 7 codes out of
128, and reads it back. `vqvae-prior` writes new code maps for it.

- **Input** images (n, 1, 28, 28) in [-1, 1]. **Output** reconstructions of that shape, and codes (n, 7, 7).
{facts}

## Quality
On the 10,000 test images: **{decibels:.2f} dB** (PSNR). {used} of {size} codes in use, perplexity {perplexity:.0f}.
A picture takes {bits:.0f} bits (entropy of the codes, each place for itself); 343 without entropy coding.

## Limits
It knows articles of clothing as they stand in one catalogue, at 28 x 28 grey pixels. Prints, logos and fine texture are
what it loses first.
"""

CARD_OF_PRIOR = """# vqvae-prior

The probability of the code maps of `vqvae` (`genai_utils.models.vqvae.CodePrior`), one code after the other, given the
kind of clothing. Drawn from, it makes new pictures: `zoo.load("vqvae").decode(zoo.load("vqvae-prior").sample(n))`.

- **Input** codes (n, 7, 7) of 0 to 127 and labels (n,) of 0 to 9. **Output** logits (n, 128, 7, 7).
{facts}

## Quality
Test codes take **{told:.1f} bits** a picture when the kind is told and {untold:.1f} when it is not; a plain list of
codes takes 343. {n:,} samples against the 10,000 test images, in the features of `fashion-classifier` (this is not
FID), and beside it what as many real training images score; the spreads are those of `genai_utils.metrics.samples`.

{table}

## Limits
It knows articles of clothing as they stand in one catalogue. It cannot draw better than `vqvae` can decode.
"""

RECIPES = [
    Recipe(zoo.Entry("vqvae", "models.vqvae:VQVAE"), 12_000, train, judge, CARD),
    Recipe(
        zoo.Entry("vqvae-prior", "models.vqvae:CodePrior", '{"labels": 10}'),
        16_000, train_prior, judge_prior, CARD_OF_PRIOR,
    ),
]  # fmt: skip
