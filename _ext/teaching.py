"""How long a chapter takes in class: a table from the words, cells and exercises of each section, and from its run."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from tools.contents import contents

WORDS, CELL, EXERCISE = 140, 1.0, 15.0  # words read in a minute; minutes for a cell that is open, and for an exercise
SHUT = {"setup", "hide-cell", "hide-input", "remove-cell"}  # tags of cells that nobody reads in class
FORMULA = re.compile(r"\$\$.*?\$\$", re.DOTALL)
HEADING = re.compile(r"^##? (.+)$", re.MULTILINE)
EXERCISES = re.compile(r"^> \*\*Exercise \d+", re.MULTILINE)


@dataclass
class Section:
    """A part of a chapter below one heading."""

    title: str
    words: int = 0
    cells: int = 0
    exercises: int = 0

    @property
    def minutes(self) -> float:
        """To read it and its open cells; exercises are counted apart."""
        return self.words / WORDS + self.cells * CELL


@dataclass
class Lesson:
    """What a chapter takes."""

    name: str
    title: str
    run_seconds: float
    sections: list[Section] = field(default_factory=list)

    @property
    def minutes(self) -> float:
        """To read it whole."""
        return sum(section.minutes for section in self.sections)

    @property
    def exercise_minutes(self) -> float:
        """To do all exercises."""
        return EXERCISE * sum(section.exercises for section in self.sections)


def lesson(path: Path) -> Lesson:
    """Read a notebook."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    sections = list(_sections(notebook["cells"]))
    seconds = notebook["metadata"].get("genai", {}).get("seconds", 0.0)
    return Lesson(path.stem, sections[0].title, seconds, sections)


def _sections(cells: Iterable[dict[str, Any]]) -> Iterator[Section]:
    """Cut a chapter at its headings of the first two levels; what stands before the second belongs to the title."""
    section = Section("")
    for cell in cells:
        if cell["cell_type"] == "code":
            section.cells += not SHUT & set(cell["metadata"].get("tags", []))
            continue
        before, *rest = HEADING.split(FORMULA.sub(" ", "".join(cell["source"])))
        _count(section, before)
        for title, text in zip(rest[::2], rest[1::2], strict=True):
            if section.title:
                yield section
            section = Section(title)
            _count(section, text)
    yield section


def _count(section: Section, text: str) -> None:
    section.words += len(text.split())
    section.exercises += len(EXERCISES.findall(text))


class LessonTimes(SphinxDirective):
    """`{lesson-times}`: a row a chapter, with its sections folded."""

    def run(self) -> list[nodes.Node]:
        """Render from the notebooks as they are stored."""
        root = Path(self.env.srcdir)
        paths = [root / "notebooks" / f"{name}.ipynb" for name in contents(root)]
        for path in paths:
            self.env.note_dependency(path.relative_to(root).as_posix())
        up = "../" * self.env.docname.count("/")
        rows = "".join(row(lesson(path), up) for path in paths)
        head = "".join(f'<th scope="col">{name}</th>' for name in ("Chapter", "To read", "To do", "To run"))
        table = f'<table class="lessons"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        return [nodes.raw("", f'<div class="ledger">{table}</div>', format="html")]


def row(lesson: Lesson, up: str) -> str:
    """One chapter; pressed, its sections."""
    parts = "".join(f"<li>{_plain(section.title)}: {section.minutes:.0f} min</li>" for section in lesson.sections)
    link = f'<a href="{up}notebooks/{lesson.name}.html">{_plain(lesson.title)}</a>'
    first = f"{link}<details><summary>{len(lesson.sections)} sections</summary><ul>{parts}</ul></details>"
    read, exercises = f"read {lesson.minutes:.0f} min", f"exercises {lesson.exercise_minutes:.0f} min"
    times = (read, exercises, f"run {lesson.run_seconds:.0f} s")
    return f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{time}</td>" for time in times) + "</tr>"


def _plain(text: str) -> str:
    """A heading as HTML, without marks of Markdown."""
    return html.escape(re.sub(r"[*`$]", "", text))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("lesson-times", LessonTimes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
