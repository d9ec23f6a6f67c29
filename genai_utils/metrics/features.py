"""What the small Fashion-MNIST classifier sees in images: 64 features, in which samples are judged, and a class."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from genai_utils import zoo
from genai_utils.models.classifier import FashionClassifier


def features(images: Tensor, batch_size: int = 250) -> Tensor:
    """Features of the last hidden layer of ``zoo.load("fashion-classifier")``, always computed on the CPU in float32.

    Args: images: (n, 1, 28, 28) floating point in [-1, 1], n >= 1.  Returns: (n, 64) float32.
    Raises: TypeError: no tensor.  ValueError: empty, NaN, out of range, integers, wrong shape.
    """
    return embedded(images, batch_size)[0]


@lru_cache(maxsize=1)
def _classifier() -> FashionClassifier:
    model = zoo.load("fashion-classifier")
    assert isinstance(model, FashionClassifier)
    return model.to(memory_format=torch.channels_last)


@torch.no_grad()
def embedded(images: Tensor, batch_size: int = 250) -> tuple[Tensor, Tensor]:
    """Features (n, 64) and predicted labels (n,) of images as `features` takes them.  Raises: as there."""
    check_images(images)
    model = _classifier()
    batches = images.detach().split(batch_size)
    found = torch.cat([model.features(batch.to("cpu", torch.float32)) for batch in batches])
    return found, model.head(found).argmax(dim=1)


def check_images(images: Tensor) -> None:
    """Raise TypeError or ValueError unless images are (n, 1, 28, 28), floating point, finite, in [-1, 1], n >= 1."""
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
