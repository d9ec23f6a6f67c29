"""Both sides of every named equation about diffusion and flow, computed by ways that share no code."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy.optimize import minimize_scalar
from scipy.stats import norm
from torch.distributions import Normal, kl_divergence

from genai_utils.models import diffusion, flow

verifies = pytest.mark.verifies
few = settings(max_examples=20)

GRID = np.linspace(-12, 12, 48_001)
NODES, MASS = np.polynomial.hermite_e.hermegauss(80)
MASS = MASS / MASS.sum()  # the mean of f(z) under N(0, 1) is MASS @ f(NODES)
MEANS, WEIGHTS, SD = np.array([-2.0, 0.5, 1.5]), np.array([0.5, 0.2, 0.3]), 0.3

times = st.floats(0.05, 0.95)
places = st.floats(-3, 3)


def column(*numbers):
    return torch.tensor(numbers, dtype=torch.float64).view(-1, 1)


def guess(x, t, sd=SD, weights=WEIGHTS):
    """The package's best guess for data from the mixture, on the line."""
    mixed = torch.as_tensor(np.atleast_1d(x), dtype=torch.float64).view(-1, 1)
    found = diffusion.ideal_denoiser(mixed, column(*MEANS), t, 1 - t, sd, torch.as_tensor(weights))
    return found.squeeze(1).numpy()


def data_density(x):
    return sum(w * norm.pdf(x, m, SD) for w, m in zip(WEIGHTS, MEANS, strict=True))


def expected(f, x_t, t):
    """E[f(x) | x_t] by Bayes' rule on a grid of x, from the density of the data and that of the noise alone."""
    joint = data_density(GRID) * norm.pdf(x_t, t * GRID, 1 - t)
    return np.trapezoid(f(GRID) * joint, GRID) / np.trapezoid(joint, GRID)


def score_by_autograd(x_t, t, weights=WEIGHTS):
    """Slope of log p_t, from the mixture that noise makes of the mixture."""
    x = torch.tensor(x_t, dtype=torch.float64, requires_grad=True)
    sd = (t**2 * SD**2 + (1 - t) ** 2) ** 0.5
    log_p = torch.logsumexp(Normal(t * torch.tensor(MEANS), sd).log_prob(x) + torch.tensor(weights).log(), 0)
    return torch.autograd.grad(log_p, x)[0].item()


# --- mixing and going back --------------------------------------------------------------------------------------------


@verifies("diffusion.marginal")
def test_a_thousand_small_doses_of_noise_are_one_large_dose():
    """Mean and variance through a chain of steps that keep the variance at one, against one mixture."""
    doses = np.linspace(1e-4, 0.02, 1000)
    mean, variance = 1.7, 0.0
    for dose in doses:
        mean, variance = np.sqrt(1 - dose) * mean, (1 - dose) * variance + dose
    alpha = np.sqrt(np.prod(1 - doses))
    sigma = np.sqrt(1 - alpha**2)
    x = torch.full((80,), 1.7, dtype=torch.float64)
    at_nodes = diffusion.marginal(x, torch.tensor(NODES), alpha, sigma).numpy()
    assert MASS @ at_nodes == approx(mean, abs=1e-12)
    assert MASS @ (at_nodes - mean) ** 2 == approx(variance, abs=1e-12)


@verifies("diffusion.posterior")
@given(places, places, st.floats(0.1, 0.9), st.floats(0.05, 0.95))
@few
def test_one_step_back_is_what_bayes_rule_says(x, x_t, to, part):
    """Moments of p(x_s | x) p(x_t | x_s) on a grid of x_s."""
    t = part * to
    shrink = t / to
    added = (1 - t) ** 2 - shrink**2 * (1 - to) ** 2
    joint = norm.pdf(GRID, to * x, 1 - to) * norm.pdf(x_t, shrink * GRID, added**0.5)
    mass = np.trapezoid(joint, GRID)
    mean = np.trapezoid(GRID * joint, GRID) / mass
    variance = np.trapezoid((GRID - mean) ** 2 * joint, GRID) / mass
    found = diffusion.posterior(column(x_t), column(x), t, 1 - t, to, 1 - to)
    if mass > 1e-9:
        assert found.mean.item() == approx(mean, abs=2e-4) and found.variance == approx(variance, abs=2e-4)


