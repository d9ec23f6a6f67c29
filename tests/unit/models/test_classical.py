"""genai_utils.models.classical against scikit-learn, hmmlearn, scipy and sums over all possibilities."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import mixture
from sklearn.decomposition import PCA

from genai_utils.data import toys
from genai_utils.models.classical import HMM, ByteGaussian, ClassGaussians, GaussianMixture, GaussianPCA, PixelTables

few = settings(max_examples=15)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def cloud(n=300, d=5, seed=0):
    """Correlated examples of different spread along each axis."""
    return (
        torch.randn(n, d, generator=seeded(seed), dtype=torch.float64) @ torch.randn(d, d, generator=seeded(9)).double()
    )


def rows(*shape, seed=0):
    """Random probabilities that sum to one along the last axis."""
    table = torch.rand(shape, generator=seeded(seed), dtype=torch.float64) + 0.05
    return table / table.sum(dim=-1, keepdim=True)


def random_hmm(states=3, symbols=4, seed=0):
    return HMM(rows(states, seed=seed), rows(states, states, seed=seed + 1), rows(states, symbols, seed=seed + 2))


# --- tables -----------------------------------------------------------------------------------------------------------


def test_tables_count_levels_and_smooth_them():
    pixels = torch.tensor([[0, 2], [0, 1], [1, 2]], dtype=torch.uint8)
    tables = PixelTables.fit(pixels, levels=3, smoothing=1)
    torch.testing.assert_close(6 * tables.probabilities, torch.tensor([[3.0, 2, 1], [1, 2, 3]]).double())
    assert tables.log_prob(pixels)[1] == pytest.approx(math.log(3 / 6 * 2 / 6))


def test_bytes_are_symbols_of_256_kinds():
    pixels = torch.tensor([[0, 255], [7, 255]], dtype=torch.uint8)
    assert PixelTables.fit(pixels).log_prob(pixels)[0] == pytest.approx(math.log(2 / 258 * 3 / 258))


def test_probabilities_of_all_small_pictures_sum_to_one_and_samples_follow_them():
    tables = PixelTables(rows(3, 4))
    every = torch.tensor(list(itertools.product(range(4), repeat=3)))
    p = tables.log_prob(every).exp()
    assert p.sum() == pytest.approx(1, abs=1e-12)
    drawn = tables.sample(20_000, generator=seeded())
    counts = (drawn @ torch.tensor([16, 4, 1])).bincount(minlength=64)
    assert stats.chisquare(counts, 20_000 * p).pvalue > 1e-4


# --- one Gaussian -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rank", [1, 3])
def test_a_low_rank_gaussian_is_the_probabilistic_pca_of_scikit_learn(rank):
    x, other = cloud(), cloud(seed=1)
    n = len(x)
    theirs = PCA(rank).fit(math.sqrt((n - 1) / n) * (x - x.mean(0)).numpy() + x.mean(0).numpy())  # it divides by n - 1
    expected = theirs.score_samples(other.numpy())
    np.testing.assert_allclose(GaussianPCA.fit(x, rank).log_prob(other), expected, atol=1e-6)


def test_the_full_gaussian_is_that_of_scipy_and_the_floor_adds_to_each_variance():
    x = cloud()
    covariance = np.cov(x.numpy().T, bias=True) + 0.3 * np.eye(5)
    expected = stats.multivariate_normal.logpdf(x.numpy(), x.mean(0).numpy(), covariance)
    np.testing.assert_allclose(GaussianPCA.fit(x, floor=0.3).log_prob(x), expected, atol=1e-9)


def test_whitening_has_an_inverse_and_gives_unit_variances_largest_first():
    x = cloud()
    gaussian = GaussianPCA.fit(x)
    z = gaussian.whiten(x)
    torch.testing.assert_close(gaussian.unwhiten(z), x)
    torch.testing.assert_close(torch.cov(z.T, correction=0), torch.eye(5).double())
    assert (gaussian.variances.diff() <= 0).all()


def test_leading_coordinates_alone_give_the_projection_on_the_first_axes():
    x = cloud()
    expected = PCA(2).fit(x.numpy())
    projected = expected.inverse_transform(expected.transform(x.numpy()))
    gaussian = GaussianPCA.fit(x)
    np.testing.assert_allclose(gaussian.unwhiten(gaussian.whiten(x)[:, :2]), projected, atol=1e-9)


def test_samples_of_a_gaussian_have_its_mean_and_covariance():
    x = cloud()
    fitted = GaussianPCA.fit(x)
    torch.testing.assert_close(fitted.covariance, torch.cov(x.double().T, correction=0))
    drawn = fitted.sample(50_000, generator=seeded(3))
    scale = x.std(0).outer(x.std(0))
    assert ((torch.cov(drawn.T) - torch.cov(x.T, correction=0)) / scale).abs().max() < 0.03
    assert ((drawn.mean(0) - x.mean(0)) / x.std(0)).abs().max() < 0.03


# --- bell curves over bytes -------------------------------------------------------------------------------------------


def dark_pair(correlation=0.8):
    """Two pixels near black that move together: mean and covariance."""
    return torch.tensor([0.01, 0.03]).double(), torch.tensor([[0.02, correlation * 0.02], [correlation * 0.02, 0.02]])


def test_probabilities_of_all_pictures_of_two_bytes_sum_to_one():
    every = torch.tensor(list(itertools.product(range(256), repeat=2)))
    assert float(ByteGaussian(*dark_pair()).log_prob(every).exp().sum()) == pytest.approx(1, abs=1e-9)


def test_pixels_that_do_not_know_of_each_other_have_scipys_probabilities_with_tails_at_both_ends():
    mean, sd = np.array([-0.2, 0.5, 1.1]), np.array([0.1, 0.3, 0.05])
    curve = ByteGaussian(torch.tensor(mean), torch.tensor(np.diag(sd**2)))
    pixels = torch.tensor([[0, 255, 255], [3, 128, 250], [1, 0, 255]], dtype=torch.uint8)
    edges = np.concatenate([[-np.inf], np.arange(1, 256) / 256, [np.inf]])
    expected = [
        sum(math.log(stats.norm.cdf(edges[b + 1], m, s) - stats.norm.cdf(edges[b], m, s)) for b, m, s in row)
        for row in (zip(picture.tolist(), mean, sd, strict=True) for picture in pixels)
    ]
    np.testing.assert_allclose(curve.log_prob(pixels), expected, atol=1e-6)
    np.testing.assert_allclose(curve.log_prob_whole(pixels), expected, atol=1e-6)


def test_a_byte_far_out_in_a_tail_keeps_its_digits():
    curve = ByteGaussian(torch.tensor([0.1], dtype=torch.float64), torch.tensor([[1e-4]], dtype=torch.float64))
    expected = stats.norm.logsf((200 / 256 - 0.1) / 0.01)  # what lies beyond the next byte does not matter here
    got = curve.log_prob(torch.tensor([[200]], dtype=torch.uint8)).item()
    assert got == pytest.approx(expected, abs=1e-6)
    assert curve.log_prob_whole(torch.tensor([[200]], dtype=torch.uint8)).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("way", ["", "_whole"])
def test_samples_of_a_bell_curve_over_bytes_follow_its_probabilities(way):
    """Black or not, for both pixels: counts against sums of probabilities, or against scipy's integrals."""
    mean, covariance = dark_pair()
    curve = ByteGaussian(mean, covariance)
    drawn = getattr(curve, f"sample{way}")(40_000, generator=seeded())
    assert drawn.dtype is torch.uint8 and drawn.shape == (40_000, 2)
    counts = torch.bincount((drawn[:, 0] > 0) * 2 + (drawn[:, 1] > 0).long(), minlength=4)
    if way:
        box = stats.multivariate_normal(mean.numpy(), covariance.numpy())
        both, first, second = (box.cdf(at) for at in ([1 / 256, 1 / 256], [1 / 256, 9], [9, 1 / 256]))
        p = [both, first - both, second - both, 1 - first - second + both]
    else:
        every = torch.tensor(list(itertools.product(range(256), repeat=2)))
        p = curve.log_prob(every).exp()
        p = [float(p[((every[:, 0] > 0) == a) & ((every[:, 1] > 0) == b)].sum()) for a in (0, 1) for b in (0, 1)]
    assert stats.chisquare(counts, 40_000 * np.array(p) / sum(p)).pvalue > 1e-4


