"""The recipe of the shipped variational autoencoders, on a few images and a few steps."""

import torch
from torch import nn

from genai_utils import zoo
from genai_utils.data import images
from genai_utils.models.vae import MAP_BETAS, VAE, elbo
from genai_utils.recipes import vae
from genai_utils.recipes.ship import Job, cut_gradients


def bound(model, x):
    with torch.no_grad():
        return float(elbo(model, x, noise=torch.zeros(len(x), model.latent)).objective)


def test_training_raises_the_bound():
    x = images.fashion_mnist("train", full=True).images
    torch.manual_seed(0)
    untrained, model = VAE(2, 16).center(x), VAE(2, 16)
    vae.fit(Job(vae.RECIPES[0], 40, progress=False), model, x, rate=1e-2)
    assert bound(model, x) > bound(untrained, x) + 30


def test_each_map_is_trained_with_its_own_beta():
    maps, x = zoo.load("vae-maps"), images.fashion_mnist("test", full=True).images
    with torch.no_grad():
        rates = [float(one(x)[1].sum(dim=1).mean()) for one in maps]
    assert len(maps) == len(MAP_BETAS) and all(a > 1.5 * b for a, b in zip(rates, rates[1:], strict=False))


def test_a_gradient_is_cut_to_its_norm_and_a_short_one_left_alone():
    weight = nn.Parameter(torch.zeros(2))
    sgd = torch.optim.SGD([weight], 1.0)
    cut_gradients(sgd, 5.0)
    moved = []
    for gradient in ([30.0, 40.0], [0.3, 0.4]):
        weight.data.zero_()
        weight.grad = torch.tensor(gradient)
        sgd.step()
        moved.append(-weight.detach().clone())
    assert torch.allclose(moved[0], torch.tensor([3.0, 4.0])) and torch.allclose(moved[1], torch.tensor([0.3, 0.4]))
