"""Toy distributions with exact densities: Gaussian mixtures on the line, on a ring and on a grid; linear latents."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from genai_utils import checks
from genai_utils.checks import between, fits, of_type, shaped, tensors, whole
from genai_utils.models.shapes import check_axes, check_floats

TINY, LARGE = 1e-6, 1e9  # spreads below and numbers above have densities that float32 cannot hold
_Numbers: TypeAlias = Sequence[float] | Tensor


class Mixture:
    """Mixture of isotropic Gaussians, on the line or in d dimensions.

    Args:
        weights: (k,) non-negative; scaled to sum to one.
        means: (k,) for the line, (k, d) otherwise.
        sds: (k,) or one number, 1e-6 or more.

    Raises: ValueError: the numbers do not fit together.
    """

    def __init__(self, weights: _Numbers, means: _Numbers, sds: _Numbers | float) -> None:
        self.means, self.weights = _float64("means", means), _float64("weights", weights)
        if self.means.ndim not in (1, 2) or self.weights.shape != self.means.shape[:1]:
            shapes = f"weights {tuple(self.weights.shape)}, means {tuple(self.means.shape)}"
            raise ValueError(f"a mixture needs weights (k,) and means (k,) or (k, d), got {shapes}")
        self.sds = _expanded(len(self.means), sds=sds)
        if (self.weights < 0).any() or self.weights.sum() <= 0 or (self.sds < TINY).any():
            got = f"weights {self.weights.tolist()}, sds {self.sds.tolist()}"
            raise ValueError(f"weights must be >= 0 and not all 0, sds >= {TINY:g}; got {got}")
        self.weights = self.weights / self.weights.sum()

    @property
    def modes(self) -> int:
        """Number of Gaussians."""
        return len(self.means)

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Independent draws, n of them: (n,) or (n, d) float32."""
        fits(n=n, d=self.means[0].numel())
        mode = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        noise = torch.randn(n, *self.means.shape[1:], generator=generator, dtype=torch.float64)
        return (self.means[mode] + self._wide(self.sds[mode]) * noise).float()

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density in nats. x: (...) on the line, (..., d) otherwise.  Returns: (...), in the dtype of x."""
        self._check(x=x)
        d = self.means.shape[1] if self.means.ndim == 2 else 1
        log_normal = -0.5 * self._distances(x).square() - d * (self.sds.log() + 0.5 * math.log(2 * math.pi))
        return torch.logsumexp(self.weights.log() + log_normal, dim=-1).to(x.dtype)

    def prob(self, x: Tensor) -> Tensor:
        """Density. x: (...) on the line, (..., d) otherwise.  Returns: (...)."""
        return self.log_prob(x).exp()

    def _check(self, **points: Tensor) -> None:
        _check_numbers(**points)
        if self.means.ndim == 2:
            check_axes(**{name: (x, f"... {self.means.shape[1]}") for name, x in points.items()})

    def _wide(self, sds: Tensor) -> Tensor:
        return sds if self.means.ndim == 1 else sds.unsqueeze(1)

    def _distances(self, x: Tensor) -> Tensor:
        """Distance to each mean in standard deviations: (..., k)."""
        x = x.double()
        if self.means.ndim == 1:
            return (x.unsqueeze(-1) - self.means).abs() / self.sds
        return (x.unsqueeze(-2) - self.means).norm(dim=-1) / self.sds


class LinearGaussian:
    """A linear latent-variable model whose densities are all known: x = loading z + mean + sd noise, z ~ N(0, I).

    This is probabilistic PCA.

    Args:
        loading: (d, k), k <= d.
        sd: of the noise of each entry of x, 1e-6 or more.
        mean: (d,) or one number.

    Raises: ValueError: the numbers do not fit together.
    Source: Tipping & Bishop 1999, Journal of the Royal Statistical Society B 61, 611-622.
    """

    def __init__(self, loading: Sequence[Sequence[float]] | Tensor, sd: float, mean: _Numbers | float = 0.0) -> None:
        self.loading = _float64("loading", loading)
        between(TINY, LARGE, sd=sd)
        if self.loading.ndim != 2 or self.loading.shape[0] < self.loading.shape[1]:
            raise ValueError(f"loading must be (d, k) with k <= d, got {tuple(self.loading.shape)}; transpose it?")
        self.sd = float(sd)
        self.dims, self.latent = self.loading.shape
        self.mean = _expanded(self.dims, mean=mean)

    @classmethod
    def fit(cls, x: Tensor, latent: int) -> LinearGaussian:
        """The model under which x, (n, d), is likeliest; closed form.  latent: 1 to d - 1."""
        _check_numbers(x=x)
        tensors("(n, d)", x=x)
        x = x.detach()
        whole(1, latent=latent)
        if latent >= x.shape[1] or len(x) < 2:
            raise ValueError(f"x must be (n, d) with n >= 2 and d above latent = {latent}, got {tuple(x.shape)}")
        centered = x.double() - x.double().mean(dim=0)
        variance, axes = torch.linalg.eigh(centered.T @ centered / len(x))
        noise = variance[:-latent].mean()
        if noise <= TINY**2:
            raise ValueError(f"x must vary along more than {latent} axes, or there is no noise to learn")
        stretch = (variance[-latent:] - noise).clamp(min=0).sqrt()
        return cls(axes[:, -latent:] * stretch, float(noise.sqrt()), x.double().mean(dim=0))

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Independent draws, n of them: (n, d) float32."""
        fits(n=n, d=self.dims)
        z = torch.randn(n, self.latent, generator=generator, dtype=torch.float64)
        noise = torch.randn(n, self.dims, generator=generator, dtype=torch.float64)
        return (z @ self.loading.T + self.mean + self.sd * noise).float()

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density in nats. x: (..., d).  Returns: (...), in the dtype of x."""
        self._check(x)
        covariance = self.loading @ self.loading.T + self.sd**2 * torch.eye(self.dims, dtype=torch.float64)
        return torch.distributions.MultivariateNormal(self.mean, covariance).log_prob(x.double()).to(x.dtype)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean (n, k), in the dtype of x, and covariance (k, k), float64, of z given x (n, d): the same for every x."""
        self._check(x)
        precision = torch.eye(self.latent, dtype=torch.float64) + self.loading.T @ self.loading / self.sd**2
        covariance = torch.linalg.inv(precision)
        mean = (x.double() - self.mean) @ self.loading @ covariance / self.sd**2
        return mean.to(x.dtype), covariance

    def _check(self, x: Tensor) -> None:
        _check_numbers(x=x)
        if not x.numel():
            raise ValueError(f"x must hold at least one point, got {tuple(x.shape)}")
        check_axes(x=(x, f"... {self.dims}"))


