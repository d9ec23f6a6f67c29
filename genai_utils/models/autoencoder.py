"""Autoencoders: an encoder squeezes an example into a few numbers, a decoder rebuilds it. Networks and measures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from genai_utils.checks import between, fits, of_type, tensors, trusted, whole
from genai_utils.models.shapes import (
    IMAGE,
    check_alike,
    check_examples,
    check_filled,
    check_floats,
    check_latent,
    check_widths,
    sizes,
)


class Autoencoder(nn.Module):
    """Multi-layer perceptrons: the encoder entries-hidden-latent, the decoder its mirror image.

    Args:
        latent: size of the code.
        hidden: widths of the encoder's hidden layers, the decoder has them in reverse; () makes both one layer, and
            with ``squash=False`` the whole is linear: the network of Baldi & Hornik 1989.
        shape: of one example.
        squash: end with tanh, for examples in [-1, 1].

    Source: Hinton & Salakhutdinov 2006, doi:10.1126/science.1127647, trained without their layer-wise start.
    """

    def __init__(
        self,
        latent: int = 16,
        hidden: Sequence[int] = (256,),
        shape: tuple[int, ...] = IMAGE,
        squash: bool = True,
    ):
        super().__init__()
        whole(1, latent=latent)
        check_widths(hidden=hidden)
        of_type(bool, squash=squash)
        self.latent, self.shape = latent, sizes(shape=shape)
        widths = [math.prod(self.shape), *hidden, latent]
        self.encoder = perceptron(widths)
        self.decoder = perceptron(widths[::-1])
        self.squash = nn.Tanh() if squash else nn.Identity()

    def encode(self, x: Tensor) -> Tensor:
        """Map examples (n, *shape) to codes (n, latent).  Raises: ValueError on examples of another shape."""
        check_examples(x, self.shape, self)
        return self.encoder(x.flatten(1))

    def decode(self, code: Tensor) -> Tensor:
        """Map codes (n, latent) to examples (n, *shape).  Raises: ValueError on codes of another shape."""
        check_latent(self, self.latent, code=code)
        return self.squash(self.decoder(code)).view(-1, *self.shape)

    def forward(self, x: Tensor) -> Tensor:
        """Rebuild examples (n, *shape) from their codes."""
        code = self.encode(x)
        with trusted():
            return self.decode(code)


class Denoiser(nn.Module):
    """Estimates the noise in images by three convolutions on blocks of 2 x 2 pixels, and takes it away; no bottleneck.

    Args: channels: between the convolutions.  Input and output (n, 1, 28, 28), any range.
    Source: the residual learning of Zhang et al. 2017, arXiv:1608.03981, made small.
    """

    def __init__(self, channels: int = 32):
        super().__init__()
        fits(channels=channels, rows=channels, places=9)
        self.noise = nn.Sequential(
            nn.PixelUnshuffle(2), nn.Conv2d(4, channels, 3, padding=1), nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(),
            nn.Conv2d(channels, 4, 3, padding=1), nn.PixelShuffle(2),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """Noisy images without the noise that it sees in them."""
        check_examples(x, IMAGE, self)
        check_filled(x=x)
        return x - self.noise(x)


def perceptron(widths: Sequence[int]) -> nn.Sequential:
    """Linear layers of these widths, first to last, with ReLU between them and nothing after the last."""
    check_widths(widths=widths)
    layers: list[nn.Module] = []
    for before, after in zip(widths[:-1], widths[1:], strict=True):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def squared_error(x: Tensor, rebuilt: Tensor) -> Tensor:
    """Mean squared difference of the entries, for each example: (n, ...), (n, ...) -> (n,), in squared units of x.

    Raises: ValueError when the shapes differ: subtraction would broadcast them silently.
    Equation (ae.objective), before the mean over examples.
    """
    check_alike(x=x, rebuilt=rebuilt)
    return (x - rebuilt).float().square().flatten(1).mean(dim=1)


def denoising_loss(model: nn.Module, x: Tensor, sd: float, generator: torch.Generator | None = None) -> Tensor:
    """Mean squared error of rebuilding the *clean* example from a noisy one, x + sd times standard normal noise.

    Args: x: (n, ...).  sd: of the noise, in units of x.  generator: source of the noise, on the device of x.
    Returns: scalar.
    Source: Vincent et al. 2008, doi:10.1145/1390156.1390294, with Gaussian noise. Equation (ae.denoising).
    """
    check_floats(x=x)
    check_filled(x=x)
    between(0, 1e9, sd=sd)
    noise = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
    with trusted():
        return squared_error(x, model(x + sd * noise)).mean()


def score(model: nn.Module, x: Tensor, sd: float) -> Tensor:
    """What a trained denoiser says of the slope of the noisy log density at x: (model(x) - x) / sd^2.

    Args: x: (n, ...), noisy or not.  sd: noise the model was trained with, 1e-6 to 1e6.
    Returns: (n, ...), in 1 / units of x.
    Source: Alain & Bengio 2014, arXiv:1211.4246; exact for the noisy density (Vincent 2011). Equation (ae.score).
    """
    tensors("(n, ...)", x=x)
    between(1e-6, 1e6, sd=sd)
    return (model(x) - x) / sd**2
