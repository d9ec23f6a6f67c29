"""A picture coder without a network: principal axes, bits shared out among them, and the best levels on each axis.

What a learned codec has to beat at the same number of bits. All compute in float64.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from genai_utils.checks import finite_tensors, fits, of_type, whole
from genai_utils.models.shapes import IMAGE, check_axes, check_examples, check_filled, check_ids, check_real

MOST_BITS = 8  # that one axis may get: 256 levels
ROUNDS = 40  # of `lloyd_max` on an axis; more change the error by less than a thousandth


def lloyd_max(values: Tensor, levels: int, rounds: int = 100) -> Tensor:
    """Levels of the quantiser with the least squared error, for each row of values: (rows, n) -> (rows, levels).

    In turn, each border moves half way between two levels, and each level to the mean of the values between its
    borders; the error can only fall. Begins at equally filled cells and stops when no level moves, at the latest after
    `rounds`. Levels ascend; a level to which no value falls stays where it is.

    Source: Max 1960, doi:10.1109/TIT.1960.1057548; Lloyd 1982, doi:10.1109/TIT.1982.1056489. Equation (ae.lloyd-max).
    """
    finite_tensors("(rows, n)", values=values)
    check_real(values=values)
    check_filled(values=values)
    whole(1, rounds=rounds)
    fits(rows=len(values), levels=levels)
    return _Sorted(values).levels(levels, rounds)[0]


class _Sorted:
    """Values sorted once, so that the sum over any cell is a difference of two running sums."""

    def __init__(self, values: Tensor):
        self.values = values.double().contiguous().sort(dim=1).values
        nothing = torch.zeros(len(values), 1, dtype=torch.float64)
        self.sums = torch.cat([nothing, self.values.cumsum(dim=1)], dim=1)
        self.energy = self.values.square().mean(dim=1)

    def levels(self, count: int, rounds: int) -> tuple[Tensor, Tensor]:
        """The levels of `lloyd_max`, and the mean squared error that they leave: (rows, count) and (rows,)."""
        rows, n = self.values.shape
        found = self.values[:, ((torch.arange(count) + 0.5) * n / count).long()]
        still = 1e-9 * float(self.values.abs().max())
        for _ in range(rounds):
            counts, sums = self.cells(found)
            moved = torch.where(counts > 0, sums / counts.clamp(min=1), found)
            if torch.allclose(moved, found, rtol=0, atol=still):
                break
            found = moved
        counts, sums = self.cells(found)
        return found, self.energy + (found * (found * counts - 2 * sums)).sum(dim=1) / n

    def cells(self, levels: Tensor) -> tuple[Tensor, Tensor]:
        """How many values are nearest to each level, and their sum: (rows, count) each."""
        rows, n = self.values.shape
        cuts = torch.searchsorted(self.values, borders(levels))
        ends = torch.cat([torch.zeros(rows, 1).long(), cuts, torch.full((rows, 1), n)], dim=1)
        return ends.diff(dim=1), self.sums.gather(1, ends).diff(dim=1)


def borders(levels: Tensor) -> Tensor:
    """Half way between neighbours, where the nearest level changes: (rows, levels) -> (rows, levels - 1)."""
    finite_tensors("(rows, levels)", levels=levels)
    return (levels[:, 1:] / 2 + levels[:, :-1] / 2).contiguous()  # halves, whose sum cannot overflow


def allocate_bits(errors: Tensor, bits: int) -> Tensor:
    """Share out whole bits among axes so that the sum of their errors is least: (axes,) int64, adding up to <= bits.

    Args: errors: (axes, most + 1), of an axis that gets 0, 1, ... most bits; need not fall in any special way.
    Exact, by dynamic programming: the best use of b bits for the first j axes grows from that for the first j - 1.
    Source: Shoham & Gersho 1988, doi:10.1109/29.90373, which gets near by slopes. Equation (ae.allocation).
    """
    finite_tensors("(axes, most + 1)", errors=errors)
    check_real(errors=errors)
    check_filled(errors=errors)
    whole(0, bits=bits)
    fits(bits=bits + 1, errors=errors.numel())
    table, best, given = errors.detach().double().numpy(), np.zeros(bits + 1), []
    for row in table:
        options = np.full((len(row), bits + 1), np.inf)
        for spent, error in enumerate(row[: bits + 1]):
            options[spent, spent:] = best[: bits + 1 - spent] + error
        given.append(options.argmin(axis=0))
        best = options.min(axis=0)
    shares, left = [], bits
    for choice in reversed(given):
        shares.append(int(choice[left]))
        left -= shares[-1]
    return torch.tensor(shares[::-1])


class PCACoder:
    """Codes pictures at a fixed number of bits each: the level that is nearest, on each principal axis that got bits.

    Args: mean: (784,).  axes: (784, k), orthonormal columns.  levels: for each axis, (2 to its bits,), ascending.
    Source: Gersho & Gray 1992, doi:10.1007/978-1-4615-3626-0, chapter 8.
    """

    def __init__(self, mean: Tensor, axes: Tensor, levels: Sequence[Tensor]):
        of_type((list, tuple), levels=levels)
        finite_tensors("(...)", mean=mean, axes=axes)
        finite_tensors("(n,)", **{f"levels[{i}]": each for i, each in enumerate(levels)})
        check_axes(mean=(mean, "d"), axes=(axes, "d k"))
        if len(levels) != axes.shape[1]:
            raise ValueError(f"levels must be given for each of {axes.shape[1]} axes, got {len(levels)}")
        self.mean, self.axes, self.levels = mean.double(), axes.double(), [each.double() for each in levels]

    @property
    def bits(self) -> list[int]:
        """Bits of each axis."""
        return [(len(each) - 1).bit_length() for each in self.levels]

    @classmethod
    def fit(cls, images: Tensor, bits: int) -> PCACoder:
        """The best for images (n, 1, 28, 28) in [-1, 1] at this many bits a picture, by their own principal axes."""
        check_examples(images)
        finite_tensors("(...)", images=images)
        whole(1, bits=bits)
        if len(images) < 2:
            raise ValueError(f"images must be two or more, to have axes, got {len(images)}")
        flat = images.detach().flatten(1).double()
        mean = flat.mean(dim=0)
        axes = torch.linalg.eigh(torch.cov(flat.T, correction=0)).eigenvectors.flip(1)[:, :bits]
        values = ((flat - mean) @ axes).T.contiguous()
        ordered = _Sorted(values)
        fitted = [ordered.levels(2**b, ROUNDS) for b in range(MOST_BITS + 1)]
        options, errors = [levels for levels, _ in fitted], torch.stack([error for _, error in fitted], dim=1)
        shares = allocate_bits(errors, bits)
        kept = shares.nonzero()[:, 0]
        return cls(mean, axes[:, kept], [options[int(shares[j])][j] for j in kept])

    def encode(self, images: Tensor) -> Tensor:
        """Number of the level on each axis: (n, 1, 28, 28) -> (n, k) int64."""
        check_examples(images)
        finite_tensors("(...)", images=images)
        values = ((images.flatten(1).double() - self.mean) @ self.axes).T.contiguous()
        numbers = [
            torch.searchsorted(borders(each[None])[0], axis) for axis, each in zip(values, self.levels, strict=True)
        ]
        return torch.stack(numbers, dim=1) if numbers else torch.zeros(len(images), 0, dtype=torch.long)

    def decode(self, numbers: Tensor) -> Tensor:
        """Pictures of level numbers: (n, k) int64 -> (n, 1, 28, 28) float32 in [-1, 1]."""
        check_axes(numbers=(numbers, f"n {len(self.levels)}"))
        for each, column in zip(self.levels, numbers.T, strict=True):
            check_ids(len(each), numbers=column)
        values = [each[column] for each, column in zip(self.levels, numbers.T, strict=True)]
        flat = self.mean + (torch.stack(values, dim=1) @ self.axes.T if values else 0)
        return flat.expand(len(numbers), -1).float().clamp(-1, 1).unflatten(1, IMAGE)

    def rebuild(self, images: Tensor) -> Tensor:
        """What is left of pictures after coding: (n, 1, 28, 28) -> the same shape."""
        return self.decode(self.encode(images))
