"""Variational autoencoders: observation models, priors, three networks, the evidence lower bound and what it tells.

Read from top to bottom. A latent z from the prior is decoded into the parameters of a distribution of x (the
observation model); an encoder guesses which z an x came from. Everything is in nats. Images are (n, 1, 28, 28) in
[-1, 1], as `genai_utils.data` gives them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genai_utils.models.shapes import IMAGE, check_examples, check_latent

PIXELS = 28 * 28
LEVELS = 256  # grey levels of a pixel


# --- what a decoder says of x -----------------------------------------------------------------------------------------


class Observation(nn.Module, ABC):
    """What the decoder's output means: a distribution of x.  channels: maps of output for each map of x."""

    channels = 1

    @abstractmethod
    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Log probability or density of each x: (n,), in nats.  output: (n, channels * c, ...); x: (n, c, ...)."""

    @abstractmethod
    def mean(self, output: Tensor) -> Tensor:
        """The expected x: (n, c, ...)."""

    @abstractmethod
    def output_of(self, mean: Tensor) -> Tensor:
        """An output that expects this x, where a decoder can start: (c, ...) to (channels * c, ...)."""


class Bernoulli(Observation):
    """Each pixel is white with probability sigmoid(logit). Grey pixels count as that much white: no density of x."""

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Minus the cross-entropy, see `bernoulli_log_likelihood`."""
        return bernoulli_log_likelihood(output, x)

    def mean(self, output: Tensor) -> Tensor:
        """The expected images, in [-1, 1]."""
        return 2 * torch.sigmoid(_wide(output)) - 1

    def output_of(self, mean: Tensor) -> Tensor:
        """Its logits; pixels that are always black or white count as nearly so."""
        return torch.logit((mean + 1) / 2, eps=0.005)


class DiscretizedLogistic(Observation):
    """Each pixel follows a logistic distribution, rounded to its 256 grey levels; black and white take the tails.

    Output (n, 2, 28, 28): centre, in the units of x, and log scale. `log_prob` is a log density of dequantised pixels
    in [0, 1]^784, so that `metrics.likelihood.bits_per_dim` is the code length of the bytes; a uniform model has 0.
    Source: Salimans et al. 2017, arXiv:1701.05517, section 2.1, with one component.
    """

    channels = 2

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Log density, (n,), of images whose pixels are bytes scaled to [-1, 1]."""
        centre, log_scale = _wide(output).chunk(2, dim=1)
        slope = torch.exp(-log_scale.clamp(-7, 3))
        above, below = slope * (x - centre + 1 / 255), slope * (x - centre - 1 / 255)
        # log(sigmoid(a) - sigmoid(b)) = log sigmoid(a) + log sigmoid(-b) + log(1 - e^(b - a)), and 0 for open ends
        upper = torch.where(x > 1 - 1 / 255, 0, F.logsigmoid(above))
        lower = torch.where(x < -1 + 1 / 255, 0, F.logsigmoid(-below))
        width = torch.where(x.abs() > 1 - 1 / 255, 0, torch.log(-torch.expm1(-slope * 2 / 255)))
        return (upper + lower + width + math.log(LEVELS)).flatten(1).sum(dim=1)

    def mean(self, output: Tensor) -> Tensor:
        """The centres, cut to [-1, 1]: the median of each pixel."""
        return _wide(output).chunk(2, dim=1)[0].clamp(-1, 1)

    def output_of(self, mean: Tensor) -> Tensor:
        """Centres there, with a scale of about a third of the range of grey."""
        return torch.cat([mean, torch.full_like(mean, -0.5)])


class Gaussian(Observation):
    """x = output + noise of one learned standard deviation.  sd: where it starts, in the units of x."""

    def __init__(self, sd: float = 1.0):
        super().__init__()
        self.log_sd = nn.Parameter(torch.tensor(math.log(sd)))

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Log density, (n,), in the units of x."""
        return log_normal(x.flatten(1), _wide(output).flatten(1), 2 * self.log_sd)

    def mean(self, output: Tensor) -> Tensor:
        """The output itself."""
        return _wide(output)

    def output_of(self, mean: Tensor) -> Tensor:
        """The mean itself."""
        return mean


def bernoulli_log_likelihood(logits: Tensor, x: Tensor) -> Tensor:
    """Log probability of images whose pixels are white with probability sigmoid(logit): (n,), in nats, <= 0.

    A grey pixel counts as (x + 1) / 2 of a white and the rest of a black one: a cross-entropy. Only for images that are
    black and white is it the log of a probability.

    Args: logits, x: (n, 1, 28, 28), x in [-1, 1].
    """
    logits = _wide(logits)
    return (logits * (x + 1) / 2 - F.softplus(logits)).flatten(1).sum(dim=1)


