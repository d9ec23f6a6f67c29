"""The shapes that all models of images share, and the errors for anything else."""

from __future__ import annotations

from torch import Tensor

IMAGE = (1, 28, 28)


def check_latent(latent: Tensor, size: int) -> None:
    """Raise ValueError unless latent is (n, size)."""
    if latent.ndim != 2 or latent.shape[1] != size:
        raise ValueError(f"latent must be (n, {size}), got {tuple(latent.shape)}; use torch.randn(n, {size})")


def check_examples(x: Tensor, shape: tuple[int, ...] = IMAGE) -> None:
    """Raise ValueError unless x is (n, *shape)."""
    if tuple(x.shape[1:]) != shape:
        wanted = ", ".join(map(str, shape))
        raise ValueError(f"examples must be (n, {wanted}), got {tuple(x.shape)}; use x.view(-1, {wanted})")
