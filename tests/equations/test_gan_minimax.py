"""Both sides of every named equation about GANs, computed by ways that share no code."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy.integrate import fixed_quad
from scipy.optimize import linprog, minimize_scalar
from scipy.spatial.distance import jensenshannon
from scipy.special import expit, log_expit, ndtr, rel_entr
from scipy.stats import wasserstein_distance

from genai_utils.models import gan

verifies = pytest.mark.verifies
few = settings(max_examples=15)

GRID = np.linspace(-10, 10, 20_001)  # so far that densities vanish, so near that they do not underflow


class Hills:
    """A mixture of Gaussians on the line."""

    def __init__(self, hills):
        self.weights, self.means, self.sds = (np.array(column, dtype=float) for column in zip(*hills, strict=True))
        self.weights /= self.weights.sum()

    def pdf(self, x):
        z = (np.asarray(x)[..., None] - self.means) / self.sds
        return np.exp(-0.5 * z**2) @ (self.weights / self.sds) / np.sqrt(2 * np.pi)

    def cdf(self, x):
        return ndtr((np.asarray(x)[..., None] - self.means) / self.sds) @ self.weights

    def draw(self, n, seed=0):
        rng = np.random.default_rng(seed)
        which = rng.choice(len(self.means), n, p=self.weights)
        return self.means[which] + self.sds[which] * rng.standard_normal(n)


def hills():
    hill = st.tuples(st.floats(0.1, 1), st.floats(-3, 3), st.floats(0.5, 1.2))
    return st.lists(hill, min_size=1, max_size=3).map(Hills)


def quadrature(f):
    """Gauss-Legendre in 160 pieces of the line; on_grid() below is the trapezoid rule."""
    cuts = np.linspace(-10, 10, 161)
    return sum(fixed_quad(f, a, b, n=12)[0] for a, b in zip(cuts, cuts[1:], strict=False))


def on_grid(f):
    return np.trapezoid(f(GRID), GRID)


def value(p, q, D):
    """V by Gauss-Legendre quadrature; D a probability."""
    return quadrature(lambda x: p.pdf(x) * np.log(D(x)) + q.pdf(x) * np.log1p(-D(x)))


def share_of_real(p, q):
    """D*, kept off 0 and 1 by less than any tolerance here."""
    return lambda x: np.clip(p.pdf(x) / np.maximum(p.pdf(x) + q.pdf(x), 1e-300), 1e-15, 1 - 1e-15)


def logits_of(f):
    """A discriminator with logit f, as the package wants it: a module."""

    class Discriminator(torch.nn.Module):
        def forward(self, x):
            return f(x)

    return Discriminator()


# --- the value and its best discriminator -----------------------------------------------------------------------------


@verifies("gan.value")
@given(hills(), hills(), st.floats(-2, 2), st.floats(-1, 1))
@few
def test_the_value_as_expectation_over_samples_is_the_value_as_integral(p, q, slope, shift):
    n = 40_000
    real, fake = p.draw(n), q.draw(n, seed=9)
    sampled = gan.value(logits_of(lambda x: slope * x + shift), torch.tensor(real), torch.tensor(fake)).item()
    exact = value(p, q, lambda x: expit(slope * x + shift))
    noise = np.hypot(log_expit(slope * real + shift).std(), log_expit(-slope * fake - shift).std()) / np.sqrt(n)
    assert sampled == approx(exact, abs=5 * noise + 1e-6)


@verifies("gan.value")
def test_the_loss_of_the_discriminator_is_minus_the_value_and_twice_the_mean_cross_entropy():
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.randn(300, generator=generator), torch.randn(300, generator=generator) + 1
    labels = torch.cat([torch.ones(300), torch.zeros(300)])
    expected = 2 * F.binary_cross_entropy_with_logits(torch.sin(torch.cat([real, fake])), labels)
    assert gan.discriminator_loss(logits_of(torch.sin), real, fake) == approx(expected.item(), abs=1e-5)


@verifies("gan.optimal-d")
@given(st.floats(1e-3, 10), st.floats(1e-3, 10))
def test_no_answer_scores_higher_than_the_share_of_real_samples(p, q):
    search = minimize_scalar(lambda y: -p * np.log(y) - q * np.log1p(-y), bounds=(1e-9, 1 - 1e-9), method="bounded")
    assert gan.optimal_discriminator(p, q) == approx(search.x, abs=1e-4)


@verifies("gan.optimal-d")
def test_the_share_of_real_samples_in_a_narrow_bin_is_the_optimal_discriminator():
    p, q, n = Hills([(1, -1, 0.7), (2, 1.5, 0.5)]), Hills([(1, 0.3, 1.0)]), 400_000
    real, fake = p.draw(n), q.draw(n, seed=7)
    for x in (-1.5, 0.0, 0.8, 2.0):
        hits = [np.sum(abs(samples - x) < 0.02) for samples in (real, fake)]
        expected = gan.optimal_discriminator(p.pdf(x), q.pdf(x))
        assert hits[0] / sum(hits) == approx(expected, abs=5 * 0.5 / np.sqrt(sum(hits)))


@verifies("gan.regret")
@given(hills(), hills(), st.floats(-1.5, 1.5), st.floats(-1, 1))
@few
def test_what_a_discriminator_loses_is_the_mean_divergence_between_coins(p, q, slope, shift):
    best, mine = share_of_real(p, q), lambda x: expit(slope * x + shift)
    lost = value(p, q, best) - value(p, q, mine)

    def coins(x):
        a, b = best(x), mine(x)
        return (p.pdf(x) + q.pdf(x)) * (rel_entr(a, b) + rel_entr(1 - a, 1 - b))

    assert lost == approx(on_grid(coins), abs=1e-6)
    assert lost >= -1e-9


@verifies("gan.jsd")
@given(hills(), hills())
@few
@pytest.mark.filterwarnings("ignore:invalid value encountered in sqrt")
def test_the_value_at_the_optimal_discriminator_is_jensen_shannon(p, q):
    left = value(p, q, share_of_real(p, q))
    root = np.nan_to_num(jensenshannon(p.pdf(GRID), q.pdf(GRID)))  # nan: the root of a rounding error below 0
    right = 2 * root**2 - np.log(4)
    assert left == approx(right, abs=1e-6)


@verifies("gan.jsd")
def test_a_perfect_generator_leaves_minus_log_four():
    p = Hills([(1, -1, 0.5), (1, 2, 0.8)])
    assert value(p, p, share_of_real(p, p)) == approx(-1.3862944, abs=1e-6)


# --- what the generator hears -----------------------------------------------------------------------------------------

P = Hills([(7, -2, 0.7), (3, 2, 0.5)])
SD = 0.8
Z = torch.linspace(-9, 9, 4_001, dtype=torch.float64)
Z_WEIGHTS = torch.softmax(-Z.square() / 2, 0)  # a standard normal on equally spaced points


def log_hills(p, x):
    """Log density of a mixture, differentiable in x."""
    weights, means, sds = (torch.tensor(each) for each in (p.weights, p.means, p.sds))
    return torch.logsumexp(weights.log() + torch.distributions.Normal(means, sds).log_prob(x[:, None]), 1)


def slope_of_loss(loss, at):
    """Slope in theta of E_z loss(logit of D*(theta + SD z)), D* held at theta = at: a sum over z, and autograd."""
    theta = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    x = theta + SD * Z
    logit = log_hills(P, x) - torch.distributions.Normal(at, SD).log_prob(x)
    return torch.autograd.grad((Z_WEIGHTS * loss(logit)).sum(), theta)[0].item()


def slope(f, at, e=1e-4):
    """Central difference."""
    return (f(at + e) - f(at - e)) / (2 * e)


def generator_at(theta):
    return Hills([(1, theta, SD)])


def twice_jsd(theta):
    return 2 * jensenshannon(P.pdf(GRID), generator_at(theta).pdf(GRID)) ** 2


@verifies("gan.saturating")
@given(st.floats(-8, 8))
def test_the_slope_of_the_saturating_loss_is_minus_d(logit):
    assert slope(lambda a: np.log1p(-expit(a)), logit) == approx(-expit(logit), abs=1e-6)


@verifies("gan.nonsaturating")
@given(st.floats(-8, 8))
def test_the_slope_of_the_non_saturating_loss_is_minus_one_minus_d(logit):
    assert slope(lambda a: -np.log(expit(a)), logit) == approx(-(1 - expit(logit)), abs=1e-6)


@verifies("gan.saturating", "gan.nonsaturating")
@given(hills(), st.floats(-2, 2), st.floats(-1, 1))
@few
def test_the_losses_of_the_generator_are_expectations_over_its_samples(q, w, b):
    n = 20_000
    fake, D = torch.tensor(q.draw(n)), logits_of(lambda x: w * x + b)
    for loss, integrand in [
        (gan.saturating_generator_loss, lambda x: np.log1p(-expit(w * x + b))),
        (gan.generator_loss, lambda x: -np.log(expit(w * x + b))),
    ]:
        exact = quadrature(lambda x, f=integrand: q.pdf(x) * f(x))
        assert loss(D, fake).item() == approx(exact, abs=5 * integrand(fake.numpy()).std() / np.sqrt(n) + 1e-6)


@verifies("gan.envelope")
@pytest.mark.parametrize("theta", [-2.5, -1.0, 0.3, 1.2, 3.0])
def test_the_saturating_loss_at_the_optimal_discriminator_descends_jensen_shannon(theta):
    frozen = slope_of_loss(lambda logit: F.logsigmoid(-logit), theta)
    assert frozen == approx(slope(twice_jsd, theta), abs=1e-5)


@verifies("gan.nonsaturating-divergence")
@pytest.mark.parametrize("theta", [-2.5, -1.0, 0.3, 1.2, 3.0])
def test_the_non_saturating_loss_at_the_optimal_discriminator_descends_reverse_kl_minus_twice_jsd(theta):
    def divergence(at):
        q = generator_at(at).pdf
        return on_grid(lambda x: rel_entr(q(x), P.pdf(x))) - twice_jsd(at)

    frozen = slope_of_loss(lambda logit: -F.logsigmoid(logit), theta)
    assert frozen == approx(slope(divergence, theta), abs=1e-5)


# --- distances --------------------------------------------------------------------------------------------------------


@verifies("gan.jsd-disjoint")
@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=8), st.lists(st.floats(0.01, 1), min_size=1, max_size=8))
def test_without_overlap_jensen_shannon_is_log_two_and_the_game_is_worth_nothing(a, b):
    p = np.r_[a, np.zeros(len(b))] / sum(a)
    q = np.r_[np.zeros(len(a)), b] / sum(b)
    assert jensenshannon(p, q) ** 2 == approx(np.log(2))
    D = np.clip(gan.optimal_discriminator(p, q), 1e-12, 1 - 1e-12)
    assert np.sum(p * np.log(D) + q * np.log1p(-D)) == approx(0, abs=1e-9)


def points():
    return st.lists(st.floats(-5, 5).map(lambda x: round(x, 3)), min_size=1, max_size=6)


@verifies("gan.wasserstein")
@given(points(), points())
@few
def test_the_cheapest_plan_costs_what_the_best_critic_with_slope_one_earns(real, fake):
    n, m = len(real), len(fake)
    margins = np.r_[np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))].reshape(n + m, n * m)
    cost = abs(np.subtract.outer(real, fake)).ravel()
    plan = linprog(cost, A_eq=margins, b_eq=np.r_[np.full(n, 1 / n), np.full(m, 1 / m)])

    where = np.array([*real, *fake])
    pairs = [(i, j) for i in range(n + m) for j in range(n + m) if i != j]
    steep = np.array([np.eye(n + m)[i] - np.eye(n + m)[j] for i, j in pairs])
    room = np.array([abs(where[i] - where[j]) for i, j in pairs])
    gain = np.r_[np.full(n, 1 / n), np.full(m, -1 / m)]
    critic = linprog(-gain, A_ub=steep, b_ub=room, bounds=(-20, 20))
    assert plan.fun == approx(-critic.fun, abs=1e-7)
    assert plan.fun == approx(wasserstein_distance(real, fake), abs=1e-7)

    values = dict(zip(where.tolist(), critic.x, strict=True))
    D = logits_of(lambda x: torch.tensor([values[each] for each in x.tolist()]))
    loss = gan.wasserstein_critic_loss(D, *(torch.tensor(each, dtype=torch.float64) for each in (real, fake)))
    assert -loss.item() == approx(plan.fun, abs=1e-5)


@verifies("gan.wasserstein-1d")
@given(hills(), hills())
@few
def test_on_the_line_the_distance_is_the_area_between_the_distribution_functions(p, q):
    area = quadrature(lambda x: abs(p.cdf(x) - q.cdf(x)))
    by_weights = wasserstein_distance(GRID, GRID, p.pdf(GRID), q.pdf(GRID))
    assert area == approx(by_weights, abs=1e-4)
    quantiles = (np.arange(200_000) + 0.5) / 200_000
    pairs = [np.interp(quantiles, each.cdf(GRID), GRID) for each in (p, q)]  # the plan that pairs equal quantiles
    assert area == approx(abs(pairs[0] - pairs[1]).mean(), abs=1e-3)


@verifies("gan.total-variation")
@given(hills(), hills(), st.integers(0, 1_000))
@few
def test_the_value_without_logarithms_is_total_variation_reached_by_scoring_fakes_high(p, q, seed):
    half_distance = 0.5 * on_grid(lambda x: abs(p.pdf(x) - q.pdf(x)))
    cuts = GRID[:-1][np.diff(np.sign(q.pdf(GRID) - p.pdf(GRID))) != 0]
    edges = np.r_[-10, cuts, 10]
    gains = [(q.cdf(b) - q.cdf(a)) - (p.cdf(b) - p.cdf(a)) for a, b in zip(edges, edges[1:], strict=False)]
    assert sum(max(gain, 0) for gain in gains) == approx(half_distance, abs=1e-3)
    D = np.random.default_rng(seed).random(len(GRID))
    assert np.trapezoid((q.pdf(GRID) - p.pdf(GRID)) * D, GRID) <= half_distance + 1e-9


# --- the game as motion -----------------------------------------------------------------------------------------------

near = st.floats(-3, 3)


def bce_value(theta, psi):
    """Value of the Dirac-GAN through torch's cross-entropy: one real sample at 0, one fake at theta."""
    real, fake = psi * torch.zeros(1).double(), (psi * theta).reshape(1)
    cross_entropy = F.binary_cross_entropy_with_logits
    return -cross_entropy(real, torch.ones(1).double()) - cross_entropy(fake, torch.zeros(1).double())


