"""What would not fit into memory is refused before any of it is made, and the refusal says what it would take."""

import math
import re

import numpy as np
import pytest
import torch

from genai_utils import checks
from genai_utils.business import adoption, bubbles, machines, valuation
from genai_utils.metrics import distances, hardware, likelihood
from genai_utils.models import (
    autoencoder,
    classical,
    coding,
    densities,
    gan,
    gpt,
    pixelcnn,
    sampling,
    shapes,
    vae,
    vqvae,
    wavenet,
)

PIXELS = torch.zeros(4, 3, dtype=torch.uint8)
EYE = torch.eye(3)
ZERO = torch.zeros(3)
CURVE = classical.ByteGaussian(ZERO, EYE)
PCA = classical.GaussianPCA(ZERO, torch.ones(3), EYE)
FLAT = classical.GaussianPCA(torch.zeros(784), torch.ones(784), torch.eye(784))
MIXTURE = classical.GaussianMixture(torch.ones(2) / 2, torch.zeros(2, 3), torch.stack([EYE, EYE]))
HMM = classical.HMM(torch.ones(2) / 2, torch.ones(2, 2) / 2, torch.ones(2, 4) / 4)
PRIOR = vqvae.CodePrior(codes=3, width=2, blocks=0)
GATED = pixelcnn.PixelCNN(levels=4, shape=(2, 2), width=2, blocks=0, first=1)
WAVENET = wavenet.WaveNet(levels=4, width=2, dilations=(1,), head=2)
TEXT = gpt.GPT(gpt.Config(vocabulary=4, context=4, layers=1, heads=1, width=2))
SERIES = np.arange(1.0, 7.0)
YEARS = np.array([1.0, 2.0, 3.0, 4.0, 5.0])


def seed(paths):
    return {"paths": paths, "seed": 0}


def gpt_of(vocabulary=2, context=2, layers=1, heads=1, width=2):
    return gpt.GPT(gpt.Config(vocabulary, context, layers, heads, width))


def sweep(*shape):
    return hardware.matmul_sweep([shape], torch.float32, "cpu", repeats=2)


def bell(z):
    return -z.square().sum(dim=-1) / 2


