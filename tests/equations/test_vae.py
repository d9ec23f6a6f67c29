"""Both sides of every named equation about variational autoencoders, computed by ways that share no code."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pytest import approx
from scipy.optimize import minimize, minimize_scalar
from scipy.special import entr, expit, logsumexp
from scipy.stats import entropy, multivariate_normal, norm
from torch.distributions import MultivariateNormal, kl_divergence

from genai_utils.data.toys import LinearGaussian
from genai_utils.models import vae

verifies = pytest.mark.verifies
few = settings(max_examples=20)

GRID = np.linspace(-12, 12, 24_001)  # of a code with one number
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(60)
WEIGHTS = WEIGHTS / WEIGHTS.sum()  # the mean of f(z) under N(0, 1) is WEIGHTS @ f(NODES)


def loadings(rows=3, columns=1):
    return arrays(np.float64, (rows, columns), elements=st.floats(-1.5, 1.5))


def bent(z):
    """Mean of two pixels given z: a decoder that is no straight line, so that no posterior is a Gaussian."""
    return np.stack([np.sin(1.5 * z), 0.6 * z**2 - 0.3], axis=-1)


def log_joint(z, x, sd=0.6):
    """log p(z) + log p(x | z) of the bent decoder."""
    return norm.logpdf(z) + norm.logpdf(x, bent(z), sd).sum(-1)


def on_grid(f):
    return np.trapezoid(f, GRID)


def elbo_by_quadrature(x, mean, sd):
    z = mean + sd * NODES
    return WEIGHTS @ (log_joint(z, x) - norm.logpdf(z, mean, sd))


pairs = st.tuples(st.floats(-1, 1), st.floats(-0.5, 1.5)).map(np.array)
guesses = st.tuples(st.floats(-1.5, 1.5), st.floats(0.2, 1.2))


# --- the model and its bound ------------------------------------------------------------------------------------------


@verifies("vae.marginal", "vae.ppca")
@given(loadings(), st.floats(0.4, 2), arrays(np.float64, 3, elements=st.floats(-2, 2)))
@few
def test_the_average_of_p_of_x_given_z_over_the_prior_is_the_density_of_probabilistic_pca(loading, sd, x):
    by_quadrature = on_grid(norm.pdf(GRID) * norm.pdf(x, GRID[:, None] * loading[:, 0], sd).prod(1))
    by_covariance = multivariate_normal(cov=loading @ loading.T + sd**2 * np.eye(3)).logpdf(x)
    assert np.log(by_quadrature) == approx(by_covariance, abs=1e-8)
    assert LinearGaussian(torch.tensor(loading), sd).log_prob(torch.tensor(x)).item() == approx(by_covariance, abs=1e-8)


@verifies("vae.ppca")
@given(loadings(4, 2), st.floats(0.3, 2), arrays(np.float64, 4, elements=st.floats(-2, 2)))
@few
def test_the_posterior_of_probabilistic_pca_is_the_conditional_of_the_joint_gaussian(loading, sd, x):
    gain = loading.T @ np.linalg.inv(loading @ loading.T + sd**2 * np.eye(4))
    mean, covariance = LinearGaussian(torch.tensor(loading), sd).posterior(torch.tensor(x[None]))
    precision = np.eye(2) + loading.T @ loading / sd**2
    assert mean[0].numpy() == approx(gain @ x, abs=1e-8)
    assert covariance.numpy() == approx(np.eye(2) - gain @ loading, abs=1e-8)
    assert np.linalg.inv(precision) == approx(np.eye(2) - gain @ loading, abs=1e-8)


@verifies("vae.elbo")
@given(pairs, guesses)
@few
def test_the_bound_is_reconstruction_minus_price_and_lies_below_log_p(x, guess):
    mean, sd = guess
    reconstruction = WEIGHTS @ norm.logpdf(x, bent(mean + sd * NODES), 0.6).sum(-1)
    q = norm.pdf(GRID, mean, sd)
    price = on_grid(q * (norm.logpdf(GRID, mean, sd) - norm.logpdf(GRID)))
    assert elbo_by_quadrature(x, mean, sd) == approx(reconstruction - price, abs=1e-6)
    assert elbo_by_quadrature(x, mean, sd) <= np.log(on_grid(np.exp(log_joint(GRID, x)))) + 1e-8


@verifies("vae.elbo")
def test_the_bound_of_the_package_is_the_mean_of_log_joint_over_log_guess():
    torch.manual_seed(0)
    model, n = vae.LinearVAE(3, 1), 100_000
    x = torch.tensor([[0.5, -1.0, 0.3]])
    noise = torch.randn(n, 1)
    terms = vae.elbo(model, x.expand(n, 3), noise=noise)
    sampled = (terms.reconstruction - terms.kl.sum(1)).detach()
    mean, log_var = (part.item() for part in model.encode(x))
    weight, bias = model.decoder.weight.detach().numpy()[:, 0], model.decoder.bias.detach().numpy()
    z = mean + np.exp(log_var / 2) * NODES
    log_p = norm.logpdf(x.numpy(), z[:, None] * weight + bias, model.observation.log_sd.exp().item()).sum(1)
    exact = WEIGHTS @ (norm.logpdf(z) + log_p - norm.logpdf(z, mean, np.exp(log_var / 2)))
    assert terms.objective.item() == approx(exact, abs=5 * sampled.std().item() / n**0.5)


@verifies("vae.gap")
@given(
    loadings(4, 2),
    st.floats(0.4, 2),
    arrays(np.float64, 4, elements=st.floats(-2, 2)),
    arrays(np.float64, 2, elements=st.floats(-2, 2)),
    arrays(np.float64, 2, elements=st.floats(0.2, 1.5)),
)
@few
def test_what_the_bound_hides_is_the_divergence_of_the_guess_from_the_posterior(loading, noise, x, mean, sd):
    """log p by the covariance of x; the bound by moments of the guess; the divergence by torch, from the gain."""
    evidence = multivariate_normal(cov=loading @ loading.T + noise**2 * np.eye(4)).logpdf(x)
    square = np.sum((x - loading @ mean) ** 2) + np.sum((loading * sd) ** 2)
    reconstruction = -2 * np.log(2 * np.pi * noise**2) - square / (2 * noise**2)
    bound = reconstruction - 0.5 * np.sum(mean**2 + sd**2 + np.log(2 * np.pi)) + norm.entropy(scale=sd).sum()
    gain = loading.T @ np.linalg.inv(loading @ loading.T + noise**2 * np.eye(4))
    guess = MultivariateNormal(torch.tensor(mean), torch.diag(torch.tensor(sd**2)))
    posterior = MultivariateNormal(torch.tensor(gain @ x), torch.tensor(np.eye(2) - gain @ loading))
    assert evidence - bound == approx(kl_divergence(guess, posterior).item(), abs=1e-7)


@verifies("vae.gap")
def test_of_a_model_that_is_no_gaussian_the_bound_hides_the_divergence_from_the_posterior_that_was_counted():
    """A code of three values and a pixel of two: the posterior is counted in a million draws of the model."""
    random, n = np.random.default_rng(0), 1_000_000
    prior, white = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.6, 0.9])
    z = random.choice(3, n, p=prior)
    is_white = random.random(n) < white[z]
    counted = np.bincount(z[is_white], minlength=3) / is_white.sum()
    guess = np.array([0.2, 0.5, 0.3])
    bound = guess @ (np.log(white) + np.log(prior) - np.log(guess))
    assert np.log(is_white.mean()) - bound == approx(entropy(guess, counted), abs=0.01)


@verifies("vae.kl")
@given(st.floats(-3, 3), st.floats(0.05, 2))
def test_the_price_of_one_number_is_the_integral_of_q_log_q_over_p(mean, sd):
    by_quadrature = WEIGHTS @ (norm.logpdf(mean + sd * NODES, mean, sd) - norm.logpdf(mean + sd * NODES))
    closed = vae.gaussian_kl(torch.tensor(mean, dtype=torch.float64), torch.tensor(2 * np.log(sd), dtype=torch.float64))
    assert closed.item() == approx(by_quadrature, abs=1e-8)


@verifies("vae.kl")
@given(arrays(np.float64, 4, elements=st.floats(-2, 2)), arrays(np.float64, 4, elements=st.floats(0.1, 2)))
def test_the_price_of_a_code_is_the_sum_over_its_numbers(mean, sd):
    mean, sd = torch.tensor(mean), torch.tensor(sd)
    prior = MultivariateNormal(torch.zeros(4).double(), torch.eye(4).double())
    reference = kl_divergence(MultivariateNormal(mean, torch.diag(sd.square())), prior)
    assert vae.gaussian_kl(mean, 2 * sd.log()).sum().item() == approx(reference.item(), abs=1e-8)


# --- gradients of a draw ----------------------------------------------------------------------------------------------


def curve(z):
    return torch.sin(z) + 0.3 * z.square()


def exact_gradients(mean, sd):
    """Of E[sin z + 0.3 z^2] = sin(mean) exp(-sd^2 / 2) + 0.3 (mean^2 + sd^2), with respect to mean and sd."""
    damp = np.exp(-(sd**2) / 2)
    return np.cos(mean) * damp + 0.6 * mean, -sd * np.sin(mean) * damp + 0.6 * sd


@verifies("vae.reparameterization")
@given(st.floats(-2, 2), st.floats(0.3, 1.5))
@few
def test_the_gradient_through_the_draw_is_right_on_average(mean, sd):
    n = 100_000
    noise = torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    means, log_vars = (torch.full((n,), v, dtype=torch.float64, requires_grad=True) for v in (mean, 2 * np.log(sd)))
    value = curve(vae.reparameterize(means, log_vars, noise)).sum()
    by_mean, by_log_var = torch.autograd.grad(value, (means, log_vars))
    for estimates, exact in zip((by_mean, by_log_var * 2 / sd), exact_gradients(mean, sd), strict=True):
        assert estimates.mean().item() == approx(exact, abs=5 * estimates.std().item() / n**0.5)


@verifies("vae.score")
@given(st.floats(-2, 2), st.floats(0.3, 1.5))
@few
def test_the_gradient_by_the_score_is_right_on_average(mean, sd):
    n = 200_000
    z = mean + sd * np.random.default_rng(0).standard_normal(n)
    slope = (norm.logpdf(z, mean + 1e-5, sd) - norm.logpdf(z, mean - 1e-5, sd)) / 2e-5
    estimates = curve(torch.tensor(z)).numpy() * slope
    assert estimates.mean() == approx(exact_gradients(mean, sd)[0], abs=5 * estimates.std() / n**0.5)


# --- scores of grey pictures, and blur --------------------------------------------------------------------------------


@verifies("vae.grey")
@given(arrays(np.float32, (2, 1, 28, 28), elements=st.floats(0, 1, width=32)), st.floats(-2, 2))
@few
def test_no_answer_scores_below_the_entropy_of_the_grey_levels_and_the_picture_itself_reaches_it(grey, shift):
    floor = (entr(grey.astype(float)) + entr(1 - grey.astype(float))).sum((1, 2, 3))
    itself = torch.logit(torch.tensor(grey).double(), eps=1e-9)
    pictures = torch.tensor(grey).double() * 2 - 1
    assert -vae.bernoulli_log_likelihood(itself, pictures).numpy() == approx(floor, abs=1e-3)
    assert np.all(-vae.bernoulli_log_likelihood(itself + shift, pictures).numpy() >= floor - 1e-3)


def cross_entropy(logit, x, weights):
    """Weighted mean of -x log pi - (1 - x) log(1 - pi) at pi = sigmoid(logit)."""
    return weights @ (np.logaddexp(0, logit) - x * logit)


@verifies("vae.grey")
@given(st.floats(0.02, 0.98))
def test_only_the_grey_level_itself_reaches_the_floor(grey):
    best = minimize_scalar(cross_entropy, args=(np.array([grey]), np.ones(1))).x
    assert expit(best) == approx(grey, abs=1e-4)
    assert cross_entropy(best + 0.1, np.array([grey]), np.ones(1)) > entr(grey) + entr(1 - grey) + 1e-6


@verifies("vae.blur")
def test_the_best_answer_at_a_code_is_the_weighted_mean_of_the_pictures_that_share_it():
    """A search over the answer at each of some codes, against the formula."""
    random = np.random.default_rng(0)
    pictures, means, sds = random.uniform(0, 1, (6, 3)), random.normal(size=6), random.uniform(0.3, 1, 6)
    for z in (-1.0, 0.2, 1.3):
        q = norm.pdf(z, means, sds)
        formula = q @ pictures / q.sum()
        for pixel in range(3):
            x = pictures[:, pixel]
            best = minimize_scalar(cross_entropy, args=(x, q)).x
            assert expit(best) == approx(formula[pixel], abs=1e-5)


# --- rate and distortion ----------------------------------------------------------------------------------------------


def rate_and_distortion(parameters, sd=0.5, spread=1.5):
    """Of x ~ N(0, spread^2), code mean a x and variance v, decoder b z, noise sd: in closed form."""
    a, log_v, b = parameters
    rate = 0.5 * (a**2 * spread**2 + np.exp(log_v) - 1 - log_v)
    distortion = 0.5 * ((1 - a * b) ** 2 * spread**2 + b**2 * np.exp(log_v)) / sd**2
    return rate, distortion


@verifies("vae.beta")
@pytest.mark.parametrize("beta", [0.3, 1.0, 3.0])
def test_at_the_optimum_a_nat_of_rate_buys_beta_nats_of_distortion(beta):
    def best(weight):
        def objective(v):
            rate, distortion = rate_and_distortion(v)
            return distortion + weight * rate

        return np.array(rate_and_distortion(minimize(objective, [0.5, -1.0, 1.0], tol=1e-12).x))

    rate, distortion = best(beta * 1.01) - best(beta * 0.99)
    assert distortion / rate == approx(-beta, rel=1e-2)


@verifies("vae.beta")
def test_the_package_weighs_the_price_with_beta():
    torch.manual_seed(0)
    model, x, noise = vae.LinearVAE(3, 2), torch.randn(5, 3), torch.randn(5, 2)
    plain, weighted = (vae.elbo(model, x, beta=beta, noise=noise) for beta in (1.0, 4.0))
    expected = plain.objective.item() - 3 * plain.kl.sum(1).mean().item()
    assert weighted.objective.item() == approx(expected, abs=1e-5)


@verifies("vae.rate")
@given(arrays(np.float64, (4, 2), elements=st.floats(0.1, 1.5)))
@few
def test_the_rate_is_what_the_code_knows_plus_how_badly_all_codes_fill_the_prior(rows):
    means, sds = 2 * rows[:, 0] - 1.5, rows[:, 1]
    q = norm.pdf(GRID[:, None], means, sds)
    log_q = norm.logpdf(GRID[:, None], means, sds)
    log_cloud = logsumexp(log_q, axis=1) - np.log(4)
    knows = np.mean([on_grid(q[:, n] * (log_q[:, n] - log_cloud)) for n in range(4)])
    fills = on_grid(np.exp(log_cloud) * (log_cloud - norm.logpdf(GRID)))
    rate = vae.gaussian_kl(torch.tensor(means), torch.tensor(2 * np.log(sds))).mean().item()
    assert rate == approx(knows + fills, abs=1e-6)
    assert knows >= -1e-9 and fills >= -1e-9
