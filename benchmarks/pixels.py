"""Which small PixelCNN finds tiny Fashion-MNIST likeliest in 50 seconds of one core? Ours against two plain ones.

    OMP_NUM_THREADS=1 python benchmarks/pixels.py --core-seconds 50 --seeds 3

The pictures are Fashion-MNIST averaged over blocks of 2 x 2 pixels and cut at half of white: 14 x 14, black and white.
Every recipe has the same 60,000 of them, the same CPU time (of the process, evaluation excluded) and the same judge:
the exact negative log-likelihood of the 10,000 test pictures, in nats a picture. Recipes take turns within a seed, so
that a busy machine is fair to all. Result: benchmarks/results/pixels.json, written after every run; runs that it holds
already are not repeated.
"""

from __future__ import annotations

import argparse
import statistics
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from record import read, write
from torch import Tensor, nn

from genai_utils.data import fashion_mnist
from genai_utils.data.images import Split
from genai_utils.models import pixelcnn
from genai_utils.session import precision

RESULT = Path(__file__).with_name("results") / "pixels.json"
SHAPE = (14, 14)


# --- recipes: a network, its batch and its optimizer ------------------------------------------------------------------


class Recipe(ABC):
    """A network that gives logits of white, and what happens to it on one batch."""

    batch, rate = 64, 2e-3

    def __init__(self) -> None:
        self.model = self.build().to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), self.rate, fused=True)

    @abstractmethod
    def build(self) -> nn.Module:
        """The untrained network: (n, 14, 14) int64 to (n, 2, 14, 14)."""

    def step(self, x: Tensor, share: float) -> None:
        """One update. x: (batch, 14, 14) int64; share: how much of the budget is spent, 0 to 1."""
        with torch.autocast("cpu", torch.bfloat16, enabled=precision() == "bf16"):
            logits = self.model(x)
        loss = F.cross_entropy(logits.float(), x)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


class Scratch(Recipe):
    """Mask A of 7 x 7, six blocks of mask B of 5 x 5, 64 channels; AdamW at a constant rate, bf16."""

    def build(self) -> nn.Module:
        """The plain stack, as a first attempt would be written."""
        blocks = [Residual(nn.ReLU(), Masked(64, 64, 5, "B")) for _ in range(6)]
        return Peer(Masked(1, 64, 7, "A"), *blocks, nn.ReLU(), nn.Conv2d(64, 1, 1))


class KerasExample(Recipe):
    """The shape and the settings of the example of Keras: 128 channels, five blocks, Adam 1e-4, here in bf16.

    Source: keras-io, examples/generative/pixelcnn, for 28 x 28 binary digits.
    """

    rate = 1e-4

    def build(self) -> nn.Module:
        """Mask A of 7 x 7, narrow blocks of mask B of 3 x 3, two layers of 1 x 1."""
        blocks = [
            Residual(
                nn.ReLU(), nn.Conv2d(128, 128, 1), nn.ReLU(), Masked(128, 64, 3, "B"), nn.ReLU(),
                nn.Conv2d(64, 128, 1), nn.ReLU(),
            ) for _ in range(5)
        ]  # fmt: skip
        ends = [nn.Conv2d(128, 128, 1), nn.ReLU(), nn.Conv2d(128, 128, 1), nn.ReLU(), nn.Conv2d(128, 1, 1)]
        return Peer(Masked(1, 128, 7, "A"), nn.ReLU(), *blocks, *ends)


class Ours(Recipe):
    """The PixelCNN of the course: few channels, large kernels, a rate that warms up and falls to zero."""

    batch, rate = 32, 6e-3

    def build(self) -> nn.Module:
        """A first kernel that reaches over the whole picture, then four of 7 x 7."""
        return pixelcnn.PixelCNN(2, SHAPE, width=32, blocks=4, first=13, size=7)

    def step(self, x: Tensor, share: float) -> None:
        """One update by the rate that is due."""
        self.optimizer.param_groups[0]["lr"] = self.rate * min(share / 0.05, (1 - share) / 0.95)
        super().step(x, share)


class OursGated(Ours):
    """The same with two gated stacks and no blind spot."""

    def build(self) -> nn.Module:
        """A first kernel that reaches over the whole picture, then three blocks of 5 x 5."""
        return pixelcnn.GatedPixelCNN(2, SHAPE, width=32, first=13, size=5, dilations=(1, 1, 1))


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


