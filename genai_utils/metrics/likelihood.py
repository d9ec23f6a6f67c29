"""How likely does a model find data? Bits per dimension, and estimates where the likelihood is an integral.

Log densities are in nats. The common scale of grey images: bytes dequantized to [0, 1), bits a pixel = 8 for the
uniform model; see `bits_per_dim`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import NoneType
from typing import NamedTuple

import torch
from torch import Tensor

from genai_utils import checks
from genai_utils.metrics.estimate import STANDARD_ERROR, Estimate

TARGET = 0.65  # share of accepted moves at which Hamiltonian Monte Carlo is said to work best


def dequantize(pixels: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Bytes to real numbers that have a density (uniform dequantization): (byte + u) / 256, u uniform in [0, 1).

    u comes in steps of 2^-16.
    Args: pixels: uint8, any shape.  Returns: float32 in [0, 1), same shape.  Raises: TypeError for other types.
    Source: Theis, van den Oord & Bethge 2016, arXiv:1511.01844, section 3.1.
    """
    checks.shaped("(...)", pixels=pixels)
    _check_generator(generator)
    if pixels.dtype is not torch.uint8:
        raise TypeError(f"pixels must be uint8, got {pixels.dtype}; use fashion_mnist().pixels")
    steps = torch.randint(2**16, pixels.shape, generator=generator)  # so that float32 holds byte + u without rounding
    return (pixels + steps / 2**16) / 256


@checks.representable
def bits_per_dim(log_density: Tensor, dims: int = 784, levels: int = 256) -> Estimate:
    """Bits a dimension, mean over examples with its standard error: log2(levels) - log2 p(x) / dims.

    Args: log_density: (n,), nats, of x dequantized to [0, 1]^dims; a lower bound gives an upper bound of the bits.
    levels: number of values a dimension had before; 1 gives -log2 p / dims, for probabilities.
    Returns: Estimate; the uniform model has log2(levels) = 8.
    Source: Theis, van den Oord & Bethge 2016, arXiv:1511.01844, section 3.1.
    """
    checks.whole(1, dims=dims, levels=levels)
    checks.shaped("(...)", log_density=log_density)
    if log_density.ndim != 1 or not len(log_density) or not log_density.isfinite().all():
        raise ValueError(f"log_density must be (n,) and finite, got {tuple(log_density.shape)}; one number an example")
    bits = math.log2(levels) - log_density.detach().cpu().double() / (dims * math.log(2))
    error = bits.std(correction=0) / len(bits) ** 0.5
    return Estimate(float(bits.mean()), float(error), len(bits), STANDARD_ERROR)


def log_mean_exp(x: Tensor, dim: int = 0) -> Tensor:
    """Log of the mean of exp(x) along an axis, without overflow; minus infinity where all of x is.

    Raises: TypeError: no tensor.  ValueError: an empty x, NaN, plus infinity, no such axis.
    """
    _check_logs("(...)", x=x)
    checks.of_type(int, dim=dim)
    if not -x.ndim <= dim < x.ndim:
        raise ValueError(f"dim must be an axis of x, and x has {x.ndim}, got {dim}")
    return torch.logsumexp(x, dim=dim) - math.log(x.shape[dim])


def importance_bound(log_weights: Tensor) -> Tensor:
    """The importance-weighted bound, log mean_k w_k, for each x, in nats: rises with k to log p(x).

    Args: log_weights: (k, n), log p(x, z) - log q(z | x) at z ~ q; k = 1 is the ELBO.  Returns: (n,).
    Source: Burda, Grosse & Salakhutdinov 2016, arXiv:1509.00519, equation 8. Equation (vae.iwae).
    """
    _check_logs("(k, n)", log_weights=log_weights)
    return log_mean_exp(log_weights, dim=0)


class AnnealedImportance(NamedTuple):
    """Result of `annealed_importance`, for n examples.

    value: (n,) estimates of the log integral, in nats.  error: (n,) their standard errors over chains; the estimate
    also lies error^2 / 2 too low on average.  acceptance: (n,) share of accepted moves.
    """

    value: Tensor
    error: Tensor
    acceptance: Tensor


def annealed_importance(
    log_joint: Callable[[Tensor], Tensor],
    mean: Tensor,
    log_var: Tensor,
    chains: int = 16,
    temperatures: int = 200,
    leapfrogs: int = 5,
    step: float = 0.2,
    generator: torch.Generator | None = None,
) -> AnnealedImportance:
    """Log of the integral of exp(log_joint) over z, by annealed importance sampling with Hamiltonian moves.

    Chains start in N(mean, diag exp log_var) and walk to exp(log_joint) through a path of geometric means. The start
    may be the prior (zeros and zeros) or, closer and so better, the encoder's q(z | x).

    Args:
        log_joint: maps z (chains, n, latent) to log p(x, z) (chains, n), differentiable.
        mean, log_var: (n, latent), where chains start.
        chains: independent walks for each example, >= 2.  temperatures: steps of the path.
        leapfrogs: steps of a move.  step: their size at first, in standard deviations of the start; it follows the
            acceptance of past moves. That is not exact, and harmless here.
        generator: on the CPU.

    Raises: TypeError, ValueError: an argument of another type or out of its range, NaN, or an estimate that is not
    finite.
    Source: Neal 2001, Statistics and Computing 11, 125-139; for decoders Wu et al. 2017, arXiv:1611.04273.
    """
    _check_start(log_joint, mean, log_var, generator)
    checks.whole(2, chains=chains)
    checks.fits(temperatures=temperatures, chains=chains, leapfrogs=leapfrogs)
    checks.between(1e-9, 1e9, step=step)
    scale = torch.exp(0.5 * log_var)
    path = _Path(lambda u: log_joint(mean + scale * u) + 0.5 * log_var.sum(dim=1))
    u = torch.randn(chains, *mean.shape, generator=generator).to(mean)
    log_weight, accepted = torch.zeros_like(u[..., 0]), torch.zeros_like(mean[:, 0])
    size = torch.full_like(accepted, step)
    for before, now in (times := sigmoid_path(temperatures)).unfold(0, 2, 1).tolist():
        log_weight += (now - before) * path.difference(u)
        u, moved = _hamiltonian(path.at(now), u, size, leapfrogs, generator)
        share = moved.mean(dim=0)
        accepted += share / (len(times) - 1)
        size = size * torch.where(share > TARGET, 1.05, 0.95)
    if not log_weight.isfinite().all():
        raise ValueError("log_joint, mean, log_var or step let the chains run away; try a smaller step")
    return AnnealedImportance(log_mean_exp(log_weight), _relative_error(log_weight), accepted)


