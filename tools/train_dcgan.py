"""Train the DCGAN generator that ships with the course, and write its weights and model card.

Usage: OMP_NUM_THREADS=1 python tools/train_dcgan.py [--seed 0] [--steps 40000]
The loop is the one of the chapter on GAN training, only longer and with a slower average. Needs the full data set
(Debian's dataset-fashion-mnist, or it downloads it). Same seed, one thread and the same kind of CPU give the same
weights bit for bit.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from genai_utils import Run
from genai_utils.data import fashion_mnist
from genai_utils.metrics import samples
from genai_utils.models import gan
from genai_utils.zoo import WEIGHTS

NAME = "dcgan"
BATCH = 32
RATE = 1e-3
N_SAMPLES = 10_000


def train(images: Tensor, steps: int, seed: int, checkpoint: Path | None = None) -> nn.Module:
    """Play for `steps` steps; returns the averaged generator.  images: (n, 1, 28, 28) in [-1, 1]."""
    torch.manual_seed(seed)
    run = Run(steps, seed=seed, checkpoint=checkpoint)
    G, D = gan.Generator(), gan.Discriminator()
    opt_g, opt_d = (torch.optim.Adam(p.parameters(), RATE, betas=(0.5, 0.99), fused=True) for p in (G, D))
    G, D, opt_g, opt_d = run.setup(G, D, opt_g, opt_d)
    average = run.average(G, decay=0.999)
    for real in run.batches(images, batch_size=BATCH):
        fake = G(run.noise(BATCH, 64))
        d_loss = gan.discriminator_loss(D, real, fake.detach())
        run.step(opt_d, d_loss)
        g_loss = gan.generator_loss(D, fake)
        run.step(opt_g, g_loss)
        run.log(d_loss=d_loss, g_loss=g_loss)
    return average.module


@torch.no_grad()
def draw(generator: nn.Module, n: int = N_SAMPLES) -> Tensor:
    """Samples of a fixed noise: (n, 1, 28, 28)."""
    noise = torch.randn(n, 64, generator=torch.Generator().manual_seed(1))
    return torch.cat([generator(z) for z in noise.split(500)])


def halved(value: Tensor) -> Tensor:
    """Weights in float16; the integer counters of batch normalisation as they are."""
    return value.half() if value.is_floating_point() else value


def write_card(path: Path, sha256: str, parameters: int, report: samples.SampleReport, shares: str, made: str) -> None:
    """Model card in Markdown."""
    path.write_text(
        CARD.format(
            parameters=parameters, sha256=sha256, made=made, report=table(report), n=report.frechet.n, shares=shares
        ),
        encoding="utf-8",
    )


CARD = """# dcgan

The generator of a small DCGAN (`genai_utils.models.gan.Generator`), averaged over its training, that draws articles of
clothing of 28 x 28 grey pixels. The course shows it in the latent explorer and judges it in the chapter on training.

- **Input** noise (n, 64), standard normal. **Output** images (n, 1, 28, 28) in [-1, 1].
- **Size** {parameters:,} parameters, stored in float16. sha256 of the file:
  `{sha256}`.
- **Data** the 60,000 training images of Fashion-MNIST (Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747, MIT licence).
- **Recipe** {made}.
  Another kind of CPU rounds differently and gives other weights of the same quality.
- **Licence** MIT, like the code of the course.

## Quality
{n:,} samples against the 10,000 test images, in the features of `fashion-classifier` (this is not FID), and beside
it what as many real training images score; the spreads are those of `genai_utils.metrics.samples`.

{report}

Share of each class among the samples, as the classifier sees them (10 % each in the data):

{shares}

## Limits
It knows articles of clothing as they stand in one catalogue, and its texture is smoother than a photograph's. It has
seen products only and cannot draw people. Class shares carry the faults of the classifier that counts them.
"""


def table(report: samples.SampleReport) -> str:
    """The report as a Markdown table."""
    head, *rows = [f"| {' | '.join(cells)} |" for cells in (report.header(), *report.rows())]
    return "\n".join([head, "|---|---|---|", *rows])


def class_table(images: Tensor) -> str:
    """Class shares as a Markdown table."""
    rows = [f"| {name} | {float(share):.1%} |" for name, share in samples.class_shares(images).items()]
    return "\n".join(["| class | share |", "|---|---|", *rows])


def main() -> None:
    """Train, store, read back, judge what was stored, describe."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=40_000)
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    parser.add_argument("--checkpoint", type=Path, help="save here every 500 steps and, where it exists, go on from it")
    args = parser.parse_args()
    torch.set_num_threads(1)
    train_set, test = fashion_mnist("train", full=True), fashion_mnist("test", full=True)
    start = time.process_time()
    generator = train(train_set.images, args.steps, args.seed, args.checkpoint)
    seconds = time.process_time() - start
    file = args.output / f"{NAME}.safetensors"
    save_file({name: halved(value).contiguous() for name, value in generator.state_dict().items()}, file)
    shipped = gan.Generator().eval()
    shipped.load_state_dict(load_file(file))
    images = draw(shipped)
    command = f"`OMP_NUM_THREADS=1 python tools/train_dcgan.py --seed {args.seed} --steps {args.steps}`"
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    report = samples.evaluate(images, test.images)
    size = sum(p.numel() for p in shipped.parameters())
    made = f"{command} ({seconds:.0f} s of CPU time on one core)"
    write_card(args.output / f"{NAME}.md", sha256, size, report, class_table(images), made)
    print(report, f"{seconds:.0f} s, sha256 {sha256}: put it into genai_utils/weights/zoo.csv", sep="\n")


if __name__ == "__main__":
    main()
