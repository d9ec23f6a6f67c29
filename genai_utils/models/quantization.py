"""Weights in eight bits: whole numbers and one scale a row, as files and pages hold them."""

from __future__ import annotations

import torch
from torch import Tensor

from genai_utils.checks import finite_tensors
from genai_utils.models.shapes import check_axes, check_floats

LEVELS = 127  # whole numbers from -127 to 127: zero stays zero


def eight_bits(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """A matrix as whole numbers of -127..127 and one scale for each row: (rows, ...) int8 and (rows,).

    Raises: TypeError, ValueError: fewer than two axes, nothing in them, NaN or infinity.
    """
    check_floats(matrix=matrix)
    finite_tensors("(rows, columns, ...)", matrix=matrix)
    if not matrix.numel():
        raise ValueError(f"matrix must hold numbers, got shape {tuple(matrix.shape)}")
    scale = matrix.abs().flatten(1).amax(dim=1).clamp(min=1e-12) / LEVELS
    return (matrix / _beside(scale, matrix)).round().to(torch.int8), scale


def from_eight_bits(whole: Tensor, scale: Tensor) -> Tensor:
    """The matrix again: (rows, ...) int8 and (rows,) to (rows, ...) in the number format of the scale.

    Raises: TypeError, ValueError: the rows do not fit.
    """
    check_axes(whole=(whole, "rows ..."), scale=(scale, "rows"))
    return whole * _beside(scale, whole)


def on_grid(matrix: Tensor) -> Tensor:
    """A matrix moved to the values that `eight_bits` keeps: each row whole multiples of its scale. (rows, ...)."""
    return from_eight_bits(*eight_bits(matrix))


def _beside(scale: Tensor, matrix: Tensor) -> Tensor:
    return scale.view(-1, *[1] * (matrix.dim() - 1))
