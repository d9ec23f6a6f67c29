"""Distances: between pictures and their reconstructions, and between two sets of features."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from genai_utils import checks
from genai_utils.metrics.estimate import BOOTSTRAP, SUBSETS, Estimate, mean_of

NEIGHBORS = 5
WHOLE_KERNEL = 3_000  # rows up to which all pairs are held at once, in 72 MB
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
    """Squared Frechet distance of the Gaussians fitted to two sets of features, as every published FID is.

    |mean_a - mean_b|^2 + tr(cov_a + cov_b - 2 (cov_a cov_b)^(1/2)), in float64. Both sets are moved to the mean of b
    first, which changes nothing but rounding: far from the origin covariances keep their digits.

    Args: a, b: features (n, d) and (m, d), n and m > d.  resamples: bootstrap resamples (of both sets) for the spread.
    Raises: ValueError: too few samples for a covariance of full rank, NaN, wrong shape.
    Source: Heusel et al. 2017, arXiv:1706.08500, there with Inception features. Equation (metric.frechet).
    """
    checks.fits(resamples=resamples)
    checks.shaped("(n, d)", a=a, b=b)
    a, b = pair(a.shape[-1] + 1, a=a, b=b)
    center = b.mean(dim=0)
    a, b = a - center, b - center
    generator = torch.Generator().manual_seed(0)
    draws = [_frechet(_resampled(a, generator), _resampled(b, generator)) for _ in range(resamples)]
    return Estimate(_frechet(a, b), float(np.std(draws)), len(a), BOOTSTRAP)


def kernel_distance(a: Tensor, b: Tensor, subsets: int = 50, subset_size: int | None = None) -> Estimate:
    """Unbiased squared maximum mean discrepancy with the kernel (x.y / d + 1)^3: mean over random subsets.

    Args: a, b: features (n, d) and (m, d), n and m >= 4.  subset_size: 2 or more, below n and m; default 1,000, or half
        of the smaller set.
    Raises: ValueError: too few samples, NaN, wrong shape.
    Source: Bińkowski et al. 2018, arXiv:1801.01401, there with Inception features. Equation (metric.kernel).
    """
    checks.fits(subsets=subsets)
    a, b = pair(4, a=a, b=b)
    size = min(1000, len(a) // 2, len(b) // 2) if subset_size is None else subset_size
    checks.whole(2, subset_size=size)
    if size > min(len(a), len(b)):
        raise ValueError(
            f"subset_size must be at most the {min(len(a), len(b))} samples of the smaller set, got {size}"
        )
    generator = torch.Generator().manual_seed(0)
    chosen = [[torch.randperm(len(x), generator=generator)[:size] for x in (b, a)] for _ in range(subsets)]
    if max(len(a), len(b)) <= WHOLE_KERNEL:  # each pair is looked at once, not once a subset
        members = [torch.zeros(subsets, len(x), dtype=torch.float64) for x in (b, a)]
        for i, rows in enumerate(chosen):
            for member, row in zip(members, rows, strict=True):
                member[i, row] = 1.0
        found = _discrepancies(b, a, *members)
    else:
        every = torch.ones(1, size, dtype=torch.float64)
        found = torch.cat([_discrepancies(b[mine], a[others], every, every) for mine, others in chosen])
    return Estimate(float(found.mean()), float(found.std(correction=0)), len(a), f"{SUBSETS} of {size:,}")


def precision_recall_density_coverage(real: Tensor, fake: Tensor, k: int = NEIGHBORS) -> Neighborhoods:
    """Do fake samples lie where real ones do, and the other way round? Balls reach to the k-th neighbour of their kind.

    precision: share of fake samples inside a real ball.  recall: share of real ones inside a fake ball.
    density: real balls around a fake sample, over k (1 is expected of a perfect model, more is possible).
    coverage: share of real balls with a fake sample inside.  Spread: standard error, with the balls taken as given.
    A ball is open: who lies on its edge, exactly as far as the k-th neighbour, is outside (as in the authors' code), so
    that where more than k samples are equal their balls are empty. Distances are exact enough for equal ones to tie.

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
    checks.shaped("(n, d)", **sets)
    if any(len(given) <= k for given in sets.values()):
        needs = f"too few samples: {min(map(len, sets.values()))}, this needs at least {k + 1}"
        raise ValueError(f"k must be smaller, or {' and '.join(sets)} must have more rows: {needs}")
    return pair(k + 1, **sets)


def _frechet(a: Tensor, b: Tensor) -> float:
    cov_a, cov_b = torch.cov(a.T).view(2 * [a.shape[1]]), torch.cov(b.T).view(2 * [b.shape[1]])
    variances, axes = torch.linalg.eigh(cov_a)
    root = axes * variances.clamp(min=0).sqrt() @ axes.T
    # The eigenvalues of root cov_b root are those of cov_a cov_b, and a symmetric matrix gives them without noise.
    cross = torch.linalg.eigvalsh(root @ cov_b @ root).clamp(min=0).sqrt().sum()
    apart = (a.mean(dim=0) - b.mean(dim=0)).square().sum()
    return max(float(apart + cov_a.trace() + cov_b.trace() - 2 * cross), 0.0)  # rounding can take equal sets below zero


def _discrepancies(x: Tensor, y: Tensor, of_x: Tensor, of_y: Tensor) -> Tensor:
    """Unbiased squared discrepancy (subsets,) of subsets of x and y, given as rows of ones and zeros (subsets, n)."""
    size = float(of_x[0].sum())

    def between(one: Tensor, other: Tensor, of_one: Tensor, of_other: Tensor) -> Tensor:
        similar = (one @ other.T).div_(x.shape[1]).add_(1)
        similar = similar.square().mul_(similar)
        if one is other:
            similar.fill_diagonal_(0)
        return ((of_one @ similar) * of_other).sum(dim=1)

    within = between(x, x, of_x, of_x) + between(y, y, of_y, of_y)
    return within / (size * (size - 1)) - 2 * between(x, y, of_x, of_y) / size**2


def _resampled(x: Tensor, generator: torch.Generator) -> Tensor:
    return x[torch.randint(len(x), (len(x),), generator=generator)]


def _distances(a: Tensor, b: Tensor, block: int = 1000) -> Iterator[tuple[slice, Tensor]]:
    """Euclidean distances from some rows of ``a`` to all of ``b`` at a time: 80 MB instead of 800 for 10,000 each.

    By subtraction, not by the faster matrix product, whose rounding makes equal distances differ: a tie stays a tie.
    """
    for start in range(0, len(a), block):
        rows = slice(start, start + block)
        yield rows, torch.cdist(a[rows], b, compute_mode="donot_use_mm_for_euclid_dist")


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
    balls_around = torch.zeros(len(fake), dtype=torch.float64)
    recalled, covered = torch.zeros(len(real), dtype=torch.bool), torch.zeros(len(real), dtype=torch.bool)
    for rows, distance in _distances(fake, real):
        in_real_ball = distance < real_radius
        balls_around[rows] = in_real_ball.sum(dim=1).double()
        covered |= in_real_ball.any(dim=0)
        recalled |= (distance < fake_radius[rows].unsqueeze(1)).any(dim=0)
    return Neighborhoods(mean_of(balls_around > 0), mean_of(recalled), mean_of(balls_around / k), mean_of(covered))
