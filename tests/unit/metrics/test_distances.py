"""Distances between pictures; those between sets of features are tested in test_samples.py."""

import math

import pytest
import torch

from genai_utils.metrics.distances import psnr


def test_a_tenth_of_the_squared_error_is_ten_decibels_more():
    black = torch.zeros(2, 1, 5, 5)
    assert psnr(black + 0.4**0.5, black) == pytest.approx(10, abs=1e-5)
    assert psnr(black + 0.04**0.5, black) == pytest.approx(20, abs=1e-5)
    assert psnr(black + 0.2, black, peak=1.0) == pytest.approx(20 - 20 * math.log10(2), abs=1e-5)


def test_equal_pictures_are_infinitely_far_above_the_noise():
    x = torch.rand(2, 1, 28, 28)
    assert psnr(x, x) == math.inf


def test_pictures_that_would_be_broadcast_are_refused():
    with pytest.raises(ValueError, match=r"one shape, got \(2, 1, 5, 5\) and \(1, 5, 5\)"):
        psnr(torch.zeros(2, 1, 5, 5), torch.zeros(1, 5, 5))
