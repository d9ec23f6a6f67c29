"""What the small Fashion-MNIST classifier sees in images: 64 features, in which samples are judged, and a class."""

from __future__ import annotations

import warnings
from functools import lru_cache

import torch
from torch import Tensor

from genai_utils import checks, zoo
from genai_utils.models.classifier import FashionClassifier


def features(images: Tensor, batch_size: int = 250) -> Tensor:
    """Features of the last hidden layer of ``zoo.load("fashion-classifier")``, always computed on the CPU in float32.

    Args: images: (n, 1, 28, 28) floating point in [-1, 1], n >= 1.  Returns: (n, 64) float32.
    Raises: TypeError: no tensor.  ValueError: empty, NaN, out of range, integers, wrong shape.
    Warns: no value is below 0, as if the images were in [0, 1].
    """
    return embedded(images, batch_size)[0]


@lru_cache(maxsize=1)
def _classifier() -> FashionClassifier:
    model = zoo.load("fashion-classifier")
    assert isinstance(model, FashionClassifier)
    return model.to(memory_format=torch.channels_last)


@torch.no_grad()
def embedded(images: Tensor, batch_size: int = 250, name: str = "images") -> tuple[Tensor, Tensor]:
    """Features (n, 64) and predicted labels (n,) of images as `features` takes them.

    Args: name: of the images, in errors.  Raises, warns: as `features`.
    """
    checks.whole(1, batch_size=batch_size)
    check_images(images, name)
    model = _classifier()
    batches = images.detach().split(batch_size)
    found = torch.cat([model.features(batch.to("cpu", torch.float32)) for batch in batches])
    return found, model.head(found).argmax(dim=1)


def check_images(images: Tensor, name: str = "images") -> None:
    """Raise TypeError or ValueError unless images are (n, 1, 28, 28), floating point, finite, in [-1, 1], n >= 1.

    Warns: no value is below 0, as if the images were in [0, 1].
    """
    checks.of_type(str, name=name)
    checks.shaped("(...)", **{name: images})
    if not images.numel():
        raise ValueError(f"{name} must hold at least one image, got shape {tuple(images.shape)}")
    low, high = images.float().aminmax()
    if low < -1.0001 or high > 1.0001:
        found = f"max {high}" if high > 1 else f"min {low}"
        raise ValueError(f"{name} must be in [-1, 1], got {found}; use data.fashion_mnist()")
    if not images.is_floating_point():
        raise ValueError(
            f"{name} must be floating point in [-1, 1], got {images.dtype}; use data.fashion_mnist().images"
        )
    if images.shape[1:] != (1, 28, 28):
        raise ValueError(f"{name} must have shape (n, 1, 28, 28), got {tuple(images.shape)}; use .view(-1, 1, 28, 28)")
    if not images.isfinite().all():
        bad = (~images.isfinite()).flatten(1).any(dim=1).sum()
        raise ValueError(f"{name} must be finite, got NaN or infinity in {bad} of {len(images)}; did training diverge?")
    if low >= 0:
        hint = "black is -1 here; if they are in [0, 1], give 2 * images - 1"
        warnings.warn(f"{name} hold no value below 0: {hint}", stacklevel=5)  # the line that calls features or evaluate
