"""The autoregressive models of genai_utils.models.pixelcnn: causality, exact probabilities, samplers, refusals."""

from itertools import product

import pytest
import torch
from torch import nn

from genai_utils.models import pixelcnn
from genai_utils.models.pixelcnn import GatedPixelCNN, MaskedConv2d, PixelCNN, PixelModel

STACKS = {
    "plain": lambda levels, shape: PixelCNN(levels, shape, width=8, blocks=3, first=5, size=3),
    "plain, large kernels": lambda levels, shape: PixelCNN(levels, shape, width=8, blocks=2, first=7, size=5),
    "gated": lambda levels, shape: GatedPixelCNN(levels, shape, width=8, first=5, dilations=(1, 2, 1)),
    "gated, large kernels": lambda levels, shape: GatedPixelCNN(
        levels, shape, width=8, first=3, size=5, dilations=(1,)
    ),
}
every_stack = pytest.mark.parametrize("build", STACKS.values(), ids=STACKS)


def bent(model: nn.Module) -> nn.Module:
    """The model with large random weights, so that every dependence shows."""
    torch.manual_seed(0)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    return model


def every_picture(levels: int, shape: tuple[int, int]) -> torch.Tensor:
    """All pictures of a tiny space: (levels ** (h w), h, w)."""
    return torch.tensor(list(product(range(levels), repeat=shape[0] * shape[1]))).view(-1, *shape)


def seen_from(model: PixelModel, row: int, column: int) -> torch.Tensor:
    """Which pixels have a gradient to the context of one pixel: (h, w) bool."""
    embedded = torch.randn(1, pixelcnn.WAVES, *model.shape, requires_grad=True)
    model.context(embedded)[0, :, row, column].square().sum().backward()
    return embedded.grad.abs().sum((0, 1)) > 0


def before(shape: tuple[int, int], row: int, column: int) -> torch.Tensor:
    """Which pixels come before one in reading order: (h, w) bool."""
    order = torch.arange(shape[0] * shape[1]).view(shape)
    return order < order[row, column]


# --- looking only back ------------------------------------------------------------------------------------------------


@every_stack
@pytest.mark.parametrize("place", [(0, 0), (0, 4), (3, 2), (6, 6)])
def test_a_changed_pixel_changes_only_what_comes_later(build, place):
    model, x = bent(build(4, (7, 7))), torch.randint(4, (5, 7, 7))
    changed = x.clone()
    changed[(slice(None), *place)] = (x[(slice(None), *place)] + 1) % 4
    with torch.no_grad():
        moved = (model(x) - model(changed)).abs().amax((0, 1)) > 0
    later = ~before((7, 7), *place)
    later[place] = False
    assert not moved[~later].any()
    assert moved.any() == bool(later.any())


