"""Set the address at which the repository is published: in _config.yml and in the first cell of the stored notebooks.

    make address URL=https://github.com/you/your-fork

Nothing is executed: of a notebook only the cell that installs the package changes, and its stamp stays as it is.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat

from tools.files import stored_notebook
from tools.notebooks import ROOT, Project, build, store

ADDRESS = re.compile(r"https://github\.com/[A-Za-z0-9](?:-?[A-Za-z0-9])*/[\w.-]+", re.ASCII)
LINE = re.compile(r"^(repository:\n(?:[ #].*\n)*?  url: )\S+", re.MULTILINE)


def checked(url: str) -> str:
    """Return the address of a repository on GitHub as its pages write it.  Raises: ValueError if it is none."""
    address = url.strip().removesuffix("/").removesuffix(".git")
    if not ADDRESS.fullmatch(address):
        raise ValueError(
            f"{url!r} is no address of a repository on GitHub, which Colab, releases and Pages need; "
            "type make address URL=https://github.com/you/your-fork"
        )
    return address


def configure(project: Project, address: str) -> None:
    """Write the address into _config.yml and leave all else there as it is.  Raises: ValueError if it has no place."""
    path = project.root / "_config.yml"
    text, places = LINE.subn(rf"\g<1>{address}", path.read_text(encoding="utf-8"))
    if places != 1:
        raise ValueError(f"{path.name} needs one line '  url: ...' under 'repository:', found {places}")
    path.write_text(text, encoding="utf-8")


def renew_setup_cell(project: Project, name: str) -> None:
    """Give the stored notebook of a chapter the setup cell of today; outputs and stamp stay.

    Raises: ValueError, if it is no notebook; OSError.
    """
    stored_notebook(project.notebook(name))  # it says so, if it is none
    stored = nbformat.read(project.notebook(name), as_version=4)
    old, new = (
        next(cell for cell in notebook.cells if "setup" in cell.metadata.get("tags", []))
        for notebook in (stored, build(project, name))
    )
    if old.source != new.source:
        old.source, old.id = new.source, new.id
        store(project, name, stored)


def main(url: str, root: Path = ROOT) -> int:
    """Run the command line.  Returns: the exit status, 1 if the address was refused or a file cannot be written."""
    project = Project(root)
    try:
        address = checked(url)
        configure(project, address)
        names = [name for name in project.names if project.notebook(name).exists()]
        for name in names:
            renew_setup_cell(project, name)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{address} stands in _config.yml and in {len(names)} notebooks; commit them")
    return 0


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
