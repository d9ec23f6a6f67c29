"""The recipe of the shipped pixel model, on a few images and a few steps."""

import math
from dataclasses import replace

from genai_utils.data import images
from genai_utils.models.pixelcnn import to_levels
from genai_utils.recipes import pixelcnn
from genai_utils.recipes.ship import Job


def test_training_lowers_the_bits():
    (recipe,) = pixelcnn.RECIPES
    small = replace(recipe, model=replace(recipe.model, arguments='{"levels": 16, "width": 8, "blocks": 1}'))
    model = pixelcnn.train(Job(small, 40, progress=False))
    x = to_levels(images.fashion_mnist("train", full=True).pixels, 16)
    assert -model.log_prob(x).mean() / 784 < 0.8 * math.log(16)


def test_the_rate_warms_up_and_falls_to_zero():
    rates = [pixelcnn.rate(share) for share in (0, 0.025, 0.05, 0.5, 1)]
    assert 0 < rates[0] < rates[1] < rates[2] and rates[2] > rates[3] > rates[4] == 0 and max(rates) <= 1
