"""Both sides of every named equation of the chapter on probability, computed by ways that share no code."""

import itertools
import math
import re
from pathlib import Path

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
from genai_utils.models.classical import HMM, ByteGaussian, GaussianMixture, GaussianPCA, standard_normal

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


def byte_curve(seed):
    """A bell curve over three pixels, of which some lie beyond black or white; its mean and covariance in numpy."""
    rng = np.random.default_rng(seed)
    mix = 0.15 * rng.standard_normal((3, 3))
    mean, covariance = rng.uniform(-0.1, 1.1, 3), mix @ mix.T + 0.002 * np.eye(3)
    return ByteGaussian(torch.tensor(mean), torch.tensor(covariance)), mean, covariance


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
def test_the_bell_curve_nearest_in_forward_divergence_has_the_mean_and_the_root_of_the_variance(weight, gap, sd):
    """The left side as printed: a search over m and s themselves, no change of variables. The right side by hand."""
    x = np.linspace(-25, 25, 20_001)
    p = weight * stats.norm.pdf(x, 0, sd) + (1 - weight) * stats.norm.pdf(x, gap, 1)
    searched = minimize(
        lambda v: -np.trapezoid(p * stats.norm.logpdf(x, v[0], v[1]), x),
        [0.5, 1.5],
        bounds=[(-9, 9), (0.1, 9)],
        options={"ftol": 1e-15, "gtol": 1e-9},
    )
    mean = (1 - weight) * gap
    second = weight * sd**2 + (1 - weight) * (1 + gap**2)
    assert searched.x == approx([mean, math.sqrt(second - mean**2)], abs=1e-3)


@verifies("prob.moments")
def test_the_chapter_prints_the_root_of_the_variance_where_it_minimises_over_the_standard_deviation():
    text = (Path(__file__).parents[2] / "book/chapters/probability.md").read_text(encoding="utf8")
    printed = re.search(r"\$\$([^$]*)\\tag\{prob\.moments\}", text)[1]
    assert r"\arg\min_{m,\,s}" in printed
    assert r"\sqrt{\mathrm{Var}_p[x]}" in printed


@verifies("prob.jensen-shannon")
@given(probabilities(6), probabilities(6))
@few
def test_jensen_shannon_is_the_entropy_of_the_mean_minus_the_mean_entropy(p, q):
    h = [stats.entropy(values, base=2) for values in ((p + q) / 2, p, q)]
    assert h[0] - h[1] / 2 - h[2] / 2 == approx(jensenshannon(p, q, base=2) ** 2, abs=1e-9)
    assert h[0] - h[1] / 2 - h[2] / 2 <= 1


@verifies("prob.bits")
def test_the_bits_of_a_density_flat_on_each_byte_are_the_mean_entropy_of_the_pixels():
    """Left: torch's mixture of uniform densities, dequantized pixels. Right: entropies of counts, by scipy."""
    pixels = torch.randint(0, 50, (400, 784), generator=seeded(), dtype=torch.uint8)
    counts = np.stack([np.bincount(column, minlength=256) for column in pixels.T.numpy()])
    x, density = dequantize(pixels, seeded()).double(), torch.zeros(400, dtype=torch.float64)
    edges = torch.arange(257, dtype=torch.float64) / 256
    flat = torch.distributions.Uniform(edges[:-1], edges[1:], validate_args=False)
    for column, seen in zip(x.T, torch.tensor(counts), strict=True):
        kinds = torch.distributions.Categorical(probs=seen.double())
        mixture = torch.distributions.MixtureSameFamily(kinds, flat, validate_args=False)
        density += mixture.log_prob(column)
    assert bits_per_dim(density).value == approx(stats.entropy(counts, base=2, axis=1).mean(), abs=1e-9)
    assert bits_per_dim(torch.zeros(5)).value == 8


