"""The pieces of genai_utils.models.vae against torch.distributions, quadrature and the exact linear-Gaussian model."""

import math
import re
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.decomposition import PCA
from torch import distributions as dist
from torch import nn

from genai_utils import zoo
from genai_utils.data.toys import LinearGaussian
from genai_utils.models import vae


def doubles(low, high):
    return hnp.arrays("float64", (3, 4), elements=st.floats(low, high)).map(torch.from_numpy)


def grey(n, seed=0):
    """Random images whose pixels are bytes."""
    return torch.randint(0, 256, (n, 1, 28, 28), generator=torch.Generator().manual_seed(seed)) / 127.5 - 1


def ppca(seed=0, sd=0.5):
    g = torch.Generator().manual_seed(seed)
    return LinearGaussian(torch.randn(6, 2, generator=g), sd, torch.randn(6, generator=g))


def normal(mean, log_var):
    return dist.Normal(mean, torch.exp(0.5 * log_var))


# --- the linear-Gaussian model ----------------------------------------------------------------------------------------


def test_the_fitted_linear_gaussian_is_scikit_learns_probabilistic_pca():
    x, x_new = ppca().sample(300, generator=torch.Generator().manual_seed(1)), ppca().sample(50)
    fitted, centre = LinearGaussian.fit(x, 2), x.double().mean(dim=0)
    # scikit-learn divides by n - 1, the likeliest model by n: shrink the data of one by what the other leaves out
    pca = PCA(2).fit(((x - centre) * math.sqrt(299 / 300)).numpy())
    expected = pca.score_samples((x_new - centre).numpy())
    torch.testing.assert_close(fitted.log_prob(x_new.double()), torch.tensor(expected), atol=1e-8, rtol=0)


def test_no_other_linear_gaussian_makes_its_data_likelier():
    x = ppca().sample(300, generator=torch.Generator().manual_seed(1))
    best = LinearGaussian.fit(x, 2)
    for loading, sd, mean in [(1.02, 1, 0), (0.98, 1, 0), (1, 1.02, 0), (1, 0.98, 0), (1, 1, 0.02)]:
        other = LinearGaussian(best.loading * loading, best.sd * sd, best.mean + mean)
        assert other.log_prob(x).mean() < best.log_prob(x).mean()


def test_the_posterior_is_bayes_rule():
    """log p(x) = log p(z) + log p(x | z) - log p(z | x), whatever z."""
    truth = ppca()
    x, z = truth.sample(20).double(), torch.randn(20, 2).double()
    mean, covariance = truth.posterior(x)
    joint = vae.log_normal(z) + dist.Normal(z @ truth.loading.T + truth.mean, truth.sd).log_prob(x).sum(dim=1)
    posterior = dist.MultivariateNormal(mean, covariance).log_prob(z)
    torch.testing.assert_close(joint - posterior, truth.log_prob(x))


def test_samples_have_the_moments_of_their_density():
    truth = ppca()
    x = truth.sample(100_000, generator=torch.Generator().manual_seed(0))
    assert x.dtype is torch.float32
    torch.testing.assert_close(x.mean(dim=0).double(), truth.mean, atol=0.03, rtol=0)
    covariance = truth.loading @ truth.loading.T + truth.sd**2 * torch.eye(6)
    torch.testing.assert_close(torch.cov(x.T).double(), covariance, atol=0.1, rtol=0)


@pytest.mark.parametrize(("loading", "sd"), [([[1.0, 2.0]], 1.0), ([1.0, 2.0], 1.0), ([[1.0], [2.0]], 0.0)])
def test_a_linear_gaussian_that_is_none_is_refused(loading, sd):
    with pytest.raises(
        ValueError, match=r"loading must be \(d, k\) with k <= d, got|sd must be in \[1e-06, 1e\+09\], got 0.0"
    ):
        LinearGaussian(loading, sd)


# --- Gaussians --------------------------------------------------------------------------------------------------------