def _wide(x: Tensor) -> Tensor:
    """Out of bf16, where autocast left it: likelihoods need more digits."""
    return x.float() if x.dtype is torch.bfloat16 else x


# --- what is known of z before x is seen ------------------------------------------------------------------------------


class Prior(nn.Module, ABC):
    """A distribution p(z) of latents."""

    @abstractmethod
    def log_prob(self, z: Tensor) -> Tensor:
        """Log density of each z, in nats: (..., latent) -> (...)."""

    @abstractmethod
    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draws, (n, latent), on the device of the generator (the CPU by default)."""

    def kl(self, z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
        """KL( N(mean, diag exp log_var) || p ), in nats: (n, latent), or (n, 1) if the dimensions depend on each other.

        Here (n, 1): the entropy of the Gaussian is exact, log p is taken at one draw of it, z; unbiased.
        Args: z, mean, log_var: (n, latent).
        """
        entropy = 0.5 * (log_var + math.log(2 * math.pi * math.e)).sum(dim=1)
        return (-entropy - self.log_prob(z)).unsqueeze(1)


class StandardNormal(Prior):
    """N(0, I): nothing to learn."""

    def __init__(self, latent: int):
        super().__init__()
        self.latent = latent

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density of each z, in nats."""
        return log_normal(z)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Standard normal numbers, (n, latent)."""
        return torch.randn(n, self.latent, generator=generator, device=generator.device if generator else None)

    def kl(self, z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
        """The exact KL of each dimension, (n, latent), which does not look at z."""
        return gaussian_kl(mean, log_var)


class MixturePrior(Prior):
    """A mixture of Gaussians without correlations, all of it learned: the prior goes where the codes are.

    With N(0, I), a bound also pays for every difference between the prior and the codes of all images together.
    Args: latent: dimensions of z.  components: Gaussians in the mixture.
    Source: Tomczak & Welling 2018, arXiv:1705.07120: the best prior is the average posterior, and a mixture of
    Gaussians is the simplest stand-in for it that they try.
    """

    def __init__(self, latent: int, components: int = 128):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(components))
        self.mean = nn.Parameter(0.5 * torch.randn(components, latent))
        self.log_var = nn.Parameter(torch.zeros(components, latent))

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density of each z, in nats.  The squares are multiplied out, so that it is two products of matrices."""
        with torch.autocast(z.device.type, enabled=False):  # differences of large numbers need all their digits
            weight = torch.exp(-self.log_var)
            shift = (self.mean.square() * weight + self.log_var + math.log(2 * math.pi)).sum(dim=1)
            square = F.linear(z.square(), weight) - 2 * F.linear(z, self.mean * weight)
            return torch.logsumexp(self.logits.log_softmax(dim=0) - 0.5 * (square + shift), dim=-1)

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """A Gaussian for each, by its weight, and a draw of it: (n, latent)."""
        device = generator.device if generator else torch.device("cpu")
        pick = torch.multinomial(self.logits.softmax(dim=0).to(device), n, replacement=True, generator=generator)
        mean, log_var = self.mean.to(device)[pick], self.log_var.to(device)[pick]
        return reparameterize(mean, log_var, torch.randn(mean.shape, generator=generator, device=device))


# --- networks ---------------------------------------------------------------------------------------------------------


