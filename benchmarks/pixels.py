"""Which small PixelCNN finds tiny Fashion-MNIST likeliest in 50 seconds of one core? Ours against two plain ones.

    OMP_NUM_THREADS=1 python benchmarks/pixels.py        # the command line: contest.py

The pictures are Fashion-MNIST averaged over blocks of 2 x 2 pixels and cut at half of white: 14 x 14, black and white.
Every recipe has the same 60,000 of them and the same judge: the exact negative log-likelihood of the 10,000 test
pictures, in nats a picture.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
import torch.nn.functional as F
from contest import Contest, Recipe, Row, bf16, descend, main
from torch import Tensor, nn

from genai_utils.data import fashion_mnist
from genai_utils.models import pixelcnn


class Pixels(Recipe):
    """A network that gives logits of white, and AdamW."""

    batch, rate = 64, 2e-3

    def __init__(self, data: Tensor, budget: float) -> None:
        self.model = self.network().to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), self.rate, fused=True)

    @abstractmethod
    def network(self) -> nn.Module:
        """The untrained network: (n, 14, 14) int64 to (n, 2, 14, 14)."""

    def step(self, x: Tensor, share: float) -> None:
        """Down the gradient.  x: (batch, 14, 14) int64."""
        with bf16():
            logits = self.model(x)
        descend(self.optimizer, F.cross_entropy(logits.float(), x))


class Scratch(Pixels):
    """Mask A of 7 x 7, six blocks of mask B of 5 x 5, 64 channels; AdamW at a constant rate, bf16."""

    def network(self) -> nn.Module:
        """The plain stack, as a first attempt would be written."""
        blocks = [Residual(nn.ReLU(), Masked(64, 64, 5, "B")) for _ in range(6)]
        return Peer(Masked(1, 64, 7, "A"), *blocks, nn.ReLU(), nn.Conv2d(64, 1, 1))


class KerasExample(Pixels):
    """The shape and the settings of the example of Keras: 128 channels, five blocks, Adam 1e-4, here in bf16.

    Source: keras-io, examples/generative/pixelcnn, for 28 x 28 binary digits.
    """

    rate = 1e-4

    def network(self) -> nn.Module:
        """Mask A of 7 x 7, narrow blocks of mask B of 3 x 3, two layers of 1 x 1."""
        blocks = [
            Residual(
                nn.ReLU(), nn.Conv2d(128, 128, 1), nn.ReLU(), Masked(128, 64, 3, "B"), nn.ReLU(),
                nn.Conv2d(64, 128, 1), nn.ReLU(),
            ) for _ in range(5)
        ]  # fmt: skip
        ends = [nn.Conv2d(128, 128, 1), nn.ReLU(), nn.Conv2d(128, 128, 1), nn.ReLU(), nn.Conv2d(128, 1, 1)]
        return Peer(Masked(1, 128, 7, "A"), nn.ReLU(), *blocks, *ends)


class Ours(Pixels):
    """The PixelCNN of the course: few channels, large kernels, a rate that warms up and falls to zero."""

    batch, rate = 32, 6e-3

    def network(self) -> nn.Module:
        """A first kernel that reaches over the whole picture, then four of 7 x 7."""
        return pixelcnn.PixelCNN(2, (14, 14), width=32, blocks=4, first=13, size=7)

    def step(self, x: Tensor, share: float) -> None:
        """One update by the rate that is due."""
        self.optimizer.param_groups[0]["lr"] = self.rate * min(share / 0.05, (1 - share) / 0.95)
        super().step(x, share)


class OursGated(Ours):
    """The same with two gated stacks and no blind spot."""

    def network(self) -> nn.Module:
        """A first kernel that reaches over the whole picture, then three blocks of 5 x 5."""
        return pixelcnn.GatedPixelCNN(2, (14, 14), width=32, first=13, size=5, dilations=(1, 1, 1))


class Masked(nn.Conv2d):
    """The masked convolution of the peers, with its whole kernel.  kind: "A" or "B"."""

    mask: Tensor

    def __init__(self, inputs: int, outputs: int, size: int, kind: str) -> None:
        super().__init__(inputs, outputs, size, padding=size // 2)
        mask = torch.ones(size, size)
        mask[size // 2, size // 2 + (kind == "B") :] = 0
        mask[size // 2 + 1 :] = 0
        self.register_buffer("mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h, w)."""
        return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)


class Residual(nn.Sequential):
    """x and a correction."""

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return x + super().forward(x)


class Peer(nn.Sequential):
    """Layers from pixels of -1 and 1 to one logit, which becomes two."""

    def forward(self, x: Tensor) -> Tensor:
        """(n, h, w) int64 to logits (n, 2, h, w)."""
        white = super().forward((2.0 * x - 1).unsqueeze(1))
        return torch.cat([torch.zeros_like(white), white], dim=1)


@torch.no_grad()
def nats(model: nn.Module, x: Tensor) -> float:
    """Mean exact negative log-likelihood, nats a picture, in float32."""
    parts = [F.cross_entropy(model(part), part, reduction="none").flatten(1).sum(1) for part in x.split(500)]
    return float(torch.cat(parts).mean())


class Pictures(Contest):
    """Exact nats a picture."""

    name, budgets = "pixels", (50.0,)
    recipes = {
        "scratch": ("plain PixelCNN, 64 channels, six blocks of 5 x 5", Scratch),
        "keras-example": ("PixelCNN as in the example of Keras", KerasExample),
        "ours-gated": ("gated PixelCNN of the course, no blind spot", OursGated),
        "ours": ("**PixelCNN of the course**", Ours),
    }
    columns = {
        "nats a picture": "{nats:.2f} ± {nats_sd:.2f}",
        "of training pictures": "{nats_train:.2f}",
        "parameters": "{parameters:,.0f}",
    }

    def load(self) -> None:
        """All pictures of both splits, 14 x 14, 0 black and 1 white: (n, 14, 14) int64."""
        images = (fashion_mnist(split, full=True).images for split in ("train", "test"))
        self.data, self.test = ((F.avg_pool2d(x, 2) > 0)[:, 0].long() for x in images)

    def once(self) -> Row:
        """What each pixel for itself costs."""
        white = self.data.float().mean(dim=0).clamp(1e-4, 1 - 1e-4).expand(len(self.test), -1, -1)
        cost = F.binary_cross_entropy(white, self.test.float(), reduction="none").sum(dim=(1, 2)).mean()
        return {"anchors": {"each pixel by itself": {"nats": float(cost)}}}

    def judge(self, recipe: Pixels) -> Row:
        """Of test pictures and of as many training pictures."""
        size = sum(p.numel() for p in recipe.model.parameters())
        train = nats(recipe.model, self.data[: len(self.test)])
        return {"nats": nats(recipe.model, self.test), "nats_train": train, "parameters": size}


CONTEST = Pictures()

if __name__ == "__main__":
    main(CONTEST)
