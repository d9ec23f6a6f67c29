"""A small GAN trained through `Run`; as a script, in as many processes as its launcher starts."""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import softplus

from genai_utils.run import Run, loop


def players(norm: bool) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    middle = [nn.BatchNorm1d(64)] if norm else []
    generator = nn.Sequential(
        nn.Linear(8, 64), *middle, nn.ReLU(), nn.Unflatten(1, (16, 2, 2)), nn.ConvTranspose2d(16, 1, 4, 2, 1)
    )
    drop = [nn.Dropout(0.2)] if norm else []
    discriminator = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.LeakyReLU(0.2), *drop, nn.Flatten(), nn.Linear(128, 1)
    )
    return generator, discriminator


def train(
    steps: int,
    checkpoint: Path | None = None,
    stop_in: int | None = None,
    learning_rate: float = 1e-3,
    norm: bool = True,
    every: int = 3,
) -> tuple[dict[str, Tensor], Run]:
    """Train; leave the loop in the middle of step `stop_in` (between the two players) as a crash would."""
    generator, discriminator = players(norm)
    run = Run(steps, checkpoint=checkpoint, checkpoint_every=every, progress=False)
    generator, discriminator, opt_g, opt_d = run.setup(
        generator,
        discriminator,
        torch.optim.Adam(generator.parameters(), learning_rate, fused=True),
        torch.optim.Adam(discriminator.parameters(), learning_rate, fused=True),
    )
    average = run.average(generator)
    images = torch.randn(60, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    for real in run.batches(images, batch_size=16):
        fake = generator(run.noise(len(real), 8))
        d_loss = softplus(-discriminator(real)).mean() + softplus(discriminator(fake.detach())).mean()
        run.step(opt_d, d_loss)
        if run.done == stop_in:
            break
        g_loss = softplus(-discriminator(fake)).mean()
        run.step(opt_g, g_loss)
        run.log(d_loss=d_loss, g_loss=g_loss)
    weights = {
        f"{name}.{key}": value.clone()
        for name, part in (("g", generator), ("d", discriminator), ("average", average))
        for key, value in run.accelerator.unwrap_model(part).state_dict().items()
    }
    return weights, run


if __name__ == "__main__":
    loop.precision = lambda: "fp32"  # bf16 keeps three digits, too few to compare two orders of summation
    weights, run = train(6, checkpoint=Path(sys.argv[2]), norm=False)
    if run.accelerator.is_main_process:
        weights["history"] = torch.tensor(run.history["d_loss"])
        save_file({key: value.contiguous() for key, value in weights.items()}, sys.argv[1])
