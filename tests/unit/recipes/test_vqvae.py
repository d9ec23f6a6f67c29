"""The recipes of the shipped VQ-VAE and of its prior, on a few images and a few steps."""

import math

import torch

from genai_utils.data import images
from genai_utils.metrics.distances import psnr
from genai_utils.models.vqvae import used
from genai_utils.recipes import vqvae
from genai_utils.recipes.ship import Job

AUTOENCODER, PRIOR = vqvae.RECIPES


def test_a_brief_training_uses_most_words_and_beats_the_mean_picture():
    """130 steps: a restart is among them."""
    x = images.fashion_mnist("train", full=True).images
    model = vqvae.train(Job(AUTOENCODER, 130, progress=False)).eval()
    codes = model.encode(x)
    assert used(codes, 128) > 80
    assert psnr(model.decode(codes), x) > psnr(x.mean(0).expand_as(x), x) + 3


def test_a_brief_training_of_the_prior_lowers_the_bits(monkeypatch):
    codes = torch.arange(7).expand(300, 7, 7).clone()
    known = type("Known", (), {"encode": lambda self, x: codes})
    monkeypatch.setattr(vqvae, "autoencoder", known)
    prior = vqvae.train_prior(Job(PRIOR, 25, progress=False)).eval()
    labels = images.fashion_mnist("train", full=True).labels
    assert -prior.log_prob(codes, labels).mean() < 0.5 * 49 * math.log(128)
