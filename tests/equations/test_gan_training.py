"""The equations of the chapter on training: both sides computed, without shared code."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm, svdvals
from scipy.optimize import linprog
from scipy.stats import norm
from torch import nn

from genai_utils.metrics import samples
from genai_utils.models import gan
from genai_utils.run import Run

verifies = pytest.mark.verifies
SEEDS = st.integers(0, 10_000)


def exact_sample(mean: np.ndarray, covariance: np.ndarray, rng: np.random.Generator, n: int = 256) -> torch.Tensor:
    """n points whose sample mean and (unbiased) covariance are exactly the given ones."""
    points = rng.standard_normal((n, len(mean)))
    points -= points.mean(0)
    points = points @ np.linalg.inv(np.linalg.cholesky(np.cov(points.T))).T
    return torch.from_numpy(points @ np.linalg.cholesky(covariance).T + mean)


def random_covariance(d: int, rng: np.random.Generator) -> np.ndarray:
    factor = rng.standard_normal((d, d))
    return factor @ factor.T + 0.1 * np.eye(d)


@verifies("metric.frechet")
@settings(max_examples=15)
@given(SEEDS)
def test_the_cross_term_is_the_nuclear_norm_of_the_product_of_roots(seed):
    """tr (S1 S2)^(1/2) is the sum of the singular values of S1^(1/2) S2^(1/2): no matrix root of a product is taken."""
    rng = np.random.default_rng(seed)
    means, covariances = rng.standard_normal((2, 5)), [random_covariance(5, rng) for _ in range(2)]
    roots = [np.real(sqrtm(c)) for c in covariances]
    expected = np.sum((means[0] - means[1]) ** 2) + sum(np.trace(c) for c in covariances)
    expected -= 2 * svdvals(roots[0] @ roots[1]).sum()
    points = [exact_sample(m, c, rng) for m, c in zip(means, covariances, strict=True)]
    assert samples.frechet_distance(*points).value == pytest.approx(expected, rel=1e-4)


@verifies("metric.frechet")
@settings(max_examples=15)
@given(SEEDS)
def test_independent_coordinates_give_the_sum_of_squared_quantile_distances(seed):
    """It is a transport cost: on the line, the squared Wasserstein-2 distance is the integral of (quantile gap)^2."""
    rng = np.random.default_rng(seed)
    mean, sd = rng.standard_normal((2, 2)), rng.uniform(0.3, 2.0, (2, 2))
    level = (np.arange(200_000) + 0.5) / 200_000
    expected = sum(
        np.mean((norm.ppf(level, mean[0, k], sd[0, k]) - norm.ppf(level, mean[1, k], sd[1, k])) ** 2) for k in range(2)
    )
    points = [exact_sample(mean[i], np.diag(sd[i] ** 2), rng) for i in range(2)]
    assert samples.frechet_distance(*points).value == pytest.approx(expected, rel=2e-3, abs=1e-3)


def explicit_features(x: np.ndarray) -> np.ndarray:
    """Monomials whose inner product is (a.b / d + 1)^3: all products of three entries of (x / sqrt d, 1)."""
    extended = np.concatenate([x / np.sqrt(x.shape[1]), np.ones((len(x), 1))], axis=1)
    triples = itertools.product(range(extended.shape[1]), repeat=3)
    return np.stack([extended[:, i] * extended[:, j] * extended[:, k] for i, j, k in triples], axis=1)


@verifies("metric.kernel")
@settings(max_examples=10)
@given(SEEDS)
def test_the_kernel_distance_is_the_distance_of_mean_monomials(seed):
    """m^2 compares all moments up to the third: |E phi(r) - E phi(g)|^2, less what a pile's own pairs (i, i) add."""
    rng = np.random.default_rng(seed)
    piles = rng.standard_normal((2, 40, 3)) + rng.standard_normal((2, 1, 3))
    phi = [explicit_features(pile) for pile in piles]
    n = len(piles[0])
    within = [(np.sum(f.sum(0) ** 2) - np.sum(f**2)) / (n * (n - 1)) for f in phi]
    expected = within[0] + within[1] - 2 * phi[0].mean(0) @ phi[1].mean(0)
    real, fake = (torch.from_numpy(pile).float() for pile in piles)
    estimate = samples.kernel_distance(real, fake, subsets=1, subset_size=n)
    assert estimate.value == pytest.approx(expected, rel=1e-3, abs=1e-4)