def autograd_motion(theta, psi, penalty=0.0):
    """Velocity: the generator descends the value, the discriminator ascends it minus penalty / 2 R1 of the package."""
    state = torch.tensor([theta, psi], dtype=torch.float64, requires_grad=True)
    objective = bce_value(state[0], state[1])
    r1 = gan.r1_penalty(logits_of(lambda x: (state[1] * x).squeeze(1)), torch.zeros(1, 1).double())
    down = torch.autograd.grad(objective, state, retain_graph=True)[0][0]
    up = torch.autograd.grad(objective - penalty / 2 * r1, state)[0][1]
    return np.array([-down.item(), up.item()])


def numeric_jacobian(motion, e=1e-5):
    """At the origin, by central differences."""
    return np.stack([(motion(*(e * axis)) - motion(*(-e * axis))) / (2 * e) for axis in np.eye(2)], axis=1)


def one_round(theta, psi, step, penalty=0.0, alternating=False):
    """A round of gradient steps by autograd."""
    up = autograd_motion(theta, psi, penalty)[1]
    new_psi = psi + step * up
    return np.array([theta + step * autograd_motion(theta, new_psi if alternating else psi)[0], new_psi])


@verifies("gan.dirac")
@given(near, near)
@few
def test_the_motion_of_the_dirac_gan_is_the_gradient_of_its_value(theta, psi):
    rate = 1 / (1 + np.exp(-psi * theta))
    assert autograd_motion(theta, psi) == approx(np.array([psi * rate, -theta * rate]), abs=1e-6)
    value = bce_value(torch.tensor(theta).double(), torch.tensor(psi).double()).item()
    assert value == approx(np.log(0.5) + np.log(1 - expit(psi * theta)), abs=1e-6)


