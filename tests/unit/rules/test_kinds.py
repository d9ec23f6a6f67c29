"""What is of another kind than asked for is refused by its name, before anything is computed with it."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from genai_utils.business import adoption, bubbles, competition, compliance
from genai_utils.metrics import distances, likelihood
from genai_utils.models import (
    autoencoder,
    classical,
    coding,
    densities,
    gan,
    gpt,
    ngram,
    pixelcnn,
    sampling,
    shapes,
    vae,
    vqvae,
    wavenet,
)
from genai_utils.records import claims, edited, facts, table

NAN = math.nan
VECTOR = torch.ones(3)
EYE = torch.eye(3)
IMAGES = torch.zeros(2, 1, 28, 28)
WHOLE = torch.ones(1, 2, 2, dtype=torch.long)
CONFIG = gpt.Config(vocabulary=4, context=4, layers=1, heads=1, width=2)
PCA = classical.GaussianPCA(VECTOR, VECTOR, EYE)
MIXTURE = classical.GaussianMixture(torch.ones(1), VECTOR[None], EYE[None])
GPT = gpt.GPT(CONFIG)
CODER = coding.PCACoder(torch.zeros(784), torch.eye(784)[:, :1], [torch.tensor([-5.0, 5.0])])
PRIOR = vqvae.CodePrior(codes=4, shape=(2, 2), width=2, blocks=0)
LINEAR = vae.LinearVAE(3, 2)
DUTY = ("CN", "law", "Art. 1", "topic", "text")
LONG = [1e200, 2e200, 3e200]
ONE = torch.ones(1)
BELL = densities.Bernoulli()
STACKS = (pixelcnn.PixelCNN, pixelcnn.GatedPixelCNN)
LOSSES = (vqvae.straight_through, vqvae.codebook_loss, vqvae.commitment_loss)
VERDICT = {"id": "a.b", "text": "It pays.", "source": "S1", "verdict": "depends", "evidence": "5 of 9"}


def spoiled(tensor):
    """The same with a NaN at its end."""
    copy = tensor.clone()
    copy.view(-1)[-1] = NAN
    return copy


@pytest.mark.parametrize(
    ("error", "words", "call"),
    [
        (TypeError, "squash must be bool", lambda: autoencoder.Autoencoder(squash=1)),
        (TypeError, "squash must be bool", lambda: gan.MLPGenerator(squash=1)),
        (TypeError, "x must be a torch tensor", lambda: autoencoder.score(nn.Identity(), [1.0], 1.0)),
        (TypeError, "x must be float32 or float64", lambda: autoencoder.denoising_loss(nn.Identity(), WHOLE, 1.0)),
        (ValueError, r"mean .*(finite|NaN)", lambda: classical.GaussianPCA(spoiled(VECTOR), VECTOR, EYE)),
        (
            ValueError,
            r"variances .*(finite|NaN)",
            lambda: classical.GaussianPCA(VECTOR, spoiled(VECTOR), EYE),
        ),
        (ValueError, r"axes .*(finite|NaN)", lambda: classical.GaussianPCA(VECTOR, VECTOR, spoiled(EYE))),
        (ValueError, r"x .*(finite|NaN)", lambda: PCA.whiten(spoiled(EYE))),
        (ValueError, "x must have shape", lambda: PCA.whiten(EYE[:, :2])),
        (ValueError, r"z .*(finite|NaN)", lambda: PCA.unwhiten(spoiled(EYE))),
        (ValueError, r"mean .*(finite|NaN)", lambda: classical.ByteGaussian(spoiled(VECTOR), EYE)),
        (ValueError, r"covariance .*(finite|NaN)", lambda: classical.ByteGaussian(VECTOR, spoiled(EYE))),
        (TypeError, r"gaussians\[1\] must be GaussianPCA", lambda: classical.ClassGaussians([PCA, None], 1)),
        (TypeError, "components must be a whole number", lambda: classical.GaussianMixture.start(EYE, 1.5)),
        (ValueError, r"x .*(finite|NaN)", lambda: MIXTURE.log_joint(spoiled(EYE))),
        (ValueError, "x must have shape", lambda: MIXTURE.log_joint(EYE[:, :2])),
        (TypeError, "diagonal must be bool", lambda: MIXTURE.step(EYE, diagonal=1)),
        (ValueError, r"examples .*(finite|NaN)", lambda: classical.GaussianPCA.fit(spoiled(EYE))),
        (ValueError, "examples must be .* n >= 2", lambda: classical.GaussianPCA.fit(EYE[:1])),
        (
            ValueError,
            "at least 0.25 and a mean sum of 0.75",
            lambda: classical.PixelTables(torch.tensor([[0.25, 0.25], [0.5, 0.5]])),
        ),
        (
            ValueError,
            r"(weights|examples) .*(finite|NaN)",
            lambda: classical.GaussianMixture(spoiled(ONE), VECTOR[None], EYE[None]),
        ),
        (
            ValueError,
            r"(means|examples) .*(finite|NaN)",
            lambda: classical.GaussianMixture(ONE, spoiled(VECTOR)[None], EYE[None]),
        ),
        (
            ValueError,
            r"(covariances|examples) .*(finite|NaN)",
            lambda: classical.GaussianMixture(ONE, VECTOR[None], spoiled(EYE)[None]),
        ),
        (ValueError, "labels must have shape", lambda: classical.ClassGaussians.fit(IMAGES, torch.zeros(3).long())),
        (ValueError, r"(images|examples) .*(finite|NaN)", lambda: CODER.encode(spoiled(IMAGES))),
        (ValueError, "examples must be", lambda: CODER.encode(IMAGES[0])),
        (ValueError, "numbers must lie in 0 to 1", lambda: CODER.decode(torch.full((1, 1), 2))),
        (TypeError, "levels must be list or tuple", lambda: coding.PCACoder(VECTOR, EYE, EYE)),
        (
            ValueError,
            r"levels\[1\] must be finite",
            lambda: coding.PCACoder(VECTOR, EYE[:, :2], [VECTOR, spoiled(VECTOR)]),
        ),
        (ValueError, r"(axes|examples) .*(finite|NaN)", lambda: coding.PCACoder(VECTOR, spoiled(EYE), [VECTOR] * 3)),
        (ValueError, "values must hold numbers", lambda: coding.lloyd_max(torch.zeros(2, 0), 2)),
        (ValueError, "errors must hold numbers", lambda: coding.allocate_bits(torch.zeros(2, 0), 2)),
        (ValueError, r"values .*(finite|NaN)", lambda: coding.lloyd_max(spoiled(EYE), 2)),
        (ValueError, r"errors .*(finite|NaN)", lambda: coding.allocate_bits(spoiled(EYE), 2)),
        (ValueError, r"levels .*(finite|NaN)", lambda: coding.borders(spoiled(EYE))),
        (ValueError, r"(images|examples) .*(finite|NaN)", lambda: coding.PCACoder.fit(spoiled(IMAGES), 2)),
        (ValueError, "images must be two or more", lambda: coding.PCACoder.fit(IMAGES[:1], 2)),
        (TypeError, "z must be a torch tensor", lambda: densities.log_normal([0.5])),
        (TypeError, "mean must be Tensor or float or int", lambda: densities.log_normal(VECTOR, "0")),
        (TypeError, "mean must be float32 or float64", lambda: densities.Bernoulli().output_of(WHOLE)),
        (TypeError, "mean must be float32 or float64", lambda: densities.DiscretizedLogistic().output_of(WHOLE)),
        (TypeError, "output must be floating-point", lambda: densities.Bernoulli().log_prob(WHOLE[None], WHOLE[None])),
        (ValueError, "z must have shape", lambda: densities.StandardNormal(2).log_prob(VECTOR)),
        (ValueError, "z must have shape", lambda: densities.MixturePrior(2, components=2).log_prob(VECTOR)),
        (TypeError, "output must be real numbers", lambda: densities.Gaussian().mean(EYE.bool())),
        (TypeError, "output must be real numbers", lambda: densities.Bernoulli().mean(EYE.bool())),
        (TypeError, "mean must be real numbers", lambda: densities.Gaussian().output_of(EYE.bool())),
        (
            ValueError,
            "z and mean and log_var must have one",
            lambda: densities.MixturePrior(3, 2).kl(EYE[:1], EYE, EYE),
        ),
        (
            ValueError,
            "z and mean and log_var must have one",
            lambda: densities.MixturePrior(3, 2).kl(EYE, EYE[:1], EYE),
        ),
        (
            ValueError,
            "z and mean and log_var must have one",
            lambda: densities.MixturePrior(3, 2).kl(EYE, EYE, EYE[:1]),
        ),
        (TypeError, "generator must be", lambda: densities.StandardNormal(2).sample(1, generator=0)),
        (TypeError, "generator must be", lambda: densities.MixturePrior(2, 2).sample(1, generator=0)),
        (ValueError, "p must be (a density|finite)", lambda: gan.optimal_discriminator(math.inf, 1.0)),
        (ValueError, "q must be a density", lambda: gan.optimal_discriminator(1.0, -0.1)),
        (TypeError, "p must be float or", lambda: gan.optimal_discriminator("1", 1.0)),
        (ValueError, "must have one shape", lambda: gan.gradient_penalty(torch.sum, EYE, EYE[:1])),
        (TypeError, "network must be Module", lambda: gan.initialize(EYE)),
        *(
            (TypeError, f"{name} must be bool", lambda name=name: replace(CONFIG, **{name: 1}))
            for name in ("qk_norm", "bias", "tied")
        ),
        (ValueError, "init must be one of 'idle', 'gpt2'", lambda: replace(CONFIG, init="GPT2")),
        *(
            (TypeError, "config must be Config", lambda kind=kind: kind(4))
            for kind in (gpt.Attention, gpt.Block, gpt.GPT, gpt.forward_flops)
        ),
        (TypeError, "config must be Config", lambda: gpt.decoding_bytes(4, 1)),
        (TypeError, "cache must be Cache", lambda: GPT(WHOLE[0], cache=4)),
        (TypeError, "model must be GPT", lambda: gpt.log_probs(nn.Identity(), WHOLE.flatten())),
        (TypeError, "model must be Module", lambda: gpt.optimizers(4)),
        (TypeError, "iterations must be a whole number", lambda: gpt.optimizers(GPT, iterations=5.0)),
        (
            ValueError,
            "turn must have as many places as x, got 2 and 3",
            lambda: gpt.rotate(torch.ones(3, 4), torch.ones(2, 2, 2)),
        ),
        (
            ValueError,
            "turn and x must have half / head = 1 / 2",
            lambda: gpt.rotate(torch.ones(3, 6), torch.ones(3, 2, 2)),
        ),
        (TypeError, "config must be Config", lambda: gpt.Cache(4)),
        (TypeError, "config must be Config", lambda: gpt.gpt2_config({})),
        (
            ValueError,
            "k has 2 keys, fewer than the 3 queries",
            lambda: gpt.attention_weights(torch.ones(1, 1, 3, 2), torch.ones(1, 1, 2, 2)),
        ),
        (
            ValueError,
            "k must have shape|v must have shape",
            lambda: gpt.attend(EYE[None, None], EYE[None, None], EYE[None, None, :2]),
        ),
        (ValueError, "head must be even", lambda: gpt.rotations(2, 3)),
        (TypeError, "n must be a whole number", lambda: ngram.NGram("ab", 1).sample(2.0)),
        (TypeError, "past must be str", lambda: ngram.NGram("ab", 1).sample(2, past=["a"])),
        (TypeError, "generator must be", lambda: ngram.NGram("ab", 1).sample(2, generator=0)),
        (TypeError, "levels must be a whole number", lambda: pixelcnn.to_levels(WHOLE.byte(), 2.0)),
        (TypeError, "levels must be a whole number", lambda: pixelcnn.PixelCNN(2.0, (2, 2), 2)),
        (TypeError, "model must be GPT", lambda: sampling.generate(nn.Identity(), WHOLE[0], 1)),
        (TypeError, "stop must be a whole number", lambda: sampling.generate(GPT, WHOLE[0], 1, stop=1.0)),
        (TypeError, "tokens must be a whole number", lambda: sampling.generate(GPT, WHOLE[0], 1.0)),
        (TypeError, "decoding must be a Decoding", lambda: sampling.generate(GPT, WHOLE[0], 1, decoding=5)),
        (TypeError, "top_k must be a whole number", lambda: sampling.Decoding(top_k=2.0)),
        (ValueError, r"logits must have shape \(n, levels\)", lambda: pixelcnn.draw(torch.zeros(1, 2, 3))),
        (ValueError, "logits must hold no NaN", lambda: pixelcnn.draw(torch.tensor([[NAN, 0.0]]))),
        (TypeError, "cached must be bool", lambda: pixelcnn.PixelCNN(2, (2, 2), 2, blocks=0).sample(1, cached=1)),
        *((ValueError, "first must be odd", lambda kind=kind: kind(2, (2, 2), 2, first=4)) for kind in STACKS),
        *((ValueError, "size must be odd", lambda kind=kind: kind(2, (2, 2), 2, size=4)) for kind in STACKS),
        (ValueError, "size must be odd", lambda: pixelcnn.MaskedConv2d(1, 1, 2, sees_itself=True)),
        (ValueError, "size must be odd", lambda: pixelcnn.GatedBlock(1, size=2)),
        (ValueError, "x must have an even number of channels", lambda: pixelcnn.gate(torch.ones(1, 3, 2, 2))),
        (
            ValueError,
            "given must have shape",
            lambda: pixelcnn.PixelCNN(2, (2, 2), 2, blocks=0).sample(1, given=WHOLE[..., :1]),
        ),
        (TypeError, "dilations must be", lambda: pixelcnn.GatedPixelCNN(2, (2, 2), 2, dilations={1})),
        (ValueError, "shape must have 2 sizes, got", lambda: shapes.sizes(2, shape=(1, 2, 3))),
        (ValueError, "shape must have 2 sizes, got", lambda: pixelcnn.PixelCNN(2, (2, 2, 2), 2)),
        (TypeError, "encoder must be Module", lambda: vae.LatentVariableModel(None, nn.Identity(), 1, 0, BELL)),
        (TypeError, "decoder must be Module", lambda: vae.LatentVariableModel(nn.Identity(), None, 1, 0, BELL)),
        (TypeError, "observation must be Observation", lambda: vae.VAE(1, 2, observation=nn.Identity())),
        (TypeError, "prior must be Prior", lambda: vae.VAE(1, 2, prior=nn.Identity())),
        (ValueError, "mean and noise must have one shape", lambda: LINEAR(EYE, noise=torch.ones(1, 2))),
        (TypeError, "model must be LatentVariableModel", lambda: vae.log_joint(nn.Identity(), EYE, EYE)),
        (TypeError, "model must be LatentVariableModel", lambda: vae.log_weights(nn.Identity(), EYE, 1)),
        (ValueError, "z must have shape", lambda: vae.log_joint(LINEAR, EYE, EYE)),
        (ValueError, "mean must be of at least two examples", lambda: vae.active_units(VECTOR[None])),
        (ValueError, r"mean .*(finite|NaN)", lambda: vae.active_units(spoiled(EYE))),
        (TypeError, "mean must be float32 or float64", lambda: vae.active_units(WHOLE[0])),
        (ValueError, r"(images|examples) .*(finite|NaN)", lambda: vae.VAE(1, 2).center(spoiled(IMAGES))),
        (ValueError, r"(x|examples) .*(finite|NaN)", lambda: vqvae.VQVAE(4, 2, 2).encode(spoiled(IMAGES))),
        (ValueError, "codes must have shape", lambda: vqvae.VQVAE(4, 2, 2).decode(WHOLE)),
        (ValueError, "codes must have shape", lambda: PRIOR(torch.zeros(1, 3, 2).long())),
        (ValueError, "codes must have shape", lambda: PRIOR.log_prob(torch.zeros(1, 3, 2).long())),
        (ValueError, "this model takes no labels", lambda: PRIOR.log_prob(WHOLE, torch.zeros(1).long())),
        (ValueError, "codes must have shape", lambda: vqvae.Codebook(2, 2).lookup(torch.tensor(0))),
        (ValueError, "z must have shape", lambda: vqvae.Codebook(2, 2)(torch.ones(1, 3, 2, 2))),
        (ValueError, "z must have shape", lambda: vqvae.Codebook(2, 2).start(torch.ones(1, 3, 2, 2))),
        (ValueError, "z must have shape", lambda: vqvae.Codebook(2, 2).restart(torch.ones(1, 3, 2, 2))),
        (ValueError, "z must have shape", lambda: vqvae.Codebook(2, 2).update(torch.ones(1, 3, 2, 2), WHOLE)),
        (
            ValueError,
            "z and codes must have one shape",
            lambda: vqvae.Codebook(2, 2).update(torch.ones(1, 2, 2, 3), WHOLE),
        ),
        (TypeError, "out must be Pass", lambda: vqvae.loss(EYE, (EYE, EYE, EYE, EYE))),
        *((ValueError, "z and quantized must have one", lambda call=call: call(EYE, EYE[:1])) for call in LOSSES),
        (ValueError, "levels must have shape", lambda: wavenet.WaveNet(4, 2, (1,), head=2).log_prob(WHOLE)),
        (TypeError, "dilations must be", lambda: wavenet.WaveNet(4, 2, {1})),
        (TypeError, "rows must be", lambda: wavenet.excerpts(EYE, 1, 1)),
        (ValueError, r"rows\[1\] must have shape", lambda: wavenet.excerpts([VECTOR, EYE], 1, 1)),
        (
            ValueError,
            r"too few samples: 3, this needs at least 5 \(d = 2\)",
            lambda: distances.pair(5, a=torch.ones(3, 2)),
        ),
        (TypeError, "generator must be", lambda: likelihood.dequantize(WHOLE.byte(), generator=0)),
        (TypeError, "generator must be", lambda: likelihood.annealed_importance(torch.sum, EYE, EYE, generator=0)),
        (ValueError, r"a must hold features below 1e\+30", lambda: distances.pair(1, a=torch.full((2, 2), 2e30))),
        (TypeError, "pixels must be a torch tensor", lambda: likelihood.dequantize([0])),
        (TypeError, "log_joint must be a function", lambda: likelihood.annealed_importance(0, EYE, EYE)),
        (
            ValueError,
            r"mean .*(finite|NaN)",
            lambda: likelihood.annealed_importance(torch.sum, spoiled(EYE), EYE),
        ),
        (
            ValueError,
            r"log_var .*(finite|NaN)",
            lambda: likelihood.annealed_importance(torch.sum, EYE, spoiled(EYE)),
        ),
        (ValueError, "need 3 or more pairs", lambda: adoption.fit([], [], bound=1.0)),
        (ValueError, "years must be at least 3 dates", lambda: competition.fit_growth([], [])),
        (ValueError, "years must be at least 3 dates", lambda: competition.fit_growth([1.0, 2.0, 3.0], [])),
        (ValueError, "a price war needs two firms", lambda: competition.undercut_price([])),
        (
            ValueError,
            "verdict must be one of 'supported', .* did you mean 'depends'",
            lambda: claims.Claim(**(VERDICT | {"verdict": "depend"})),
        ),
        (
            ValueError,
            "years or adopters, or the bound, are too",
            lambda: adoption.fit([1.0, 2.0, 3.0], LONG, bound=1e210),
        ),
        (TypeError, "window must be a whole number", lambda: bubbles.exuberance([1.0, 2.0, 1.0, 2.0, 4.0], 3.0)),
        (ValueError, "since must be a date like", lambda: compliance.Duty(*DUTY, "2 August", "B-R6")),
        (ValueError, "place must be one of", lambda: compliance.Duty("XX", *DUTY[1:], "2026-08-02", "B-R6")),
        (TypeError, "fact must be str", lambda: compliance.Duty(*DUTY, "2026-08-02", 6)),
        (TypeError, "needs must be tuple", lambda: compliance.Duty(*DUTY, "2026-08-02", "B-R6", needs=["in_eu"])),
        (TypeError, "problem must be str", lambda: edited.fault(facts.TABLE, 1, 5)),
        (TypeError, "path must be .*Path", lambda: edited.text_of("facts.csv")),
        (TypeError, "exact must be bool", lambda: claims.Claim(**VERDICT, exact=1)),
        (TypeError, "statement must be str", lambda: replace(facts.fact("B-U4"), statement=5)),
        (ValueError, "value must be a finite number", lambda: replace(facts.fact("B-U4"), value=NAN)),
        (TypeError, "rows must be str, got int", lambda: table.html_table(["a"], [["b"], [5]])),
        (TypeError, "head must be str, got int", lambda: table.markdown_table([5], [["b"]])),
        (TypeError, "css must be str", lambda: table.html_table(["a"], [["b"]], css=5)),
        (ValueError, "rows must have at least one cell", lambda: table.markdown_table(["a"], [[]])),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_it_is_refused_by_name(error, words, call):
    with pytest.raises(error, match=words):
        call()
