"""Which small GAN makes the best Fashion-MNIST in 100 seconds of one core? Ours against three well-known recipes.

    OMP_NUM_THREADS=1 python benchmarks/gan.py --core-seconds 100 --seeds 3

Every recipe gets the same 60,000 images, the same CPU time (of the process, evaluation excluded) and the same judge:
10,000 samples against the 10,000 test images. Recipes take turns within a seed, so that a busy machine is fair to all.
The peers are written from their published shapes and settings, not copied; what was changed in their favour is said
beside each. Result: benchmarks/results/gan.json and a table.
"""

from __future__ import annotations

import argparse
import statistics
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from record import write
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from genai_utils.data import fashion_mnist
from genai_utils.metrics import samples as metrics
from genai_utils.models import gan
from genai_utils.session import precision

RESULT = Path(__file__).with_name("results") / "gan.json"
N_SAMPLES = 10_000


class Recipe(ABC):
    """A pair of networks and what happens to them on one real batch."""

    latent: int
    batch: int
    G: nn.Module
    D: nn.Module

    @abstractmethod
    def step(self, real: Tensor) -> None:
        """One update of both players. real: (batch, 1, 28, 28) in [-1, 1]."""

    def noise(self) -> Tensor:
        """A batch of standard normal latents."""
        return torch.randn(self.batch, self.latent)

    def images(self, latent: Tensor) -> Tensor:
        """Finished images, (n, 1, 28, 28) in [-1, 1], from latents."""
        return self.G(latent)


# --- peers ------------------------------------------------------------------------------------------------------------


class PyTorchGanDcgan(Recipe):
    """The DCGAN of the PyTorch-GAN collection: 32 px, nearest-neighbour upsampling, dropout in D, BCE.

    In its favour: images are padded to 32 px and cropped back, which costs nothing, where it resizes them.
    """

    latent, batch = 100, 64

    def __init__(self) -> None:
        self.G = nn.Sequential(
            nn.Linear(100, 128 * 64), nn.Unflatten(1, (128, 8, 8)), nn.BatchNorm2d(128),
            nn.Upsample(scale_factor=2), nn.Conv2d(128, 128, 3, 1, 1), nn.BatchNorm2d(128, 0.8), nn.LeakyReLU(0.2),
            nn.Upsample(scale_factor=2), nn.Conv2d(128, 64, 3, 1, 1), nn.BatchNorm2d(64, 0.8), nn.LeakyReLU(0.2),
            nn.Conv2d(64, 1, 3, 1, 1), nn.Tanh(),
        )  # fmt: skip
        blocks = [self.block(a, b) for a, b in ((1, 16), (16, 32), (32, 64), (64, 128))]
        self.D = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(128 * 2 * 2, 1))
        # Its initialisation reaches convolutions and normalisations, and leaves linear layers as torch draws them.
        for layer in [*self.G.modules(), *self.D.modules()]:
            if not isinstance(layer, nn.Linear | nn.Sequential):
                gan.initialise(layer)
        self.opt_g, self.opt_d = (torch.optim.Adam(p.parameters(), 2e-4, (0.5, 0.999)) for p in (self.G, self.D))

    @staticmethod
    def block(channels: int, out: int) -> nn.Sequential:
        """Half the resolution: convolution, leaky ReLU, dropout, and batch norm except on pixels."""
        norm = [nn.BatchNorm2d(out, 0.8)] if channels > 1 else []
        return nn.Sequential(nn.Conv2d(channels, out, 3, 2, 1), nn.LeakyReLU(0.2), nn.Dropout2d(0.25), *norm)

    def step(self, real: Tensor) -> None:
        """G first, then D on the same fakes, as there."""
        fake = self.G(self.noise())
        descend(self.opt_g, bce(self.D(fake), 1.0))
        descend(self.opt_d, (bce(self.D(pad(real)), 1.0) + bce(self.D(fake.detach()), 0.0)) / 2)

    def images(self, latent: Tensor) -> Tensor:
        """Cropped from 32 px."""
        return crop(self.G(latent))