@verifies("diffusion.ddim")
@given(places, places, st.floats(0.05, 0.9), st.floats(0, 1))
@few
def test_a_step_without_new_noise_is_that_of_diffusers_and_a_straight_step_of_the_flow(x, x_t, t, to):
    ours = diffusion.ddim(column(x_t), column(x), t, 1 - t, to, 1 - to).item()
    straight = flow.euler(lambda z, at: flow.velocity_of_data(column(x), z, at), column(x_t), torch.tensor([t, to]))
    assert ours == approx(straight.item(), abs=1e-5)
    diffusers = pytest.importorskip("diffusers")
    schedule = diffusers.DDIMScheduler(prediction_type="sample", clip_sample=False, set_alpha_to_one=False)
    schedule.set_timesteps(10)
    alphas = schedule.alphas_cumprod.double()
    theirs = schedule.step(column(x), 501, column(x_t)).prev_sample.item()
    levels = [(alphas[i].sqrt().item(), (1 - alphas[i]).sqrt().item()) for i in (501, 401)]
    assert diffusion.ddim(column(x_t), column(x), *levels[0], *levels[1]).item() == approx(theirs, abs=1e-5)


@verifies("diffusion.elbo")
@given(places, places, places, st.floats(0.1, 0.9), st.floats(0.1, 0.9))
@few
def test_a_step_of_the_bound_is_the_divergence_of_two_steps_back(x, found, x_t, to, part):
    """One step back knows the data, the other a guess of them; their divergence by torch."""
    levels = part * to, 1 - part * to, to, 1 - to
    truth, model = (diffusion.posterior(column(x_t), column(each), *levels) for each in (x, found))
    nats = kl_divergence(*(Normal(each.mean, each.variance**0.5) for each in (truth, model))).item()
    cost = diffusion.bound_step(column(x), column(found), diffusion.snr(*levels[2:]), diffusion.snr(*levels[:2]))
    assert cost.item() == approx(nats, rel=1e-6, abs=1e-9)


@verifies("diffusion.elbo")
def test_the_bound_of_a_gaussian_comes_down_to_its_known_code_length_as_steps_grow():
    """Data N(0.5, 0.8^2): expected squared error of the best guess in closed form, entropy from scipy."""
    mean, sd, last = 0.5, 0.8, 0.999

    def bound(steps):
        t = np.linspace(1e-3, last, steps + 1)
        ratio = (t / (1 - t)) ** 2
        missed = sd**2 / (1 + ratio * sd**2)  # E (x - guess)^2
        walk = 0.5 * (np.diff(ratio) * missed[:-1]).sum()
        start = 0.5 * (t[0] ** 2 * (mean**2 + sd**2) + (1 - t[0]) ** 2 - 1 - 2 * np.log(1 - t[0]))
        return start + walk + norm.entropy(scale=missed[-1] ** 0.5)

    gaps = np.array([bound(steps) for steps in (10, 100, 1000, 10_000)]) - norm.entropy(scale=sd)
    assert np.all(np.diff(gaps) < 0) and 0 < gaps[-1] < 0.2


@verifies("diffusion.precondition")
@given(st.floats(0.01, 50), st.floats(0.1, 5))
@few
def test_inputs_and_targets_have_variance_one_and_the_network_is_amplified_least(sigma, sd):
    """Variances of sums of independent numbers; the least amplification by a search."""
    found = diffusion.precondition(sigma, sd)
    assert found.scale**2 * (sd**2 + sigma**2) == approx(1)

    def amplified(skip):
        return ((1 - skip) ** 2 * sd**2 + skip**2 * sigma**2) ** 0.5  # of x - skip (x + sigma noise)

    best = minimize_scalar(amplified, bounds=(0, 1), method="bounded", options={"xatol": 1e-9})
    assert found.skip == approx(best.x, abs=1e-3) and found.out == approx(best.fun, abs=1e-6)
    if edm := pytest.importorskip("diffusers").EDMEulerScheduler(sigma_data=sd):
        x_t, net = torch.tensor([0.7]), torch.tensor([-0.4])
        theirs = edm.precondition_outputs(x_t, net, torch.tensor(sigma))
        assert found.skip * x_t + found.out * net == approx(theirs, abs=1e-5)


# --- the best guess ---------------------------------------------------------------------------------------------------


@verifies("diffusion.ideal")
@given(places, times)
@few
def test_the_best_guess_is_the_mean_by_bayes_rule(x_t, t):
    assert guess(x_t, t)[0] == approx(expected(lambda x: x, x_t, t), abs=1e-5)


