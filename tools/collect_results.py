"""Collect the rows that `show.result` left in the executed chapters into genai_utils/data/results.csv.

    python tools/collect_results.py

`make notebooks` runs it after the chapters; a test fails when the table and the notebooks disagree.
"""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
MIME = "application/vnd.genai.result+json"
TABLE = Path("genai_utils") / "data" / "results.csv"


def chapters(root: Path) -> list[Path]:
    """Notebooks in the order of the table of contents; those that are not executed yet are left out."""
    parts = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    files = [entry["file"] for part in parts for entry in part["chapters"]]
    paths = [root / f"{file}.ipynb" for file in files if file.startswith("notebooks/")]
    return [path for path in paths if path.exists()]


def rows(notebook: Path) -> list[dict[str, Any]]:
    """Rows of one chapter.  Raises: ValueError if two of its models have the same name."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    found = [{"chapter": notebook.stem, **output[MIME]} for output in outputs if MIME in output]
    if len({row["model"] for row in found}) < len(found):
        raise ValueError(f"{notebook.stem} has two results of one name: {sorted(row['model'] for row in found)}")
    return found


def table(root: Path) -> str:
    """All rows as CSV; numbers to four figures, which is more than any of them is worth."""
    found = [row for notebook in chapters(root) for row in rows(notebook)]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(found[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _short(value) for name, value in row.items()} for row in found)
    return text.getvalue()


def _short(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value


def main(root: Path = ROOT) -> None:
    """Replace the table in one step."""
    draft = (root / TABLE).with_suffix(".part")
    draft.write_text(table(root), encoding="utf-8")
    os.replace(draft, root / TABLE)


if __name__ == "__main__":
    main()
