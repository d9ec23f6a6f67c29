"""The equations of the chapter on VQ-VAE: both sides computed, without shared code."""

import heapq
import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.spatial import KDTree
from scipy.stats import entropy, norm
from sklearn.cluster import KMeans
from sklearn.metrics import mean_squared_error

from genai_utils.metrics.distances import psnr
from genai_utils.models import vqvae

verifies = pytest.mark.verifies
SEEDS = st.integers(0, 10_000)
few = settings(max_examples=15)


def as_map(points: torch.Tensor) -> torch.Tensor:
    """Points (n, d) as a map (1, d, n, 1)."""
    return points.T[None, :, :, None]


@verifies("vq.quantize")
@few
@given(SEEDS)
def test_no_code_is_nearer_than_the_chosen_one(seed):
    """Every vector, by a search tree in float64: float32 may settle a tie either way, but never lose distance."""
    rng = np.random.default_rng(seed)
    book, points = rng.standard_normal((30, 3)), rng.standard_normal((200, 3))
    nearest = KDTree(book).query(points)[0]
    found = vqvae.nearest_codes(torch.tensor(points), torch.tensor(book)).numpy()
    assert np.linalg.norm(points - book[found], axis=1) == pytest.approx(nearest, abs=1e-5)


@verifies("vq.straight-through")
@few
@given(SEEDS)
def test_the_gradient_by_z_is_the_gradient_by_the_code_as_if_z_were_the_code(seed):
    """A loss f(z_hat): its gradient by z is f'(q), where f' comes from finite differences at q."""
    rng = torch.Generator().manual_seed(seed)
    z = torch.randn(6, generator=rng, dtype=torch.float64, requires_grad=True)
    q = torch.randn(6, generator=rng, dtype=torch.float64)

    def f(v):
        return (v.sin() * v.roll(1).exp()).sum()

    z_hat = vqvae.straight_through(z, q)
    assert torch.allclose(z_hat, q)
    f(z_hat).backward()
    nudges = 1e-6 * torch.eye(6, dtype=torch.float64)
    slopes = torch.stack([(f(q + nudge) - f(q - nudge)) / 2e-6 for nudge in nudges])
    assert torch.allclose(z.grad, slopes, atol=1e-6)


def expected_loss(theta: float, entries: np.ndarray, target: float) -> float:
    """E (q(theta + noise) - t)^2 by quadrature over each cell, with no use of the normal distribution function."""
    borders = [theta - 12, *((entries[1:] + entries[:-1]) / 2), theta + 12]
    parts = [
        quad(lambda x, e=e: norm.pdf(x - theta) * (e - target) ** 2, a, b)[0]
        for e, a, b in zip(entries, borders, borders[1:], strict=False)
    ]
    return sum(parts)


@verifies("vq.exact-gradient")
@settings(max_examples=8)
@given(st.floats(-2, 2), st.floats(-1, 1), SEEDS)
def test_the_exact_gradient_is_the_slope_of_the_expected_loss(theta, target, seed):
    """sum P_k' (e_k - t)^2, with P_k' a difference of normal densities, against differences of a quadrature."""
    entries = np.sort(np.random.default_rng(seed).uniform(-3, 3, 4))
    borders = np.r_[-np.inf, (entries[1:] + entries[:-1]) / 2, np.inf]
    exact = -np.diff(norm.pdf(borders - theta)) @ (entries - target) ** 2
    h = 1e-4
    slope = (expected_loss(theta + h, entries, target) - expected_loss(theta - h, entries, target)) / (2 * h)
    assert exact == pytest.approx(slope, abs=1e-4)


@verifies("vq.exact-gradient")
@settings(max_examples=5)
@given(st.floats(-2, 2), st.floats(-1, 1), SEEDS)
def test_the_mean_straight_through_gradient_is_twice_the_mean_error_of_the_code(theta, target, seed):
    """2 (sum P_k e_k - t), against autograd through the package on 200,000 draws; five standard errors."""
    entries = np.sort(np.random.default_rng(seed).uniform(-3, 3, 4))
    borders = np.r_[-np.inf, (entries[1:] + entries[:-1]) / 2, np.inf]
    expected = 2 * (np.diff(norm.cdf(borders - theta)) @ entries - target)
    n, book = 200_000, torch.tensor(entries).float()[:, None]
    parameter = torch.tensor(theta, requires_grad=True)
    z = parameter + torch.randn(n, generator=torch.Generator().manual_seed(seed))
    q = book[vqvae.nearest_codes(z[:, None], book), 0]
    (vqvae.straight_through(z, q) - target).square().mean().backward()
    assert parameter.grad.item() == pytest.approx(expected, abs=5 * 2 * q.std().item() / n**0.5 + 1e-4)