def test_more_walks_come_closer_to_the_probability_of_a_whole_picture():
    curve = ByteGaussian(*dark_pair())
    pixels = curve.sample_whole(2_000, generator=seeded())
    one, many = (curve.log_prob_whole(pixels, draws=k, generator=seeded(1)).mean() for k in (1, 20))
    assert many > one


def test_a_bell_curve_without_a_width_is_refused():
    with pytest.raises(ValueError, match="covariance must be positive definite"):
        ByteGaussian(torch.zeros(2), torch.zeros(2, 2))
    with pytest.raises(ValueError, match="symbols must be 0 to 255"):
        ByteGaussian(torch.zeros(2), torch.eye(2)).log_prob(torch.tensor([[0, 256]]))


def clothes(n=40, kinds=3, spread=0.05):
    """Images of a few kinds, each a gray level of its own, that differ along two directions a kind."""
    torch.manual_seed(0)
    labels = torch.arange(kinds).repeat_interleave(n)
    axes = torch.nn.functional.normalize(torch.randn(kinds, 2, 784), dim=2)
    offsets = torch.einsum("na,nad->nd", torch.randn(len(labels), 2) * 784**0.5 * spread, axes[labels])
    return (0.5 * (labels[:, None] - 1) + offsets).view(-1, 1, 28, 28), labels


