"""Tables: rows of a CSV file as dataclasses, and rows as a table in HTML or Markdown."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import date
from html import escape
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

from genai_utils import checks
from genai_utils.records.edited import fault, text_of

Row = TypeVar("Row")


def from_csv(kind: type[Row], path: Path, *key: str) -> list[Row]:
    """The rows of a file as instances of a dataclass whose fields are its columns; nothing is None where that may be.

    key: the columns that together name a row; they are filled, and no two rows share them.
    Raises: ValueError: the file, its columns, a row or a cell is not as it should be; names the line and the remedy. A
        key that is no column.  TypeError: no dataclass or path.
    """
    checks.of_type(type, kind=kind)
    checks.of_type(Path, path=path)
    hints, names = get_type_hints(kind), [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for column in key:
        checks.one_of(names, key=column)
    (line, head), *lines = _lines(path)
    with _at(path, line):
        _check_columns(head, names)
    rows: list[Row] = []
    seen: dict[tuple[str, ...], int] = {}
    for line, cells in lines:
        with _at(path, line):
            row = _matched(names, cells)
            _check_key({column: row[column] for column in key}, seen, line)
            rows.append(kind(**{name: _read(name, hints[name], row[name]) for name in names}))
    return rows


def html_table(head: Sequence[str], rows: Iterable[Sequence[str]], css: str = "") -> str:
    """An HTML table; the first cell of each row is its head.  head: words.  rows: cells in HTML, see `html_text`.

    Raises: TypeError: no words.  ValueError: an empty row.
    """
    rows = _cells(head, rows)
    checks.of_type(str, css=css)
    columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
        for first, *cells in rows
    )
    opening = f'<table class="{css}">' if css else "<table>"
    return f"{opening}<thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>"


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table.  head, rows: cells in Markdown.  Raises: TypeError: no words.  ValueError: an empty row."""
    rows = _cells(head, rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def html_text(text: str) -> str:
    """Escaped, and each dollar in an element of its own: Jupyter reads what stands between two of them as a formula."""
    checks.of_type(str, text=text)
    return escape(text).replace("$", "<span>$</span>")


def _cells(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[Sequence[str]]:
    """Rows that have been looked at, together with the head."""
    checks.of_type((list, tuple), head=head)
    checks.of_type(Iterable, rows=rows)
    found = list(rows)
    for row in found:
        checks.of_type((list, tuple), rows=row)
        if not row:
            raise ValueError("rows must have at least one cell each, got an empty one")
    for name, cells in (("head", [head]), ("rows", found)):
        for cell in (cell for row in cells for cell in row):
            checks.of_type(str, **{name: cell})
    return found


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """The cells of the head and of each row, with the line where they begin; empty lines are none."""
    reader, line = csv.reader(io.StringIO(text_of(path), newline=""), strict=True), 1
    found = []
    try:
        for cells in reader:
            found += [(line, cells)] * bool(cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise fault(path, line, f"{error}; close each double quote, and double those inside a cell") from error
    if len(found) < 2:
        raise fault(path, line, "the table has no rows; restore it from the repository")
    return found


@contextmanager
def _at(path: Path, line: int) -> Iterator[None]:
    """Whatever is wrong in here is wrong in this line."""
    try:
        yield
    except ValueError as error:
        raise fault(path, line, str(error)) from error


def _check_columns(found: Sequence[str], names: Sequence[str]) -> None:
    if mark := next((mark for mark in ";\t|" if len(found) == 1 and mark in found[0]), None):
        raise ValueError(f"columns are parted by {mark!r}; save it with commas")
    if list(found) != list(names):
        missing, further = Counter(names) - Counter(found), Counter(found) - Counter(names)
        differs = f"missing: {', '.join(missing) or 'none'}; too many: {', '.join(further) or 'none'}"
        raise ValueError(f"the columns must be {','.join(names)} in this order; {differs}")


def _matched(names: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    if len(cells) != len(names):
        remedy = "put a cell that holds commas in double quotes, and leave none out"
        raise ValueError(f"the row has {len(cells)} cells, not {len(names)}; {remedy}")
    return dict(zip(names, cells, strict=True))


def _check_key(key: Mapping[str, str], seen: dict[tuple[str, ...], int], line: int) -> None:
    words = ", ".join(f"{column} {cell!r}" for column, cell in key.items())
    if any(not cell or cell != cell.strip() for cell in key.values()):
        raise ValueError(f"{words} names no row; fill it, without spaces around it")
    if (first := seen.setdefault(tuple(key.values()), line)) != line:
        raise ValueError(f"{words} stands in line {first} already; rename one or take one out")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError
    return number


_KINDS: dict[type, tuple[Callable[[str], Any], str]] = {
    str: (str, "words"),
    int: (int, "a whole number"),
    float: (_finite, "a finite number"),
    date: (date.fromisoformat, "a day like 2026-11-22"),
}


def _read(name: str, hint: Any, cell: str) -> Any:
    """What a cell says, for a field of this type."""
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    if kinds and not cell:
        return None
    read, words = _KINDS[kinds[0] if kinds else hint]
    try:
        return read(cell)
    except ValueError:
        raise ValueError(f"{name} is {cell!r}, not {words}") from None
