"""The Fashion-MNIST classifier that the sample metrics stand on."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genai_utils import zoo
from genai_utils.data import images as data
from genai_utils.models.classifier import FashionClassifier
from genai_utils.recipes.ship import FASHION, Job, Recipe
from genai_utils.records.table import markdown_table

BATCH, RATE = 128, 3e-3


class Draw(NamedTuple):
    """What chance decides in a step: rows of the data (batch,), which of them are mirrored, and the move (x, y)."""

    rows: Tensor
    mirrored: Tensor
    move: Tensor


def draws(n: int, steps: int, seed: int) -> list[Draw]:
    """The chances of all steps, in whole batches of n rows shuffled every epoch: known before, so that it resumes."""
    found: list[Draw] = []
    chance = torch.Generator().manual_seed(seed)
    while len(found) < steps:
        for rows in torch.randperm(n, generator=chance)[: n // BATCH * BATCH].split(BATCH):
            mirrored = torch.rand(BATCH, 1, 1, 1, generator=chance) < 0.5
            found.append(Draw(rows, mirrored, torch.randint(0, 3, (2,), generator=chance)))
    return found[:steps]


def augmented(images: Tensor, draw: Draw) -> Tensor:
    """Half of the batch mirrored, all of it moved by up to one pixel: (n, 1, 28, 28) -> (n, 1, 28, 28)."""
    x, y = draw.move.tolist()
    images = torch.where(draw.mirrored, images.flip(3), images)
    return F.pad(images, (1, 1, 1, 1), value=-1.0)[:, :, y : y + 28, x : x + 28]


def train(job: Job) -> nn.Module:
    """Cross-entropy, AdamW, one cycle of the learning rate. No label smoothing: it erases what differs within a class
    (Müller et al. 2019, arXiv:1906.02629), which is what the distances are to see.
    """
    seen, run, bare = data.fashion_mnist("train", full=True), job.run(), job.build()
    bare.to(memory_format=torch.channels_last)
    adam = torch.optim.AdamW(bare.parameters(), RATE, weight_decay=0.02, fused=True)
    due = torch.optim.lr_scheduler.OneCycleLR(adam, RATE, total_steps=job.steps, pct_start=0.2)
    model, optimizer, schedule = run.setup(bare, adam, due)
    chances = draws(len(seen), job.steps, job.seed)
    for step in run.remaining():
        rows = chances[step].rows
        images = augmented(seen.images[rows], chances[step]).contiguous(memory_format=torch.channels_last)
        loss = F.cross_entropy(model(images.to(run.device)).float(), seen.labels[rows].to(run.device))
        run.step(optimizer, loss)
        schedule.step()
        run.log(loss=loss)
    return bare


def judge(model: FashionClassifier) -> dict[str, Any]:
    """Accuracy on the test images, and the share of each class that is recognized."""
    test = data.fashion_mnist("test", full=True)
    hits = torch.cat([model(images).argmax(dim=1) for images in test.images.split(1000)]) == test.labels
    recalls = [float(hits[test.labels == label].float().mean()) for label in range(len(test.classes))]
    rows = [(name, f"{100 * recall:.1f} %") for name, recall in zip(test.classes, recalls, strict=True)]
    return {
        "accuracy": sum(recalls) / len(recalls),
        "table": markdown_table(("class", "test images recognised"), rows),
    }


CARD = """# fashion-classifier

A small convolutional network that tells the ten classes of Fashion-MNIST apart. The course measures generated images
in its last hidden layer (64 features, after the ReLU): Frechet and kernel distance, precision and recall; and it
counts classes with its predictions.

- **Accuracy** on the 10,000 test images: **{accuracy:.4f}**.
- **Input** (n, 1, 28, 28) float32 in [-1, 1]. **Output** ten logits; `features` gives (n, 64).
{facts}

{table}

## Limits
Our distance is not FID. FID uses Inception features of colour photographs; numbers measured here compare with each
other only, and only as long as this file stays the same. The network looks at what tells classes apart: faults that
do not (a slightly wrong brightness of a bag, say) may cost little. It puts every image into one of ten classes, also an
image that shows none of them. More than one shirt in five is taken for something else, so a generator's share of shirts
is known less well than its share of trousers. It has seen the training images: against the test images they score a
little worse than unseen real images would.
"""

RECIPES = [
    Recipe(
        zoo.Entry("fashion-classifier", "models.classifier:FashionClassifier"),
        5_616,  # twelve epochs
        train,
        judge,
        CARD,
        data=f"{FASHION},\n  mirrored at random and moved by up to one pixel",
    )
]
