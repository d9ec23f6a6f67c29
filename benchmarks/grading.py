"""How long does a class of 200 take, with 25 hostile submissions among them, and does any grade come out wrong?

    python benchmarks/grading.py [--students 200] [--hostile 25] [--jobs 2] [--output FILE]

Honest students hand in the business case: solved in three ways, with one of the plausible mistakes of its tests, or as
it was handed out. Their right grades are found first, one by one and without a sandbox. Hostile ones add one of the
attacks of the tests. Then the whole class is graded once, by the command that a teacher types, and once more, when
nothing has changed.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# The tests' folders are no packages, so they are named before anything is imported from them; hence the E402 below.
sys.path[:0] = [str(ROOT), str(ROOT / "tests/grading"), str(ROOT / "tests/assignments/business-case")]

from attacks import ATTACKS, SALT, Outside, notebook, outside  # noqa: E402
from wrong import WRONG  # noqa: E402

from genai_utils.device import processor  # noqa: E402
from tools.grading import handout  # noqa: E402
from tools.grading.judge import items, mark  # noqa: E402
from tools.grading.sandbox import Limits, Sandbox  # noqa: E402
from tools.grading.source import load, variant  # noqa: E402
from tools.grading.submissions import Submission  # noqa: E402

RESULT = ROOT / "benchmarks/results/grading.json"
SOURCE = load("business-case")
FULL = sum(item.points for item in items(SOURCE))
KINDS = (
    "an endless loop in a cell", "an endless loop in a function", "a loop within a regular expression",
    "100 GB at once", "slow growth", "children with 200 MB each", "a fork bomb", "100,000 threads",
    "threads that outlive", "a daemon", "10 GB written", "everything deleted", "the canary read",
    "the canary overwritten", "the hidden tests read", "a door on this machine", "a socket of files", "mounts",
    "namespaces of one's own", "signals to all", "os._exit in a cell", "10 GB returned",
    "forged answers on all doors", "a flood on all doors", "the runner rewritten",
)  # fmt: skip
COLUMNS = ("students", "hostile", "kinds", "jobs", "seconds", "again", "wrong", "lost", "escapes")
HEADS = ("submissions", "of them hostile", "of so many kinds", "at once", "seconds", "once more", "wrong grades",
         "lost", "escapes")  # fmt: skip


@dataclass(frozen=True)
class Student:
    """A submission, and the points that it may get."""

    name: str
    cells: tuple[str, ...]
    points: tuple[float, ...]


def honest(number: int) -> Student:
    """Solved, mistaken or not done, in turn; the right grade is found without a sandbox."""
    name = f"honest-{number:03}"
    own = variant(SOURCE, SALT, name)
    solved = _code(handout.teacher(SOURCE, own))
    wrong = list(WRONG.values())[number // 5 % len(WRONG)]
    others = [(f"OWN = {own}", text) for text in handout.solutions(SOURCE)[1:]]
    cells = [solved, *others, (*solved, wrong), _code(handout.student(SOURCE, own, 1))][number % 5]
    trusted = Sandbox(trust=True, limits=Limits(load=60, answer=60))
    right = mark(
        SOURCE, Submission(name, name, cells, digest=hashlib.sha256(notebook(cells)).hexdigest()), SALT, trusted
    )
    return Student(name, cells, (right.points,))


def hostile(number: int, world: Outside) -> Student:
    """A solved notebook with an attack, which loses nothing, a test or everything."""
    name, kind = f"hostile-{number:03}", KINDS[number % len(KINDS)]
    attack = ATTACKS[kind]
    cells = tuple(cell.replace("def double(x)", "def usd_per_million(x, *rest)") for cell in world.told(attack.cells))
    solved = _code(handout.teacher(SOURCE, variant(SOURCE, SALT, name)))
    points = tuple(FULL - 2 if each else 0.0 for each in attack.points)  # it overwrites one of the functions
    return Student(name, (*solved, *cells, "print(f'ESCAPED {escaped}')"), points)


def measure(students: int, enemies: int, jobs: int) -> dict[str, Any]:
    """Grade a class.  Returns: a row of the results."""
    with tempfile.TemporaryDirectory() as name, outside(_folder(name, "outside")) as world:
        folder, before = Path(name), tree()
        everybody = [*map(honest, range(students - enemies)), *(hostile(n, world) for n in range(enemies))]
        for each in everybody:
            (_folder(name, "class") / f"{each.name}_x.ipynb").write_bytes(notebook(each.cells))
        (folder / "salt").write_bytes(SALT)
        seconds, again = (command(folder, jobs) for _ in range(2))
        found = grades(folder / "out/grades.csv")
        wrong = {each.name: found.get(each.name) for each in everybody if found.get(each.name) not in each.points}
        said = sum("ESCAPED True" in path.read_text(encoding="utf-8") for path in (folder / "out/results").iterdir())
        escapes = said + (not world.untouched()) + (tree() != before) + len(leftovers())
    kinds = len({KINDS[n % len(KINDS)] for n in range(enemies)})
    row = (
        students,
        enemies,
        kinds,
        jobs,
        round(seconds, 1),
        round(again, 1),
        len(wrong),
        students - len(found),
        escapes,
    )
    return dict(zip(COLUMNS, row, strict=True)) | {"wrong_ones": wrong}


def command(folder: Path, jobs: int) -> float:
    """Seconds of the command that a teacher types."""
    asked: list[str | Path] = [
        folder / "class",
        "--assignment",
        "business-case",
        "--salt",
        folder / "salt",
        "--out",
        folder / "out",
    ]
    began = time.perf_counter()
    subprocess.run([sys.executable, ROOT / "tools/grade.py", *asked, "--jobs", str(jobs)], check=True)
    return time.perf_counter() - began


def grades(path: Path) -> dict[str, float]:
    """Points by name, from the file for Canvas."""
    with path.open(encoding="utf-8") as file:
        return {row[0]: float(row[5]) for row in list(csv.reader(file))[2:]}


def tree() -> str:
    """A hash of all files that git knows here: what an escape would change."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout.split(b"\0")
    files = [ROOT / os.fsdecode(name) for name in sorted(names) if name]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files if path.is_file())).hexdigest()


