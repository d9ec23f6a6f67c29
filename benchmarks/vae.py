"""Which small VAE has the best bound on Fashion-MNIST in 50 and 200 seconds of one core? Ours against others.

    OMP_NUM_THREADS=1 python benchmarks/vae.py --core-seconds 50 200 --seeds 3

Every recipe has 20 latents, a Bernoulli cross-entropy on grey levels, the same 60,000 images, the same CPU time (of the
process, evaluation excluded) and the same judges: -ELBO of the 10,000 test images, the importance bound of some of
them, 10,000 samples. Recipes take turns within a seed, so that a busy machine is fair to all. A budget is part of a
recipe whose learning rate falls to zero at its end, so each budget has runs of its own.
Result: benchmarks/results/vae.json, written after every run; runs that it holds already are not repeated.
"""

from __future__ import annotations

import argparse
import statistics
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from record import read, write
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import ToTensor

from genai_utils.data import fashion_mnist
from genai_utils.metrics import likelihood
from genai_utils.metrics import samples as metrics
from genai_utils.models import vae
from genai_utils.models.classical import GaussianPCA
from genai_utils.session import precision

RESULT = Path(__file__).with_name("results") / "vae.json"
N_SAMPLES = 10_000
IWAE_IMAGES, IWAE_DRAWS = 400, 500


class Recipe(ABC):
    """A model and what happens to it on one batch."""

    batch: int
    model: vae.LatentVariableModel

    @abstractmethod
    def __init__(self, images: Tensor, core_seconds: float) -> None:
        """Take a look at the training images, (n, 1, 28, 28) in [-1, 1], and at the budget, where they matter."""

    def batches(self, images: Tensor, order: torch.Generator) -> Iterator[Tensor]:
        """Batches of the images, reshuffled every epoch, without end: each (batch, 1, 28, 28)."""
        while True:
            for rows in torch.randperm(len(images), generator=order).split(self.batch):
                yield images[rows]

    @abstractmethod
    def step(self, x: Tensor, share: float) -> None:
        """One update. x: (batch, 1, 28, 28) in [-1, 1]; share: how much of the budget is spent, 0 to 1."""


class PyTorchExamplesInMemory(Recipe):
    """The VAE of the PyTorch examples, 784-400-20, ReLU, Adam 1e-3, batches of 128, float32; our way to the data."""

    batch = 128

    def __init__(self, images: Tensor, core_seconds: float) -> None:
        encoder = nn.Sequential(Unit(), nn.Flatten(), nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 40))
        decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784), nn.Unflatten(1, (1, 28, 28)))
        self.model = vae.LatentVariableModel(encoder, decoder, 20, 0, vae.Bernoulli())
        self.optimizer = torch.optim.Adam(self.model.parameters(), 1e-3)

    def step(self, x: Tensor, share: float) -> None:
        """Down the gradient of minus the bound."""
        descend(self.optimizer, -vae.elbo(self.model, x).objective)


class PyTorchExamples(PyTorchExamplesInMemory):
    """The same with its own way to the data: a DataLoader that turns one picture after the other into a tensor."""

    def batches(self, images: Tensor, order: torch.Generator) -> Iterator[Tensor]:
        """As torchvision's data set and the example's loader (without a GPU) make them."""
        loader = DataLoader(Pictures(images), self.batch, shuffle=True, generator=order)
        while True:
            for x in loader:
                yield 2 * x - 1


class Pictures(Dataset[Tensor]):
    """Images (n, 1, 28, 28) in [-1, 1], one by one through PIL to a tensor in [0, 1], as torchvision gives them."""

    def __init__(self, images: Tensor) -> None:
        self.pixels = ((images[:, 0] + 1) * 127.5).round().to(torch.uint8)
        self.transform = ToTensor()

    def __len__(self) -> int:
        """Number of images."""
        return len(self.pixels)

    def __getitem__(self, index: int) -> Tensor:
        """One image, (1, 28, 28)."""
        return self.transform(Image.fromarray(self.pixels[index].numpy()))


