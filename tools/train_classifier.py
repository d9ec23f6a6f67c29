"""Train the Fashion-MNIST classifier that the sample metrics stand on, and write its weights and model card.

Usage: OMP_NUM_THREADS=1 python tools/train_classifier.py [--seed 0] [--epochs 12]
Needs the full data set (Debian's dataset-fashion-mnist, or it downloads it). Same seed, one thread and the same kind
of CPU give the same weights bit for bit.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from genai_utils.data.images import Images, fashion_mnist
from genai_utils.metrics.classifier import FashionClassifier
from genai_utils.zoo import WEIGHTS

NAME = "fashion-classifier"
BATCH = 128
PEAK_RATE = 3e-3


def augmented(images: Tensor, generator: torch.Generator) -> Tensor:
    """Half of the batch mirrored, all of it moved by up to one pixel: (n, 1, 28, 28) -> (n, 1, 28, 28)."""
    mirrored = torch.rand(len(images), 1, 1, 1, generator=generator) < 0.5
    x, y = torch.randint(0, 3, (2,), generator=generator).tolist()
    images = torch.where(mirrored, images.flip(3), images)
    return F.pad(images, (1, 1, 1, 1), value=-1.0)[:, :, y : y + 28, x : x + 28]


def batches(data: Images, epochs: int, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Augmented images and labels, in whole batches."""
    for _ in range(epochs):
        order = torch.randperm(len(data), generator=generator)
        for chosen in order[: len(order) // BATCH * BATCH].split(BATCH):
            images = data.pixels[chosen].unsqueeze(1) / 127.5 - 1.0
            yield augmented(images, generator), data.labels[chosen]


def train(data: Images, epochs: int, seed: int) -> FashionClassifier:
    """Cross-entropy in bf16, AdamW, one cycle of the learning rate. No label smoothing: it erases what differs within
    a class (Müller et al. 2019, arXiv:1906.02629), which is what the distances are to see.
    """
    torch.manual_seed(seed)
    model = FashionClassifier().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, weight_decay=0.02, fused=True)
    steps = epochs * (len(data) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps, pct_start=0.2)
    for images, labels in batches(data, epochs, torch.Generator().manual_seed(seed)):
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(images.contiguous(memory_format=torch.channels_last))
        optimizer.zero_grad()
        F.cross_entropy(logits.float(), labels).backward()
        optimizer.step()
        schedule.step()
    return model.to(memory_format=torch.contiguous_format).eval()


@torch.no_grad()
def recall_per_class(model: FashionClassifier, data: Images) -> Tensor:
    """Share of each class that is recognised: (10,)."""
    predicted = torch.cat([model(images).argmax(dim=1) for images in data.images.split(1000)])
    hits = (predicted == data.labels).float()
    return torch.stack([hits[data.labels == label].mean() for label in range(len(data.classes))])


def halved(value: Tensor) -> Tensor:
    """Weights in float16; the integer counters of batch normalisation as they are."""
    return value.half() if value.is_floating_point() else value


def write_card(path: Path, sha256: str, recalls: Tensor, classes: list[str], seconds: float, command: str) -> None:
    """Model card in Markdown."""
    rows = "\n".join(
        f"| {name} | {100 * recall:.1f} % |" for name, recall in zip(classes, recalls.tolist(), strict=True)
    )
    path.write_text(CARD.format(sha256=sha256, accuracy=recalls.mean(), rows=rows, seconds=seconds, command=command))


CARD = """# fashion-classifier

A small convolutional network that tells the ten classes of Fashion-MNIST apart. The course measures generated images
in its last hidden layer (64 features, after the ReLU): Frechet and kernel distance, precision and recall; and it
counts classes with its predictions.

- **Accuracy** on the 10,000 test images: **{accuracy:.4f}**.
- **Input** (n, 1, 28, 28) float32 in [-1, 1]. **Output** ten logits; `features` gives (n, 64).
- **Size** 113,074 parameters, stored in float16. sha256 of the file:
  `{sha256}`.
- **Data** the 60,000 training images of Fashion-MNIST (Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747, MIT licence),
  mirrored at random and moved by up to one pixel.
- **Recipe** `{command}` ({seconds:.0f} s of CPU time
  on one core). The number of steps, the seed and the thread count are fixed; another kind of CPU rounds differently and
  gives other weights of the same quality.
- **Licence** MIT, like the code of the course.

| class | test images recognised |
|---|---|
{rows}

## Limits
Our distance is not FID. FID uses Inception features of colour photographs; numbers measured here compare with each
other only, and only as long as this file stays the same. The network looks at what tells classes apart: faults that
do not (a slightly wrong brightness of a bag, say) may cost little. It puts every image into one of ten classes, also an
image that shows none of them. More than one shirt in five is taken for something else, so a generator's share of shirts
is known less well than its share of trousers. It has seen the training images: against the test images they score a
little worse than unseen real images would.
"""


def main() -> None:
    """Train, measure on the test set, write weights and card."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--epochs", type=int, default=12)
    arguments.add_argument("--out", type=Path, default=WEIGHTS)
    chosen = arguments.parse_args()
    torch.set_num_threads(1)
    start = time.process_time()
    model = train(fashion_mnist("train", full=True), chosen.epochs, chosen.seed)
    seconds = time.process_time() - start
    weights = chosen.out / f"{NAME}.safetensors"
    save_file({key: halved(value) for key, value in model.state_dict().items()}, weights)
    model.load_state_dict(load_file(weights))  # what is measured is what ships
    test = fashion_mnist("test", full=True)
    recalls = recall_per_class(model, test)
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    command = f"OMP_NUM_THREADS=1 python tools/train_classifier.py --seed {chosen.seed} --epochs {chosen.epochs}"
    write_card(chosen.out / f"{NAME}.md", sha256, recalls, test.classes, seconds, command)
    print(f"accuracy {recalls.mean():.4f}, {seconds:.0f} s, {weights.stat().st_size:,} bytes, sha256 {sha256}")


if __name__ == "__main__":
    main()
