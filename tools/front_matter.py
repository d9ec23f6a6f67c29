"""What a machine must know of a chapter, said at the head of its text in one line of YAML."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any

from tools.strict_yaml import LineError, load

HEAD = re.compile(r"---\n(.*?)^---\n+", re.DOTALL | re.MULTILINE)
BUDGETS = ("cpu", "gpu")


@dataclass(frozen=True)
class FrontMatter:
    """`genai: {budget: cpu, seconds: 90, memory_mb: 2048, live: false, fold: false}`: what is not said is as here.

    budget: of the stored run, cpu or gpu.  seconds, memory_mb: the most that this run may take.  live: it has sliders,
    which answer where there is a kernel.  fold: the site folds all its code, for readers who came for the answer.
    Raises: ValueError: a value of another kind.
    """

    budget: str = "cpu"
    seconds: int = 90
    memory_mb: int = 2048
    live: bool = False
    fold: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not type(field.default):
                raise ValueError(f"{field.name} takes a value like {field.default!r}, got {value!r}")
        if self.budget not in BUDGETS:
            raise ValueError(f"budget is {' or '.join(BUDGETS)}, got {self.budget!r}")
        if min(self.seconds, self.memory_mb) < 1:
            raise ValueError(f"seconds and memory_mb are at least 1, got {self.seconds} and {self.memory_mb}")


def parted(text: str) -> tuple[FrontMatter, str]:
    """Part a chapter into its front matter, which may be left out, and what follows it.

    Raises: ValueError: no YAML, or a key or value that it does not have; names the line.
    """
    head = HEAD.match(text)
    if not head and text.lstrip("\ufeff\n ").startswith("---"):
        raise LineError(1, "it begins and ends with a line of three dashes and nothing else, the first of the file")
    said = load(f"\n{head[1]}") if head else {}  # below the dashes
    try:
        return FrontMatter(**_keys(said)), text[head.end() :] if head else text
    except ValueError as error:
        raise LineError(getattr(said, "line", 2), str(error)) from error


def _keys(said: Any) -> dict[str, Any]:
    """The mapping under `genai`; jupytext, where an author lets it pair files, writes another one under `jupyter`."""
    if not isinstance(said, dict) or not set(said) <= {"genai", "jupyter"}:
        raise ValueError(f"it is one mapping named genai, got {said!r}")
    given, known = said.get("genai") or {}, [field.name for field in fields(FrontMatter)]
    if not isinstance(given, dict):
        raise ValueError(f"genai takes {{key: value, ...}}, got {given!r}")
    if unknown := [key for key in given if key not in known]:
        raise ValueError(f"genai has no {unknown[0]!r}; it has {', '.join(known)}")
    return given