CALLS = [
    ("channels = 3 x rows = 3 x places = 9", lambda: autoencoder.Denoiser(3)),
    ("positions = 3 x levels = 7", lambda: classical.PixelTables.fit(PIXELS, levels=7)),
    ("n = 5 x positions = 2", lambda: classical.PixelTables(torch.ones(2, 4) / 4).sample(5)),
    ("n = 5 x d = 3", lambda: PCA.sample(5)),
    ("draws = 5 x n = 4 x d = 3", lambda: CURVE.log_prob_whole(PIXELS, draws=5)),
    ("n = 5 x d = 3", lambda: CURVE.sample(5)),
    ("n = 5 x d = 3", lambda: CURVE.sample_whole(5)),
    ("n = 5 x rank = 3", lambda: classical.ClassGaussians([FLAT], rank=3).sample(5)),
    ("n = 5 x d = 3", lambda: MIXTURE.sample(5)),
    ("n = 5 x length = 3", lambda: HMM.sample(5, 3)),
    ("rows = 3 x levels = 5", lambda: coding.lloyd_max(torch.rand(3, 9), levels=5)),
    ("bits = 6 x errors = 12", lambda: coding.allocate_bits(torch.rand(3, 4), bits=5)),
    ("n = 5 x latent = 3", lambda: densities.StandardNormal(3).sample(5)),
    ("latent = 3 x components = 5", lambda: densities.MixturePrior(3, components=5)),
    ("n = 7 x latent = 3", lambda: densities.MixturePrior(3, components=2).sample(7)),
    ("latent = 7 x width = 3", lambda: gan.MLPGenerator(7, width=3, shape=(2,))),
    ("width = 5 x rows = 5", lambda: gan.MLPGenerator(2, width=5, shape=(2,))),
    ("width = 5 x rows = 5", lambda: gan.MLPDiscriminator(width=5, shape=(2,))),
    ("latent = 3 x width = 2 x outputs = 98", lambda: gan.Generator(latent=3, width=2)),
    ("width = 20 x outputs = 20 x places = 9", lambda: gan.Generator(latent=1, width=20)),
    ("width = 3 x outputs = 3 x places = 9", lambda: gan.Discriminator(width=3)),
    ("vocabulary = 50 x width = 2", lambda: gpt_of(vocabulary=50)),
    ("context = 50 x width = 4", lambda: gpt_of(context=50, heads=2, width=4)),
    ("width = 4 x four_widths = 16", lambda: gpt_of(width=4)),
    ("layers = 2 x width = 4 x three_widths = 12", lambda: gpt_of(layers=2, width=4)),
    ("width = 4 x rows = 4", lambda: gpt.Attention(gpt.Config(2, width=4, heads=1))),
    ("context = 5 x head = 4", lambda: gpt.rotations(5, 4)),
    ("inputs = 2 x outputs = 3 x size = 5 x rows = 5", lambda: pixelcnn.MaskedConv2d(2, 3, 5, sees_itself=True)),
    ("inputs = 2 x outputs = 3 x up = 5 x columns = 6", lambda: pixelcnn.LookBack(2, 3, up=4, left=3, right=2)),
    ("width = 8 x levels = 7", lambda: pixelcnn.PixelCNN(levels=7, shape=(2, 2), width=8, blocks=0, first=1)),
    ("n = 5 x levels = 4", lambda: GATED.sample(5)),
    ("levels = 5 x count = 3", lambda: pixelcnn.waves(5, 3)),
    ("width = 2 x dilation = 50", lambda: pixelcnn.GatedBlock(2, dilation=50)),
    ("prompts = 2 x tokens = 5", lambda: sampling.generate(TEXT, torch.zeros(2, 2, dtype=torch.long), 3)),
    ("shape[0] = 3 x shape[1] = 4", lambda: shapes.sizes(shape=(3, 4))),
    ("hidden[1] = 5 x hidden[2] = 7", lambda: shapes.check_widths(hidden=(2, 5, 7, 3))),
    ("latent = 5 x pixels = 784", lambda: vae.VAE(latent=5, hidden=2)),
    ("widths[0] = 784 x widths[1] = 30", lambda: vae.VAE(latent=1, hidden=(30, 1), decoder_hidden=(1,))),
    ("labels = 5 x pixels = 784", lambda: vae.VAE(latent=1, hidden=2, labels=5)),
    ("dims = 5 x latent = 2", lambda: vae.LinearVAE(5, 2)),
    ("n = 5 x latent = 2", lambda: vae.LinearVAE(2, 2).sample(5)),
    ("codes = 5", lambda: vqvae.nearest_codes(torch.zeros(2, 3), torch.zeros(5, 3))),
    ("size = 5", lambda: vqvae.code_shares(torch.zeros(1, dtype=torch.long), 5)),
    ("size = 5 x width = 3", lambda: vqvae.Codebook(5, 3)),
    ("codes = 50 x width = 2", lambda: vqvae.VQVAE(codes=50, width=2, channels=2)),
    ("width = 30 x channels = 2 x places = 9", lambda: vqvae.VQVAE(codes=1, width=30, channels=2)),
    ("channels = 4 x rows = 4 x places = 9", lambda: vqvae.Residual(4)),
    ("width = 4 x rows = 4", lambda: vqvae.CausalBlock(4)),
    ("width = 2 x rows = 2 x places = 49", lambda: vqvae.CodePrior(codes=3, width=2, blocks=0)),
    ("codes = 500 x width = 2", lambda: vqvae.CodePrior(codes=500, width=2, blocks=0)),
    ("n = 5 x codes = 3", lambda: PRIOR.sample(5)),
    ("width = 4 x rows = 4", lambda: wavenet.GatedLayer(4, dilation=1)),
    ("levels = 4 x width = 2 x dilations = 20", lambda: wavenet.WaveNet(4, width=2, dilations=(1,) * 20, head=2)),
    ("levels = 4 x head = 9", lambda: wavenet.WaveNet(4, width=2, dilations=(1,), head=9)),
    ("n = 5 x length = 3", lambda: WAVENET.sample(5, 3)),
    ("levels = 4 x width = 3 x waves = 5", lambda: wavenet.smooth(4, 3, waves=5)),
    ("context = 1 x length = 4", lambda: wavenet.excerpts([torch.arange(9)], context=0, length=4)),
    ("context = 3 x length = 4", lambda: wavenet.excerpts([torch.arange(9)], context=3, length=4)),
    ("resamples = 5", lambda: distances.frechet_distance(torch.rand(9, 2), torch.rand(9, 2), resamples=5)),
    ("subsets = 5", lambda: distances.kernel_distance(torch.rand(9, 2), torch.rand(9, 2), subsets=5)),
    ("megabytes = 2 x numbers_in_each = 250,000", lambda: hardware.bandwidth("cpu", megabytes=2, repeats=2)),
    ("repeats = 5", lambda: hardware.laps(dict, repeats=5)),
    ("m in shapes = 4 x k in shapes = 5", lambda: sweep(4, 5, 3)),
    ("k in shapes = 5 x n in shapes = 4", lambda: sweep(3, 5, 4)),
    ("m in shapes = 5 x n in shapes = 4", lambda: sweep(5, 3, 4)),
    ("temperatures = 5", lambda: likelihood.sigmoid_path(5)),
    (
        "temperatures = 5 x chains = 3 x leapfrogs = 2",
        lambda: likelihood.annealed_importance(bell, ZERO[None], ZERO[None], chains=3, temperatures=5, leapfrogs=2),
    ),
    ("draws = 3 x years = 5", lambda: adoption.bootstrap(YEARS, YEARS**2, bound=100.0, draws=3, seed=0)),
    ("paths = 5 x n = 4", lambda: bubbles.random_walks(4, **seed(5))),
    ("paths = 5 x prices = 6", lambda: bubbles.wild_walks(SERIES, **seed(5))),
    ("paths = 5 x n = 4", lambda: bubbles.explosive_paths(4, start=0, end=1, root=1.1, level=1.0, **seed(5))),
    ("draws = 7 x prices = 40", lambda: bubbles.wild_p_value(bubbles.random_walks(40, **seed(1))[0], draws=7, seed=0)),
    ("years = 5", lambda: valuation.Company(1.0, 0.1, 0.1, 0.1, years=5)),
    ("draws = 5 x correlation = 2", lambda: machines.together(np.eye(2), draws=5, seed=0)),
    ("paths = 5 x years = 4", lambda: valuation.bubble_paths(1.0, rate=0.1, burst=0.1, years=4, **seed(5))),
]


@pytest.mark.parametrize(("asked", "call"), CALLS, ids=[asked for asked, _ in CALLS])
def test_one_number_more_than_a_machine_holds_is_refused_and_as_many_as_it_holds_are_not(asked, call, monkeypatch):
    numbers = math.prod(int(size.replace(",", "")) for size in re.findall(r"= ([\d,]+)", asked))
    monkeypatch.setattr(checks, "MOST_NUMBERS", numbers - 1)
    with pytest.raises(ValueError, match=f"^{re.escape(asked)} are more than .* ask for less"):
        call()
    monkeypatch.setattr(checks, "MOST_NUMBERS", numbers)
    try:
        call()
    except ValueError as other:  # what the parts of it take is refused in words of their own
        assert "are more than" in str(other) and asked not in str(other)
