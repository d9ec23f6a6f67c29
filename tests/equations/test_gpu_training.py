"""The equations of the chapter on GPU training: both sides computed, without shared code."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from torch import nn
from torch.nn.functional import cross_entropy

from genai_utils.business import clusters
from genai_utils.metrics import hardware
from genai_utils.models import gpt
from genai_utils.run import Run, flops, memory

verifies = pytest.mark.verifies
few = settings(max_examples=40)
SIZES = st.floats(0.01, 100.0)
SMALL = gpt.Config(vocabulary=67, context=32, layers=3, heads=2, width=64)


# --- one machine ------------------------------------------------------------------------------------------------------


def simulated_seconds(operations: int, words: int, peak: int, bandwidth: int) -> int:
    """Ticks until a memory that delivers `bandwidth` words a tick and a unit that makes `peak` operations are done.

    A unit can make the operations of a word once it is there; both work at the same time.
    """
    delivered = made = ticks = 0
    while made < operations:
        delivered = min(words, delivered + bandwidth)
        made = min(made + peak, operations * delivered // words)
        ticks += 1
    return ticks


@verifies("gpu.roofline")
@few
@given(st.integers(1, 64), st.integers(1, 50), st.integers(1, 50))
def test_a_unit_fed_by_a_memory_reaches_the_roof(intensity, peak, bandwidth):
    words = 2_000 * bandwidth
    rate = intensity * words / simulated_seconds(intensity * words, words, peak, bandwidth)
    assert rate == pytest.approx(hardware.attainable(intensity, peak, bandwidth), rel=2e-3)


@verifies("gpu.mfu")
@few
@given(SIZES, SIZES, SIZES)
def test_a_machine_that_idles_for_a_share_of_the_time_is_used_for_the_rest(work, peak, idle):
    busy = work / peak
    assert hardware.utilization(work, busy + idle, peak) == pytest.approx(busy / (busy + idle))


@verifies("gpu.mfu")
def test_the_operations_of_mfu_are_those_that_torch_counts_and_recomputing_adds_none():
    """The counter sees a recomputed forward pass of the blocks; the model needs it not, so it does not count as use."""
    tokens = torch.zeros(4, 32, dtype=torch.long)
    model = gpt.GPT(SMALL)

    def step() -> None:
        cross_entropy(model(tokens).flatten(0, 1), tokens.flatten()).backward()

    needed = gpt.training_flops(SMALL) * tokens.numel()
    assert flops.counted(step) == needed
    memory.recompute(model.blocks)
    head = 2 * SMALL.vocabulary * SMALL.width * tokens.numel()
    assert flops.counted(step) == needed + needed / 3 - head - last_products(model, tokens)


def last_products(model: gpt.GPT, tokens: torch.Tensor) -> float:
    """Of recomputed blocks torch stops after the last tensor that is needed: it leaves out each last product."""
    return sum(n for name, n in flops.by_layer(model, tokens).items() if name.endswith("down"))


@verifies("gpu.mbu")
@pytest.mark.parametrize(("past", "batch"), [(0, 1), (8, 1), (31, 5)])
def test_the_bytes_of_a_token_are_the_matrices_and_the_cache(past, batch):
    """Counted on the tensors of a model that has read `past` tokens; a lookup reads one row and is left out."""
    model, cache = gpt.GPT(SMALL), gpt.Cache(SMALL)
    if past:
        model(torch.zeros(batch, past, dtype=torch.long), cache)
    matrices = memory.size(p for name, p in model.named_parameters() if p.dim() == 2 and name != "tokens.weight")
    held = sum(memory.size((one.keys, one.values)) for one in cache.layers) * past / SMALL.context if past else 0
    assert gpt.decoding_bytes(SMALL, past, batch) == matrices + held
    assert gpt.decoding_bytes(SMALL, past, batch, item=2) == (matrices + held) / 2


@verifies("gpu.mbu")
@few
@given(SIZES, SIZES)
def test_reading_at_the_bandwidth_is_full_use_and_at_half_of_it_half(read, bandwidth):
    assert hardware.utilization(read, read / bandwidth, bandwidth) == pytest.approx(1)
    assert hardware.utilization(read, 2 * read / bandwidth, bandwidth) == pytest.approx(0.5)


@verifies("gpu.memory")
@few
@given(
    st.sampled_from([SMALL, gpt.gpt2_config(SMALL), replace(SMALL, activation="gelu", qk_norm=False)]),
    st.integers(1, 4), st.sampled_from([2, 4, 8]), st.integers(2, 6), st.integers(2, 32),
)  # fmt: skip
def test_memory_by_class_of_tensor_is_what_torch_holds_before_it_goes_back(config, layers, heads, batch, time):
    model = gpt.GPT(replace(config, layers=layers, heads=heads))
    optimizers, tokens = gpt.optimizers(model), torch.arange(batch * time).view(batch, time) % 60

    def loss() -> torch.Tensor:
        return cross_entropy(model(tokens).flatten(0, 1), tokens.flatten())

    loss().backward()
    for one in optimizers:
        one.step()
    moments = [t for one in optimizers for state in one.state.values() for t in state.values() if torch.is_tensor(t)]
    held = memory.size((*model.parameters(), *(p.grad for p in model.parameters()), *moments))
    predicted = memory.fits(model, optimizers, memory.gpt_activations(model.config, batch, time), room=0)
    assert predicted.total == pytest.approx(held + memory.saved(loss, model), rel=0.02)


@verifies("gpu.accumulation")
@few
@given(st.sampled_from([1, 2, 3, 4, 6, 12]), st.integers(0, 10_000))
def test_the_mean_of_the_gradients_of_equal_parts_is_the_gradient_of_the_whole_batch(parts, seed):
    """One side: `Run` in parts. Other side: autograd on all examples at once, and a step of descent written out."""
    random = torch.Generator().manual_seed(seed)
    data = torch.randn(12, 3, generator=random, dtype=torch.float64)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    whole, run = deepcopy(net), Run(1, progress=False)
    model, sgd = run.setup(net, torch.optim.SGD(net.parameters(), 0.1))
    for batch in run.batches(data, batch_size=12):
        for part in batch.chunk(parts):
            run.step(sgd, model(part).square().mean(), of=parts)
    gradients = torch.autograd.grad(whole(data).square().mean(), list(whole.parameters()))
    for moved, start, gradient in zip(net.parameters(), whole.parameters(), gradients, strict=True):
        assert torch.allclose(moved, start - 0.1 * gradient, rtol=0, atol=1e-12)


# --- many machines ----------------------------------------------------------------------------------------------------


def ring(arrays: np.ndarray, seconds_per_byte: float, latency: float) -> float:
    """All-reduce by messages to the right neighbour, in place; seconds.  arrays: (devices, devices, numbers).

    arrays[d, c] is piece c on device d; in each round all devices send at the same time.
    """
    n, clock = len(arrays), 0.0
    for hop in range(2 * (n - 1)):
        sent = [(d, (d - hop) % n, arrays[d, (d - hop) % n].copy()) for d in range(n)]
        for d, piece, numbers in sent:
            right = (d + 1) % n
            arrays[right, piece] = numbers + (arrays[right, piece] if hop < n - 1 else 0)
        clock += max(numbers.nbytes for *_, numbers in sent) * seconds_per_byte + latency
    return clock


@verifies("gpu.ring")
@few
@given(st.integers(2, 9), st.integers(1, 20), st.floats(0.0, 10.0), st.integers(0, 10_000))
def test_messages_around_a_ring_add_up_everything_in_the_predicted_time(n, numbers, latency, seed):
    arrays = np.random.default_rng(seed).normal(size=(n, n, numbers))
    total, each = arrays.sum(0), arrays[0].nbytes
    clock = ring(arrays, seconds_per_byte=0.5, latency=latency)
    assert np.allclose(arrays, total)
    predicted = clusters.ring_seconds(gradient_bytes=each, devices=n, bytes_per_second=2.0, latency=latency)
    assert clock == pytest.approx(predicted)


@verifies("gpu.efficiency")
@few
@given(st.integers(1, 16), SIZES, SIZES, st.floats(0.0, 1.0))
def test_devices_that_wait_for_each_other_do_the_predicted_share_of_the_work(n, compute, exchange, hidden_share):
    """Events of 50 steps: a device computes; its exchange starts when the first gradients are there and ends the step.

    Their throughput together, against n times that of a device alone.
    """
    now, hidden = 0.0, hidden_share * compute
    for _ in range(50):
        gradients_begin = now + compute - hidden
        now = max(now + compute, gradients_begin + exchange)
    together, alone = n * 50 / now, 1 / compute
    predicted = clusters.efficiency(compute_seconds=compute, exchange_seconds=exchange, hidden_seconds=hidden)
    assert together / (n * alone) == pytest.approx(predicted)


def expected_seconds(interval: float, write: float, between: float) -> float:
    """For a second of work: failures come at random at any time, and work since the last checkpoint is done again.

    Exact for a Poisson process: with rate r, t undisturbed seconds in a row are waited for (exp(r t) - 1) / r.
    """
    return between * np.expm1((interval + write) / between) / interval


def simulated_seconds_of_work(interval: float, write: float, between: float, segments: int) -> tuple[float, float]:
    """The same by drawing failures: mean and standard error over segments."""
    random, needed = np.random.default_rng(0), interval + write
    clocks = np.zeros(segments)
    for i in range(segments):
        while (failure := random.exponential(between)) < needed:
            clocks[i] += failure
        clocks[i] += needed
    return clocks.mean() / interval, clocks.std() / interval / segments**0.5


@verifies("gpu.interval")
@few
@given(st.floats(1.0, 600.0), st.floats(300.0, 1e5))
def test_no_interval_loses_less_than_the_formulas(write, ratio):
    """The exact minimum, found numerically, lies where the formula says up to the ratio's square root (it is of first
    order), and the formula's interval loses hardly more."""
    between = write * ratio
    within = {"bounds": (write / 10, between), "method": "bounded", "options": {"xatol": write / 1e3}}
    found = minimize_scalar(lambda t: expected_seconds(t, write, between), **within)
    formula = clusters.checkpoint_interval(write_seconds=write, seconds_between_failures=between)
    assert found.x == pytest.approx(formula, rel=ratio**-0.5)
    assert expected_seconds(formula, write, between) < found.fun * (1 + 1 / ratio)


@verifies("gpu.interval")
def test_drawn_failures_cost_what_is_expected_and_more_at_other_intervals():
    write, between = 60.0, 6 * 3600.0
    best = clusters.checkpoint_interval(write_seconds=write, seconds_between_failures=between)
    cost = {}
    for factor in (0.25, 1.0, 4.0):
        mean, error = simulated_seconds_of_work(factor * best, write, between, 40_000)
        assert abs(mean - expected_seconds(factor * best, write, between)) < 4 * error
        cost[factor] = mean
    assert cost[1.0] < min(cost[0.25], cost[4.0]) - 0.02
