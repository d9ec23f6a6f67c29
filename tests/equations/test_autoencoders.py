"""Both sides of every named equation about autoencoders, computed by ways that share no code."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy.integrate import quad
from scipy.linalg import subspace_angles
from scipy.optimize import minimize_scalar
from scipy.stats import norm
from sklearn.decomposition import PCA
from sklearn.metrics import mean_squared_error
from torchmetrics.functional.image import peak_signal_noise_ratio

from genai_utils.data.toys import Mixture
from genai_utils.metrics.distances import psnr
from genai_utils.models import autoencoder as ae
from genai_utils.models import coding

verifies = pytest.mark.verifies
few = settings(max_examples=10)
seeds = st.integers(0, 10_000)


def stretched(n, d, seed):
    """Correlated data (n, d) in float64 whose principal axes have clearly different variances."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.standard_normal((d, d)))[0]
    return rng.standard_normal((n, d)) * 3.0 ** -np.arange(d) @ axes.T


def linear(latent, d, seed=0):
    torch.manual_seed(seed)
    return ae.Autoencoder(latent, hidden=(), shape=(d,), squash=False).double()


def descend(loss_of, parameters, steps, rate=0.02):
    """Adam with a falling rate; returns the last loss."""
    adam = torch.optim.Adam(parameters, rate, betas=(0.9, 0.99))
    for step in range(steps):
        adam.param_groups[0]["lr"] = rate * min(1, 1.5 * (1 - step / steps))
        loss = loss_of()
        adam.zero_grad()
        loss.backward()
        adam.step()
    return loss.item()


# --- reconstruction ---------------------------------------------------------------------------------------------------


@verifies("ae.objective")
@given(seeds)
@few
def test_the_mean_of_the_errors_of_examples_is_sklearns_mean_squared_error(seed):
    x = torch.tensor(stretched(40, 6, seed))
    rebuilt = linear(2, 6, seed)(x).detach()
    assert ae.squared_error(x, rebuilt).mean().item() == approx(mean_squared_error(x, rebuilt), rel=1e-5)


@verifies("ae.psnr")
@given(st.floats(1e-3, 1.5), st.sampled_from([1.0, 2.0, 255.0]), seeds)
@few
def test_psnr_is_that_of_torchmetrics_on_every_scale_of_pixels(sd, peak, seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(4, 1, 8, 8, generator=generator) * peak
    rebuilt = x + sd * peak * torch.randn(x.shape, generator=generator)
    expected = peak_signal_noise_ratio(rebuilt, x, data_range=peak)
    assert psnr(x, rebuilt, peak) == approx(expected.item(), abs=1e-3)


@verifies("ae.covariance")
@given(seeds, st.integers(1, 4))
@few
def test_the_error_of_a_linear_autoencoder_on_centred_data_is_a_function_of_the_covariance(seed, latent):
    x = stretched(50, 5, seed)
    x -= x.mean(0)
    model = linear(latent, 5, seed)
    for layer in (model.encoder[0], model.decoder[0]):
        torch.nn.init.zeros_(layer.bias)
    left = ae.squared_error(torch.tensor(x), model(torch.tensor(x))).mean().item()
    product = (model.decoder[0].weight @ model.encoder[0].weight).detach().numpy()
    rest = np.eye(5) - product
    assert left == approx(np.trace(rest @ np.cov(x.T, ddof=0) @ rest.T) / 5, rel=1e-5)


@verifies("ae.pca")
@pytest.mark.parametrize("seed", range(3))
def test_training_ends_at_the_error_and_in_the_subspace_of_principal_components(seed):
    x, k = stretched(300, 6, seed), 2
    model = linear(k, 6, seed)
    data = torch.tensor(x)
    reached = descend(lambda: ae.squared_error(data, model(data)).mean(), model.parameters(), 1_500)
    pca = PCA(k).fit(x)
    assert reached == approx(np.linalg.eigvalsh(np.cov(x.T, ddof=0))[:-k].sum() / 6, rel=1e-2)
    assert reached == approx(mean_squared_error(x, pca.inverse_transform(pca.transform(x))), rel=1e-2)
    angle = np.degrees(subspace_angles(model.decoder[0].weight.detach().numpy(), pca.components_.T)).max()
    assert angle < 1


@verifies("ae.pca")
@given(seeds)
@few
def test_no_other_subspace_rebuilds_better_than_the_trailing_eigenvalues_allow(seed):
    x = stretched(60, 5, seed)
    x -= x.mean(0)
    other = np.linalg.qr(np.random.default_rng(seed + 1).standard_normal((5, 2)))[0]
    assert mean_squared_error(x, x @ other @ other.T) >= np.linalg.eigvalsh(np.cov(x.T, ddof=0))[:-2].sum() / 5 - 1e-12


@verifies("ae.pca")
@pytest.mark.parametrize("k", [1, 2, 3])
def test_of_all_stationary_points_on_principal_axes_only_the_leading_ones_are_no_saddle(k):
    """Every set of at most k eigenvectors: no slope there; its Hessian has a way down unless it is the leading k."""
    variances = torch.tensor([4.0, 2.0, 1.0, 0.5], dtype=torch.float64)
    axes = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(k), dtype=torch.float64))[0]
    data = (variances.sqrt() * axes).T * 2.0
    data = torch.cat([data, -data])  # eight points whose covariance has exactly these axes and variances

    def loss(weights):
        E, D = weights[: 4 * k].view(k, 4), weights[4 * k :].view(4, k)
        return (data - data @ E.T @ D.T).square().mean()

    for size in range(k + 1):
        for chosen in itertools.combinations(range(4), size):
            E = torch.zeros(k, 4, dtype=torch.float64)
            E[:size] = axes[:, list(chosen)].T
            at = torch.cat([E.flatten(), E.T.flatten()]).requires_grad_()
            (slope,) = torch.autograd.grad(loss(at), at)
            assert slope.abs().max() < 1e-9
            lowest = torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, at.detach())).min()
            assert (lowest < -1e-2) == (chosen != tuple(range(k)))
    assert loss(at.detach()) > variances[k:].sum() / 4


