"""What all models share: the count of their weights and the check of labels."""

import pytest
import torch
from torch import nn

import genai_utils as gu
from genai_utils.models import autoencoder, densities, gan, gpt, pixelcnn, vae, vqvae, wavenet
from genai_utils.models.shapes import check_labels


def test_the_size_of_a_model_counts_shared_weights_once_and_buffers_not():
    model = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Linear(5, 3, bias=False))
    assert gu.models.size(model) == 15 + 5 + 10 + 15
    model[2].weight = model[0].weight
    assert gu.models.size(model) == 15 + 5 + 10


@pytest.mark.parametrize(
    ("build", "size"),
    [
        (autoencoder.Autoencoder, 410_912),
        (autoencoder.Denoiser, 11_588),
        (gan.MLPGenerator, 550_416),
        (gan.MLPDiscriminator, 533_505),
        (gan.Generator, 121_249),
        (gan.Discriminator, 65_105),
        (lambda: gpt.GPT(gpt.Config(65)), 804_224),
        (pixelcnn.PixelCNN, 54_538),
        (pixelcnn.GatedPixelCNN, 80_170),
        (vae.VAE, 1_360_696),
        (lambda: densities.MixturePrior(20), 5_248),
        (vqvae.VQVAE, 80_240),
        (vqvae.CodePrior, 114_496),
        (wavenet.WaveNet, 125_152),
    ],
)
def test_a_model_without_settings_has_the_size_that_shipped_weights_and_pages_count_on(build, size):
    assert gu.models.size(build()) == size


@pytest.mark.parametrize(("labels", "kinds"), [(None, 0), (torch.tensor([0, 2]), 3), (torch.tensor([[]])[0].long(), 3)])
def test_labels_that_fit_pass(labels, kinds):
    check_labels(labels, kinds, 0 if labels is None else len(labels))


@pytest.mark.parametrize(("labels", "kinds", "message"), [
    (None, 3, r"takes labels \(2,\) in 0..2, got none; it was made with labels=3"),
    (torch.tensor([0, 1]), 0, r"takes no labels, got \(2,\)"),
    (torch.tensor([0, 1, 2]), 3, r"takes labels \(2,\) in 0..2, got \(3,\) with 0 to 2"),
    (torch.tensor([[0], [1]]), 3, r"got \(2, 1\)"),
    (torch.tensor([0, 3]), 3, "got .* with 0 to 3"),
    (torch.tensor([-1, 2]), 3, "got .* with -1 to 2"),
])  # fmt: skip
def test_labels_that_do_not_fit_are_named(labels, kinds, message):
    with pytest.raises(ValueError, match=message):
        check_labels(labels, kinds, 2)
