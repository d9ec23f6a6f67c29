"""The map's JavaScript draws what PyTorch draws, and what it says of the shipped networks is so."""

import numpy as np
import pytest
import torch
from node import run_module
from scipy.stats import multivariate_normal
from torch.distributions import Bernoulli, Normal, kl_divergence

from genai_utils import zoo
from genai_utils.data.images import fashion_mnist
from genai_utils.models.vae import MAP_BETAS, VAE
from genai_utils.show.explorers.map import LETTERS, LatentMap, costs, eight_bits, linear_layers, packed

PLACES = [[0.0, 0.0], [1.5, -0.7], [-3.0, 2.0], [3.9, 3.9]]
DECODE = """
  const networks = explorer.unpack(Int8Array.from(given.weights), Float32Array.from(given.numbers), given.widths);
  return networks.map((network) => given.places.map((z) => Array.from(explorer.decode(network, z))));
"""


@pytest.fixture(scope="module")
def shipped():
    return list(zoo.load("vae-maps"))


@pytest.fixture(scope="module")
def widget():
    return LatentMap(examples=12)


def drawn_by_the_page(weights, numbers, widths, folder):
    """Grey values in [0, 1]: (networks, places, 784)."""
    values = {"weights": np.frombuffer(weights, np.int8).tolist(), "numbers": np.frombuffer(numbers, "<f4").tolist()}
    return torch.tensor(run_module("map.js", DECODE, values | {"widths": widths, "places": PLACES}, folder))


def drawn_by_pytorch(model):
    with torch.no_grad():
        return (model.observation.mean(model.decode(torch.tensor(PLACES))).flatten(1) + 1) / 2


def as_stored(model):
    """The same model with the weights of its decoder cut to eight bits."""
    for layer in linear_layers(model):
        whole, scale = eight_bits(layer.weight.detach())
        layer.weight = torch.nn.Parameter(whole * scale[:, None])
    return model


@pytest.mark.parametrize("hidden", [(7, 5), (104, 64)])
def test_the_pages_decoder_equals_pytorch(hidden, tmp_path):
    torch.manual_seed(0)
    models = [VAE(latent=2, hidden=hidden).requires_grad_(False) for _ in range(2)]
    weights, numbers = packed(layer for model in models for layer in linear_layers(model))
    ours = drawn_by_the_page(weights, numbers, [2, *hidden[::-1], 784], tmp_path)
    theirs = torch.stack([drawn_by_pytorch(as_stored(model)) for model in models])
    assert torch.allclose(ours, theirs, atol=1e-4)
    assert theirs.std(dim=1).max() > 0.01  # they do depend on the place


def test_eight_bits_hardly_change_a_picture(shipped, widget, tmp_path):
    ours = drawn_by_the_page(widget.weights, widget.numbers, widget.widths, tmp_path)
    difference = (ours - torch.stack([drawn_by_pytorch(model) for model in shipped])).abs()
    assert difference.mean() < 0.005  # of white
    assert (difference > 0.06).float().mean() < 0.005


def test_a_row_of_weights_is_off_by_at_most_half_a_step():
    weight = torch.randn(6, 9) * torch.logspace(-3, 3, 6)[:, None]
    weight[2] = 0
    whole, scale = eight_bits(weight)
    assert whole.dtype == torch.int8
    assert ((whole * scale[:, None] - weight).abs() <= 0.5001 * scale[:, None]).all()


def test_the_density_of_the_prior_agrees_with_scipy(tmp_path):
    ours = run_module("map.js", "return given.map(explorer.priorDensity);", PLACES, tmp_path)
    assert ours == pytest.approx(multivariate_normal(np.zeros(2)).pdf(PLACES).tolist(), rel=1e-9)


def test_the_nearest_code_is_the_nearest(tmp_path):
    codes = np.random.default_rng(0).normal(size=(50, 2))
    body = "return given.places.map((z) => explorer.nearest(given.codes, z));"
    away = np.linalg.norm(codes[None] - np.array(PLACES)[:, None], axis=2)
    ours = run_module("map.js", body, {"codes": codes.tolist(), "places": PLACES}, tmp_path)
    assert [index for index, _ in ours] == away.argmin(axis=1).tolist()
    assert [distance for _, distance in ours] == pytest.approx(away.min(axis=1).tolist())


