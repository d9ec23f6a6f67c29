"""Variational autoencoders: "vae" has 20 latents and samples well; "vae-maps" are small, with two, for a web page."""

from __future__ import annotations

import json
import math
from typing import Any

import torch
from torch import Tensor, nn

from genai_utils import zoo
from genai_utils.data import images as data
from genai_utils.metrics import likelihood, samples
from genai_utils.models import vae
from genai_utils.recipes.ship import Job, Recipe, cut_gradients
from genai_utils.records.table import markdown_table

BATCH, STEPS = 128, 6_000
N_SAMPLES = 10_000
IWAE_IMAGES, IWAE_DRAWS = 400, 500


def train(job: Job) -> nn.Module:
    """One model, at a rate at which a rare jump must be cut."""
    model = job.build()
    return fit(job, model, data.fashion_mnist("train", full=True).images, rate=2.5e-3, cut=200)


def train_maps(job: Job) -> nn.Module:
    """A model for each weight of the KL, one after the other."""
    models, images = job.build(), data.fashion_mnist("train", full=True).images
    for model, beta in zip(models, vae.MAP_BETAS, strict=True):
        fit(job, model, images, rate=6e-3, beta=beta)
    return models


def fit(job: Job, bare: vae.VAE, images: Tensor, rate: float, cut: float = math.inf, beta: float = 1.0) -> vae.VAE:
    """Raise the bound, in place; returns the model.  cut: norm at which gradients end.  images: (n, 1, 28, 28)."""
    bare.center(images)
    run = job.run()
    adam = torch.optim.AdamW(bare.parameters(), rate, betas=(0.9, 0.99), weight_decay=0, fused=True)
    cut_gradients(adam, cut)
    due = torch.optim.lr_scheduler.OneCycleLR(
        adam, rate, total_steps=job.steps, pct_start=0.05, anneal_strategy="linear", cycle_momentum=False
    )
    model, optimizer, schedule = run.setup(bare, adam, due)
    for x in run.batches(images, batch_size=min(BATCH, len(images))):
        bound = vae.elbo(model, x, beta=beta)
        run.step(optimizer, -bound.objective)
        schedule.step()
        run.log(elbo=(bound.reconstruction - bound.kl.sum(dim=1)).mean())
    return bare


def measures(model: vae.VAE, test: Tensor) -> dict[str, float]:
    """Of test images (n, 1, 28, 28): terms of the bound and spread of the codes; and the distance of samples."""
    noise = torch.randn(len(test), model.latent, generator=torch.Generator().manual_seed(1))
    _, reconstruction, kl = vae.elbo(model, test, noise=noise)
    mean, _ = model.encode(test)
    drawn = model.sample(N_SAMPLES, generator=torch.Generator().manual_seed(2))
    distance = samples.frechet_distance(samples.features(drawn), samples.features(test), resamples=2)
    return {
        "bound": float((kl.sum(dim=1) - reconstruction).mean()),
        "reconstruction": float(-reconstruction.mean()),
        "kl": float(kl.sum(dim=1).mean()),
        "spread": float(mean.std(dim=0).square().mean().sqrt()),
        "active": int(vae.active_units(mean).sum()),
        "frechet": float(distance),
    }


def judge(model: vae.VAE) -> dict[str, Any]:
    """The measures of the one model, and its importance bound."""
    test = data.fashion_mnist("test", full=True).images
    weights = vae.log_weights(model, test[:IWAE_IMAGES], IWAE_DRAWS, generator=torch.Generator().manual_seed(3))
    tightened, found = -float(likelihood.importance_bound(weights).mean()), measures(model, test)
    rows = [
        ("-ELBO", f"{found['bound']:.1f}"),
        ("reconstruction", f"{found['reconstruction']:.1f}"),
        ("KL", f"{found['kl']:.1f}"),
        (f"minus the importance bound, {IWAE_DRAWS} draws, first {IWAE_IMAGES:,} test images", f"{tightened:.1f}"),
        (f"active latents, of {model.latent}", f"{found['active']}"),
        ("Frechet distance", f"{found['frechet']:.1f}"),
    ]
    return {"latent": model.latent, "table": markdown_table(("measure", "value"), rows)}


def judge_maps(models: list[vae.VAE]) -> dict[str, Any]:
    """A row of measures for each model."""
    test = data.fashion_mnist("test", full=True).images
    cells = "{beta:g}|{bound:.1f}|{reconstruction:.1f}|{kl:.1f}|{spread:.2f}|{frechet:.0f}"
    found = [measures(model, test) | {"beta": beta} for beta, model in zip(vae.MAP_BETAS, models, strict=True)]
    head = ("beta", "-ELBO", "reconstruction", "KL", "sd of the codes", "Frechet distance")
    return {"latent": 2, "table": markdown_table(head, [cells.format(**row).split("|") for row in found])}


CARD = """# vae

A variational autoencoder with 20 latents (`genai_utils.models.vae.VAE`) of articles of clothing of
28 x 28 grey pixels. The course samples from it, blends its codes and measures what its bound hides.
"""

CARD_OF_MAPS = """# vae-maps

Four variational autoencoders with two latents, one for each weight of the KL in `genai_utils.models.vae.MAP_BETAS`, as
one list: `zoo.load("vae-maps")[i]`. The course draws its maps of clothing with them, live in the page.
"""

CARD_OF_BOTH = """
- **Input** images (n, 1, 28, 28) in [-1, 1]; **output** of `encode` mean and log variance (n, {latent}), of `decode`
  logits (n, 1, 28, 28): sigmoid(logit) is the grey level, 0 black and 1 white.
{facts}

## Quality
On the 10,000 test images, in nats an image (Bernoulli cross-entropy on grey levels: no density, compare only with the
same); the Frechet distance of 10,000 samples in the features of `fashion-classifier` (this is not FID).

{table}

## Limits
It knows articles of clothing as they stand in one catalogue, and has seen products only: it cannot draw people. Its
samples are expected images, so they are blurred; real pixels vary around them.
"""

MAPS = json.dumps([{"latent": 2, "hidden": [104, 64]}] * len(vae.MAP_BETAS))

RECIPES = [
    Recipe(zoo.Entry("vae", "models.vae:VAE"), STEPS, train, judge, CARD + CARD_OF_BOTH, form="int8"),
    Recipe(zoo.Entry("vae-maps", "models.vae:VAE", MAPS), STEPS, train_maps, judge_maps, CARD_OF_MAPS + CARD_OF_BOTH),
]
