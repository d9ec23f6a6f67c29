"""Toy distributions: their densities are densities, and their samples follow them."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from genai_utils.data import toys
from genai_utils.data.toys import Mixture, grid, grid_mixture, modes_covered, ring, ring_mixture, two_gaussians


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@st.composite
def mixtures(draw):
    k = draw(st.integers(1, 4))
    weights = draw(st.lists(st.floats(0.05, 5), min_size=k, max_size=k))
    means = draw(st.lists(st.floats(-4, 4), min_size=k, max_size=k))
    sds = draw(st.lists(st.floats(0.2, 2), min_size=k, max_size=k))
    return Mixture(weights, means, sds)


@settings(max_examples=25)
@given(mixtures())
def test_densities_on_the_line_integrate_to_one(mixture):
    points = sorted(mixture.means.tolist())
    area, _ = quad(
        lambda x: float(mixture.prob(torch.tensor(x, dtype=torch.float64))), -30, 30, points=points, limit=200
    )
    assert area == pytest.approx(1, abs=1e-6)


@settings(max_examples=25)
@given(mixtures(), st.floats(-6, 6))
def test_log_densities_agree_with_scipy(mixture, x):
    parts = zip(mixture.weights.tolist(), mixture.means.tolist(), mixture.sds.tolist(), strict=True)
    expected = sum(w * stats.norm.pdf(x, m, s) for w, m, s in parts)
    assert float(mixture.log_prob(torch.tensor(x, dtype=torch.float64))) == pytest.approx(math.log(expected), abs=1e-9)


@pytest.mark.parametrize("mixture", [ring_mixture(sd=0.2), grid_mixture(side=3, sd=0.2)])
def test_densities_in_the_plane_integrate_to_one(mixture):
    ticks = torch.linspace(-4, 4, 401, dtype=torch.float64)
    density = mixture.prob(torch.cartesian_prod(ticks, ticks)).view(401, 401)
    assert float(torch.trapezoid(torch.trapezoid(density, ticks), ticks)) == pytest.approx(1, abs=1e-6)


def test_densities_in_the_plane_agree_with_scipy():
    mixture, x = ring_mixture(modes=5, sd=0.7), torch.tensor([[0.3, -1.2], [2.0, 0.0]])
    expected = sum(stats.multivariate_normal.pdf(x.numpy(), m.numpy(), 0.7**2) / 5 for m in mixture.means)
    assert mixture.prob(x).tolist() == pytest.approx(expected.tolist(), rel=1e-5)


def test_samples_follow_the_density():
    mixture = Mixture([1, 3], [-2.0, 1.0], [0.5, 1.0])
    drawn = mixture.sample(2000, generator=seeded()).numpy()

    def cdf(x):
        return 0.25 * stats.norm.cdf(x, -2, 0.5) + 0.75 * stats.norm.cdf(x, 1, 1)

    assert stats.kstest(drawn, cdf).pvalue > 0.001
    assert stats.kstest(drawn + 0.2, cdf).pvalue < 0.001  # and the test would see a shift


@pytest.mark.parametrize(("draw", "mixture"), [(ring, ring_mixture()), (grid, grid_mixture())])
def test_samples_in_the_plane_are_reproducible_and_reach_every_mode(draw, mixture):
    points = draw(2000, generator=seeded(1))
    assert points.shape == (2000, 2) and points.dtype == torch.float32
    assert torch.equal(points, draw(2000, generator=seeded(1))) and not torch.equal(
        points, draw(2000, generator=seeded(2))
    )
    assert modes_covered(points, mixture) == mixture.modes


def test_the_average_log_density_of_samples_is_minus_the_entropy():
    """Far apart, k modes have the entropy of one Gaussian in the plane plus log k."""
    points = ring(20_000, modes=8, sd=0.05, generator=seeded())
    entropy = math.log(8) + 1 + math.log(2 * math.pi * 0.05**2)
    assert float(-ring_mixture().log_prob(points).mean()) == pytest.approx(entropy, abs=0.03)


def test_the_ring_lies_on_its_circle_and_the_grid_on_its_lines():
    torch.testing.assert_close(ring_mixture(modes=7, radius=3).means.norm(dim=1), torch.full((7,), 3.0).double())
    assert sorted(set(grid_mixture(side=3, spacing=2).means.flatten().tolist())) == [-2.0, 0.0, 2.0]


def test_two_gaussians_are_symmetric_and_as_far_apart_as_asked():
    mixture = two_gaussians(distance=4)
    assert mixture.means.tolist() == [-2.0, 2.0] and mixture.modes == 2
    x = torch.linspace(-5, 5, 11)
    torch.testing.assert_close(mixture.prob(x), mixture.prob(-x))


def test_log_density_has_a_gradient_and_keeps_the_dtype():
    x = torch.zeros(3, requires_grad=True)
    density = Mixture([1], [1.0], [2.0]).log_prob(x)
    density.sum().backward()
    assert density.dtype == torch.float32
    torch.testing.assert_close(x.grad, torch.full((3,), 0.25))  # (mean - x) / sd^2


def test_a_lost_mode_is_counted_as_lost():
    mixture = ring_mixture()
    points = ring(4000, generator=seeded())
    kept = points[(points - mixture.means[2].float()).norm(dim=1) > 0.5]
    assert modes_covered(kept, mixture) == 7


def test_stray_points_do_not_cover_a_mode():
    mixture = ring_mixture()
    one_mode = ring(1000, modes=1, generator=seeded())
    strays = mixture.means.float()  # one point in each other mode
    assert modes_covered(torch.cat([one_mode, strays]), mixture) == 1
    assert modes_covered(10 + one_mode, mixture) == 0


@pytest.mark.parametrize(
    "arguments",
    [([1, 1], [0.0], 1.0), ([1], [[[0.0]]], 1.0), ([-1, 2], [0.0, 1.0], 1.0), ([1], [0.0], 0.0), ([0], [0.0], 1.0)],
)
def test_a_mixture_that_is_none_is_refused(arguments):
    with pytest.raises(ValueError, match="weights"):
        Mixture(*arguments)


def test_no_samples_cover_nothing():
    with pytest.raises(ValueError, match="at least one point"):
        toys.modes_covered(torch.zeros(0, 2), ring_mixture())


def test_the_small_hidden_markov_model_has_rows_that_sum_to_one_and_states_that_differ():
    start, transition, emission = toys.small_hmm()
    for table in (start, transition, emission):
        assert (table > 0).all()
        torch.testing.assert_close(table.sum(dim=-1), torch.ones_like(table.sum(dim=-1)))
    assert (emission[0] - emission[1]).abs().sum() > 0.5  # so that what one sees tells about what one does not
