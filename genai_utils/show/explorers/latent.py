"""Walk through the latent space of the shipped DCGAN; its generator runs in the page, without a kernel."""

from __future__ import annotations

import copy
from typing import Any

import torch
import traitlets
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from genai_utils import zoo
from genai_utils.checks import between, whole
from genai_utils.data.images import CLASSES
from genai_utils.models.gan import Generator
from genai_utils.show.explorers.kit import Explorer


class LatentExplorer(Explorer, script="latent"):
    """Blend four generated articles of clothing and watch what the generator makes of it.

    The picture depends on the two sliders and four choices alone, so it is the same in Jupyter, Colab and on the page.
    """

    weights = traitlets.Bytes().tag(sync=True)
    shapes: traitlets.List[list[int]] = traitlets.List().tag(sync=True)
    latents: traitlets.List[list[list[float]]] = traitlets.List().tag(sync=True)
    names: traitlets.List[str] = traitlets.List().tag(sync=True)
    corners: traitlets.List[int] = traitlets.List().tag(sync=True)

    def __init__(self, examples: int = 4) -> None:
        whole(1, examples=examples)
        between(1, 100, examples=examples)
        generator = zoo.load("dcgan")
        assert isinstance(generator, Generator)
        parts = parameters(generator)
        super().__init__(
            weights=torch.cat([part.flatten() for part in parts]).numpy().astype("<f2").tobytes(),
            shapes=[list(part.shape) for part in parts],
            latents=clear_latents(generator, examples).round(decimals=3).tolist(),
            names=list(CLASSES),
            corners=[3, 8, 9, 1],  # dress, bag, ankle boot, trouser: as different as clothes get
        )

    def __repr__(self) -> str:
        return "LatentExplorer: blends of four generated articles of clothing"


def parameters(generator: Generator) -> list[Tensor]:
    """Weights and biases of the layers that are left when normalisation is folded in, in order."""
    layers: Any = fold_batchnorm(generator)
    kept = [layer for layer in layers if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d))]
    return [part.detach() for layer in kept for part in layer.parameters()]


def fold_batchnorm(generator: Generator) -> nn.Sequential:
    """The same function as `generator.eval()` without normalisation: only linear layers, convolutions, ReLU and tanh.

    Normalisation with fixed statistics is a scale and a shift, so it disappears into the weights before it. What is
    left is easy to run anywhere, for example in the plain JavaScript of a web page.
    """
    layers: list[Any] = []
    for layer in copy.deepcopy(generator).eval().net:
        if isinstance(layer, nn.BatchNorm1d):
            layers[-1] = fuse_linear_bn_eval(layers[-1], layer)
        elif isinstance(layer, nn.BatchNorm2d):
            layers[-1] = fuse_conv_bn_eval(layers[-1], layer, transpose=isinstance(layers[-1], nn.ConvTranspose2d))
        else:
            layers.append(layer)
    return nn.Sequential(*layers).eval()


def clear_latents(generator: Generator, examples: int, draws: int = 4_000) -> Tensor:
    """Latents whose pictures the classifier is surest of: (classes, examples, latent), the same on every call."""
    noise = torch.randn(draws, generator.latent, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        classifier = zoo.load("fashion-classifier")
        probability = torch.cat([classifier(generator(z)).softmax(1) for z in noise.split(250)])
    best = [(probability[:, k] * (probability.argmax(1) == k)).topk(examples).indices for k in range(len(CLASSES))]
    return torch.stack([noise[rows] for rows in best])
