"""Make an assignment for a class from its only source.

    python tools/assignments.py business-case --students ada,ben --out handed-out

writes a folder for each student with a notebook of his own and an AGENTS.md that says what an assistant may do
(--policy none, tutor or open), and the solved notebooks into the folder `teacher`. --students takes names, or a file
with one a line. What differs from student to student follows from a secret, assignments/.salt, which is made once:
keep it, since the grader needs it, and keep it to yourself.

--classroom adds to each folder what runs the public checks on GitHub. --gradescope OUT.zip writes the grader with this
assignment as an archive for Gradescope; --students is then the class that it knows, and may be left out.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.grading import autograder, handout
from tools.grading.batch import file_name
from tools.grading.judge import items
from tools.grading.source import ASSIGNMENTS, Source, load, variant

POLICIES = ("none", "tutor", "open")


def main(arguments: list[str] | None = None) -> int:
    """Write the folders.  Returns: 0, or 2 if nothing could be done."""
    asked = _parser().parse_args(arguments)
    try:
        students = names(asked.students) if asked.students or not asked.gradescope else []
        source, salt = load(asked.assignment), made_salt(asked.salt)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    for student in students:
        hand_out(source, salt, student, asked.out, asked.policy)
        if asked.classroom:
            autograder.classroom(asked.out / file_name(student))
    if students:
        print(f"{source.title}: {len(students)} notebooks are in {asked.out}, solved ones in {asked.out / 'teacher'}")
    if asked.gradescope:
        autograder.write(source, salt, students, asked.gradescope, asked.trust)
        print(f"{asked.gradescope} is for Gradescope; it holds your secret: give it to nobody else")
        if asked.trust:
            print(f"Where its container does not allow a sandbox, it goes without.\n{autograder.NOT_GUARANTEED}")
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
    parser.add_argument("--students", default="", help="names with commas between, or a file with one a line")
    parser.add_argument("--out", type=Path, default=Path("handed-out"), help="folder to write (handed-out)")
    parser.add_argument("--classroom", action="store_true", help="add a workflow that runs the public checks on GitHub")
    parser.add_argument("--gradescope", type=Path, metavar="OUT.zip", help="write an autograder for Gradescope")
    parser.add_argument("--trust", action="store_true", help="let that one go without a sandbox where there is none")
    parser.add_argument("--policy", choices=POLICIES, default="tutor", help="what an assistant may do (tutor)")
    parser.add_argument("--salt", type=Path, default=ASSIGNMENTS / ".salt", help="the secret (assignments/.salt)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
