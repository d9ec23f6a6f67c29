"""Both sides of every named equation of the chapter on probability, computed by ways that share no code."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy import stats
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.spatial.distance import jensenshannon
from sklearn.decomposition import PCA

from genai_utils.metrics.likelihood import bits_per_dim, dequantize
from genai_utils.models.classical import HMM, GaussianMixture, GaussianPCA, PixelTables, standard_normal

verifies = pytest.mark.verifies
few = settings(max_examples=15)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def probabilities(size):
    return st.lists(st.floats(0.02, 1), min_size=size, max_size=size).map(lambda w: np.array(w) / sum(w))


def cloud(n=200, d=4, seed=0):
    mix = torch.tensor([[2.0, 0, 0, 0], [0.5, 1, 0, 0], [0, -0.7, 0.6, 0], [0.1, 0.2, 0.3, 0.2]], dtype=torch.float64)
    return torch.randn(n, d, generator=seeded(seed), dtype=torch.float64) @ mix[:d, :d].T


def two_kinds():
    return GaussianMixture(
        torch.tensor([0.3, 0.7]),
        torch.tensor([[0.0, 1.0, 0, 0], [1.0, -1.0, 0.5, 0]]),
        torch.stack([torch.eye(4), 0.5 * torch.eye(4) + 0.2]),
    )


def rows(*shape, seed=0):
    table = torch.rand(shape, generator=seeded(seed), dtype=torch.float64) + 0.1
    return table / table.sum(dim=-1, keepdim=True)


def small_chain(states=2, symbols=3, seed=0):
    return HMM(rows(states, seed=seed), rows(states, states, seed=seed + 1), rows(states, symbols, seed=seed + 2))


def path_probabilities(model, x):
    """p(x, path) of every hidden path, by multiplication: {path: probability}."""
    found = {}
    for path in itertools.product(range(len(model.start)), repeat=len(x)):
        p = model.start[path[0]] * model.emission[path[0], x[0]]
        for before, now, symbol in zip(path, path[1:], x[1:], strict=False):
            p = p * model.transition[before, now] * model.emission[now, symbol]
        found[path] = float(p)
    return found


# --- bits and divergences ---------------------------------------------------------------------------------------------


@verifies("prob.cross-entropy")
@given(probabilities(5), probabilities(5))
@few
def test_the_price_of_a_bet_is_the_entropy_plus_the_divergence(p, q):
    cross = -float(torch.tensor(p) @ torch.tensor(q).log2())
    entropy = float(torch.distributions.Categorical(torch.tensor(p)).entropy()) / math.log(2)
    kinds = (torch.distributions.Categorical(torch.tensor(values)) for values in (p, q))
    divergence = float(torch.distributions.kl_divergence(*kinds)) / math.log(2)
    assert cross == approx(entropy + divergence, abs=1e-9)
    assert divergence >= -1e-9


@verifies("prob.likelihood")
@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), probabilities(5))
@few
def test_likelihood_and_divergence_from_the_examples_add_up_to_minus_their_entropy(examples, q):
    mean = sum(math.log2(q[x]) for x in examples) / len(examples)
    seen = np.bincount(examples, minlength=5) / len(examples)
    assert mean == approx(-stats.entropy(seen, base=2) - stats.entropy(seen, q, base=2), abs=1e-9)


@verifies("prob.moments")
@pytest.mark.parametrize(("weight", "gap", "sd"), [(0.5, 4, 1.0), (0.2, 3, 0.5), (0.7, 1, 2.0)])
def test_the_bell_curve_nearest_in_forward_divergence_has_the_mean_and_the_variance_of_the_target(weight, gap, sd):
    x = np.linspace(-25, 25, 20_001)
    p = weight * stats.norm.pdf(x, 0, sd) + (1 - weight) * stats.norm.pdf(x, gap, 1)
    searched = minimize(lambda v: -np.trapezoid(p * stats.norm.logpdf(x, v[0], np.exp(v[1])), x), [0.5, 0.5], tol=1e-12)
    mean = (1 - weight) * gap
    second = weight * sd**2 + (1 - weight) * (1 + gap**2)
    assert searched.x[0] == approx(mean, abs=1e-4)
    assert np.exp(2 * searched.x[1]) == approx(second - mean**2, abs=1e-3)


@verifies("prob.jensen-shannon")
@given(probabilities(6), probabilities(6))
@few
def test_jensen_shannon_is_the_entropy_of_the_mean_minus_the_mean_entropy(p, q):
    h = [stats.entropy(values, base=2) for values in ((p + q) / 2, p, q)]
    assert h[0] - h[1] / 2 - h[2] / 2 == approx(jensenshannon(p, q, base=2) ** 2, abs=1e-9)
    assert h[0] - h[1] / 2 - h[2] / 2 <= 1


@verifies("prob.bits")
def test_a_density_flat_on_each_interval_has_the_bits_of_the_probabilities_of_bytes():
    pixels = torch.randint(0, 50, (20, 784), generator=seeded(), dtype=torch.uint8)
    tables = PixelTables.fit(pixels)
    x = dequantize(pixels, seeded())
    heights = 256 * tables.probabilities  # probability over the length 1/256 of the interval
    density = heights[torch.arange(784), (256 * x).long()].log().sum(dim=1)
    as_probabilities = -tables.log_prob(pixels).mean().item() / 784 / math.log(2)
    assert bits_per_dim(density).value == approx(as_probabilities, abs=1e-9)
    assert bits_per_dim(torch.zeros(5)).value == 8


# --- one Gaussian -----------------------------------------------------------------------------------------------------


@verifies("gauss.log-density")
def test_along_its_axes_a_gaussian_is_a_product_of_bell_curves():
    x = cloud()
    gaussian = GaussianPCA.fit(x)
    whole = torch.distributions.MultivariateNormal(x.mean(0), torch.cov(x.T, correction=0)).log_prob(x)
    torch.testing.assert_close(gaussian.log_prob(x), whole)


@verifies("gauss.log-density")
def test_the_density_integrates_to_one():
    gaussian = GaussianPCA.fit(cloud(d=1))
    area, _ = quad(lambda t: float(gaussian.log_prob(torch.tensor([[t]])).exp()), -30, 30)
    assert area == approx(1, abs=1e-6)


@verifies("gauss.ppca")
@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_likeliest_noise_is_the_mean_of_the_dropped_variances(k):
    x = cloud()
    full, kept = GaussianPCA.fit(x), GaussianPCA.fit(x, rank=k)

    def surprise(log_noise):
        noise = torch.full((4 - k,), math.exp(float(log_noise[0])), dtype=torch.float64)
        return -float(GaussianPCA(full.mean, torch.cat([full.variances[:k], noise]), full.axes).log_prob(x).mean())

    best = math.exp(minimize(surprise, [0.0], tol=1e-10).x[0])
    assert float(kept.variances[-1]) == approx(best, rel=1e-3)
    scaled = x.mean(0) + (x - x.mean(0)) * math.sqrt((len(x) - 1) / len(x))  # scikit-learn divides by n - 1
    assert float(kept.variances[-1]) == approx(PCA(k).fit(scaled.numpy()).noise_variance_, rel=1e-9)


# --- mixtures ---------------------------------------------------------------------------------------------------------


@verifies("gmm.responsibility")
def test_responsibilities_are_bayes_rule_on_scipys_densities():
    model, x = two_kinds(), cloud()
    parts = np.stack(
        [
            w * stats.multivariate_normal.pdf(x, m, c)
            for w, m, c in zip(model.weights.numpy(), model.means.numpy(), model.covariances.numpy(), strict=True)
        ],
        axis=1,
    )
    np.testing.assert_allclose(model.responsibilities(x), parts / parts.sum(axis=1, keepdims=True), atol=1e-9)


@verifies("gmm.m-step")
def test_the_new_parameters_are_a_stationary_point_of_the_expected_log_likelihood():
    model, x = two_kinds(), cloud()
    r, new = model.responsibilities(x), model.step(x)
    logits = new.weights.log().requires_grad_()
    means, covariances = new.means.clone().requires_grad_(), new.covariances.clone().requires_grad_()
    normals = torch.distributions.MultivariateNormal(means, covariances)
    expected = (r * (logits.log_softmax(0) + normals.log_prob(x.unsqueeze(1)))).sum() / len(x)
    for slope in torch.autograd.grad(expected, (logits, means, covariances)):
        assert slope.abs().max() < 1e-9


@verifies("gmm.m-step")
@given(st.integers(0, 1_000))
@few
def test_no_turn_of_em_lowers_the_likelihood(seed):
    x = torch.cat([cloud(60, seed=seed), cloud(60, seed=seed + 1) + 2])
    model = GaussianMixture.start(x, 2, seeded(seed))
    climb = []
    for _ in range(15):
        climb.append(float(model.log_prob(x).mean()))
        model = model.step(x)
    assert np.diff(climb).min() > -1e-10
    assert climb[-1] > climb[0]


@verifies("gmm.swap")
def test_a_gaussian_with_its_leading_coordinates_replaced_is_still_a_density():
    """By importance sampling from the Gaussian, the mean of the ratio of densities is the integral: 1."""
    gaussian = GaussianPCA.fit(cloud())
    kinds = GaussianMixture(torch.tensor([0.4, 0.6]), torch.tensor([[0.3], [-0.4]]), torch.tensor([[[0.5]], [[0.8]]]))
    x = gaussian.sample(200_000, generator=seeded(1))
    z = gaussian.whiten(x)[:, :1]
    swapped = gaussian.log_prob(x) - standard_normal(z) + kinds.log_prob(z)
    ratio = (swapped - gaussian.log_prob(x)).exp()
    assert float(ratio.mean()) == approx(1, abs=5 * float(ratio.std()) / 200_000**0.5)


@verifies("gmm.swap")
def test_with_one_component_the_swapped_density_is_the_gaussian_that_one_computes_by_hand():
    gaussian = GaussianPCA.fit(cloud())
    shift, variance = 0.7, 0.4
    one = GaussianMixture(torch.ones(1), torch.tensor([[shift]]), torch.tensor([[[variance]]]))
    x = cloud(seed=5)
    z = gaussian.whiten(x)[:, :1]
    swapped = gaussian.log_prob(x) - standard_normal(z) + one.log_prob(z)
    axis, size = gaussian.axes[:, 0].numpy(), float(gaussian.variances[0])
    mean = gaussian.mean.numpy() + shift * math.sqrt(size) * axis
    covariance = np.cov(cloud().numpy().T, bias=True) + (variance - 1) * size * np.outer(axis, axis)
    np.testing.assert_allclose(swapped, stats.multivariate_normal.logpdf(x.numpy(), mean, covariance), atol=1e-5)


@verifies("gmm.collapse")
@given(st.floats(-12, -1), st.floats(0.05, 0.95))
@few
def test_a_component_on_an_example_makes_the_likelihood_as_high_as_one_likes(log_sd, w):
    x, sd = np.random.default_rng(0).standard_normal(30), 10.0**log_sd
    spike = GaussianMixture(
        torch.tensor([w, 1 - w]), torch.tensor([[x[0]], [0.0]]), torch.tensor([[[sd**2]], [[1.0]]], dtype=torch.float64)
    )
    total = float(spike.log_prob(torch.tensor(x).unsqueeze(1)).sum())
    rest = np.log((1 - w) * stats.norm.pdf(x[1:])).sum()
    assert total >= math.log(w / (sd * math.sqrt(2 * math.pi))) + rest - 1e-4


# --- hidden Markov model and conditional random field -----------------------------------------------------------------


@verifies("hmm.forward")
@given(st.integers(2, 3), st.integers(1, 6), st.integers(0, 99))
@few
def test_the_forward_algorithm_adds_up_all_hidden_paths(states, length, seed):
    model = small_chain(states, seed=seed)
    x = torch.randint(3, (1, length), generator=seeded(seed))
    expected = math.log(sum(path_probabilities(model, x[0].tolist()).values()))
    assert model.log_prob(x).item() == approx(expected, abs=1e-9)


@verifies("hmm.forward")
def test_the_probabilities_of_all_sequences_of_one_length_sum_to_one():
    every = torch.tensor(list(itertools.product(range(3), repeat=5)))
    assert float(small_chain().log_prob(every).exp().sum()) == approx(1, abs=1e-12)


@verifies("hmm.counts")
def test_parameter_times_slope_is_the_expected_number_of_moves():
    model, x = small_chain(), [0, 2, 1, 1, 0, 2]
    A = model.transition.clone().requires_grad_()
    alpha = model.start * model.emission[:, x[0]]
    for symbol in x[1:]:
        alpha = (alpha @ A) * model.emission[:, symbol]
    (slope,) = torch.autograd.grad(alpha.sum().log(), A)
    paths = path_probabilities(model, x)
    counted = np.zeros((2, 2))
    for path, p in paths.items():
        for before, now in itertools.pairwise(path):
            counted[before, now] += p / sum(paths.values())
    np.testing.assert_allclose((model.transition * slope).numpy(), counted, atol=1e-9)
    stepped = model.step(torch.tensor([x])).transition
    np.testing.assert_allclose(stepped, counted / counted.sum(axis=1, keepdims=True), atol=1e-9)


@verifies("crf.conditional")
@given(st.integers(0, 99))
@few
def test_the_labels_of_a_hidden_markov_model_given_its_symbols_are_a_conditional_random_field(seed):
    """And the scores may change with the symbols alone: p(y | x) does not move, whatever p(x) would become."""
    model = small_chain(seed=seed)
    x = torch.randint(3, (5,), generator=seeded(seed)).tolist()
    theta, extra = model.transition.log(), torch.randn(3, generator=seeded(seed)).double()
    phi = model.emission.log() + extra
    labellings = list(itertools.product(range(2), repeat=5))
    scores = [
        float(model.start.log()[y[0]] + sum(theta[a, b] for a, b in itertools.pairwise(y)))
        + float(sum(phi[label, symbol] for label, symbol in zip(y, x, strict=True)))
        for y in labellings
    ]
    joint = np.array([path_probabilities(model, x)[y] for y in labellings])
    np.testing.assert_allclose(np.exp(scores) / np.exp(scores).sum(), joint / joint.sum(), atol=1e-9)
