"""Generative adversarial networks: two small pairs of networks and the losses they play with.

Read from top to bottom: networks, initialization, losses, penalties, closed forms. A discriminator returns *logits*,
one an example: D(x) = sigmoid(logit) is its probability that x is real. Losses take the discriminator, a real batch
and a fake batch, and return a scalar in nats (Wasserstein and hinge: in units of the critic). Nothing here detaches or
freezes: a training loop says for itself who learns from what.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genai_utils.checks import between, fits, of_type, tensors, trusted
from genai_utils.models.shapes import (
    IMAGE,
    check_alike,
    check_examples,
    check_filled,
    check_floating,
    check_latent,
    check_real,
    check_stretchable,
    sizes,
)

Density = TypeVar("Density", float, np.ndarray, Tensor)


# --- networks ---------------------------------------------------------------------------------------------------------


class MLPGenerator(nn.Module):
    """A generator of fully connected layers: latent -> width -> 2 width -> example.

    Args: latent: entries of the noise vector; width: units of the first hidden layer; shape: of one example;
    squash: end with tanh, as images in [-1, 1] want and points of the plane do not.
    Input (n, latent), standard normal; output (n, *shape).  Raises ValueError on a latent of another shape.
    Source: Goodfellow et al. 2014, arXiv:1406.2661, section 5 (there with other activations).
    """

    def __init__(self, latent: int = 64, width: int = 256, shape: Sequence[int] = IMAGE, squash: bool = True):
        super().__init__()
        fits(latent=latent, width=width)
        fits(width=width, rows=width)
        of_type(bool, squash=squash)
        self.latent, self.shape = latent, sizes(shape=shape)
        self.net = nn.Sequential(
            nn.Linear(latent, width), nn.LeakyReLU(0.2),
            nn.Linear(width, 2 * width), nn.LeakyReLU(0.2),
            nn.Linear(2 * width, int(np.prod(self.shape))), nn.Tanh() if squash else nn.Identity(),
        )  # fmt: skip

    def forward(self, latent: Tensor) -> Tensor:
        """Map (n, latent) to (n, *shape)."""
        check_latent(self, self.latent, latent=latent)
        return self.net(latent).unflatten(1, self.shape)


class MLPDiscriminator(nn.Module):
    """A discriminator of fully connected layers: example -> 2 width -> width -> logit.

    Args: width: units of the last hidden layer; shape: of one example.
    Input (n, *shape); output logits (n,).  Raises ValueError on examples of another shape.
    Source: Goodfellow et al. 2014, arXiv:1406.2661, section 5 (there with maxout units).
    """

    def __init__(self, width: int = 256, shape: Sequence[int] = IMAGE):
        super().__init__()
        fits(width=width, rows=width)
        self.shape = sizes(shape=shape)
        self.net = nn.Sequential(
            nn.Flatten(),
            nn.Linear(int(np.prod(self.shape)), 2 * width), nn.LeakyReLU(0.2),
            nn.Linear(2 * width, width), nn.LeakyReLU(0.2),
            nn.Linear(width, 1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, *shape) to logits (n,)."""
        check_examples(x, self.shape, self)
        return self.net(x).squeeze(1)


class Generator(nn.Module):
    """DCGAN generator of 28 x 28 grey images: a linear layer, a convolution, two transposed convolutions.

    Args: latent: entries of the noise vector; width: channels at 14 x 14 (twice as many at 7 x 7).
    Input (n, latent), standard normal; output (n, 1, 28, 28) in [-1, 1].  Raises ValueError on another latent shape.
    Source: Radford, Metz & Chintala 2016, arXiv:1511.06434, section 3, cut down to 28 pixels.
    """

    def __init__(self, latent: int = 64, width: int = 16):
        super().__init__()
        fits(latent=latent, width=width, outputs=2 * 49)
        fits(width=width, outputs=width, places=9)
        self.latent = latent
        self.net = nn.Sequential(
            nn.Linear(latent, 2 * width * 49, bias=False), nn.BatchNorm1d(2 * width * 49), nn.ReLU(),
            nn.Unflatten(1, (2 * width, 7, 7)),
            nn.Conv2d(2 * width, 2 * width, 3, 1, 1, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(),  # 7 x 7
            nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),  # 14 x 14
            nn.ConvTranspose2d(width, 1, 4, 2, 1), nn.Tanh(),  # 28 x 28
        )  # fmt: skip
        initialize(self)

    def forward(self, latent: Tensor) -> Tensor:
        """Map (n, latent) to images (n, 1, 28, 28) in [-1, 1]."""
        check_latent(self, self.latent, latent=latent)
        return self.net(latent)


