"""The equations of the chapter NAME: computed a second way that shares no code."""

import numpy as np
import pytest

verifies = pytest.mark.verifies


@verifies("NAME.spread")
@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_the_mean_of_n_dice_spreads_as_the_distribution_of_their_sum_says(n: int) -> None:
    """The distribution of a sum is a convolution; its second moment needs no formula for means."""
    odds = np.ones(1)
    for _ in range(n):
        odds = np.convolve(odds, np.full(6, 1 / 6))
    means = np.arange(n, 6 * n + 1) / n
    spread = np.sqrt((odds * (means - 3.5) ** 2).sum())
    assert spread == pytest.approx(np.sqrt(35 / 12) / np.sqrt(n))
