"""Collect the rows that `show.result` left in the executed chapters into genai_utils/records/results.csv.

tools/notebooks.py calls it after each chapter; a test fails when the table and the notebooks disagree.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from genai_utils.records.results import MIME, Result
from tools.contents import contents
from tools.files import replace, stored_notebook
from tools.stamps import RESULTS


def rows(name: str, notebook: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of one executed chapter.  Raises: ValueError if two of its models have the same name."""
    outputs = [output.get("data", {}) for cell in notebook["cells"] for output in cell.get("outputs", [])]
    found = [{**output[MIME], "chapter": name} for output in outputs if MIME in output]
    if len({row["model"] for row in found}) < len(found):
        raise ValueError(f"{name} has two results of one name: {sorted(row['model'] for row in found)}")
    return found


def table(root: Path) -> str:
    """All rows of executed chapters as CSV; numbers to four figures, which is more than any of them is worth."""
    found = [row for name in contents(root) for row in rows(name, _stored(root / "notebooks" / f"{name}.ipynb"))]
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Result)], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _short(value) for name, value in row.items()} for row in found)
    return text.getvalue()


def _stored(path: Path) -> Mapping[str, Any]:
    """A notebook; one that is missing or cannot be read has no cells: it is stale, and its turn will come."""
    try:
        return stored_notebook(path)
    except (OSError, ValueError):
        return {"cells": []}


def _short(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value


def collect(root: Path) -> None:
    """Bring the table up to date."""
    new, path = table(root), root / RESULTS
    if not path.exists() or path.read_bytes() != new.encode():  # whatever damage it has, it is written anew
        replace(path, new.encode())
