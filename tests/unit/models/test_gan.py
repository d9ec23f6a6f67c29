"""The networks and losses of genai_utils.models.gan against closed forms, finite differences and torch's own losses."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance
from torch import Tensor, nn

from genai_utils.models import gan

LOSSES_OF_D = [gan.discriminator_loss, gan.hinge_discriminator_loss, gan.wasserstein_critic_loss]
LOSSES_OF_G = [
    gan.generator_loss, gan.saturating_generator_loss, gan.hinge_generator_loss, gan.wasserstein_generator_loss,
]  # fmt: skip

logits = hnp.arrays(np.float64, st.integers(1, 20), elements=st.floats(-30, 30))
densities = hnp.arrays(np.float64, 12, elements=st.floats(1e-3, 10)).map(lambda a: torch.tensor(a / a.sum()))


class Identity(nn.Module):
    """A discriminator whose input is its logit, so that a loss can be called on logits."""

    def forward(self, x: Tensor) -> Tensor:
        return x


class Linear(nn.Module):
    """D(x) = slope . x, with gradient `slope` everywhere; remembers where it was asked."""

    def __init__(self, slope: Tensor):
        super().__init__()
        self.slope = nn.Parameter(slope.clone())

    def forward(self, x: Tensor) -> Tensor:
        self.asked = x.detach()
        return x.flatten(1) @ self.slope


def cubic(x: Tensor) -> Tensor:
    """A curved function of each example, with a gradient that is easy to get wrong by hand."""
    return (x.flatten(1) ** 3).sum(dim=1) + x.flatten(1).prod(dim=1)


def slopes_by_differences(function: nn.Module, x: Tensor, h: float = 1e-5) -> Tensor:
    flat = x.flatten(1)
    columns = []
    for j in range(flat.shape[1]):
        nudge = torch.zeros_like(flat)
        nudge[:, j] = h
        difference = function((flat + nudge).view_as(x)) - function((flat - nudge).view_as(x))
        columns.append(difference / (2 * h))
    return torch.stack(columns, dim=1)


def leaf(values: np.ndarray) -> Tensor:
    return torch.tensor(values, dtype=torch.float32, requires_grad=True)


def gradient(scalar: Tensor, by: Tensor) -> Tensor:
    return torch.autograd.grad(scalar, by)[0]


# --- networks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [gan.Discriminator, gan.MLPDiscriminator, gan.MLPGenerator])
def test_what_is_negative_passes_a_layer_at_a_fifth(build):
    bends = [layer for layer in build().modules() if isinstance(layer, nn.LeakyReLU)]
    assert len(bends) >= 2 and {layer.negative_slope for layer in bends} == {0.2}


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize("build", [gan.Generator, gan.MLPGenerator])
def test_generators_map_noise_to_images_between_minus_one_and_one(build, n):
    G = build(latent=16, width=8).eval()
    G.net[-2].bias.data += 30  # of the last layer: far beyond what a pixel may be
    images = G(torch.randn(n, 16))
    assert images.shape == (n, 1, 28, 28)
    assert 0.99 < images.abs().max() <= 1


@pytest.mark.parametrize("build", [gan.Discriminator, gan.MLPDiscriminator])
def test_discriminators_give_one_logit_an_image(build):
    assert build(width=8)(torch.rand(5, 1, 28, 28)).shape == (5,)
    assert build(width=8).eval()(torch.rand(1, 1, 28, 28)).shape == (1,)


@pytest.mark.parametrize("shape", [(1,), (2,), (3, 4)])
def test_mlps_play_on_any_shape_and_are_unbounded_when_not_squashed(shape):
    G, D = gan.MLPGenerator(4, 16, shape, squash=False), gan.MLPDiscriminator(16, shape)
    far = G(1000 * torch.randn(50, 4))
    assert far.shape == (50, *shape) and far.abs().max() > 1
    assert D(far).shape == (50,)


@pytest.mark.parametrize("G", [gan.Generator(), gan.MLPGenerator()])
@pytest.mark.parametrize("shape", [(64,), (3, 63), (3, 64, 1), (3, 1, 28, 28)])
def test_a_latent_of_the_wrong_shape_is_refused_with_the_right_one(G, shape):
    with pytest.raises(ValueError, match=r"latent must be \(n, 64\), got \(.*\); use torch.randn\(n, 64\)"):
        G(torch.zeros(shape))


@pytest.mark.parametrize("D", [gan.Discriminator(), gan.MLPDiscriminator()])
@pytest.mark.parametrize("shape", [(3, 28, 28), (3, 1, 32, 32), (3, 3, 28, 28), (784,)])
def test_images_of_the_wrong_shape_are_refused_with_the_right_one(D, shape):
    with pytest.raises(ValueError, match=r"examples must be \(n, 1, 28, 28\), got"):
        D(torch.zeros(shape))


@pytest.mark.parametrize("model", [gan.Generator(), gan.Discriminator()])
def test_dcgan_weights_start_at_standard_deviation_one_fiftieth_and_biases_at_zero(model):
    torch.manual_seed(0)
    gan.initialize(model)
    for name, p in ((name, p.detach()) for name, p in model.named_parameters()):
        if p.ndim > 1:
            assert abs(float(p.std()) / 0.02 - 1) < 5 / math.sqrt(2 * p.numel()), name
        elif name.endswith("bias"):
            assert not p.any(), name
        else:
            assert abs(float(p.mean()) - 1) < 5 * 0.02 / math.sqrt(p.numel()), name


@pytest.mark.parametrize("build", [gan.Generator, gan.Discriminator, gan.MLPGenerator, gan.MLPDiscriminator])
def test_in_eval_mode_an_example_does_not_feel_its_neighbours(build):
    model = build(width=8).eval()
    x = torch.randn(6, 64) if "Generator" in build.__name__ else torch.randn(6, 1, 28, 28)
    alone = torch.cat([model(row[None]) for row in x])
    torch.testing.assert_close(model(x), alone, atol=1e-5, rtol=1e-4)


def test_every_parameter_of_both_players_gets_a_gradient_from_its_own_loss():
    G, D = gan.Generator(), gan.Discriminator()
    fake = G(torch.randn(4, 64))
    for player, loss in [
        (D, gan.discriminator_loss(D, torch.randn(4, 1, 28, 28), fake.detach())), (G, gan.generator_loss(D, fake)),
    ]:  # fmt: skip
        assert all(g.any() for g in torch.autograd.grad(loss, list(player.parameters())))


# --- losses -----------------------------------------------------------------------------------------------------------


@given(logits, logits)
def test_discriminator_loss_is_the_sum_of_two_binary_cross_entropies(real, fake):
    real, fake = torch.tensor(real).float(), torch.tensor(fake).float()
    bce = nn.BCEWithLogitsLoss()
    expected = bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))
    torch.testing.assert_close(gan.discriminator_loss(Identity(), real, fake), expected)
    torch.testing.assert_close(gan.value(Identity(), real, fake), -expected)


@given(logits)
def test_generator_loss_is_the_binary_cross_entropy_with_the_label_real(fake):
    fake = torch.tensor(fake).float()
    expected = F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake))
    torch.testing.assert_close(gan.generator_loss(Identity(), fake), expected)


@given(logits, logits)
def test_the_saturating_generator_lowers_exactly_its_part_of_the_value(real, fake):
    real, fake = torch.tensor(real), leaf(fake)
    saturating = gradient(gan.saturating_generator_loss(Identity(), fake), fake)
    torch.testing.assert_close(saturating, gradient(gan.value(Identity(), real, fake), fake))


@given(logits)
def test_both_generators_pull_a_logit_up_with_slopes_of_d_and_one_minus_d(values):
    fake = leaf(values)
    d = torch.sigmoid(fake.detach())
    saturating = gradient(gan.saturating_generator_loss(Identity(), fake), fake)
    nonsaturating = gradient(gan.generator_loss(Identity(), fake), fake)
    torch.testing.assert_close(saturating, -d / len(fake), atol=1e-7, rtol=1e-4)
    torch.testing.assert_close(nonsaturating, -torch.sigmoid(-fake.detach()) / len(fake), atol=1e-7, rtol=1e-4)


@given(logits, logits)
def test_hinge_losses_are_the_written_sums_and_stop_at_the_margin(real, fake):
    x, y = leaf(real), leaf(fake)
    loss = gan.hinge_discriminator_loss(Identity(), x, y)
    assert loss.item() == pytest.approx(np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean(), rel=1e-4)
    pull = gradient(loss, x)
    assert not pull[x > 1].any() and (pull[x < 1] < 0).all()
    assert gan.hinge_generator_loss(Identity(), y).item() == pytest.approx(-fake.mean(), rel=1e-4, abs=1e-5)


@given(st.floats(-3, 3), hnp.arrays(np.float64, 9, elements=st.floats(-5, 5)))
def test_the_best_slope_one_critic_reads_off_the_wasserstein_distance_of_a_shift(shift, points):
    real = torch.tensor(points).float()[:, None]
    fake = real + shift
    critic = Linear(torch.tensor([-1.0 if shift > 0 else 1.0]))
    loss = gan.wasserstein_critic_loss(critic, real, fake)
    assert -loss.item() == pytest.approx(wasserstein_distance(points, points + shift), abs=1e-5)
    assert gan.wasserstein_generator_loss(critic, fake).item() == pytest.approx(-critic(fake).mean().item(), abs=1e-6)


@pytest.mark.parametrize("size", [1e3, 1e6, 1e30])
@pytest.mark.parametrize("loss", LOSSES_OF_D + LOSSES_OF_G)
def test_no_loss_overflows_or_loses_its_gradient_to_nan_at_huge_logits(loss, size):
    fake, critic = torch.tensor([[1.0], [-1.0]], requires_grad=True), Linear(torch.tensor([size]))
    result = loss(critic, -fake, fake) if loss in LOSSES_OF_D else loss(critic, fake)
    assert result.isfinite() and gradient(result, fake).isfinite().all()


@pytest.mark.parametrize("loss", LOSSES_OF_D + LOSSES_OF_G)
def test_losses_of_low_precision_logits_are_computed_in_float32(loss):
    fake = torch.linspace(-3, 3, 40).bfloat16()
    low = loss(Identity(), -fake, fake) if loss in LOSSES_OF_D else loss(Identity(), fake)
    fake = fake.float()
    exact = loss(Identity(), -fake, fake) if loss in LOSSES_OF_D else loss(Identity(), fake)
    assert low.dtype == torch.float32 and float(low) == float(exact)


# --- the optimal discriminator ----------------------------------------------------------------------------------------


@given(densities, densities, st.data())
def test_no_discriminator_beats_p_over_p_plus_q(p, q, data):
    def value_of(d):
        return float((p * d.log() + q * (1 - d).log()).sum())

    other = torch.tensor(data.draw(hnp.arrays(np.float64, len(p), elements=st.floats(1e-6, 1 - 1e-6))))
    assert value_of(gan.optimal_discriminator(p, q)) >= value_of(other) - 1e-12


@given(densities, densities)
def test_value_at_the_optimal_discriminator_is_twice_jensen_shannon_minus_log_four(p, q):
    d = gan.optimal_discriminator(p, q)
    left = float((p * d.log() + q * (1 - d).log()).sum())
    assert left == pytest.approx(2 * jensenshannon(p, q) ** 2 - math.log(4), abs=1e-9)


@given(hnp.arrays(np.int64, 4, elements=st.integers(1, 6)), hnp.arrays(np.int64, 4, elements=st.integers(1, 6)))
def test_at_the_optimum_the_discriminator_loss_is_flat(real_counts, fake_counts):
    """Cells visited as often as the counts say; the logits of D* = p/(p+q) are log p - log q."""
    p, q = real_counts / real_counts.sum(), fake_counts / fake_counts.sum()
    best = gan.optimal_discriminator(p, q)
    cells = leaf(np.log(best / (1 - best)))
    real, fake = cells[np.repeat(range(4), real_counts)], cells[np.repeat(range(4), fake_counts)]
    slope = gradient(gan.discriminator_loss(Identity(), real, fake), cells)
    assert slope.abs().max() < 1e-6


def test_optimal_discriminator_takes_floats_arrays_and_tensors_and_says_half_where_nobody_sampled():
    p, q = [1.0, 0.0, 3.0, 0.0], [1.0, 2.0, 0.0, 0.0]
    expected = [0.5, 0.0, 1.0, 0.5]
    assert [gan.optimal_discriminator(a, b) for a, b in zip(p, q, strict=True)] == expected
    assert gan.optimal_discriminator(np.array(p), np.array(q)).tolist() == expected
    assert gan.optimal_discriminator(torch.tensor(p), torch.tensor(q)).tolist() == expected


# --- penalties --------------------------------------------------------------------------------------------------------


@given(hnp.arrays(np.float64, 6, elements=st.floats(-3, 3)))
def test_penalties_of_a_linear_critic_are_those_of_its_slope_and_teach_it(slope):
    critic = Linear(torch.tensor(slope))
    real, fake = torch.randn(2, 4, 2, 3, dtype=torch.float64)
    size = np.linalg.norm(slope)
    assert gan.r1_penalty(critic, real).item() == pytest.approx(size**2, abs=1e-9)
    assert gan.gradient_penalty(critic, real, fake).item() == pytest.approx((size - 1) ** 2, abs=1e-9)
    by_slope = gradient(gan.r1_penalty(critic, real), critic.slope)
    np.testing.assert_allclose(by_slope.numpy(), 2 * slope, atol=1e-9)


def test_r1_penalty_is_the_squared_slope_found_by_finite_differences():
    x = torch.randn(5, 1, 2, 2, dtype=torch.float64)
    expected = slopes_by_differences(cubic, x).square().sum(dim=1).mean()
    assert gan.r1_penalty(cubic, x).item() == pytest.approx(expected.item(), rel=1e-6)


def test_gradient_penalty_is_the_one_found_by_finite_differences_at_the_same_points():
    real, fake = torch.randn(2, 5, 1, 2, 2, dtype=torch.float64)
    u = torch.rand(5, 1, 1, 1, generator=torch.Generator().manual_seed(3))
    expected = (slopes_by_differences(cubic, u * real + (1 - u) * fake).norm(dim=1) - 1).square().mean()
    found = gan.gradient_penalty(cubic, real, fake, torch.Generator().manual_seed(3))
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)


def test_gradient_penalty_asks_at_one_random_point_of_the_line_between_each_real_and_its_fake():
    critic = Linear(torch.ones(12))
    real, fake = torch.zeros(400, 3, 2, 2), torch.ones(400, 3, 2, 2)
    gan.gradient_penalty(critic, real, fake)
    place = critic.asked.flatten(1)
    assert (place == place[:, :1]).all(), "all entries of an example must share one weight"
    assert 0 <= place.min() < 0.05 and 0.95 < place.max() <= 1 and 0.4 < place.mean() < 0.6


def test_gradient_penalty_refuses_batches_of_different_shape():
    with pytest.raises(ValueError, match=r"must have one shape, got \(4, 2\) and \(3, 2\)"):
        gan.gradient_penalty(Linear(torch.ones(2)), torch.zeros(4, 2), torch.zeros(3, 2))


@pytest.mark.parametrize("penalty", [lambda D, x: gan.gradient_penalty(D, x, -x), gan.r1_penalty])
def test_penalties_reach_the_parameters_of_the_discriminator_and_leave_the_images_alone(penalty):
    D, x = gan.MLPDiscriminator(width=8), torch.randn(3, 1, 28, 28)
    penalty(D, x).backward()
    assert any(p.grad is not None and p.grad.any() for p in D.parameters())
    assert not x.requires_grad


# --- the game itself --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mean", [-1.5, 0.5, 2.0])
def test_a_trained_pair_finds_the_mean_of_the_data(mean):
    """The smallest honest GAN: G shifts a point, D is a slope; R1 keeps the game from orbiting."""
    real = torch.full((1, 1), mean)
    D, shift = Linear(torch.zeros(1)), nn.Parameter(torch.zeros(1, 1))
    for _ in range(400):
        d_loss = gan.discriminator_loss(D, real, shift.detach()) + 0.5 * gan.r1_penalty(D, real)
        D.slope.data -= 0.2 * gradient(d_loss, D.slope)
        shift.data -= 0.2 * gradient(gan.generator_loss(D, shift), shift)
    assert float(shift.detach()) == pytest.approx(mean, abs=0.02)