class Lookup(nn.Module):
    """A discriminator of finitely many examples, given by a table of its answers."""

    def __init__(self, answers: np.ndarray):
        super().__init__()
        self.answers = torch.from_numpy(answers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.answers[x]


@verifies("gan.hinge")
@settings(max_examples=15)
@given(SEEDS)
def test_the_best_hinge_discriminator_measures_total_variation(seed):
    """The smallest discriminator loss, found by a linear programme, is 2 (1 - TV); G then sees its sign of p - q."""
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(60, rng.dirichlet(np.ones(6)), size=2)
    p, q = counts / 60
    # Variables: answers d, and slacks u >= 1 - d, v >= 1 + d, both >= 0; minimise p u + q v.
    eye, zero = np.eye(6), np.zeros((6, 6))
    above = np.block([[-eye, -eye, zero], [eye, zero, -eye]])
    bounds = [(None, None)] * 6 + [(0, None)] * 12
    best = linprog(np.r_[np.zeros(6), p, q], A_ub=above, b_ub=-np.ones(12), bounds=bounds)
    assert best.fun == pytest.approx(2 * (1 - 0.5 * np.abs(p - q).sum()), abs=1e-8)
    D, (real, fake) = Lookup(best.x[:6]), (torch.arange(6).repeat_interleave(torch.from_numpy(c)) for c in counts)
    assert gan.hinge_discriminator_loss(D, real, fake).item() == pytest.approx(best.fun, abs=1e-6)
    assert gan.hinge_generator_loss(D, fake).item() == pytest.approx(-best.x[:6] @ q, abs=1e-6)


@verifies("gan.average")
def test_the_average_is_a_weighted_sum_of_all_past_weights():
    """Unrolling the recursion: theta_k enters with (1 - d_k) times the product of all later decays; d_0 is 0."""
    run = Run(30, progress=False)
    model, optimizer = run.setup(net := nn.Linear(3, 1), torch.optim.SGD(net.parameters(), 0.1))
    average, past = run.average(model, decay=0.6), []
    for x in run.batches(torch.randn(16, 3), batch_size=8):
        run.step(optimizer, (model(x) - 1).square().mean())
        past.append(model.weight.detach().clone())
    # As printed: the average begins at the first weights, and the decay counts from n = 1.
    decay = [0.0] + [min(0.6, (1 + n) / (10 + n)) for n in range(1, len(past))]
    shares = [(1 - decay[k]) * np.prod(decay[k + 1 :]) for k in range(len(past))]
    assert sum(shares) == pytest.approx(1)
    expected = sum(share * weight for share, weight in zip(shares, past, strict=True))
    assert torch.allclose(average.module.weight, expected, atol=1e-6)


@verifies("cost.usable")
def test_the_price_of_a_thousand_usable_pictures_is_what_a_shop_would_pay():
    """Make pictures until 1,000 are usable, many times over; the mean bill lies within four standard errors."""
    rng = np.random.default_rng(0)
    usable, training, lifetime, each, price = 0.37, 20.0, 10_000, 0.002, 0.0008
    made = 1_000 + rng.negative_binomial(1_000, usable, size=20_000)
    bills = made * (training / lifetime + each) * price
    expected = 1_000 / usable * (training / lifetime + each) * price
    assert abs(bills.mean() - expected) < 4 * bills.std() / np.sqrt(len(bills))
