"""What the outputs of a notebook depend on: its own cells, and files of the package, or rows of them, with hashes.

An address names one: `genai_utils/models/gan.py`, or `genai_utils/records/facts.csv?id=B-U4` for some rows of a table,
or `…/results.csv?chapter=vae#model,bits_per_dim` for some columns of these; see `genai_utils.records.used`.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlsplit

RESULTS = "genai_utils/records/results.csv"
WITH_A_MODULE = (".py", ".js", ".css", ".mplstyle")  # files of one stem that are read together; of tables, rows count
Row = dict[str, str]


def digests(root: Path, addresses: Iterable[str]) -> dict[str, str]:
    """A hash of what lies at each address below a folder, and beside each module; "" where there is nothing."""
    table = cache(_table)  # each is read once
    return {address: _digest(root, address, table) for address in sorted(_with_siblings(root, addresses))}


def changed(root: Path, used: Mapping[str, str]) -> str | None:
    """Say which part of what a notebook used is another by now; None if none is."""
    for address, digest in digests(root, used).items():
        if digest != used.get(address):
            fate = "is gone" if not digest else "has changed" if address in used else "is new"
            return f"it uses {unquote_plus(address)}, which {fate}"
    return None


def results_read(used: Iterable[str]) -> list[str]:
    """Chapters whose results were read; "" stands for all of them."""
    places = [place for place in map(urlsplit, used) if place.path == RESULTS]
    return [parse_qs(place.query).get("chapter", [""])[0] for place in places]


def written(cells: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, list[str]]]:
    """What people write of cells: kind, text and tags; empty cells are left out.

    Outputs and all other metadata are left out too: Jupyter drops and adds some whenever it saves.
    """
    parts = [(cell["cell_type"], "".join(cell["source"]), list(cell["metadata"].get("tags", []))) for cell in cells]
    return [part for part in parts if part[1].strip()]


def cells_sha256(cells: Iterable[Mapping[str, Any]]) -> str:
    """The hash of what people wrote of some cells."""
    return sha256(json.dumps(written(cells)).encode())


def sha256(content: bytes) -> str:
    """The hash of a content, in 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def _with_siblings(root: Path, addresses: Iterable[str]) -> set[str]:
    """Addresses, and the files that lie beside a module and belong to it (x.py: x.js, x.css)."""
    modules = [root / address for address in addresses if address.endswith(".py")]
    siblings = {path for module in modules for path in module.parent.glob(f"{module.stem}.*")}
    return {*addresses, *(path.relative_to(root).as_posix() for path in siblings if path.suffix in WITH_A_MODULE)}


def _digest(root: Path, address: str, table: Callable[[Path], list[Row]]) -> str:
    place = urlsplit(address)
    file = root / place.path
    if not file.is_file():
        return ""
    if file.suffix != ".csv":
        return sha256(file.read_bytes())[:16]
    where, columns = dict(parse_qsl(place.query)), place.fragment.split(",") if place.fragment else None
    rows = [_filled(row, columns) for row in table(file) if where.items() <= row.items()]
    return sha256(json.dumps(rows, sort_keys=True).encode())[:16] if rows else ""


def _table(file: Path) -> list[Row]:
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def _filled(row: Row, columns: list[str] | None) -> Row:
    """The cells that hold something, so that a new column leaves rows that say nothing there as they were."""
    return {name: cell for name, cell in row.items() if cell and (columns is None or name in columns)}
