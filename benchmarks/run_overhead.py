"""What does `Run` cost? The same training as a bare PyTorch loop and in a `Run`, in turns, on one core.

    OMP_NUM_THREADS=1 python benchmarks/run_overhead.py        # the command line: contest.py

Each repeat, of a seed of its own, starts three loops from the same weights: bare, carried by a `Run` as in the chapters
(progress bar, log of the losses), and the same with a checkpoint to be kept. They take turns of five steps, in another
order each time (a bar is drawn by the clock: in turns of one it would be drawn at every step), and must end with the
same weights bit for bit, so that no loop does less. The bare loop has all that makes ours fast: bf16, channels-last,
gradients for the player alone whose turn it is. A ratio is that of the median CPU times of a step; over the repeats,
its median and the interval that holds the true median with a chance of 95 % or more. Writing a checkpoint, once in 500
steps, is not in it.
"""

from __future__ import annotations

import contextlib
import io
import random
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from math import comb
from pathlib import Path
from statistics import median
from typing import Any

import torch
from contest import Contest, Row, bf16, descend, main, markdown
from gpt import loss as gpt_loss
from torch import Tensor, nn

from genai_utils import Run
from genai_utils.data import images, text
from genai_utils.models import gan, gpt

LOOPS = ("bare", "run", "kept")
TURN = 5  # steps
KEYS = ("run_ratio", "kept_ratio")  # over the bare loop


class Loops(ABC):
    """A training that can be written with and without a Run."""

    batch: int
    data: Tensor

    @abstractmethod
    def parts(self) -> tuple[Any, ...]:
        """New networks and their optimizers."""

    @abstractmethod
    def bare(self, seed: int, steps: int, parts: tuple[Any, ...]) -> Generator[list[float]]:
        """A plain loop.  Yields: after each step, the losses of it."""

    @abstractmethod
    def carried(self, run: Run, parts: tuple[Any, ...]) -> Generator[None]:
        """The same loop, carried by a run.  Yields: after each step."""

    def rows(self, seed: int, steps: int) -> Iterator[Tensor]:
        """Batches as an author would draw them, in the order in which a Run draws them."""
        each = len(self.data) // self.batch
        for step in range(steps):
            epoch, place = divmod(step, each)
            if place == 0:
                shuffle = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
                order = torch.randperm(len(self.data), generator=shuffle)
            yield self.data[order[place * self.batch : (place + 1) * self.batch]]


class Half(nn.Module):
    """A network that computes in bf16, where the processor has it, and answers in fp32."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """As the network."""
        with bf16():
            out = self.network(x)
        return out.float()


class Characters(Loops):
    """The small GPT of the chapter on transformers, with Muon and AdamW."""

    batch = 16

    def __init__(self) -> None:
        self.alphabet = text.shakespeare_alphabet()
        self.data = gpt.windows(text.encode(text.shakespeare("train"), self.alphabet), 65)

    def parts(self) -> tuple[Any, ...]:
        """One network, two optimizers."""
        model = gpt.GPT(gpt.Config(len(self.alphabet), 64))
        return model, *gpt.optimizers(model)

    def bare(self, seed: int, steps: int, parts: tuple[Any, ...]) -> Generator[list[float]]:
        """As most tutorials have it."""
        network, *optimizers = parts
        model = Half(network)
        for x in self.rows(seed, steps):
            loss = gpt_loss(model, x)
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss.backward()
            for optimizer in optimizers:
                optimizer.step()
            yield [loss.item()]

    def carried(self, run: Run, parts: tuple[Any, ...]) -> Generator[None]:
        """As in the chapters."""
        model, *optimizers = run.setup(*parts)
        for x in run.batches(self.data, batch_size=self.batch):
            loss = gpt_loss(model, x)
            run.step(optimizers, loss)
            run.log(loss=loss)
            yield


class Pictures(Loops):
    """The small DCGAN of the chapter on training GANs, with two Adams."""

    batch = 32

    def __init__(self) -> None:
        self.data = images.fashion_mnist("train").images

    def parts(self) -> tuple[Any, ...]:
        """Two players, two optimizers."""
        players = gan.Generator(), gan.Discriminator()
        return *players, *(torch.optim.Adam(p.parameters(), 1e-3, betas=(0.5, 0.99), fused=True) for p in players)

    def bare(self, seed: int, steps: int, parts: tuple[Any, ...]) -> Generator[list[float]]:
        """Each player's gradients only in its own turn."""
        networks, (opt_g, opt_d) = parts[:2], parts[2:]
        G, D = (Half(player.to(memory_format=torch.channels_last)) for player in networks)
        chance = torch.Generator().manual_seed(seed)
        for real in self.rows(seed, steps):
            fake = G(torch.randn(self.batch, 64, generator=chance))
            d_loss = gan.discriminator_loss(D, real, fake.detach())
            descend(opt_d, d_loss, list(D.parameters()))
            g_loss = gan.generator_loss(D, fake)
            descend(opt_g, g_loss, list(G.parameters()))
            yield [d_loss.item(), g_loss.item()]

    def carried(self, run: Run, parts: tuple[Any, ...]) -> Generator[None]:
        """As in the chapters."""
        G, D, opt_g, opt_d = run.setup(*parts)
        for real in run.batches(self.data, batch_size=self.batch):
            fake = G(run.noise(self.batch, 64))
            d_loss = gan.discriminator_loss(D, real, fake.detach())
            run.step(opt_d, d_loss)
            g_loss = gan.generator_loss(D, fake)
            run.step(opt_g, g_loss)
            run.log(d_loss=d_loss, g_loss=g_loss)
            yield


