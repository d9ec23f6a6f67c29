import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from genai_utils.models import gan, gpt
from genai_utils.run import Run, flops

BATCH = 4
SMALL = gpt.Config(vocabulary=67, context=32, layers=3, heads=2, width=64)


def gpt_loss(config: gpt.Config, batch: int, time: int) -> torch.Tensor:
    tokens = torch.zeros(batch, time, dtype=torch.long)
    return cross_entropy(gpt.GPT(config)(tokens).flatten(0, 1), tokens.flatten())


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(3, 5), (2, 7, 3)),
        (nn.Conv2d(4, 6, 3, 2, 1), (2, 4, 9, 9)),
        (nn.Conv2d(4, 6, 3, groups=2), (2, 4, 9, 9)),
        (nn.ConvTranspose2d(4, 6, 4, 2, 1), (2, 4, 5, 5)),
        (nn.ConvTranspose2d(4, 6, 3, 1, 0, groups=2), (2, 4, 5, 5)),
    ],
)
def test_a_layer_by_hand_takes_what_the_counter_of_torch_counts(layer, shape):
    x = torch.zeros(shape)
    assert flops.by_layer(nn.Sequential(layer), x) == {"0": flops.counted(lambda: layer(x))}


def test_a_layer_called_twice_counts_twice_and_hooks_are_gone_afterwards():
    layer = nn.Linear(3, 5)
    twice = nn.Sequential(layer, nn.Linear(5, 3), layer)
    once = flops.by_layer(nn.Sequential(layer), torch.zeros(2, 3))["0"]
    assert flops.by_layer(twice, torch.zeros(2, 3))["0"] == 2 * once
    assert not layer._forward_hooks


def test_hooks_are_gone_after_an_error_too():
    layer = nn.Linear(3, 5)
    with pytest.raises(RuntimeError):
        flops.by_layer(nn.Sequential(layer), torch.zeros(2, 4))
    assert not layer._forward_hooks


@pytest.mark.parametrize("time", [1, 8, 32])
def test_a_training_step_of_the_gpt_is_the_same_by_hand_by_the_rule_and_by_counting(time):
    """6 N D of the matrices and 12 layers width time for attention; no deviation at all."""
    model, tokens = gpt.GPT(SMALL), torch.zeros(BATCH, time, dtype=torch.long)
    attention = SMALL.layers * 2 * 2 * SMALL.width * time * time * BATCH
    by_hand = 3 * (sum(flops.by_layer(model, tokens).values()) + attention)
    matrices = sum(p.numel() for p in model.parameters() if p.dim() == 2) - model.tokens.weight.numel()
    by_rule = (6 * matrices + 12 * SMALL.layers * SMALL.width * time) * BATCH * time
    counted = flops.counted(lambda: gpt_loss(SMALL, BATCH, time).backward())
    assert by_hand == by_rule == counted == gpt.training_flops(SMALL, time) * BATCH * time


def test_a_step_of_the_dcgan_by_hand_is_what_is_counted():
    """Forward: G once, D three times. Backward: a product forward is two back, but the first layers need no gradient of
    their input, and for G's loss D needs none of its weights."""
    run, G, D = Run(1, progress=False), gan.Generator(), gan.Discriminator()
    G, D, opt_g, opt_d = run.setup(G, D, *(torch.optim.Adam(p.parameters()) for p in (G, D)))
    real, z = torch.zeros(BATCH, 1, 28, 28), torch.zeros(BATCH, 64)

    def step() -> None:
        fake = G(z)
        run.step(opt_d, gan.discriminator_loss(D, real, fake.detach()))
        run.step(opt_g, gan.generator_loss(D, fake))

    (g_first, *_), (d_first, *_) = g, d = (
        list(flops.by_layer(gan.Generator(), z).values()),
        list(flops.by_layer(gan.Discriminator(), real).values()),
    )
    assert flops.counted(step) == 3 * sum(g) - g_first + 8 * sum(d) - 2 * d_first


def test_the_forward_pass_of_attention_on_a_gpu_counts_the_masked_half_too():
    """The formula that torch's counter has for the kernel, without a GPU; its backward pass is 2.5 times as long."""
    from torch.utils.flop_counter import sdpa_backward_flop_count, sdpa_flop_count

    b, h, t, d = shape = (2, 3, 8, 16)
    assert sdpa_flop_count(shape, shape, shape) == 4 * b * h * d * t * t
    assert sdpa_backward_flop_count(shape, shape, shape, shape) == 2.5 * sdpa_flop_count(shape, shape, shape)