@given(doubles(-5, 5), doubles(-6, 4))
def test_the_kl_of_each_dimension_is_that_of_torch_distributions(mean, log_var):
    expected = dist.kl_divergence(normal(mean, log_var), dist.Normal(0.0, 1.0))
    torch.testing.assert_close(vae.gaussian_kl(mean, log_var), expected)
    assert (vae.gaussian_kl(mean, log_var) >= -1e-12).all()


@given(doubles(-5, 5), doubles(-5, 5), doubles(-6, 4))
def test_log_normal_is_that_of_torch_distributions(z, mean, log_var):
    torch.testing.assert_close(vae.log_normal(z, mean, log_var), normal(mean, log_var).log_prob(z).sum(dim=-1))
    torch.testing.assert_close(vae.log_normal(z), dist.Normal(0.0, 1.0).log_prob(z).sum(dim=-1))


@given(doubles(-5, 5), doubles(-6, 4), doubles(-3, 3))
def test_a_reparameterized_draw_has_the_quantile_of_its_noise(mean, log_var, noise):
    z = vae.reparameterize(mean, log_var, noise)
    torch.testing.assert_close(normal(mean, log_var).cdf(z), dist.Normal(0.0, 1.0).cdf(noise))


def test_gradients_reach_mean_and_variance_through_a_draw():
    mean, log_var = torch.tensor([1.0], requires_grad=True), torch.tensor([0.6], requires_grad=True)
    noise = torch.randn(200_000, 1, generator=torch.Generator().manual_seed(0))
    vae.reparameterize(mean, log_var, noise).square().mean().backward()  # E z^2 = mean^2 + exp log_var
    assert mean.grad.item() == pytest.approx(2.0, abs=0.02)
    assert log_var.grad.item() == pytest.approx(math.exp(0.6), abs=0.03)


# --- observation models -----------------------------------------------------------------------------------------------


def test_bernoulli_is_a_probability_of_black_and_white_images():
    logits, x = 3 * torch.randn(5, 1, 28, 28), grey(5).sign()
    expected = dist.Bernoulli(logits=logits).log_prob((x + 1) / 2).flatten(1).sum(dim=1)
    torch.testing.assert_close(vae.Bernoulli().log_prob(logits, x), expected)
    torch.testing.assert_close(vae.Bernoulli().mean(logits), 2 * dist.Bernoulli(logits=logits).mean - 1)


def test_a_grey_pixel_is_the_blend_of_black_and_white():
    logits, black = torch.randn(2, 1, 28, 28), -torch.ones(2, 1, 28, 28)
    blend = 0.3 * vae.bernoulli_log_likelihood(logits, -black) + 0.7 * vae.bernoulli_log_likelihood(logits, black)
    torch.testing.assert_close(vae.bernoulli_log_likelihood(logits, 0.4 * black.abs() - 0.8), blend)


@given(st.floats(-2, 2), st.floats(-6, 2))
def test_the_probabilities_of_all_grey_levels_add_up_to_one(centre, log_scale):
    x = (torch.arange(256, dtype=torch.float64) / 127.5 - 1).view(-1, 1, 1, 1)
    output = torch.tensor([centre, log_scale], dtype=torch.float64).view(1, 2, 1, 1).expand(256, -1, -1, -1)
    densities = vae.DiscretizedLogistic().log_prob(output, x).exp()
    assert densities.mean().item() == pytest.approx(1, abs=1e-9)  # each holds on an interval of length 1 / 256


def test_a_grey_level_has_the_logistic_mass_around_it():
    x, centre, scale = 100 / 127.5 - 1, -0.3, 0.1
    logistic = dist.TransformedDistribution(
        dist.Uniform(0.0, 1.0, validate_args=False),
        [dist.SigmoidTransform().inv, dist.AffineTransform(centre, scale)],
    )
    edges = torch.tensor([x - 1 / 255, x + 1 / 255])
    mass = float(logistic.cdf(edges).diff())
    output = torch.tensor([centre, math.log(scale)]).view(1, 2, 1, 1)
    found = vae.DiscretizedLogistic().log_prob(output, torch.full((1, 1, 1, 1), x))
    assert found.item() == pytest.approx(math.log(256 * mass), abs=1e-3)


