"""genai_utils.models.diffusion against closed forms, schedulers of diffusers, and its own limits."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx
from scipy.special import softmax

from genai_utils.models import diffusion

levels = st.floats(0.02, 0.98)


def cloud(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_without_noise_the_marginal_is_the_data_and_without_data_the_noise():
    x, noise = cloud(5, 3), cloud(5, 3, seed=1)
    assert torch.equal(diffusion.marginal(x, noise, 1.0, 0.0), x)
    assert torch.equal(diffusion.marginal(x, noise, 0.0, 1.0), noise)


def test_diffusers_adds_noise_alike():
    scheduler = pytest.importorskip("diffusers").DDPMScheduler()
    x, noise, step = cloud(5, 3), cloud(5, 3, seed=1), 300
    theirs = scheduler.add_noise(x, noise, torch.full((5,), step))
    kept = scheduler.alphas_cumprod[step].item()
    assert torch.allclose(diffusion.marginal(x, noise, kept**0.5, (1 - kept) ** 0.5), theirs, atol=1e-6)


def test_diffusers_steps_back_to_the_same_mean():
    """With variance 0 asked for, DDPM's step is the mean of the posterior."""
    scheduler = pytest.importorskip("diffusers").DDPMScheduler(prediction_type="sample", clip_sample=False)
    x_t, x, step = cloud(5, 3), cloud(5, 3, seed=1), 500
    kept = scheduler.alphas_cumprod.double()
    here, there = ((kept[i].sqrt().item(), (1 - kept[i]).sqrt().item()) for i in (step, step - 1))
    ours = diffusion.posterior(x_t, x, *here, *there)
    generators = (torch.Generator().manual_seed(7) for _ in range(2))
    theirs = scheduler.step(x, step, x_t, generator=next(generators)).prev_sample
    noise = torch.randn(5, 3, generator=next(generators), dtype=torch.float64)
    assert torch.allclose(ours.mean + ours.variance**0.5 * noise, theirs, atol=1e-4)


def test_a_posterior_that_goes_to_more_noise_is_refused():
    with pytest.raises(ValueError, match="time turned round"):
        diffusion.posterior(cloud(5, 3), cloud(5, 3), 0.8, 0.2, 0.4, 0.6)


@given(levels)
def test_a_step_to_where_one_is_changes_nothing(t):
    x_t, x = cloud(5, 3), cloud(5, 3, seed=1)
    assert torch.allclose(diffusion.ddim(x_t, x, t, 1 - t, t, 1 - t), x_t)
    found = diffusion.posterior(x_t, x, t, 1 - t, t, 1 - t)
    assert torch.allclose(found.mean, x_t) and found.variance == approx(0, abs=1e-9)


def test_a_step_to_no_noise_is_the_guess():
    x_t, x = cloud(5, 3), cloud(5, 3, seed=1)
    assert torch.allclose(diffusion.ddim(x_t, x, 0.3, 0.7, 1.0, 0.0), x)


def test_an_exact_guess_costs_nothing_and_a_wrong_one_half_the_drop_times_its_square():
    x = cloud(5, 3)
    assert torch.equal(diffusion.bound_step(x, x, 9.0, 4.0), torch.zeros(5).double())
    assert torch.allclose(diffusion.bound_step(x, x + 2, 9.0, 4.0), torch.full((5,), 0.5 * 5 * 3 * 4.0).double())


# --- the best guess ---------------------------------------------------------------------------------------------------


@given(levels)
def test_responsibilities_are_those_of_scipy(t):
    x_t, points = cloud(4, 3), cloud(6, 3, seed=1)
    apart = ((x_t[:, None] - t * points) ** 2).sum(-1).numpy()
    expected = softmax(-apart / (2 * (1 - t) ** 2), axis=1)
    assert diffusion.responsibilities(x_t, points, t, 1 - t).numpy() == approx(expected, abs=1e-9)


def test_little_noise_finds_the_point_and_much_noise_the_mean():
    points = cloud(6, 3)
    noise = cloud(6, 3, seed=1)
    near = diffusion.ideal_denoiser(points + 1e-3 * noise, points, 1.0, 1e-3)
    far = diffusion.ideal_denoiser(1e3 * noise, points, 1.0, 1e3)
    assert torch.allclose(near, points, atol=1e-9) and torch.allclose(far, points.mean(0), atol=0.05)


@given(levels, st.floats(0.1, 2))
def test_one_bell_curve_is_denoised_by_a_straight_line(t, sd):
    """The Wiener filter: for one Gaussian the best guess is linear."""
    x_t, mean = cloud(5, 2), cloud(1, 2, seed=1)
    pull = t * sd**2 / (t**2 * sd**2 + (1 - t) ** 2)
    expected = mean + pull * (x_t - t * mean)
    assert torch.allclose(diffusion.ideal_denoiser(x_t, mean, t, 1 - t, sd), expected)


def test_a_point_given_twice_weighs_twice():
    points, x_t = cloud(3, 2), cloud(5, 2, seed=1)
    twice = diffusion.ideal_denoiser(x_t, torch.cat([points, points[:1]]), 0.5, 0.5)
    weighed = diffusion.ideal_denoiser(x_t, points, 0.5, 0.5, weights=torch.tensor([0.5, 0.25, 0.25]).double())
    assert torch.allclose(twice, weighed)


def test_squares_that_overflow_are_refused():
    with pytest.raises(ValueError, match="must be smaller"):
        diffusion.ideal_denoiser(torch.full((2, 2), 1e14), torch.full((2, 2), 1e14), 1e4, 1e-6)


@given(levels)
def test_score_and_data_lead_back_to_each_other(t):
    x_t, x = cloud(5, 3), cloud(5, 3, seed=1)
    score = diffusion.score_of_data(x, x_t, t, 1 - t)
    assert torch.allclose(diffusion.data_of_score(score, x_t, t, 1 - t), x)


# --- scales and guidance ----------------------------------------------------------------------------------------------


def test_without_noise_the_input_is_the_guess_and_with_much_of_it_the_network_is():
    skip, out, _ = diffusion.precondition(0.0, 0.5)
    assert (skip, out) == (1, 0)
    skip, out, _ = diffusion.precondition(1e4, 0.5)
    assert skip == approx(0, abs=1e-6) and out == approx(0.5, rel=1e-6)


@given(st.floats(0, 9))
def test_both_forms_of_guidance_push_alike_one_apart(weight):
    told, untold = cloud(5, 3), cloud(5, 3, seed=1)
    excess = diffusion.guided(told, untold, weight, "excess")
    assert torch.allclose(excess, diffusion.guided(told, untold, weight + 1))


def test_no_guidance_is_the_told_guess_and_a_blend_of_nothing_the_untold():
    told, untold = cloud(5, 3), cloud(5, 3, seed=1)
    assert torch.equal(diffusion.guided(told, untold, 0, "excess"), told)
    assert torch.equal(diffusion.guided(told, untold, 0), untold)


def test_an_unknown_form_of_guidance_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match="'blend', 'excess'"):
        diffusion.guided(cloud(5, 3), cloud(5, 3), 1.0, "excess!")


def test_snr_is_one_where_signal_and_noise_are_equal():
    assert diffusion.snr(0.5, 0.5) == 1
    assert diffusion.snr(0.8, 0.2) == approx(np.square(4))
