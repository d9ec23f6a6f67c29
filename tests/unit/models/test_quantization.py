"""Weights in eight bits: how near they stay, and what must not change at all."""

import pytest
import torch

from genai_utils.models.quantization import eight_bits, from_eight_bits, on_grid


@pytest.mark.parametrize("shape", [(4, 9), (4, 3, 2), (3, 2, 2, 5)])
def test_no_number_moves_by_more_than_half_a_step_of_its_row(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0)) * torch.tensor([1e-3, 1.0, 50.0, 7.0])[
        : shape[0]
    ].view(-1, *[1] * (len(shape) - 1))
    whole, scale = eight_bits(matrix)
    assert whole.dtype is torch.int8 and scale.shape == (shape[0],)
    assert torch.equal(whole.abs().flatten(1).amax(1), torch.full((shape[0],), 127, dtype=torch.int8))
    moved = (from_eight_bits(whole, scale) - matrix).abs().flatten(1).amax(1)
    assert (moved <= 0.5001 * scale).all() and torch.allclose(scale, matrix.abs().flatten(1).amax(1) / 127)


def test_what_is_on_the_grid_stays_there_and_zero_stays_zero():
    matrix = torch.tensor([[0.0, 0.3, -1.0], [0.0, 0.0, 0.0]])
    once = on_grid(matrix)
    assert torch.allclose(on_grid(once), once) and once[0].tolist() == pytest.approx([0, 38 / 127, -1])
    assert once[1].tolist() == [0, 0, 0] and (eight_bits(matrix)[1] > 0).all()


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (torch.ones(3), r"matrix must have shape \(rows, columns, ...\)"),
        (torch.ones(0, 3), "matrix must hold numbers"),
        (torch.tensor([[1.0, float("inf")]]), "matrix must be finite"),
    ],
)
def test_what_has_no_rows_of_numbers_is_refused(matrix, words):
    with pytest.raises(ValueError, match=words):
        eight_bits(matrix)


def test_scales_of_other_rows_are_refused():
    with pytest.raises(ValueError, match="scale must have shape"):
        from_eight_bits(torch.ones(2, 3, dtype=torch.int8), torch.ones(3))
