"""The networks, losses and measures of genai_utils.models.autoencoder."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genai_utils.models import autoencoder as ae

few = settings(max_examples=15)


@pytest.mark.parametrize("n", [1, 5])
@pytest.mark.parametrize("hidden", [(), (12,), (12, 7)])
def test_an_autoencoder_rebuilds_images_of_the_same_shape_between_minus_one_and_one(n, hidden):
    model = ae.Autoencoder(latent=3, hidden=hidden)
    model.decoder[-1].bias.data += 30  # far beyond what a pixel may be
    x = torch.rand(n, 1, 28, 28) * 2 - 1
    assert model.encode(x).shape == (n, 3)
    assert model(x).shape == x.shape and model(x).abs().max() <= 1


def test_the_decoder_has_the_widths_of_the_encoder_in_reverse():
    model = ae.Autoencoder(latent=2, hidden=(9, 5), shape=(6,))

    def widths(part):
        return [(m.in_features, m.out_features) for m in part if isinstance(m, nn.Linear)]

    assert widths(model.encoder) == [(6, 9), (9, 5), (5, 2)]
    assert widths(model.decoder) == [(2, 5), (5, 9), (9, 6)]


def test_codes_may_be_negative_because_no_relu_follows_the_last_layer():
    torch.manual_seed(0)
    assert (ae.Autoencoder(latent=8).encode(torch.randn(50, 1, 28, 28)) < 0).any()


def test_without_hidden_layers_and_squashing_the_whole_is_affine():
    model = ae.Autoencoder(latent=2, hidden=(), shape=(4,), squash=False)
    a, b = torch.randn(2, 7, 4)
    assert torch.allclose(model((a + b) / 2), (model(a) + model(b)) / 2, atol=1e-5)


def test_with_a_hidden_layer_it_is_not_affine():
    torch.manual_seed(0)
    model = ae.Autoencoder(latent=2, hidden=(16,), shape=(4,), squash=False)
    a, b = 3 * torch.randn(2, 7, 4)
    assert not torch.allclose(model((a + b) / 2), (model(a) + model(b)) / 2, atol=1e-2)


def test_the_code_alone_decides_what_is_rebuilt():
    model = ae.Autoencoder(latent=3)
    x = torch.randn(4, 1, 28, 28)
    assert torch.equal(model(x), model.decode(model.encode(x)))


def test_wrong_shapes_are_named_in_the_error():
    model = ae.Autoencoder(latent=3)
    with pytest.raises(ValueError, match=r"\(n, 1, 28, 28\), got \(2, 784\)"):
        model.encode(torch.zeros(2, 784))
    with pytest.raises(ValueError, match=r"\(n, 3\), got \(2, 4\)"):
        model.decode(torch.zeros(2, 4))


def test_each_example_gets_its_own_error():
    x = torch.zeros(3, 2, 2)
    rebuilt = torch.stack([torch.zeros(2, 2), torch.ones(2, 2), torch.tensor([[2.0, 0.0], [0.0, 0.0]])])
    assert ae.squared_error(x, rebuilt).tolist() == [0, 1, 1]


def test_an_error_between_different_shapes_is_refused_instead_of_broadcast():
    with pytest.raises(ValueError, match=r"\(3, 4\) and \(1, 4\)"):
        ae.squared_error(torch.zeros(3, 4), torch.zeros(1, 4))


def test_the_model_sees_the_noise_and_is_compared_with_the_clean_example():
    class Remember(nn.Module):
        def forward(self, x):
            self.seen = x
            return torch.zeros_like(x)

    model, x = Remember(), torch.full((2_000, 4), 3.0)
    loss = ae.denoising_loss(model, x, 0.5, torch.Generator().manual_seed(0))
    assert loss.item() == pytest.approx(9)
    assert (model.seen - x).std().item() == pytest.approx(0.5, rel=0.05)


def test_the_noise_comes_from_the_generator_that_is_given():
    x, copy = torch.zeros(20, 3), nn.Identity()
    losses = [ae.denoising_loss(copy, x, 1.0, torch.Generator().manual_seed(seed)).item() for seed in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2]


def test_without_noise_the_denoising_loss_is_the_reconstruction_error():
    model, x = ae.Autoencoder(latent=2, shape=(5,)), torch.randn(9, 5)
    assert torch.equal(ae.denoising_loss(model, x, 0.0), ae.squared_error(x, model(x)).mean())


@given(st.floats(0.1, 3), st.floats(0.1, 3))
@few
def test_the_best_denoiser_of_a_bell_curve_has_its_score(spread, sd):
    factor = spread**2 / (spread**2 + sd**2)
    x = torch.linspace(-2, 2, 5)
    expected = -x / (spread**2 + sd**2)
    assert torch.allclose(ae.score(lambda y: factor * y, x, sd), expected, atol=1e-3, rtol=1e-3)


def test_training_lowers_the_error_below_that_of_the_mean_example():
    torch.manual_seed(0)
    x = torch.randn(200, 1) @ torch.randn(1, 8)
    model = ae.Autoencoder(latent=1, hidden=(16,), shape=(8,), squash=False)
    adam = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(200):
        loss = ae.denoising_loss(model, x, 0.0)
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert loss.item() < 0.1 * x.var().item()


def test_a_denoiser_takes_away_what_its_convolutions_estimate():
    model, x = ae.Denoiser(channels=4), torch.randn(3, 1, 28, 28)
    assert torch.equal(model(x), x - model.noise(x)) and model(x).shape == x.shape
    for parameter in model.noise[-2].parameters():
        nn.init.zeros_(parameter)
    assert torch.equal(model(x), x), "one that sees no noise returns what it got"
    with pytest.raises(ValueError, match=r"\(n, 1, 28, 28\), got \(3, 784\)"):
        model(x.flatten(1))
