"""Let students judge each other's memos, and make of their points and yours one score for each memo.

    python tools/peers.py SUBMISSIONS --assignment investment-memo              # deal
    python tools/peers.py SUBMISSIONS --assignment investment-memo --marks marks.csv  # gather

The first writes into the folder of --out a folder for each student, with two memos of others under names that tell
nothing and a form, `review.csv`, and for you `key.csv`, which says whose memo is whose, and `marks.csv`, in which
you give points to some memos (a fifth of them will do). When the forms are back in these folders, the second writes
`scores.csv` and `judges.csv`: what each memo is worth, which of them to look at, and how generous each judge is.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.grade import SALT, salt_of
from tools.grading import peers
from tools.grading.batch import file_name
from tools.grading.report import table
from tools.grading.source import Source, load, secret
from tools.grading.submissions import Submission, handed_in

FORM = "review.csv"
LONGEST = 100_000  # characters of a form


def main(arguments: list[str] | None = None) -> int:
    """Deal or gather.  Returns: 0, or 2 if nothing could be done."""
    asked = _parser().parse_args(arguments)
    try:
        source, salt = load(asked.assignment), salt_of(asked.salt)
        if asked.marks:
            gather(source, salt, memos(asked.submissions), asked.out, asked.marks)
        else:
            deal(source, salt, memos(asked.submissions), asked.out)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def memos(folder: Path) -> dict[str, str]:
    """The memo of each student who wrote one.  Raises: ValueError: no such folder."""
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder of submissions")
    found = {each.student: _memo(each) for each in handed_in(folder)}
    return {student: memo for student, memo in found.items() if memo}


def deal(source: Source, salt: bytes, texts: dict[str, str], out: Path) -> None:
    """Write what each judge reads and fills in, and the teacher's key.  Raises: ValueError."""
    lines, names = peers.rubric(source), {author: peers.code(salt, source.name, author) for author in texts}
    for judge, authors in peers.draw(list(texts), salt, source.name).items():
        folder = out / file_name(judge)
        folder.mkdir(parents=True, exist_ok=True)
        for author in authors:
            (folder / f"{names[author]}.txt").write_text(texts[author] + "\n", encoding="utf-8")
        form = [(names[author], line, "", "") for author in authors for line in lines]
        if not (folder / FORM).exists():  # which may be filled in already
            table(folder / FORM, [("memo", "line", f"points, 0 to {peers.MOST:g}", "why"), *form])
    rows = sorted((name, author) for author, name in names.items())
    table(out / "key.csv", [("memo", "author"), *rows])
    fifth = random.Random(secret(salt, "marks", source.name)).sample(rows, max(3, len(rows) // 5))
    if not (out / "marks.csv").exists():
        head = ("memo", f"points, 0 to {peers.MOST * len(lines):g}", "text")
        table(out / "marks.csv", [head, *((name, "", texts[author]) for name, author in fifth)])
    print(f"{len(texts)} memos are dealt to {out}; marks.csv there asks you for {len(fifth)} marks")


def gather(source: Source, salt: bytes, texts: dict[str, str], out: Path, marks: Path) -> None:
    """Write scores and judges.  Raises: ValueError: no form is filled in, or a mark is out of range."""
    lines, drawn = peers.rubric(source), peers.draw(list(texts), salt, source.name)
    names = {author: peers.code(salt, source.name, author) for author in texts}
    most, given, faults = peers.MOST * len(lines), {}, 0
    for judge, authors in drawn.items():
        form = _read(out / file_name(judge) / FORM)
        for name in (names[author] for author in authors):
            points = _points([row[2] for row in form if row[:1] == [name] and len(row) > 2], len(lines))
            if points is None:
                faults += 1
                print(f"{judge}: no full points for {name}")
            else:
                given[judge, name] = points
    known = {row[0]: float(row[1]) for row in _read(marks)[1:] if len(row) > 1 and row[1].strip()}
    found = peers.combined(given, known, most)
    author_of = {name: author for author, name in names.items()}
    rows = []
    for name, score in sorted(found.scores.items()):
        remark = "look at it: judges differ" if name in found.apart else ""
        rows.append((author_of.get(name, "?"), name, f"{score:.1f}", "teacher" if name in known else "judges", remark))
    table(out / "scores.csv", [("Student", "memo", f"points of {most:g}", "from", "remark"), *rows])
    table(out / "judges.csv", [("Student", "gives more by"), *((j, f"{b:.2f}") for j, b in found.biases.items())])
    far = "unknown: mark at least 3" if found.agreement is None else f"{found.agreement:.1f} of {most:g} points"
    print(f"{len(rows)} memos have scores, {faults} judgements are missing; judges are off your marks by {far}")


def _memo(submission: Submission) -> str:
    """The answer in words that is called memo."""
    return dict(submission.words).get("memo", "") if not submission.problem else ""


def _points(said: Sequence[str], lines: int) -> float | None:
    """The sum over the rubric's lines, or None where one is missing or is none."""
    try:
        points = [float(each.replace(",", ".")) for each in said]
    except ValueError:
        return None
    full = len(points) == lines and all(0 <= each <= peers.MOST for each in points)
    return sum(points) if full else None


def _read(path: Path) -> list[list[str]]:
    """Rows of a form that came back; none if it is missing."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return list(csv.reader(_lines(file.read(LONGEST))))


def _lines(text: str) -> Iterable[str]:
    return text.replace("\0", "").splitlines(keepends=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("submissions", type=Path)
    parser.add_argument("--assignment", required=True, help="its name or number")
    parser.add_argument(
        "--out", type=Path, default=Path("grades/peers"), help="folder for memos and forms (grades/peers)"
    )
    parser.add_argument("--marks", type=Path, help="gather, with your points for some memos in this file")
    parser.add_argument("--salt", type=Path, default=SALT, help="the secret with which the assignment was made")
    return parser


if __name__ == "__main__":
    sys.exit(main())