@verifies("prob.dequantize")
@given(st.floats(-0.5, 1.5), st.floats(-6, 0), st.integers(0, 255))
@few
def test_a_dequantized_density_is_never_charged_less_than_the_probability_of_its_byte(mean, log_sd, byte):
    sd = math.exp(log_sd)
    low, high = byte / 256, (byte + 1) / 256
    left, _ = quad(lambda u: float(stats.norm.logpdf((byte + u) / 256, mean, sd)), 0, 1)
    tail = stats.norm.cdf if mean > low else stats.norm.sf
    mass = abs(tail(high, mean, sd) - tail(low, mean, sd))
    assert mass < 1e-290 or left <= math.log(256 * mass) + 1e-8


@verifies("prob.dequantize")
@pytest.mark.parametrize(("mean", "byte"), [(-0.3, 0), (0.5, 100), (1.2, 255)])
def test_a_curve_far_wider_than_a_byte_gives_next_to_nothing_away(mean, byte):
    left, _ = quad(lambda u: float(stats.norm.logpdf((byte + u) / 256, mean)), 0, 1)
    mass = stats.norm.cdf((byte + 1) / 256, mean) - stats.norm.cdf(byte / 256, mean)
    assert left == approx(math.log(256 * mass), abs=1e-5)


@verifies("prob.tails")
@given(st.integers(0, 99))
@few
def test_the_256_probabilities_of_a_pixel_sum_to_one_and_are_those_of_scipy_given_the_pixels_before(seed):
    """The conditional by the block formula for Gaussians, not by Cholesky."""
    curve, mean, covariance = byte_curve(seed)
    before = torch.randint(256, (2,), generator=seeded(seed)).double()
    known = (before.numpy() + 0.5) / 256
    gain = covariance[2, :2] @ np.linalg.inv(covariance[:2, :2])
    m = mean[2] + gain @ (known - mean[:2])
    s = math.sqrt(covariance[2, 2] - gain @ covariance[:2, 2])
    edges = np.concatenate([[-np.inf], np.arange(1, 256) / 256, [np.inf]])
    expected = np.diff(stats.norm.cdf(edges, m, s))
    every = torch.cat([before.expand(256, 2), torch.arange(256.0)[:, None]], dim=1).to(torch.uint8)
    first_two = ByteGaussian(torch.tensor(mean[:2]), torch.tensor(covariance[:2, :2])).log_prob(every[:, :2])
    given_two = (curve.log_prob(every) - first_two).exp()
    assert float(given_two.sum()) == approx(1, abs=1e-9)
    np.testing.assert_allclose(given_two, expected, atol=1e-9)


def mass_of_box(mean, covariance, low, high):
    """The mass of a bell curve over a box in 3 dimensions: Gauss-Legendre over two, scipy's normal for the third."""
    nodes, weights = np.polynomial.legendre.leggauss(80)
    sd = np.sqrt(np.diag(covariance))
    low, high = np.maximum(low, mean - 9 * sd), np.minimum(high, mean + 9 * sd)
    first, second = ((high[i] - low[i]) * (nodes + 1) / 2 + low[i] for i in (0, 1))
    points = np.stack(np.meshgrid(first, second, indexing="ij"), axis=-1)
    gain = covariance[2, :2] @ np.linalg.inv(covariance[:2, :2])
    m, s = mean[2] + (points - mean[:2]) @ gain, math.sqrt(covariance[2, 2] - gain @ covariance[:2, 2])
    inner = stats.multivariate_normal(mean[:2], covariance[:2, :2]).pdf(points)
    inner = inner * (stats.norm.cdf(high[2], m, s) - stats.norm.cdf(low[2], m, s))
    return weights @ inner @ weights * (high[0] - low[0]) * (high[1] - low[1]) / 4