class LatentVariableModel(nn.Module):
    """A prior, an encoder and a decoder; called on x, it gives both terms of the bound.

    Args:
        encoder: x, or (x and one-hot label) as rows, to (n, 2 latent): mean and log variance of q(z | x).
        decoder: (n, latent + classes) to the parameters of `observation`.
        latent: dimensions of z.  classes: 0, or the number of labels that both networks are told.
        observation: what the decoder's output means.  prior: of z, default `StandardNormal`.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        latent: int,
        classes: int,
        observation: Observation,
        prior: Prior | None = None,
    ):
        super().__init__()
        self.encoder, self.decoder, self.observation = encoder, decoder, observation
        self.prior = prior or StandardNormal(latent)
        self.latent, self.classes = latent, classes

    def encode(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z | x), each (n, latent).  labels: (n,) int64, where the model has classes."""
        mean, log_var = _wide(self.encoder(self._told(x, labels))).chunk(2, dim=1)
        return mean, log_var

    def decode(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Parameters of p(x | z): logits (n, 1, 28, 28) of a Bernoulli model.  Raises ValueError on another latent."""
        check_latent(z, self.latent)
        return _wide(self.decoder(self._told(z, labels)))

    def forward(self, x: Tensor, labels: Tensor | None = None, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Both terms of the bound, for one z a row: log p(x | z), (n,), and `Prior.kl`, (n, latent) or (n, 1).

        noise: (n, latent), standard normal; drawn from torch's global generator if not given.
        """
        mean, log_var = self.encode(x, labels)
        z = reparameterize(mean, log_var, torch.randn_like(mean) if noise is None else noise)
        return self.observation.log_prob(self.decode(z, labels), x), self.prior.kl(z, mean, log_var)

    def reconstruct(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """The expected x at the mean of q(z | x): same shape as x."""
        return self.observation.mean(self.decode(self.encode(x, labels)[0], labels))

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator | None = None, labels: Tensor | None = None) -> Tensor:
        """New examples: z from the prior, then the expected x, without the noise of the observation model.

        Images (n, 1, 28, 28) in [-1, 1].  labels: (n,) int64, where the model has classes.
        """
        z = self.prior.sample(n, generator).to(next(self.parameters()).device)
        return self.observation.mean(self.decode(z, labels))

    def _told(self, rows: Tensor, labels: Tensor | None) -> Tensor:
        """The rows with their labels beside them, one-hot, if this model has classes."""
        if (labels is None) == bool(self.classes):
            wanted = f"labels (n,) in 0..{self.classes - 1}" if self.classes else "no labels"
            given = "none" if labels is None else "labels"
            raise ValueError(f"a model of {self.classes} classes takes {wanted}, got {given}")
        if labels is None:
            return rows
        return torch.cat([rows.flatten(1), F.one_hot(labels, self.classes).to(rows.dtype)], dim=1)


class VAE(LatentVariableModel):
    """A variational autoencoder of 28 x 28 grey images, of fully connected layers.

    Args: latent: dimensions of z.  hidden: units of both hidden layers of the encoder, or of each, first to last.
    decoder_hidden: the same of the decoder, which mirrors the encoder if not given.  classes: labels that both networks
    are told, 0 for none.  observation: default `Bernoulli()`.  prior: default `StandardNormal(latent)`.
    Raises ValueError on images of another shape.
    Source: Kingma & Welling 2014, arXiv:1312.6114, section 3 and appendix C.
    """

    def __init__(
        self,
        latent: int = 20,
        hidden: int | Sequence[int] = 512,
        classes: int = 0,
        observation: Observation | None = None,
        prior: Prior | None = None,
        decoder_hidden: Sequence[int] | None = None,
    ):
        observation = observation or Bernoulli()
        widths = (hidden, hidden) if isinstance(hidden, int) else tuple(hidden)
        mirrored = widths[::-1] if decoder_hidden is None else tuple(decoder_hidden)
        shape = (observation.channels, *IMAGE[1:])
        encoder = nn.Sequential(nn.Flatten(), *_mlp(PIXELS + classes, *widths, 2 * latent))
        decoder = nn.Sequential(*_mlp(latent + classes, *mirrored, math.prod(shape)), nn.Unflatten(1, shape))
        super().__init__(encoder, decoder, latent, classes, observation, prior)
        self.decoder: nn.Sequential
        self.mean_image: Tensor
        self.register_buffer("mean_image", torch.zeros(1, 28, 28))

    @torch.no_grad()
    def centre(self, images: Tensor) -> VAE:
        """Start at the mean of the images, (n, 1, 28, 28): the encoder sees what differs from it, the decoder draws it.

        Call it before training, which it speeds up: what all images share need not be learned. Returns: this model.
        """
        self.mean_image.copy_(images.mean(dim=0))
        last = self.decoder[-2]
        assert isinstance(last, nn.Linear)
        last.bias.copy_(self.observation.output_of(self.mean_image).flatten())
        return self

    def encode(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z | x), each (n, latent).  x: images; labels: (n,) int64."""
        check_examples(x)
        return super().encode(x - self.mean_image, labels)


MAP_BETAS = (0.1, 1.0, 10.0, 30.0)


def latent_maps() -> nn.ModuleList:
    """The untrained networks of `zoo.load("vae-maps")`: a small VAE with two latents for each of MAP_BETAS."""
    return nn.ModuleList([VAE(latent=2, hidden=(104, 64)) for _ in MAP_BETAS])


class ConvVAE(LatentVariableModel):
    """A variational autoencoder of 28 x 28 grey images, of convolutions with stride two and their transposes.

    Args: latent: dimensions of z.  width: maps at 14 x 14 (twice as many at 7 x 7).  observation: default
    `Bernoulli()`.  Raises ValueError on images of another shape.
    """

    def __init__(self, latent: int = 20, width: int = 16, observation: Observation | None = None):
        observation = observation or Bernoulli()
        encoder = nn.Sequential(
            nn.Conv2d(1, width, 4, 2, 1), nn.SiLU(),  # 14 x 14
            nn.Conv2d(width, 2 * width, 4, 2, 1), nn.SiLU(),  # 7 x 7
            nn.Flatten(), *_mlp(2 * width * 49, 256, 2 * latent),
        )  # fmt: skip
        decoder = nn.Sequential(
            *_mlp(latent, 256, 2 * width * 49), nn.SiLU(), nn.Unflatten(1, (2 * width, 7, 7)),
            nn.ConvTranspose2d(2 * width, width, 4, 2, 1), nn.SiLU(),  # 14 x 14
            nn.ConvTranspose2d(width, observation.channels, 4, 2, 1),  # 28 x 28
        )  # fmt: skip
        super().__init__(encoder, decoder, latent, 0, observation)

    def encode(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z | x), each (n, latent).  x: images; labels must be None."""
        check_examples(x)
        return super().encode(x, labels)


class LinearVAE(LatentVariableModel):
    """A linear encoder and decoder of vectors, with Gaussian noise: its best bound is exact, and is PPCA.

    q(z | x) has one variance a dimension, the same for every x.
    Args: dims: entries of x.  latent: dimensions of z.  Input x (n, dims).
    Source: Lucas et al. 2019, arXiv:1911.02469, section 4.
    """

    def __init__(self, dims: int, latent: int):
        super().__init__(_LinearEncoder(dims, latent), nn.Linear(latent, dims), latent, 0, Gaussian())

    @classmethod
    def exact(cls, loading: Tensor, sd: float, mean: Tensor) -> LinearVAE:
        """The linear VAE of x = loading z + mean + sd noise, with its true posterior for an encoder: ELBO = log p(x).

        z is turned until its posterior has no correlations, which changes no density of x.
        Args: loading: (dims, latent).  sd: > 0.  mean: (dims,), all as in `data.toys.LinearGaussian`.
        """
        left, stretch, _ = torch.linalg.svd(loading, full_matrices=False)
        precision = 1 + (stretch / sd).square()
        encode = (left * stretch / sd**2 / precision).T
        vae = cls(*loading.shape)
        vae.load_state_dict({
            "encoder.mean.weight": encode, "encoder.mean.bias": -encode @ mean,
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
        return torch.cat([self.mean(x), self.log_var.expand(len(x), -1)], dim=1)


def _mlp(*widths: int) -> list[nn.Module]:
    """Linear layers with SiLU between them."""
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


def reparameterize(mean: Tensor, log_var: Tensor, noise: Tensor) -> Tensor:
    """A draw from N(mean, diag exp log_var) through which gradients flow: mean + exp(log_var / 2) * noise.

    Args: mean, log_var, noise: (..., latent), noise standard normal.
    Source: Kingma & Welling 2014, arXiv:1312.6114, section 2.4. Equation (vae.reparameterization).
    """
    return mean + torch.exp(0.5 * log_var) * noise


def gaussian_kl(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL( N(mean, diag exp log_var) || N(0, I) ) of each dimension, in nats, >= 0; sum over the last axis for all.

    Args: mean, log_var: (..., latent).  Returns: (..., latent).
    Source: Kingma & Welling 2014, arXiv:1312.6114, appendix B. Equation (vae.kl).
    """
    return 0.5 * (mean.square() + log_var.exp() - 1 - log_var)


def log_normal(z: Tensor, mean: Tensor | float = 0.0, log_var: Tensor | float = 0.0) -> Tensor:
    """Log density of N(mean, diag exp log_var) at z, in nats: (..., latent) -> (...)."""
    log_var = torch.as_tensor(log_var, dtype=z.dtype, device=z.device)
    return -0.5 * ((z - mean).square() * torch.exp(-log_var) + log_var + math.log(2 * math.pi)).sum(dim=-1)


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
        labels: (n,) int64, where the model has classes.  noise: (n, latent), default: drawn.

    Returns: objective, to maximise; log p(x | z), (n,); KL, a column for each latent, or one for all. With beta = 1 and
    free_bits = 0 the objective is a lower bound of the mean log p(x), estimated with one z for each x.
    Source: Kingma & Welling 2014, arXiv:1312.6114, equation 3. Equation (vae.elbo).
    """
    reconstruction, kl = model(x, labels, noise)
    cost = kl.mean(dim=0).clamp(min=free_bits).sum()
    return Bound(reconstruction.mean() - beta * cost, reconstruction, kl)


def log_joint(model: LatentVariableModel, x: Tensor, z: Tensor, labels: Tensor | None = None) -> Tensor:
    """Log p(z) + log p(x | z), in nats.  x: (n, ...); z: (..., n, latent).  Returns: (..., n)."""
    times = z.shape[:-1].numel() // len(x)
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
    Args: x: (n, ...); labels: (n,), where the model has classes; generator: on the CPU.
    Source: Burda, Grosse & Salakhutdinov 2016, arXiv:1509.00519, equation 8. Equation (vae.iwae).
    """
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
    return mean.var(dim=0) > threshold