def test_each_letter_lies_where_the_encoder_puts_a_test_picture_of_its_class(shipped, widget):
    test = fashion_mnist("test")
    with torch.no_grad():
        everywhere = [model.encode(test.images)[0] for model in shipped]
    assert [widget.labels.count(k) for k in range(10)] == [12] * 10
    for means, codes in zip(everywhere, widget.codes, strict=True):
        for k in (0, 4, 9):
            placed = torch.tensor(codes)[torch.tensor(widget.labels) == k]
            away = torch.cdist(placed, means[test.labels == k]).min(dim=1).values
            assert away.max() < 0.01
    assert len(set(LETTERS)) == len(widget.names)
    assert torch.tensor(widget.codes).abs().quantile(0.98) <= widget.reach + 0.01


def test_rate_and_distortion_agree_with_torch_distributions(shipped, widget):
    """By class; distortion to its Monte Carlo error, with draws of our own."""
    test = fashion_mnist("test")
    shirts = test.images[test.labels == 6]
    torch.manual_seed(1)
    for model, rows in zip(shipped, widget.costs, strict=True):
        mean, log_var = model.encode(shirts)
        posterior = Normal(mean, (log_var / 2).exp())
        assert rows[6][0] == pytest.approx(kl_divergence(posterior, Normal(0, 1)).sum(1).mean().item(), abs=0.01)
        grey = (shirts + 1) / 2
        draws = [
            -Bernoulli(logits=model.decode(posterior.sample()), validate_args=False).log_prob(grey) for _ in range(20)
        ]
        distortion = torch.stack(draws).sum(dim=(2, 3, 4))
        error = distortion.std(dim=0).square().mean().sqrt() / len(shirts) ** 0.5
        assert rows[6][1] == pytest.approx(distortion.mean().item(), abs=4 * error.item())


def test_the_last_row_of_costs_is_the_mean_over_all_pictures():
    torch.manual_seed(0)
    model, images = VAE(latent=2, hidden=8), torch.rand(30, 1, 28, 28) * 2 - 1
    labels = torch.arange(30) % 3
    table = costs(model, images, labels)
    assert table.shape == (4, 2)
    assert torch.allclose(table[-1], table[:-1].mean(dim=0), atol=1e-3)


def test_more_weight_on_the_kl_buys_a_lower_rate_with_distortion(widget):
    rates, distortions = np.array(widget.costs)[:, -1].T
    assert (np.diff(rates) < 0).all() and (np.diff(distortions) > 0).all()


def test_the_map_starts_at_the_beta_asked_for_and_knows_which_there_are():
    assert LatentMap(examples=1, beta=MAP_BETAS[-1]).beta == MAP_BETAS[-1]
    with pytest.raises(ValueError, match=r"one of .* got 3"):
        LatentMap(beta=3)


def test_the_map_says_what_it_is(widget):
    assert repr(widget) == "LatentMap: 120 test pictures on the plane of two latent numbers, 4 betas"


def test_centre_and_spread_of_a_class_agree_with_numpy(widget, tmp_path):
    body = "return given.codes.map((codes) => explorer.spreads(codes, given.labels, 10));"
    given = {"codes": widget.codes, "labels": widget.labels}
    for codes, classes in zip(widget.codes, run_module("map.js", body, given, tmp_path), strict=True):
        for k, ours in enumerate(classes):
            own = np.array(codes)[np.array(widget.labels) == k]
            assert ours["centre"] == pytest.approx(own.mean(axis=0)) and ours["spread"] == pytest.approx(
                own.std(axis=0)
            )


def test_the_linked_state_shows_what_the_text_says():
    """#map=x:-0.3,y:-0.15,beta:0.1: a hole near the centre, and a third of the letters outside all rings."""
    shown = LatentMap()
    codes = np.array(shown.codes[shown.betas.index(0.1)])
    assert np.linalg.norm(codes - [-0.3, -0.15], axis=1).min() > 0.5
    assert (np.linalg.norm(codes, axis=1) > 3).mean() > 1 / 3
