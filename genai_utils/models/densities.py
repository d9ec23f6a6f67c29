"""The distributions around a latent-variable model: what a decoder says of x, and what is known of z before.

Read from top to bottom: formulas of Gaussians, observation models p(x | z), priors p(z). Everything is in nats. Images
are (n, 1, 28, 28) in [-1, 1], as `genai_utils.data` gives them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from types import NoneType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genai_utils.checks import between, fits, of_type, tensors, whole
from genai_utils.models.shapes import (
    check_alike,
    check_axes,
    check_floating,
    check_floats,
    check_format,
    check_real,
    check_stretchable,
)

LEVELS = 256  # gray levels of a pixel


# --- Gaussians --------------------------------------------------------------------------------------------------------


def reparameterize(mean: Tensor, log_var: Tensor, noise: Tensor) -> Tensor:
    """A draw from N(mean, diag exp log_var) through which gradients flow: mean + exp(log_var / 2) * noise.

    Args: mean, log_var, noise: (..., latent), noise standard normal.
    Source: Kingma & Welling 2014, arXiv:1312.6114, section 2.4. Equation (vae.reparameterization).
    """
    check_stretchable(mean=mean, log_var=log_var, noise=noise)
    return mean + torch.exp(0.5 * log_var) * noise


def gaussian_kl(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL( N(mean, diag exp log_var) || N(0, I) ) of each dimension, in nats, >= 0; sum over the last axis for all.

    Args: mean, log_var: (..., latent).  Returns: (..., latent).
    Source: Kingma & Welling 2014, arXiv:1312.6114, appendix B. Equation (vae.kl).
    """
    check_stretchable(mean=mean, log_var=log_var)
    return 0.5 * (mean.square() + log_var.exp() - 1 - log_var)


def log_normal(z: Tensor, mean: Tensor | float = 0.0, log_var: Tensor | float = 0.0) -> Tensor:
    """Log density of N(mean, diag exp log_var) at z, in nats: (..., latent) -> (...)."""
    tensors("(..., latent)", z=z)
    of_type((Tensor, float, int), mean=mean, log_var=log_var)
    check_real(**{name: one for name, one in (("mean", mean), ("log_var", log_var)) if isinstance(one, Tensor)})
    between(-80, 80, **{} if isinstance(log_var, Tensor) else {"log_var": log_var})
    between(-1e9, 1e9, **{} if isinstance(mean, Tensor) else {"mean": mean})
    log_var = torch.as_tensor(log_var, dtype=z.dtype, device=z.device)
    check_stretchable(z=z, mean=torch.as_tensor(mean), log_var=log_var)
    return -0.5 * ((z - mean).square() * torch.exp(-log_var) + log_var + math.log(2 * math.pi)).sum(dim=-1)


def wide(x: Tensor) -> Tensor:
    """Out of bf16, where autocast left it: likelihoods need more digits.  Raises: TypeError, ValueError: NaN."""
    check_real(x=x)
    return x.float() if x.dtype is torch.bfloat16 else x


# --- what a decoder says of x -----------------------------------------------------------------------------------------


class Observation(nn.Module, ABC):
    """What the decoder's output means: a distribution of x.  channels: maps of output for each map of x."""

    channels = 1

    def check(self, output: Tensor, x: Tensor) -> None:
        """Refuse an output that is not of these x.  Raises: TypeError, ValueError."""
        tensors("(n, c, ...)", output=output, x=x)
        check_real(output=output, x=x)
        check_floating(output=output)
        wanted = (len(x), self.channels * x.shape[1], *x.shape[2:])
        if output.shape != wanted:
            raise ValueError(f"output must be {wanted} for x of {tuple(x.shape)}, got {tuple(output.shape)}")

    @abstractmethod
    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Log probability or density of each x: (n,), in nats.  output: (n, channels * c, ...); x: (n, c, ...)."""

    @abstractmethod
    def mean(self, output: Tensor) -> Tensor:
        """The middle of the distribution, to look at: its mean or, where an observation says so, its median."""

    @abstractmethod
    def output_of(self, mean: Tensor) -> Tensor:
        """An output that expects this x, where a decoder can start: (c, ...) to (channels * c, ...)."""


class Bernoulli(Observation):
    """Each pixel is white with probability sigmoid(logit). Grey pixels count as that much white: no density of x."""

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Minus the cross-entropy, see `bernoulli_log_likelihood`."""
        self.check(output, x)
        return bernoulli_log_likelihood(output, x)

    def mean(self, output: Tensor) -> Tensor:
        """The expected images, in [-1, 1]."""
        check_real(output=output)
        return 2 * torch.sigmoid(wide(output)) - 1

    def output_of(self, mean: Tensor) -> Tensor:
        """Its logits; pixels that are always black or white count as nearly so."""
        check_floats(mean=mean)
        return torch.logit((mean + 1) / 2, eps=0.005)


