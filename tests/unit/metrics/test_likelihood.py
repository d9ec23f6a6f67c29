"""Estimates of likelihoods against models whose likelihood is known."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import logsumexp

from genai_utils.data import fashion_mnist
from genai_utils.data.toys import LinearGaussian
from genai_utils.metrics import likelihood
from genai_utils.models import vae


def ppca(sd=0.5):
    g = torch.Generator().manual_seed(0)
    return LinearGaussian(torch.randn(10, 3, generator=g), sd, torch.randn(10, generator=g))


def imperfect(truth):
    """The true decoder with an encoder that is wrong in mean and variance."""
    model = vae.LinearVAE.exact(truth.loading, truth.sd, truth.mean)
    model.encoder.mean.weight.data *= 0.9
    model.encoder.log_var.data += 0.5
    return model.requires_grad_(False)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


# --- bits a dimension -------------------------------------------------------------------------------------------------


def test_dequantized_bytes_fill_their_interval_and_no_other():
    pixels = torch.arange(256, dtype=torch.uint8).repeat(2000, 1)
    x = likelihood.dequantize(pixels, seeded())
    assert x.dtype is torch.float32 and x.min() >= 0 and x.max() < 1
    assert torch.equal((x * 256).floor().to(torch.uint8), pixels)
    within = x * 256 - pixels
    assert within.mean().item() == pytest.approx(0.5, abs=0.01)
    assert within.var().item() == pytest.approx(1 / 12, abs=0.001)


def test_only_bytes_are_dequantized():
    with pytest.raises(TypeError, match=r"pixels must be uint8, got torch.float32; use fashion_mnist\(\).pixels"):
        likelihood.dequantize(torch.zeros(3))


def test_the_uniform_model_needs_eight_bits_and_a_known_byte_none():
    assert likelihood.bits_per_dim(torch.zeros(5)).value == 8
    certain = torch.full((5,), 784 * math.log(256))
    assert likelihood.bits_per_dim(certain).value == pytest.approx(0, abs=1e-6)
    coin = torch.full((5,), 100 * math.log(0.5))
    assert likelihood.bits_per_dim(coin, dims=100, levels=1).value == pytest.approx(1, abs=1e-6)


def test_bits_of_a_histogram_are_its_entropy():
    """A model with independent pixels that knows the histogram of grey levels needs its entropy, in bits."""
    pixels = fashion_mnist("test").pixels[:200]
    shares = np.bincount(pixels.flatten().numpy(), minlength=256) / pixels.numel()
    density = torch.tensor(256 * shares)[(256 * likelihood.dequantize(pixels, seeded())).long()]
    found = likelihood.bits_per_dim(density.log().flatten(1).sum(dim=1))
    some = shares[shares > 0]
    assert found.value == pytest.approx(-(some * np.log2(some)).sum(), abs=1e-6)


def test_the_spread_of_bits_is_the_standard_error_of_their_mean():
    x = 500 * torch.randn(4000, generator=seeded())
    found = likelihood.bits_per_dim(x)
    assert found.n == 4000 and found.meaning == "standard error over samples"
    assert found.spread == pytest.approx(500 / 784 / math.log(2) / 4000**0.5, rel=0.05)


@pytest.mark.parametrize("bad", [torch.zeros(2, 3), torch.tensor([0.0, math.nan])])
def test_bits_need_one_finite_number_an_example(bad):
    with pytest.raises(ValueError, match=r"log_density must be \(n,\) and finite"):
        likelihood.bits_per_dim(bad)


# --- importance weights -----------------------------------------------------------------------------------------------


@given(hnp.arrays(np.float64, (4, 3), elements=st.floats(-2000, 2000)))
def test_log_mean_exp_is_scipys(x):
    np.testing.assert_allclose(likelihood.log_mean_exp(torch.from_numpy(x)), logsumexp(x, axis=0, b=1 / 4), atol=1e-9)
    np.testing.assert_allclose(
        likelihood.log_mean_exp(torch.from_numpy(x), 1), logsumexp(x, axis=1, b=1 / 3), atol=1e-9
    )


def test_the_importance_bound_rises_to_the_likelihood():
    truth = ppca()
    x = truth.sample(500, generator=seeded(1))
    weights = vae.log_weights(imperfect(truth), x, 1000, generator=seeded(2))
    exact = truth.log_prob(x).mean()
    gaps = [float(exact - likelihood.importance_bound(weights[:k]).mean()) for k in (1, 10, 100, 1000)]
    assert gaps[0] > 0.5 and gaps[0] > 5 * gaps[1] > 0 and gaps[1] > 5 * abs(gaps[2])
    assert abs(gaps[-1]) < 0.02


def test_importance_weights_come_as_a_table():
    with pytest.raises(ValueError, match=r"log_weights must have shape \(k, n\), got \(3,\)"):
        likelihood.importance_bound(torch.zeros(3))


# --- annealed importance sampling -------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", ["prior", "encoder"])
def test_annealed_importance_finds_the_likelihood_within_its_stated_error(start):
    truth = ppca()
    model, x = imperfect(truth), truth.sample(100, generator=seeded(1))
    begin = model.encode(x) if start == "encoder" else (torch.zeros(100, 3), torch.zeros(100, 3))
    found = likelihood.annealed_importance(
        lambda z: vae.log_joint(model, x, z), *begin, temperatures=150, generator=seeded(3)
    )
    miss = found.value - truth.log_prob(x)
    error_of_mean = float(found.error.square().sum().sqrt() / 100)
    known_bias = float(-found.error.square().mean() / 2)
    assert abs(float(miss.mean()) - known_bias) < 3 * error_of_mean
    assert 0.7 < float((miss / found.error).std()) < 1.5  # the error is neither boastful nor timid
    assert float(found.error.mean()) < (0.05 if start == "encoder" else 0.4)
    assert 0.5 < float(found.acceptance.mean()) < 0.8


def test_annealing_repairs_what_importance_weights_miss():
    """A target far from the start, and narrow: the integral is 1, plain importance weights see almost nothing of it."""
    centre, sd = torch.tensor([3.0, -3.0]), 0.2

    def log_joint(z):
        return vae.log_normal(z, centre, 2 * math.log(sd))

    start = torch.zeros(20, 2)
    plain = likelihood.log_mean_exp(log_joint(z := torch.randn(200, 20, 2, generator=seeded())) - vae.log_normal(z))
    annealed = likelihood.annealed_importance(log_joint, start, start, temperatures=200, generator=seeded())
    assert plain.mean() < -10
    assert abs(annealed.value.mean()) < 0.2


def test_hamiltonian_moves_leave_their_density_unchanged():
    centre, log_var = torch.tensor([1.0, -2.0]), torch.tensor([0.5, -1.0])

    def log_density(u):
        return vae.log_normal(u, centre, log_var)

    g = seeded()
    u = vae.reparameterize(centre, log_var, torch.randn(20_000, 1, 2, generator=g))
    rejected = 0.0
    for _ in range(5):
        u, moved = likelihood._hamiltonian(log_density, u, torch.tensor([0.9]), 3, g)
        rejected += 1 - float(moved.mean())
    assert rejected > 0.05  # steps so long that without the acceptance test the density would change
    torch.testing.assert_close(u.mean(dim=(0, 1)), centre, atol=0.04, rtol=0)
    torch.testing.assert_close(u.var(dim=(0, 1)).log(), log_var, atol=0.05, rtol=0)


def test_the_schedule_goes_from_nothing_to_all():
    points = likelihood.sigmoid_path(50)
    assert points.shape == (51,) and points[0] == 0 and points[-1] == 1
    steps = points.diff()
    assert (steps > 0).all() and steps[0] < steps[25] / 5


@pytest.mark.parametrize(("chains", "temperatures"), [(1, 10), (2, 0)])
def test_too_few_chains_or_temperatures_are_refused(chains, temperatures):
    with pytest.raises(ValueError, match="(chains|temperatures) must be a whole number, [12] or more, got"):
        likelihood.annealed_importance(vae.log_normal, torch.zeros(1, 1), torch.zeros(1, 1), chains, temperatures)
