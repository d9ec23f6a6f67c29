"""Train the variational autoencoders that ship with the course, and write their weights and model cards.

Usage: OMP_NUM_THREADS=1 python tools/train_vae.py {vae,vae-maps} [--seed 0] [--steps N]
"vae" is the model with 20 latents that samples well; "vae-maps" holds one with 2 latents for each beta of
`models.vae.MAP_BETAS`, small enough to run in a web page. Needs the full data set (Debian's dataset-fashion-mnist, or
it downloads it). Same seed, one thread and the same kind of CPU give the same weights bit for bit.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import time
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from genai_utils import Run
from genai_utils.data import fashion_mnist
from genai_utils.metrics import likelihood, samples
from genai_utils.models import vae
from genai_utils.zoo import ENTRIES, WEIGHTS

BATCH = 128
N_SAMPLES = 10_000
IWAE_IMAGES, IWAE_DRAWS = 400, 500


class Recipe(NamedTuple):
    """Steps of each model; the highest learning rate; the norm at which gradients are cut, against rare jumps."""

    steps: int
    rate: float
    cut: float = math.inf


RECIPES = {"vae": Recipe(6_000, 2.5e-3, cut=200), "vae-maps": Recipe(6_000, 6e-3)}


def train(model: vae.VAE, images: Tensor, recipe: Recipe, seed: int, beta: float = 1.0) -> vae.VAE:
    """Raise the bound, in place; returns the model.  images: (n, 1, 28, 28) in [-1, 1]."""
    steps, rate, cut = recipe
    parameters = list(model.parameters())
    model.centre(images)
    run = Run(steps, seed=seed)
    optimizer = torch.optim.AdamW(parameters, rate, betas=(0.9, 0.99), weight_decay=0, fused=True)
    optimizer.register_step_pre_hook(lambda *_: cut_gradients(parameters, cut))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=steps, pct_start=0.05, anneal_strategy="linear", cycle_momentum=False
    )
    model, optimizer, schedule = run.setup(model, optimizer, schedule)
    for x in run.batches(images, batch_size=min(BATCH, len(images))):
        bound = vae.elbo(model, x, beta=beta)
        run.step(optimizer, -bound.objective)
        schedule.step()
        run.log(elbo=(bound.reconstruction - bound.kl.sum(dim=1)).mean())
    return model


def cut_gradients(parameters: list[nn.Parameter], norm: float) -> None:
    """Shorten the gradient to a norm, where it is longer."""
    nn.utils.clip_grad_norm_(parameters, norm)


def train_all(name: str, images: Tensor, recipe: Recipe, seed: int) -> nn.Module:
    """The trained model of a zoo entry."""
    torch.manual_seed(seed)
    model = ENTRIES[name].build()
    if isinstance(model, vae.VAE):
        return train(model, images, recipe, seed)
    for one, beta in zip(model.children(), vae.MAP_BETAS, strict=True):
        assert isinstance(one, vae.VAE)
        train(one, images, recipe, seed, beta)
    return model


@torch.no_grad()
def judge(model: vae.VAE, test: Tensor) -> dict[str, float]:
    """What a model is worth on test images (n, 1, 28, 28): terms of the bound, codes, and the distance of samples."""
    model.eval()
    noise = torch.randn(len(test), model.latent, generator=torch.Generator().manual_seed(1))
    _, reconstruction, kl = vae.elbo(model, test, noise=noise)
    mean, _ = model.encode(test)
    drawn = model.sample(N_SAMPLES, torch.Generator().manual_seed(2))
    distance = samples.frechet_distance(samples.features(drawn), samples.features(test), resamples=2)
    return {
        "bound": float((kl.sum(dim=1) - reconstruction).mean()),
        "reconstruction": float(-reconstruction.mean()),
        "kl": float(kl.sum(dim=1).mean()),
        "spread": float(mean.std(dim=0).square().mean().sqrt()),
        "active": int(vae.active_units(mean).sum()),
        "frechet": float(distance),
    }


def tightened(model: vae.VAE, test: Tensor) -> float:
    """Minus the importance bound, in nats: mean over the first IWAE_IMAGES of the test images."""
    weights = vae.log_weights(model, test[:IWAE_IMAGES], IWAE_DRAWS, generator=torch.Generator().manual_seed(3))
    return -float(likelihood.importance_bound(weights).mean())


CARD = """# {name}

{words}

