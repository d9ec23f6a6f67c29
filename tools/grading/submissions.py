"""What students handed in, read without running, unpacking or following anything.

A submission is `NAME.ipynb`, `NAME.zip` or a folder `NAME` with one notebook in it; what stands before the first
underscore of NAME is the student. The name of the file counts, never what the notebook says about itself.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

MOST_BYTES = 20_000_000  # of a notebook
MOST_CODE = 1_000_000  # characters of all code cells
MOST_CELLS = 1_000
PLACE = "*Your answer in words:*"  # as handed out


class Unreadable(Exception):
    """A submission that cannot be graded; says why, in words for a student."""


@dataclass(frozen=True)
class Submission:
    """One student's notebook.  code: of its cells.  words: its answers in words, by their names.

    digest: of all that was read.  problem: why it cannot be graded, or empty.
    """

    student: str
    file: str
    code: tuple[str, ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    digest: str = ""
    problem: str = ""


def handed_in(folder: Path) -> list[Submission]:
    """All submissions of a folder, by the names of their files; hidden files are none."""
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    found = [read(path) for path in paths if _may_be(path)]
    count = Counter(each.student for each in found)
    twice = "there are {} submissions of this student: leave the one that counts"
    return [replace(each, problem=twice.format(n)) if (n := count[each.student]) > 1 else each for each in found]


def read(path: Path) -> Submission:
    """One submission; what is wrong with it is said by its `problem`."""
    student = (path.stem if path.suffix in (".ipynb", ".zip") else path.name).partition("_")[0]
    blank = Submission(_printable(student), _printable(path.name))
    try:
        data = _notebook(path)
        digest = hashlib.sha256(data).hexdigest()
        return replace(blank, digest=digest, **_parts(data))
    except Unreadable as error:
        return replace(blank, problem=str(error))
    except OSError as error:
        return replace(blank, problem=f"it cannot be read: {error.strerror}")


def _may_be(path: Path) -> bool:
    """Whether a path is there to be graded: a notebook, an archive, a folder, or a link that says it is one."""
    return path.suffix in (".ipynb", ".zip") or path.is_symlink() or path.is_dir()


def _printable(name: str) -> str:
    """A name without characters that rule a terminal or cannot be written."""
    return "".join(c if c.isprintable() else "?" for c in name.encode(errors="replace").decode())[:100]


def _notebook(path: Path) -> bytes:
    """The bytes of the notebook of a submission.  Raises: Unreadable, OSError."""
    if path.is_symlink():
        raise Unreadable("it is a link to another file, and links are not followed")
    if path.is_dir():
        return _of_file(_only([each for each in _files(path) if each.suffix == ".ipynb"]))
    data = _of_file(path)
    return _of_archive(data) if path.suffix == ".zip" else data


def _files(folder: Path) -> Iterator[Path]:
    """Files at most three folders deep, links left out."""
    for depth in ("*", "*/*", "*/*/*"):
        for path in sorted(folder.glob(depth)):
            if not any(each.is_symlink() for each in (path, *path.parents) if folder in each.parents):
                yield path


def _only(found: list[Any]) -> Any:
    """The only notebook, checkpoints of Jupyter and copies of macOS left out.  Raises: Unreadable."""
    left = [each for each in found if not {".ipynb_checkpoints", "__MACOSX"} & set(PurePosixPath(each).parts)]
    if len(left) != 1:
        raise Unreadable(f"it holds {len(left) or 'no'} notebook{'s' * (len(left) > 1)}, and one was expected")
    return left[0]


def _of_file(path: Path) -> bytes:
    """The bytes of a plain file that is no link.  Raises: Unreadable, OSError."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(file, "rb") as opened:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise Unreadable("it is no plain file")
        return _limited(opened)


def _of_archive(data: bytes) -> bytes:
    """The bytes of the only notebook of a zip file, unpacked no further than allowed."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [each.filename for each in archive.infolist()[:10_000] if each.filename.endswith(".ipynb")]
            with archive.open(_only(names)) as opened:
                return _limited(opened)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError) as error:
        raise Unreadable("it is no zip file that can be read") from error


def _limited(opened: Any) -> bytes:
    data: bytes = opened.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Unreadable(f"the notebook has more than {MOST_BYTES // 1_000_000} MB: clear its outputs")
    return data


def _parts(data: bytes) -> dict[str, Any]:
    """Code and words of a notebook.  Raises: Unreadable."""
    cells = _cells(data)
    code = tuple(_source(cell) for cell in cells if cell.get("cell_type") == "code")
    if sum(map(len, code)) > MOST_CODE:
        raise Unreadable(f"its code has more than {MOST_CODE:,} characters")
    if not any(source.strip() for source in code):
        raise Unreadable("it has no code")
    return {"code": code, "words": tuple(_words(cells))}


def _cells(data: bytes) -> list[dict[str, Any]]:
    try:
        notebook = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Unreadable("it is no notebook: a notebook is JSON") from error
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise Unreadable("it is no notebook: it has no list of cells")
    if len(cells) > MOST_CELLS:
        raise Unreadable(f"it has more than {MOST_CELLS:,} cells")
    return cells


def _source(cell: dict[str, Any]) -> str:
    """The text of a cell, which is one string or a list of lines."""
    source = cell.get("source", "")
    lines = source if isinstance(source, list) else [source]
    return "".join(line for line in lines if isinstance(line, str)).encode(errors="replace").decode()


def _words(cells: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Cells of text that answer a question in words: their first line is `<!-- answer: NAME -->`."""
    for cell in cells:
        first, _, rest = _source(cell).partition("\n")
        if cell.get("cell_type") == "markdown" and first.startswith("<!-- answer: "):
            yield (
                first.removeprefix("<!-- answer: ").removesuffix(" -->")[:60],
                rest.replace(PLACE, "").strip()[:20_000],
            )
