"""A flow in the codes of an autoencoder against the DCGAN: Fashion-MNIST, 12,000 images, 40 seconds of one core each.

    OMP_NUM_THREADS=1 python benchmarks/diffusion.py        # the command line: contest.py

The chapter on diffusion trains one flow; here are three seeds, at equal cost and on equal data. Judged: 2,000 samples
against the 2,000 test images of the package. A GAN is told no label, so compare it with the flow that is told none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import gan
import torch
from contest import Contest, Recipe, Row, bf16, descend, main
from sklearn.mixture import GaussianMixture
from torch import Tensor

from genai_utils.data import fashion_mnist
from genai_utils.metrics import samples as metrics
from genai_utils.metrics.features import embedded
from genai_utils.models import diffusion, flow, vae

N_SAMPLES = 2_000
KINDS = torch.arange(10).repeat_interleave(N_SAMPLES // 10)


class LatentFlow(Recipe):
    """As in the chapter: half of the time for a VAE with 32 latents and beta 0.02, half for a flow in its codes."""

    batch, coder_batch = 256, 128
    coder_rate, flow_rate = 4e-3, 2e-3
    codes: Tensor | None = None

    def __init__(self, data: Tensor, budget: float) -> None:
        self.images, self.labels = data, fashion_mnist("train", full=False).labels
        self.coder, self.net = vae.VAE(latent=32).center(data), flow.FlowNetwork(32)
        self.coder_optimizer, self.optimizer = (
            torch.optim.AdamW(model.parameters(), weight_decay=0.0, fused=True) for model in (self.coder, self.net)
        )

    def batches(self, data: Tensor, chance: torch.Generator) -> Iterator[Tensor]:
        """Rows of the images and their labels."""
        while True:
            yield from torch.randperm(len(data), generator=chance).split(self.batch)

    def step(self, x: Tensor, share: float) -> None:
        """One step of the coder in the first half, of the flow in the second; each rate rises, and falls to zero."""
        if share < 0.5:
            self.coder_optimizer.param_groups[0]["lr"] = self.coder_rate * risen(2 * share)
            with bf16():
                loss = -vae.elbo(self.coder, self.images[x[: self.coder_batch]], beta=0.02).objective
            descend(self.coder_optimizer, loss)
            return
        if self.codes is None:
            self.codes = self.encoded()
        self.optimizer.param_groups[0]["lr"] = self.flow_rate * risen(2 * share - 1)
        x_t, target = flow.conditional(self.codes[x], torch.randn(len(x), 32), t := torch.randn(len(x)).sigmoid())
        with bf16():
            loss = (self.net(x_t, t, flow.drop_labels(self.labels[x], 10)) - target).square().mean()
        descend(self.optimizer, loss)

    @torch.no_grad()
    def encoded(self) -> Tensor:
        """The codes of all images, (n, 32), with mean 0 and variance 1."""
        raw = self.coder.encode(self.images)[0]
        self.center, self.scale = raw.mean(dim=0), raw.std(dim=0)
        return (raw - self.center) / self.scale

    @torch.no_grad()
    def drawn(self, weight: float) -> Tensor:
        """Codes by ten steps of Heun with guidance, second form."""

        def pull(x: Tensor, t: float) -> Tensor:
            times = torch.full((len(x),), t)
            return diffusion.guided(self.net(x, times, KINDS), self.net(x, times), weight)

        noise = torch.randn(N_SAMPLES, 32, generator=torch.Generator().manual_seed(2))
        return flow.heun(pull, noise, torch.linspace(0, 1, 11))

    def mixed(self) -> Tensor:
        """Codes from eight bell curves for each kind."""
        assert self.codes is not None
        heaps = [GaussianMixture(8, reg_covar=1e-2, max_iter=40, random_state=kind) for kind in range(10)]
        rows = [self.codes[self.labels == kind].double().numpy() for kind in range(10)]
        each = [heap.fit(row).sample(N_SAMPLES // 10)[0] for heap, row in zip(heaps, rows, strict=True)]
        return torch.cat([torch.tensor(codes).float() for codes in each])

    @torch.no_grad()
    def pictures(self, codes: Tensor) -> Tensor:
        """What the coder makes of codes."""
        return self.coder.observation.mean(self.coder.decode(codes * self.scale + self.center))


def risen(share: float) -> float:
    """Part of the highest rate: up in the first tenth, then down along a cosine."""
    return min(share / 0.1, 1.0) * 0.5 * (1 + math.cos(math.pi * share)) + 1e-6


class Codes(Contest):
    """Frechet distance to the test images."""

    name, against, budgets = "diffusion", "latent-flow", (40.0,)
    recipes = {
        "dcgan": ("DCGAN of the course", gan.Ours),
        "latent-flow": ("**latent flow**, 32 codes", LatentFlow),
    }
    columns = {
        "told no label": "{frechet:.1f} ± {frechet_sd:.1f}",
        "recall": "{recall:.2f}",
        "told the label": "{told:.1f} ± {told_sd:.1f}",
        "guidance 2": "{guided:.1f} ± {guided_sd:.1f}",
        "its right kind": "{guided_right:.2f}",
        "its recall": "{guided_recall:.2f}",
        "class mixtures": "{mixtures:.1f} ± {mixtures_sd:.1f}",
        "prior": "{prior:.0f}",
        "test images rebuilt": "{rebuilt:.1f}",
    }

    def load(self) -> None:
        """The images of the package, and the features of the test images."""
        self.data, self.test = (fashion_mnist(split, full=False).images for split in ("train", "test"))
        self.reference = metrics.features(self.test)

    @torch.no_grad()
    def judge(self, recipe: gan.Pair | LatentFlow) -> Row:
        """Distances; for the flow, how often the classifier sees the kind that was asked for, and recall."""
        if isinstance(recipe, gan.Pair):
            recipe.G.eval()
            noise = torch.randn(N_SAMPLES, recipe.latent, generator=torch.Generator().manual_seed(1))
            return self.seen(torch.cat([recipe.images(some) for some in noise.split(500)]), "", recall="recall")
        recipe.coder.eval()
        plain, told, guided = (recipe.pictures(recipe.drawn(weight)) for weight in (0, 1, 2))
        return {
            **self.seen(plain, "", recall="recall"),
            **self.seen(told, "told", right="told_right"),
            **self.seen(guided, "guided", right="guided_right", recall="guided_recall"),
            **self.seen(recipe.pictures(recipe.mixed()), "mixtures"),
            **self.seen(recipe.coder.sample(N_SAMPLES, generator=torch.Generator().manual_seed(1)), "prior"),
            **self.seen(recipe.coder.reconstruct(self.test), "rebuilt"),
        }

    def seen(self, images: Tensor, name: str, right: str = "", recall: str = "") -> Row:
        """The distance of images under a name, and what else is asked for under names of its own."""
        found, labels = embedded(images.float().clamp(-1, 1))
        row = {name or "frechet": metrics.frechet_distance(found, self.reference, resamples=2).value}
        if right:
            row[right] = float((labels == KINDS).float().mean())
        if recall:
            row[recall] = metrics.precision_recall_density_coverage(self.reference, found).recall.value
        return row


CONTEST = Codes()

if __name__ == "__main__":
    main(CONTEST)