# --- denoising --------------------------------------------------------------------------------------------------------


class Shrink(torch.nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x


@verifies("ae.denoising")
@given(st.floats(-0.5, 1.5), st.floats(0.1, 2), seeds)
@few
def test_the_denoising_loss_of_a_shrinking_map_is_bias_plus_variance(factor, sd, seed):
    generator = torch.Generator().manual_seed(seed)
    x = 1.5 * torch.randn(40_000, 3, generator=generator)
    left = ae.denoising_loss(Shrink(factor), x, sd, generator).item()
    bias, variance = (1 - factor) ** 2 * 1.5**2, factor**2 * sd**2
    error = np.sqrt(2 / x.numel()) * (bias + variance)  # the squared error is chi-square with one degree of freedom
    assert left == approx(bias + variance, abs=5 * error)


@verifies("ae.wiener")
@pytest.mark.parametrize("sd", [0.2, 0.7])
def test_regression_of_clean_on_noisy_data_is_the_wiener_filter(sd):
    x, n = stretched(400_000, 4, seed=3), 400_000
    noisy = x + sd * np.random.default_rng(5).standard_normal(x.shape)
    fitted = np.linalg.lstsq(noisy, x, rcond=None)[0].T
    sigma = np.cov(x.T, ddof=0)
    assert fitted == approx(sigma @ np.linalg.inv(sigma + sd**2 * np.eye(4)), abs=6 / (sd * np.sqrt(n)))


@verifies("ae.wiener")
def test_a_linear_denoiser_without_a_waist_is_trained_to_the_wiener_filter():
    x = torch.tensor(stretched(20_000, 3, seed=1))
    model, generator = linear(3, 3), torch.Generator().manual_seed(0)
    descend(lambda: ae.denoising_loss(model, x, 0.4, generator), model.parameters(), 500)
    sigma = np.cov(x.numpy().T, ddof=0)
    product = (model.decoder[0].weight @ model.encoder[0].weight).detach().numpy()
    assert product == approx(sigma @ np.linalg.inv(sigma + 0.16 * np.eye(3)), abs=0.02)


class PosteriorMean(torch.nn.Module):
    """E[x | x + sd * noise = y] of a mixture on the line, by quadrature."""

    def __init__(self, mixture, sd):
        super().__init__()
        self.mixture, self.sd = mixture, sd

    def forward(self, ys):
        return torch.tensor([self.at(y.item()) for y in ys], dtype=torch.float64)

    def at(self, y):
        def density(x):
            return self.mixture.prob(torch.tensor(x, dtype=torch.float64)).item() * norm.pdf(y, x, self.sd)

        around = {"points": [*self.mixture.means.tolist(), y], "limit": 200}
        return quad(lambda x: x * density(x), -9, 9, **around)[0] / quad(density, -9, 9, **around)[0]


@verifies("ae.score")
@pytest.mark.parametrize("sd", [0.3, 1.0])
def test_the_posterior_mean_points_along_the_slope_of_the_noisy_log_density(sd):
    hills = Mixture([0.3, 0.7], [-2.0, 1.5], [0.4, 0.7])
    noisy = Mixture(hills.weights, hills.means, (hills.sds**2 + sd**2).sqrt())
    y = torch.linspace(-4, 4, 9, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(noisy.log_prob(y).sum(), y)
    assert ae.score(PosteriorMean(hills, sd), y.detach(), sd).numpy() == approx(slope.numpy(), abs=1e-5)


# --- coding without a network -----------------------------------------------------------------------------------------


MAX_1960 = {2: 0.3634, 4: 0.1175, 8: 0.03454, 16: 0.009497}  # his table 1: levels, mean squared error at variance 1


@verifies("ae.lloyd-max")
@pytest.mark.parametrize("levels", MAX_1960)
def test_on_a_bell_curve_the_levels_have_the_error_that_max_tabulated(levels):
    """Fitted to 100,000 exact quantiles; the error is integrated over the density with scipy."""
    bell = torch.tensor(norm.ppf((np.arange(100_000) + 0.5) / 100_000))[None]
    found = coding.lloyd_max(bell, levels, rounds=2_000)[0].numpy()
    edges = np.r_[-9, (found[1:] + found[:-1]) / 2, 9]
    error = sum(
        quad(lambda x, y=y: (x - y) ** 2 * norm.pdf(x), a, b)[0]
        for y, a, b in zip(found, edges[:-1], edges[1:], strict=True)
    )
    assert error == approx(MAX_1960[levels], rel=2e-3)


@verifies("ae.lloyd-max")
@given(seeds, st.integers(2, 9))
@few
def test_each_level_is_the_mean_of_the_values_nearest_to_it(seed, levels):
    values = np.random.default_rng(seed).gamma(2.0, size=500)
    found = coding.lloyd_max(torch.tensor(values)[None], levels, rounds=2_000)[0].numpy()
    cell = np.abs(values[:, None] - found).argmin(axis=1)
    for j, level in enumerate(found):
        assert (cell != j).all() or level == approx(values[cell == j].mean(), abs=1e-6)


@verifies("ae.allocation")
@given(seeds, st.integers(0, 9))
@few
def test_no_other_way_to_share_out_the_bits_has_a_smaller_error(seed, bits):
    """All ways are tried, on tables that fall in no special way."""
    errors = np.random.default_rng(seed).random((4, 4))
    ways = [way for way in itertools.product(range(4), repeat=4) if sum(way) <= bits]
    best = min(errors[range(4), way].sum() for way in ways)
    found = coding.allocate_bits(torch.tensor(errors), bits).tolist()
    assert sum(found) <= bits and errors[range(4), found].sum() == approx(best)


# --- from a score to money --------------------------------------------------------------------------------------------


def cost(t, look, miss, share, good, bad):
    return look * ((1 - share) * good.sf(t) + share * bad.sf(t)) + miss * share * bad.cdf(t)


@verifies("ae.cost")
def test_the_cost_of_a_threshold_is_the_mean_bill_of_many_pieces():
    rng, n = np.random.default_rng(0), 400_000
    good, bad, look, miss, share = norm(0, 1), norm(1.5, 1.2), 1.0, 30.0, 0.1
    faulty = rng.random(n) < share
    score = np.where(faulty, bad.rvs(n, random_state=rng), good.rvs(n, random_state=rng))
    bills = look * (score > 0.8) + miss * (faulty & (score <= 0.8))
    assert bills.mean() == approx(cost(0.8, look, miss, share, good, bad), abs=5 * bills.std() / np.sqrt(n))


@verifies("ae.threshold")
@given(st.floats(0.01, 0.4), st.floats(3, 50), st.floats(1, 3))
@few
def test_at_the_cheapest_threshold_the_chance_of_a_fault_is_the_ratio_of_the_prices(share, miss, gap):
    good, bad = norm(0, 1), norm(gap, 1)
    search = minimize_scalar(cost, bounds=(-9, 12), method="bounded", args=(1.0, miss, share, good, bad))
    chance = share * bad.pdf(search.x) / (share * bad.pdf(search.x) + (1 - share) * good.pdf(search.x))
    assert chance == approx(1 / miss, rel=1e-2)
