"""Read and replace the text files of the course; every error names the file and says what to do."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from genai_utils.records.edited import text_of
from tools.stamps import written


def stored_notebook(path: Path) -> dict[str, Any]:
    """The JSON of a notebook, whose cells have all that `stamps.written` asks for.  Raises: ValueError; OSError."""
    try:
        content: dict[str, Any] = json.loads(text_of(path))
        written(content["cells"])
        dict(content["metadata"].get("genai", {}))
    except (AttributeError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is no notebook of Jupyter; delete it and run `make notebooks`") from error
    return content


def replace(path: Path, content: bytes) -> None:
    """Replace a file in one step: whatever goes wrong, it holds the old content or the new.

    Raises: OSError, with the name of the file: a disk that is full gives none.
    """
    draft = path.with_suffix(".part")
    try:
        path.parent.mkdir(exist_ok=True)
        draft.write_bytes(content)
        os.replace(draft, path)
    except OSError as error:
        raise OSError(f"{path} was not written: {error}; mend that and run this again") from error
    finally:
        with suppress(OSError):
            draft.unlink()
