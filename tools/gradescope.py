"""Grade the one submission of a Gradescope container: `run_autograder` calls this with the folder of the autograder.

It is packed, with the grader and one assignment, by `python tools/assignments.py NAME --gradescope OUT.zip`. Whatever
happens, it writes results/results.json.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.grading.autograder import ANSWERS, NOT_GUARANTEED, SETTINGS
from tools.grading.batch import Batch
from tools.grading.judge import Result, mark
from tools.grading.sandbox import why_not
from tools.grading.source import ROOT, load
from tools.grading.submissions import Submission, read


def main(arguments: list[str]) -> int:
    """Write the result.  Returns: 0; 1 if the teacher must look at something."""
    folder = Path(arguments[0])
    found, alarm = graded(folder)
    (folder / "results").mkdir(exist_ok=True)
    (folder / "results/results.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    if alarm:
        print(alarm, file=sys.stderr)
    return int(bool(alarm))


def graded(folder: Path) -> tuple[dict[str, Any], str]:
    """What Gradescope reads, and what only the teacher reads; never raises."""
    try:
        settings = json.loads((ROOT / SETTINGS).read_text(encoding="utf-8"))
        reason = why_not()
        if reason and not settings["trust"]:
            alarm = f"there is no sandbox: {reason}. An archive that was made with --trust goes without one"
            return _nothing("the grader could not start; tell your teacher"), alarm
        if reason:
            print(f"There is no sandbox: {reason}.\n{NOT_GUARANTEED}")
        source, metadata = load(settings["assignment"]), _metadata(folder)
        submission, remark = named(read(folder / "submission"), metadata, settings["students"], folder)
        print(remark)
        batch = Batch(source, (ROOT / "assignments/.salt").read_bytes().strip(), folder, trust=bool(reason))
        result = mark(source, submission, batch.salt, batch.sandbox(0))
        return answer(result), result.alarm
    except Exception as error:
        return _nothing("the grader failed; tell your teacher"), f"{type(error).__name__}: {error}"


def named(
    submission: Submission, metadata: dict[str, Any], students: list[str], folder: Path
) -> tuple[Submission, str]:
    """The submission under the name with which the assignment was made, and a remark for the teacher.

    Who hands in is known to Gradescope, not said by the file, so that nobody can take another's numbers; only where no
    name of the class fits is it that of the notebook.
    """
    users = [each for each in metadata.get("users", []) if isinstance(each, dict)]
    said = [str(user.get(key) or "") for user in users for key in ("email", "name", "sid")]
    known = {_same(each) for each in (*said, *(each.partition("@")[0] for each in said)) if each}
    fits = [student for student in students if _same(student) in known]
    if fits or (not students and said):
        student = fits[0] if fits else said[0].partition("@")[0].replace("_", "-")
        return replace(submission, student=student), f"graded as {student}, whom Gradescope names"
    files = sorted(path.stem for path in (folder / "submission").rglob("*.ipynb"))
    student = files[0].partition("_")[0] if files else "nobody"
    return replace(submission, student=student), f"nobody of the class is named by Gradescope: graded as {student}"


def answer(result: Result) -> dict[str, Any]:
    """A result as Gradescope shows it; what was printed by students' cells is text and nothing else."""
    tests = [
        {
            "name": item["title"], "score": item["points"], "max_score": item["most"],
            "output": item["comment"] or "it held", "output_format": "text", "visibility": "visible",
            "status": "failed" if item["comment"] else "passed",
        }
        for item in result.items
    ]  # fmt: skip
    errors = "\n".join(f"cell {cell}: {words}" for cell, words in result.errors.items())
    said = "\n".join(part for part in (ANSWERS, errors) if part)
    return {
        "score": result.points,
        "output": said,
        "output_format": "text",
        "stdout_visibility": "hidden",
        "tests": tests,
    }


def _nothing(why: str) -> dict[str, Any]:
    return {"score": 0, "output": why, "output_format": "text", "stdout_visibility": "hidden", "tests": []}


def _metadata(folder: Path) -> dict[str, Any]:
    """What Gradescope says of the submission; empty if it says nothing that can be read."""
    try:
        found = json.loads((folder / "submission_metadata.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _same(name: str) -> str:
    return name.casefold().replace("_", "-")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
