"""Train GPTs of several sizes for several numbers of steps, and with other choices; write records/scaling.csv.

Usage: OMP_NUM_THREADS=1 python tools/measure_scaling.py [--seeds 0 1] [--output FILE]
All learn from the seven plays that ship with the course and are judged on every fourth stretch of Macbeth. The longest
runs see as many characters as the plays have. Same seed, one thread and the same kind of CPU give the same losses.
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, fields, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import AdamW, Optimizer

from genai_utils import Run
from genai_utils.data.text import shakespeare
from genai_utils.models import gpt
from genai_utils.records.scaling import TABLE, Row
from genai_utils.run import schedule

CONTEXT, BATCH = 64, 32
SIZES = {"small": (2, 2, 32), "medium": (3, 4, 64), "large": (4, 4, 96)}  # layers, heads, width
STEPS = (60, 160, 430)
# Rates to try, of matrices without Muon and of the whole GPT-2, so that nothing wins by the choice of a rate.
RATES = {"AdamW": (1e-3, 3e-3, 1e-2, 3e-2, 1e-1), "GPT-2": (1e-3, 2e-3, 3e-3, 6e-3, 1e-2, 3e-2)}
CHOICES = ("learned positions", "no positions", "LayerNorm", "GELU", "no QK-norm", "GPT-2 start")
VARIANTS = (*CHOICES, *(f"{name} {rate}" for name, rates in RATES.items() for rate in rates))


def config_of(variant: str, config: gpt.Config) -> gpt.Config:
    """The configuration with the one choice that a variant changes ("GPT-2 …": with all of that model's choices)."""
    choices = {
        "learned positions": replace(config, positions="learned"),
        "no positions": replace(config, positions="none"),
        "LayerNorm": replace(config, norm="layer"),
        "GELU": replace(config, activation="gelu"),
        "no QK-norm": replace(config, qk_norm=False),
        "GPT-2 start": replace(config, init="gpt2"),
    }
    if _rate(variant, "GPT-2"):
        return gpt.gpt2_config(config)
    return choices.get(variant, config)


def _rate(variant: str, name: str) -> float:
    """The rate of a variant of this name that has one; 0 for the others."""
    kind, _, rate = variant.rpartition(" ")
    return float(rate) if kind == name and variant in VARIANTS and variant not in CHOICES else 0.0


def optimizers_of(variant: str, model: gpt.GPT) -> list[Optimizer]:
    """Muon and AdamW, or AdamW alone where the variant names its rate: of the matrices, or of all in a GPT-2."""
    if rate := _rate(variant, "GPT-2"):
        return [AdamW(model.parameters(), lr=rate, betas=(0.9, 0.95), weight_decay=0.0)]
    if not (rate := _rate(variant, "AdamW")):
        return list(gpt.optimizers(model))
    matrices = list(model.blocks.parameters())
    rest = [p for p in model.parameters() if not any(p is matrix for matrix in matrices)]
    groups = [{"params": matrices, "lr": rate}, {"params": rest, "lr": 4e-3}]
    return [AdamW(groups, betas=(0.9, 0.95), weight_decay=0.0)]


def train(model: gpt.GPT, optimizers: list[Optimizer], text: Tensor, steps: int, seed: int) -> nn.Module:
    """Train on windows of the text, (n,) numbers of characters."""
    run = Run(steps, seed=seed, progress=False)
    rates = [schedule(optimizer, steps) for optimizer in optimizers]
    ready, *rest = run.setup(model, *optimizers, *rates)
    optimizers, rates = rest[: len(optimizers)], rest[len(optimizers) :]
    for window in run.batches(gpt.windows(text, CONTEXT + 1), batch_size=BATCH):
        run.step(optimizers, cross_entropy(ready(window[:, :-1]).flatten(0, 1), window[:, 1:].flatten()))
        for rate in rates:
            rate.step()
    return ready


@torch.no_grad()
def bits(model: nn.Module, text: Tensor) -> float:
    """Bits a character on the second half of every fourth half-overlapping window: at least 32 characters of past."""
    device = next(model.parameters()).device
    asked = gpt.windows(text.to(device), CONTEXT + 1)[:: 2 * CONTEXT]
    nats = [
        cross_entropy(model(rows[:, :-1])[:, CONTEXT // 2 :].flatten(0, 1), rows[:, CONTEXT // 2 + 1 :].flatten())
        * len(rows)
        for rows in asked.split(64)
    ]
    return float(torch.stack(nats).sum() / len(asked)) / math.log(2)


def measure(size: str, variant: str, steps: int, seed: int, train_text: Tensor, test_text: Tensor) -> Row:
    """Train and judge one model."""
    torch.manual_seed(seed)
    layers, heads, width = SIZES[size]
    vocabulary = int(torch.cat([train_text, test_text]).max()) + 1
    config = config_of(variant, gpt.Config(vocabulary, CONTEXT, layers, heads, width))
    model, start = gpt.GPT(config), time.process_time()
    judged = train(model, optimizers_of(variant, model), train_text, steps, seed)
    seconds, tokens = time.process_time() - start, steps * BATCH * CONTEXT
    parameters = sum(p.numel() for p in model.parameters())
    flops = 3 * gpt.forward_flops(config) * tokens
    value = round(bits(judged, test_text), 4)
    return Row(size, variant, layers, width, parameters, steps, tokens, flops, seed, value, round(seconds, 1))


def plan(seeds: list[int]) -> Iterator[tuple[str, str, int, int]]:
    """Size, variant, steps and seed of each run: the grid, then the variants of the middle of it."""
    for seed in seeds:
        yield from ((size, "ours", steps, seed) for size in SIZES for steps in STEPS)
        yield from (("medium", variant, STEPS[1], seed) for variant in VARIANTS)


def main() -> None:
    """Run all and write the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--output", type=Path, default=TABLE)
    args = parser.parse_args()
    torch.set_num_threads(1)
    texts = shakespeare("train"), shakespeare("validation")
    number = {character: i for i, character in enumerate(sorted(set("".join(texts))))}
    train_text, test_text = (torch.tensor([number[character] for character in text]) for text in texts)
    with args.output.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        table.writeheader()
        for size, variant, steps, seed in plan(args.seeds):
            row = measure(size, variant, steps, seed, train_text, test_text)
            table.writerow(asdict(row))
            file.flush()
            print(row, flush=True)


if __name__ == "__main__":
    main()
