"""Parts of the GPU check on the DCGAN: its waterfall, and 20,000 steps beside the generator that ships."""

from __future__ import annotations

import lzma
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from genai_utils import zoo
from genai_utils.data.images import SHA256, Images, fashion_mnist
from genai_utils.metrics import samples
from genai_utils.models import gan
from genai_utils.run import Run, flops
from tools.gpu.check import Check, free
from tools.gpu.climb import Lap, Watch, climb, source
from tools.gpu.language import half

LATENT, BATCH = 64, 32


@dataclass(frozen=True)
class Rung:
    """How to train.  workers: see `source`.  captured: the whole step is one CUDA graph, replayed."""

    workers: int | None = None
    on_device: bool = True
    last: bool = True
    fused: bool = True
    bf16: bool = True
    compiled: str | None = None
    captured: bool = False
    batch: int = BATCH
    rate: float = 1.2e-3


def pictures_of(check: Check) -> tuple[Images, Images]:
    """All pictures where the folder of data has them, else those of the package; to train on and to judge with."""
    packed = sorted(check.data.glob("pictures/*-ubyte.xz")) if check.data else []
    if len(packed) < len(SHA256) or check.toy:
        return fashion_mnist("train"), fashion_mnist("test")
    with tempfile.TemporaryDirectory() as folder:
        for path in packed:
            Path(folder, path.stem).write_bytes(lzma.decompress(path.read_bytes()))
        train, test = (fashion_mnist(split, full=True, root=folder) for split in ("train", "test"))
    return train, test


def waterfall_of_the_dcgan(check: Check) -> None:
    """From the loop that tutorials print to a captured graph; the judge is the Frechet distance of the last weights."""
    plain = Rung(0, on_device=False, last=False, fused=False, bf16=False)
    device, large = replace(plain, workers=None, on_device=True), check.pick(4, 2) * BATCH
    rungs = {
        "tutorial": plain,
        "workers": replace(plain, workers=check.pick(4, 1)),
        "device": device,
        "channels-last": replace(device, last=True),
        "fused": replace(device, last=True, fused=True),
        "bf16": Rung(),
        "compile": Rung(compiled="default"),
        "graph": Rung(captured=True),
        "batch": Rung(captured=True, batch=large),
        "rate": Rung(captured=True, batch=large, rate=2.4e-3),
    }
    check.note("rungs", {name: str(rung) for name, rung in rungs.items()})
    check.figure("dcgan.operations", operations(BATCH), f"operations in a step of {BATCH}")
    climb(check, "waterfall.dcgan", rungs, Game(check).fit, check.pick(5, 2))


def operations(batch: int) -> int:
    """Of one step: D sees real and fake, forwards and backwards; G draws, is judged, and learns through D."""
    of_d = sum(flops.by_layer(gan.Discriminator().eval(), torch.zeros(1, 1, 28, 28)).values())
    of_g = sum(flops.by_layer(gan.Generator().eval(), torch.zeros(1, LATENT)).values())
    return batch * (6 * of_d + 3 * of_g + 3 * of_d)


class Game:
    """What each rung trains: as many pictures from the same seeds."""

    def __init__(self, check: Check):
        self.check, data = check, fashion_mnist("train").images
        self.here, self.there = data, data.to(check.device)
        self.real = samples.features(fashion_mnist("test").images[: check.pick(2_000, 80)])
        self.examples = check.pick(12_800, 128)  # 400 steps of 32: so that each rung has several seeds

    def fit(self, rung: Rung, seed: int) -> Lap:
        """Train once."""
        torch.manual_seed(seed)
        device, steps = self.check.device, self.examples // rung.batch
        G, D = gan.Generator().to(device), gan.Discriminator().to(device)
        for module in (G, D) if rung.last else ():
            module.to(memory_format=torch.channels_last)
        step = self._step(G, D, rung)
        order = torch.randint(len(self.here), (self.examples,), generator=torch.Generator().manual_seed(seed))
        if rung.captured:
            step = captured(self.check, step, self.there[: rung.batch])
        watch = Watch(self.check, steps, rung.batch)
        for real in source(self.there if rung.on_device else self.here, order, rung.batch, device, rung.workers):
            step(real)
            watch.tick()
        return watch.lap(self._distance(G))

    def _step(self, G: nn.Module, D: nn.Module, rung: Rung) -> Callable[[Tensor], None]:
        """One round of the game."""
        opt_g, opt_d = (self._adam(m, rung) for m in (G, D))
        if rung.compiled:
            mode = None if rung.compiled == "default" else rung.compiled
            G, D = (self.check.compiled(m, mode) for m in (G, D))  # type: ignore[assignment]

        def step(real: Tensor) -> None:
            noise = torch.randn(len(real), LATENT, device=real.device)
            with half(self.check, rung.bf16):
                fake = G(noise)
                d_loss = gan.discriminator_loss(D, real, fake.detach())
            _move(opt_d, d_loss)
            with half(self.check, rung.bf16):
                g_loss = gan.generator_loss(D, fake)
            _move(opt_g, g_loss)

        return step

    def _adam(self, module: nn.Module, rung: Rung) -> Optimizer:
        graph = rung.captured and self.check.on_gpu
        return Adam(module.parameters(), rung.rate, betas=(0.5, 0.99), fused=rung.fused or None, capturable=graph)

    @torch.no_grad()
    def _distance(self, G: nn.Module) -> float:
        noise = torch.randn(len(self.real), LATENT, generator=torch.Generator().manual_seed(1))
        drawn = G.eval()(noise.to(self.check.device)).float().cpu()
        return samples.frechet_distance(samples.features(drawn), self.real, resamples=2).value


