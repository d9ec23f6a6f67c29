"""Make an exam bank: forty questions with numbers drawn at random and answers by code.

    python tools/exam.py exam --copies 10

writes moodle.xml (Moodle: import in "Moodle XML format"), canvas.zip (Canvas: import as "QTI .zip file"; each student
gets one copy of each question) and paper.md, one copy of each question for a room without computers, its solutions at
the end. Numbers follow from the secret of the assignments, assignments/.salt. --chapters takes the questions of
some chapters only.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.assignments import ASSIGNMENTS, made_salt
from tools.exams import business, models, moodle, qti
from tools.exams.question import BANK, Question

assert business and models  # their questions are in BANK now


def main(arguments: list[str] | None = None) -> int:
    """Write the bank.  Returns: 0; 2 if nothing could be done."""
    asked = _parser().parse_args(arguments)
    try:
        bank = chosen(asked.chapters)
        write(asked.out, bank, made_salt(asked.salt), asked.copies)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{len(bank)} questions, {asked.copies} copies each, in {asked.out}")
    return 0


def chosen(chapters: Sequence[str]) -> list[Question]:
    """The questions of some chapters; of all, if none is named.  Raises: ValueError."""
    known = {question.chapter for question in BANK}
    if strange := set(chapters) - known:
        raise ValueError(f"no question is about {', '.join(sorted(strange))}, but about {', '.join(sorted(known))}")
    return [question for question in BANK if not chapters or question.chapter in chapters]


def write(out: Path, bank: Sequence[Question], salt: bytes, copies: int) -> None:
    """Write all three forms into a folder."""
    if copies < 1:
        raise ValueError(f"copies must be 1 or more, got {copies}")
    out.mkdir(parents=True, exist_ok=True)
    (out / "moodle.xml").write_text(moodle.document(bank, salt, copies), encoding="utf-8")
    qti.write(out / "canvas.zip", bank, salt, copies)
    (out / "paper.md").write_text(paper(bank, salt), encoding="utf-8")


def paper(bank: Sequence[Question], salt: bytes) -> str:
    """One copy of each question, and at the end the answers."""
    copies = [(question.title, question.draw(salt, 0)) for question in bank]
    asked = [f"{i}. **{title}** – {copy.text}" for i, (title, copy) in enumerate(copies, 1)]
    answers = [f"{i}. {copy.answer:.4g} = {copy.worked}" for i, (_, copy) in enumerate(copies, 1)]
    return "\n\n".join(["# Questions", *asked, "# Solutions", *answers]) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("out", type=Path, help="the folder to write")
    parser.add_argument("--copies", type=int, default=10, help="copies of each question, with other numbers (10)")
    parser.add_argument("--salt", type=Path, default=ASSIGNMENTS / ".salt", help="the secret (assignments/.salt)")
    parser.add_argument("--chapters", nargs="+", default=[], metavar="NAME", help="only questions of these chapters")
    return parser


if __name__ == "__main__":
    sys.exit(main())