class DiscretizedLogistic(Observation):
    """Each pixel follows a logistic distribution, rounded to its 256 grey levels; black and white take the tails.

    Output (n, 2, 28, 28): center, in the units of x, and log scale. `log_prob` is a log density of dequantized pixels
    in [0, 1]^784, so that `metrics.likelihood.bits_per_dim` is the code length of the bytes; a uniform model has 0.
    Source: Salimans et al. 2017, arXiv:1701.05517, section 2.1, with one component.
    """

    channels = 2

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Log density, (n,), of images whose pixels are bytes scaled to [-1, 1]."""
        self.check(output, x)
        center, log_scale = wide(output).chunk(2, dim=1)
        slope = torch.exp(-log_scale.clamp(-7, 3))
        above, below = slope * (x - center + 1 / 255), slope * (x - center - 1 / 255)
        # log(sigmoid(a) - sigmoid(b)) = log sigmoid(a) + log sigmoid(-b) + log(1 - e^(b - a)), and 0 for open ends
        upper = torch.where(x > 1 - 1 / 255, 0, F.logsigmoid(above))
        lower = torch.where(x < -1 + 1 / 255, 0, F.logsigmoid(-below))
        width = torch.where(x.abs() > 1 - 1 / 255, 0, torch.log(-torch.expm1(-slope * 2 / 255)))
        return (upper + lower + width + math.log(LEVELS)).flatten(1).sum(dim=1)

    def mean(self, output: Tensor) -> Tensor:
        """The centers, cut to [-1, 1]: the median of each pixel."""
        check_axes(output=(output, "n c ..."))
        return wide(output).chunk(2, dim=1)[0].clamp(-1, 1)

    def output_of(self, mean: Tensor) -> Tensor:
        """Centers there, with a scale of about a third of the range of grey."""
        check_floats(mean=mean)
        check_axes(mean=(mean, "c ..."))
        return torch.cat([mean, torch.full_like(mean, -0.5)])


class Gaussian(Observation):
    """x = output + noise of one learned standard deviation, as `vae.LinearVAE` has it.

    Args: sd: where it starts, in the units of x.
    """

    def __init__(self, sd: float = 1.0):
        super().__init__()
        between(1e-6, 1e6, sd=sd)
        self.log_sd = nn.Parameter(torch.tensor(math.log(sd)))

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Log density, (n,), in the units of x."""
        self.check(output, x)
        return log_normal(x.flatten(1), wide(output).flatten(1), 2 * self.log_sd)

    def mean(self, output: Tensor) -> Tensor:
        """The output itself."""
        check_real(output=output)
        return wide(output)

    def output_of(self, mean: Tensor) -> Tensor:
        """The mean itself."""
        check_real(mean=mean)
        return mean


def bernoulli_log_likelihood(logits: Tensor, x: Tensor) -> Tensor:
    """Log probability of images whose pixels are white with probability sigmoid(logit): (n,), in nats, <= 0.

    A grey pixel counts as (x + 1) / 2 of a white and the rest of a black one: a cross-entropy. Only for images that are
    black and white is it the log of a probability.

    Args: logits, x: (n, 1, 28, 28), x in [-1, 1].
    """
    check_alike(logits=logits, x=x)
    check_floating(logits=logits)
    logits = wide(logits)
    return (logits * (x + 1) / 2 - F.softplus(logits)).flatten(1).sum(dim=1)


# --- what is known of z before x is seen ------------------------------------------------------------------------------


class Prior(nn.Module, ABC):
    """A distribution p(z) of latents."""

    @abstractmethod
    def log_prob(self, z: Tensor) -> Tensor:
        """Log density of each z, in nats: (..., latent) -> (...)."""

    @abstractmethod
    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Draws, (n, latent), on the device of the generator (the CPU by default)."""

    def kl(self, z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
        """KL( N(mean, diag exp log_var) || p ), in nats: (n, latent), or (n, 1) if the dimensions depend on each other.

        Here (n, 1): the entropy of the Gaussian is exact, log p is taken at one draw of it, z; unbiased.
        Args: z, mean, log_var: (n, latent).
        """
        check_alike(z=z, mean=mean, log_var=log_var)
        entropy = 0.5 * (log_var + math.log(2 * math.pi * math.e)).sum(dim=1)
        return (-entropy - self.log_prob(z)).unsqueeze(1)


class StandardNormal(Prior):
    """N(0, I): nothing to learn."""

    def __init__(self, latent: int):
        super().__init__()
        whole(1, latent=latent)
        self.latent = latent

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density of each z, in nats."""
        check_axes(z=(z, f"... {self.latent}"))
        return log_normal(z)

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Standard normal numbers, (n, latent)."""
        of_type((torch.Generator, NoneType), generator=generator)
        fits(n=n, latent=self.latent)
        return torch.randn(n, self.latent, generator=generator, device=generator.device if generator else None)

    def kl(self, z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
        """The exact KL of each dimension, (n, latent), which does not depend on z."""
        check_alike(z=z, mean=mean, log_var=log_var)
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
        fits(latent=latent, components=components)
        self.logits = nn.Parameter(torch.zeros(components))
        self.mean = nn.Parameter(0.5 * torch.randn(components, latent))
        self.log_var = nn.Parameter(torch.zeros(components, latent))

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density of each z, in nats.  The squares are multiplied out, so that it is two products of matrices."""
        check_axes(z=(z, f"... {self.mean.shape[1]}"))
        check_format(self, z=z)
        with torch.autocast(z.device.type, enabled=False):  # differences of large numbers need all their digits
            weight = torch.exp(-self.log_var)
            shift = (self.mean.square() * weight + self.log_var + math.log(2 * math.pi)).sum(dim=1)
            square = F.linear(z.square(), weight) - 2 * F.linear(z, self.mean * weight)
            return torch.logsumexp(self.logits.log_softmax(dim=0) - 0.5 * (square + shift), dim=-1)

    @torch.no_grad()
    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """A Gaussian for each, by its weight, and a draw of it: (n, latent)."""
        of_type((torch.Generator, NoneType), generator=generator)
        fits(n=n, latent=self.mean.shape[1])
        device = generator.device if generator else torch.device("cpu")
        pick = torch.multinomial(self.logits.softmax(dim=0).to(device), n, replacement=True, generator=generator)
        mean, log_var = self.mean.to(device)[pick], self.log_var.to(device)[pick]
        return reparameterize(mean, log_var, torch.randn(mean.shape, generator=generator, device=device))