class Discriminator(nn.Module):
    """DCGAN discriminator of 28 x 28 grey images: three strided convolutions, one more, and a linear layer.

    Args: width: channels at 14 x 14 (twice as many at 7 x 7, four times at 4 x 4).
    Input (n, 1, 28, 28) in [-1, 1]; output logits (n,).  Raises ValueError on images of another shape.
    Source: Radford, Metz & Chintala 2016, arXiv:1511.06434, section 3, cut down to 28 pixels.
    """

    def __init__(self, width: int = 16):
        super().__init__()
        fits(width=width, outputs=width, places=9)
        self.net = nn.Sequential(
            nn.Conv2d(1, width, 4, 2, 1), nn.LeakyReLU(0.2),  # 14 x 14
            nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.LeakyReLU(0.2),  # 7 x 7
            nn.Conv2d(2 * width, 4 * width, 3, 2, 1, bias=False), nn.BatchNorm2d(4 * width), nn.LeakyReLU(0.2),  # 4 x 4
            nn.Conv2d(4 * width, 4 * width, 3, 1, 1, bias=False), nn.BatchNorm2d(4 * width), nn.LeakyReLU(0.2),
            nn.Flatten(), nn.Linear(4 * width * 16, 1),
        )  # fmt: skip
        initialize(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (n, 1, 28, 28) to logits (n,)."""
        check_examples(x, IMAGE, self)
        return self.net(x).squeeze(1)


def initialize(network: nn.Module, std: float = 0.02) -> nn.Module:
    """Draw all weights from N(0, std^2), normalisation gains from N(1, std^2), and set biases to zero; in place.

    Source: Radford, Metz & Chintala 2016, arXiv:1511.06434, section 4.
    """
    of_type(nn.Module, network=network)
    between(0, 1e9, std=std)
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, std)
        elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, std)
        else:
            continue
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    return network


# --- losses -----------------------------------------------------------------------------------------------------------


def value(D: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """The value of the game, E log D(x) + E log(1 - D(G(z))), in nats: D raises it, G lowers it. Never above 0.

    Args: real, fake: batches that D accepts.  Returns: scalar.  log D is written as -softplus(-logit): no overflow.
    Source: Goodfellow et al. 2014, arXiv:1406.2661, equation 1. Equation (gan.value).
    """
    return -F.softplus(-_logits(D, real=real)).mean() - F.softplus(_logits(D, fake=fake)).mean()


def discriminator_loss(D: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """What D minimises: minus the value of the game, in nats; 2 log 2 = 1.386 for a D that guesses.

    Args: real, fake: batches that D accepts; detach fake, G has its own step.  Returns: scalar, >= 0.
    Source: Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1. Equation (gan.value).
    """
    return -value(D, real, fake)


def generator_loss(D: nn.Module, fake: Tensor) -> Tensor:
    """What G minimises in practice: -E log D(G(z)), in nats; strong gradients while D still wins.

    Args: fake: (n, ...) from G, not detached.  Returns: scalar, >= 0.
    Source: Goodfellow et al. 2014, arXiv:1406.2661, section 3, last paragraph. Equation (gan.nonsaturating).
    """
    return F.softplus(-_logits(D, fake=fake)).mean()


def saturating_generator_loss(D: nn.Module, fake: Tensor) -> Tensor:
    """What the minimax game asks of G: E log(1 - D(G(z))), in nats; flat wherever D is sure that fakes are fake.

    No recipe uses it: it stands here as the reference that the tests of the printed equation compute with.
    Args: fake: (n, ...) from G, not detached.  Returns: scalar, <= 0.
    Source: Goodfellow et al. 2014, arXiv:1406.2661, equation 1 and algorithm 1. Equation (gan.saturating).
    """
    return -F.softplus(_logits(D, fake=fake)).mean()


def hinge_discriminator_loss(D: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))): D stops pushing logits that are beyond +-1.

    Args: real, fake: batches that D accepts; detach fake.  Returns: scalar, >= 0.
    Source: Lim & Ye 2017, arXiv:1705.02894; Miyato et al. 2018, arXiv:1802.05957, equation 16. Equation (gan.hinge).
    """
    return F.relu(1 - _logits(D, real=real)).mean() + F.relu(1 + _logits(D, fake=fake)).mean()


def hinge_generator_loss(D: nn.Module, fake: Tensor) -> Tensor:
    """-E D(G(z)), the generator's side of the hinge game.

    Args: fake: (n, ...) from G, not detached.  Returns: scalar of any sign.
    Source: Lim & Ye 2017, arXiv:1705.02894; Miyato et al. 2018, arXiv:1802.05957, equation 17. Equation (gan.hinge).
    """
    return -_logits(D, fake=fake).mean()


def wasserstein_critic_loss(D: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """E D(G(z)) - E D(x): its minimum over 1-Lipschitz critics is minus the Wasserstein-1 distance.

    Args: real, fake: batches that D accepts; detach fake; hold D near 1-Lipschitz (`gradient_penalty`), or it diverges.
    Returns: scalar of any sign.
    Source: Arjovsky, Chintala & Bottou 2017, arXiv:1701.07875, equations 2 and 3. Equation (gan.wasserstein).
    """
    return _logits(D, fake=fake).mean() - _logits(D, real=real).mean()


def wasserstein_generator_loss(D: nn.Module, fake: Tensor) -> Tensor:
    """-E D(G(z)): the part of the Wasserstein distance that G can change; the same line as the hinge game's.

    Args: fake: (n, ...) from G, not detached.  Returns: scalar of any sign.
    Source: Arjovsky, Chintala & Bottou 2017, arXiv:1701.07875, theorem 3. Equation (gan.wasserstein).
    """
    return -_logits(D, fake=fake).mean()


def _logits(D: nn.Module, **given: Tensor) -> Tensor:
    """What D says of a batch, in float32.  Raises: TypeError, ValueError: nothing in it, or NaN."""
    [batch] = given.values()
    check_filled(**given)
    check_real(**given)
    with trusted():
        return D(batch).float()


# --- penalties --------------------------------------------------------------------------------------------------------


def gradient_penalty(D: nn.Module, real: Tensor, fake: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """E (|grad D| - 1)^2 at random points on the lines between real and fake examples; times 10 in the paper.

    Args: real, fake: the same shape (n, ...); generator: source of the n random weights, on the device of real.
    Returns: scalar, >= 0, differentiable in the parameters of D, which must treat examples one by one (no batch norm).
    Raises: ValueError when the shapes differ.
    Source: Gulrajani et al. 2017, arXiv:1704.00028, equation 3.
    """
    check_alike(real=real, fake=fake)
    u = torch.rand(len(real), *[1] * (real.ndim - 1), generator=generator, device=real.device)
    return (input_gradient(D, u * real + (1 - u) * fake).norm(dim=1) - 1).square().mean()


def r1_penalty(D: nn.Module, real: Tensor) -> Tensor:
    """E |grad D|^2 at real examples; the paper adds gamma / 2 times this to the loss of D.

    Args: real: (n, ...).  Returns: scalar, >= 0, differentiable in the parameters of D.
    Source: Mescheder, Geiger & Nowozin 2018, arXiv:1801.04406, equation 9. Equation (gan.r1).
    """
    return input_gradient(D, real).square().sum(dim=1).mean()


def input_gradient(D: nn.Module, x: Tensor) -> Tensor:
    """Gradient of each logit by its own input: (n, ...) -> (n, entries), differentiable in the parameters of D."""
    tensors("(n, ...)", x=x)
    check_filled(x=x)
    check_floating(x=x)
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(D(x).float().sum(), x, create_graph=True)
    return gradient.flatten(1)


# --- closed forms -----------------------------------------------------------------------------------------------------


def optimal_discriminator(p: Density, q: Density) -> Density:
    """The discriminator that no other beats when data has density p and the generator density q: p / (p + q).

    No network needs it: it stands here as the reference that the tests of the printed equation compute with.
    Args: p, q: densities at the same points, >= 0; floats, arrays or tensors.  Returns: probabilities of "real"; 1/2
    where both vanish, where any value would do.
    Source: Goodfellow et al. 2014, arXiv:1406.2661, proposition 1. Equation (gan.optimal-d).
    Raises: ValueError: a density that is negative, NaN or infinite.
    """
    of_type((float, int, np.ndarray, Tensor), p=p, q=q)
    check_stretchable(p=torch.as_tensor(p), q=torch.as_tensor(q))
    for name, density in (("p", p), ("q", q)):
        numbers = torch.as_tensor(density)
        if not ((numbers >= 0) & (numbers < torch.inf)).all():
            found = f"{float(numbers.min())} to {float(numbers.max())}"
            raise ValueError(f"{name} must be a density: finite numbers, 0 or more, got {found}")
    nowhere = (p + q) == 0
    return (p + 0.5 * nowhere) / (p + q + nowhere)
