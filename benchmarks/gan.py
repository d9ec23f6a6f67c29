"""Which small GAN makes the best Fashion-MNIST in 100 seconds of one core? Ours against three well-known recipes.

    OMP_NUM_THREADS=1 python benchmarks/gan.py        # the command line: contest.py

Every recipe gets the same 60,000 images and the same judge: 10,000 samples against the 10,000 test images.
The peers are written from their published shapes and settings, not copied; what was changed in their favour is said
beside each.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
import torch.nn.functional as F
from contest import Contest, Recipe, Row, bf16, descend, main
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from genai_utils.data import fashion_mnist
from genai_utils.metrics import samples as metrics
from genai_utils.models import gan

N_SAMPLES = 10_000


class Pair(Recipe):
    """Generator and discriminator."""

    latent: int
    G: nn.Module
    D: nn.Module

    def batches(self, data: Tensor, chance: torch.Generator) -> Iterator[Tensor]:
        """Images in [-1, 1], drawn with replacement: each (batch, 1, 28, 28)."""
        while True:
            yield data[torch.randint(len(data), (self.batch,), generator=chance)]

    def noise(self) -> Tensor:
        """A batch of standard normal latents."""
        return torch.randn(self.batch, self.latent)

    def images(self, latent: Tensor) -> Tensor:
        """Finished images, (n, 1, 28, 28) in [-1, 1], from latents."""
        return self.G(latent)


# --- peers ------------------------------------------------------------------------------------------------------------


class PyTorchGanDcgan(Pair):
    """The DCGAN of the PyTorch-GAN collection: 32 px, nearest-neighbour upsampling, dropout in D, BCE.

    In its favour: images are padded to 32 px and cropped back, which costs nothing, where it resizes them.
    """

    latent, batch = 100, 64

    def __init__(self, data: Tensor, budget: float) -> None:
        self.G = nn.Sequential(
            nn.Linear(100, 128 * 64), nn.Unflatten(1, (128, 8, 8)), nn.BatchNorm2d(128),
            nn.Upsample(scale_factor=2), nn.Conv2d(128, 128, 3, 1, 1), nn.BatchNorm2d(128, 0.8), nn.LeakyReLU(0.2),
            nn.Upsample(scale_factor=2), nn.Conv2d(128, 64, 3, 1, 1), nn.BatchNorm2d(64, 0.8), nn.LeakyReLU(0.2),
            nn.Conv2d(64, 1, 3, 1, 1), nn.Tanh(),
        )  # fmt: skip
        halves = [
            nn.Sequential(nn.Conv2d(a, b, 3, 2, 1), nn.LeakyReLU(0.2), nn.Dropout2d(0.25), nn.BatchNorm2d(b, 0.8))
            for a, b in pairwise((1, 16, 32, 64, 128))
        ]
        del halves[0][-1]  # no batch norm on pixels
        self.D = nn.Sequential(*halves, nn.Flatten(), nn.Linear(128 * 2 * 2, 1))
        # Its initialisation reaches convolutions and normalisations, and leaves linear layers as torch draws them.
        for layer in [*self.G.modules(), *self.D.modules()]:
            if not isinstance(layer, nn.Linear | nn.Sequential):
                gan.initialize(layer)
        self.opt_g, self.opt_d = adam(self.G), adam(self.D)

    def step(self, x: Tensor, share: float) -> None:
        """G first, then D on the same fakes, as there."""
        fake = self.G(self.noise())
        descend(self.opt_g, gan.generator_loss(self.D, fake))
        descend(self.opt_d, gan.discriminator_loss(self.D, pad(x), fake.detach()) / 2)

    def images(self, latent: Tensor) -> Tensor:
        """Cropped from 32 px."""
        return self.G(latent)[..., 2:-2, 2:-2]


class PyTorchGanWganGp(Pair):
    """The WGAN-GP of the PyTorch-GAN collection: fully connected, five critic steps for each of the generator."""

    latent, batch, rate = 100, 64, 2e-4

    def __init__(self, data: Tensor, budget: float) -> None:
        widths = [128, 256, 512, 1024]
        hidden = [
            nn.Sequential(nn.Linear(a, b), nn.BatchNorm1d(b, 0.8), nn.LeakyReLU(0.2)) for a, b in pairwise(widths)
        ]
        first = nn.Sequential(nn.Linear(100, 128), nn.LeakyReLU(0.2))
        self.G = nn.Sequential(first, *hidden, nn.Linear(1024, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28)))
        self.D = nn.Sequential(
            nn.Flatten(), nn.Linear(784, 512), nn.LeakyReLU(0.2), nn.Linear(512, 256), nn.LeakyReLU(0.2),
            nn.Linear(256, 1), nn.Flatten(0),
        )  # fmt: skip
        self.opt_g, self.opt_d = adam(self.G, self.rate), adam(self.D, self.rate)
        self.steps = 0

    def step(self, x: Tensor, share: float) -> None:
        """One critic step; every fifth time one of the generator on the same fakes."""
        fake = self.G(self.noise())
        loss = gan.wasserstein_critic_loss(self.D, x, fake.detach())
        descend(self.opt_d, loss + 10 * gan.gradient_penalty(self.D, x, fake.detach()))
        if self.steps % 5 == 0:
            descend(self.opt_g, gan.wasserstein_generator_loss(self.D, fake))
        self.steps += 1


class PyTorchGanWganGpTuned(PyTorchGanWganGp):
    """The same at the best of three rates, found on one seed."""

    rate = 1e-3


class PyTorchExamplesDcgan(Pair):
    """The DCGAN of the PyTorch examples: 64 px, 64 feature maps, batches of 128. Made for GPUs.

    In its favour: images are padded to 32 px and doubled, which is undone without loss, where it resizes them.
    """

    latent, batch = 100, 128

    def __init__(self, data: Tensor, budget: float) -> None:
        widths = [64, 128, 256, 512]
        ups = [
            nn.Sequential(nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU())
            for a, b in pairwise(reversed(widths))
        ]
        self.G = nn.Sequential(
            nn.Unflatten(1, (100, 1, 1)),
            nn.ConvTranspose2d(100, 512, 4, 1, 0, bias=False), nn.BatchNorm2d(512), nn.ReLU(),
            *ups, nn.ConvTranspose2d(64, 1, 4, 2, 1, bias=False), nn.Tanh(),
        )  # fmt: skip
        downs = [
            nn.Sequential(nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2))
            for a, b in pairwise(widths)
        ]
        self.D = nn.Sequential(
            nn.Conv2d(1, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2), *downs,
            nn.Conv2d(512, 1, 4, 1, 0, bias=False), nn.Flatten(0),
        )  # fmt: skip
        gan.initialize(self.G), gan.initialize(self.D)
        self.opt_g, self.opt_d = adam(self.G), adam(self.D)

    def step(self, x: Tensor, share: float) -> None:
        """D on real and fake, then G through D on the same fakes."""
        fake = self.G(self.noise())
        descend(self.opt_d, gan.discriminator_loss(self.D, F.interpolate(pad(x), scale_factor=2.0), fake.detach()))
        descend(self.opt_g, gan.generator_loss(self.D, fake))

    def images(self, latent: Tensor) -> Tensor:
        """Mean of each 2 x 2 block of the 64 px image, cropped."""
        return F.avg_pool2d(self.G(latent), 2)[..., 2:-2, 2:-2]


def adam(network: nn.Module, rate: float = 2e-4) -> torch.optim.Adam:
    """As all three have it, if the rate is not said."""
    return torch.optim.Adam(network.parameters(), rate, (0.5, 0.999))


def pad(images: Tensor) -> Tensor:
    """28 to 32 px, black around."""
    return F.pad(images, (2, 2, 2, 2), value=-1.0)


# --- ours -------------------------------------------------------------------------------------------------------------


class Ours(Pair):
    """The DCGAN of the course: 28 px, 16 feature maps, batches of 32, bf16 where the processor has it, averaged G."""

    latent, batch = 64, 32

    def __init__(self, data: Tensor, budget: float) -> None:
        self.player, self.D = gan.Generator(), gan.Discriminator()
        for network in (self.player, self.D):
            network.to(memory_format=torch.channels_last)
        self.opt_g = torch.optim.Adam(self.player.parameters(), 1.2e-3, (0.5, 0.99), fused=True)
        self.opt_d = torch.optim.Adam(self.D.parameters(), 1.2e-3, (0.5, 0.99), fused=True)
        self.average = AveragedModel(self.player, multi_avg_fn=get_ema_multi_avg_fn(0.998), use_buffers=True)
        self.G = self.average.module

    def step(self, x: Tensor, share: float) -> None:
        """Both players learn from one batch of fakes; each receives only its own gradient."""
        with bf16():
            fake = self.player(self.noise())
            descend(self.opt_d, gan.discriminator_loss(self.D, x, fake.detach()), list(self.D.parameters()))
            descend(self.opt_g, gan.generator_loss(self.D, fake), list(self.player.parameters()))
        self.average.update_parameters(self.player)


class Dresses(Contest):
    """Images against images."""

    name, budgets = "gan", (100.0,)
    recipes = {
        "pytorch-gan-dcgan": ("DCGAN as in PyTorch-GAN (32 px)", PyTorchGanDcgan),
        "pytorch-gan-wgan-gp": ("WGAN-GP as in PyTorch-GAN (fully connected)", PyTorchGanWganGp),
        "pytorch-gan-wgan-gp-tuned": ("WGAN-GP as in PyTorch-GAN at a tuned rate", PyTorchGanWganGpTuned),
        "pytorch-examples-dcgan": ("DCGAN as in the PyTorch examples (64 px)", PyTorchExamplesDcgan),
        "ours": ("**DCGAN of the course**", Ours),
    }
    twins = {"pytorch-gan-wgan-gp-tuned": "pytorch-gan-wgan-gp"}
    columns = {
        "Frechet distance": "{frechet:.1f} ± {frechet_sd:.1f}",
        "ours / this": "{frechet_ratio:.2f}",
        "rarest class, worst seed": "{smallest_share_least:.1%}",
        "shares: distance from uniform": "{total_variation:.3f}",
    }

    def load(self) -> None:
        """Images of both splits, and the features of the test images."""
        self.data, self.test = fashion_mnist("train", full=True).images, fashion_mnist("test", full=True).images
        self.reference = metrics.features(self.test)

    def once(self) -> Row:
        """What real, blurred, noisy and trivial images score."""
        images, test, chance = self.data, self.test, torch.Generator().manual_seed(0)
        chosen = images[torch.randperm(len(images), generator=chance)[:N_SAMPLES]]
        noisy = (test + 0.1 * torch.randn(test.shape, generator=chance)).clamp(-1, 1)
        simple = {
            "training images (the floor)": chosen,
            "test images with noise, sd 5 % of the range": noisy,
            "test images at 14 px and back": F.interpolate(F.avg_pool2d(test, 2), scale_factor=2.0, mode="bilinear"),
            "mean image": images.mean(dim=0, keepdim=True).expand(N_SAMPLES, -1, -1, -1),
            "uniform noise": torch.rand(test.shape, generator=chance) * 2 - 1,
        }
        return {"samples": N_SAMPLES, "anchors": {name: self.score(drawn) for name, drawn in simple.items()}}

    @torch.no_grad()
    def judge(self, recipe: Pair) -> Row:
        """Images drawn in eval mode, from the same latents in every run of a recipe."""
        recipe.G.eval()
        latents = torch.randn(N_SAMPLES, recipe.latent, generator=torch.Generator().manual_seed(1))
        return self.score(torch.cat([recipe.images(z) for z in latents.split(250)]).float())

    def score(self, images: Tensor) -> dict[str, float]:
        """Frechet distance to the test images, smallest class share, distance of the shares from uniform."""
        coverage = metrics.class_coverage(images)
        return {
            "frechet": metrics.frechet_distance(metrics.features(images), self.reference, resamples=2).value,
            "smallest_share": coverage.smallest.value,
            "total_variation": coverage.total_variation.value,
        }


CONTEST = Dresses()

if __name__ == "__main__":
    main(CONTEST)
