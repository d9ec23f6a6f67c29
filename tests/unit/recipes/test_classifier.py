"""What chance decides in the training of the classifier."""

import torch

from genai_utils.recipes.classifier import Draw, augmented, draws


def test_augmentation_moves_by_at_most_a_pixel_and_may_mirror():
    image = torch.full((128, 1, 28, 28), -1.0)
    image[:, 0, 10, 5] = 1.0
    chances = draws(300, 20, seed=0)
    lit = (torch.cat([augmented(image, draw) for draw in chances]) == 1).nonzero()
    assert len(lit) == 20 * 128
    assert set(lit[:, 2].tolist()) == {9, 10, 11} and set(lit[:, 3].tolist()) == {4, 5, 6, 21, 22, 23}


def test_without_chance_an_image_stays_as_it_is():
    images = torch.rand(2, 1, 28, 28)
    still = Draw(torch.arange(2), torch.zeros(2, 1, 1, 1, dtype=torch.bool), torch.tensor([1, 1]))
    assert torch.equal(augmented(images, still), images)


def test_an_epoch_shows_no_image_twice_and_the_next_one_has_another_order():
    chances = draws(300, 5, seed=0)
    first, second = (torch.cat([draw.rows for draw in chances[at : at + 2]]) for at in (0, 2))
    assert len(first.unique()) == len(first) == 256 and len(chances) == 5
    assert not torch.equal(first, second)
