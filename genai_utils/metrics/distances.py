"""Distances: between pictures and their reconstructions, and between two sets of features."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from genai_utils import checks
from genai_utils.metrics.estimate import BOOTSTRAP, SUBSETS, Estimate, mean_of

NEIGHBORS = 5
LARGEST = 1e30  # beyond it the squares of features lose all digits


class Neighborhoods(NamedTuple):
    """Result of `precision_recall_density_coverage`."""

    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate


@checks.never_nan
def psnr(images: Tensor, others: Tensor, peak: float = 2.0) -> float:
    """Peak signal-to-noise ratio over all pixels, in decibels; 10 dB more is a tenth of the squared error.

    Args: images, others: the same shape.  peak: largest minus smallest value a pixel may have: 2 for images in [-1, 1].
    Returns: inf when they are equal.
    Raises: ValueError: the shapes differ (subtraction would broadcast them), no pixel, NaN.  TypeError: no tensor.
    Equations (ae.psnr) and (vq.psnr).
    """
    checks.above(0.0, peak=peak)
    checks.finite_tensors("(...)", images=images, others=others)
    if not images.numel():
        raise ValueError(f"images must hold at least one pixel, got shape {tuple(images.shape)}")
    if images.shape != others.shape:
        raise ValueError(f"images and others must have one shape, got {tuple(images.shape)} and {tuple(others.shape)}")
    return float(
        10 * torch.log10(float(peak) ** 2 / (images.detach().double() - others.detach().double()).square().mean())
    )


def frechet_distance(a: Tensor, b: Tensor, resamples: int = 20) -> Estimate:
    """Squared Frechet distance of the Gaussians fitted to two sets of features.

    |mean_a - mean_b|^2 + tr(cov_a + cov_b - 2 (cov_a cov_b)^(1/2)), by torchmetrics in float64.

    Args: a, b: features (n, d) and (m, d), n and m > d.  resamples: bootstrap resamples (of both sets) for the spread.
    Raises: ValueError: too few samples for a covariance of full rank, NaN, wrong shape.
    Source: Heusel et al. 2017, arXiv:1706.08500, there with Inception features.
    """
    checks.fits(resamples=resamples)
    checks.tensors("(n, d)", a=a, b=b)
    a, b = pair(a.shape[-1] + 1, a=a, b=b)
    generator = torch.Generator().manual_seed(0)
    draws = [_frechet(_resampled(a, generator), _resampled(b, generator)) for _ in range(resamples)]
    return Estimate(_frechet(a, b), float(np.std(draws)), len(a), BOOTSTRAP)


def kernel_distance(a: Tensor, b: Tensor, subsets: int = 50, subset_size: int | None = None) -> Estimate:
    """Unbiased squared maximum mean discrepancy with the kernel (x.y / d + 1)^3: mean over random subsets.

    Args: a, b: features (n, d) and (m, d), n and m >= 4.  subset_size: 2 or more, below n and m; default 1,000, or half
        of the smaller set.
    Raises: ValueError: too few samples, NaN, wrong shape.
    Source: Bińkowski et al. 2018, arXiv:1801.01401, there with Inception features; computed by torchmetrics in float64.
    """
    from torchmetrics.image.kid import KernelInceptionDistance

    checks.fits(subsets=subsets)
    a, b = pair(4, a=a, b=b)
    size = min(1000, len(a) // 2, len(b) // 2) if subset_size is None else subset_size
    checks.whole(2, subset_size=size)
    if size > min(len(a), len(b)):
        raise ValueError(
            f"subset_size must be at most the {min(len(a), len(b))} samples of the smaller set, got {size}"
        )
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
    real, fake = _neighbors(k, real=real, fake=fake)
    return neighborhoods(real, radius(real, k), fake, k)


def pair(at_least: int, /, **sets: Tensor) -> list[Tensor]:
    """Sets of features (n, d), (m, d) in float64.  at_least: samples that each must have.

    Raises: TypeError: no tensor.  ValueError: too few samples, NaN, wrong shape, or numbers too large to square.
    """
    checks.whole(1, at_least=at_least)
    checks.finite_tensors("(n, d)", **sets)
    if len({given.shape[1] for given in sets.values()}) > 1:
        shapes = " and ".join(str(tuple(given.shape)) for given in sets.values())
        raise ValueError(f"{' and '.join(sets)} must have the same number of features, got {shapes}")
    found = {name: given.detach().cpu().double() for name, given in sets.items()}
    for name, given in found.items():
        if len(given) < at_least or not given.shape[1]:
            needs = f"this needs at least {at_least} (d = {given.shape[1]})"
            raise ValueError(f"{name} must have more rows: too few samples: {len(given)}, {needs}")
        if given.abs().max() > LARGEST:
            raise ValueError(f"{name} must hold features below {LARGEST:g}, got {given.abs().max():.2g}")
    return list(found.values())


def _neighbors(k: int, /, **sets: Tensor) -> list[Tensor]:
    """Checked sets in which each sample has k others."""
    checks.whole(1, k=k)
    checks.tensors("(n, d)", **sets)
    if any(len(given) <= k for given in sets.values()):
        needs = f"too few samples: {min(map(len, sets.values()))}, this needs at least {k + 1}"
        raise ValueError(f"k must be smaller, or {' and '.join(sets)} must have more rows: {needs}")
    return pair(k + 1, **sets)


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
    """Distance of each row to its k-th nearest other row: (n,).  Raises: ValueError: k is not 1 to n - 1; NaN."""
    (x,) = _neighbors(k, x=x)
    return torch.cat([distance.topk(k + 1, largest=False).values[:, k] for _, distance in _distances(x, x)])


def neighborhoods(real: Tensor, real_radius: Tensor, fake: Tensor, k: int) -> Neighborhoods:
    """As `precision_recall_density_coverage`, of features in float64 with the `radius` of the real ones, (n,)."""
    real, fake = _neighbors(k, real=real, fake=fake)
    checks.finite_tensors("(n,)", real_radius=real_radius)
    if len(real_radius) != len(real):
        raise ValueError(f"real_radius must have one number for each of real, got {len(real_radius)}, {len(real)}")
    fake_radius = radius(fake, k)
    balls_around = torch.zeros(len(fake))
    recalled, covered = torch.zeros(len(real), dtype=torch.bool), torch.zeros(len(real), dtype=torch.bool)
    for rows, distance in _distances(fake, real):
        in_real_ball = distance < real_radius
        balls_around[rows] = in_real_ball.sum(dim=1).float()
        covered |= in_real_ball.any(dim=0)
        recalled |= (distance < fake_radius[rows].unsqueeze(1)).any(dim=0)
    return Neighborhoods(mean_of(balls_around > 0), mean_of(recalled), mean_of(balls_around / k), mean_of(covered))