def _move(optimizer: Optimizer, loss: Tensor) -> None:
    """Down the gradient with the parameters of one player alone."""
    optimizer.zero_grad()
    loss.backward(inputs=[p for group in optimizer.param_groups for p in group["params"]])
    optimizer.step()


def captured(check: Check, step: Callable[[Tensor], None], example: Tensor) -> Callable[[Tensor], None]:
    """The step as one CUDA graph: the processor asks for it once instead of hundreds of times.

    On a processor there is nothing to capture, and the step is returned.
    """
    if not check.on_gpu:
        return step
    held, stream = example.clone(), torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step(held)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step(held)

    def replay(real: Tensor) -> None:
        held.copy_(real)
        graph.replay()

    return replay


def dcgan(check: Check) -> None:
    """The recipe of the shipped generator for half of its steps, in the package's loop, and both judged alike."""
    train, test = pictures_of(check)
    check.note("data", train.note)
    steps = check.pick(20_000, 4)
    run, average = _trained(check, train.images, steps)
    check.figure("dcgan.steps", run.done, "steps")
    check.figure("dcgan.seconds", run.seconds, "s")
    check.figure("dcgan.ms", 1e3 * run.seconds / run.done, "ms a step")
    check.note("losses", {name: thinned(values) for name, values in run.history.items()})
    _save(check, average)
    _judge(check, {"dcgan": average.cpu(), "dcgan.shipped": zoo.load("dcgan")}, test.images)
    free()


def _trained(check: Check, pictures: Tensor, steps: int) -> tuple[Run, nn.Module]:
    """The loop of `recipes.dcgan`, ended early where time runs out."""
    torch.manual_seed(0)
    run, G, D = Run(steps, progress=False), gan.Generator(), gan.Discriminator()
    opt_g, opt_d = (Adam(m.parameters(), 1e-3, betas=(0.5, 0.99), fused=True) for m in (G, D))
    G, D, opt_g, opt_d = run.setup(G, D, opt_g, opt_d)
    average = run.average(G, decay=0.999)
    for real in run.batches(pictures, batch_size=BATCH):
        fake = G(run.noise(BATCH, LATENT))
        d_loss = gan.discriminator_loss(D, real, fake.detach())
        run.step(opt_d, d_loss)
        g_loss = gan.generator_loss(D, fake)
        run.step(opt_g, g_loss)
        run.log(d=d_loss, g=g_loss)
        if check.left < 15 and run.done:
            break
    return run, average.module


@torch.no_grad()
def _judge(check: Check, generators: dict[str, nn.Module], test: Tensor) -> None:
    """Frechet distance and coverage of the same noise, on the processor."""
    noise = torch.randn(check.pick(10_000, 100), LATENT, generator=torch.Generator().manual_seed(1))
    real = samples.features(test[: len(noise)])
    for name, generator in generators.items():
        drawn = torch.cat([generator.eval()(z) for z in noise.split(500)]).float()
        check.figure(f"{name}.frechet", samples.frechet_distance(samples.features(drawn), real), "Frechet distance")
        shares = samples.class_coverage(drawn)
        check.figure(f"{name}.rarest", shares.smallest, "share of the rarest class")


@torch.no_grad()
def _save(check: Check, generator: nn.Module) -> None:
    """Weights in sixteen bits, and a sheet of pictures."""
    from PIL import Image
    from safetensors.torch import save_file

    state = {name: t.detach().cpu().half().contiguous() for name, t in generator.state_dict().items()}
    save_file(state, check.out / "dcgan.safetensors")
    device = next(generator.parameters()).device
    noise = torch.randn(60, LATENT, generator=torch.Generator().manual_seed(2)).to(device)
    drawn = generator.eval()(noise).float().cpu()
    sheet = drawn.view(6, 10, 28, 28).permute(0, 2, 1, 3).reshape(6 * 28, 280)
    Image.fromarray(((sheet + 1) * 127.5).clamp(0, 255).byte().numpy()).save(check.out / "dcgan.png")


def thinned(values: list[float], points: int = 200) -> list[float]:
    """A curve with fewer points: means of equal stretches."""
    wide = max(1, len(values) // points)
    parts = [values[i : i + wide] for i in range(0, len(values), wide)]
    return [round(sum(part) / len(part), 5) for part in parts]
