"""Variational autoencoders: networks, the evidence lower bound and what it tells.

Read from top to bottom. A latent z from the prior is decoded into the parameters of a distribution of x (the
observation model); an encoder guesses which z an x came from. Both distributions stand in `models.densities`, and are
offered here too. Everything is in nats. Images are (n, 1, 28, 28) in [-1, 1], as `genai_utils.data` gives them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import NoneType
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genai_utils.checks import between, finite_tensors, fits, of_type, tensors, trusted, whole
from genai_utils.models.densities import (
    Bernoulli,
    DiscretizedLogistic,
    Gaussian,
    MixturePrior,
    Observation,
    Prior,
    StandardNormal,
    bernoulli_log_likelihood,
    gaussian_kl,
    log_normal,
    reparameterize,
    wide,
)
from genai_utils.models.shapes import (
    IMAGE,
    check_alike,
    check_axes,
    check_examples,
    check_filled,
    check_floats,
    check_format,
    check_labels,
    check_latent,
    check_widths,
)

# One door for all of a variational autoencoder.
__all__ = [
    "MAP_BETAS",
    "VAE",
    "Bernoulli",
    "Bound",
    "DiscretizedLogistic",
    "Gaussian",
    "LatentVariableModel",
    "LinearVAE",
    "MixturePrior",
    "Observation",
    "Prior",
    "StandardNormal",
    "active_units",
    "bernoulli_log_likelihood",
    "elbo",
    "gaussian_kl",
    "log_joint",
    "log_normal",
    "log_weights",
    "reparameterize",
]

PIXELS = 28 * 28


# --- networks ---------------------------------------------------------------------------------------------------------


class LatentVariableModel(nn.Module):
    """A prior, an encoder and a decoder; called on x, it gives both terms of the bound.

    Args:
        encoder: x, or (x and one-hot label) as rows, to (n, 2 latent): mean and log variance of q(z | x).
        decoder: (n, latent + labels) to the parameters of `observation`.
        latent: dimensions of z.  labels: 0, or how many kinds of label both networks are told.
        observation: what the decoder's output means.  prior: of z, default `StandardNormal`.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        latent: int,
        labels: int,
        observation: Observation,
        prior: Prior | None = None,
    ):
        super().__init__()
        of_type(nn.Module, encoder=encoder, decoder=decoder)
        of_type(Observation, observation=observation)
        of_type((Prior, NoneType), prior=prior)
        whole(1, latent=latent)
        whole(0, labels=labels)
        self.encoder, self.decoder, self.observation = encoder, decoder, observation
        self.prior = prior or StandardNormal(latent)
        self.latent, self.labels = latent, labels

    def encode(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z | x), each (n, latent).  labels: (n,) int64, where the model has labels."""
        tensors("(n, ...)", x=x)
        with trusted():
            mean, log_var = wide(self.encoder(self._told(x, labels))).chunk(2, dim=1)
        return mean, log_var

    def decode(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Parameters of p(x | z): logits (n, 1, 28, 28) of a Bernoulli model.  Raises ValueError on another latent."""
        check_latent(self, self.latent, z=z)
        with trusted():
            return wide(self.decoder(self._told(z, labels)))

    def forward(self, x: Tensor, labels: Tensor | None = None, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Both terms of the bound, for one z a row: log p(x | z), (n,), and `Prior.kl`, (n, latent) or (n, 1).

        noise: (n, latent), standard normal; drawn from torch's global generator if not given.
        """
        mean, log_var = self.encode(x, labels)
        noise = torch.randn_like(mean) if noise is None else noise
        check_format(self, noise=noise)
        with trusted():
            check_alike(mean=mean, noise=noise)
            z = reparameterize(mean, log_var, noise)
            return self.observation.log_prob(self.decode(z, labels), x), self.prior.kl(z, mean, log_var)

    def reconstruct(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """The expected x at the mean of q(z | x): same shape as x."""
        return self.observation.mean(self.decode(self.encode(x, labels)[0], labels))

    @torch.no_grad()
    def sample(self, n: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """New examples: z from the prior, then the expected x, without the noise of the observation model.

        Images (n, 1, 28, 28) in [-1, 1].  labels: (n,) int64, where the model has labels.
        """
        z = self.prior.sample(n, generator=generator).to(next(self.parameters()).device)
        return self.observation.mean(self.decode(z, labels))

    def _told(self, rows: Tensor, labels: Tensor | None) -> Tensor:
        """The rows with their labels beside them, one-hot, if this model has labels."""
        check_labels(labels, self.labels, len(rows))
        if labels is None:
            return rows
        return torch.cat([rows.flatten(1), F.one_hot(labels, self.labels).to(rows.dtype)], dim=1)


class VAE(LatentVariableModel):
    """A variational autoencoder of 28 x 28 grey images, of fully connected layers.

    Args: latent: dimensions of z.  hidden: units of both hidden layers of the encoder, or of each, first to last.
    decoder_hidden: the same of the decoder, which mirrors the encoder if not given.  labels: kinds of label that both
    networks are told, 0 for none.  observation: default `Bernoulli()`.  prior: default `StandardNormal(latent)`.
    Raises ValueError on images of another shape.
    Source: Kingma & Welling 2014, arXiv:1312.6114, section 3 and appendix C.
    """

    def __init__(
        self,
        latent: int = 20,
        hidden: int | Sequence[int] = 512,
        labels: int = 0,
        observation: Observation | None = None,
        prior: Prior | None = None,
        decoder_hidden: Sequence[int] | None = None,
    ):
        observation = observation or Bernoulli()
        of_type(Observation, observation=observation)
        of_type((int, tuple, list), hidden=hidden)
        fits(latent=latent, pixels=PIXELS)
        whole(0, labels=labels)
        fits(labels=max(1, labels), pixels=PIXELS)
        of_type((tuple, list, NoneType), decoder_hidden=decoder_hidden)
        widths = (hidden, hidden) if isinstance(hidden, int) else tuple(hidden)
        mirrored = widths[::-1] if decoder_hidden is None else tuple(decoder_hidden)
        check_widths(hidden=widths)
        check_widths(decoder_hidden=mirrored)
        shape = (observation.channels, *IMAGE[1:])
        encoder = nn.Sequential(nn.Flatten(), *_mlp(PIXELS + labels, *widths, 2 * latent))
        decoder = nn.Sequential(*_mlp(latent + labels, *mirrored, math.prod(shape)), nn.Unflatten(1, shape))
        super().__init__(encoder, decoder, latent, labels, observation, prior)
        self.decoder: nn.Sequential
        self.mean_image: Tensor
        self.register_buffer("mean_image", torch.zeros(1, 28, 28))

    @torch.no_grad()
    def center(self, images: Tensor) -> VAE:
        """Start at the mean of the images, (n, 1, 28, 28): the encoder sees what differs from it, the decoder draws it.

        Call it before training, which it speeds up: what all images share need not be learned. Returns: this model.
        """
        check_floats(images=images)
        finite_tensors("(n, 1, 28, 28)", images=images)
        check_examples(images)
        if not len(images):
            raise ValueError("images must hold at least one, whose mean a model can start at; got none")
        self.mean_image.copy_(images.mean(dim=0))
        last = self.decoder[-2]
        assert isinstance(last, nn.Linear)
        last.bias.copy_(self.observation.output_of(self.mean_image).flatten())
        return self

    def encode(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z | x), each (n, latent).  x: images; labels: (n,) int64."""
        check_examples(x, IMAGE, self)
        return super().encode(x - self.mean_image, labels)


MAP_BETAS = (0.1, 1.0, 10.0, 30.0)  # of the networks in `zoo.load("vae-maps")`, in their order


def _mlp(*widths: int) -> list[nn.Module]:
    """Linear layers with SiLU between them."""
    check_widths(widths=widths)
    layers: list[nn.Module] = []
    for inputs, outputs in zip(widths, widths[1:], strict=False):
        layers += [nn.Linear(inputs, outputs), nn.SiLU()]
    return layers[:-1]


# --- the bound --------------------------------------------------------------------------------------------------------


class Bound(NamedTuple):
    """Result of `elbo`.  objective: scalar to maximise.  reconstruction: (n,).  kl: (n, latent) or (n, 1), in nats."""

    objective: Tensor
    reconstruction: Tensor
    kl: Tensor


def elbo(
    model: nn.Module,
    x: Tensor,
    beta: float = 1.0,
    free_bits: float = 0.0,
    labels: Tensor | None = None,
    noise: Tensor | None = None,
) -> Bound:
    """The evidence lower bound, mean over the batch, in nats: log p(x | z) - beta KL( q(z | x) || p(z) ).

    Args:
        model: a `LatentVariableModel`, or what wraps one and gives the same when called.
        beta: weight of the KL; 1 for the bound (Higgins et al. 2017), less while warming up.
        free_bits: nats of KL a column, mean over the batch, below which it costs and teaches nothing more
            (Kingma et al. 2016, arXiv:1606.04934, appendix C.8).
        labels: (n,) int64, where the model has labels.  noise: (n, latent), default: drawn.

    Returns: objective, to maximise; log p(x | z), (n,); KL, a column for each latent, or one for all. With beta = 1 and
    free_bits = 0 the objective is a lower bound of the mean log p(x), estimated with one z for each x.
    Source: Kingma & Welling 2014, arXiv:1312.6114, equation 3. Equation (vae.elbo).
    """
    between(0, 1e9, beta=beta, free_bits=free_bits)
    check_filled(x=x)
    reconstruction, kl = model(x, labels, noise)
    cost = kl.mean(dim=0).clamp(min=free_bits).sum()
    return Bound(reconstruction.mean() - beta * cost, reconstruction, kl)


def log_joint(model: LatentVariableModel, x: Tensor, z: Tensor, labels: Tensor | None = None) -> Tensor:
    """Log p(z) + log p(x | z), in nats.  x: (n, ...); z: (..., n, latent).  Returns: (..., n)."""
    of_type(LatentVariableModel, model=model)
    check_axes(x=(x, "n ..."), z=(z, f"... n {model.latent}"))
    times = z.shape[:-1].numel() // max(1, len(x))
    output = model.decode(z.flatten(0, -2), None if labels is None else labels.repeat(times))
    log_likelihood = model.observation.log_prob(output, x.repeat(times, *[1] * (x.ndim - 1)))
    return model.prior.log_prob(z) + log_likelihood.view(z.shape[:-1])


@torch.no_grad()
def log_weights(
    model: LatentVariableModel,
    x: Tensor,
    k: int,
    labels: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Log p(x, z) - log q(z | x) at k draws z ~ q(z | x) for each x: (k, n), in nats.

    Their mean is the ELBO; `metrics.likelihood.importance_bound` makes a tighter bound of them.
    Args: x: (n, ...); labels: (n,), where the model has labels; generator: on the CPU.
    Source: Burda, Grosse & Salakhutdinov 2016, arXiv:1509.00519, equation 8. Equation (vae.iwae).
    """
    of_type(LatentVariableModel, model=model)
    whole(1, k=k)
    mean, log_var = model.encode(x, labels)
    rows = []
    for _ in range(k):  # one at a time: k * n decoded images need not fit into memory
        z = reparameterize(mean, log_var, torch.randn(mean.shape, generator=generator).to(mean))
        rows.append(log_joint(model, x, z, labels) - log_normal(z, mean, log_var))
    return torch.stack(rows)


def active_units(mean: Tensor, threshold: float = 0.01) -> Tensor:
    """Which latent dimensions the encoder uses: variance of the posterior mean over the data above `threshold`.

    Args: mean: (n, latent), of many x.  Returns: (latent,) bool; its sum is the number of active units.
    Source: Burda, Grosse & Salakhutdinov 2016, arXiv:1509.00519, section 5.2.
    """
    check_floats(mean=mean)
    finite_tensors("(n, latent)", mean=mean)
    check_filled(mean=mean)
    between(0, 1e9, threshold=threshold)
    if len(mean) < 2:
        raise ValueError(f"mean must be of at least two examples, or it has no variance, got {tuple(mean.shape)}")
    return mean.var(dim=0) > threshold


# --- a reference for the tests ----------------------------------------------------------------------------------------


class LinearVAE(LatentVariableModel):
    """A linear encoder and decoder of vectors, with Gaussian noise: its best bound is exact, and is PPCA.

    q(z | x) has one variance a dimension, the same for every x. No chapter uses it: the tests measure `elbo` and the
    estimates of `metrics.likelihood` against it.
    Args: dims: entries of x.  latent: dimensions of z.  Input x (n, dims).
    Source: Lucas et al. 2019, arXiv:1911.02469, section 4.
    """

    def __init__(self, dims: int, latent: int):
        fits(dims=dims, latent=latent)
        super().__init__(_LinearEncoder(dims, latent), nn.Linear(latent, dims), latent, 0, Gaussian())

    @classmethod
    def exact(cls, loading: Tensor, sd: float, mean: Tensor) -> LinearVAE:
        """The linear VAE of x = loading z + mean + sd noise, with its true posterior for an encoder: ELBO = log p(x).

        z is turned until its posterior has no correlations, which changes no density of x.
        Args: loading: (dims, latent).  sd: > 0.  mean: (dims,), all as in `data.toys.LinearGaussian`.
        """
        size = check_axes(loading=(loading, "dims latent"), mean=(mean, "dims"))
        check_floats(loading=loading, mean=mean)
        finite_tensors("(...)", loading=loading, mean=mean)
        between(1e-6, 1e6, sd=sd)
        if size["latent"] > size["dims"]:
            raise ValueError(f"loading must be (dims, latent) with latent <= dims, got {tuple(loading.shape)}")
        left, stretch, _ = torch.linalg.svd(loading, full_matrices=False)
        precision = 1 + (stretch / sd).square()
        encode = (left * stretch / sd**2 / precision).T
        vae = cls(*loading.shape)
        vae.load_state_dict({
            "encoder.mean.weight": encode, "encoder.mean.bias": -encode @ mean.to(encode),
            "encoder.log_var": -precision.log(),
            "decoder.weight": left * stretch, "decoder.bias": mean,
            "observation.log_sd": torch.tensor(sd).log(),
        })  # fmt: skip
        return vae


class _LinearEncoder(nn.Module):
    """A linear mean, and a log variance that does not look at x."""

    def __init__(self, dims: int, latent: int):
        super().__init__()
        self.mean, self.log_var = nn.Linear(dims, latent), nn.Parameter(torch.zeros(latent))

    def forward(self, x: Tensor) -> Tensor:
        check_examples(x, (self.mean.in_features,), self)
        return torch.cat([self.mean(x), self.log_var.expand(len(x), -1)], dim=1)
