"""Trained weights that ship with the package: safetensors files with a checksum, a model card and a recipe each."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from importlib import import_module
from pathlib import Path

from torch import nn

from genai_utils.checks import as_hinted, of_type, one_of
from genai_utils.data.files import verified
from genai_utils.records.table import from_csv
from genai_utils.records.used import note
from genai_utils.zoo.storage import unpacked

ROOT = Path(__file__).parent
TABLE = ROOT / "catalogue.csv"
WEIGHTS = ROOT / "weights"


@dataclass(frozen=True)
class Entry:
    """One model, a row of catalogue.csv.

    builder: "module:class" below genai_utils.  arguments: what it is called with, in JSON; a list of arguments stands
    for a list of such models.  sha256: of its file.  seconds: what training took, in CPU seconds of one core.
    Raises: ValueError: the builder or the arguments are not so written.  TypeError: another type.
    """

    name: str
    builder: str
    arguments: str = "{}"
    sha256: str = ""
    seconds: int = 0

    def __post_init__(self) -> None:
        as_hinted(self)
        if not re.fullmatch(r"[\w.]+:\w+", self.builder):
            raise ValueError(f"model {self.name} has {self.builder!r} as builder; write module:class")
        try:
            arguments = json.loads(self.arguments)
        except json.JSONDecodeError as error:
            raise ValueError(f"model {self.name} has arguments that are no JSON: {error}") from error
        if not all(isinstance(each, dict) for each in (arguments if isinstance(arguments, list) else [arguments])):
            raise ValueError(
                f'model {self.name} has the arguments {arguments}; write {{"name": value}} or a list of such'
            )

    def build(self) -> nn.Module:
        """The model before its weights are loaded; its module is imported only now."""
        module, name = self.builder.split(":")
        make: Callable[..., nn.Module] = getattr(import_module(f"genai_utils.{module}"), name)
        arguments = json.loads(self.arguments)
        if isinstance(arguments, list):
            return nn.ModuleList([make(**each) for each in arguments])
        return make(**arguments)

    def restored(self, content: bytes) -> nn.Module:
        """The model with the weights of a file's content, in eval mode, in float32, gradients off.

        Raises: TypeError, ValueError: no such content, or weights of another model.
        """
        model, weights = self.build(), unpacked(content)
        try:
            model.load_state_dict(weights)
        except RuntimeError as error:
            raise ValueError(f"content holds weights of another model than {self.name}: {error}") from error
        return model.eval().requires_grad_(False)


def entries(table: Path = TABLE) -> dict[str, Entry]:
    """The rows of a catalogue by name; none if there is no such file."""
    of_type(Path, table=table)
    return {entry.name: entry for entry in from_csv(Entry, table, "name")} if table.exists() else {}


def as_csv(rows: Iterable[Entry]) -> str:
    """The text of a catalogue, sorted by name."""
    of_type(Iterable, rows=rows)
    rows = list(rows)
    of_type(Entry, **{f"rows[{i}]": row for i, row in enumerate(rows)})
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Entry)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(entry) for entry in sorted(rows, key=lambda entry: entry.name))
    return text.getvalue()


ENTRIES = entries()


def names() -> list[str]:
    """Names of the models that ``load`` knows."""
    return sorted(ENTRIES)


def build(name: str) -> nn.Module:
    """The untrained model of a shape that ships.  Raises: ValueError: unknown name; names the nearest."""
    return _entry(name).build()


def load(name: str) -> nn.Module:
    """A trained model, in eval mode, on the CPU, in float32, with gradients off for its parameters.

    Raises: ValueError: unknown name, or the file is not the one we shipped.  FileNotFoundError: no weights.
    """
    entry, file = _entry(name), WEIGHTS / f"{name}.safetensors"
    model = entry.restored(verified(file, entry.sha256))
    note(TABLE, name=name)  # the row holds the hash of the weights
    return model


def seconds(name: str) -> float:
    """CPU seconds of one core that training the model took. Raises ValueError for an unknown name."""
    entry = _entry(name)
    note(TABLE, "seconds", name=name)
    return entry.seconds


def card(name: str) -> str:
    """The model card in Markdown: data, recipe, quality, licence, limits. Raises ValueError for an unknown name."""
    _entry(name)
    note(file := WEIGHTS / f"{name}.md")
    return file.read_text(encoding="utf-8")


def _entry(name: str) -> Entry:
    one_of(names(), name=name)
    return ENTRIES[name]
