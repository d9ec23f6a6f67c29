"""What all models share: the shape of an image, how to count weights, and the errors for wrong input."""

from __future__ import annotations

from torch import Tensor, nn

IMAGE = (1, 28, 28)


def size(model: nn.Module) -> int:
    """How many numbers a model learns: the entries of all its parameters; those it shares count once."""
    return sum(parameter.numel() for parameter in model.parameters())


def check_latent(latent: Tensor, size: int) -> None:
    """Raise ValueError unless latent is (n, size)."""
    if latent.ndim != 2 or latent.shape[1] != size:
        raise ValueError(f"latent must be (n, {size}), got {tuple(latent.shape)}; use torch.randn(n, {size})")


def check_examples(x: Tensor, shape: tuple[int, ...] = IMAGE) -> None:
    """Raise ValueError unless x is (n, *shape)."""
    if tuple(x.shape[1:]) != shape:
        wanted = ", ".join(map(str, shape))
        raise ValueError(f"examples must be (n, {wanted}), got {tuple(x.shape)}; use x.view(-1, {wanted})")


def check_labels(labels: Tensor | None, kinds: int, n: int) -> None:
    """Raise ValueError unless labels are (n,) in 0..kinds - 1, or None where a model knows no kinds (0)."""
    if (labels is None) == (not kinds) and (labels is None or _are_kinds(labels, kinds, n)):
        return
    wanted = f"labels ({n},) in 0..{kinds - 1}" if kinds else "no labels"
    given = "none" if labels is None else tuple(labels.shape)
    given = f"{given} with {labels.min()} to {labels.max()}" if labels is not None and len(labels) else given
    raise ValueError(f"this model takes {wanted}, got {given}; it was made with labels={kinds}")


def _are_kinds(labels: Tensor, kinds: int, n: int) -> bool:
    return labels.shape == (n,) and (not n or (int(labels.min()) >= 0 and int(labels.max()) < kinds))