def leftovers() -> list[str]:
    """Processes of users that only sandboxes have."""
    return [path.name for path in _processes() if 200_000 <= path.stat().st_uid < 840_000 and not _zombie(path)]


def table() -> str:
    """The table of README.md."""
    from genai_utils.records.table import markdown_table

    found = json.loads(RESULT.read_text(encoding="utf-8"))
    rows = [tuple(str(row[name]) for name in COLUMNS) for row in found["runs"]]
    made = "Measured on {date}: {hardware}; Python {python}.".format_map(found["made"])
    return f"{markdown_table(HEADS, rows)}\n\n{made}"


def main(arguments: list[str] | None = None) -> None:
    """Measure and write down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=200)
    parser.add_argument("--hostile", type=int, default=25)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--output", type=Path, default=RESULT)
    asked = parser.parse_args(arguments)
    made = {"date": date.today().isoformat(), "hardware": processor(), "python": platform.python_version()}
    found = {"made": made, "runs": [measure(asked.students, asked.hostile, asked.jobs)]}
    asked.output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _code(made: dict[str, Any]) -> tuple[str, ...]:
    return tuple("".join(cell["source"]) for cell in made["cells"] if cell["cell_type"] == "code")


def _folder(name: str, part: str) -> Path:
    (path := Path(name, part)).mkdir(exist_ok=True)
    return path


def _processes() -> Iterator[Path]:
    return (path for path in Path("/proc").glob("[0-9]*") if path.exists())


def _zombie(path: Path) -> bool:
    return ") Z " in (path / "stat").read_text(errors="replace")


if __name__ == "__main__":
    main()
