"""The map of a latent space of two numbers: where test pictures lie, and what a decoder draws anywhere between."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
import traitlets
from torch import Tensor, nn

from genai_utils import zoo
from genai_utils.checks import between, one_of, whole
from genai_utils.data.images import CLASSES, fashion_mnist
from genai_utils.models.quantization import eight_bits
from genai_utils.models.vae import MAP_BETAS, VAE
from genai_utils.show.explorers.kit import Explorer

LETTERS = "TRPDCSHNBA"  # of T-shirt, tRouser, Pullover, Dress, Coat, Sandal, sHirt, sNeaker, Bag, Ankle boot


class LatentMap(Explorer, script="map"):
    """Test pictures in the plane of the two latent numbers; the decoder draws what belongs to the cross-hair.

    One VAE for each weight of the KL in `models.vae.MAP_BETAS`; `costs` has rate (KL) and distortion (minus log
    likelihood) of each, in nats, the mean over the shipped test pictures of each class and over all. The decoders
    are stored with eight bits a weight, so that a notebook stays small; a grey level moves by 0.3 % on average.
    Equation (vae.elbo).

    Args: examples: pictures of each class on the map, 1 to 200.  beta: which of MAP_BETAS to start from.
    """

    weights = traitlets.Bytes().tag(sync=True)
    numbers = traitlets.Bytes().tag(sync=True)
    widths: traitlets.List[int] = traitlets.List().tag(sync=True)
    codes: traitlets.List[list[list[float]]] = traitlets.List().tag(sync=True)
    labels: traitlets.List[int] = traitlets.List().tag(sync=True)
    costs: traitlets.List[list[list[float]]] = traitlets.List().tag(sync=True)
    reach = traitlets.Float().tag(sync=True)
    betas: traitlets.List[float] = traitlets.List(list(MAP_BETAS)).tag(sync=True)
    beta = traitlets.Float(1.0).tag(sync=True)
    names: traitlets.List[str] = traitlets.List(list(CLASSES)).tag(sync=True)
    letters = traitlets.Unicode(LETTERS).tag(sync=True)

    def __init__(self, examples: int = 40, beta: float = 1.0) -> None:
        one_of(MAP_BETAS, beta=beta)
        whole(1, examples=examples)
        between(1, 200, examples=examples)
        models = [model for model in zoo.load("vae-maps").children() if isinstance(model, VAE)]
        test = fashion_mnist("test")
        rows = first_of_each_class(test.labels, examples)
        codes = torch.stack([model.encode(test.images[rows])[0] for model in models])
        weights, numbers = packed(layer for model in models for layer in linear_layers(model))
        super().__init__(
            weights=weights,
            numbers=numbers,
            widths=[models[0].latent, *(layer.out_features for layer in linear_layers(models[0]))],
            codes=codes.double().round(decimals=2).tolist(),
            labels=test.labels[rows].tolist(),
            costs=[costs(model, test.images, test.labels).double().round(decimals=2).tolist() for model in models],
            reach=math.ceil(codes.abs().quantile(0.98).item()),
            beta=beta,
        )

    def __repr__(self) -> str:
        return (
            f"LatentMap: {len(self.labels)} test pictures on the plane of two latent numbers, {len(self.betas)} betas"
        )


def first_of_each_class(labels: Tensor, count: int) -> Tensor:
    """Row numbers of the first `count` rows of each label.  labels: (n,)."""
    return torch.cat([(labels == k).nonzero().flatten()[:count] for k in labels.unique()])


def linear_layers(model: VAE) -> list[nn.Linear]:
    """The layers of the decoder that have weights, in order."""
    return [layer for layer in model.decoder.modules() if isinstance(layer, nn.Linear)]


def packed(layers: Iterable[nn.Linear]) -> tuple[bytes, bytes]:
    """All weights, int8; and scales and biases, float32: of each layer the scales of its rows, then its biases."""
    weights, numbers = [], []
    for layer in layers:
        whole, scale = eight_bits(layer.weight)
        weights.append(whole.numpy().tobytes())
        numbers.append(torch.cat([scale, layer.bias]).numpy().astype("<f4").tobytes())
    return b"".join(weights), b"".join(numbers)


@torch.no_grad()
def costs(model: VAE, images: Tensor, labels: Tensor) -> Tensor:
    """Mean rate and distortion, in nats, of the images of each class, and of all in the last row: (classes + 1, 2).

    Distortion is averaged over one draw of z for each image, always the same.  images: (n, 1, 28, 28); labels: (n,).
    """
    noise = torch.randn(len(images), model.latent, generator=torch.Generator().manual_seed(0))
    log_likelihood, kl = model(images, noise=noise)
    both = torch.stack([kl.sum(dim=1), -log_likelihood], dim=1)
    return torch.stack([*(both[labels == k].mean(dim=0) for k in labels.unique()), both.mean(dim=0)])
