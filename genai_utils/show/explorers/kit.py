"""What all explorers are: a widget whose script is the explorer's own and those it imports, in one text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from genai_utils.checks import between, one_of, whole

HERE = Path(__file__).parent
LARGE = 1e12  # no input of a page is larger
SYNCED = {"sync": True}  # the page hears of it
IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+)\.js";$', re.MULTILINE)


class Number(traitlets.Float):
    """A number that a reader may set, finite and within its range.  Raises: TypeError, ValueError: names the trait."""

    metadata = SYNCED

    def validate(self, obj: Any, value: Any) -> float:
        """The number, if it is one."""
        between(max(self.min, -LARGE), min(self.max, LARGE), **{self.name or "value": value})
        return float(value)


class Count(traitlets.Int):
    """A whole number of `min` or more.  Raises: TypeError, ValueError: names the trait."""

    metadata = SYNCED

    def validate(self, obj: Any, value: Any) -> int:
        """The number, if it is one."""
        whole(self.min, **{self.name or "value": value})
        return int(value)


class Choice(traitlets.Enum):
    """One of several words.  Raises: ValueError: names the trait and the nearest word."""

    metadata = SYNCED

    def validate(self, obj: Any, value: Any) -> Any:
        """The word, if it is one of them."""
        one_of(self.values or (), **{self.name or "value": value})
        return value


class Explorer(anywidget.AnyWidget):
    """A widget that computes and draws in the browser; `class PlayTheGame(Explorer, script="game")` runs game.js.

    A notebook takes one text, in which nothing can be imported: there kit.js, and what else the script imports, becomes
    a function that returns what is asked of it. On the site the files stay modules of their own.
    Raises: TypeError, ValueError: a trait that it does not have, or a value that the trait cannot take.
    """

    def __init_subclass__(cls, script: str | None = None, **more: Any) -> None:
        if script:
            cls._esm = _one_text(script)
            cls._css = "".join((HERE / name).read_text("utf-8") for name in ("kit.css", f"{script}.css"))
        super().__init_subclass__(**more)

    def __init__(self, **traits: Any) -> None:
        for name in traits:
            one_of([known for known in self.trait_names() if known[0] != "_"], trait=name)
        super().__init__(**traits)


def _one_text(script: str) -> str:
    """A script behind all that it imports, each once and before those that ask for it."""
    modules: dict[str, str] = {}

    def gather(name: str) -> None:
        text = (HERE / f"{name}.js").read_text("utf-8")
        for _, other in IMPORT.findall(text):
            if other not in modules:
                gather(other)
        modules[name] = text

    gather(script)
    asked: dict[str, set[str]] = {name: set() for name in modules}
    for names, other in IMPORT.findall("".join(modules.values())):
        asked[other].update(re.findall(r"\w+", names))
    called = {name: IMPORT.sub(r"const \1 = _\2;", text) for name, text in modules.items()}
    own = called.pop(script)
    return "".join(_function(name, text, asked[name]) for name, text in called.items()) + own


def _function(name: str, text: str, asked: set[str]) -> str:
    body = re.sub(r"^export ", "", text, flags=re.MULTILINE)
    return f"const _{name} = (() => {{\n{body}return {{ {', '.join(sorted(asked))} }};\n}})();\n"
