"""The equations of the chapter on transformers: both sides computed, without shared code."""

import math
from itertools import combinations, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import entropy
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.flop_counter import FlopCounterMode

from genai_utils.models import gpt, sampling

verifies = pytest.mark.verifies
WANTED = ["attend", "causal_attend", "rms_norm", "Norm", "Attention", "Block", "GPT", "law", "fit_law"]
SEEDS = st.integers(0, 10_000)
few = settings(max_examples=40)
SHAPES = st.sampled_from([(1, 1, 16), (2, 2, 16), (3, 4, 32)])  # layers, heads, width


def drawn(seed: int, *shape: int) -> torch.Tensor:
    """Standard normal numbers in double precision."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def awake(model: nn.Module, seed: int) -> nn.Module:
    """The model with random weights everywhere: fresh blocks do nothing, and would pass any test."""
    with torch.no_grad():
        for i, parameter in enumerate(model.parameters()):
            parameter.add_(drawn(seed + i, *parameter.shape).to(parameter.dtype) / 3)
    return model.eval()


@verifies("gpt.attention")
@few
@given(SEEDS)
def test_attention_is_the_average_of_the_values_with_the_shares_of_a_softmax(chapter, seed):
    q, k, v = drawn(seed, 3, 4), drawn(seed + 1, 5, 4), drawn(seed + 2, 5, 2)
    by_hand = [
        sum(math.exp(float(one @ key) / 2) * value for key, value in zip(k, v, strict=True))
        / sum(math.exp(float(one @ key) / 2) for key in k)
        for one in q
    ]
    assert torch.allclose(chapter["attend"](q, k, v), torch.stack(by_hand))
    assert torch.allclose(chapter["attend"](q, k, v), scaled_dot_product_attention(q, k, v))


@verifies("gpt.scale")
@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_the_variance_of_an_inner_product_is_its_length_over_all_sign_vectors(d):
    """Entries of -1 and 1 have mean 0 and variance 1; all pairs of vectors are enumerated, so nothing is estimated."""
    signs = np.array(list(product((-1, 1), repeat=d)))
    scores = (signs @ signs.T).ravel()
    assert scores.mean() == 0
    assert scores.var() == pytest.approx(d)
    assert (scores / d**0.5).var() == pytest.approx(1)


@verifies("gpt.scale")
def test_the_variance_of_an_inner_product_of_normal_vectors_is_its_length():
    scores = (drawn(0, 200_000, 7) * drawn(1, 200_000, 7)).sum(1)
    fourth = ((scores - scores.mean()) ** 4).mean()
    error = ((fourth - scores.var() ** 2) / len(scores)).sqrt()  # standard error of a variance
    assert abs(scores.var() - 7) < 4 * error < 0.3


@verifies("gpt.equivariance")
@few
@given(SEEDS)
def test_attention_without_a_mask_commutes_with_every_reordering(chapter, seed):
    x, weights = drawn(seed, 4, 6), drawn(seed + 1, 3, 6, 6)
    for order in ([3, 0, 2, 1], [1, 0, 2, 3]):
        permutation = torch.eye(4, dtype=torch.float64)[order]
        left = chapter["causal_attend"](permutation @ x, weights, masked=False)
        assert torch.allclose(left, permutation @ chapter["causal_attend"](x, weights, masked=False))


@verifies("gpt.equivariance")
def test_the_mask_gives_attention_a_sense_of_order(chapter):
    x, weights, order = drawn(0, 4, 6), drawn(1, 3, 6, 6) / 3, [3, 0, 2, 1]
    moved = chapter["causal_attend"](x[order], weights) - chapter["causal_attend"](x, weights)[order]
    assert moved.abs().max() > 0.1


@verifies("gpt.causal")
@few
@given(SEEDS)
def test_shares_of_the_package_are_the_softmax_over_the_past_alone(seed):
    q, k = drawn(seed, 1, 2, 5, 4), drawn(seed + 1, 1, 2, 5, 4)
    shares = gpt.attention_weights(q, k)[0]
    for head in range(2):
        for i in range(5):
            past = (k[0, head, : i + 1] @ q[0, head, i]).numpy() / 2
            assert np.allclose(shares[head, i, : i + 1], softmax(past))
            assert torch.all(shares[head, i, i + 1 :] == 0)


@verifies("gpt.causal")
@settings(max_examples=5)
@given(SEEDS, SHAPES)
def test_the_gradient_of_the_past_with_respect_to_the_future_is_zero(chapter, seed, shape):
    layers, heads, width = shape
    own = awake(chapter["GPT"](7, 8, layers, heads, width), seed)
    theirs = awake(gpt.GPT(gpt.Config(7, 8, layers, heads, width)), seed)
    for model in (own, theirs):
        embedded = []
        handle = model.tokens.register_forward_hook(lambda *given, held=embedded: held.append(given[-1]) or given[-1])
        logits = model(torch.randint(7, (1, 8), generator=torch.Generator().manual_seed(seed)))
        handle.remove()
        for place in (0, 3, 6):
            (slope,) = torch.autograd.grad(logits[0, place].square().sum(), embedded[0], retain_graph=True)
            assert torch.all(slope[0, place + 1 :] == 0)
            assert slope[0, place].abs().max() > 0


@verifies("gpt.causal")
def test_the_network_of_the_chapter_is_that_of_the_package(chapter):
    theirs = awake(gpt.GPT(gpt.Config(7, 8, 2, 2, 16)), 3)
    own = chapter["GPT"](7, 8, 2, 2, 16)
    own.load_state_dict(theirs.state_dict())
    tokens = torch.randint(7, (3, 8), generator=torch.Generator().manual_seed(0))
    assert torch.allclose(own(tokens), theirs(tokens), atol=1e-5)


@verifies("gpt.rotary")
@few
@given(SEEDS, st.integers(0, 40), st.integers(0, 40))
def test_the_score_of_turned_vectors_depends_on_their_distance_alone(seed, m, n):
    turn, q, k = gpt.rotations(81, 8).double(), drawn(seed, 8), drawn(seed + 1, 8)

    def at(vector, place):
        return gpt.rotate(vector[None], turn[place : place + 1])[0]

    assert at(q, m) @ at(k, n) == pytest.approx(float(at(q, m + 40) @ at(k, n + 40)), abs=1e-5)
    angles = np.array([1000 ** (-i / 4) for i in range(4)])
    as_complex = [vector.numpy()[:4] + 1j * vector.numpy()[4:] for vector in (q, k)]
    relative = np.real(np.sum(np.conj(as_complex[0]) * as_complex[1] * np.exp(1j * (n - m) * angles)))
    assert at(q, m) @ at(k, n) == pytest.approx(relative, abs=1e-4)


@verifies("gpt.rmsnorm")
@few
@given(SEEDS, st.floats(0.1, 100))
def test_the_norm_makes_the_root_mean_square_one_whatever_the_length(chapter, seed, factor):
    x, gain = drawn(seed, 3, 6).float(), drawn(seed + 1, 6).float()
    norm, reference = chapter["Norm"](6), nn.RMSNorm(6)
    norm.weight.data = reference.weight.data = gain
    lengths = [math.sqrt(sum(value**2 for value in row) / 6) for row in x.tolist()]
    expected = [[gain[i].item() * x[j, i].item() / lengths[j] for i in range(6)] for j in range(3)]
    assert torch.allclose(norm(x), torch.tensor(expected), rtol=1e-3, atol=1e-4)
    assert torch.allclose(norm(x), reference(x), atol=1e-5)
    assert torch.allclose(norm(factor * x), norm(x), rtol=1e-3, atol=1e-4)


def counted(run) -> int:
    """Operations of the matrix products that happen in a call, as PyTorch counts them."""
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


@verifies("gpt.flops")
@given(SHAPES, st.integers(2, 20))
@settings(max_examples=10)
def test_operations_of_a_token_are_two_for_each_weight_and_four_for_each_number_looked_at(shape, time):
    layers, heads, width = shape
    model = gpt.GPT(gpt.Config(11, 20, layers, heads, width))
    matrices = sum(p.numel() for name, p in model.named_parameters() if p.dim() == 2 and name != "tokens.weight")
    assert matrices == 12 * layers * width**2 + 11 * width
    by_formula = 2 * matrices + 4 * layers * width * time
    assert counted(lambda: model(torch.zeros(3, time, dtype=torch.long))) == 3 * time * by_formula
    assert gpt.forward_flops(model.config, time) == by_formula


@verifies("gpt.training-flops")
@given(SHAPES)
@settings(max_examples=5)
def test_training_takes_three_times_the_operations_of_reading(shape):
    """Exactly, but for the gradient of the first layer's input, which the embedding needs and gets as well."""
    layers, heads, width = shape
    model = awake(gpt.GPT(gpt.Config(11, 20, layers, heads, width)), 0)
    tokens = torch.zeros(2, 20, dtype=torch.long)
    forward = counted(lambda: model(tokens))
    assert counted(lambda: model(tokens).square().mean().backward()) == 3 * forward
    wide = gpt.Config(11, 1, layers, heads, 256 * width)  # where attention is a small part, 6 N D is right
    assert 3 * gpt.forward_flops(wide) == pytest.approx(6 * (12 * layers * wide.width**2 + 11 * wide.width), rel=1e-3)


