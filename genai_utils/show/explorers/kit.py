"""What all explorers are: a widget whose script is `kit.js` and the explorer's own in one text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from genai_utils.checks import between, one_of, whole

HERE = Path(__file__).parent
LARGE = 1e12  # no input of a page is larger
IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./kit\.js";$', re.MULTILINE)


class Number(traitlets.Float):
    """A number that a reader may set, finite and within its range.  Raises: TypeError, ValueError: names the trait."""

    def validate(self, obj: Any, value: Any) -> float:
        """The number, if it is one."""
        between(max(self.min, -LARGE), min(self.max, LARGE), **{self.name or "value": value})
        return float(value)


class Count(traitlets.Int):
    """A whole number of `min` or more.  Raises: TypeError, ValueError: names the trait."""

    def validate(self, obj: Any, value: Any) -> int:
        """The number, if it is one."""
        whole(self.min, **{self.name or "value": value})
        return int(value)


class Choice(traitlets.Enum):
    """One of several words.  Raises: ValueError: names the trait and the nearest word."""

    def validate(self, obj: Any, value: Any) -> Any:
        """The word, if it is one of them."""
        one_of(self.values or (), **{self.name or "value": value})
        return value


class Explorer(anywidget.AnyWidget):
    """A widget that computes and draws in the browser; `class PlayTheGame(Explorer, script="game")` runs game.js.

    A notebook takes one text, in which nothing can be imported: there kit.js becomes a function that returns what is
    asked of it. On the site the two files stay modules of their own.
    Raises: TypeError, ValueError: a trait that it does not have, or a value that the trait cannot take.
    """

    def __init_subclass__(cls, script: str | None = None, **more: Any) -> None:
        if script:
            cls._esm = IMPORT.sub(_called, (HERE / f"{script}.js").read_text("utf-8"))
            cls._css = "".join((HERE / name).read_text("utf-8") for name in ("kit.css", f"{script}.css"))
        super().__init_subclass__(**more)

    def __init__(self, **traits: Any) -> None:
        for name in traits:
            one_of([known for known in self.trait_names() if known[0] != "_"], trait=name)
        super().__init__(**traits)


def _called(names: re.Match[str]) -> str:
    kit = re.sub(r"^export ", "", (HERE / "kit.js").read_text("utf-8"), flags=re.MULTILINE)
    return f"const {names[1]} = (() => {{\n{kit}return {names[1]};\n}})();"