def _float64(name: str, numbers: _Numbers | Sequence[Sequence[float]] | float) -> Tensor:
    """Finite numbers.  Raises: TypeError, ValueError."""
    if isinstance(numbers, Tensor):
        shaped("(...)", **{name: numbers})  # complex numbers would be cut in silence
        numbers = numbers.detach()
    try:
        tensor = torch.as_tensor(numbers, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{name} must be numbers, got {str(numbers)[:60]}") from error
    _check_numbers(**{name: tensor})
    return tensor


def _check_numbers(**given: Tensor) -> None:
    """Refuse what no density can be computed of in float32.  Raises: TypeError, ValueError."""
    check_floats(**given)
    for name, tensor in given.items():
        if not (tensor.abs() <= LARGE).all():
            raise ValueError(f"{name} must be numbers up to {LARGE:g} in size, got NaN or larger ones")


def _expanded(size: int, **given: _Numbers | float) -> Tensor:
    """One number for all, or as many numbers as there must be: (size,) float64.  Raises: TypeError, ValueError."""
    [(name, numbers)] = given.items()
    tensor = _float64(name, numbers)
    if tensor.shape not in ((), (1,), (size,)):
        raise ValueError(f"{name} must be one number or {size} of them, got shape {tuple(tensor.shape)}")
    return tensor.expand(size)


def two_gaussians(distance: float = 3.0, sd: float = 1.0) -> Mixture:
    """Two equally likely Gaussians on the line, their means ``distance`` apart and symmetric about zero."""
    between(-LARGE, LARGE, distance=distance)
    between(TINY, LARGE, sd=sd)
    return Mixture([0.5, 0.5], [-distance / 2, distance / 2], sd)


def ring_mixture(modes: int = 8, radius: float = 2.0, sd: float = 0.05) -> Mixture:
    """Equally likely Gaussians in the plane, evenly spaced on a circle about the origin."""
    fits(modes=modes)
    between(-LARGE, LARGE, radius=radius)
    between(TINY, LARGE, sd=sd)
    angle = torch.arange(modes, dtype=torch.float64) * (2 * math.pi / modes)
    return Mixture(torch.ones(modes), radius * torch.stack([angle.cos(), angle.sin()], dim=1), sd)


def grid_mixture(side: int = 5, spacing: float = 1.0, sd: float = 0.05) -> Mixture:
    """Equally likely Gaussians in the plane, side x side, on a square grid about the origin."""
    fits(side=side, other_side=side)
    fits(modes=side * side)
    between(-LARGE / side, LARGE / side, spacing=spacing)
    between(TINY, LARGE, sd=sd)
    ticks = spacing * (torch.arange(side, dtype=torch.float64) - (side - 1) / 2)
    return Mixture(torch.ones(side * side), torch.cartesian_prod(ticks, ticks), sd)


def ring(
    n: int, modes: int = 8, radius: float = 2.0, sd: float = 0.05, generator: torch.Generator | None = None
) -> Tensor:
    """Draws from `ring_mixture`: (n, 2) float32."""
    return ring_mixture(modes, radius, sd).sample(n, generator=generator)


def grid(
    n: int, side: int = 5, spacing: float = 1.0, sd: float = 0.05, generator: torch.Generator | None = None
) -> Tensor:
    """Draws from `grid_mixture`: (n, 2) float32."""
    return grid_mixture(side, spacing, sd).sample(n, generator=generator)


def modes_covered(samples: Tensor, mixture: Mixture, within: float = 4.0, at_least: float = 0.2) -> int:
    """Number of modes that get at least ``at_least`` of the samples due to them.

    A sample belongs to the nearest mode (in standard deviations), and counts if it is ``within`` that many of them.

    Args: samples: (n,) or (n, d), as the mixture.  Returns: 0 to ``mixture.modes``.
    Raises: ValueError: no samples.
    """
    of_type(Mixture, mixture=mixture)
    checks.at_least(0, within=within, at_least=at_least)
    tensors("(n)" if mixture.means.ndim == 1 else "(n, d)", samples=samples)
    mixture._check(samples=samples)
    if not len(samples):
        raise ValueError("samples must hold at least one point, got none")
    distance, mode = mixture._distances(samples.detach().cpu()).min(dim=1)
    counts = mode[distance <= within].bincount(minlength=mixture.modes)
    return int((counts >= at_least * len(samples) * mixture.weights).sum())


def small_hmm() -> tuple[Tensor, Tensor, Tensor]:
    """A market with two hidden moods, calm and nervous, of which one sees each day: fall, flat or rise.

    Returns: start (2,), transition (2, 2) and emission (2, 3) of a hidden Markov model, float64.
    """
    tables = [0.7, 0.3], [[0.95, 0.05], [0.10, 0.90]], [[0.15, 0.60, 0.25], [0.50, 0.10, 0.40]]
    start, transition, emission = (torch.tensor(table, dtype=torch.float64) for table in tables)
    return start, transition, emission