def test_class_gaussians_draw_each_kind_with_the_mean_and_the_variances_of_its_own():
    images, labels = clothes()
    drawn = ClassGaussians.fit(images, labels, rank=2).sample(6_000, labels=torch.arange(3).repeat(2_000))
    assert drawn.shape == (6_000, 1, 28, 28) and drawn.dtype is torch.float32
    for kind in range(3):
        ours, theirs = drawn[kind::3].flatten(1), images[labels == kind].flatten(1)
        torch.testing.assert_close(ours.mean(0), theirs.mean(0), atol=0.02, rtol=0)
        assert ours.var(dim=0).sum().item() == pytest.approx(theirs.var(dim=0, correction=0).sum().item(), rel=0.05)


def test_class_gaussians_leave_out_all_but_the_largest_axes():
    images, labels = clothes()
    drawn = ClassGaussians.fit(images, labels, rank=1).sample(50, labels=torch.ones(50, dtype=torch.long)).flatten(1)
    assert torch.linalg.matrix_rank((drawn - drawn.mean(0)).double(), atol=1e-3) == 1


def test_class_gaussians_stay_gray_levels_and_repeat_with_their_generator():
    model = ClassGaussians.fit(*clothes(spread=2.0), rank=2)
    first, again, other = (model.sample(30, generator=seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other) and first.abs().max() == 1
    with pytest.raises(ValueError, match=r"takes labels \(4,\) in 0..2, got \(4,\) with 0 to 3"):
        model.sample(4, labels=torch.arange(4))


def test_a_gaussian_with_too_few_examples_is_refused_without_a_floor():
    x = torch.cat([cloud(n=50), torch.ones(50, 1).double()], dim=1)
    with pytest.raises(ValueError, match="give floor > 0"):
        GaussianPCA(x[0, :2], torch.tensor([1.0, 0.0]), torch.eye(2))
    with pytest.raises(ValueError, match=r"must be \(n, d\) with n >= 2"):
        GaussianPCA.fit(x[0])
    with pytest.raises(ValueError, match="finite"):
        GaussianPCA.fit(x * math.nan)


# --- mixtures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize("steps", [1, 12])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_steps_of_em_are_those_of_scikit_learn(diagonal, steps):
    x, k, floor = torch.cat([cloud(), cloud(seed=1) + 2]), 3, 1e-3
    ours = start = GaussianMixture.start(x, k, seeded(4)).step(x, floor, diagonal)
    for _ in range(steps):
        ours = ours.step(x, floor, diagonal)
    variances = start.covariances.diagonal(dim1=1, dim2=2)
    theirs = mixture.GaussianMixture(
        k, covariance_type="diag" if diagonal else "full", tol=0, reg_covar=floor, max_iter=steps,
        weights_init=start.weights, means_init=start.means,
        precisions_init=1 / variances if diagonal else torch.linalg.inv(start.covariances),
    ).fit(x.numpy())  # fmt: skip
    np.testing.assert_allclose(ours.log_prob(x), theirs.score_samples(x.numpy()), atol=1e-6)
    np.testing.assert_allclose(ours.responsibilities(x), theirs.predict_proba(x.numpy()), atol=1e-6)


def test_a_mixture_starts_at_examples_with_the_spread_of_all():
    x = cloud()
    start = GaussianMixture.start(x, 3, generator=seeded())
    assert start.weights.tolist() == pytest.approx([1 / 3] * 3)
    assert all((x == mean).all(dim=1).any() for mean in start.means) and len(start.means.unique(dim=0)) == 3
    for covariance in start.covariances:
        torch.testing.assert_close(covariance, torch.cov(x.double().T, correction=0))


def test_samples_of_a_mixture_come_from_its_components_in_proportion():
    weights, means = torch.tensor([0.2, 0.8]), torch.tensor([[-20.0, 0.0], [20.0, 5.0]])
    covariances = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[2.0, 1.2], [1.2, 1.0]]])
    drawn = GaussianMixture(weights, means, covariances).sample(40_000, generator=seeded())
    right = drawn[drawn[:, 0] > 0]
    assert len(right) / 40_000 == pytest.approx(0.8, abs=0.01)
    assert (torch.cov(right.T) - covariances[1]).abs().max() < 0.06
    assert (right.mean(0) - means[1]).abs().max() < 0.04


