"""CPU seconds of the sample metrics for 10,000 images against 10,000, beside torchmetrics on the same features.

Usage: OMP_NUM_THREADS=1 python benchmarks/metrics.py [--n 10000] [--repeats 3]
Every row is run a few times and the fastest counts; a ratio below 1 means that ours is faster. In the last two rows
torchmetrics gives the bare Frechet and kernel distance, ours also their spread, precision, recall, density, coverage
and class shares (and, in the last, all of that once more for the floor).
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable

import torch
from contest import cpu_seconds
from torch import Tensor, nn
from torchmetrics import Metric
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from genai_utils import zoo
from genai_utils.data.images import fashion_mnist
from genai_utils.metrics import samples
from genai_utils.models.classifier import FashionClassifier

Work = Callable[[], object]


class Extractor(nn.Module):
    """Features of images by the shipped classifier, or (``given``) what comes in, for torchmetrics."""

    num_features = 64

    def __init__(self, given: bool) -> None:
        super().__init__()
        model = zoo.load("fashion-classifier")
        assert isinstance(model, FashionClassifier)
        self.model = None if given else model.to(memory_format=torch.channels_last)

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Images (n, 1, 28, 28) or features (n, 64) -> (n, 64)."""
        return self.model.features(x) if self.model else x


def measured(metric: Metric, fake: Tensor, real: Tensor) -> object:
    """Feed both sets to a metric of torchmetrics, in batches, and compute it."""
    for batch in fake.split(250):
        metric.update(batch, real=False)
    for batch in real.split(250):
        metric.update(batch, real=True)
    return metric.compute()


def both(given: bool, fake: Tensor, real: Tensor) -> None:
    """Frechet and kernel distance by torchmetrics."""
    measured(FrechetInceptionDistance(Extractor(given), normalize=True), fake, real)
    measured(KernelInceptionDistance(Extractor(given), subsets=50), fake, real)


def cold(fake: Tensor, real: Tensor) -> samples.SampleReport:
    """The whole report with nothing kept from earlier calls, floor included."""
    samples._references.clear()
    samples._floors.clear()
    return samples.evaluate(fake, real)


def rows(fake: Tensor, real: Tensor) -> dict[str, tuple[Work, Work]]:
    """What is timed: name, ours, torchmetrics."""
    a, b = samples.features(fake).double(), samples.features(real).double()
    frechet = lambda: measured(FrechetInceptionDistance(Extractor(True), normalize=True), a, b)  # noqa: E731
    kernel = lambda: measured(KernelInceptionDistance(Extractor(True), subsets=50), a, b)  # noqa: E731
    floor = samples.evaluate(real, real)
    return {
        "Frechet distance with 20 resamples, features": (
            lambda: samples.frechet_distance(a, b),
            lambda: [frechet() for _ in range(21)],
        ),
        "kernel distance, 50 subsets, features": (lambda: samples.kernel_distance(a, b), kernel),
        "report, images, floor known": (lambda: samples.evaluate(fake, real, floor), lambda: both(False, fake, real)),
        "report, images, first call with floor": (lambda: cold(fake, real), lambda: both(False, fake, real)),
    }


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--n", type=int, default=10_000)
    arguments.add_argument("--repeats", type=int, default=3)
    chosen = arguments.parse_args()
    warnings.filterwarnings("ignore", "Metric `Kernel Inception Distance` will save")
    torch.set_num_threads(1)
    fake, real = (fashion_mnist(split).images[: chosen.n] for split in ("train", "test"))
    if chosen.n > len(real):
        real = fashion_mnist("test", full=True).images[: chosen.n]
    print(f"{len(fake):,} images against {len(real):,}, one thread\n{'':<46} ours/s  torchmetrics/s  ratio")
    for name, (ours, theirs) in rows(fake, real).items():
        a, b = cpu_seconds(ours, theirs, repeats=chosen.repeats)
        print(f"{name:<46} {a:6.2f}  {b:14.2f}  {a / b:5.2f}")


if __name__ == "__main__":
    main()
