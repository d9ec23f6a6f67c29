"""Whatever an editor or a spreadsheet does to a table, one sentence names the file, the line and the remedy."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from genai_utils.records import facts, forecasts, results, scaling
from genai_utils.records.table import from_csv
from genai_utils.zoo import catalogue

Rows = list[list[str]]


@dataclass(frozen=True)
class Table:
    """A table that people edit. read: all its rows.  key, number: places of a cell of its key, and of a number."""

    file: Path
    read: Callable[[Path, pytest.MonkeyPatch], object]
    key: int
    number: int

    def rows(self) -> Rows:
        """As it ships, the header first."""
        with self.file.open(newline="", encoding="utf-8") as file:
            return list(csv.reader(file, strict=True))


def public(module, read: Callable[[], object]) -> Callable[[Path, pytest.MonkeyPatch], object]:
    """Read the table of a module from another place, as its readers do."""

    def from_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
        monkeypatch.setattr(module, "TABLE", path)
        return read()

    return from_there


TABLES = {
    "facts": Table(facts.TABLE, public(facts, facts.facts), key=0, number=8),
    "forecasts": Table(forecasts.TABLE, public(forecasts, forecasts.forecasts), key=0, number=4),
    "results": Table(results.TABLE, public(results, results.results), key=1, number=5),
    "scaling": Table(scaling.TABLE, public(scaling, lambda: scaling.scaling_runs(None)), key=8, number=10),
    "catalogue": Table(catalogue.TABLE, lambda path, _: catalogue.entries(path), key=0, number=4),
}


@pytest.fixture(params=TABLES)
def table(request):
    facts._table.cache_clear()
    yield TABLES[request.param]
    facts._table.cache_clear()


Spoil = Callable[[Table, Rows], bytes]


def written(rows: Rows, delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def with_cell(rows: Rows, row: int, column: int, cell: str) -> bytes:
    """The rows with another cell. row: 2 is line 3."""
    return written([[cell if (i, j) == (row, column) else old for j, old in enumerate(cells)]
                    for i, cells in enumerate(rows)])  # fmt: skip


def each(change: Callable[[list[str]], list[str]]) -> Spoil:
    return lambda _, rows: written([change(row) for row in rows])


def third(change: Callable[[list[str]], list[str]]) -> Spoil:
    return lambda _, rows: written([*rows[:2], change(rows[2]), *rows[3:]])


def number(cell: str) -> tuple[Spoil, int, str]:
    return lambda table, rows: with_cell(rows, 2, table.number, cell), 3, f"'{cell}', not a .*number"


def in_line_3(content: bytes, put: bytes) -> bytes:
    head, first, rest = content.split(b"\n", 2)
    return b"\n".join([head, first, put + rest])


DAMAGE: dict[str, tuple[Spoil, int, str]] = {
    "a byte order mark": (lambda _, rows: b"\xef\xbb\xbf" + written(rows), 1, "byte order mark; save it as UTF-8 with"),
    "UTF-16": (lambda _, rows: written(rows).decode().encode("utf-16"), 1, "byte order mark; save it as UTF-8 with"),
    "Latin-1": (lambda _, rows: in_line_3(written(rows), b"\xe9"), 3, "byte 0xe9 is not UTF-8; save it as UTF-8"),
    "lines of Windows": (lambda _, rows: written(rows).replace(b"\n", b"\r\n"), 1, r"Unix line ends \(LF\)"),
    "one such line": (lambda _, rows: in_line_3(written(rows), b"\r"), 3, r"Unix line ends \(LF\)"),
    "semicolons": (lambda _, rows: written(rows, ";"), 1, "parted by ';'; save it with commas"),
    "tabs": (lambda _, rows: written(rows, "\t"), 1, r"parted by '\\t'; save it with commas"),
    "a missing column": (each(lambda row: row[:-1]), 1, "columns .*missing: [a-z_0-9]+; too many: none"),
    "another column": (each(lambda row: [*row, "new"]), 1, "columns .*too many: new"),
    "a doubled column": (each(lambda row: [*row, row[0]]), 1, "columns .*missing: none; too many: [a-z]+"),
    "columns in another order": (each(lambda row: row[::-1]), 1, "columns .*in this order"),
    "a short row": (third(lambda row: row[:-1]), 3, r"has \d+ cells, not \d+; .* double quotes"),
    "a long row": (third(lambda row: [*row, "more"]), 3, r"has \d+ cells, not \d+; .*quotes"),
    "a row of commas": (lambda _, rows: written([*rows, [""] * len(rows[0])]), 0, "fill it, without spaces around it"),
    "a space at the key": (lambda table, rows: with_cell(rows, 2, table.key, f"{rows[2][table.key]} "), 3, "fill it"),
    "a double row": (lambda _, rows: written([*rows, rows[1]]), 0, "stands in line 2 already; .*take one out"),
    "words for a number": number("many"),
    "a comma in a number": number("0,5"),
    "nan": number("nan"),
    "inf": number("-inf"),
    "a number too large": number("1e999"),
    "an open quote": (lambda _, rows: in_line_3(written(rows), b'"'), 3, "double quote"),
    "a header alone": (lambda _, rows: written(rows[:1]), 2, "has no rows; restore it"),
    "nothing": (lambda _, rows: b"", 1, "has no rows; restore it"),
}  # line 0 stands for the last one


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_table_is_refused_with_file_line_and_remedy(table, damage, tmp_path, monkeypatch):
    spoil, line, words = DAMAGE[damage]
    spoilt = tmp_path / table.file.name
    spoilt.write_bytes(spoil(table, table.rows()))
    last = spoilt.read_bytes().count(b"\n")
    with pytest.raises(ValueError, match=f"{table.file.name}, line {line or last}: .*{words}") as caught:
        table.read(spoilt, monkeypatch)
    assert "\n" not in str(caught.value)


def test_a_table_as_it_ships_is_read_whole(table, monkeypatch):
    assert len(table.read(table.file, monkeypatch)) == len(table.rows()) - 1


@pytest.mark.parametrize(
    ("name", "column", "cell", "words"),
    [
        ("facts", "id", "Price", "a fact has an id like B-U4, got 'Price'"),
        ("facts", "who", "", "has an empty who; write who said what"),
        ("facts", "confidence", "V3", "the confidence 'V3'; begin it with V1, V2 or U"),
        ("facts", "unit", "USD", "the value None and the unit 'USD'; give both or none"),
        ("forecasts", "made", "22.11.2026", "made is '22.11.2026', not a day like 2026-11-22"),
        ("forecasts", "probability", "1.5", "needs a probability between 0 and 1, got 1.5"),
        ("forecasts", "outcome", "perhaps", "outcome 'perhaps'; write yes, no or nothing"),
        ("results", "parameters", "1.5", "parameters is '1.5', not a whole number"),
        ("catalogue", "seconds", "", "seconds is '', not a whole number"),
        ("catalogue", "builder", "models.gan.Generator", "'models.gan.Generator' as builder; write module:class"),
        ("catalogue", "arguments", "{latent: 2}", "arguments that are no JSON: .*line 1 column 2"),
        ("catalogue", "arguments", "7", r"arguments 7; write \{\"name\": value\} or a list of such"),
    ],
)
def test_a_cell_that_cannot_be_is_refused_with_its_line(name, column, cell, words, tmp_path, monkeypatch):
    table, rows = TABLES[name], TABLES[name].rows()
    (spoilt := tmp_path / table.file.name).write_bytes(with_cell(rows, 2, rows[0].index(column), cell))
    with pytest.raises(ValueError, match=f"{table.file.name}, line 3: .*{words}"):
        table.read(spoilt, monkeypatch)


@dataclass(frozen=True)
class Note:
    """A row of two words."""

    id: str
    words: str = ""


def test_a_line_is_counted_where_its_row_begins_and_empty_ones_count(tmp_path):
    (file := tmp_path / "notes.csv").write_text('id,words\n\na,"two\nlines"\na,\n')
    with pytest.raises(ValueError, match=re.escape("notes.csv, line 5: id 'a' stands in line 3 already")):
        from_csv(Note, file, "id")
    file.write_text('id,words\n\na,"two\nlines"\n\nb,\n')
    assert from_csv(Note, file, "id") == [Note("a", "two\nlines"), Note("b")]
