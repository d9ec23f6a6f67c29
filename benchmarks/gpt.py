"""How fast does a small GPT learn Shakespeare's characters on one core? Ours against nanoGPT's documented CPU recipe.

    OMP_NUM_THREADS=1 python benchmarks/gpt.py --seeds 3        # goes on where it stopped

All see characters 64 at a time, out of the seven plays that ship with the course, and are judged alike: mean
cross-entropy of every character of Macbeth but the first, read in pieces of 64. The peer takes its 2,000 iterations;
ours then gets a quarter of the CPU time that the peer took with that seed, and the same time (of the process, without
the evaluation). The rate falls to zero at the end of a run, so each time is a run of its own.
Last, writing with and without a cache of keys and values.
Result: benchmarks/results/gpt.json, written after every run; runs that it holds already are not repeated.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from record import read, write
from torch import Tensor, nn
from torch.nn import functional as F

from genai_utils.data import text
from genai_utils.models import gpt
from genai_utils.models.sampling import Decoding, generate
from genai_utils.session import precision

RESULT = Path(__file__).with_name("results") / "gpt.json"
CONTEXT = 64
PEER_STEPS = 2_000
MEASURED = ("validation", "training", "core_seconds", "steps", "ms_per_step", "characters", "parameters")
LENGTHS = (64, 128, 256, 512)  # tokens to write


class Recipe(ABC):
    """A model and what happens to it on one batch."""

    batch: int
    model: nn.Module

    @abstractmethod
    def __init__(self, vocabulary: int) -> None:
        """Make model and optimizers."""

    def windows(self, tokens: Tensor, chance: torch.Generator) -> Iterator[Tensor]:
        """Passages of 65 characters of a text (n,), without end, each (batch, 65): drawn with replacement."""
        rows = gpt.windows(tokens, CONTEXT + 1)
        while True:
            yield rows[torch.randint(len(rows), (self.batch,), generator=chance)]

    @abstractmethod
    def step(self, window: Tensor, share: float) -> None:
        """One update. window: (batch, 65) characters; share: how much of the run is done, 0 to 1."""


class NanoGPT(Recipe):
    """The run that nanoGPT's README gives for a computer without a GPU.

    4 layers of 4 heads, width 128, 12 passages of 64 characters, AdamW 1e-3 to 1e-4 by a cosine, 100 iterations of
    warm-up, betas (.9, .99), decay .1, gradients cut at norm 1, no dropout, float32, not compiled. Written anew.
    """

    batch = 12

    def __init__(self, vocabulary: int) -> None:
        self.model = NanoGPTModel(vocabulary)
        self.parameters = list(self.model.parameters())
        decayed = [p for p in self.parameters if p.dim() >= 2]
        rest = [p for p in self.parameters if p.dim() < 2]
        groups = [{"params": decayed, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, 1e-3, betas=(0.9, 0.99))

    def step(self, window: Tensor, share: float) -> None:
        """Down the gradient, by the rate that is due."""
        warm_up = 100 / PEER_STEPS
        cosine = 0.5 * (1 + math.cos(math.pi * (share - warm_up) / (1 - warm_up)))
        for group in self.optimizer.param_groups:
            group["lr"] = 1e-3 * share / warm_up if share < warm_up else 1e-4 + 9e-4 * cosine
        loss(self.model, window).backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()


class NanoGPTModel(nn.Module):
    """GPT-2 in small, without biases: learned places, layer norms, GELU, fused attention, tied embeddings."""

    def __init__(self, vocabulary: int, width: int = 128, layers: int = 4):
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(CONTEXT, width)
        self.blocks = nn.ModuleList(NanoGPTBlock(width) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width, bias=False), nn.Linear(width, vocabulary, bias=False)
        self.head.weight = self.tokens.weight
        for name, p in self.named_parameters():
            if p.dim() == 2:
                nn.init.normal_(p, std=0.02 / math.sqrt(2 * layers) if "out" in name else 0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, time) to logits (batch, time, vocabulary)."""
        x = self.tokens(tokens) + self.places(torch.arange(tokens.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


class NanoGPTBlock(nn.Module):
    """Attention with 4 heads and a perceptron, each on normalised input and added to it."""

    def __init__(self, width: int):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.up, self.mlp_out = nn.Linear(width, 4 * width, bias=False), nn.Linear(4 * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, width) to the same."""
        q, k, v = self.qkv(self.norm1(x)).unflatten(2, (3, 4, -1)).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).flatten(2))
        return x + self.mlp_out(F.gelu(self.up(self.norm2(x))))


class Ours(Recipe):
    """The GPT of the course with Muon and AdamW, bf16 where the processor has it; the rate falls in a line.

    Layer norms, since torch has them in one piece for CPUs and RMS norms not; three iterations in Muon instead of five.
    It reads the text in rounds, so that no passage waits while others come twice.
    """

    batch = 16
    rates = 0.02, 4e-3  # of Muon, of AdamW

    def __init__(self, vocabulary: int) -> None:
        self.model = gpt.GPT(gpt.Config(vocabulary, CONTEXT, norm="layer"))
        self.optimizers = gpt.optimizers(self.model, *self.rates, decay=0.1, iterations=3)

    def windows(self, tokens: Tensor, chance: torch.Generator) -> Iterator[Tensor]:
        """The whole text in passages side by side, shuffled; then again, cut at other places."""
        rows = gpt.windows(tokens, CONTEXT + 1)
        while True:
            side_by_side = rows[int(torch.randint(CONTEXT, (1,), generator=chance)) :: CONTEXT]
            for order in torch.randperm(len(side_by_side), generator=chance).split(self.batch):
                yield side_by_side[order]

    def step(self, window: Tensor, share: float) -> None:
        """Down the gradient, by the rates that are due."""
        for optimizer, rate in zip(self.optimizers, self.rates, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * min(1.0, (share + 1e-3) / 0.03, 0.02 + 0.98 * (1 - share) / 0.97)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision() == "bf16"):
            value = loss(self.model, window)
        self.model.zero_grad()
        value.backward()
        for optimizer in self.optimizers:
            optimizer.step()


def loss(model: nn.Module, window: Tensor) -> Tensor:
    """Mean cross-entropy, nats a character.  window: (batch, time + 1)."""
    return F.cross_entropy(model(window[:, :-1]).flatten(0, 1).float(), window[:, 1:].flatten())


# --- the contest ------------------------------------------------------------------------------------------------------

RECIPES: dict[str, tuple[str, Callable[[int], Recipe], float | None]] = {  # the last: share of the peer's CPU time
    "nanogpt": ("nanoGPT's CPU recipe, 2,000 iterations", NanoGPT, None),
    "ours-quarter": ("GPT of the course, a quarter of its time", Ours, 0.25),
    "ours": ("GPT of the course, the same time", Ours, 1.0),
}


def train(recipe: Recipe, tokens: Tensor, core_seconds: float | None, seed: int) -> tuple[int, float]:
    """Step until the CPU time is spent, or the peer's iterations are done.  Returns: steps, CPU seconds."""
    windows = recipe.windows(tokens, torch.Generator().manual_seed(seed))
    steps, share, start, spent = 0, 0.0, time.process_time(), 0.0
    while share < 1:
        recipe.step(next(windows), share)
        steps, spent = steps + 1, time.process_time() - start
        share = spent / core_seconds if core_seconds else steps / PEER_STEPS
    return steps, spent


@torch.no_grad()
def judge(model: nn.Module, tokens: Tensor) -> float:
    """Mean cross-entropy, nats a character, of a text (n,) in pieces of 64; a rest shorter than that is left out."""
    pieces = tokens[: (len(tokens) - 1) // CONTEXT * CONTEXT + 1].unfold(0, CONTEXT + 1, CONTEXT)
    return sum(float(loss(model, part)) * len(part) for part in pieces.split(256)) / len(pieces)


def contest(name: str, tokens: Tensor, test: Tensor, core_seconds: float | None, seed: int) -> dict[str, Any]:
    """One run of one recipe: what it cost and what it is worth."""
    torch.manual_seed(seed)
    recipe = RECIPES[name][1](len(text.shakespeare_alphabet()))
    steps, spent = train(recipe, tokens, core_seconds, seed)
    row = {"recipe": name, "seed": seed, "steps": steps, "core_seconds": round(spent, 1)}
    row |= {"ms_per_step": round(1000 * spent / steps, 2), "characters": steps * recipe.batch * CONTEXT}
    row |= {"parameters": sum(p.numel() for p in recipe.model.parameters())}
    row |= {"validation": judge(recipe.model, test), "training": judge(recipe.model, tokens[: len(test)])}
    print("  ".join(f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()), flush=True)
    return row


def budget(name: str, seed: int, rows: list[dict[str, Any]]) -> float | None:
    """CPU seconds that a recipe may take: a share of what the peer took with this seed."""
    share = RECIPES[name][2]
    peer = [row["core_seconds"] for row in rows if row["recipe"] == "nanogpt" and row["seed"] == seed]
    return None if share is None else share * peer[0]


def summary(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Per recipe: means over seeds, and by how many nats it is better than the peer, seed by seed."""
    peer = {row["seed"]: row for row in rows if row["recipe"] == "nanogpt"}
    table = {}
    for name, (words, *_) in RECIPES.items():
        mine = [row for row in rows if row["recipe"] == name]
        if mine:
            leads = [peer[row["seed"]]["validation"] - row["validation"] for row in mine]
            shares = [row["core_seconds"] / peer[row["seed"]]["core_seconds"] for row in mine]
            table[name] = {"words": words, "seeds": len(mine)}
            table[name] |= {key: statistics.fmean(row[key] for row in mine) for key in MEASURED}
            losses = [row["validation"] for row in mine]
            table[name] |= {"validation_sd": statistics.stdev(losses) if len(mine) > 1 else 0.0}
            table[name] |= {"better_by": statistics.fmean(leads), "share_of_time": statistics.fmean(shares)}
    return table


# --- writing ----------------------------------------------------------------------------------------------------------


def writing(length: int, repeats: int = 3) -> dict[str, Any]:
    """CPU seconds for `length` tokens after one, with a cache and without; the least of a few runs, in turns."""
    torch.manual_seed(0)
    model, start = gpt.GPT(gpt.Config(67, context=512)).eval(), torch.zeros(1, 1, dtype=torch.long)
    for parameter in model.parameters():  # untrained, a block copies its input, and no cache could do any harm
        nn.init.normal_(parameter, std=0.1 if parameter.dim() == 2 else 1.0)
    seconds: dict[bool, list[float]] = {True: [], False: []}
    texts = {}
    for cached in [True, False] * repeats:
        before = time.process_time()
        texts[cached] = generate(model, start, length, Decoding(), torch.Generator().manual_seed(0), cached)
        seconds[cached].append(time.process_time() - before)
    with_cache, without = min(seconds[True]), min(seconds[False])
    row = {"tokens": length, "cached_seconds": with_cache, "plain_seconds": without, "speed_up": without / with_cache}
    row |= {"same_tokens": torch.equal(texts[True], texts[False])}
    print("  ".join(f"{k} {v:.2f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()), flush=True)
    return row


def show(rows: list[dict[str, Any]]) -> None:
    """Print the table of recipes."""
    for entry in summary(rows).values():
        print(f"{entry['words']:<42} validation {entry['validation']:.3f} ± {entry['validation_sd']:.3f}", end="  ")
        print(f"training {entry['training']:.3f}  {entry['core_seconds']:.0f} s, {entry['share_of_time']:.2f} of it")
        print(f"        {entry['steps']:,.0f} steps of {entry['ms_per_step']:.1f} ms", end="  ")
        print(f"{entry['parameters']:,.0f} parameters  better by {entry['better_by']:.3f} nats")


def main() -> None:
    """Run the contest and write its result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--recipes", nargs="+", choices=list(RECIPES), default=list(RECIPES))
    parser.add_argument("--output", type=Path, default=RESULT)
    args = parser.parse_args()
    torch.set_num_threads(1)
    alphabet = text.shakespeare_alphabet()
    train_text, test = (text.encode(text.shakespeare(split), alphabet) for split in ("train", "validation"))
    known = read(args.output)
    rows, decoding = known["runs"], known.get("writing", [])
    done = {(row["recipe"], row["seed"]) for row in rows}
    for name, seed in ((n, s) for s in range(args.seeds) for n in args.recipes if (n, s) not in done):
        rows.append(contest(name, train_text, test, budget(name, seed, rows), seed))
        write(args.output, recipes=summary(rows), writing=decoding, runs=rows)
    decoding = decoding or [writing(length) for length in LENGTHS]
    write(args.output, recipes=summary(rows), writing=decoding, runs=rows)
    show(rows)


if __name__ == "__main__":
    main()
