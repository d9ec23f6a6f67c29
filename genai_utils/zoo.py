"""Trained weights that ship with the package: safetensors files with a checksum, a model card and a recipe each."""

from __future__ import annotations

import csv
import difflib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from safetensors.torch import load as load_safetensors
from torch import nn

WEIGHTS = Path(__file__).with_name("weights")


@dataclass(frozen=True)
class Entry:
    """One shipped model, a row of weights/zoo.csv.

    builder: "module:function", called without arguments for the untrained model.  seconds: what the recipe in its card
    took, in CPU seconds of one core.
    """

    builder: str
    sha256: str
    seconds: float

    def build(self) -> nn.Module:
        """The model before its weights are loaded; its module is imported only now."""
        module, name = self.builder.split(":")
        build: Callable[[], nn.Module] = getattr(import_module(f"genai_utils.{module}"), name)
        return build()


def _entries() -> dict[str, Entry]:
    with (WEIGHTS / "zoo.csv").open(newline="", encoding="utf-8") as file:
        return {
            row["name"]: Entry(row["builder"], row["sha256"], float(row["seconds"])) for row in csv.DictReader(file)
        }


ENTRIES = _entries()
loaded: set[Path] = set()  # files that this process has read: the outputs of a notebook depend on them


def names() -> list[str]:
    """Names of the models that ``load`` knows."""
    return sorted(ENTRIES)


def load(name: str) -> nn.Module:
    """A trained model, in eval mode, on the CPU, in float32, with gradients off for its parameters.

    Raises: KeyError: unknown name.  FileNotFoundError: no weights.  ValueError: the file is not the one we shipped.
    """
    entry = _entry(name)
    model, file = entry.build(), WEIGHTS / f"{name}.safetensors"
    model.load_state_dict(load_safetensors(_verified(file, entry.sha256)))
    loaded.add(file)
    return model.eval().requires_grad_(False)


def seconds(name: str) -> float:
    """CPU seconds of one core that training the model took. Raises KeyError for an unknown name."""
    return _entry(name).seconds


def card(name: str) -> str:
    """The model card in Markdown: data, recipe, quality, licence, limits. Raises KeyError for an unknown name."""
    _entry(name)
    return (WEIGHTS / f"{name}.md").read_text(encoding="utf-8")


def _entry(name: str) -> Entry:
    if name not in ENTRIES:
        near = difflib.get_close_matches(name, ENTRIES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names())}"
        raise KeyError(f"no model named {name!r} in the zoo; {hint}")
    return ENTRIES[name]


def _verified(path: Path, expected: str) -> bytes:
    if not path.is_file():
        raise FileNotFoundError(f"weights {path} are missing; reinstall genai-utils")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ValueError(f"weights {path} have sha256 {found}, expected {expected}; reinstall genai-utils")
    return content
