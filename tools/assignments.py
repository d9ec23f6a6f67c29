"""Make an assignment for a class from its only source.

    python tools/assignments.py business-case --students ada,ben --out handed-out

writes a folder for each student with a notebook of his own and an AGENTS.md that says what an assistant may do
(--policy none, tutor or open), and the solved notebooks into the folder `teacher`. --students takes names, or a file
with one a line. What differs from student to student follows from a secret, assignments/.salt, which is made once:
keep it, since the grader needs it, and keep it to yourself.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.grading import handout
from tools.grading.batch import file_name
from tools.grading.judge import items
from tools.grading.source import ASSIGNMENTS, Source, load, variant

POLICIES = ("none", "tutor", "open")


def main(arguments: list[str] | None = None) -> int:
    """Write the folders.  Returns: 0, or 2 if nothing could be done."""
    asked = _parser().parse_args(arguments)
    try:
        source, students, salt = load(asked.assignment), names(asked.students), made_salt(asked.salt)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    for student in students:
        hand_out(source, salt, student, asked.out, asked.policy)
    print(f"{source.title}: {len(students)} notebooks are in {asked.out}, solved ones in {asked.out / 'teacher'}")
    return 0


def names(said: str) -> list[str]:
    """Students, from a file with one a line or a list with commas.  Raises: ValueError: an underscore, or none."""
    text = Path(said).read_text(encoding="utf-8") if Path(said).is_file() else said.replace(",", "\n")
    found = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    odd = [name for name in found if "_" in name or "/" in name or name == "teacher"]
    if odd or not found:
        raise ValueError(f"a student has a name without _ and /, and not 'teacher'; got {', '.join(odd) or 'nobody'}")
    return found


def made_salt(path: Path) -> bytes:
    """The secret, which is made if it is missing."""
    if not path.exists():
        path.write_text(secrets.token_hex(32), encoding="utf-8")
        path.chmod(0o600)
    return path.read_bytes().strip()


def hand_out(source: Source, salt: bytes, student: str, out: Path, policy: str) -> None:
    """The folder of one student, and the teacher's copy."""
    own, folder = variant(source, salt, student), out / file_name(student)
    handout.write(folder / f"{student}_{source.name}.ipynb", handout.student(source, own, len(items(source))))
    handout.write(out / "teacher" / f"{student}_{source.name}.ipynb", handout.teacher(source, own))
    shutil.copyfile(ASSIGNMENTS / "policies" / f"{policy}.md", folder / "AGENTS.md")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("assignment", help="its name or number")
    parser.add_argument("--students", required=True, help="names with commas between, or a file with one a line")
    parser.add_argument("--out", type=Path, default=Path("handed-out"), help="folder to write (handed-out)")
    parser.add_argument("--policy", choices=POLICIES, default="tutor", help="what an assistant may do (tutor)")
    parser.add_argument("--salt", type=Path, default=ASSIGNMENTS / ".salt", help="the secret (assignments/.salt)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
