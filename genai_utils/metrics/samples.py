"""How good are generated images? Distances and coverage in the features of a small Fashion-MNIST classifier.

Every number comes as an `Estimate` with its spread and n, and `evaluate` puts beside it what real images score.
These are not the published FID, KID, ...: those use Inception features. Compare our numbers with each other only.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from genai_utils import zoo
from genai_utils.data.images import CLASSES, fashion_mnist
from genai_utils.metrics.classifier import FashionClassifier

BOOTSTRAP = "standard deviation over bootstrap resamples of the samples"
SUBSETS = "standard deviation over random subsets"
STANDARD_ERROR = "standard error over samples"
NEIGHBOURS = 5


@dataclass(frozen=True)
class Estimate:
    """A measured number. spread: how far it is expected to move with other samples, in the sense that ``meaning``
    says.  n: number of samples it is measured on.
    """

    value: float
    spread: float
    n: int
    meaning: str

    def __float__(self) -> float:
        """The value alone."""
        return self.value

    def __str__(self) -> str:
        return f"{self.value:.3g} ± {self.spread:.2g}"


class Neighbourhoods(NamedTuple):
    """Result of `precision_recall_density_coverage`."""

    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate


class ClassCoverage(NamedTuple):
    """Result of `class_coverage`.

    smallest: share of the rarest class.  above: number of classes with a share over 4 %.
    total_variation: distance of the shares from uniform, 0 (balanced) to 0.9 (one class only).
    """

    smallest: Estimate
    above: Estimate
    total_variation: Estimate


def features(images: Tensor, batch_size: int = 250) -> Tensor:
    """Features of the last hidden layer of ``zoo.load("fashion-classifier")``, always computed on the CPU in float32.

    Args: images: (n, 1, 28, 28) floating point in [-1, 1], n >= 1.  Returns: (n, 64) float32.
    Raises: TypeError: no tensor.  ValueError: empty, NaN, out of range, integers, wrong shape.
    """
    return _embedded(images, batch_size)[0]


def frechet_distance(a: Tensor, b: Tensor, resamples: int = 20) -> Estimate:
    """Squared Frechet distance of the Gaussians fitted to two sets of features.

    |mean_a - mean_b|^2 + tr(cov_a + cov_b - 2 (cov_a cov_b)^(1/2)), by torchmetrics in float64.

    Args: a, b: features (n, d) and (m, d), n and m > d.  resamples: bootstrap resamples (of both sets) for the spread.
    Raises: ValueError: too few samples for a covariance of full rank, NaN, wrong shape.
    Source: Heusel et al. 2017, arXiv:1706.08500, there with Inception features.
    """
    a, b = _pair(a, b, at_least=a.shape[-1] + 1)
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

    a, b = _pair(a, b, at_least=4)
    size = subset_size or min(1000, len(a) // 2, len(b) // 2)
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.filterwarnings("ignore", "Metric `Kernel Inception Distance` will save")
        torch.manual_seed(0)  # torchmetrics draws its subsets from the global generator
        metric = KernelInceptionDistance(feature=_Given(a.shape[1]), subsets=subsets, subset_size=size)
        metric.update(b, real=True)
        metric.update(a, real=False)
        mean, sd = metric.compute()
    return Estimate(float(mean), float(sd), len(a), f"{SUBSETS} of {size:,}")


def precision_recall_density_coverage(real: Tensor, fake: Tensor, k: int = NEIGHBOURS) -> Neighbourhoods:
    """Do fake samples lie where real ones do, and the other way round? Balls reach to the k-th neighbour of their kind.

    precision: share of fake samples inside a real ball.  recall: share of real ones inside a fake ball.
    density: real balls around a fake sample, over k (1 is expected of a perfect model, more is possible).
    coverage: share of real balls with a fake sample inside.  Spread: standard error, with the balls taken as given.

    Args: real, fake: features (n, d) and (m, d), n and m > k.
    Raises: ValueError: too few samples, NaN, wrong shape.
    Source: Kynkäänniemi et al. 2019, arXiv:1904.06991; Naeem et al. 2020, arXiv:2002.09797.
    """
    real, fake = _pair(real, fake, at_least=k + 1)
    return _neighbourhoods(real, _radius(real, k), fake, k)


def class_shares(images: Tensor) -> dict[str, Estimate]:
    """Share of each class among the images, as the classifier sees them; the spread is the standard error.

    Args: images: (n, 1, 28, 28) in [-1, 1].  Raises: as `features`.
    """
    labels = _embedded(images)[1]
    return {name: _mean(labels == label) for label, name in enumerate(CLASSES)}


def class_coverage(images: Tensor) -> ClassCoverage:
    """Is a class missing? Spreads are standard deviations over 200 bootstrap resamples.

    Args: images: (n, 1, 28, 28) in [-1, 1].  Raises: as `features`.
    """
    return _coverage(_embedded(images)[1])


@dataclass(frozen=True, repr=False)
class SampleReport:
    """All metrics of one set of samples, and ``floor``: the same of as many real images. Shows itself as a table."""

    frechet: Estimate
    kernel: Estimate
    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate
    smallest_share: Estimate
    classes_above: Estimate
    total_variation: Estimate
    floor: SampleReport | None = None

    def rows(self) -> list[tuple[str, str, str]]:
        """Name, value of the samples and value of real images, as text, for each metric."""
        floor = self.floor or self
        return [(label, str(getattr(self, name)), str(getattr(floor, name))) for name, label in _LABELS.items()]

    def header(self) -> tuple[str, str, str]:
        """Heads of the three columns, with the number of samples."""
        floor = self.floor or self
        return "metric", f"samples (n = {self.frechet.n:,})", f"real images (n = {floor.frechet.n:,})"

    def __str__(self) -> str:
        return "\n".join(f"{name:<40} {value:<20} {floor}" for name, value, floor in [self.header(), *self.rows()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{escape(text)}</th>' for text in self.header())
        body = "".join(
            f'<tr><th scope="row">{escape(name)}</th><td>{value}</td><td>{floor}</td></tr>'
            for name, value, floor in self.rows()
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


_LABELS = {
    "frechet": "Frechet distance (not FID), lower",
    "kernel": "kernel distance, lower",
    "precision": "precision, higher",
    "recall": "recall, higher",
    "density": "density, 1 is ideal",
    "coverage": "coverage, higher",
    "smallest_share": "share of the rarest class, 0.1 is ideal",
    "classes_above": "classes above 4 %, of 10",
    "total_variation": "shares: distance from uniform, lower",
}


def evaluate(samples: Tensor, reference: Tensor, floor: SampleReport | None = None) -> SampleReport:
    """All metrics of generated images against real ones, with the floor: what real training images score.

    Args:
        samples: (n, 1, 28, 28) in [-1, 1], n > 64.
        reference: (m, 1, 28, 28) in [-1, 1], m > 64; ``fashion_mnist("test").images`` or the full test set.
        floor: report to show beside; default: n images (at most 12,000) of the shipped training part against the same
            reference, computed once per n and reference. The classifier was trained on them, so that they score a
            little worse than fresh real images would.

    Raises: TypeError, ValueError: as `features` and `frechet_distance`.
    """
    against = _reference(reference)
    return _report(_embedded(samples), against, floor or _floor(len(samples), reference))


class _Reference(NamedTuple):
    """What is kept of a reference, since a chapter measures many models against the same images."""

    features: Tensor
    radius: Tensor


def _report(samples: tuple[Tensor, Tensor], reference: _Reference, floor: SampleReport | None) -> SampleReport:
    fake, labels = samples
    frechet, kernel = frechet_distance(fake, reference.features), kernel_distance(fake, reference.features)
    neighbourhoods = _neighbourhoods(reference.features.double(), reference.radius, fake.double(), NEIGHBOURS)
    return SampleReport(frechet, kernel, *neighbourhoods, *_coverage(labels), floor=floor)


_references: dict[str, _Reference] = {}
_floors: dict[tuple[int, str], SampleReport] = {}


def _digest(images: Tensor) -> str:
    return hashlib.sha256(images.detach().float().cpu().contiguous().numpy().data).hexdigest()


def _reference(images: Tensor) -> _Reference:
    _check_images(images)
    key = _digest(images)
    if key not in _references:
        found = features(images)
        _pair(found, found, at_least=found.shape[1] + 1)
        _references[key] = _Reference(found, _radius(found.double(), NEIGHBOURS))
    return _references[key]


def _floor(n: int, reference: Tensor) -> SampleReport:
    images = fashion_mnist("train").images
    key = min(n, len(images)), _digest(reference)
    if key not in _floors:
        chosen = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:n]
        _floors[key] = _report(_embedded(images[chosen]), _reference(reference), None)
    return _floors[key]


@lru_cache(maxsize=1)
def _classifier() -> FashionClassifier:
    model = zoo.load("fashion-classifier")
    assert isinstance(model, FashionClassifier)
    return model.to(memory_format=torch.channels_last)


@torch.no_grad()
def _embedded(images: Tensor, batch_size: int = 250) -> tuple[Tensor, Tensor]:
    """Features (n, 64) and predicted labels (n,)."""
    _check_images(images)
    model = _classifier()
    batches = images.detach().split(batch_size)
    found = torch.cat([model.features(batch.to("cpu", torch.float32)) for batch in batches])
    return found, model.head(found).argmax(dim=1)


def _check_images(images: Tensor) -> None:
    if not isinstance(images, Tensor):
        raise TypeError(f"images must be a torch tensor, got {type(images).__name__}; use torch.as_tensor")
    if not images.numel():
        raise ValueError(f"images must hold at least one image, got shape {tuple(images.shape)}")
    if not images.isfinite().all():
        bad = (~images.isfinite()).flatten(1).any(dim=1).sum()
        raise ValueError(f"images must be finite, got NaN or infinity in {bad} of {len(images)}; did training diverge?")
    low, high = images.float().aminmax()
    if low < -1.0001 or high > 1.0001:
        found = f"max {high}" if high > 1 else f"min {low}"
        raise ValueError(f"images must be in [-1, 1], got {found}; use data.fashion_mnist()")
    if not images.is_floating_point():
        raise ValueError(
            f"images must be floating point in [-1, 1], got {images.dtype}; use data.fashion_mnist().images"
        )
    if images.shape[1:] != (1, 28, 28):
        raise ValueError(f"images must have shape (n, 1, 28, 28), got {tuple(images.shape)}; use .view(-1, 1, 28, 28)")


def _pair(a: Tensor, b: Tensor, at_least: int) -> tuple[Tensor, Tensor]:
    """Two checked sets of features in float64."""
    for given in (a, b):
        if given.ndim != 2 or given.shape[1] != b.shape[-1]:
            shapes = f"{tuple(a.shape)} and {tuple(b.shape)}"
            raise ValueError(f"features must have shapes (n, d) and (m, d), got {shapes}; use samples.features(images)")
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


def _radius(x: Tensor, k: int) -> Tensor:
    """Distance of each row to its k-th nearest other row: (n,)."""
    return torch.cat([distance.topk(k + 1, largest=False).values[:, k] for _, distance in _distances(x, x)])


def _neighbourhoods(real: Tensor, real_radius: Tensor, fake: Tensor, k: int) -> Neighbourhoods:
    fake_radius = _radius(fake, k)
    balls_around = torch.zeros(len(fake))
    recalled, covered = torch.zeros(len(real), dtype=torch.bool), torch.zeros(len(real), dtype=torch.bool)
    for rows, distance in _distances(fake, real):
        in_real_ball = distance < real_radius
        balls_around[rows] = in_real_ball.sum(dim=1).float()
        covered |= in_real_ball.any(dim=0)
        recalled |= (distance < fake_radius[rows].unsqueeze(1)).any(dim=0)
    return Neighbourhoods(_mean(balls_around > 0), _mean(recalled), _mean(balls_around / k), _mean(covered))


def _mean(values: Tensor) -> Estimate:
    sd = values.double().std(correction=0)
    return Estimate(float(values.double().mean()), float(sd / len(values) ** 0.5), len(values), STANDARD_ERROR)


def _coverage(labels: Tensor) -> ClassCoverage:
    shares = np.bincount(labels.numpy(), minlength=len(CLASSES)) / len(labels)
    draws = np.random.default_rng(0).multinomial(len(labels), shares, size=200) / len(labels)
    spreads = _coverage_numbers(draws).std(axis=1)
    values = _coverage_numbers(shares)
    return ClassCoverage(
        *(Estimate(float(v), float(s), len(labels), BOOTSTRAP) for v, s in zip(values, spreads, strict=True))
    )


def _coverage_numbers(shares: np.ndarray) -> np.ndarray:
    """Smallest share, number of shares above 4 %, total variation from uniform: (..., 10) -> (3, ...)."""
    above = (shares > 0.04).sum(axis=-1)
    return np.stack([shares.min(axis=-1), above, 0.5 * np.abs(shares - 1 / shares.shape[-1]).sum(axis=-1)])
