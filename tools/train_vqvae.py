"""Train the VQ-VAE and its prior that ship with the course, and write their weights and model cards.

Usage: OMP_NUM_THREADS=1 python tools/train_vqvae.py vqvae [--seed 0] [--steps 12000] [--brief 3000]
       OMP_NUM_THREADS=1 python tools/train_vqvae.py vqvae-prior [--seed 0] [--steps 16000]
The prior learns the codes of the autoencoder that ships. The card of the autoencoder also says what three brief runs
reach in less than a minute each. The loops are those of the chapter on VQ-VAE, only longer. Needs the full data set
(Debian's dataset-fashion-mnist, or it downloads it). Same seed, one thread and the same kind of CPU give the same
weights bit for bit.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import time
from pathlib import Path
from typing import TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from genai_utils import Run, zoo
from genai_utils.data import fashion_mnist
from genai_utils.data.images import Images
from genai_utils.metrics import samples
from genai_utils.models import vqvae

RATE = 3e-3
BATCH = 32
RESTART_EVERY, RESTART_UNTIL = 100, 1_000
STEPS = {"vqvae": 12_000, "vqvae-prior": 16_000}
N_SAMPLES = 10_000

Model = TypeVar("Model", bound=nn.Module)


def optimizer(model: nn.Module, steps: int) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """AdamW without decay, and a rate that falls in a line to a fiftieth."""
    adam = torch.optim.AdamW(model.parameters(), RATE, betas=(0.9, 0.99), weight_decay=0.0, fused=True)
    return adam, torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.02, total_iters=steps)


def train_autoencoder(images: Tensor, steps: int, seed: int) -> vqvae.VQVAE:
    """Train for `steps` steps.  images: (n, 1, 28, 28) in [-1, 1]."""
    torch.manual_seed(seed)
    run = Run(steps, seed=seed, progress=False)
    bare = vqvae.VQVAE()
    model, adam, schedule = run.setup(bare, *optimizer(bare, steps))
    for x in run.batches(images, batch_size=BATCH):
        out = model(x)
        run.step(adam, vqvae.loss(x, out))
        schedule.step()
        bare.codebook.update(out.z, out.codes)
        if run.done % RESTART_EVERY == 0 and run.done <= RESTART_UNTIL:
            bare.codebook.restart(out.z, below=0.1 if run.done else math.inf)
    return bare.eval()


def train_prior(codes: Tensor, labels: Tensor, steps: int, seed: int) -> vqvae.CodePrior:
    """Train for `steps` steps.  codes: (n, 7, 7); labels: (n,)."""
    torch.manual_seed(seed)
    run = Run(steps, seed=seed, progress=False)
    bare = vqvae.captioned_prior()
    model, adam, schedule = run.setup(bare, *optimizer(bare, steps))
    for code, label in run.batches(codes, labels, batch_size=BATCH):
        run.step(adam, cross_entropy(model(code, label), code))
        schedule.step()
    return bare.eval()


# --- what the cards say -----------------------------------------------------------------------------------------------


def quality(model: vqvae.VQVAE, images: Tensor) -> tuple[str, str, str, str]:
    """Codes in use, perplexity, entropy-coded bits of a picture and PSNR in decibels, as text."""
    codes, size = model.encode(images), model.codebook.size
    places = codes.flatten(1).T
    bits = sum(vqvae.entropy_bits(place, size) for place in places)
    used, decibels = vqvae.used(codes, size), vqvae.psnr(model.decode(codes), images)
    return f"{used} of {size}", f"{vqvae.perplexity(codes, size):.0f}", f"{bits:.0f}", f"{decibels:.2f}"


def autoencoder_card(args: argparse.Namespace, sha256: str, seconds: float) -> str:
    """Model card of the stored autoencoder, with the brief runs beside it."""
    train, test = fashion_mnist("train", full=True), fashion_mnist("test", full=True)
    model = stored(args.output / "vqvae.safetensors", vqvae.VQVAE())
    rows = [(f"as shipped, {args.steps:,} steps", f"{seconds:.0f}", *quality(model, test.images))]
    for seed in range(3):
        start = time.process_time()
        brief = train_autoencoder(train.images, args.brief, seed)
        took = time.process_time() - start
        rows.append((f"seed {seed}, {args.brief:,} steps", f"{took:.0f}", *quality(brief, test.images)))
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return AUTOENCODER.format(facts=facts(args, model, sha256, seconds), table=table)


def prior_card(args: argparse.Namespace, sha256: str, seconds: float) -> str:
    """Model card of the stored prior: bits of the test codes, and its pictures against real ones."""
    test, autoencoder = fashion_mnist("test", full=True), shipped_autoencoder()
    model = stored(args.output / "vqvae-prior.safetensors", vqvae.captioned_prior())
    codes = autoencoder.encode(test.images)
    told, untold = (-model.log_prob(codes, labels).mean() / math.log(2) for labels in (test.labels, None))
    drawn = model.sample(N_SAMPLES, generator=torch.Generator().manual_seed(1))
    report = samples.evaluate(autoencoder.decode(drawn), test.images)
    head, *rows = [f"| {' | '.join(cells)} |" for cells in (report.header(), *report.rows())]
    table = "\n".join([head, "|---|---|---|", *rows])
    return PRIOR.format(facts=facts(args, model, sha256, seconds), told=told, untold=untold, table=table)


def facts(args: argparse.Namespace, model: nn.Module, sha256: str, seconds: float) -> str:
    """The lines that every card has."""
    command = f"OMP_NUM_THREADS=1 python tools/train_vqvae.py {args.name} --seed {args.seed} --steps {args.steps}"
    return FACTS.format(
        size=sum(p.numel() for p in model.parameters()), sha256=sha256, command=command, seconds=seconds
    )


FACTS = """- **Size** {size:,} parameters, stored in float16. sha256 of the file:
  `{sha256}`.
