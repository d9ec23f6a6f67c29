"""Which files, and which rows of them, this process has read: a notebook is stale when one of these changes.

A row counts by its content, so that an edited fact makes stale only the notebooks that read it. Data sets need no note:
their hashes stand in the modules that load them.
"""

from __future__ import annotations

from pathlib import Path
from types import NoneType
from urllib.parse import urlencode

from genai_utils import checks

noted: set[tuple[Path, str]] = set()  # a file, and what of it as in an address: "?id=B-U4", "?name=gpt#seconds"


def note(file: Path, *columns: str, **where: str | None) -> None:
    """Remember that a file was read, or only the rows in which the columns named in `where` hold these values.

    Args: columns: the only ones read of these rows; all if none is named.  where: None stands for any value.
    """
    checks.of_type(Path, file=file)
    for column in columns:
        checks.of_type(str, columns=column)
    for value in where.values():
        checks.of_type((str, NoneType), where=value)
    rows = urlencode({name: value for name, value in where.items() if value is not None})
    noted.add((file, f"?{rows}" * bool(rows) + f"#{','.join(columns)}" * bool(columns)))
