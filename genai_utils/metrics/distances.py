"""Distances: between pictures and their reconstructions, and between two sets of features."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from genai_utils.metrics.estimate import BOOTSTRAP, SUBSETS, Estimate, mean_of

NEIGHBORS = 5


class Neighborhoods(NamedTuple):
    """Result of `precision_recall_density_coverage`."""

    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate


def psnr(images: Tensor, others: Tensor, peak: float = 2.0) -> float:
    """Peak signal-to-noise ratio over all pixels, in decibels; 10 dB more is a tenth of the squared error.

    Args: images, others: the same shape.  peak: largest minus smallest value a pixel may have: 2 for images in [-1, 1].
    Returns: inf when they are equal.  Raises: ValueError when the shapes differ: subtraction would broadcast them.
    Equations (ae.psnr) and (vq.psnr).
    """
    if images.shape != others.shape:
        raise ValueError(f"both must have one shape, got {tuple(images.shape)} and {tuple(others.shape)}")
    return float(10 * torch.log10(peak**2 / (images.double() - others.double()).square().mean()))


def frechet_distance(a: Tensor, b: Tensor, resamples: int = 20) -> Estimate:
    """Squared Frechet distance of the Gaussians fitted to two sets of features.

    |mean_a - mean_b|^2 + tr(cov_a + cov_b - 2 (cov_a cov_b)^(1/2)), by torchmetrics in float64.

    Args: a, b: features (n, d) and (m, d), n and m > d.  resamples: bootstrap resamples (of both sets) for the spread.
    Raises: ValueError: too few samples for a covariance of full rank, NaN, wrong shape.
    Source: Heusel et al. 2017, arXiv:1706.08500, there with Inception features.
    """
    a, b = pair(a, b, at_least=a.shape[-1] + 1)
    generator = torch.Generator().manual_seed(0)
    draws = [_frechet(_resampled(a, generator), _resampled(b, generator)) for _ in range(resamples)]
    return Estimate(_frechet(a, b), float(np.std(draws)), len(a), BOOTSTRAP)


def kernel_distance(a: Tensor, b: Tensor, subsets: int = 50, subset_size: int | None = None) -> Estimate:
    """Unbiased squared maximum mean discrepancy with the kernel (x.y / d + 1)^3: mean over random subsets.

    Args: a, b: features (n, d) and (m, d), n and m >= 4.  subset_size: default 1,000, or half of the smaller set.
    Raises: ValueError: too few samples, NaN, wrong shape.
    Source: Bińkowski et al. 2018, arXiv:1801.01401, there with Inception features; computed by torchmetrics in float64.
    """
    from torchmetrics.image.kid import KernelInceptionDistance

    a, b = pair(a, b, at_least=4)
    size = subset_size or min(1000, len(a) // 2, len(b) // 2)
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.filterwarnings("ignore", "Metric `Kernel Inception Distance` will save")
        torch.manual_seed(0)  # torchmetrics draws its subsets from the global generator
        metric = KernelInceptionDistance(feature=_Given(a.shape[1]), subsets=subsets, subset_size=size)
        metric.update(b, real=True)
        metric.update(a, real=False)
        mean, sd = metric.compute()
    return Estimate(float(mean), float(sd), len(a), f"{SUBSETS} of {size:,}")


def precision_recall_density_coverage(real: Tensor, fake: Tensor, k: int = NEIGHBORS) -> Neighborhoods:
    """Do fake samples lie where real ones do, and the other way round? Balls reach to the k-th neighbour of their kind.

    precision: share of fake samples inside a real ball.  recall: share of real ones inside a fake ball.
    density: real balls around a fake sample, over k (1 is expected of a perfect model, more is possible).
    coverage: share of real balls with a fake sample inside.  Spread: standard error, with the balls taken as given.

    Args: real, fake: features (n, d) and (m, d), n and m > k.
    Raises: ValueError: too few samples, NaN, wrong shape.
    Source: Kynkäänniemi et al. 2019, arXiv:1904.06991; Naeem et al. 2020, arXiv:2002.09797.
    """
    real, fake = pair(real, fake, at_least=k + 1)
    return neighborhoods(real, radius(real, k), fake, k)


def pair(a: Tensor, b: Tensor, at_least: int) -> tuple[Tensor, Tensor]:
    """Two checked sets of features in float64."""
    for given in (a, b):
        if given.ndim != 2 or given.shape[1] != b.shape[-1]:
            shapes = f"{tuple(a.shape)} and {tuple(b.shape)}"
            raise ValueError(
                f"features must have shapes (n, d) and (m, d), got {shapes}; use features.features(images)"
            )
        if len(given) < at_least:
            raise ValueError(f"too few samples: {len(given)}, this needs at least {at_least} (d = {given.shape[1]})")
        if not given.isfinite().all():
            raise ValueError("features must be finite, got NaN or infinity; check the images")
    return a.detach().cpu().double(), b.detach().cpu().double()


class _Given(nn.Module):
    """Feature extractor for torchmetrics when the features are there already."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, given: Tensor) -> Tensor:
        return given


def _frechet(a: Tensor, b: Tensor) -> float:
    from torchmetrics.image.fid import FrechetInceptionDistance

    metric = FrechetInceptionDistance(feature=_Given(a.shape[1]), normalize=True)
    metric.update(b, real=True)
    metric.update(a, real=False)
    return max(float(metric.compute()), 0.0)  # rounding can take equal sets below zero


def _resampled(x: Tensor, generator: torch.Generator) -> Tensor:
    return x[torch.randint(len(x), (len(x),), generator=generator)]


def _distances(a: Tensor, b: Tensor, block: int = 1000) -> Iterator[tuple[slice, Tensor]]:
    """Euclidean distances from some rows of ``a`` to all of ``b`` at a time: 80 MB instead of 800 for 10,000 each."""
    for start in range(0, len(a), block):
        rows = slice(start, start + block)
        yield rows, torch.cdist(a[rows], b)


def radius(x: Tensor, k: int) -> Tensor:
    """Distance of each row to its k-th nearest other row: (n,)."""
    return torch.cat([distance.topk(k + 1, largest=False).values[:, k] for _, distance in _distances(x, x)])


def neighborhoods(real: Tensor, real_radius: Tensor, fake: Tensor, k: int) -> Neighborhoods:
    """As `precision_recall_density_coverage`, of checked features in float64 with the `radius` of the real ones."""
    fake_radius = radius(fake, k)
    balls_around = torch.zeros(len(fake))
    recalled, covered = torch.zeros(len(real), dtype=torch.bool), torch.zeros(len(real), dtype=torch.bool)
    for rows, distance in _distances(fake, real):
        in_real_ball = distance < real_radius
        balls_around[rows] = in_real_ball.sum(dim=1).float()
        covered |= in_real_ball.any(dim=0)
        recalled |= (distance < fake_radius[rows].unsqueeze(1)).any(dim=0)
    return Neighborhoods(mean_of(balls_around > 0), mean_of(recalled), mean_of(balls_around / k), mean_of(covered))