@verifies("vq.loss")
@few
@given(SEEDS, st.floats(0.05, 2))
def test_the_terms_are_mean_squared_errors_and_each_moves_only_its_part(seed, beta):
    """Values by scikit-learn; gradients by the formula 2 (a - b) / n for the part that may move, none for the other."""
    rng = torch.Generator().manual_seed(seed)
    z, q = (torch.randn(4, 3, 2, 2, generator=rng, requires_grad=True) for _ in range(2))
    images, x = torch.randn(4, 1, 8, 8, generator=rng), torch.randn(4, 1, 8, 8, generator=rng)
    distance = mean_squared_error(z.detach().flatten(), q.detach().flatten())
    pixels = mean_squared_error(x.flatten(), images.flatten())
    codebook, commitment = vqvae.codebook_loss(z, q), vqvae.commitment_loss(z, q)
    total = vqvae.loss(x, vqvae.Pass(images, z, q, torch.zeros(4, 2, 2)), beta)
    assert codebook.item() == pytest.approx(distance, rel=1e-5) == commitment.item()
    assert total.item() == pytest.approx(pixels + beta * distance, rel=1e-5)
    slope = 2 * (q - z).detach() / z.numel()
    by_z, by_q = torch.autograd.grad(codebook, (z, q), allow_unused=True)
    assert by_z is None and torch.allclose(by_q, slope)
    by_z, by_q = torch.autograd.grad(commitment, (z, q), allow_unused=True)
    assert by_q is None and torch.allclose(by_z, -slope)
    by_z, by_q = torch.autograd.grad(total, (z, q), allow_unused=True)
    assert by_q is None and torch.allclose(by_z, -beta * slope)  # the codebook moves by averages, not by this loss


@verifies("vq.ema")
def test_without_memory_one_update_is_one_round_of_k_means():
    rng = np.random.default_rng(0)
    points, start = rng.standard_normal((300, 2)).astype(np.float32), rng.standard_normal((6, 2)).astype(np.float32)
    one_round = KMeans(6, init=start, n_init=1, max_iter=1, algorithm="lloyd").fit(points)
    book = vqvae.Codebook(6, 2, decay=0.0)
    book.vectors.copy_(torch.from_numpy(start))
    z = as_map(torch.from_numpy(points))
    book.update(z, book(z).codes)
    assert np.allclose(book.vectors, one_round.cluster_centers_, atol=1e-5)


@verifies("vq.ema")
@few
@given(SEEDS, st.floats(0.5, 0.95))
def test_an_entry_is_the_mean_of_all_it_ever_stood_for_with_weights_that_fade(seed, decay):
    """Unrolled: a vector that chose the entry t updates ago weighs (1 - decay) decay^t, the first entry decay^T."""
    rng = torch.Generator().manual_seed(seed)
    book = vqvae.Codebook(4, 3, decay=decay)
    first, past = book.vectors.clone().double(), []
    for _ in range(12):
        z, codes = torch.randn(20, 3, generator=rng), torch.randint(4, (20,), generator=rng)
        book.update(as_map(z), codes[None, :, None])
        past.append((z.double(), codes))
    for j in range(4):
        weights, values = [decay ** len(past)], [first[j]]
        for age, (z, codes) in enumerate(reversed(past)):
            chosen = z[codes == j]
            weights += [(1 - decay) * decay**age] * len(chosen)
            values += list(chosen)
        expected = np.average(torch.stack(values).numpy(), axis=0, weights=weights)
        assert np.allclose(book.vectors[j], expected, atol=1e-4)


@verifies("vq.perplexity")
@few
@given(st.lists(st.integers(0, 9), min_size=1, max_size=60))
def test_perplexity_is_two_to_scipys_entropy(codes):
    counts = np.bincount(codes, minlength=10)
    found = vqvae.code_perplexity(torch.tensor(codes), 10)
    assert found == pytest.approx(2 ** entropy(counts, base=2))
    assert 1 - 1e-9 <= found <= vqvae.used(torch.tensor(codes), 10) + 1e-9


