"""Distances between pictures; those between sets of features are tested in test_samples.py."""

import math

import pytest
import torch

from genai_utils.metrics.distances import (
    frechet_distance,
    kernel_distance,
    precision_recall_density_coverage,
    psnr,
)


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


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: kernel_distance(x, x, subset_size=1), "subset_size must be a whole number, 2 or more, got 1"),
        (lambda x: kernel_distance(x, x, subset_size=99), "subset_size must be at most the 20 samples .*, got 99"),
        (lambda x: frechet_distance(x, x, resamples=0), "resamples must be a whole number, 1 or more, got 0"),
        (lambda x: frechet_distance(x, x, resamples=-1), "resamples must be a whole number, 1 or more, got -1"),
        (lambda x: precision_recall_density_coverage(x, x, k=0), "k must be a whole number, 1 or more, got 0"),
        (lambda x: precision_recall_density_coverage(x, x, k=-1), "k must be a whole number, 1 or more, got -1"),
        (lambda x: precision_recall_density_coverage(x, x, k=20), "k must be smaller, or real and fake must have more"),
        (lambda x: frechet_distance(x.double() * 1e200, x), "a must hold features below 1e.30"),
        (lambda x: psnr(x, x * math.nan), "others must be finite"),
    ],
)
def test_numbers_that_give_no_spread_or_no_neighbor_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(torch.rand(20, 4, generator=torch.Generator().manual_seed(0)))
