"""What the GPU check has found so far: a file that is whole at any moment, whenever the check is broken off."""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path
from typing import Any

OK, FAILED, STOPPED, SKIPPED, RUNNING = "ok", "failed", "stopped", "skipped", "running"


class Report:
    """`gpu.json`: `made`, about the run, and `parts`, each with its state, seconds, figures and notes.

    It is written after each figure, and goes on from the file that is there.
    """

    def __init__(self, path: Path):
        self.path = path
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        self.made: dict[str, Any] = known.get("made", {})
        self.parts: dict[str, dict[str, Any]] = known.get("parts", {})

    def begin(self, name: str, cap: float, call: int = 0) -> None:
        """A part runs from now on, and has so many seconds.  call: number of the process that asked for it."""
        now = {"state": RUNNING, "since": time.time(), "cap": cap, "call": call}
        where = {word: self.made.get(word) for word in ("device", "date")}
        self.parts[name] = now | where | {"figures": {}, "notes": {}}
        self.store()

    def end(self, name: str, state: str, error: str = "") -> None:
        """A part is over; of an error the last lines are kept."""
        part = self.parts.setdefault(name, {"since": time.time(), "figures": {}, "notes": {}})
        part |= {"state": state, "seconds": round(time.time() - part.pop("since"), 1)}
        part.pop("cap", None)
        if error:
            part["error"] = error.strip().splitlines()[-12:]
        self.store()

    def running(self) -> str | None:
        """The part that runs, or ran when its process ended."""
        return next((name for name, part in self.parts.items() if part["state"] == RUNNING), None)

    def figure(self, part: str, id: str, value: float, unit: str, spread: float | None = None) -> None:
        """One number with its unit; a spread that is none is left out."""
        known = spread is not None and math.isfinite(spread)
        self.parts[part]["figures"][id] = {"value": value, "unit": unit} | ({"spread": spread} if known else {})
        self.store()

    def note(self, part: str, name: str, value: Any) -> None:
        """What is no figure: a curve, a text, a reason."""
        self.parts[part]["notes"][name] = value
        self.store()

    def store(self) -> None:
        """Write the file in one step."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".part")
        fresh.write_text(json.dumps({"made": self.made, "parts": self.parts}, indent=1), encoding="utf-8")
        os.replace(fresh, self.path)