def huffman_bits(counts: np.ndarray) -> float:
    """Mean length of a Huffman code for these counts: the sum of all merged weights."""
    heap = [float(count) for count in counts if count]
    total, length = sum(heap), 0.0
    heapq.heapify(heap)
    while len(heap) > 1:
        merged = heapq.heappop(heap) + heapq.heappop(heap)
        length += merged
        heapq.heappush(heap, merged)
    return length / total


@verifies("vq.rate")
@few
@given(SEEDS)
def test_a_real_code_needs_the_entropy_and_less_than_a_bit_more(seed):
    """Huffman codes, place by place and for whole maps, are what the entropies of (vq.rate) promise."""
    rng = np.random.default_rng(seed)
    first = rng.choice(4, 400, p=rng.dirichlet(np.ones(4)))
    second = np.where(rng.random(400) < 0.7, first, rng.choice(4, 400))  # knows the first place
    places = [vqvae.entropy_bits(torch.tensor(place), 4) for place in (first, second)]
    whole = vqvae.entropy_bits(torch.tensor(4 * first + second), 16)
    assert 2 * math.log2(4) >= sum(places) - 1e-9 >= whole - 2e-9
    for bits, column, size in [(places[0], first, 4), (places[1], second, 4), (whole, 4 * first + second, 16)]:
        assert bits - 1e-9 <= huffman_bits(np.bincount(column, minlength=size)) < bits + 1


@verifies("vq.psnr")
@few
@given(st.floats(1e-3, 0.5))
def test_noise_of_a_known_size_gives_the_decibels_of_its_variance(sd):
    """20 log10(2 / sd), up to the sampling error of the variance of a million draws."""
    noise = sd * torch.randn(1_000_000, generator=torch.Generator().manual_seed(0))
    assert psnr(noise, torch.zeros_like(noise)) == pytest.approx(20 * math.log10(2 / sd), abs=0.03)


def randomised(prior: vqvae.CodePrior, seed: int) -> vqvae.CodePrior:
    """The prior with weights so large that its probabilities are far from equal."""
    torch.manual_seed(seed)
    for parameter in prior.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return prior


@verifies("vq.prior")
@settings(max_examples=5)
@given(SEEDS)
def test_the_probabilities_of_all_maps_add_up_to_one(seed):
    prior = randomised(vqvae.CodePrior(codes=3, shape=(2, 3), width=8, blocks=2, labels=2), seed)
    maps = torch.tensor(list(itertools.product(range(3), repeat=6))).view(-1, 2, 3)
    for labels in (None, torch.zeros(len(maps), dtype=torch.long), torch.ones(len(maps), dtype=torch.long)):
        probabilities = prior.log_prob(maps, labels).double().exp()
        assert probabilities.sum().item() == pytest.approx(1, abs=1e-4)
        assert probabilities.max() > 3 * probabilities.mean()


@verifies("vq.prior")
@pytest.mark.parametrize("label", [None, 0, 1])
def test_maps_are_drawn_as_often_as_the_product_of_probabilities_says(label):
    """20,000 draws from the sampler, which never calls log_prob, against it: chi-squared within five deviations."""
    prior = randomised(vqvae.CodePrior(codes=2, shape=(2, 2), width=8, blocks=1, labels=2), 3)
    told = None if label is None else torch.full((20_000,), label)
    drawn = prior.sample(20_000, labels=told, generator=torch.Generator().manual_seed(0))
    maps = torch.tensor(list(itertools.product(range(2), repeat=4))).view(-1, 2, 2)
    number = (drawn.flatten(1) * torch.tensor([8, 4, 2, 1])).sum(1)
    counts = torch.bincount(number, minlength=16).double()

    def chi_squared(of):
        expected = 20_000 * prior.log_prob(maps, None if of is None else torch.full((16,), of)).double().exp()
        return ((counts - expected) ** 2 / expected).sum().item()

    assert abs(chi_squared(label) - 15) < 5 * math.sqrt(30)
    assert label is None or chi_squared(1 - label) > 1_000  # the other caption would draw other maps


@verifies("cost.tokens")
def test_the_bill_is_what_a_meter_counts_while_patches_are_written():
    """Write 1,000 pictures patch by patch, with a clock that ticks for each; then pay for the time."""
    height, width, patch, seconds, price = 28, 56, 4, 0.002, 0.0008
    clock = 0.0
    for _ in range(1_000):
        page = F.unfold(torch.zeros(1, 1, height, width), patch, stride=patch)  # one column a patch
        clock += page.shape[-1] * seconds
    assert clock * price == pytest.approx(1_000 * height * width / patch**2 * seconds * price)