- **Input** images (n, 1, 28, 28) in [-1, 1]; **output** of `encode` mean and log variance (n, {latent}), of `decode`
  logits (n, 1, 28, 28): sigmoid(logit) is the grey level, 0 black and 1 white.
- **Size** {parameters:,} parameters, stored in float16. sha256 of the file:
  `{sha256}`.
- **Data** the 60,000 training images of Fashion-MNIST (Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747, MIT licence).
- **Recipe** {made}.
  Another kind of CPU rounds differently and gives other weights of the same quality.
- **Licence** MIT, like the code of the course.

## Quality
On the 10,000 test images, in nats an image (Bernoulli cross-entropy on grey levels: no density, compare only with the
same); the Frechet distance of 10,000 samples in the features of `fashion-classifier` (this is not FID).

{report}

## Limits
It knows articles of clothing as they stand in one catalogue, and has seen products only: it cannot draw people. Its
samples are expected images, so they are blurred; real pixels vary around them.
"""

WORDS = {
    "vae": """A variational autoencoder with 20 latents (`genai_utils.models.vae.VAE`) of articles of clothing of
28 x 28 grey pixels. The course samples from it, blends its codes and measures what its bound hides.""",
    "vae-maps": """Four variational autoencoders with two latents, one for each weight of the KL in
`genai_utils.models.vae.MAP_BETAS`, as one list: `zoo.load("vae-maps")[i]`. The course draws its maps of clothing with
them, live in the page.""",
}


def report_of(model: nn.Module, test: Tensor) -> str:
    """Quality as a Markdown table."""
    if isinstance(model, vae.VAE):
        row = judge(model, test)
        return f"""| measure | value |
|---|---|
| -ELBO | {row["bound"]:.1f} |
| reconstruction | {row["reconstruction"]:.1f} |
| KL | {row["kl"]:.1f} |
| minus the importance bound, {IWAE_DRAWS} draws, first {IWAE_IMAGES:,} test images | {tightened(model, test):.1f} |
| active latents, of {model.latent} | {row["active"]} |
| Frechet distance | {row["frechet"]:.1f} |"""
    lines = ["| beta | -ELBO | reconstruction | KL | sd of the codes | Frechet distance |", "|---|---|---|---|---|---|"]
    for one, beta in zip(model.children(), vae.MAP_BETAS, strict=True):
        assert isinstance(one, vae.VAE)
        row = judge(one, test)
        numbers = [f"{row[key]:.1f}" for key in ("bound", "reconstruction", "kl")]
        lines.append(f"| {beta:g} | {' | '.join(numbers)} | {row['spread']:.2f} | {row['frechet']:.0f} |")
    return "\n".join(lines)


def store(name: str, model: nn.Module, folder: Path) -> tuple[nn.Module, str]:
    """Write weights in float16; returns the model as it will be loaded, and the sha256 of the file."""
    file = folder / f"{name}.safetensors"
    save_file({key: value.half().contiguous() for key, value in model.state_dict().items()}, file)
    shipped = ENTRIES[name].build().eval()
    shipped.load_state_dict(load_file(file))
    return shipped, hashlib.sha256(file.read_bytes()).hexdigest()


def main() -> None:
    """Train, store, read back, judge what was stored, describe."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=list(RECIPES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="of each model")
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    recipe = RECIPES[args.name]
    recipe = recipe._replace(steps=args.steps or recipe.steps)
    images, test = fashion_mnist("train", full=True).images, fashion_mnist("test", full=True).images
    start = time.process_time()
    model = train_all(args.name, images, recipe, args.seed)
    seconds = time.process_time() - start
    shipped, sha256 = store(args.name, model, args.output)
    command = f"`OMP_NUM_THREADS=1 python tools/train_vae.py {args.name} --seed {args.seed} --steps {recipe.steps}`"
    latent = next(part.latent for part in shipped.modules() if isinstance(part, vae.VAE))
    text = CARD.format(
        name=args.name, words=WORDS[args.name], latent=latent,
        parameters=sum(p.numel() for p in shipped.parameters()), sha256=sha256, report=report_of(shipped, test),
        made=f"{command} ({seconds:,.0f} s of CPU time on one core)",
    )  # fmt: skip
    (args.output / f"{args.name}.md").write_text(text, encoding="utf-8")
    print(text, f"{seconds:.0f} s, sha256 {sha256}: put it into genai_utils/weights/zoo.csv", sep="\n")


if __name__ == "__main__":
    main()