def sigmoid_path(temperatures: int, reach: float = 4.0) -> Tensor:
    """Points from 0 to 1, dense at both ends, along a sigmoid: (temperatures + 1,) float64.

    Args: temperatures: 1 or more.  reach: of the sigmoid on both sides, in [1e-3, 1e3].
    Raises: ValueError, TypeError: an argument out of its range.
    Source: `sigmoid_schedule` in the code of Wu et al. 2017, arXiv:1611.04273; the paper does not describe it.
    """
    checks.fits(temperatures=temperatures)
    checks.between(1e-3, 1e3, reach=reach)
    points = torch.sigmoid(torch.linspace(-reach, reach, temperatures + 1, dtype=torch.float64))
    return (points - points[0]) / (points[-1] - points[0])


def _check_generator(generator: torch.Generator | None) -> None:
    checks.of_type((torch.Generator, NoneType), generator=generator)


def _check_logs(shape: str, /, **logs: Tensor) -> None:
    """Refuse what is no log of positive numbers, of which some may be 0."""
    checks.shaped(shape, **logs)
    for name, values in logs.items():
        if not values.numel() or not values.is_floating_point() or not values.max() < math.inf:
            raise ValueError(f"{name} must hold logarithms {shape}, no NaN or infinity, got {tuple(values.shape)}")


def _check_start(log_joint: object, mean: Tensor, log_var: Tensor, generator: torch.Generator | None) -> None:
    checks.callables(log_joint=log_joint)
    _check_generator(generator)
    checks.finite_tensors("(n, latent)", mean=mean, log_var=log_var)
    if mean.shape != log_var.shape or not mean.numel() or not mean.is_floating_point():
        shapes = f"{tuple(mean.shape)} and {tuple(log_var.shape)}"
        raise ValueError(f"mean and log_var must be floating point of one shape (n, latent), got {shapes}")


class _Path:
    """Geometric means of N(0, I) and a target, in the coordinates of the start."""

    def __init__(self, log_target: Callable[[Tensor], Tensor]):
        self.log_target = log_target

    @torch.no_grad()
    def difference(self, u: Tensor) -> Tensor:
        """Log target - log start: (chains, n)."""
        return self.log_target(u) - _log_standard_normal(u)

    def at(self, t: float) -> Callable[[Tensor], Tensor]:
        """The log density, not normalised, a share t of the way."""
        return lambda u: (1 - t) * _log_standard_normal(u) + t * self.log_target(u)


def _log_standard_normal(u: Tensor) -> Tensor:
    return -0.5 * (u.square() + math.log(2 * math.pi)).sum(dim=-1)


def _hamiltonian(
    log_density: Callable[[Tensor], Tensor], u: Tensor, size: Tensor, leapfrogs: int, generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    """One move that leaves a density unchanged: new points (chains, n, latent), and 1 where the move was accepted.

    Source: Neal 2011, arXiv:1206.1901, sections 5.2 and 5.3.
    """
    momentum = torch.randn(u.shape, generator=generator).to(u)
    step = size.unsqueeze(-1)
    value, slope = _with_gradient(log_density, u)
    new, kick, new_value = u, momentum, value
    for _ in range(leapfrogs):
        kick = kick + 0.5 * step * slope
        new = new + step * kick
        new_value, slope = _with_gradient(log_density, new)
        kick = kick + 0.5 * step * slope
    gain = new_value - value + 0.5 * (momentum.square() - kick.square()).sum(dim=-1)
    accept = torch.rand(gain.shape, generator=generator).to(gain).log() < gain
    return torch.where(accept.unsqueeze(-1), new, u), accept.to(u)


def _with_gradient(log_density: Callable[[Tensor], Tensor], u: Tensor) -> tuple[Tensor, Tensor]:
    with torch.enable_grad():
        u = u.detach().requires_grad_()
        value = log_density(u)
        (slope,) = torch.autograd.grad(value.sum(), u)
    return value.detach(), slope


def _relative_error(log_weight: Tensor) -> Tensor:
    """Standard error of log mean_k w_k, to first order: that of the mean weight over the mean weight."""
    weight = torch.exp(log_weight - log_weight.amax(dim=0))
    return weight.std(dim=0) / weight.mean(dim=0) / len(weight) ** 0.5