def test_a_component_that_collapses_on_a_point_is_named_unless_there_is_a_floor():
    x = torch.cat([torch.full((20, 1), 5.0), torch.randn(200, 1, generator=seeded())])
    weights, means = torch.tensor([0.1, 0.9]), torch.tensor([[5.0], [0.0]])
    with pytest.raises(ValueError, match="component 0 has collapsed.*floor > 0"):
        GaussianMixture(weights, means, torch.tensor([[[0.0]], [[1.0]]]))
    model = GaussianMixture(weights, means, torch.tensor([[[1e-6]], [[1.0]]]))
    assert model.step(x, floor=1e-4).covariances[0].item() == pytest.approx(1e-4, rel=1e-3)
    assert model.step(x).log_prob(x).max() > 20  # without a floor: a density of more than exp(20) at that point


def test_a_mixture_whose_tables_do_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"means must be \(k, d\)"):
        GaussianMixture(torch.ones(1), torch.zeros(1, 2), torch.eye(2))
    with pytest.raises(ValueError, match="weights must be >= 0 and sum to 1"):
        GaussianMixture(torch.ones(2), torch.zeros(2, 1), torch.ones(2, 1, 1))


# --- hidden Markov model ----------------------------------------------------------------------------------------------


def their_hmm(model, **settings):
    from hmmlearn.hmm import CategoricalHMM

    theirs = CategoricalHMM(len(model.start), init_params="", n_features=model.emission.shape[1], **settings)
    theirs.startprob_, theirs.transmat_ = model.start.numpy(), model.transition.numpy()
    theirs.emissionprob_ = model.emission.numpy()
    return theirs


