"""How good are generated images? Distances and coverage in the features of a small Fashion-MNIST classifier.

Every number comes as an `Estimate` with its spread and n, and `evaluate` puts beside it what real images score.
These are not the published FID, KID, ...: those use Inception features. Compare our numbers with each other only.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from html import escape
from types import NoneType
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from genai_utils import checks
from genai_utils.data.images import CLASSES, fashion_mnist
from genai_utils.metrics.distances import (
    NEIGHBORS,
    frechet_distance,
    kernel_distance,
    neighborhoods,
    pair,
    precision_recall_density_coverage,
    psnr,
    radius,
)
from genai_utils.metrics.estimate import BOOTSTRAP, Estimate, mean_of
from genai_utils.metrics.features import check_images, embedded, features
from genai_utils.records.table import html_table

# One door for all that judges samples: what lies in the files beside this one is offered here too.
__all__ = [
    "ClassCoverage",
    "SampleReport",
    "class_coverage",
    "class_shares",
    "evaluate",
    "features",
    "frechet_distance",
    "kernel_distance",
    "precision_recall_density_coverage",
    "psnr",
]


class ClassCoverage(NamedTuple):
    """Result of `class_coverage`.

    smallest: share of the rarest class.  above: number of classes with a share over 4 %.
    total_variation: distance of the shares from uniform, 0 (balanced) to 0.9 (one class only).
    """

    smallest: Estimate
    above: Estimate
    total_variation: Estimate


def class_shares(images: Tensor) -> dict[str, Estimate]:
    """Share of each class among the images, as the classifier sees them; the spread is the standard error.

    Args: images: (n, 1, 28, 28) in [-1, 1].  Raises: as `features`.
    """
    labels = embedded(images)[1]
    return {name: mean_of(labels == label) for label, name in enumerate(CLASSES)}


def class_coverage(images: Tensor) -> ClassCoverage:
    """Is a class missing? Spreads are standard deviations over 200 bootstrap resamples.

    Args: images: (n, 1, 28, 28) in [-1, 1].  Raises: as `features`.
    """
    return _coverage(embedded(images)[1])


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
        return html_table(self.header(), [list(map(escape, row)) for row in self.rows()])


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
    checks.of_type((SampleReport, NoneType), floor=floor)
    against = _reference(reference)
    made = embedded(samples, name="samples")
    pair(against.features.shape[1] + 1, samples=made[0])
    return _report(made, against, floor or _floor(len(samples), reference))


class _Reference(NamedTuple):
    """What is kept of a reference, since a chapter measures many models against the same images."""

    features: Tensor
    radius: Tensor


def _report(samples: tuple[Tensor, Tensor], reference: _Reference, floor: SampleReport | None) -> SampleReport:
    fake, labels = samples
    frechet, kernel = frechet_distance(fake, reference.features), kernel_distance(fake, reference.features)
    near = neighborhoods(reference.features.double(), reference.radius, fake.double(), NEIGHBORS)
    return SampleReport(frechet, kernel, *near, *_coverage(labels), floor=floor)


_references: dict[str, _Reference] = {}
_floors: dict[tuple[int, str], SampleReport] = {}


def _digest(images: Tensor) -> str:
    return hashlib.sha256(images.detach().float().cpu().contiguous().numpy().data).hexdigest()


def _reference(images: Tensor) -> _Reference:
    check_images(images, "reference")
    key = _digest(images)
    if key not in _references:
        found = features(images)
        pair(found.shape[1] + 1, reference=found)
        _references[key] = _Reference(found, radius(found.double(), NEIGHBORS))
    return _references[key]


def _floor(n: int, reference: Tensor) -> SampleReport:
    images = fashion_mnist("train").images
    key = min(n, len(images)), _digest(reference)
    if key not in _floors:
        chosen = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:n]
        _floors[key] = _report(embedded(images[chosen]), _reference(reference), None)
    return _floors[key]


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
