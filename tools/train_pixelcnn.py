"""Train the pixel models that ship with the course, and write their weights and model cards.

Usage: OMP_NUM_THREADS=1 python tools/train_pixelcnn.py pixelcnn [--seed 0] [--steps 8000]
The loop is that of the chapter on pixels and sound, only longer. Needs the full data set (Debian's
dataset-fashion-mnist, or it downloads it). Same seed, one thread and the same kind of CPU give the same weights bit for
bit.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from genai_utils import Run, zoo
from genai_utils.data import fashion_mnist
from genai_utils.metrics import samples
from genai_utils.metrics.likelihood import bits_per_dim
from genai_utils.models import pixelcnn
from genai_utils.models.pixelcnn import PixelCNN

BATCH, RATE, NORM = 8, 4e-3, 1.0
STEPS = {"pixelcnn": 8_000}
BUILD = {"pixelcnn": pixelcnn.shipped}
N_SAMPLES = 2_000


def train(model: PixelCNN, x: Tensor, steps: int, seed: int) -> PixelCNN:
    """Train a model for `steps` steps and return it in eval mode.  x: (n, 28, 28) int64 grey levels."""
    run = Run(steps, seed=seed, progress=False)
    adam = torch.optim.AdamW(model.parameters(), RATE, betas=(0.9, 0.99), weight_decay=0.0, fused=True)
    adam.register_step_pre_hook(lambda *_: shorten(model))
    due = torch.optim.lr_scheduler.LambdaLR(adam, lambda done: rate(done / steps))
    wrapped, optimizer, schedule = run.setup(model, adam, due)
    for batch in run.batches(x, batch_size=BATCH):
        run.step(optimizer, F.cross_entropy(wrapped(batch), batch))
        schedule.step()
    return model.eval()


def rate(share: float) -> float:
    """Share of the full rate when this share of the steps is done: it warms up, then falls in a line to zero."""
    return min((share + 1e-3) / 0.05, max(1 - share, 0.0) / 0.95)


def shorten(model: PixelCNN) -> None:
    """Cut the gradient to a norm: at such a rate a rare picture would break training."""
    torch.nn.utils.clip_grad_norm_(model.parameters(), NORM)


def card(args: argparse.Namespace, model: PixelCNN, sha256: str, seconds: float) -> str:
    """Model card of the stored weights: exact bits, samples against real pictures."""
    test = fashion_mnist("test", full=True)
    bits = bits_per_dim(model.log_prob(pixelcnn.quantize(test.pixels, model.levels)), levels=1)
    start = time.process_time()
    drawn = model.sample(N_SAMPLES, torch.Generator().manual_seed(1))
    sampling = (time.process_time() - start) / N_SAMPLES * 1000
    pictures = drawn[:, None] / (model.levels - 1) * 2 - 1
    head, *rows = [f"| {' | '.join(cells)} |" for report in [samples.evaluate(pictures, test.images)]
                   for cells in (report.header(), *report.rows())]  # fmt: skip
    return CARD.format(
        name=args.name, levels=model.levels, top=model.levels - 1, sha256=sha256,
        size=sum(p.numel() for p in model.parameters()),
        command=f"OMP_NUM_THREADS=1 python tools/train_pixelcnn.py {args.name} --seed {args.seed} --steps {args.steps}",
        seconds=seconds, bits=bits, n=N_SAMPLES, sampling=sampling, table="\n".join([head, "|---|---|---|", *rows]),
    )  # fmt: skip


CARD = """# {name}

A PixelCNN (`genai_utils.models.pixelcnn.PixelCNN`) of articles of clothing, 28 x 28 pixels of {levels} grey
levels: it knows the exact probability of every picture, and draws new ones pixel by pixel.

- **Input** grey levels (n, 28, 28), int64, 0 to {top}. **Output** of `log_prob` nats (n,), of `sample` levels.
- **Size** {size:,} parameters, stored in float16. sha256 of the file:
  `{sha256}`.
- **Data** the 60,000 training images of Fashion-MNIST (Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747, MIT licence).
- **Recipe** `{command}`
  ({seconds:,.0f} s of CPU time on one core). Another kind of CPU rounds differently and gives other weights of the same
  quality.
- **Licence** MIT, like the code of the course.

## Quality
The 10,000 test images take **{bits.value:.3f} ± {bits.spread:.3f} bits a pixel** at {levels} grey levels (exact, no
bound). A thousand samples take {sampling:.0f} s of CPU time. {n:,} samples against the 10,000 test images, in the
features of `fashion-classifier` (this is not FID), and beside it what as many real training images score; the spreads
are those of `genai_utils.metrics.samples`.

{table}

## Limits
It knows articles of clothing as they stand in one catalogue. Most of its bits are spent on the grain of single pixels;
a sample can have perfect grain and no sleeve.
"""


def main() -> None:
    """Train, store, read back, judge what was stored, describe."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=STEPS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--output", type=Path, default=zoo.WEIGHTS)
    args = parser.parse_args()
    args.steps = args.steps or STEPS[args.name]
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    model = BUILD[args.name]()
    start = time.process_time()
    train(model, pixelcnn.quantize(fashion_mnist("train", full=True).pixels, model.levels), args.steps, args.seed)
    seconds = time.process_time() - start
    file = args.output / f"{args.name}.safetensors"
    save_file({name: value.half().contiguous() for name, value in model.state_dict().items()}, file)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    model.load_state_dict(load_file(file))
    written = card(args, model, sha256, seconds)
    (args.output / f"{args.name}.md").write_text(written, encoding="utf-8")
    print(written)
    print(f"{seconds:.0f} s, sha256 {sha256}: put it into genai_utils/weights/zoo.csv")


if __name__ == "__main__":
    main()
