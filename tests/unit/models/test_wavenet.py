"""The WaveNet predicts from the past alone, its probabilities are exact, and it writes what they say."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genai_utils.models import wavenet

SAMPLES = st.floats(-1, 1, width=32)
DILATIONS = st.lists(st.integers(1, 9), min_size=1, max_size=4)


def random_net(seed=0, **settings):
    """A small network with weights so large that its probabilities are far from equal."""
    torch.manual_seed(seed)
    net = wavenet.WaveNet(**{"levels": 6, "width": 8, "dilations": (1, 2, 4), "head": 16, **settings})
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return net.requires_grad_(False)


def naive_sample(net, n, length, labels, generator):
    """Write level after level, each from a whole window seen anew."""
    row = torch.full((n, net.receptive_field), net.silence)
    for _ in range(length):
        logits = net(row[:, -net.receptive_field :], labels)[:, -1]
        row = torch.cat((row, torch.multinomial(logits.softmax(1), 1, generator=generator)), dim=1)
    return row[:, net.receptive_field :]


# mu-law


@given(SAMPLES)
def test_a_sample_comes_back_within_half_a_step_of_its_level(sample):
    """Half a step is 1/255 after squeezing; (1 + 255 |x|) (256^(1/255) - 1) / 255 before."""
    back = wavenet.inverse_mu_law(wavenet.mu_law(torch.tensor([sample]))).item()
    assert abs(back - sample) <= (1 + 255 * abs(sample)) * (256 ** (1 / 255) - 1) / 255 + 1e-6


def test_every_level_is_reached_and_comes_back():
    levels = torch.arange(256)
    samples = wavenet.inverse_mu_law(levels)
    assert torch.equal(wavenet.mu_law(samples), levels)
    assert torch.allclose(samples, -samples.flip(0), atol=1e-6) and samples[-1] == pytest.approx(1)


@given(st.lists(SAMPLES, min_size=2, max_size=9))
def test_louder_never_means_a_lower_level(samples):
    levels = wavenet.mu_law(torch.tensor(sorted(samples)))
    assert (levels.diff() >= 0).all()


def test_silence_is_the_level_in_the_middle():
    assert wavenet.mu_law(torch.zeros(3)).tolist() == [wavenet.SILENCE] * 3
    assert wavenet.mu_law(torch.zeros(0)).shape == wavenet.inverse_mu_law(torch.zeros(0)).shape == (0,)


@pytest.mark.parametrize("sample", [1.01, -2.0, float("nan")])
def test_samples_out_of_range_are_refused(sample):
    with pytest.raises(ValueError, match=r"lie in \[-1, 1\], got .*divide int16 by 32768"):
        wavenet.mu_law(torch.tensor([0.0, sample]))


@pytest.mark.parametrize("level", [-1, 256])
def test_levels_out_of_range_are_refused(level):
    with pytest.raises(ValueError, match="levels must lie in 0 to 255, got"):
        wavenet.inverse_mu_law(torch.tensor([level]))


# the network


@settings(max_examples=20)
@given(DILATIONS)
def test_the_gradient_reaches_back_exactly_as_far_as_the_formula(dilations):
    """Of a row of embedded levels, the last prediction feels the last `receptive_field` ones and no other."""
    net = random_net(dilations=dilations).requires_grad_(True)
    net.embed = torch.nn.Identity()
    length = 1 + sum(dilations)
    assert net.receptive_field == length
    x = torch.randn(1, length + 5, 8, requires_grad=True)
    net(x)[0, -1].sum().backward()
    felt = x.grad.abs().sum(dim=(0, 2)) > 0
    assert felt.tolist() == [False] * 5 + [bool(reachable(dilations)[length - 1 - i]) for i in range(length)]
    assert felt[5] and felt[-1]


def reachable(dilations):
    """Which distances into the past are sums of some of the dilations."""
    sums = {sum(chosen) for k in range(len(dilations) + 1) for chosen in itertools.combinations(dilations, k)}
    return [distance in sums for distance in range(1 + sum(dilations))]


@pytest.mark.parametrize("place", [0, 5, 19])
def test_a_changed_level_changes_no_probability_before_its_own_place_or_beyond_the_reach(place):
    net = random_net(labels=3)
    levels, labels = torch.randint(6, (2, 20), generator=torch.Generator().manual_seed(0)), torch.tensor([0, 2])
    changed = levels.clone()
    changed[:, place] = (levels[:, place] + 1) % 6
    before, after = net.log_prob(levels, labels), net.log_prob(changed, labels)
    moved = (before != after).any(dim=0)
    assert not moved[:place].any() and moved[place]
    assert place == 19 or moved[place + 1 : place + 1 + net.receptive_field].any()
    assert not moved[place + 1 + net.receptive_field :].any()


def test_the_network_without_settings_hears_512_levels():
    assert wavenet.WaveNet().receptive_field == 512


@pytest.mark.parametrize("place", [0, 5, 19])
def test_a_level_is_not_predicted_from_itself(place):
    """Put all values in one place: their probabilities add up to one only if none was computed from its own value."""
    net, levels = random_net(), torch.randint(6, (6, 20), generator=torch.Generator().manual_seed(0))
    levels[:] = levels[:1].clone()
    levels[:, place] = torch.arange(6)
    assert net.log_prob(levels)[:, place].exp().sum().item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("labels", [0, 2])
def test_the_probabilities_of_all_rows_add_up_to_one(labels):
    net = random_net(levels=3, labels=labels)
    rows = torch.tensor(list(itertools.product(range(3), repeat=5)))
    told = torch.ones(len(rows), dtype=torch.long) if labels else None
    probabilities = net.log_prob(rows, told).double().sum(dim=1).exp()
    assert probabilities.sum().item() == pytest.approx(1, abs=1e-5)
    assert probabilities.max() > 5 * probabilities.mean()


@pytest.mark.parametrize("dilations", [(1, 2, 4), (3,), (2, 1, 5, 1)])
def test_writing_with_memory_is_writing_without(dilations):
    net, labels = random_net(dilations=dilations, labels=2), torch.tensor([0, 1, 1])
    fast, slow = torch.Generator().manual_seed(4), torch.Generator().manual_seed(4)
    assert torch.equal(net.sample(3, 40, labels=labels, generator=fast), naive_sample(net, 3, 40, labels, slow))


def test_rows_are_written_as_often_as_their_probability_says():
    """20,000 rows of the sampler, which never calls log_prob, against it: chi-squared within five deviations."""
    net = random_net(seed=1, levels=2, dilations=(1, 2))
    drawn = net.sample(20_000, 4, generator=torch.Generator().manual_seed(0))
    rows = torch.tensor(list(itertools.product(range(2), repeat=4)))
    counts = torch.bincount((drawn * torch.tensor([8, 4, 2, 1])).sum(1), minlength=16).double()
    expected = 20_000 * net.log_prob(rows).double().sum(1).exp()
    assert abs(((counts - expected) ** 2 / expected).sum().item() - 15) < 5 * math.sqrt(30)


def test_a_low_temperature_writes_the_likeliest_level():
    net = random_net()
    row = net.sample(1, 12, temperature=1e-4, generator=torch.Generator().manual_seed(0))
    context = torch.cat((torch.full((1, net.receptive_field), net.silence), row), dim=1)
    assert torch.equal(net(context[:, :-1]).argmax(2), row)


def test_the_label_counts():
    net, levels = random_net(labels=2), torch.zeros(1, 9, dtype=torch.long)
    assert not torch.allclose(net.log_prob(levels, torch.tensor([0])), net.log_prob(levels, torch.tensor([1])))


def test_every_weight_has_a_use_with_and_without_labels_but_the_way_back_of_the_last_layer():
    for labels in (0, 2):
        net = random_net(labels=labels).requires_grad_(True)
        net.log_prob(torch.tensor([[0, 1, 2, 3, 4, 5]]), torch.tensor([1]) if labels else None).sum().backward()
        unused = {name for name, weight in net.named_parameters() if weight.grad is None or not weight.grad.any()}
        assert unused == {"layers.2.back.weight", "layers.2.back.bias"}


@pytest.mark.parametrize("labels, given, message", [
    (2, None, r"takes labels \(1,\) in 0..1, got none"),
    (0, torch.tensor([1]), r"takes no labels, got \(1,\)"),
])  # fmt: skip
def test_a_missing_or_unwanted_label_is_said(labels, given, message):
    with pytest.raises(ValueError, match=message):
        random_net(labels=labels).log_prob(torch.zeros(1, 9, dtype=torch.long), given)


def test_less_than_a_window_is_refused():
    with pytest.raises(ValueError, match="a window has 8 levels, got only 7; use log_prob"):
        random_net()(torch.zeros(1, 7, dtype=torch.long))


def test_neighbouring_levels_begin_alike():
    torch.manual_seed(0)
    vectors = wavenet.smooth(256, 32)
    assert vectors.std().item() == pytest.approx(1, abs=1e-5)
    assert (vectors[1:] - vectors[:-1]).norm(dim=1).max() < 0.3 * (vectors[64] - vectors[192]).norm()
    assert wavenet.WaveNet().embed.weight.isfinite().all()


# pieces to train on


@settings(max_examples=20)
@given(st.lists(st.integers(4, 30), min_size=1, max_size=4))
def test_every_level_is_in_a_piece_behind_its_own_past(lengths):
    rows = [torch.arange(i * 100, i * 100 + length) for i, length in enumerate(lengths)]
    pieces, numbers = wavenet.excerpts(rows, context=3, length=4)
    assert set(pieces[:, 3:].flatten().tolist()) == set(torch.cat(rows).tolist())
    for piece, number in zip(pieces, numbers, strict=True):
        row = torch.cat((torch.full((3,), wavenet.SILENCE), rows[number]))
        start = (row == piece[3]).nonzero()[-1].item() - 3
        assert torch.equal(piece, row[start : start + 7])


def test_a_row_shorter_than_a_piece_is_refused():
    with pytest.raises(ValueError, match="at least 4 levels, got one of 3; lower `length`"):
        wavenet.excerpts([torch.zeros(5), torch.zeros(3)], context=3, length=4)
