"""Open the chapters in JupyterLab: as copies in work/, which belong to the reader.

    python -m tools.lab [OPTION OF JUPYTERLAB ...]

A chapter is copied when there is no copy of it. As long as the reader changes no cell and no output of a copy, it
follows the course; afterwards nobody writes over it, and a new edition of the chapter is laid beside it, once, under a
name that says so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from itertools import chain, count
from pathlib import Path

from tools.files import replace, stored_notebook
from tools.stamps import cells_sha256, sha256, written

ROOT = Path(__file__).resolve().parents[1]
WORK = "work"
LAID = ".laid.json"  # in work/: what was laid there, as {chapter: {file: [hash of its text, hash with its outputs]}}
Laid = dict[str, dict[str, list[str]]]


def refresh(root: Path) -> Iterator[str]:
    """Lay into work/ what is new of the chapters in notebooks/.  Yields: a sentence about each file laid there.

    Raises: OSError: a file cannot be written; the message names it.
    """
    for notebook in sorted((root / "notebooks").glob("*.ipynb")):
        try:
            yield from _refresh(notebook, root / WORK)
        except ValueError as error:
            yield str(error)


def keep(root: Path, path: Path) -> Path:
    """Lay a copy of a notebook into work/, whatever it holds; the same content twice is one copy.  Raises: OSError."""
    content = path.read_bytes()
    copy = root / WORK / f"{path.stem} (kept {sha256(content)[:8]}).ipynb"
    replace(copy, content)
    return copy


def committed(path: Path) -> bool:
    """Whether a commit holds a file as it is now; where there is no git, none does."""
    try:
        blob = _git(path, "hash-object", path.name)
        return bool(_git(path, "log", "--all", "-1", "--format=%h", f"--find-object={blob}", "--", path.name))
    except (OSError, subprocess.CalledProcessError):
        return False


def main(options: Iterable[str] = (), root: Path = ROOT) -> int:
    """Refresh work/ and become JupyterLab with these options.  Returns: 1 if a file cannot be written."""
    try:
        for sentence in refresh(root):
            print(sentence)
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"What you change and save in {root / WORK} stays as you left it.")
    if as_root := hasattr(os, "geteuid") and os.geteuid() == 0:
        print("You are root, so JupyterLab gets --allow-root.")
    sys.stdout.flush()
    allowed = ["--allow-root"] * as_root
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", str(root / WORK), *allowed, *options])


def _refresh(notebook: Path, work: Path) -> Iterator[str]:
    """Lay one chapter into work/ if it is due there.  Raises: ValueError: it is no notebook; OSError."""
    edition, own = cells_sha256(stored_notebook(notebook)["cells"]), notebook.name
    laid = _laid(work).get(notebook.stem, {})
    untouched = [file for file in laid if _content(work / file) == laid[file][1]]
    if not (work / own).exists():
        yield _lay(notebook, work, own, edition) + "your copy"
    elif own in untouched:
        if laid[own][1] != _content(notebook):
            yield _lay(notebook, work, own, edition) + "brought up to date, since you had changed nothing in it"
    elif edition not in [of for of, _ in laid.values()]:
        yield _lay(notebook, work, _name_beside(notebook, work), edition) + f"a new edition; {own} is as you left it"
        for file in untouched:
            (work / file).unlink()


def _lay(notebook: Path, work: Path, file: str, edition: str) -> str:
    """Copy a notebook into work/ and note it there.  Returns: the beginning of a sentence about it."""
    replace(work / file, notebook.read_bytes())
    laid = _laid(work)
    laid.setdefault(notebook.stem, {})[file] = [edition, _content(notebook)]
    replace(work / LAID, json.dumps(laid, indent=1).encode())
    return f"{WORK}/{file}: "


def _laid(work: Path) -> Laid:
    """What was laid into work/; what nobody remembers counts as the reader's own."""
    try:
        laid: Laid = json.loads((work / LAID).read_bytes())
    except (OSError, ValueError):
        return {}
    return laid


def _content(path: Path) -> str:
    """The hash of what a reader may want back: text, tags and outputs of the cells; "" where there is no notebook."""
    try:
        cells = stored_notebook(path)["cells"]
    except (OSError, ValueError):
        return ""
    outputs = [cell["outputs"] for cell in cells if cell.get("outputs")]
    return sha256(json.dumps([written(cells), outputs]).encode())


def _name_beside(notebook: Path, work: Path) -> str:
    """A free name for a new edition: with the day when it was made."""
    date = stored_notebook(notebook)["metadata"].get("genai", {}).get("date", "undated")
    names = (
        f"{notebook.stem} (new edition {date}{again}).ipynb" for again in chain([""], map(", {}".format, count(2)))
    )
    return next(name for name in names if not (work / name).exists())


def _git(path: Path, *arguments: str) -> str:
    """Output of git in the folder of a file.  Raises: OSError: there is no git; CalledProcessError: it fails."""
    command = ["git", "-C", str(path.parent), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
