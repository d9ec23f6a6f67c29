"""What a GPU has measured and written, put where the pages read it: benchmarks/results/ and genai_utils/records/."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tools.gpu.report import OK

ROOT = Path(__file__).resolve().parents[2]
RESULT = Path("benchmarks/results/gpu.json")
TABLE = Path("genai_utils/records/gpu.csv")
SAMPLES = Path("genai_utils/records/gpu_samples.txt")
COLUMNS = ("id", "value", "spread", "unit", "device", "date")
Found = dict[str, Any]


def keep(paths: Sequence[Path], root: Path = ROOT) -> None:
    """Write the files below a folder from one or several reports, and the samples that lie beside one of them.

    Raises: ValueError: one of them is a rehearsal. FileNotFoundError: there is none.
    """
    found = merged([json.loads(path.read_text(encoding="utf-8")) for path in paths])
    (root / RESULT).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (root / TABLE).write_text(table(found), encoding="utf-8")
    for written in (path.with_name("samples.txt") for path in paths):
        if written.exists():
            (root / SAMPLES).write_bytes(written.read_bytes())
    print(f"{RESULT} and {TABLE}: {len(list(rows(found)))} figures; now `python benchmarks/tables.py`")


def merged(reports: Sequence[Found]) -> Found:
    """Each part from the last report in which it ended well, or else from the last that has it."""
    parts: dict[str, Found] = {}
    for report in reports:
        if report["made"]["rehearsal"]:
            raise ValueError("this is a rehearsal on a processor; only what a GPU measured is kept")
        for name, part in report["parts"].items():
            if part["state"] == OK or parts.get(name, {}).get("state") != OK:
                parts[name] = part
    return {"made": reports[-1]["made"], "parts": parts}


def rows(found: Found) -> Iterator[tuple[str, ...]]:
    """The figures as rows of the table, by id; chapters of which one broke off have no times."""
    told = [part for name, part in found["parts"].items() if name != "chapters" or part["state"] == OK]
    figures = {id: (figure, part) for part in told for id, figure in part["figures"].items()}
    for id, (figure, part) in sorted(figures.items()):
        value, spread = (f"{figure[name]:.6g}" if name in figure else "" for name in ("value", "spread"))
        yield id, value, spread, figure["unit"], part["device"], part["date"]


def table(found: Found) -> str:
    """The table as text."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows(found)])
    return text.getvalue()