class Unit(nn.Module):
    """From [-1, 1] to [0, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        """The same images in other units."""
        return (x + 1) / 2


class Ours(Recipe):
    """The VAE of the course with a mixture for a prior, bf16 where the processor has it, a rate that rises and falls.

    The prior learns where the codes are, which spares the bound the gap between their heaps and N(0, I). With it, an
    encoder of one hidden layer does better than one of two, and is faster. It sees principal components instead of
    pixels: fewer weights, which learn less by heart.
    Gradients are cut to a norm of 200, about twice the usual one: at such rates a rare step would break training.
    """

    batch, components = 256, 128
    rate = 6e-3  # of a run of 50 seconds; longer runs go slower

    def __init__(self, images: Tensor, core_seconds: float) -> None:
        self.rate *= (50 / max(core_seconds, 50)) ** 0.5
        self.model = self.build(images)
        parameters = list(self.model.parameters())
        self.optimizer = torch.optim.AdamW(parameters, self.rate, betas=(0.9, 0.99), weight_decay=0, fused=True)
        self.optimizer.register_step_pre_hook(lambda *_: clip(parameters))

    def build(self, images: Tensor) -> vae.LatentVariableModel:
        """The network, started at the mean image."""
        model = vae.VAE(hidden=(512,), decoder_hidden=(512, 512), prior=vae.MixturePrior(20, 256)).centre(images)
        see = PrincipalComponents(images, self.components)
        model.encoder = nn.Sequential(see, nn.Linear(self.components, 512), nn.SiLU(), nn.Linear(512, 2 * model.latent))
        model.observation = ScoredBernoulli()
        return model

    def step(self, x: Tensor, share: float) -> None:
        """Down the gradient of minus the bound, by the rate that is due."""
        self.optimizer.param_groups[0]["lr"] = self.rate * min(share / 0.05, 1.0, (1 - share) / 0.4)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision() == "bf16"):
            loss = -vae.elbo(self.model, x).objective
        descend(self.optimizer, loss)


class PrincipalComponents(nn.Module):
    """Images, (n, 1, 28, 28), to their coordinates (n, k) along the first k principal axes of others."""

    axes: Tensor

    def __init__(self, images: Tensor, k: int) -> None:
        super().__init__()
        self.register_buffer("axes", GaussianPCA.fit(images.flatten(1), floor=1e-6).axes[:, :k].float())

    def forward(self, x: Tensor) -> Tensor:
        """As they are, not whitened."""
        return x.flatten(1) @ self.axes


class ScoredBernoulli(vae.Bernoulli):
    """The same observation model; but in training it spares the value of the likelihood and gives its gradient only.

    The gradient by the logits is x - sigmoid(logits), x in [0, 1]. The value needs two more transcendental functions of
    each pixel, which take a fifth of a step.
    """

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """(n,): in training numbers with the right gradient, else the log likelihoods."""
        if not self.training:
            return super().log_prob(output, x)
        return (output * ((x + 1) / 2 - output.detach().sigmoid())).flatten(1).sum(dim=1)


class OursConvolutional(Ours):
    """The same with convolutions, smaller batches and a lower rate."""

    batch, rate = 128, 2e-3

    def build(self, images: Tensor) -> vae.LatentVariableModel:
        """The network as it is."""
        model = vae.ConvVAE()
        model.to(memory_format=torch.channels_last)
        return model


def clip(parameters: list[nn.Parameter], norm: float = 200.0) -> None:
    """Shorten the gradient to a norm, where it is longer."""
    nn.utils.clip_grad_norm_(parameters, norm)


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step down the gradient."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


# --- the contest ------------------------------------------------------------------------------------------------------

RECIPES: dict[str, tuple[str, Callable[[Tensor, float], Recipe]]] = {
    "pytorch-examples": ("PyTorch-examples-style VAE, 784-400-20", PyTorchExamples),
    "pytorch-examples-in-memory": ("the same without its DataLoader", PyTorchExamplesInMemory),
    "conv": ("convolutional VAE of the course", OursConvolutional),
    "ours": ("VAE of the course, 128-512-20-512-512-784, mixture for a prior", Ours),
}


def train(recipe: Recipe, images: Tensor, core_seconds: float, seed: int, start: float) -> tuple[int, float]:
    """Step until the CPU time since `start` is spent.  images: (n, 1, 28, 28).  Returns: steps, CPU seconds."""
    batches, steps = recipe.batches(images, torch.Generator().manual_seed(seed)), 0
    while (spent := time.process_time() - start) < core_seconds:
        recipe.step(next(batches), spent / core_seconds)
        steps += 1
    return steps, spent


@torch.no_grad()
def judge(model: vae.LatentVariableModel, test: Tensor, reference: Tensor) -> dict[str, float]:
    """What a model is worth, in nats an image but for the Frechet distance and the count of active latents.

    test: (10000, 1, 28, 28); reference: its features.
    """
    model.eval()
    noise = torch.Generator().manual_seed(1)
    terms = [model(x, noise=torch.randn(len(x), model.latent, generator=noise)) for x in test.split(1000)]
    reconstruction, kl = (torch.cat(parts) for parts in zip(*terms, strict=True))
    bound = reconstruction - kl.sum(dim=1)
    weights = vae.log_weights(model, test[:IWAE_IMAGES], IWAE_DRAWS, generator=noise)
    samples = torch.cat([model.sample(500, noise) for _ in range(N_SAMPLES // 500)])
    return {
        "minus_elbo": -float(bound.mean()),
        "kl": float(kl.sum(dim=1).mean()),
        "active": int(vae.active_units(torch.cat([model.encode(x)[0] for x in test.split(1000)])).sum()),
        "minus_elbo_subset": -float(weights.mean()),
        "minus_iwae_subset": -float(likelihood.importance_bound(weights).mean()),
        "frechet": metrics.frechet_distance(metrics.features(samples), reference, resamples=2).value,
    }


def contest(name: str, images: Tensor, judges: tuple[Tensor, Tensor], core_seconds: float, seed: int) -> dict[str, Any]:
    """One run of one recipe: what it cost and what it is worth."""
    torch.manual_seed(seed)
    start = time.process_time()
    recipe = RECIPES[name][1](images, core_seconds)
    steps, spent = train(recipe, images, core_seconds, seed, start)
    row = {"recipe": name, "seed": seed, "budget": core_seconds, "steps": steps, "core_seconds": round(spent, 1)}
    row |= {"ms_per_step": round(1000 * spent / steps, 2)} | judge(recipe.model, *judges)
    print(
        "  ".join(f"{key} {value:.2f}" if isinstance(value, float) else f"{value}" for key, value in row.items()),
        flush=True,
    )
    return row


def anchors(images: Tensor, test: Tensor) -> dict[str, float]:
    """The scale: what models without latents score, in nats an image."""
    grey = ((images.mean(dim=0) + 1) / 2).clamp(1e-3, 1 - 1e-3)
    mean_image = float(-vae.bernoulli_log_likelihood(torch.logit(grey).expand_as(test), test).mean())
    sure = float(-vae.bernoulli_log_likelihood(torch.logit((test + 1) / 2, eps=1e-6), test).mean())
    return {"the mean image for every image": mean_image, "every image itself (no model goes below)": sure}


def summary(rows: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Per budget and recipe: means over seeds, and by how many nats ours is better, seed by seed."""
    table: dict[str, dict[str, dict[str, Any]]] = {}
    for budget in sorted({row["budget"] for row in rows}):
        here = [row for row in rows if row["budget"] == budget]
        ours = {row["seed"]: row["minus_elbo"] for row in here if row["recipe"] == "ours"}
        table[f"{budget:g}"] = {
            name: {"words": words} | spread(mine, ours)
            for name, (words, _) in RECIPES.items()
            if (mine := [row for row in here if row["recipe"] == name])
        }
    return table