class PyTorchGanWganGp(Recipe):
    """The WGAN-GP of the PyTorch-GAN collection: fully connected, five critic steps for each of the generator."""

    latent, batch = 100, 64

    def __init__(self) -> None:
        widths = [128, 256, 512, 1024]
        hidden = [self.block(a, b) for a, b in zip(widths, widths[1:], strict=False)]
        first = nn.Sequential(nn.Linear(100, 128), nn.LeakyReLU(0.2))
        self.G = nn.Sequential(first, *hidden, nn.Linear(1024, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28)))
        self.D = nn.Sequential(
            nn.Flatten(), nn.Linear(784, 512), nn.LeakyReLU(0.2), nn.Linear(512, 256), nn.LeakyReLU(0.2),
            nn.Linear(256, 1), nn.Flatten(0),
        )  # fmt: skip
        self.opt_g, self.opt_d = (torch.optim.Adam(p.parameters(), 2e-4, (0.5, 0.999)) for p in (self.G, self.D))
        self.steps = 0

    @staticmethod
    def block(width: int, out: int) -> nn.Sequential:
        """Linear, batch norm, leaky ReLU."""
        return nn.Sequential(nn.Linear(width, out), nn.BatchNorm1d(out, 0.8), nn.LeakyReLU(0.2))

    def step(self, real: Tensor) -> None:
        """One critic step; every fifth time one of the generator on the same fakes."""
        fake = self.G(self.noise())
        loss = gan.wasserstein_critic_loss(self.D, real, fake.detach())
        descend(self.opt_d, loss + 10 * gan.gradient_penalty(self.D, real, fake.detach()))
        if self.steps % 5 == 0:
            descend(self.opt_g, gan.wasserstein_generator_loss(self.D, fake))
        self.steps += 1