def times(loops: Loops, seed: int, steps: int, folder: Path) -> tuple[dict[str, list[float]], bool]:
    """CPU seconds of a step in each turn of each loop, and whether all ended with the same weights."""
    going: dict[str, Generator[Any]] = {}
    found: dict[str, list[float]] = {name: [] for name in LOOPS}
    weights, turns = {}, random.Random(seed)
    for name in LOOPS:
        torch.manual_seed(seed)
        parts = loops.parts()
        weights[name] = [p for part in parts if isinstance(part, nn.Module) for p in part.parameters()]
        kept = folder / "run.safetensors" if name == "kept" else None
        # The run of one step more never ends, and so writes no checkpoint.
        run = Run(steps + 1, seed=seed, checkpoint=kept, checkpoint_every=steps + 1)
        going[name] = loops.bare(seed, steps + 1, parts) if name == "bare" else loops.carried(run, parts)
    for _ in range(steps // TURN):
        for name in turns.sample(LOOPS, len(LOOPS)):
            start = time.process_time()
            for _ in range(TURN):
                next(going[name])
            found[name].append((time.process_time() - start) / TURN)
    same = all(map(torch.equal, weights["bare"] * 2, weights["run"] + weights["kept"]))
    for loop in going.values():
        loop.close()
    return found, same


def interval(values: list[float], confidence: float = 0.95) -> tuple[float, float]:
    """Two of the values, equally far from both ends, that hold the true median between them; all, if they are few.

    Of n values fewer than k lie below the median with the chance that a fair coin falls less than k times on one side.
    """
    n, ordered = len(values), sorted(values)
    outside = [2 * sum(comb(n, i) for i in range(k)) / 2**n for k in range(1, n // 2 + 1)]
    k = max([1, *(k for k, chance in enumerate(outside, 1) if chance <= 1 - confidence)])
    return ordered[k - 1], ordered[n - k]


class Overhead(Contest):
    """By how much a step in a Run takes longer."""

    name, budgets, unit = "run_overhead", (50.0,), "steps"
    recipes: Any = {
        "gpt": ("GPT, 4 layers, width 128, 16 passages of 64", Characters),
        "dcgan": ("DCGAN, 32 pictures of 28 x 28", Pictures),
    }
    columns = {
        "bare loop, ms a step": "{bare_ms:.1f}",
        "`Run`: times the bare loop": "{run_ratio:.3f} ({run_ratio_low:.3f} to {run_ratio_high:.3f})",
        "with a checkpoint to keep": "{kept_ratio:.3f} ({kept_ratio_low:.3f} to {kept_ratio_high:.3f})",
    }

    def load(self) -> None:
        """Each training reads its own."""

    def judge(self, recipe: Any) -> Row:
        """Nothing: time is all."""
        return {}

    def run(self, name: str, budget: float, seed: int, runs: list[Row]) -> Row:
        """One repeat: medians of a step in ms, and what they are as times the bare loop."""
        steps = int(budget)
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
            found, same = times(self.recipes[name][1](), seed, steps + TURN, Path(folder))
        middle = {loop: median(each[1:]) for loop, each in found.items()}  # the first turn is not counted
        row: Row = {"recipe": name, "seed": seed, "budget": budget, "same_weights": same}
        row |= {f"{loop}_ms": round(1000 * seconds, 3) for loop, seconds in middle.items()}
        return row | {f"{loop}_ratio": middle[loop] / middle["bare"] for loop in LOOPS[1:]}

    def tables(self, found: Row) -> dict[str, str]:
        """Without the counts of a contest."""
        table = markdown({"step": "{recipe}", "repeats": "{seeds}"} | self.columns, self._rows(found))
        same = all(row["same_weights"] for row in found["runs"])
        weights = f"The loops ended with {'the same' if same else 'OTHER'} weights."
        return {self.name: f"{table}\n\n{weights} {self.made(found)}"}

    def _rows(self, found: Row) -> Iterator[Row]:
        """Medians over the repeats, with intervals."""
        for name, (words, _) in self.recipes.items():
            if runs := [row for row in found["runs"] if row["recipe"] == name]:
                line: Row = {"recipe": words, "seeds": len(runs), "bare_ms": median(r["bare_ms"] for r in runs)}
                for key in KEYS:
                    values = [row[key] for row in runs]
                    low, high = interval(values)
                    line |= {key: median(values), f"{key}_low": low, f"{key}_high": high}
                yield line


CONTEST = Overhead()

if __name__ == "__main__":
    main(CONTEST)