@verifies("prob.whole")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_walks_average_to_the_mass_of_the_box_and_their_logarithms_stay_below_it(seed):
    curve, mean, covariance = byte_curve(seed)
    picture = curve.sample_whole(1, generator=seeded(seed))
    levels = picture[0].numpy().astype(float)
    low = np.where(levels == 0, -np.inf, levels / 256)
    high = np.where(levels == 255, np.inf, (levels + 1) / 256)
    walks = curve.log_prob_whole(picture.expand(40_000, 3), generator=seeded(seed))
    mass = mass_of_box(mean, covariance, low, high)
    error = float(walks.exp().std()) / len(walks) ** 0.5
    assert float(walks.exp().mean()) == approx(mass, abs=5 * error + 1e-9 * mass)
    assert float(walks.mean()) <= math.log(mass) + 5 * float(walks.std()) / len(walks) ** 0.5 + 1e-6


@verifies("prob.spoiled")
@given(st.floats(0.001, 0.999), st.integers(0, 99))
@few
def test_a_model_that_mostly_draws_noise_needs_hardly_more_bits(epsilon, seed):
    """Over all pictures of 784 pixels with two levels that one can draw: here 200 of them, of a Bernoulli model."""
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.05, 0.95, 784)
    x = rng.random((200, 784)) < p
    log_p = stats.bernoulli.logpmf(x, p).sum(axis=1) / math.log(2)
    spoiled = np.logaddexp2(math.log2(epsilon) + log_p, math.log2(1 - epsilon) - 784)
    assert (-spoiled / 784 <= -log_p / 784 + math.log2(1 / epsilon) / 784 + 1e-12).all()


@verifies("prob.spoiled")
@given(st.floats(0.001, 0.999), st.integers(1, 400))
@few
def test_the_bound_of_the_spoiled_model_is_reached_where_the_noise_is_far_below_the_model(epsilon, certain):
    """A picture that the model all but expects, beside the noise: probabilities themselves, not their logarithms."""
    noise, model = 2.0**-784, 2.0**-certain
    spoiled = -math.log2(epsilon * model + (1 - epsilon) * noise) / 784
    assert spoiled == approx(certain / 784 + math.log2(1 / epsilon) / 784, abs=1e-12)


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
def test_no_other_parameters_have_a_higher_expected_log_likelihood_than_the_new_ones(seed):
    model, x = two_kinds(), cloud()
    r, new = model.responsibilities(x), model.step(x)
    bend = torch.randn(2, 4, 4, generator=seeded(seed), dtype=torch.float64) * 0.2
    turned = (torch.eye(4) + bend) @ new.covariances @ (torch.eye(4) + bend).transpose(1, 2)
    weights = rows(2, seed=seed)
    other = GaussianMixture(weights, new.means + bend[:, 0], turned)
    best, found = (float((r * each.log_joint(x)).sum()) for each in (new, other))
    assert found < best


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
def test_a_gaussian_with_its_leading_coordinate_replaced_integrates_to_one_and_is_what_is_drawn():
    """On a grid over the plane: the integral is one, and mean and covariance are those of draws made of both parts."""
    gaussian = GaussianPCA.fit(cloud(d=2))
    kinds = GaussianMixture(torch.tensor([0.4, 0.6]), torch.tensor([[0.9], [-0.7]]), torch.tensor([[[0.3]], [[0.5]]]))
    axis = torch.linspace(-12, 12, 601, dtype=torch.float64)
    x = torch.cartesian_prod(axis, axis)
    z = gaussian.whiten(x)[:, :1]
    density = (gaussian.log_prob(x) - standard_normal(z) + kinds.log_prob(z)).exp() * (axis[1] - axis[0]) ** 2
    assert float(density.sum()) == approx(1, abs=1e-6)
    mean = density @ x
    covariance = (x - mean).T @ ((x - mean) * density[:, None])
    rest = torch.randn(200_000, 1, generator=seeded(1), dtype=torch.float64)
    drawn = gaussian.unwhiten(torch.cat([kinds.sample(200_000, generator=seeded(2)), rest], dim=1))
    torch.testing.assert_close(drawn.mean(0), mean, atol=0.02, rtol=0)
    torch.testing.assert_close(torch.cov(drawn.T), covariance, atol=0.05, rtol=0)


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
