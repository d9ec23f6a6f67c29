"""Toy distributions with exact densities: Gaussian mixtures on the line, on a ring and on a grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor

_Numbers: TypeAlias = Sequence[float] | Tensor


class Mixture:
    """Mixture of isotropic Gaussians, on the line or in d dimensions.

    Args:
        weights: (k,) non-negative; scaled to sum to one.
        means: (k,) for the line, (k, d) otherwise.
        sds: (k,) or one number, > 0.

    Raises: ValueError: the numbers do not fit together.
    """

    def __init__(self, weights: _Numbers, means: _Numbers, sds: _Numbers | float) -> None:
        self.means = torch.as_tensor(means, dtype=torch.float64)
        self.weights = torch.as_tensor(weights, dtype=torch.float64)
        self.sds = torch.as_tensor(sds, dtype=torch.float64).expand(len(self.means))
        if self.means.ndim not in (1, 2) or self.weights.shape != self.means.shape[:1]:
            shapes = f"weights {tuple(self.weights.shape)}, means {tuple(self.means.shape)}"
            raise ValueError(f"a mixture needs weights (k,) and means (k,) or (k, d), got {shapes}")
        if (self.weights < 0).any() or self.weights.sum() <= 0 or (self.sds <= 0).any():
            got = f"weights {self.weights.tolist()}, sds {self.sds.tolist()}"
            raise ValueError(f"weights must be >= 0 and not all 0, sds > 0; got {got}")
        self.weights = self.weights / self.weights.sum()

    @property
    def modes(self) -> int:
        """Number of Gaussians."""
        return len(self.means)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Independent draws, n of them: (n,) or (n, d) float32."""
        mode = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        noise = torch.randn(n, *self.means.shape[1:], generator=generator, dtype=torch.float64)
        return (self.means[mode] + self._wide(self.sds[mode]) * noise).float()

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density in nats. x: (...) on the line, (..., d) otherwise.  Returns: (...), in the dtype of x."""
        d = self.means.shape[1] if self.means.ndim == 2 else 1
        log_normal = -0.5 * self._distances(x).square() - d * (self.sds.log() + 0.5 * math.log(2 * math.pi))
        return torch.logsumexp(self.weights.log() + log_normal, dim=-1).to(x.dtype)

    def prob(self, x: Tensor) -> Tensor:
        """Density. x: (...) on the line, (..., d) otherwise.  Returns: (...)."""
        return self.log_prob(x).exp()

    def _wide(self, sds: Tensor) -> Tensor:
        return sds if self.means.ndim == 1 else sds.unsqueeze(1)

    def _distances(self, x: Tensor) -> Tensor:
        """Distance to each mean in standard deviations: (..., k)."""
        x = x.double()
        if self.means.ndim == 1:
            return (x.unsqueeze(-1) - self.means).abs() / self.sds
        return (x.unsqueeze(-2) - self.means).norm(dim=-1) / self.sds


def two_gaussians(distance: float = 3.0, sd: float = 1.0) -> Mixture:
    """Two equally likely Gaussians on the line, their means ``distance`` apart and symmetric about zero."""
    return Mixture([0.5, 0.5], [-distance / 2, distance / 2], sd)


def ring_mixture(modes: int = 8, radius: float = 2.0, sd: float = 0.05) -> Mixture:
    """Equally likely Gaussians in the plane, evenly spaced on a circle about the origin."""
    angle = torch.arange(modes, dtype=torch.float64) * (2 * math.pi / modes)
    return Mixture(torch.ones(modes), radius * torch.stack([angle.cos(), angle.sin()], dim=1), sd)


def grid_mixture(side: int = 5, spacing: float = 1.0, sd: float = 0.05) -> Mixture:
    """Equally likely Gaussians in the plane, side x side, on a square grid about the origin."""
    ticks = spacing * (torch.arange(side, dtype=torch.float64) - (side - 1) / 2)
    return Mixture(torch.ones(side * side), torch.cartesian_prod(ticks, ticks), sd)


def ring(
    n: int, modes: int = 8, radius: float = 2.0, sd: float = 0.05, generator: torch.Generator | None = None
) -> Tensor:
    """Draws from `ring_mixture`: (n, 2) float32."""
    return ring_mixture(modes, radius, sd).sample(n, generator)


def grid(
    n: int, side: int = 5, spacing: float = 1.0, sd: float = 0.05, generator: torch.Generator | None = None
) -> Tensor:
    """Draws from `grid_mixture`: (n, 2) float32."""
    return grid_mixture(side, spacing, sd).sample(n, generator)


def modes_covered(samples: Tensor, mixture: Mixture, within: float = 4.0, at_least: float = 0.2) -> int:
    """Number of modes that get at least ``at_least`` of the samples due to them.

    A sample belongs to the nearest mode (in standard deviations), and counts if it is ``within`` that many of them.

    Args: samples: (n,) or (n, d), as the mixture.  Returns: 0 to ``mixture.modes``.
    Raises: ValueError: no samples.
    """
    if not len(samples):
        raise ValueError("samples must hold at least one point, got none")
    distance, mode = mixture._distances(samples.detach().cpu()).min(dim=1)
    counts = mode[distance <= within].bincount(minlength=mixture.modes)
    return int((counts >= at_least * len(samples) * mixture.weights).sum())