def test_the_discretized_logistic_stays_finite_far_away_and_teaches_there():
    output = torch.tensor([[50.0, -100.0], [-50.0, 100.0]]).view(2, 2, 1, 1).requires_grad_()
    found = vae.DiscretizedLogistic().log_prob(output, torch.zeros(2, 1, 1, 1))
    found.sum().backward()
    assert found.isfinite().all() and output.grad.isfinite().all()
    assert output.grad[0, 0] < 0  # the centre is pulled back


def test_the_scale_of_a_grey_level_lies_between_e_to_the_minus_seven_and_e_to_the_third():
    def of(log_scale):
        output = torch.tensor([0.002, log_scale]).view(1, 2, 1, 1)
        return vae.DiscretizedLogistic().log_prob(output, torch.full((1, 1, 1, 1), 1 / 255)).item()

    assert of(-7.0) == of(-9.0) != of(-6.9) and of(3.0) == of(9.0) != of(2.9)


def test_gaussian_noise_has_the_density_of_torch_distributions():
    observation, output, x = vae.Gaussian(sd=0.3), torch.randn(5, 7), torch.randn(5, 7)
    expected = dist.Normal(output, 0.3).log_prob(x).sum(dim=1)
    torch.testing.assert_close(observation.log_prob(output, x), expected)
    assert observation.mean(output) is output


def test_likelihoods_of_bf16_outputs_are_computed_in_float32():
    logits = torch.randn(2, 1, 28, 28).bfloat16()
    found = vae.bernoulli_log_likelihood(logits, grey(2))
    torch.testing.assert_close(found, vae.bernoulli_log_likelihood(logits.float(), grey(2)), rtol=0, atol=0)


# --- priors -----------------------------------------------------------------------------------------------------------


def scattered_mixture():
    """A mixture of three Gaussians of two numbers, and the same of torch.distributions."""
    prior = vae.MixturePrior(2, components=3)
    prior.logits.data = torch.tensor([0.0, 1.0, -1.0])
    prior.mean.data = torch.tensor([[3.0, 0.0], [-2.0, 1.0], [0.0, -4.0]])
    prior.log_var.data = torch.tensor([[-3.0, 0.0], [0.5, -1.0], [-6.0, -2.0]])
    members = dist.Independent(normal(prior.mean.detach(), prior.log_var.detach()), 1)
    return prior, dist.MixtureSameFamily(dist.Categorical(logits=prior.logits.detach()), members)