@few
@given(st.integers(2, 5), st.integers(2, 6), st.integers(1, 300), st.integers(0, 50))
def test_log_probabilities_are_those_of_hmmlearn(states, symbols, length, seed):
    model = random_hmm(states, symbols, seed)
    sequence = torch.randint(symbols, (1, length), generator=seeded(seed))
    expected = their_hmm(model).score(sequence.numpy().T)
    assert model.log_prob(sequence).item() == pytest.approx(expected, abs=1e-6)


def test_a_step_of_em_is_that_of_hmmlearn():
    model, truth = random_hmm(2, 3, seed=5), HMM(*toys.small_hmm())
    _, seen = truth.sample(20, 50, generator=seeded())
    theirs = their_hmm(model, n_iter=3, tol=0).fit(seen.reshape(-1, 1).numpy(), [50] * 20)
    ours = model
    for _ in range(3):
        ours = ours.step(seen)
    np.testing.assert_allclose(ours.transition, theirs.transmat_, atol=1e-6)
    np.testing.assert_allclose(ours.emission, theirs.emissionprob_, atol=1e-6)
    np.testing.assert_allclose(ours.start, theirs.startprob_, atol=1e-6)


def test_a_long_sequence_does_not_underflow():
    assert random_hmm(3, 4).log_prob(torch.zeros(2, 5_000, dtype=torch.long)).isfinite().all()


def test_an_impossible_symbol_has_log_probability_minus_infinity():
    model = HMM(torch.ones(1), torch.ones(1, 1), torch.tensor([[1.0, 0.0]]))
    assert model.log_prob(torch.tensor([[0, 1, 0]])).item() == -math.inf


def test_hidden_states_walk_as_the_transitions_say_and_symbols_follow_them():
    model = HMM(*toys.small_hmm())
    states, symbols = model.sample(4_000, 25, generator=seeded(2))
    assert states.shape == symbols.shape == (4_000, 25)
    assert (states[:, 0] == 0).double().mean() == pytest.approx(0.7, abs=0.03)
    moved = torch.stack([(states[:, 1:][states[:, :-1] == k] == 1).double().mean() for k in range(2)])
    torch.testing.assert_close(moved, model.transition[:, 1], atol=0.01, rtol=0)
    for k in range(2):
        seen = symbols[states == k].bincount(minlength=3) / (states == k).sum()
        torch.testing.assert_close(seen.double(), model.emission[k], atol=0.02, rtol=0)


def test_smoothing_keeps_unseen_symbols_possible():
    model = random_hmm(2, 3)
    seen = torch.zeros(5, 4, dtype=torch.long)
    assert model.step(seen).emission[:, 1:].max() == 0
    assert model.step(seen, smoothing=0.1).emission.min() > 0


@pytest.mark.parametrize(
    ("symbols", "match"),
    [
        (torch.zeros(3), "whole numbers"), (torch.zeros(2, 3), "whole numbers"), (torch.full((1, 2), 7), "0 to 3"),
        (torch.full((1, 2), -1), "0 to 3"), (torch.zeros(0, 3, dtype=torch.long), "whole numbers"),
    ],
)  # fmt: skip
def test_symbols_that_are_none_are_refused(symbols, match):
    with pytest.raises(ValueError, match=match):
        random_hmm().log_prob(symbols)


def test_tables_of_a_hidden_markov_model_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"transition must have shape \(k, k\), k = 2, got \(3, 3\)"):
        HMM(rows(2), rows(3, 3), rows(2, 4))
    with pytest.raises(ValueError, match="transition must be >= 0 and sum to 1"):
        HMM(rows(2), torch.ones(2, 2), rows(2, 4))
