"""What is drawn depends on its generator alone, and on all of it: no number comes from torch's global one."""

import pytest
import torch

from genai_utils.metrics import features, likelihood
from genai_utils.models import autoencoder, classical, densities, gan, gpt, pixelcnn, sampling, vae, vqvae, wavenet

torch.manual_seed(0)
X = torch.randn(9, 3)
EYE = torch.eye(3)
PIXELS = torch.randint(256, (9, 3)).byte()
PCA = classical.GaussianPCA(torch.zeros(3), torch.ones(3), EYE)
KINDS = [classical.GaussianPCA(torch.full((784,), mean), torch.ones(784), torch.eye(784)) for mean in (-0.5, 0.5)]
CURVE = classical.ByteGaussian(torch.full((3,), 0.5), EYE + 0.5)
MIXTURE = classical.GaussianMixture(torch.ones(2) / 2, torch.stack([X[0], X[1]]), torch.stack([EYE, EYE]))
HMM = classical.HMM(torch.ones(2) / 2, torch.ones(2, 2) / 2, torch.ones(2, 4) / 4)
PRIOR = densities.MixturePrior(3, components=4)
LINEAR = vae.LinearVAE(3, 2)
LABELLED = vae.VAE(2, 4, labels=3)
CODES = vqvae.CodePrior(codes=4, shape=(2, 2), width=4, blocks=1, labels=3)
PLAIN = pixelcnn.PixelCNN(levels=4, shape=(3, 3), width=4, blocks=1, first=3)
GATED = pixelcnn.GatedPixelCNN(levels=4, shape=(3, 3), width=4, first=3, dilations=(1,))
BOOK = vqvae.VQVAE(codes=4, width=2, channels=2)
SOUND = wavenet.WaveNet(levels=8, width=4, dilations=(1, 2), head=4)
TEXT = gpt.GPT(gpt.Config(vocabulary=9, context=8, layers=1, heads=1, width=4))
PROMPT = torch.zeros(3, 1, dtype=torch.long)
THIRDS = torch.tensor([0, 1, 2] * 3)


def bell(z):
    return -z.square().sum(dim=-1) / 2


@pytest.mark.parametrize(
    "draw",
    [
        lambda g: classical.PixelTables(torch.ones(9, 4) / 4).sample(9, generator=g),
        lambda g: PCA.sample(9, generator=g),
        lambda g: CURVE.sample(9, generator=g),
        lambda g: CURVE.sample_whole(9, generator=g),
        lambda g: CURVE.log_prob_whole(PIXELS, 2, generator=g),
        lambda g: classical.ClassGaussians(KINDS, rank=2).sample(9, generator=g),
        lambda g: classical.ClassGaussians(KINDS, rank=2).sample(3, labels=torch.tensor([0, 1, 1]), generator=g),
        lambda g: classical.GaussianMixture.start(X, 3, generator=g).means,
        lambda g: MIXTURE.sample(9, generator=g),
        lambda g: torch.cat(HMM.sample(9, 5, generator=g)),
        lambda g: HMM.sample(9, 5, generator=g)[0],
        lambda g: densities.StandardNormal(3).sample(9, generator=g),
        lambda g: PRIOR.sample(9, generator=g),
        lambda g: LINEAR.sample(9, generator=g),
        lambda g: LABELLED.sample(9, labels=THIRDS, generator=g),
        lambda g: vae.log_weights(LINEAR, X, 3, generator=g),
        lambda g: CODES.sample(9, generator=g),
        lambda g: CODES.sample(9, labels=THIRDS, generator=g),
        lambda g: PLAIN.sample(9, generator=g),
        lambda g: PLAIN.sample(9, cached=False, generator=g),
        lambda g: GATED.sample(9, generator=g),
        lambda g: pixelcnn.draw(torch.zeros(99, 4), generator=g),
        lambda g: SOUND.sample(9, 7, generator=g),
        lambda g: sampling.generate(TEXT, PROMPT, 9, generator=g),
        lambda g: autoencoder.denoising_loss(torch.nn.Identity(), X, 1.0, generator=g),
        lambda g: gan.gradient_penalty(lambda x: x.pow(2).sum(1), X, X.flip(0), generator=g).detach(),
        lambda g: likelihood.dequantize(PIXELS, generator=g),
        lambda g: likelihood.annealed_importance(bell, X, X, chains=3, temperatures=3, generator=g).value,
        lambda g: likelihood.annealed_importance(bell, X, X, chains=3, temperatures=3, generator=g).acceptance,
    ],
    ids=lambda draw: "-".join(draw.__code__.co_names),
)
def test_the_same_generator_draws_the_same_and_another_something_else(draw):
    def drawn(seed, state):
        torch.manual_seed(state)
        found = draw(torch.Generator().manual_seed(seed))
        assert not found.requires_grad, "a draw is no step of a training"
        untouched = torch.equal(torch.random.get_rng_state(), torch.Generator().manual_seed(state).get_state())
        assert untouched, "a number was drawn from the global generator"
        return found

    first = drawn(seed=1, state=5)
    assert torch.equal(first, drawn(seed=1, state=6))
    assert not torch.equal(first, drawn(seed=2, state=5))


@pytest.mark.parametrize(
    "judge",
    [
        lambda: CODES.log_prob(torch.zeros(2, 2, 2, dtype=torch.long)),
        lambda: PLAIN.log_prob(torch.zeros(2, 3, 3, dtype=torch.long)),
        lambda: TEXT.attention_maps(PROMPT),
        lambda: gpt.log_probs(TEXT, torch.zeros(9, dtype=torch.long)),
        lambda: BOOK.encode(torch.zeros(1, 1, 28, 28)),
        lambda: BOOK.decode(torch.zeros(1, 7, 7, dtype=torch.long)),
        lambda: features.features(torch.zeros(1, 1, 28, 28) - 0.5),
        lambda: likelihood.annealed_importance(lambda z: bell(z * LINEAR.decoder.weight[0, 0]), X, X).value,
    ],
    ids=lambda judge: "-".join(judge.__code__.co_names[:2]),
)
def test_what_only_judges_keeps_nothing_to_train_with(judge):
    assert not judge().requires_grad