def test_the_mixture_has_the_density_of_torch_distributions_in_bf16_too():
    prior, expected = scattered_mixture()
    z = 3 * torch.randn(4, 5, 2, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        found = prior.log_prob(z)
    torch.testing.assert_close(found, expected.log_prob(z), atol=1e-3, rtol=1e-5)


def test_samples_of_the_mixture_have_its_moments_and_repeat_with_their_generator():
    prior, expected = scattered_mixture()
    z, again = (prior.sample(100_000, generator=torch.Generator().manual_seed(0)) for _ in range(2))
    assert torch.equal(z, again) and not torch.equal(prior.sample(10), prior.sample(10))
    torch.testing.assert_close(z.mean(dim=0), expected.mean, atol=0.03, rtol=0)
    torch.testing.assert_close(z.var(dim=0), expected.variance, atol=0.1, rtol=0)


def test_a_mixture_of_one_standard_normal_charges_the_kl_of_the_standard_normal():
    prior, mean, log_var = vae.MixturePrior(3, components=1), torch.tensor([[1.0, -0.5, 0.0]]), torch.zeros(1, 3) - 1
    prior.mean.data.zero_()
    noise = torch.randn(200_000, 3, generator=torch.Generator().manual_seed(0))
    many = mean.expand(len(noise), -1), log_var.expand(len(noise), -1)
    drawn = prior.kl(vae.reparameterize(*many, noise), *many)
    assert drawn.shape == (len(noise), 1)
    exact = vae.StandardNormal(3).kl(noise[:1], mean, log_var)
    assert drawn.mean().item() == pytest.approx(exact.sum().item(), abs=0.02)


def test_a_learned_prior_goes_where_the_codes_are():
    """Then its KL falls below that to the standard normal: the price of codes that stand in two heaps."""
    torch.manual_seed(0)
    mean = torch.randn(500, 2) * 0.1 + torch.tensor([4.0, 0.0]) * torch.randn(500, 1).sign()
    log_var = torch.full_like(mean, -4.0)
    prior = vae.MixturePrior(2, components=8)
    optimizer = torch.optim.Adam(prior.parameters(), 0.05)
    for _ in range(200):
        optimizer.zero_grad()
        prior.kl(vae.reparameterize(mean, log_var, torch.randn_like(mean)), mean, log_var).mean().backward()
        optimizer.step()
    price = prior.kl(vae.reparameterize(mean, log_var, torch.randn_like(mean)), mean, log_var).mean()
    assert price < vae.gaussian_kl(mean, log_var).sum(dim=1).mean() - 5


def test_a_model_samples_from_its_prior_and_its_bound_knows_it():
    model, x = vae.VAE(latent=2, hidden=8, prior=(prior := scattered_mixture()[0])), grey(10)
    expected = model.observation.mean(model.decode(prior.sample(5, generator=torch.Generator().manual_seed(1))))
    assert torch.equal(model.sample(5, generator=torch.Generator().manual_seed(1)), expected)
    bound = vae.elbo(model, x)
    assert bound.kl.shape == (10, 1)
    assert bound.objective.item() == pytest.approx((bound.reconstruction - bound.kl[:, 0]).mean().item(), rel=1e-5)
    weights = vae.log_weights(model, x, 400, generator=torch.Generator().manual_seed(0))
    bounds = torch.stack([vae.elbo(model, x).objective.detach() for _ in range(400)])
    error = (weights.mean(dim=1).var() / 400 + bounds.var() / 400).sqrt()
    assert abs(weights.mean() - bounds.mean()) < 5 * error


# --- networks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("observation", [vae.Bernoulli(), vae.DiscretizedLogistic()])
def test_images_go_through_every_method(observation):
    model, x = vae.VAE(latent=5, observation=observation), grey(3)
    mean, log_var = model.encode(x)
    assert mean.shape == log_var.shape == (3, 5)
    assert model.decode(mean).shape == (3, observation.channels, 28, 28)
    reconstruction, kl = model(x)
    assert reconstruction.shape == (3,) and kl.shape == (3, 5)
    for images in (model.sample(3), model.reconstruct(x)):
        assert images.shape == (3, 1, 28, 28) and -1 <= images.min() <= images.max() <= 1


def test_samples_repeat_with_their_generator_and_are_expected_images():
    model = vae.VAE(latent=2, hidden=(8, 4))
    first, second = (model.sample(4, generator=torch.Generator().manual_seed(7)) for _ in range(2))
    z = torch.randn(4, 2, generator=torch.Generator().manual_seed(7))
    assert torch.equal(first, second)
    torch.testing.assert_close(first, 2 * torch.sigmoid(model.decode(z)) - 1)
    assert not torch.equal(model.sample(4), model.sample(4))


@pytest.mark.parametrize(("decoder", "expected"), [(None, [16, 64, 784]), ((8,), [8, 784])])
def test_hidden_widths_are_mirrored_unless_the_decoder_has_its_own(decoder, expected):
    model = vae.VAE(latent=2, hidden=(64, 16), decoder_hidden=decoder)
    widths = [[layer.out_features for layer in part if isinstance(layer, nn.Linear)]
              for part in (model.encoder, model.decoder)]  # fmt: skip
    assert widths == [[64, 16, 4], expected]


@pytest.mark.parametrize("observation", [vae.Bernoulli(), vae.DiscretizedLogistic()])
def test_a_centred_model_sees_and_draws_differences_from_the_mean_image(observation):
    images = grey(20).clamp(-0.9, 0.9)
    model = vae.VAE(latent=2, hidden=8, observation=observation)
    model.decoder[-2].weight.data.zero_()
    assert model.center(images) is model
    torch.testing.assert_close(model.sample(1)[0], images.mean(dim=0), atol=1e-5, rtol=0)
    seen = []
    model.encoder.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    model.encode(images)
    torch.testing.assert_close(seen[0], images - images.mean(dim=0))
    assert "mean_image" in model.state_dict()


def test_pixels_that_are_always_black_may_still_become_white():
    assert vae.Bernoulli().output_of(-torch.ones(1, 2, 2)).min() > -6
    assert torch.equal(vae.Gaussian().output_of(torch.ones(3)), torch.ones(3))


def test_the_maps_have_the_weights_that_their_card_measures():
    card = (Path(zoo.__file__).parent / "weights/vae-maps.md").read_text()
    assert tuple(map(float, re.findall(r"^\| ([\d.]+) \|", card, re.MULTILINE))) == vae.MAP_BETAS


def test_labels_reach_both_networks():
    model, x, z = vae.VAE(latent=3, hidden=16, labels=10), grey(2), torch.randn(2, 3)
    shirts, bags = torch.tensor([6, 6]), torch.tensor([8, 8])
    assert not torch.equal(model.encode(x, shirts)[0], model.encode(x, bags)[0])
    assert not torch.equal(model.decode(z, shirts), model.decode(z, bags))
    assert model.sample(2, labels=bags).shape == x.shape
    assert vae.elbo(model, x, labels=bags).objective.isfinite()
    assert vae.log_weights(model, x, 4, bags).shape == (4, 2)


@pytest.mark.parametrize(("kinds", "labels"), [(10, None), (0, torch.zeros(2, dtype=torch.long))])
def test_labels_are_asked_for_and_refused(kinds, labels):
    wanted = r"takes labels \(2,\) in 0..9, got none" if kinds else r"takes no labels, got \(2,\)"
    with pytest.raises(ValueError, match=wanted):
        vae.VAE(latent=3, hidden=16, labels=kinds)(grey(2), labels)


def test_other_shapes_are_refused_with_the_right_one():
    with pytest.raises(ValueError, match=r"examples must be \(n, 1, 28, 28\), got \(3, 784\)"):
        vae.VAE().encode(torch.zeros(3, 784))
    with pytest.raises(ValueError, match=r"z must be \(n, 20\), got \(3, 19\); use torch.randn\(n, 20\)"):
        vae.VAE().decode(torch.zeros(3, 19))


@pytest.mark.parametrize(
    ("kind", "methods"), [(vae.Observation, {"log_prob", "mean", "output_of"}), (vae.Prior, {"log_prob", "sample"})]
)
def test_observation_models_and_priors_say_what_they_must(kind, methods):
    assert kind.__abstractmethods__ == methods
    with pytest.raises(TypeError, match="abstract"):
        kind()


# --- the bound --------------------------------------------------------------------------------------------------------


def test_the_bound_is_reconstruction_minus_beta_kl():
    model, x, noise = vae.VAE(latent=4, hidden=16), grey(8), torch.randn(8, 4)
    mean, log_var = model.encode(x)
    z = mean + torch.exp(0.5 * log_var) * noise
    reconstruction = dist.Bernoulli(logits=model.decode(z), validate_args=False).log_prob((x + 1) / 2).flatten(1).sum(1)
    kl = dist.kl_divergence(normal(mean, log_var), dist.Normal(0.0, 1.0))
    for beta in (1.0, 0.25):
        bound = vae.elbo(model, x, beta=beta, noise=noise)
        torch.testing.assert_close(bound.reconstruction, reconstruction)
        torch.testing.assert_close(bound.kl, kl)
        torch.testing.assert_close(bound.objective, (reconstruction - beta * kl.sum(dim=1)).mean())


def test_below_the_free_bits_a_dimension_costs_a_constant_and_gets_no_gradient():
    model, x = vae.VAE(latent=2, hidden=8), grey(8)
    model.encoder[-1].bias.data = torch.tensor([3.0, 0.0, 0.0, 0.0])  # the first mean far away, the second near 0
    bound = vae.elbo(model, x, free_bits=0.5)
    assert bound.kl.mean(dim=0)[0] > 0.5 > bound.kl.mean(dim=0)[1]
    torch.testing.assert_close(
        bound.reconstruction.mean() - bound.objective, bound.kl.mean(dim=0)[0] + 0.5, atol=1e-3, rtol=0
    )
    (bound.reconstruction.mean() - bound.objective).backward()
    gradient = model.encoder[-1].bias.grad
    assert gradient[0] != 0 and gradient[1] == 0 and gradient[3] == 0


def test_the_mean_log_weight_is_the_bound():
    model, x = vae.VAE(latent=3, hidden=16), grey(40)
    weights = vae.log_weights(model, x, 400, generator=torch.Generator().manual_seed(0))
    bounds = torch.stack([vae.elbo(model, x).objective.detach() for _ in range(400)])
    error = (weights.mean(dim=1).var() / 400 + bounds.var() / 400).sqrt()
    assert abs(weights.mean() - bounds.mean()) < 5 * error


def test_log_joint_takes_any_number_of_draws_for_each_image():
    model, x, z = vae.VAE(latent=3, hidden=16), grey(4), torch.randn(5, 2, 4, 3)
    found = vae.log_joint(model, x, z)
    assert found.shape == (5, 2, 4)
    one = dist.Normal(0.0, 1.0).log_prob(z[3, 1]).sum(dim=1) + model.observation.log_prob(model.decode(z[3, 1]), x)
    torch.testing.assert_close(found[3, 1], one)


def test_an_encoder_that_knows_the_posterior_makes_every_weight_the_likelihood():
    truth = ppca()
    model, x = vae.LinearVAE.exact(truth.loading, truth.sd, truth.mean), truth.sample(100)
    weights = vae.log_weights(model, x, 5)
    torch.testing.assert_close(weights, truth.log_prob(x).expand(5, -1), atol=1e-4, rtol=0)


def test_at_the_optimum_the_bound_is_the_likelihood_to_a_hundredth_of_a_nat():
    truth = ppca()
    model = vae.LinearVAE.exact(truth.loading, truth.sd, truth.mean)
    x = truth.sample(1000, generator=torch.Generator().manual_seed(0))
    bounds = torch.stack([vae.elbo(model, x).objective.detach() for _ in range(1000)])
    assert bounds.std() / 1000**0.5 < 2e-3
    assert abs(bounds.mean() - truth.log_prob(x).mean()) < 1e-2


def test_training_a_linear_vae_reaches_probabilistic_pca():
    truth = ppca()
    x = truth.sample(500, generator=torch.Generator().manual_seed(1))
    best = LinearGaussian.fit(x, 2)
    torch.manual_seed(0)
    model = vae.LinearVAE(6, 2)
    optimizer = torch.optim.Adam(model.parameters(), 0.03)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, 800)
    for _ in range(800):
        optimizer.zero_grad()
        (-vae.elbo(model, x).objective).backward()
        optimizer.step()
        schedule.step()
    bounds = vae.log_weights(model, x, 50)  # with the right posterior they hardly vary
    assert abs(bounds.mean() - best.log_prob(x).mean()) < 1e-2
    assert model.observation.log_sd.exp().item() == pytest.approx(best.sd, rel=0.01)


def test_active_units_are_those_whose_mean_moves():
    mean = torch.tensor([[1.0, 0.0, 5.0], [-1.0, 0.01, 5.0], [0.0, -0.01, 5.0]])
    assert vae.active_units(mean).tolist() == [True, False, False]
    assert vae.active_units(mean, threshold=0).tolist() == [True, True, False]
