"""The table of contents, _toc.yml, as the tools read it: which chapters there are, and in which order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genai_utils.records.edited import fault, text_of
from tools.strict_yaml import LineError, load

FILE = "_toc.yml"
SHAPE = {"parts": "`parts:` and below it a list of parts", "chapters": "`chapters:` and below it a list of files"}


def contents(root: Path) -> list[str]:
    """Names of the chapters in the order of the table of contents.

    Raises: ValueError: the table is not as it should be, or lists a file twice; names the line and the remedy.
    """
    try:
        files = _files(load(text_of(root / FILE)))
    except LineError as error:
        raise fault(root / FILE, error.line, error.problem) from error
    return [file.removeprefix("notebooks/") for file in files if file.startswith("notebooks/")]


def _files(table: Any) -> list[str]:
    lines: dict[str, int] = {}
    for part in _list(table, "parts", 1):
        for entry in _list(part, "chapters", getattr(part, "line", table.line)):
            file, line = entry.get("file") if isinstance(entry, dict) else None, getattr(entry, "line", part.line)
            if not isinstance(file, str):
                raise LineError(line, f"{entry!r} names no file; write `- file: notebooks/NAME`")
            if file in lines:
                raise LineError(line, f"{file} stands in line {lines[file]} already; take one out")
            lines[file] = line
    return list(lines)


def _list(owner: Any, key: str, line: int) -> list[Any]:
    found = owner.get(key) if isinstance(owner, dict) else None
    if not isinstance(found, list):
        raise LineError(getattr(owner, "line", line), f"it needs {SHAPE[key]}, got {str(owner)[:60]}")
    return found
