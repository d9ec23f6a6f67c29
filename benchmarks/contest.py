"""A contest of recipes at equal cost: each in turn, several seeds, one judge, and a file that holds what was found.

A benchmark says what is particular to it, its recipes and its judge. The command line is the same for all:

    OMP_NUM_THREADS=1 python benchmarks/NAME.py [--core-seconds 50 200] [--seeds 3] [--recipes NAME ...] [--output FILE]

Recipes take turns within a seed, so that a busy machine is fair to all. A run costs the CPU time of the process from
the making of its recipe to the last step; the judge's time is not counted. A rate that falls to zero at the end makes
the budget a part of a recipe, so each budget has runs of its own. The file, benchmarks/results/NAME.json, is written
after every run, and runs that it holds are not repeated.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import platform
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch
from torch import Tensor, nn

from genai_utils.device import precision, processor

RESULTS = Path(__file__).with_name("results")
Row = dict[str, Any]


class Recipe(ABC):
    """Networks, their optimizers, and what happens to them on one batch."""

    batch: int
    iterations = math.inf  # that a run ends after, whatever they cost

    @abstractmethod
    def __init__(self, data: Tensor, budget: float) -> None:
        """Make networks and optimizers.  data: what they will learn from, (n, ...); budget: of the run."""

    def batches(self, data: Tensor, chance: torch.Generator) -> Iterator[Tensor]:
        """Batches of the data, reshuffled every epoch, without end: each (batch, ...)."""
        while True:
            for rows in torch.randperm(len(data), generator=chance).split(self.batch):
                yield data[rows]

    @abstractmethod
    def step(self, x: Tensor, share: float) -> None:
        """One update.  x: (batch, ...); share: how much of the run is done, 0 to 1."""


def bf16() -> torch.autocast:
    """A block in bf16, where the processor multiplies it natively."""
    return torch.autocast("cpu", torch.bfloat16, enabled=precision() == "bf16")


def descend(
    optimizer: torch.optim.Optimizer, loss: Tensor, inputs: list[nn.Parameter] | None = None, norm: float | None = None
) -> None:
    """One step down the gradient; if asked, computed for these inputs alone, or cut to a norm where it is longer."""
    optimizer.zero_grad()
    loss.backward(inputs=inputs)
    if norm:
        nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], norm)
    optimizer.step()


class Contest(ABC):
    """Recipes, the data that they learn from, the judge of what they have learned, and how to show it."""

    name: str  # of the file
    recipes: dict[str, tuple[str, type[Recipe]]]  # in words, and how to make it
    against = "ours"  # the recipe to compare with
    twins: dict[str, str] = {}  # a recipe, and the one of the same networks, whose steps it gets: a fair time anywhere
    budgets: tuple[float, ...]
    unit = "core seconds"  # of the budgets
    columns: dict[str, str]  # of the table, each a format of what `summary` returns
    data: Tensor

    @abstractmethod
    def load(self) -> None:
        """Read the data, and what the judge needs."""

    @abstractmethod
    def judge(self, recipe: Any) -> Row:
        """What a recipe has learned, in numbers."""

    def once(self) -> Row:
        """What is measured once, beside the runs: the settings of the judge and (anchors) what simple things score."""
        return {}

    def allowed(self, name: str, budget: float, seed: int, runs: list[Row]) -> float:
        """CPU seconds that a recipe may spend, after these runs."""
        return budget

    def steps(self, name: str, budget: float, runs: list[Row]) -> float:
        """Steps that end a run of a recipe instead of seconds: as many as its twin took in that time, in the mean."""
        pace = [row["steps"] / row["budget"] for row in runs if row["recipe"] == self.twins.get(name)]
        return round(budget * fmean(pace)) if pace else math.inf

    def run(self, name: str, budget: float, seed: int, runs: list[Row]) -> Row:
        """One run of one recipe: what it cost and what it is worth."""
        torch.manual_seed(seed)
        due = self.steps(name, budget, runs)
        allowed = self.allowed(name, budget, seed, runs) if due == math.inf else math.inf
        start = time.process_time()
        recipe = self.recipes[name][1](self.data, budget)
        batches, steps, share = recipe.batches(self.data, torch.Generator().manual_seed(seed)), 0, 0.0
        while share < 1:
            recipe.step(next(batches), share)
            steps, spent = steps + 1, time.process_time() - start
            share = max(spent / allowed, steps / min(recipe.iterations, due))
        cost = {"steps": steps, "core_seconds": round(spent, 1), "ms_per_step": round(1000 * spent / steps, 2)}
        return {"recipe": name, "seed": seed, "budget": budget} | cost | self.judge(recipe)

    def tables(self, found: Row) -> dict[str, str]:
        """What was found as Markdown, by the name of the table."""
        forms = {"recipe": "{recipe}", self.unit: "{budget:,g}", "seeds": "{seeds}"} | self.columns
        forms |= {"steps": "{steps:,.0f}", "ms a step": "{ms_per_step:,.1f}"}
        rows = [{"recipe": words} | line for words, line in self.lines(found)]
        return {self.name: f"{markdown(forms, rows)}\n\n{self.made(found)}"}

    def made(self, found: Row) -> str:
        """When and where the runs were made, and which of them later or elsewhere."""
        form = "on {date}: {hardware}; Python {python}, torch {torch}."
        later: dict[str, dict[str, None]] = {}
        for row in (row for row in found["runs"] if "made" in row):
            later.setdefault(form.format_map(row["made"]), {})[f'"{self.recipes[row["recipe"]][0]}"'] = None
        said = [f"{', '.join(names)} {place}" for place, names in later.items()]
        return " ".join([f"Measured {form.format_map(found['made'])}", *said])

    def lines(self, found: Row) -> Iterator[tuple[str, dict[str, float]]]:
        """In words and in numbers, the recipes at each budget and then what simple things score."""
        for budget in sorted({row["budget"] for row in found["runs"]}):
            here = [row for row in found["runs"] if row["budget"] == budget]
            runs = {name: [row for row in here if row["recipe"] == name] for name in self.recipes}
            yield from ((self.recipes[name][0], summary(runs[name], runs[self.against])) for name in runs if runs[name])
        yield from ((f"*{name}*", summary([scores], [])) for name, scores in found.get("anchors", {}).items())


def main(contest: Contest, arguments: list[str] | None = None) -> None:
    """Run what the file does not hold yet, write it, and print the tables."""
    options = _options(contest, arguments)
    torch.set_num_threads(1)
    contest.load()
    made, known = _made(), json.loads(options.output.read_text(encoding="utf-8")) if options.output.exists() else None
    found = known or {"made": made, **contest.once(), "runs": []}
    done = {(row["budget"], row["seed"], row["recipe"]) for row in found["runs"]}
    for budget, seed, name in itertools.product(options.budgets, range(options.seeds), options.recipes):
        if (budget, seed, name) not in done:
            run = contest.run(name, budget, seed, found["runs"])
            found["runs"].append(run if made == found["made"] else run | {"made": made})
            print(found["runs"][-1], flush=True)
            options.output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(*contest.tables(found).values(), sep="\n\n")


def _options(contest: Contest, arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=f"The contest {contest.name}; it goes on where it stopped.")
    budgets = f"--{contest.unit.replace(' ', '-')}"
    parser.add_argument(budgets, type=float, nargs="+", default=contest.budgets, dest="budgets")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--recipes", nargs="+", choices=list(contest.recipes), default=list(contest.recipes))
    parser.add_argument("--output", type=Path, default=RESULTS / f"{contest.name}.json")
    return parser.parse_args(arguments)


def _made() -> Row:
    hardware = f"{processor()}, 1 thread used, {precision()}"
    versions = {"python": platform.python_version(), "torch": str(torch.__version__)}
    return {"date": date.today().isoformat(), "hardware": hardware} | versions


def summary(runs: list[Row], reference: list[Row]) -> dict[str, float]:
    """The mean over the seeds of everything measured; with a word at the end of its name, more.

    `_sd`: standard deviation, nan for one seed; `_least` of all seeds; with the runs of a reference that have the same
    seeds, `_ratio` (reference over this) and `_lead` (by how much this is lower).
    """
    known = {row["seed"]: row for row in reference}
    both = [(known[row["seed"]], row) for row in runs if row.get("seed") in known]
    found: dict[str, float] = {"seeds": len(runs)} if "seed" in runs[0] else {}
    for key in (key for key, value in runs[0].items() if isinstance(value, int | float)):
        values = [row[key] for row in runs]
        found |= {key: fmean(values), f"{key}_least": min(values)}
        found |= {f"{key}_sd": stdev(values) if len(values) > 1 else math.nan}
        if both:
            theirs, ours = (fmean(row[key] for row in side) for side in zip(*both, strict=True))
            found |= {f"{key}_lead": theirs - ours, f"{key}_ratio": theirs / ours if ours else math.nan}
    return found


def markdown(columns: dict[str, str], rows: Iterable[Row]) -> str:
    """A table, from a format for each column; empty where a row lacks what it asks for."""
    cells = [list(columns), *([_cell(form, row) for form in columns.values()] for row in rows)]
    head, *lines = (f"| {' | '.join(line)} |" for line in cells)
    return "\n".join([head, "|" + "---|" * len(columns), *lines])


def _cell(form: str, row: Row) -> str:
    try:
        return form.format_map(row).replace(" ± nan", "")
    except KeyError:
        return ""


def cpu_seconds(*works: Callable[[], object], repeats: int = 3) -> list[float]:
    """CPU seconds of each work, the least of some runs, in turns."""
    times: list[list[float]] = [[] for _ in works]
    for work, mine in list(zip(works, times, strict=True)) * repeats:
        start = time.process_time()
        work()
        mine.append(time.process_time() - start)
    return [min(mine) for mine in times]