def spread(rows: list[dict[str, Any]], ours: dict[int, float]) -> dict[str, float]:
    """Means over the runs of a recipe, the standard deviation of its bound, and our lead over it."""
    measured = ("steps", "ms_per_step", "minus_elbo", "kl", "minus_elbo_subset", "minus_iwae_subset", "frechet")
    bounds = [row["minus_elbo"] for row in rows]
    leads = [row["minus_elbo"] - ours[row["seed"]] for row in rows if row["seed"] in ours]
    return {key: statistics.fmean(row[key] for row in rows) for key in measured} | {
        "seeds": len(rows),
        "minus_elbo_sd": statistics.stdev(bounds) if len(rows) > 1 else 0.0,
        "ours_better_by": statistics.fmean(leads) if leads else 0.0,
    }


def show(rows: list[dict[str, Any]]) -> None:
    """Print the table of recipes."""
    for budget, recipes in summary(rows).items():
        for entry in recipes.values():
            print(
                f"{budget:>4} s  {entry['words']:<40} -ELBO {entry['minus_elbo']:7.2f} ± {entry['minus_elbo_sd']:.2f}"
            )
            print(f"        IWAE {entry['minus_iwae_subset']:7.2f}  Frechet {entry['frechet']:6.2f}", end="  ")
            print(f"{entry['steps']:,.0f} steps of {entry['ms_per_step']:.1f} ms", end="  ")
            print(f"ours better by {entry['ours_better_by']:.2f} nats")


def main() -> None:
    """Run the contest and write its result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--core-seconds", type=float, nargs="+", default=[50.0, 200.0], help="budgets of CPU time")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--recipes", nargs="+", choices=list(RECIPES), default=list(RECIPES))
    parser.add_argument("--output", type=Path, default=RESULT)
    args = parser.parse_args()
    torch.set_num_threads(1)
    images, test = fashion_mnist("train", full=True).images, fashion_mnist("test", full=True).images
    judges, scale = (test, metrics.features(test)), anchors(images, test)
    rows = read(args.output)["runs"]
    done = {(row["recipe"], row["budget"], row["seed"]) for row in rows}
    plan = [(n, c, s) for c in args.core_seconds for s in range(args.seeds) for n in args.recipes]
    for name, core_seconds, seed in (run for run in plan if run not in done):
        rows.append(contest(name, images, judges, core_seconds, seed))
        settings = {"samples": N_SAMPLES, "iwae_draws": IWAE_DRAWS, "iwae_images": IWAE_IMAGES}
        write(args.output, **settings, anchors=scale, recipes=summary(rows), runs=rows)
    show(rows)


if __name__ == "__main__":
    main()