- **Data** the 60,000 training images of Fashion-MNIST (Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747, MIT licence).
- **Recipe** `{command}`
  ({seconds:,.0f} s of CPU time on one core). Another kind of CPU rounds differently and gives other weights of the same
  quality.
- **Licence** MIT, like the code of the course."""

AUTOENCODER = """# vqvae

A small VQ-VAE (`genai_utils.models.vqvae.VQVAE`): it writes a picture of an article of clothing as 7 x 7 codes out of
128, and reads it back. `vqvae-prior` writes new code maps for it.

- **Input** images (n, 1, 28, 28) in [-1, 1]. **Output** reconstructions of that shape, and codes (n, 7, 7).
{facts}

## Quality
On the 10,000 test images. Bits of a picture: entropy of the codes, each place for itself; 343 without entropy coding.
The brief runs say what another seed and less time would have given.

| run | CPU seconds | codes in use | perplexity | bits | PSNR in dB |
|---|---|---|---|---|---|
{table}

## Limits
It knows articles of clothing as they stand in one catalogue, at 28 x 28 grey pixels. Prints, logos and fine texture are
what it loses first.
"""

PRIOR = """# vqvae-prior

The probability of the code maps of `vqvae` (`genai_utils.models.vqvae.CodePrior`), one code after the other, given the
kind of clothing. Drawn from, it makes new pictures: `zoo.load("vqvae").decode(zoo.load("vqvae-prior").sample(n))`.

- **Input** codes (n, 7, 7) of 0 to 127 and labels (n,) of 0 to 9. **Output** logits (n, 128, 7, 7).
{facts}

## Quality
Test codes take **{told:.1f} bits** a picture when the kind is told and {untold:.1f} when it is not; a plain list of
codes takes 343. 10,000 samples against the 10,000 test images, in the features of `fashion-classifier` (this is not
FID), and beside it what as many real training images score; the spreads are those of `genai_utils.metrics.samples`.

{table}

## Limits
It knows articles of clothing as they stand in one catalogue. It cannot draw better than `vqvae` can decode.
"""


# --- run --------------------------------------------------------------------------------------------------------------


def stored(file: Path, model: Model) -> Model:
    """The model with the weights of a file, in eval mode."""
    model.load_state_dict(load_file(file))
    return model.eval()


def shipped_autoencoder() -> vqvae.VQVAE:
    """The autoencoder whose codes the prior learns."""
    model = zoo.load("vqvae")
    assert isinstance(model, vqvae.VQVAE)
    return model


def trained(args: argparse.Namespace, train: Images) -> nn.Module:
    """The model that the arguments name."""
    if args.name == "vqvae":
        return train_autoencoder(train.images, args.steps, args.seed)
    codes = shipped_autoencoder().encode(train.images)
    return train_prior(codes, train.labels, args.steps, args.seed)


def main() -> None:
    """Train, store, read back, judge what was stored, describe."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=STEPS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--brief", type=int, default=3_000, help="steps of the brief runs in the card of vqvae")
    parser.add_argument("--output", type=Path, default=zoo.WEIGHTS)
    args = parser.parse_args()
    args.steps = args.steps or STEPS[args.name]
    torch.set_num_threads(1)
    start = time.process_time()
    model = trained(args, fashion_mnist("train", full=True))
    seconds = time.process_time() - start
    file = args.output / f"{args.name}.safetensors"
    save_file({name: value.half().contiguous() for name, value in model.state_dict().items()}, file)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    write = autoencoder_card if args.name == "vqvae" else prior_card
    card = args.output / f"{args.name}.md"
    card.write_text(write(args, sha256, seconds), encoding="utf-8")
    print(card.read_text(encoding="utf-8"))
    print(f"{seconds:.0f} s, sha256 {sha256}: put it into genai_utils/weights/zoo.csv")


if __name__ == "__main__":
    main()
