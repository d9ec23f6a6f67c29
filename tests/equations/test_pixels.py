"""The equations of the chapter on pixels: both sides computed, without shared code."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genai_utils.metrics.likelihood import bits_per_dim
from genai_utils.models import pixelcnn
from genai_utils.models.pixelcnn import GatedPixelCNN, MaskedConv2d, PixelCNN

verifies = pytest.mark.verifies
SEEDS = st.integers(0, 10_000)
few = settings(max_examples=8)


def bent(model: nn.Module, seed: int) -> nn.Module:
    """The model with large random weights, so that every dependence shows."""
    rng = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.4, generator=rng)
    return model


def every_picture(levels: int, places: int) -> torch.Tensor:
    return torch.tensor(list(product(range(levels), repeat=places)))


@verifies("pixel.chain")
@few
@given(SEEDS, st.sampled_from([PixelCNN, GatedPixelCNN]))
def test_the_product_of_conditionals_is_the_joint_whose_conditionals_they_are(seed, build):
    """The joint over 2 x 2 pixels of 3 levels sums to one, and its own conditionals, by summing, are the logits'."""
    model, pictures = bent(build(3, (2, 2), width=6), seed), every_picture(3, 4)
    log_prob = model.log_prob(pictures.view(-1, 2, 2)).double()
    joint = log_prob.exp().numpy().reshape(3, 3, 3, 3)
    assert joint.sum() == pytest.approx(1, abs=1e-5)
    with torch.no_grad():
        told = model(torch.tensor([[[2, 0], [1, 2]]])).softmax(1)[0].flatten(1).T.numpy()
    marginal = joint.sum((2, 3))
    assert np.allclose(told[0], joint.sum((1, 2, 3)), atol=1e-5)
    assert np.allclose(told[1], marginal[2] / marginal[2].sum(), atol=1e-4)
    assert np.allclose(told[3], joint[2, 0, 1] / joint[2, 0, 1].sum(), atol=1e-4)


@verifies("pixel.chain")
@few
@given(SEEDS)
def test_bits_are_the_length_of_an_ideal_code(seed):
    """Mean bits of all pictures, each as often as the model says, are its entropy; another model's are never fewer."""
    pictures = every_picture(2, 6).view(-1, 2, 3)
    ours, other = (bent(PixelCNN(2, (2, 3), width=6), seed + k).log_prob(pictures).double() for k in range(2))
    weights = (ours.exp() / ours.exp().sum()).numpy()
    own, foreign = (
        weights @ [bits_per_dim(one[None], dims=6, levels=1).value for one in model] for model in (ours, other)
    )
    entropy = -(weights @ np.log2(weights)) / 6
    assert own == pytest.approx(entropy, abs=1e-5) and foreign >= entropy - 1e-5


@verifies("pixel.mask")
@pytest.mark.parametrize("size", [3, 5, 7])
@pytest.mark.parametrize("sees_itself", [False, True])
def test_a_masked_convolution_is_a_sum_over_the_pixels_that_the_formula_allows(size, sees_itself):
    """The formula term by term in plain loops over a, b, against the convolution."""
    torch.manual_seed(size)
    conv, x, reach = MaskedConv2d(1, 1, size, sees_itself), torch.randn(6, 6), size // 2
    expected = np.zeros((6, 6))
    for i, j, a, b in product(range(6), range(6), range(-reach, reach + 1), range(-reach, reach + 1)):
        allowed = a < 0 or (a == 0 and b < 0) or (sees_itself and a == b == 0)
        if allowed and 0 <= i + a < 6 and 0 <= j + b < 6:
            expected[i, j] += float(conv.weight.detach()[0, 0, a + reach, b + reach]) * float(x[i + a, j + b])
    found = conv(x[None, None])[0, 0] - conv.bias
    assert np.allclose(found.detach().numpy(), expected, atol=1e-5)


@verifies("pixel.gate")
@few
@given(SEEDS)
def test_a_gated_block_is_the_formula_pixel_by_pixel(seed):
    """h' = h + tanh(a) sigmoid(b), where a and b come from matrix products at each pixel, in numpy."""
    rng = torch.Generator().manual_seed(seed)
    block = bent(pixelcnn.GatedBlock(3), seed)
    v, h = torch.randn(2, 1, 3, 4, 5, generator=rng)
    with torch.no_grad():
        new_v, new_h = (part[0].numpy() for part in block(v, h))
    along, link = block.along.weight.detach().numpy(), block.link.weight.detach().numpy()[:, :, 0, 0]
    bias = (block.along.bias + block.link.bias).detach().numpy()
    for i, j in product(range(4), range(5)):
        left = h[0, :, i, j - 1].numpy() if j else np.zeros(3)
        ab = along[:, :, 0, 0] @ left + along[:, :, 0, 1] @ h[0, :, i, j].numpy() + link @ new_v[:, i, j] + bias
        expected = h[0, :, i, j].numpy() + np.tanh(ab[:3]) / (1 + np.exp(-ab[3:]))
        assert np.allclose(new_h[:, i, j], expected, atol=1e-4)


@verifies("pixel.levels")
@pytest.mark.parametrize("seed", range(4))
def test_bits_of_a_byte_are_those_of_its_upper_half_and_of_the_lower_half_given_the_upper(seed):
    """Exact bits of pictures of two pixels, against halves counted in two piles of samples that share none."""
    model = bent(PixelCNN(4, (1, 2), width=6), seed)
    pictures = every_picture(4, 2).view(-1, 1, 2)
    bits = -model.log_prob(pictures).double().numpy() / np.log(2)
    chance = torch.Generator().manual_seed(seed)
    first, second = (model.sample(100_000, generator=chance)[:, 0].numpy() for _ in range(2))
    for x, whole in zip(pictures[:, 0].numpy(), bits, strict=True):
        if whole < 6:
            upper = (first // 2 == x // 2).all(1).mean()
            fits = (second // 2 == x // 2).all(1)
            lower = (second[fits] % 2 == x % 2).all(1).mean()
            assert whole == pytest.approx(-np.log2(upper) - np.log2(lower), abs=0.15)
            assert whole >= -np.log2(upper) - 0.1


@verifies("pixel.levels")
def test_the_upper_half_of_a_byte_is_what_fewer_levels_keep_of_it():
    pixels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(16 * pixelcnn.to_levels(pixels, 16) + pixels.long() % 16, pixelcnn.to_levels(pixels, 256))