@pytest.mark.parametrize("sees_itself", [False, True])
@pytest.mark.parametrize("size", [1, 3, 5])
def test_a_mask_lets_through_what_was_written_before_and_mask_b_the_pixel_itself(size, sees_itself):
    conv, x = bent(MaskedConv2d(2, 3, size, sees_itself)), torch.randn(1, 2, 7, 7, requires_grad=True)
    conv(x)[0, :, 3, 3].sum().backward()
    seen = x.grad.abs().sum((0, 1)) > 0
    expected = before((7, 7), 3, 3)
    expected[3, 3] = sees_itself
    near = torch.zeros(7, 7, dtype=torch.bool)
    near[3 - size // 2 : 4 + size // 2, 3 - size // 2 : 4 + size // 2] = True
    assert torch.equal(seen, expected & near)


def test_a_mask_with_the_whole_kernel_stored_gives_the_same():
    conv, x = bent(MaskedConv2d(2, 3, 5, sees_itself=False)), torch.randn(4, 2, 6, 6)
    whole = nn.functional.pad(conv.weight * conv.mask, (0, 0, 0, 2))
    assert torch.allclose(conv(x), nn.functional.conv2d(x, whole, conv.bias, padding=2), atol=1e-5)


def test_the_plain_stack_is_blind_above_and_to_the_right_however_deep_it_is():
    shape, place = (15, 15), (14, 7)
    for blocks in (3, 12):
        seen = seen_from(bent(PixelCNN(2, shape, width=4, blocks=blocks, first=3, size=3)), *place)
        missed = before(shape, *place) & ~seen
        assert missed[13, 9:].all() and missed[12, 10:].all(), "two columns to the right, one row above"
        assert seen[13, 8] and seen[12, 9]
    assert seen[13, 0] and seen[2, 0], "to the left a deep stack sees all"


def test_the_gated_stack_sees_all_that_was_written_before():
    shape, place = (15, 15), (14, 7)
    model = bent(GatedPixelCNN(2, shape, width=4, first=3, size=3, dilations=(1, 2, 4, 1, 2, 4)))
    assert torch.equal(seen_from(model, *place), before(shape, *place))


# --- exact probabilities ----------------------------------------------------------------------------------------------


@every_stack
@pytest.mark.parametrize("levels, shape", [(2, (2, 3)), (2, (3, 3)), (3, (2, 2))])
def test_the_probabilities_of_all_pictures_sum_to_one(build, levels, shape):
    model = bent(build(levels, shape))
    log_prob = model.log_prob(every_picture(levels, shape))
    assert log_prob.max() < 0
    assert log_prob.double().exp().sum().item() == pytest.approx(1, abs=1e-5)


@every_stack
def test_samples_are_as_frequent_as_their_probabilities_say(build):
    """10,000 draws of 16 pictures: every share within five standard errors."""
    model, n = bent(build(2, (2, 2))), 10_000
    probability = model.log_prob(every_picture(2, (2, 2))).exp()
    drawn = model.sample(n, generator=torch.Generator().manual_seed(1)).flatten(1)
    share = torch.bincount(drawn @ torch.tensor([8, 4, 2, 1]), minlength=16) / n
    assert ((share - probability).abs() < 5 * (probability * (1 - probability) / n).sqrt() + 1e-9).all()


@every_stack
def test_a_sample_at_a_temperature_near_zero_takes_the_likeliest_level_everywhere(build):
    """What the sampler saw at each pixel must be what the whole network sees of the finished picture."""
    model = bent(build(5, (6, 7)))
    drawn = model.sample(3, temperature=1e-6)
    assert drawn.shape == (3, 6, 7) and drawn.dtype == torch.int64
    with torch.no_grad():
        assert torch.equal(model(drawn).argmax(1), drawn)


@every_stack
@pytest.mark.parametrize("rows", [1, 4, 6])
def test_given_rows_are_kept_and_continued_as_the_whole_network_would(build, rows):
    model, given = bent(build(5, (6, 7))), torch.randint(5, (3, rows, 7))
    drawn = model.sample(3, temperature=1e-6, given=given)
    assert torch.equal(drawn[:, :rows], given)
    with torch.no_grad():
        assert torch.equal(model(drawn).argmax(1)[:, rows:], drawn[:, rows:])


@every_stack
@pytest.mark.parametrize("rows", [0, 1, 4])
def test_with_and_without_a_memory_the_pictures_are_the_same(build, rows):
    model, given = bent(build(5, (6, 7))), torch.randint(5, (3, rows, 7))
    fast, slow = torch.Generator().manual_seed(1), torch.Generator().manual_seed(1)
    drawn = model.sample(3, given=given, generator=fast), model.sample(3, given=given, generator=slow, cached=False)
    assert torch.equal(*drawn)


def test_a_memory_saves_the_passes_through_the_network():
    model = bent(PixelCNN(4, (5, 5), width=8))
    passes = []
    model.head[0].register_forward_hook(lambda module, inputs, output: passes.append(inputs[0].dim()))
    for cached in (True, False):
        model.sample(2, cached=cached)
    assert passes == [2] * 25 + [4] * 25  # one pixel at a time, or whole pictures


def test_given_rows_of_other_levels_are_refused():
    with pytest.raises(ValueError, match="grey levels must lie in 0 to 1, got 0 to 7"):
        PixelCNN(2, (3, 3), width=4).sample(1, given=torch.full((1, 2, 3), 7))


def test_the_same_generator_draws_the_same_pictures():
    model = bent(PixelCNN(4, (5, 5), width=8))
    first, again, other = (model.sample(9, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


@every_stack
def test_the_likelihood_does_not_depend_on_how_many_pictures_come_at_once(build):
    model, x = bent(build(3, (4, 4))), torch.randint(3, (pixelcnn.BATCH + 2, 4, 4))
    assert torch.allclose(model.log_prob(x)[-2:], model.log_prob(x[-2:]), atol=1e-4)


@every_stack
def test_every_weight_learns(build):
    model = bent(build(3, (4, 4)))
    nn.functional.cross_entropy(model(x := torch.randint(3, (9, 4, 4))), x).backward()
    unused = {name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()}
    assert all(weight.requires_grad for weight in model.parameters()) and unused <= {"blocks.2.down.weight"}


@pytest.mark.parametrize("levels", [2, 16, 256])
def test_a_fresh_model_is_nearly_undecided_between_the_levels(levels):
    torch.manual_seed(0)
    model, x = GatedPixelCNN(levels, (6, 6), width=16), torch.randint(levels, (40, 6, 6))
    bits = -model.log_prob(x) / (36 * torch.log(torch.tensor(2.0)))
    assert bits.mean().item() == pytest.approx(torch.log2(torch.tensor(levels)).item(), rel=0.1)


# --- grey levels ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels, expected", [(2, [0, 0, 1, 1]), (16, [0, 0, 8, 15]), (256, [0, 15, 128, 255])])
def test_levels_are_the_first_bits_of_a_byte(levels, expected):
    assert pixelcnn.to_levels(torch.tensor([0, 15, 128, 255], dtype=torch.uint8), levels).tolist() == expected


def test_levels_that_lie_close_are_told_alike():
    told = pixelcnn.waves(256, 4)
    steps = (told[1:] - told[:-1]).norm(dim=1)
    assert told.shape == (256, 4) and steps.max() < 0.1
    assert torch.allclose(pixelcnn.waves(2, 2), torch.tensor([[0.5**0.5, 0], [-(0.5**0.5), 0]]), atol=1e-6)


def test_levels_are_drawn_as_often_as_their_logits_say():
    logits = torch.tensor([0.1, 0.0, 0.6, 0.3]).log()
    drawn = pixelcnn.draw(logits.expand(50_000, 4), torch.Generator().manual_seed(0))
    share = torch.bincount(drawn, minlength=4) / 50_000
    assert share[1] == 0 and torch.allclose(share, logits.exp(), atol=0.012)


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_pictures_of_another_shape_or_kind_are_refused():
    model = PixelCNN(4, (5, 5), width=4)
    with pytest.raises(TypeError, match=r"whole grey levels, got torch.float32; use to_levels\(pixels, 4\)"):
        model(torch.zeros(1, 5, 5))
    with pytest.raises(ValueError, match=r"pictures must be \(n, 5, 5\), got \(1, 1, 5, 5\)"):
        model(torch.zeros(1, 1, 5, 5, dtype=torch.long))
    for level, found in ((4, "0 to 4"), (-1, "-1 to 0")):
        x = torch.zeros(1, 5, 5, dtype=torch.long)
        x[0, 2, 2] = level
        with pytest.raises(ValueError, match=f"grey levels must lie in 0 to 3, got {found}; use to_levels"):
            model(x)


def test_bytes_that_are_no_bytes_and_odd_numbers_of_levels_are_refused():
    with pytest.raises(TypeError, match="pixels must be uint8, got torch.float32"):
        pixelcnn.to_levels(torch.zeros(2), 16)
    with pytest.raises(ValueError, match="levels must be one of 2, 4, 8, 16, 32, 64, 128, 256, got 10"):
        pixelcnn.to_levels(torch.zeros(2, dtype=torch.uint8), 10)


def test_a_model_that_does_not_say_what_it_knows_is_refused():
    with pytest.raises(TypeError, match="abstract"):
        PixelModel(2, (2, 2), 4)