@verifies("diffusion.ideal")
@given(times)
@few
def test_what_the_best_guess_misses_for_points_goes_with_no_function_of_what_it_saw(t):
    """E[(x - guess(x_t)) g(x_t)] = 0 for every g: no other guess has a smaller squared error. By quadrature."""
    left = np.zeros(4)
    for weight, point in zip(WEIGHTS, MEANS, strict=True):
        x_t = t * point + (1 - t) * NODES
        missed = point - guess(x_t, t, sd=0.0)
        tests = np.stack([np.ones_like(x_t), x_t, np.sin(3 * x_t), x_t**2])
        left += weight * tests @ (MASS * missed)
    assert left == approx(0, abs=1e-3)


@verifies("diffusion.tweedie")
@given(places, times)
@few
def test_the_slope_of_the_log_density_gives_the_mean_of_the_data(x_t, t):
    by_slope = diffusion.data_of_score(column(score_by_autograd(x_t, t)), column(x_t), t, 1 - t).item()
    assert by_slope == approx(expected(lambda x: x, x_t, t), abs=1e-4)


# --- flow -------------------------------------------------------------------------------------------------------------


@verifies("flow.conditional")
@given(times, st.integers(0, 1000))
@few
def test_aiming_at_one_example_a_time_has_the_gradient_of_aiming_at_the_mean_of_all(t, seed):
    """A field a + b x + c x^2; one gradient over data and noise, the other over x_t with the true mean velocity."""
    theta = np.random.default_rng(seed).normal(size=3)

    def basis(x):
        return np.stack([np.ones_like(x), x, x**2])

    one_by_one = np.zeros(3)
    for weight, mean in zip(WEIGHTS, MEANS, strict=True):
        x, noise = (np.ravel(part) for part in np.meshgrid(mean + SD * NODES, NODES, indexing="ij"))
        x_t, target = flow.conditional(*map(torch.tensor, (x, noise)), torch.full((len(x),), t).double())
        features = basis(x_t.numpy())
        one_by_one += weight * features @ (np.outer(MASS, MASS).ravel() * (theta @ features - target.numpy()))

    sd = (t**2 * SD**2 + (1 - t) ** 2) ** 0.5
    density = sum(w * norm.pdf(GRID, t * m, sd) for w, m in zip(WEIGHTS, MEANS, strict=True))
    mean_velocity = (guess(GRID, t) - GRID) / (1 - t)
    on_average = np.trapezoid(basis(GRID) * density * (theta @ basis(GRID) - mean_velocity), GRID)
    assert one_by_one == approx(on_average, rel=1e-4, abs=1e-4)


@verifies("flow.score")
@given(places, times)
@few
def test_velocity_and_slope_of_the_log_density_are_one_object(x_t, t):
    """Velocity E[x - noise | x_t] by quadrature, noise = (x_t - t x) / (1 - t); slope by autograd."""
    velocity = expected(lambda x: x - (x_t - t * x) / (1 - t), x_t, t)
    found = flow.score_of_velocity(column(velocity), column(x_t), t).item()
    assert found == approx(score_by_autograd(x_t, t), abs=1e-4 / (1 - t) ** 2)


@verifies("diffusion.guidance")
@given(places, times, st.floats(0, 4))
@few
def test_a_classifier_and_two_ways_of_mixing_push_alike(x_t, t, weight):
    """The classifier's slope is taken from its own formula, by autograd; label y means the last two bumps."""
    told_weights = np.array([0.0, 0.4, 0.6])
    told, untold = (score_by_autograd(x_t, t, each) for each in (told_weights, WEIGHTS))
    x = torch.tensor(x_t, dtype=torch.float64, requires_grad=True)
    sd = (t**2 * SD**2 + (1 - t) ** 2) ** 0.5
    bumps = (Normal(t * torch.tensor(MEANS), sd).log_prob(x) + torch.tensor(WEIGHTS).log()).softmax(0)
    (slope,) = torch.autograd.grad((bumps[1] + bumps[2]).log(), x)
    by_classifier = untold + weight * slope.item()
    blend = diffusion.guided(column(told), column(untold), weight).item()
    assert blend == approx(by_classifier, abs=1e-3)
    if weight >= 1:
        excess = diffusion.guided(column(told), column(untold), weight - 1, "excess").item()
        assert excess == approx(blend, abs=1e-9)
