"""Where benchmarks keep what they found: one JSON file each, with the machine that found it."""

from __future__ import annotations

import json
import os
import platform
from datetime import date
from pathlib import Path
from typing import Any

import torch

from genai_utils.session import precision


def hardware() -> str:
    """The processor, in words."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    return f"{model}, {os.cpu_count()} cores, 1 thread used, {precision()}"


def write(path: Path, **content: Any) -> None:
    """Store all that is known so far."""
    made = {"date": date.today().isoformat(), "hardware": hardware()}
    made |= {"python": platform.python_version(), "torch": torch.__version__}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made | content, indent=2) + "\n", encoding="utf-8")


def read(path: Path) -> dict[str, Any]:
    """What `write` stored; no runs where there is no file yet."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"runs": []}
