"""No contest: what `python -m tools.gpu_check` measured on a GPU, as a table."""

from __future__ import annotations

import json
import re
from pathlib import Path

from genai_utils.records.table import markdown_table

NONE = "Not yet measured on a GPU."
DETAILS = re.compile(r"^(checks|machine|gpt\.step|gpt\.tokens|gpt\.writing)\.|\.(first|examples|memory|change)$")


def table(path: Path) -> str:
    """The figures that a reader asks for first, part by part; the file has all."""
    if not path.exists():
        return NONE
    found = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        (f"`{id}`", _written(figure), figure["unit"])
        for part in found["parts"].values()
        for id, figure in part["figures"].items()
        if not DETAILS.search(id)
    ]
    made = "Measured on {date}: {device}; Python {python}, torch {torch}.".format_map(found["made"])
    return f"{markdown_table(('figure', 'value', 'unit'), rows)}\n\n{made}"


def _written(figure: dict[str, float]) -> str:
    spread = f" ± {figure['spread']:.2g}" if "spread" in figure else ""
    return f"{figure['value']:.4g}{spread}"
