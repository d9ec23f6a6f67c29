"""What all explorers are: a widget whose script is `kit.js` and the explorer's own in one text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import anywidget

HERE = Path(__file__).parent
IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./kit\.js";$', re.MULTILINE)


class Explorer(anywidget.AnyWidget):
    """A widget that computes and draws in the browser; `class PlayTheGame(Explorer, script="game")` runs game.js.

    A notebook takes one text, in which nothing can be imported: there kit.js becomes a function that returns what is
    asked of it. On the site the two files stay modules of their own.
    """

    def __init_subclass__(cls, script: str | None = None, **more: Any) -> None:
        if script:
            cls._esm = IMPORT.sub(_called, (HERE / f"{script}.js").read_text("utf-8"))
            cls._css = "".join((HERE / name).read_text("utf-8") for name in ("kit.css", f"{script}.css"))
        super().__init_subclass__(**more)


def _called(names: re.Match[str]) -> str:
    kit = re.sub(r"^export ", "", (HERE / "kit.js").read_text("utf-8"), flags=re.MULTILINE)
    return f"const {names[1]} = (() => {{\n{kit}return {names[1]};\n}})();"