@verifies("gpt.cache")
@given(SHAPES, st.integers(1, 12))
@settings(max_examples=8)
def test_writing_costs_the_sum_over_the_places_and_without_a_cache_each_place_again(shape, n):
    layers, heads, width = shape
    model = awake(gpt.GPT(gpt.Config(11, 16, layers, heads, width)), 1)
    start = torch.zeros(1, 1, dtype=torch.long)
    one = [2 * (12 * layers * width**2 + 11 * width) + 4 * layers * width * t for t in range(1, n + 1)]
    assert counted(lambda: sampling.generate(model, start, n, cached=True)) == sum(one)
    assert counted(lambda: sampling.generate(model, start, n, cached=False)) == np.dot(range(1, n + 1), one)
    room = gpt.Config(11, n, layers, heads, width)
    gpt.GPT(room)(start, cache := gpt.Cache(room))
    assert sum(held.numel() for layer in cache.layers for held in (layer.keys, layer.values)) == 2 * layers * width * n


@verifies("gpt.temperature")
@few
@given(SEEDS, st.floats(0.05, 20))
def test_a_temperature_raises_probabilities_to_a_power(seed, temperature):
    logits = drawn(seed, 1, 9)
    p = np.exp(logits.numpy()[0])
    p /= p.sum()
    powered = p ** (1 / temperature) / (p ** (1 / temperature)).sum()
    assert np.allclose(sampling.Decoding(temperature).probabilities(logits)[0], powered, atol=1e-5)


