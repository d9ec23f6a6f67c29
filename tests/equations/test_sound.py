"""The equations of the chapter on sound: both sides computed, without shared code."""

import ast
import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from torch.nn.functional import conv1d

from genai_utils.models import wavenet
from tools.notebooks import ROOT, Project, build

verifies = pytest.mark.verifies
SEEDS = st.integers(0, 10_000)


@verifies("wave.mu-law")
@given(st.floats(-1, 1))
def test_the_level_is_the_share_of_all_steps_below_a_sample(x):
    """Steps at loudness |x| are proportional to 1 + 255 |x|: the curve is the integral of 1 / (1 + 255 |u|)."""
    below, _ = quad(lambda u: 1 / (1 + 255 * abs(u)), -1, x, points=[0] if x > 0 else None)
    everywhere = 2 * math.log(256) / 255
    found = wavenet.mu_law(torch.tensor([x], dtype=torch.float64)).item()
    assert abs(255 * below / everywhere - found) <= 0.5 + 1e-5


@verifies("wave.mu-law")
def test_loud_and_soft_sounds_keep_the_same_share_of_noise():
    """A sine's signal-to-noise ratio at 20 decibels less volume: mu-law loses under 2, rounding to 8 bits loses 20."""
    sine = torch.sin(torch.arange(80_000) * 0.1234)

    def decibels(x, back):
        return 10 * math.log10(float(x.square().mean() / (x - back).square().mean()))

    mu = [decibels(x, wavenet.inverse_mu_law(wavenet.mu_law(x))) for x in (sine, sine / 10)]
    linear = [decibels(x, (x * 127.5).round() / 127.5) for x in (sine, sine / 10)]
    assert mu[0] - mu[1] < 2 and linear[0] - linear[1] == pytest.approx(20, abs=1)


@verifies("wave.receptive-field")
@settings(max_examples=20)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=5))
def test_a_tree_of_two_branches_a_layer_reaches_as_far_as_the_sum_says(dilations):
    """Walk down the tree moment by moment; then disturb the network's past, moment by moment, and see what it feels."""
    moments = {0}
    for dilation in dilations:
        moments |= {moment - dilation for moment in moments}
    torch.manual_seed(0)
    net = wavenet.WaveNet(levels=4, width=8, dilations=dilations, head=16).double()
    assert net.receptive_field == 1 - min(moments)
    length = net.receptive_field + 2
    rows = torch.eye(length, dtype=torch.long)  # each row is disturbed at one place
    with torch.no_grad():
        moved = (net(rows) - net(torch.zeros_like(rows)))[:, -1].abs().amax(1)
    assert {place + 1 - length for place in (moved > 1e-9).nonzero()[:, 0].tolist()} == moments


@verifies("wave.gate")
@settings(max_examples=10)
@given(SEEDS, st.integers(1, 5))
def test_a_layer_is_tanh_times_sigmoid_of_two_dilated_convolutions(seed, dilation):
    """With torch's own dilated convolution, its kernels cut out of the layer's matrix."""
    rng = torch.Generator().manual_seed(seed)
    layer = wavenet.GatedLayer(3, dilation)
    x, label = torch.randn(2, 11, 3, generator=rng), torch.randn(2, 1, 6, generator=rng)
    kernel = layer.two_moments.weight.view(6, 2, 3).transpose(1, 2)  # (out, in, moment)
    both = conv1d(x.mT, kernel, layer.two_moments.bias, dilation=dilation) + label.mT
    gated = both[:, :3].tanh() / (1 + (-both[:, 3:]).exp())
    out = x.mT[:, :, dilation:] + conv1d(gated, layer.back.weight[:, :, None], layer.back.bias)
    found = layer(x, label)
    assert torch.allclose(found[0], out.mT, atol=1e-5) and torch.allclose(found[1], gated.mT, atol=1e-6)


@pytest.fixture(scope="module")
def look():
    """How the chapter's reader moves its attention, without running what the chapter measures."""
    kept = ast.Module([], [])
    for cell in build(Project(ROOT), "sound").cells:
        if cell.cell_type == "code" and "class Reader" in cell.source:
            kept.body += [node for node in ast.parse(cell.source).body if getattr(node, "name", "") == "Reader"]
    names: dict = {"nn": torch.nn, "torch": torch, "F": torch.nn.functional}
    exec(compile(kept, "sound", "exec"), names)
    return names["Reader"](stays_or_steps=True).look


@verifies("tts.step")
@settings(max_examples=20)
@given(SEEDS)
def test_the_share_of_attention_is_the_probability_of_a_reader_who_stays_or_steps(look, seed):
    """The recursion against the sum over all 2^5 ways to stay or step, each with its probability."""
    rng = np.random.default_rng(seed)
    places, moments = 4, 5
    energies = rng.normal(2, 2, (moments, places))
    at = torch.eye(places)[:1].double()
    for energy in energies:
        at = look(at, torch.from_numpy(energy)[None])
    moves, paths = 1 / (1 + np.exp(2 - energies)), np.zeros(places)
    for path in itertools.product((0, 1), repeat=moments):
        place, chance = 0, 1.0
        for move, steps in zip(moves, path, strict=True):
            able = place < places - 1
            chance *= (move[place] if steps else 1 - move[place]) if able else float(not steps)
            place += steps and able
        paths[place] += chance
    assert at[0].tolist() == pytest.approx(paths.tolist()) and paths.sum() == pytest.approx(1)
