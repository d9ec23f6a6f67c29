"""Tables: rows of a CSV file as dataclasses, and rows as a table in HTML or Markdown."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from datetime import date
from html import escape
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

Row = TypeVar("Row")

_READERS: dict[type, Callable[[str], Any]] = {str: str, int: int, float: float, date: date.fromisoformat}


def from_csv(kind: type[Row], path: Path) -> list[Row]:
    """The rows of a file as instances of a dataclass whose fields name its columns; nothing is None where that may be.

    Raises: ValueError: a cell that its field cannot hold.  KeyError: a missing column.
    """
    readers = {field.name: _reader(get_type_hints(kind)[field.name]) for field in fields(kind)}  # type: ignore[arg-type]
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file, strict=True)
        return [kind(**{name: read(row[name]) for name, read in readers.items()}) for row in rows]


def html_table(head: Sequence[str], rows: Iterable[Sequence[str]], css: str = "") -> str:
    """An HTML table; the first cell of each row is its head.  head: words.  rows: cells in HTML, see `html_text`."""
    columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
        for first, *cells in rows
    )
    opening = f'<table class="{css}">' if css else "<table>"
    return f"{opening}<thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>"


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table.  head, rows: cells in Markdown."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def html_text(text: str) -> str:
    """Escaped, and each dollar in an element of its own: Jupyter reads what stands between two of them as a formula."""
    return escape(text).replace("$", "<span>$</span>")


def _reader(hint: Any) -> Callable[[str], Any]:
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    if not kinds:
        return _READERS[hint]
    return lambda text: _READERS[kinds[0]](text) if text else None