@verifies("gpt.temperature")
@few
@given(SEEDS)
def test_heat_only_ever_adds_hesitation(seed):
    """The slope of the entropy in the temperature is the variance of the logits over its cube: never negative."""
    logits = drawn(seed, 1, 9)
    spread = [float(entropy(sampling.Decoding(t).probabilities(logits)[0])) for t in (0.99, 1.0, 1.01)]
    p = softmax(logits.numpy()[0])
    variance = (p * (logits.numpy()[0] - p @ logits.numpy()[0]) ** 2).sum()
    assert (spread[2] - spread[0]) / 0.02 == pytest.approx(variance, rel=1e-2, abs=1e-3)


@verifies("gpt.cut")
@few
@given(SEEDS, st.sampled_from(["top_k", "top_p", "min_p"]), st.floats(0.05, 0.95))
def test_a_cut_keeps_its_set_shares_out_again_and_costs_minus_the_log_of_what_it_keeps(seed, rule, share):
    logits = 2 * drawn(seed, 1, 6)
    p = softmax(logits.numpy()[0])
    argument = 1 + int(5 * share) if rule == "top_k" else share
    allowed = {
        "top_k": lambda: set(np.argsort(-p)[: int(argument)]),
        "top_p": lambda: smallest_set(p, share),
        "min_p": lambda: set(np.flatnonzero(p >= share * p.max())),
    }[rule]()
    q = sampling.Decoding(**{rule: argument}).probabilities(logits)[0].numpy()
    expected = np.array([p[v] if v in allowed else 0 for v in range(6)])
    assert np.allclose(q, expected / expected.sum(), atol=1e-6)
    assert entropy(q, p) == pytest.approx(-math.log(expected.sum()), abs=1e-5)


def smallest_set(p: np.ndarray, share: float) -> set[int]:
    """The fewest tokens that hold a share, the heaviest of such sets: every subset is tried."""
    for size in range(1, len(p) + 1):
        heaviest = max(combinations(range(len(p)), size), key=lambda tokens: p[list(tokens)].sum())
        if p[list(heaviest)].sum() >= share:
            return set(heaviest)
    return set(range(len(p)))


@verifies("gpt.power-law")
@pytest.mark.parametrize("floor", [None, 0.7])
def test_the_fit_finds_the_law_that_made_the_points(chapter, floor):
    n, d = np.array(list(product([3e4, 2e5, 1e6], [1e5, 4e5, 2e6]))).T
    made = 0.7 + (5_000 / n) ** 0.4 + (90_000 / d) ** 0.6
    chapter["fit_law"].__globals__.update(N=n, D=d)
    shape, found = chapter["fit_law"](made, floor)
    assert [np.exp(shape[0]), shape[1], np.exp(shape[2]), shape[3], found] == pytest.approx(
        [5_000, 0.4, 90_000, 0.6, 0.7], rel=2e-2
    )
    assert chapter["law"](shape, found, 1e300, 1e300) == pytest.approx(found, abs=1e-9)