class PyTorchExamplesDcgan(Recipe):
    """The DCGAN of the PyTorch examples: 64 px, 64 feature maps, batches of 128. Made for GPUs.

    In its favour: images are padded to 32 px and doubled, which is undone without loss, where it resizes them.
    """

    latent, batch = 100, 128

    def __init__(self) -> None:
        ups = [self.up(a, b) for a, b in ((512, 256), (256, 128), (128, 64))]
        self.G = nn.Sequential(
            nn.Unflatten(1, (100, 1, 1)),
            nn.ConvTranspose2d(100, 512, 4, 1, 0, bias=False), nn.BatchNorm2d(512), nn.ReLU(),
            *ups, nn.ConvTranspose2d(64, 1, 4, 2, 1, bias=False), nn.Tanh(),
        )  # fmt: skip
        downs = [self.down(a, b) for a, b in ((64, 128), (128, 256), (256, 512))]
        self.D = nn.Sequential(
            nn.Conv2d(1, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2), *downs,
            nn.Conv2d(512, 1, 4, 1, 0, bias=False), nn.Flatten(0),
        )  # fmt: skip
        gan.initialise(self.G), gan.initialise(self.D)
        self.opt_g, self.opt_d = (torch.optim.Adam(p.parameters(), 2e-4, (0.5, 0.999)) for p in (self.G, self.D))

    @staticmethod
    def up(channels: int, out: int) -> nn.Sequential:
        """Twice the resolution."""
        return nn.Sequential(nn.ConvTranspose2d(channels, out, 4, 2, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU())

    @staticmethod
    def down(channels: int, out: int) -> nn.Sequential:
        """Half the resolution."""
        return nn.Sequential(nn.Conv2d(channels, out, 4, 2, 1, bias=False), nn.BatchNorm2d(out), nn.LeakyReLU(0.2))

    def step(self, real: Tensor) -> None:
        """D on real and fake, then G through D on the same fakes."""
        fake = self.G(self.noise())
        descend(
            self.opt_d, bce(self.D(F.interpolate(pad(real), scale_factor=2.0)), 1.0) + bce(self.D(fake.detach()), 0.0)
        )
        descend(self.opt_g, bce(self.D(fake), 1.0))

    def images(self, latent: Tensor) -> Tensor:
        """Mean of each 2 x 2 block of the 64 px image, cropped."""
        return crop(F.avg_pool2d(self.G(latent), 2))


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step down the gradient."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def bce(logits: Tensor, label: float) -> Tensor:
    """Mean binary cross-entropy of logits, any shape, with one label for all."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def pad(images: Tensor) -> Tensor:
    """28 to 32 px, black around."""
    return F.pad(images, (2, 2, 2, 2), value=-1.0)


def crop(images: Tensor) -> Tensor:
    """32 to 28 px."""
    return images[..., 2:-2, 2:-2]


# --- ours -------------------------------------------------------------------------------------------------------------


class Ours(Recipe):
    """The DCGAN of the course: 28 px, 16 feature maps, batches of 32, bf16 where the processor has it, averaged G."""

    latent, batch = 64, 32

    def __init__(self) -> None:
        self.player, self.D = gan.Generator(), gan.Discriminator()
        for network in (self.player, self.D):
            network.to(memory_format=torch.channels_last)
        self.opt_g = torch.optim.Adam(self.player.parameters(), 1.2e-3, (0.5, 0.99), fused=True)
        self.opt_d = torch.optim.Adam(self.D.parameters(), 1.2e-3, (0.5, 0.99), fused=True)
        self.average = AveragedModel(self.player, multi_avg_fn=get_ema_multi_avg_fn(0.998), use_buffers=True)
        self.G = self.average.module

    def step(self, real: Tensor) -> None:
        """Both players learn from one batch of fakes; each receives only its own gradient."""
        with torch.autocast("cpu", torch.bfloat16, enabled=precision() == "bf16"):
            fake = self.player(self.noise())
            self.descend(self.opt_d, gan.discriminator_loss(self.D, real, fake.detach()), self.D)
            self.descend(self.opt_g, gan.generator_loss(self.D, fake), self.player)
        self.average.update_parameters(self.player)

    @staticmethod
    def descend(optimizer: torch.optim.Optimizer, loss: Tensor, player: nn.Module) -> None:
        """One step down the gradient, computed for this player's weights alone."""
        optimizer.zero_grad()
        loss.backward(inputs=list(player.parameters()))
        optimizer.step()


# --- the contest ------------------------------------------------------------------------------------------------------

RECIPES: dict[str, tuple[str, Callable[[], Recipe]]] = {
    "pytorch-gan-dcgan": ("PyTorch-GAN-style DCGAN, 32 px", PyTorchGanDcgan),
    "pytorch-gan-wgan-gp": ("PyTorch-GAN-style WGAN-GP, fully connected", PyTorchGanWganGp),
    "pytorch-examples-dcgan": ("PyTorch-examples-style DCGAN, 64 px", PyTorchExamplesDcgan),
    "ours": ("DCGAN of the course", Ours),
}


def train(recipe: Recipe, images: Tensor, core_seconds: float, seed: int) -> tuple[int, float]:
    """Play until the CPU time is spent.  images: (n, 1, 28, 28).  Returns: steps, CPU seconds."""
    order = torch.Generator().manual_seed(seed)
    steps, start = 0, time.process_time()
    while (spent := time.process_time() - start) < core_seconds:
        recipe.step(images[torch.randint(len(images), (recipe.batch,), generator=order)])
        steps += 1
    return steps, spent


@torch.no_grad()
def draw(recipe: Recipe, n: int) -> Tensor:
    """Draw n images from a recipe's generator in eval mode, the same latents for every run of a recipe."""
    recipe.G.eval()
    latents = torch.randn(n, recipe.latent, generator=torch.Generator().manual_seed(1))
    return torch.cat([recipe.images(z) for z in latents.split(250)]).float()


def judge(images: Tensor, reference: Tensor) -> dict[str, float]:
    """Frechet distance to the reference features, smallest class share, distance of the shares from uniform."""
    coverage = metrics.class_coverage(images)
    return {
        "frechet": metrics.frechet_distance(metrics.features(images), reference, resamples=2).value,
        "smallest_share": coverage.smallest.value,
        "total_variation": coverage.total_variation.value,
    }


def contest(name: str, images: Tensor, reference: Tensor, core_seconds: float, seed: int) -> dict[str, Any]:
    """One run of one recipe: what it cost and what it is worth."""
    torch.manual_seed(seed)
    recipe = RECIPES[name][1]()
    steps, spent = train(recipe, images, core_seconds, seed)
    row = {"recipe": name, "seed": seed, "steps": steps, "core_seconds": round(spent, 1)}
    row |= {"ms_per_step": round(1000 * spent / steps, 2)} | judge(draw(recipe, N_SAMPLES), reference)
    print(
        "  ".join(f"{key} {value:.3f}" if isinstance(value, float) else f"{value}" for key, value in row.items()),
        flush=True,
    )
    return row


def anchors(images: Tensor, test: Tensor, reference: Tensor) -> dict[str, dict[str, float]]:
    """The scale: what real, blurred, noisy and trivial images score."""
    generator = torch.Generator().manual_seed(0)
    chosen = images[torch.randperm(len(images), generator=generator)[:N_SAMPLES]]
    noisy = (test + 0.1 * torch.randn(test.shape, generator=generator)).clamp(-1, 1)
    trivial = {
        "training images (the floor)": chosen,
        "test images with noise, sd 5 % of the range": noisy,
        "test images at 14 px and back": F.interpolate(F.avg_pool2d(test, 2), scale_factor=2.0, mode="bilinear"),
        "mean image": images.mean(dim=0, keepdim=True).expand(N_SAMPLES, -1, -1, -1),
        "uniform noise": torch.rand(test.shape, generator=generator) * 2 - 1,
    }
    return {name: judge(sample, reference) for name, sample in trivial.items()}


def summary(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Per recipe: mean and standard deviation over seeds, worst class share, ratio of our distance to its distance."""
    table: dict[str, dict[str, Any]] = {}
    for name, (words, _) in RECIPES.items():
        if mine := [row for row in rows if row["recipe"] == name]:
            table[name] = {"words": words, "seeds": len(mine), **spread(mine)}
    if "ours" in table:
        for entry in table.values():
            entry["ours_over_this"] = table["ours"]["frechet"] / entry["frechet"]
    return table


def spread(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Means over the runs of a recipe; the standard deviation of the distance; its rarest class anywhere."""
    distances = [row["frechet"] for row in rows]
    mean = {key: statistics.fmean(row[key] for row in rows) for key in ("steps", "ms_per_step", "total_variation")}
    return mean | {
        "frechet": statistics.fmean(distances),
        "frechet_sd": statistics.stdev(distances) if len(distances) > 1 else 0.0,
        "smallest_share": min(row["smallest_share"] for row in rows),
    }


def show(scale: dict[str, dict[str, float]], recipes: dict[str, dict[str, Any]]) -> None:
    """Print the anchors and the table of recipes."""
    for name, row in scale.items():
        print(f"{name:<46} Frechet {row['frechet']:8.2f}")
    for entry in recipes.values():
        print(f"{entry['words']:<46} Frechet {entry['frechet']:8.2f} ± {entry['frechet_sd']:.2f}", end="  ")
        print(f"rarest class {entry['smallest_share']:.1%}  shares off {entry['total_variation']:.3f}", end="  ")
        print(f"{entry['steps']:,.0f} steps of {entry['ms_per_step']:.1f} ms", end="  ")
        print(f"ours/this {entry.get('ours_over_this', 1):.2f}")


def main() -> None:
    """Run the contest and write its result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--core-seconds", type=float, default=100.0, help="CPU time of a run, evaluation excluded")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--recipes", nargs="+", choices=list(RECIPES), default=list(RECIPES))
    parser.add_argument("--output", type=Path, default=RESULT)
    args = parser.parse_args()
    torch.set_num_threads(1)
    images, test = fashion_mnist("train", full=True).images, fashion_mnist("test", full=True).images
    reference = metrics.features(test)
    scale = anchors(images, test, reference)
    rows = [contest(n, images, reference, args.core_seconds, s) for s in range(args.seeds) for n in args.recipes]
    recipes = summary(rows)
    write(args.output, core_seconds=args.core_seconds, samples=N_SAMPLES, anchors=scale, recipes=recipes, runs=rows)
    show(scale, recipes)


if __name__ == "__main__":
    main()