@verifies("gan.dirac")
def test_with_tiny_steps_the_dirac_gan_stays_on_its_circle():
    orbit = np.array([1.0, 0.5])
    for _ in range(2_000):
        rate = expit(orbit.prod())
        middle = orbit + 0.005 * rate * np.array([orbit[1], -orbit[0]])
        orbit = orbit + 0.01 * expit(middle.prod()) * np.array([middle[1], -middle[0]])
    assert np.hypot(*orbit) == approx(np.hypot(1, 0.5), rel=1e-4)


@verifies("gan.dirac-eigenvalues")
def test_the_dirac_gan_turns_and_neither_grows_nor_decays():
    eigenvalues = np.linalg.eigvals(numeric_jacobian(autograd_motion))
    assert sorted(eigenvalues.imag) == approx([-0.5, 0.5], abs=1e-6)
    assert eigenvalues.real == approx(0, abs=1e-6)


@verifies("gan.dirac-simultaneous")
@given(near, near, st.floats(0.01, 2))
@few
def test_a_simultaneous_step_multiplies_the_squared_radius_as_stated(theta, psi, step):
    rate = 1 / (1 + np.exp(-psi * theta))
    after = one_round(theta, psi, step)
    assert after @ after == approx((1 + step**2 * rate**2) * (theta**2 + psi**2), rel=1e-6, abs=1e-12)


