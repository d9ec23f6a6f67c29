"""What all recipes share: train, store, read back, judge what was stored, describe, and enter it into the catalogue.

One thread, a seed and a number of steps fix the weights, bit for bit on one kind of CPU.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import torch
from torch import nn

from genai_utils import zoo
from genai_utils.checks import between, one_of, share, whole
from genai_utils.data.files import verified
from genai_utils.metrics.samples import SampleReport
from genai_utils.records.table import markdown_table
from genai_utils.run import Run
from genai_utils.zoo import catalogue, storage

SEED = 0
FASHION = "the 60,000 training images of Fashion-MNIST (Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747, MIT licence)"

FACTS = """- **Size** {size:,} parameters, {form}. sha256 of the file:
  `{sha256}`.
- **Data** {data}.
- **Recipe** `python -m genai_utils.recipes {name} --steps {steps} --seed {seed}`
  ({seconds:,} s of CPU time on one core). Another kind of CPU rounds differently and gives other weights of the same
  quality.
- **Licence** {licence}."""

FORMS = {
    "float16": "stored in float16",
    "int8": "the matrices stored in eight bits a number with one scale a row",
}


@dataclass(frozen=True)
class Recipe:
    """How one shipped model is made and judged.

    model: its row of the catalogue, as far as it is known before training.  steps: of each run.  train: makes the
    model.  judge: from the model as stored, the numbers in its card.  card: Markdown with {facts} and those numbers by
    name.  data, licence: words for the facts.  form: how the weights are stored.
    """

    model: zoo.Entry
    steps: int
    train: Callable[[Job], nn.Module]
    judge: Callable[[Any], dict[str, Any]]
    card: str
    data: str = FASHION
    licence: str = "MIT, like the code of the course"
    form: storage.Form = "float16"

    def __post_init__(self) -> None:
        whole(1, steps=self.steps)
        one_of(storage.FORMS, form=self.form)


@dataclass
class Job:
    """One training by a recipe: hands out the untrained model, and runs that can go on where they stopped."""

    recipe: Recipe
    steps: int
    seed: int = SEED
    folder: Path | None = None  # of what ships and of checkpoints; without it none are written
    progress: bool = True
    runs: list[Run] = field(default_factory=list)

    def build(self) -> Any:
        """The untrained model; all chance that follows comes from the seed."""
        torch.manual_seed(self.seed)
        return self.recipe.model.build()

    def run(self) -> Run:
        """The next run of this training; most have one."""
        checkpoint = self.folder and self.folder / f"{self._stem}-{len(self.runs) + 1}.checkpoint"
        self.runs.append(Run(self.steps, seed=self.seed, checkpoint=checkpoint, progress=self.progress))
        return self.runs[-1]

    def checkpoints(self) -> list[Path]:
        """The files of this training, finished or not, in earlier processes too."""
        return sorted(self.folder.glob(f"{self._stem}-*.checkpoint")) if self.folder else []

    @property
    def main(self) -> bool:
        """Whether this process is the only one, or the first of several that train together."""
        return all(run.accelerator.is_main_process for run in self.runs)

    @property
    def seconds(self) -> int:
        """CPU seconds in the loops of all runs."""
        return round(sum(run.cpu_seconds for run in self.runs))

    @property
    def _stem(self) -> str:
        return f"{self.recipe.model.name}-steps{self.steps}-seed{self.seed}"


def planned(
    recipe: Recipe, steps: int | None = None, seed: int = SEED, resume: bool = False, out: Path = zoo.ROOT
) -> Job:
    """A training that may be shipped.

    Args: steps: default, those of the recipe.  resume: go on from the checkpoint of an interrupted training.
        out: folder that becomes a zoo of its own; by default the one of this package.
    Raises: ValueError: other weights would take the place of the shipped ones; or a checkpoint is there and `resume` is
        not set, or the other way round.
    """
    whole(1, steps=recipe.steps if steps is None else steps)
    whole(0, seed=seed)
    job, name = Job(recipe, recipe.steps if steps is None else steps, seed, out), recipe.model.name
    if out == zoo.ROOT and (job.steps, seed) != (recipe.steps, SEED):
        asked, shipped = f"{job.steps:,} steps, seed {seed}", f"{recipe.steps:,} steps, seed {SEED}"
        raise ValueError(f"{name} ships as trained with {shipped}, not {asked}; name another place with --out FOLDER")
    found = job.checkpoints()
    if found and not resume:
        raise ValueError(f"{found[-1]} holds an interrupted training; go on with --resume, or delete it")
    if resume and not found:
        raise ValueError(f"no checkpoint of {name} with these steps and seed in {out}; start without --resume")
    return job


def ship(job: Job) -> str:
    """Train a model and write weights, card and row of the catalogue, as they stand in the zoo.

    Returns: the card; of several processes (torchrun) the first writes and returns it, the others return "".
    """
    recipe, folder = job.recipe, job.folder or zoo.ROOT
    with _one_thread():
        model = recipe.train(job)
        if not job.main:
            return ""
        content = storage.packed(model.cpu().state_dict(), recipe.form)
        entry = replace(recipe.model, sha256=hashlib.sha256(content).hexdigest(), seconds=job.seconds)
        card = card_of(recipe, entry, content, job.steps, job.seed)
    _publish(folder, entry, content, card)
    for file in job.checkpoints():
        file.unlink()
    return card


def card_of(recipe: Recipe, entry: zoo.Entry, content: bytes, steps: int, seed: int) -> str:
    """The model card of stored weights, judged now.  content: of the file of weights."""
    model = entry.restored(content)
    facts = FACTS.format(
        size=sum(p.numel() for p in model.parameters()), form=FORMS[recipe.form], sha256=entry.sha256,
        data=recipe.data, name=entry.name, steps=steps, seed=seed, seconds=entry.seconds, licence=recipe.licence,
    )  # fmt: skip
    with torch.no_grad():
        return recipe.card.format(facts=facts, **recipe.judge(model))


def verify(recipe: Recipe) -> list[str]:
    """What the shipped weights and their card do not agree on, judged again: lines of the card, as stated and found.

    Raises: ValueError: the file is not the one in the catalogue.
    """
    entry = zoo.ENTRIES[recipe.model.name]
    content = verified(zoo.WEIGHTS / f"{entry.name}.safetensors", entry.sha256)
    with _one_thread():
        found = card_of(recipe, entry, content, recipe.steps, SEED)
    pairs = zip_longest(zoo.card(entry.name).splitlines(), found.splitlines(), fillvalue="")
    return [f"stated: {old}\nfound:  {new}" for old, new in pairs if not agree(old, new)]


def agree(stated: str, found: str, tolerance: float = 0.01) -> bool:
    """Whether two lines have the same words, and numbers that differ by no more than other rounding explains."""
    share("[0, 1]", tolerance=tolerance)
    number = r"\d[\d,]*\.\d+"  # counts, steps and hashes must be the same
    if re.sub(number, "#", stated) != re.sub(number, "#", found):
        return False
    pairs = zip(re.findall(number, stated), re.findall(number, found), strict=True)
    values = [(float(a.replace(",", "")), float(b.replace(",", ""))) for a, b in pairs]
    return all(abs(a - b) <= tolerance * max(a, b) for a, b in values)


def report_table(report: SampleReport) -> str:
    """All sample metrics as a Markdown table."""
    return markdown_table(report.header(), report.rows())


def cut_gradients(optimizer: torch.optim.Optimizer, norm: float) -> None:
    """Before each step of the optimizer, shorten its gradient to a norm where it is longer, against rare jumps."""
    between(0, torch.inf, norm=norm)
    parameters = [p for group in optimizer.param_groups for p in group["params"]]

    def cut(*_: Any) -> None:
        nn.utils.clip_grad_norm_(parameters, norm)

    optimizer.register_step_pre_hook(cut)


def _publish(folder: Path, entry: zoo.Entry, content: bytes, card: str) -> None:
    """Write the three files; each is replaced whole, the catalogue last."""
    table, weights = folder / "catalogue.csv", folder / "weights"
    rows = catalogue.entries(table) | {entry.name: entry}
    weights.mkdir(parents=True, exist_ok=True)
    _replace(weights / f"{entry.name}.safetensors", content)
    _replace(weights / f"{entry.name}.md", card.encode())
    _replace(table, catalogue.as_csv(rows.values()).encode())


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(f"{path.name}.part")
    partial.write_bytes(content)
    os.replace(partial, path)


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
