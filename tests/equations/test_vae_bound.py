"""Both sides of every named equation about what the bound of a VAE hides, computed by ways that share no code."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pytest import approx
from scipy.optimize import minimize
from scipy.stats import norm
from torch.distributions import MultivariateNormal, kl_divergence

from genai_utils.data.toys import LinearGaussian
from genai_utils.metrics import likelihood
from genai_utils.models import vae

verifies = pytest.mark.verifies
few = settings(max_examples=20)

GRID = np.linspace(-12, 12, 24_001)  # of a code with one number
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(60)
WEIGHTS = WEIGHTS / WEIGHTS.sum()  # the mean of f(z) under N(0, 1) is WEIGHTS @ f(NODES)


def log_joint(z, x, sd=0.6):
    """log p(z) + log p(x | z) of two pixels, by a decoder that is no straight line: no posterior is a Gaussian."""
    means = np.stack([np.sin(1.5 * z), 0.6 * z**2 - 0.3], axis=-1)
    return norm.logpdf(z) + norm.logpdf(x, means, sd).sum(-1)


def on_grid(f):
    return np.trapezoid(f, GRID)


# --- the shape of the guess -------------------------------------------------------------------------------------------


def random_precision(seed, size=3):
    loading = np.random.default_rng(seed).normal(size=(5, size))
    return np.eye(size) + loading.T @ loading


def divergence_from_gaussian(mean, log_sd, precision):
    """KL( N(mean, diag exp 2 log_sd) || N(0, precision^-1) ), by torch."""
    q = MultivariateNormal(torch.tensor(mean), torch.diag(torch.tensor(np.exp(2 * log_sd))))
    p = MultivariateNormal(torch.zeros(len(mean)).double(), precision_matrix=torch.tensor(precision))
    return kl_divergence(q, p).item()


def mean_field(precision):
    return 0.5 * (np.log(np.diag(precision)).sum() - np.linalg.slogdet(precision)[1])


@verifies("vae.mean-field")
@pytest.mark.parametrize("seed", range(5))
def test_a_search_over_upright_gaussians_finds_the_smallest_divergence(seed):
    precision = random_precision(seed)
    found = minimize(lambda v: divergence_from_gaussian(v[:3], v[3:], precision), np.full(6, 0.3), tol=1e-10)
    assert found.fun == approx(mean_field(precision), abs=1e-6)


@verifies("vae.amortisation")
@given(st.integers(0, 1000), arrays(np.float64, 6, elements=st.floats(-0.7, 0.7)))
@few
def test_the_gap_of_an_encoder_is_that_of_the_best_guess_plus_what_the_encoder_misses(seed, miss):
    """Gap by torch's divergence; the best guess by (vae.mean-field); what is missed from a quadratic form."""
    precision = random_precision(seed)
    best_log_sd = -0.5 * np.log(np.diag(precision))
    gap = divergence_from_gaussian(miss[:3], best_log_sd + miss[3:], precision)
    missed = 0.5 * miss[:3] @ precision @ miss[:3] + (0.5 * np.expm1(2 * miss[3:]) - miss[3:]).sum()
    assert gap == approx(mean_field(precision) + missed, abs=1e-8)
    assert missed >= -1e-12


# --- tighter bounds ---------------------------------------------------------------------------------------------------


@verifies("vae.iwae")
def test_the_bound_of_two_codes_is_its_quadrature_and_bounds_grow_with_the_codes():
    x, mean, sd, n = np.array([0.4, 0.2]), 0.2, 0.5, 40_000
    z = mean + sd * NODES
    weight = log_joint(z, x) - norm.logpdf(z, mean, sd)
    exact = [WEIGHTS @ weight, WEIGHTS @ (np.logaddexp.outer(weight, weight) - np.log(2)) @ WEIGHTS]
    draws = mean + sd * np.random.default_rng(0).standard_normal((64, n))
    log_weights = torch.tensor(log_joint(draws, x) - norm.logpdf(draws, mean, sd))
    bounds = [likelihood.importance_bound(log_weights[:k]) for k in (1, 2, 8, 64)]
    for bound, expected in zip(bounds, exact, strict=False):
        assert bound.mean().item() == approx(expected, abs=5 * bound.std().item() / n**0.5)
    means = [bound.mean().item() for bound in bounds]
    truth = np.log(on_grid(np.exp(log_joint(GRID, x))))
    assert means == sorted(means) and means[-1] < truth + 0.01
    assert truth - means[-1] < 0.2 * (truth - means[0])


@verifies("vae.iwae")
def test_a_thousand_codes_of_a_good_encoder_come_within_a_fiftieth_of_a_nat_of_the_truth():
    toy = LinearGaussian(torch.randn(8, 3, generator=torch.Generator().manual_seed(0)), 0.5)
    x = toy.sample(300, generator=torch.Generator().manual_seed(1))
    mean, covariance = toy.posterior(x)
    sd = torch.linalg.inv(covariance).diagonal().rsqrt().float()
    z = mean + sd * torch.randn(1000, *mean.shape, generator=torch.Generator().manual_seed(2))
    model = vae.LinearVAE.exact(toy.loading, toy.sd, toy.mean)
    model.decoder.weight.data = toy.loading.float()
    with torch.no_grad():
        bound = likelihood.importance_bound(vae.log_joint(model, x, z) - vae.log_normal(z, mean, 2 * sd.log()))
    assert abs((toy.log_prob(x) - bound).mean().item()) < 0.02


@verifies("vae.ais")
def test_the_weights_of_annealed_walks_average_to_the_integral():
    """A posterior with two hills, which no Gaussian fits; the truth by the trapezoid rule."""
    xs = torch.tensor([[0.1, 0.9], [0.7, 0.1], [-0.5, 0.4]], dtype=torch.float64)

    def joint(z):
        means = torch.cat([torch.sin(1.5 * z), 0.6 * z.square() - 0.3], dim=-1)
        return vae.log_normal(z) + vae.log_normal(xs, means, torch.tensor(2 * np.log(0.6)).double())

    start = torch.zeros(3, 1, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    walk = likelihood.annealed_importance(joint, start, start, chains=8000, temperatures=25, generator=generator)
    truth = np.array([np.log(on_grid(np.exp(log_joint(GRID, x)))) for x in xs.numpy()])
    assert np.all(np.abs(walk.value.numpy() - truth) < 5 * walk.error.numpy())
    assert walk.error.max() < 0.01


# --- a code that must not die -----------------------------------------------------------------------------------------


@verifies("vae.free-bits")
@given(st.floats(0, 2), st.integers(0, 1000))
@few
def test_a_number_of_the_code_costs_at_least_its_free_bits_and_is_not_pushed_below_them(free, seed):
    torch.manual_seed(seed)
    model, x, noise = vae.LinearVAE(3, 4), torch.randn(50, 3), torch.randn(50, 4)
    bound = vae.elbo(model, x, free_bits=free, noise=noise)
    mean, log_var = (part.detach().double().numpy() for part in model.encode(x))
    sd = np.exp(log_var / 2)
    prices = (-norm.entropy(scale=sd) + 0.5 * (mean**2 + sd**2 + np.log(2 * np.pi))).mean(0)  # -H(q) - E_q log p
    expected = bound.reconstruction.mean().item() - np.maximum(free, prices).sum()
    assert bound.objective.item() == approx(expected, abs=1e-4)
    (slope,) = torch.autograd.grad(bound.objective - bound.reconstruction.mean(), model.encoder.log_var)
    assert np.all(slope.numpy()[prices < free - 1e-4] == 0)