@verifies("gan.dirac-simultaneous")
@given(st.floats(0.01, 2))
@few
def test_near_the_centre_the_simultaneous_factor_is_the_spectral_radius(step):
    linear = numeric_jacobian(lambda theta, psi: one_round(theta, psi, step))
    assert abs(np.linalg.eigvals(linear)) == approx(np.sqrt(1 + step**2 / 4), abs=1e-6)


@verifies("gan.dirac-alternating")
@given(st.floats(0.01, 3.9))
@few
def test_an_alternating_round_keeps_the_radius_up_to_step_four(step):
    linear = numeric_jacobian(lambda theta, psi: one_round(theta, psi, step, alternating=True))
    assert linear == approx(np.array([[1 - step**2 / 4, step / 2], [-step / 2, 1]]), abs=1e-6)
    assert abs(np.linalg.eigvals(linear)) == approx(1, abs=1e-4)


@verifies("gan.dirac-alternating")
def test_beyond_step_four_alternating_rounds_fly_apart():
    linear = numeric_jacobian(lambda theta, psi: one_round(theta, psi, 4.2, alternating=True))
    assert abs(np.linalg.eigvals(linear)).max() > 1.5


@verifies("gan.r1")
def test_r1_is_the_mean_squared_slope_of_the_logit_at_real_samples():
    generator = torch.Generator().manual_seed(0)
    w1, w2 = (torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in ((3, 8), (8,)))
    real = torch.randn(50, 3, generator=generator, dtype=torch.float64)
    logit = lambda x: torch.tanh(x @ w1) @ w2  # noqa: E731
    steps = 1e-5 * torch.eye(3).double()
    gradient = torch.stack([(logit(real + e) - logit(real - e)) / 2e-5 for e in steps], dim=1)
    assert gan.r1_penalty(logits_of(logit), real).item() == approx(gradient.square().sum(1).mean().item(), rel=1e-5)