RECIPES: dict[str, tuple[str, type[Recipe]]] = {
    "scratch": ("plain PixelCNN, 64 channels, six blocks of 5 x 5", Scratch),
    "keras-example": ("PixelCNN as in the example of Keras", KerasExample),
    "ours-gated": ("gated PixelCNN of the course", OursGated),
    "ours": ("PixelCNN of the course", Ours),
}


# --- the contest ------------------------------------------------------------------------------------------------------


def tiny(split: Split) -> Tensor:
    """All pictures of a split, 14 x 14, 0 black and 1 white: (n, 14, 14) int64."""
    images = fashion_mnist(split, full=True).images
    return (F.avg_pool2d(images, 2) > 0)[:, 0].long()


def batches(x: Tensor, size: int, seed: int) -> Iterator[Tensor]:
    """Batches of x, reshuffled every epoch, without end."""
    order = torch.Generator().manual_seed(seed)
    while True:
        for rows in torch.randperm(len(x), generator=order)[: len(x) // size * size].split(size):
            yield x[rows]


def train(recipe: Recipe, x: Tensor, core_seconds: float, seed: int) -> tuple[int, float]:
    """Step until the CPU time is spent.  Returns: steps, CPU seconds."""
    supply = batches(x, recipe.batch, seed)
    steps, start = 0, time.process_time()
    while (spent := time.process_time() - start) < core_seconds:
        recipe.step(next(supply), spent / core_seconds)
        steps += 1
    return steps, spent


@torch.no_grad()
def nats(model: nn.Module, x: Tensor) -> float:
    """Mean exact negative log-likelihood, nats a picture, in float32."""
    parts = [F.cross_entropy(model(part), part, reduction="none").flatten(1).sum(1) for part in x.split(500)]
    return float(torch.cat(parts).mean())


def contest(name: str, data: tuple[Tensor, Tensor], core_seconds: float, seed: int) -> dict[str, Any]:
    """One run of one recipe: what it cost and what it is worth."""
    torch.manual_seed(seed)
    recipe, (x, test) = RECIPES[name][1](), data
    steps, spent = train(recipe, x, core_seconds, seed)
    row = {
        "recipe": name, "seed": seed, "budget": core_seconds, "steps": steps, "core_seconds": round(spent, 1),
        "ms_per_step": round(1000 * spent / steps, 1), "nats": nats(recipe.model, test),
        "nats_train": nats(recipe.model, x[: len(test)]),
        "parameters": sum(p.numel() for p in recipe.model.parameters()),
    }  # fmt: skip
    print(row, flush=True)
    return row


def anchors(x: Tensor, test: Tensor) -> dict[str, float]:
    """The scale: what each pixel for itself costs, in nats a picture."""
    white = x.float().mean(dim=0).clamp(1e-4, 1 - 1e-4)
    cost = F.binary_cross_entropy(white.expand(len(test), -1, -1), test.float(), reduction="none")
    return {"independent pixels": float(cost.sum(dim=(1, 2)).mean())}


def summary(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Per recipe: mean and standard deviation over seeds."""
    table = {}
    for name, (words, _) in RECIPES.items():
        if mine := [row for row in rows if row["recipe"] == name]:
            found = [row["nats"] for row in mine]
            spread = statistics.stdev(found) if len(found) > 1 else 0.0
            means = {key: statistics.fmean(row[key] for row in mine) for key in ("nats", "steps", "ms_per_step")}
            table[name] = {"words": words, "seeds": len(mine), "nats_sd": spread} | means
    return table


def main() -> None:
    """Run the contest and write its result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--core-seconds", type=float, default=50.0, help="budget of CPU time")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--recipes", nargs="+", choices=list(RECIPES), default=list(RECIPES))
    parser.add_argument("--output", type=Path, default=RESULT)
    args = parser.parse_args()
    torch.set_num_threads(1)
    data = tiny("train"), tiny("test")
    rows = read(args.output)["runs"]
    done = {(row["recipe"], row["budget"], row["seed"]) for row in rows}
    plan = [(name, args.core_seconds, seed) for seed in range(args.seeds) for name in args.recipes]
    for name, core_seconds, seed in (run for run in plan if run not in done):
        rows.append(contest(name, data, core_seconds, seed))
        write(args.output, anchors=anchors(*data), recipes=summary(rows), runs=rows)
    for entry in summary(rows).values():
        print(f"{entry['words']:<50} {entry['nats']:6.2f} ± {entry['nats_sd']:.2f} nats, {entry['steps']:.0f} steps")


if __name__ == "__main__":
    main()
