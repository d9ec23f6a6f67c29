"""Diffusion: data are mixed with noise, x_t = alpha x + sigma noise, and whoever can guess x back can generate.

Read from top to bottom: mixing and its reversal, the best possible guess, how one guess is turned into another, the
steps of a sampler, guidance. All is arithmetic on tensors (n, ...) with one level of noise for the batch; networks that
learn the guess, and times for each example, stand in flow.py. Time runs from noise to data there and in the chapter;
here is no time, only alpha and sigma, so that no direction can be mixed up.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from genai_utils.checks import at_least, between, finite, finite_tensors, one_of
from genai_utils.models.shapes import check_alike, check_axes, check_filled, check_floats, check_one_format

LEAST, MOST = 1e-6, 1e4  # smallest alpha or sigma that is divided by, and the largest
NOTHING = 1e-30  # a share that counts as 0: numbers close to the least that a float can hold slow a processor down
Form = Literal["blend", "excess"]


# --- mixing with noise, and back --------------------------------------------------------------------------------------


def marginal(x: Tensor, noise: Tensor, alpha: float, sigma: float) -> Tensor:
    """What a sampler meets on its way: alpha x + sigma noise.

    Args: x: data.  noise: of the same shape, drawn from N(0, I), never from a uniform law.  alpha, sigma: >= 0.
    Source: Kingma et al. 2021, arXiv:2107.00630, equation 1. Equation (diffusion.marginal).
    """
    check_floats(x=x, noise=noise)
    check_alike(x=x, noise=noise)
    between(0, MOST, alpha=alpha, sigma=sigma)
    return alpha * x + sigma * noise


def snr(alpha: float, sigma: float) -> float:
    """Signal-to-noise ratio, (alpha / sigma)^2, of data with variance 1."""
    between(0, MOST, alpha=alpha)
    between(LEAST, MOST, sigma=sigma)
    return (alpha / sigma) ** 2


class Posterior(NamedTuple):
    """A Gaussian with the same variance in all directions.  mean: (n, ...).  variance: >= 0."""

    mean: Tensor
    variance: float


def posterior(x_t: Tensor, x: Tensor, alpha: float, sigma: float, to_alpha: float, to_sigma: float) -> Posterior:
    """Where x_t was one step nearer to the data, if the data are known to be x: q(x_s | x_t, x).

    Args: x_t: at the level (alpha, sigma).  x: the data, or a guess of them.  to_alpha, to_sigma: of the cleaner level.
    Raises: ValueError: the level to go to has more noise, as when the two directions of time are mixed up.
    Source: Ho, Jain & Abbeel 2020, arXiv:2006.11239, equations 6 and 7, written for any alpha and sigma.
        Equation (diffusion.posterior).
    """
    _check_guess(x_t, x)
    _check_levels(alpha, sigma, to_alpha, to_sigma)
    between(LEAST, MOST, to_alpha=to_alpha)
    shrink = alpha / to_alpha
    added = sigma**2 - shrink**2 * to_sigma**2  # variance of the noise between the two levels
    if added < -1e-9 * sigma**2:
        raise ValueError(
            f"to_sigma must belong to a cleaner level than alpha = {alpha:g}, sigma = {sigma:g}; got to_alpha = "
            f"{to_alpha:g}, to_sigma = {to_sigma:g}; is time turned round?"
        )
    added = max(added, 0.0)
    mean = (shrink * to_sigma**2 * x_t + to_alpha * added * x) / sigma**2
    return Posterior(mean, added * to_sigma**2 / sigma**2)


def ddim(x_t: Tensor, x: Tensor, alpha: float, sigma: float, to_alpha: float, to_sigma: float) -> Tensor:
    """One step without new noise: take the guess x and the noise that it implies, and mix them at the new level.

    Args: as `posterior`; the level to go to may be any, 0 noise included.
    Source: Song, Meng & Ermon 2021, arXiv:2010.02502, equation 12 with sigma 0. Equation (diffusion.ddim).
    """
    _check_guess(x_t, x)
    _check_levels(alpha, sigma, to_alpha, to_sigma)
    return to_alpha * x + to_sigma / sigma * (x_t - alpha * x)


def bound_step(x: Tensor, guess: Tensor, cleaner: float, noisier: float) -> Tensor:
    """What one step costs in the bound of -log p(x), in nats: half the drop of the SNR times the squared error.

    Returns: (n,) float64.
    Args: x, guess: (n, ...).  cleaner, noisier: `snr` of the two levels; the guess was made at the noisier one.
    Source: Kingma et al. 2021, arXiv:2107.00630, section 4. Equation (diffusion.elbo).
    """
    _check_guess(x, guess, "x", "guess")
    between(0, MOST**3, noisier=noisier)
    between(noisier, MOST**3, cleaner=cleaner)
    return 0.5 * (cleaner - noisier) * (x.double() - guess.double()).flatten(1).square().sum(dim=1)


# --- the best possible guess ------------------------------------------------------------------------------------------


def responsibilities(
    x_t: Tensor, points: Tensor, alpha: float, sigma: float, sd: float = 0.0, weights: Tensor | None = None
) -> Tensor:
    """Probability that x_t came from each point: (n, k). See `ideal_denoiser` for the arguments."""
    check_axes(x_t=(x_t, "n d"), points=(points, "k d"))
    check_one_format(points=points, x_t=x_t)
    check_floats(x_t=x_t)
    check_filled(points=points, x_t=x_t)
    between(0, MOST, alpha=alpha, sd=sd)
    between(LEAST, MOST, sigma=sigma)
    variance = (alpha * sd) ** 2 + sigma**2
    size = torch.linalg.vector_norm(points, dim=1).square()
    ahead = _log_weights(weights, points) - 0.5 * alpha**2 / variance * size
    nearness = torch.addmm(ahead, x_t, points.T, alpha=alpha / variance)
    if not nearness.amax(dim=1).isfinite().all():
        raise ValueError(f"x_t and points must be smaller, or sigma larger than {sigma:g}: their squares overflow")
    return nearness.softmax(dim=1)


def ideal_denoiser(
    x_t: Tensor, points: Tensor, alpha: float, sigma: float, sd: float = 0.0, weights: Tensor | None = None
) -> Tensor:
    """E[x | x_t], which no network beats in squared error, if the data are these points, or bell curves around them.

    Args:
        x_t: (n, d), at the level (alpha, sigma).
        points: (k, d): the training set, or the means of a mixture.
        sd: of the bell curve around each point; 0 for a training set.
        weights: (k,), > 0, of the points; default: all alike.

    Returns: (n, d): a mean of the points, weighted by how probable it is that x_t came from each.
    Source: Karras et al. 2022, arXiv:2206.00364, equation 57. Equation (diffusion.ideal).
    """
    shares = responsibilities(x_t, points, alpha, sigma, sd, weights)
    nearest = torch.threshold(shares, NOTHING, 0.0) @ points
    pull = alpha * sd**2 / ((alpha * sd) ** 2 + sigma**2)
    return nearest + pull * (x_t - alpha * nearest)


# --- one object under several names -----------------------------------------------------------------------------------


def data_of_score(score: Tensor, x_t: Tensor, alpha: float, sigma: float) -> Tensor:
    """The best guess of the data from the slope of the log density of x_t (Tweedie's formula).

    Source: Efron 2011, doi:10.1198/jasa.2011.tm11181. Equation (diffusion.tweedie).
    """
    _check_guess(x_t, score, "x_t", "score")
    between(LEAST, MOST, alpha=alpha)
    between(0, MOST, sigma=sigma)
    return (x_t + sigma**2 * score) / alpha


def score_of_data(x: Tensor, x_t: Tensor, alpha: float, sigma: float) -> Tensor:
    """The slope of the log density of x_t from the best guess of the data: `data_of_score` solved for the score."""
    _check_guess(x_t, x)
    between(0, MOST, alpha=alpha)
    between(LEAST, MOST, sigma=sigma)
    return (alpha * x - x_t) / sigma**2


class Precondition(NamedTuple):
    """Scales around a network F: the guess is skip x_t + out F(scale x_t)."""

    skip: float
    out: float
    scale: float


def precondition(sigma: float, sd: float) -> Precondition:
    """Scales that give a network inputs and targets of variance 1 at every level of noise, with alpha = 1.

    Args: sigma: of the noise.  sd: of the data.
    Source: Karras et al. 2022, arXiv:2206.00364, table 1. Equation (diffusion.precondition).
    """
    between(0, MOST, sigma=sigma)
    between(LEAST, MOST, sd=sd)
    total = math.hypot(sigma, sd)
    return Precondition(sd**2 / total**2, sigma * sd / total, 1 / total)


# --- guidance ---------------------------------------------------------------------------------------------------------


def guided(told: Tensor, untold: Tensor, weight: float, form: Form = "blend") -> Tensor:
    """What the sampler follows: the guess of a model that was told the label, pushed away from the one that was not.

    Works on scores, velocities, noise and data alike, at one x_t.

    Args:
        told, untold: (n, ...).
        weight: of the label, >= 0.
        form: "blend" is untold + weight (told - untold): 0 forgets the label, 1 is no guidance. "excess" is
            told + weight (told - untold): 0 is no guidance. The same push has a weight that is smaller by one.

    Source: Ho & Salimans 2022, arXiv:2207.12598, equation 6 ("excess"); Saharia et al. 2022, arXiv:2205.11487,
        equation 2 ("blend"). Equation (diffusion.guidance).
    """
    _check_guess(told, untold, "told", "untold")
    one_of(("blend", "excess"), form=form)
    finite(weight=weight)
    between(0, MOST, weight=weight)
    return (untold if form == "blend" else told) + weight * (told - untold)


# --- checks -----------------------------------------------------------------------------------------------------------


def _check_guess(x_t: Tensor, x: Tensor, name: str = "x_t", other: str = "x") -> None:
    check_floats(**{name: x_t, other: x})
    check_alike(**{name: x_t, other: x})
    if not x_t.ndim:
        raise ValueError(f"{name} must be (n, ...), got a single number")


def _check_levels(alpha: float, sigma: float, to_alpha: float, to_sigma: float) -> None:
    between(0, MOST, alpha=alpha, to_alpha=to_alpha, to_sigma=to_sigma)
    between(LEAST, MOST, sigma=sigma)


def _log_weights(weights: Tensor | None, points: Tensor) -> Tensor:
    if weights is None:
        return points.new_zeros(len(points))
    finite_tensors("(k,)", weights=weights)
    check_axes(points=(points, "k d"), weights=(weights, "k"))
    check_one_format(points=points, weights=weights)
    at_least(LEAST, weights=float(weights.min()))
    return weights.log()