@verifies("gan.dirac-r1")
@given(st.floats(0, 0.99), st.floats(0.01, 1))
@few
def test_r1_moves_the_eigenvalues_into_the_left_half_plane_and_the_steps_inside_the_circle(penalty, step):
    jacobian = numeric_jacobian(lambda theta, psi: autograd_motion(theta, psi, penalty))
    expected = (-penalty + np.array([-1j, 1j]) * np.sqrt(1 - penalty**2)) / 2
    assert np.sort_complex(np.linalg.eigvals(jacobian)) == approx(np.sort_complex(expected), abs=1e-5)
    linear = numeric_jacobian(lambda theta, psi: one_round(theta, psi, step, penalty))
    assert abs(np.linalg.eigvals(linear)) ** 2 == approx(1 - step * penalty + step**2 / 4, abs=1e-5)
    in_turn = numeric_jacobian(lambda theta, psi: one_round(theta, psi, step, penalty, alternating=True))
    assert np.linalg.det(in_turn) == approx(1 - step * penalty, abs=1e-6)


@verifies("gan.dirac-r1")
@pytest.mark.parametrize("penalty", [1.0, 1.7, 3.0])
def test_strong_r1_overdamps(penalty):
    eigenvalues = np.linalg.eigvals(numeric_jacobian(lambda theta, psi: autograd_motion(theta, psi, penalty)))
    expected = (-penalty + np.array([-1, 1]) * np.sqrt(penalty**2 - 1)) / 2
    assert np.sort(eigenvalues.real) == approx(expected, abs=1e-4)


@verifies("gan.dirac-width")
@pytest.mark.parametrize("width", [0.0, 0.3, 1.0, 2.0])
def test_data_with_a_width_brakes_the_game_like_r1(width):
    def motion(theta, psi):
        """Both expectations by Gauss-Hermite, both derivatives written out."""
        z, weights = np.polynomial.hermite_e.hermegauss(60)
        weights = weights / weights.sum()
        real, fake = width * z, theta + width * z
        up = weights @ (real * expit(-psi * real) - fake * expit(psi * fake))
        return np.array([psi * (weights @ expit(psi * fake)), up])

    expected = np.array([[0, 0.5], [-0.5, -(width**2) / 2]])
    assert numeric_jacobian(motion) == approx(expected, abs=1e-5)
    braked = numeric_jacobian(lambda theta, psi: autograd_motion(theta, psi, penalty=width**2 / 2))
    assert braked == approx(expected, abs=1e-5)
