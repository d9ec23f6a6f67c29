"""Which small VAE has the best bound on Fashion-MNIST in 50 and 200 seconds of one core? Ours against others.

    OMP_NUM_THREADS=1 python benchmarks/vae.py        # the command line: contest.py

Every recipe has 20 latents, a Bernoulli cross-entropy on grey levels, the same 60,000 images and the same judges: -ELBO
of the 10,000 test images, the importance bound of some of them, 10,000 samples.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from contest import Contest, Recipe, Row, bf16, descend, main
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import ToTensor

from genai_utils.data import fashion_mnist
from genai_utils.metrics import likelihood
from genai_utils.metrics import samples as metrics
from genai_utils.models import vae
from genai_utils.models.classical import GaussianPCA

N_SAMPLES = 10_000
IWAE_IMAGES, IWAE_DRAWS = 400, 500


class PyTorchExamplesInMemory(Recipe):
    """The VAE of the PyTorch examples, 784-400-20, ReLU, Adam 1e-3, batches of 128, float32; our way to the data."""

    batch, rate = 128, 1e-3

    def __init__(self, data: Tensor, budget: float) -> None:
        encoder = nn.Sequential(Unit(), nn.Flatten(), nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 40))
        decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784), nn.Unflatten(1, (1, 28, 28)))
        self.model = vae.LatentVariableModel(encoder, decoder, 20, 0, vae.Bernoulli())
        self.optimizer = torch.optim.Adam(self.model.parameters(), self.rate)

    def step(self, x: Tensor, share: float) -> None:
        """Down the gradient of minus the bound."""
        descend(self.optimizer, -vae.elbo(self.model, x).objective)


class PyTorchExamplesTuned(PyTorchExamplesInMemory):
    """The same at the best of three rates, found on one seed."""

    rate = 2e-3


class PyTorchExamples(PyTorchExamplesInMemory):
    """As published, with its own way to the data: a DataLoader that turns one picture after the other into a tensor."""

    def batches(self, data: Tensor, chance: torch.Generator) -> Iterator[Tensor]:
        """As torchvision's data set and the example's loader (without a GPU) make them."""
        loader = DataLoader(Pictures(data), self.batch, shuffle=True, generator=chance)
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

    def __init__(self, data: Tensor, budget: float) -> None:
        self.rate *= (50 / max(budget, 50)) ** 0.5
        self.model = self.network(data)
        parameters, betas = self.model.parameters(), (0.9, 0.99)
        self.optimizer = torch.optim.AdamW(parameters, self.rate, betas, weight_decay=0, fused=True)

    def network(self, images: Tensor) -> vae.LatentVariableModel:
        """The network, started at the mean image."""
        model = vae.VAE(hidden=(512,), decoder_hidden=(512, 512), prior=vae.MixturePrior(20, 256)).center(images)
        see = PrincipalComponents(images, self.components)
        model.encoder = nn.Sequential(see, nn.Linear(self.components, 512), nn.SiLU(), nn.Linear(512, 2 * model.latent))
        model.observation = ScoredBernoulli()
        return model

    def step(self, x: Tensor, share: float) -> None:
        """Down the gradient of minus the bound, by the rate that is due."""
        self.optimizer.param_groups[0]["lr"] = self.rate * min(share / 0.05, 1.0, (1 - share) / 0.4)
        with bf16():
            loss = -vae.elbo(self.model, x).objective
        descend(self.optimizer, loss, norm=200.0)


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


class ConvVAE(vae.LatentVariableModel):
    """A variational autoencoder of 28 x 28 grey images, of convolutions with stride two and their transposes.

    Args: latent: dimensions of z.  width: maps at 14 x 14 (twice as many at 7 x 7).  observation: default
    `Bernoulli()`.
    """

    def __init__(self, latent: int = 20, width: int = 16, observation: vae.Observation | None = None):
        observation = observation or vae.Bernoulli()
        encoder = nn.Sequential(
            nn.Conv2d(1, width, 4, 2, 1), nn.SiLU(),  # 14 x 14
            nn.Conv2d(width, 2 * width, 4, 2, 1), nn.SiLU(),  # 7 x 7
            nn.Flatten(), nn.Linear(2 * width * 49, 256), nn.SiLU(), nn.Linear(256, 2 * latent),
        )  # fmt: skip
        decoder = nn.Sequential(
            nn.Linear(latent, 256), nn.SiLU(), nn.Linear(256, 2 * width * 49), nn.SiLU(),
            nn.Unflatten(1, (2 * width, 7, 7)),
            nn.ConvTranspose2d(2 * width, width, 4, 2, 1), nn.SiLU(),  # 14 x 14
            nn.ConvTranspose2d(width, observation.channels, 4, 2, 1),  # 28 x 28
        )  # fmt: skip
        super().__init__(encoder, decoder, latent, 0, observation)


class OursConvolutional(Ours):
    """The same with convolutions, smaller batches and a lower rate."""

    batch, rate = 128, 2e-3

    def network(self, images: Tensor) -> vae.LatentVariableModel:
        """The network as it is."""
        return ConvVAE().to(memory_format=torch.channels_last)


class Bounds(Contest):
    """Minus the bound, nats an image."""

    name, against, budgets = "vae", "pytorch-examples", (50.0, 200.0)
    recipes = {
        "pytorch-examples": ("VAE as in the PyTorch examples, 784-400-20", PyTorchExamples),
        "pytorch-examples-in-memory": ("the same without its DataLoader", PyTorchExamplesInMemory),
        "pytorch-examples-tuned": ("the same without its DataLoader, at a tuned rate", PyTorchExamplesTuned),
        "conv": ("convolutional VAE of the course", OursConvolutional),
        "ours": ("**VAE of the course**, 128-512-20-512-512-784, a mixture for a prior", Ours),
    }
    twins = {"pytorch-examples-tuned": "pytorch-examples-in-memory"}
    columns = {
        "-ELBO": "{minus_elbo:.1f} ± {minus_elbo_sd:.1f}",
        "lower than the first by": "{minus_elbo_lead:.1f}",
        "-ELBO on 400": "{minus_elbo_subset:.1f}",
        "IWAE-500 on 400": "{minus_iwae_subset:.1f}",
        "Frechet distance": "{frechet:.0f}",
    }

    def load(self) -> None:
        """Images of both splits, and the features of the test images."""
        self.data, self.test = fashion_mnist("train", full=True).images, fashion_mnist("test", full=True).images
        self.reference = metrics.features(self.test)

    def once(self) -> Row:
        """What models without latents score, in nats an image."""
        grey = ((self.data.mean(dim=0) + 1) / 2).clamp(1e-3, 1 - 1e-3).expand_as(self.test)
        guesses = {
            "the mean image for every image": torch.logit(grey),
            "every image itself (no model goes below)": torch.logit((self.test + 1) / 2, eps=1e-6),
        }
        costs = {name: -vae.bernoulli_log_likelihood(logits, self.test).mean() for name, logits in guesses.items()}
        settings = {"samples": N_SAMPLES, "iwae_draws": IWAE_DRAWS, "iwae_images": IWAE_IMAGES}
        return settings | {"anchors": {name: {"minus_elbo": float(nats)} for name, nats in costs.items()}}

    @torch.no_grad()
    def judge(self, recipe: PyTorchExamples | Ours) -> Row:
        """Nats an image of the test images, but for the Frechet distance of samples and the count of active latents."""
        model, test = recipe.model, self.test
        model.eval()
        noise = torch.Generator().manual_seed(1)
        terms = [model(x, noise=torch.randn(len(x), model.latent, generator=noise)) for x in test.split(1000)]
        reconstruction, kl = (torch.cat(parts) for parts in zip(*terms, strict=True))
        bound = reconstruction - kl.sum(dim=1)
        weights = vae.log_weights(model, test[:IWAE_IMAGES], IWAE_DRAWS, generator=noise)
        samples = torch.cat([model.sample(500, generator=noise) for _ in range(N_SAMPLES // 500)])
        return {
            "minus_elbo": -float(bound.mean()),
            "kl": float(kl.sum(dim=1).mean()),
            "active": int(vae.active_units(torch.cat([model.encode(x)[0] for x in test.split(1000)])).sum()),
            "minus_elbo_subset": -float(weights.mean()),
            "minus_iwae_subset": -float(likelihood.importance_bound(weights).mean()),
            "frechet": metrics.frechet_distance(metrics.features(samples), self.reference, resamples=2).value,
        }


CONTEST = Bounds()

if __name__ == "__main__":
    main(CONTEST)
