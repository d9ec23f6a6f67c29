"""Grade what students handed in.

    python tools/grade.py SUBMISSIONS --assignment business-case

SUBMISSIONS holds a notebook, a zip file or a folder for each student, named as the student (up to the first
underscore). Each notebook runs in a sandbox without network and files, and answers questions; the hidden tests stay
outside. Into the folder of --out come grades.csv (Canvas), moodle.csv, a page of feedback for each student, items.csv
and similarity.csv. The same command once more grades only what changed. --shard 3/8 grades a part, on any machine that
sees the folder of --out; the command without it gathers all.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.grading import handout, report, similarity, viva
from tools.grading.batch import Batch, file_name, shard
from tools.grading.judge import Result
from tools.grading.sandbox import why_not
from tools.grading.source import ROOT, Source, load
from tools.grading.submissions import Submission, handed_in

SALT = ROOT / "assignments" / ".salt"
TELLS = 100  # pairs in the list of similarity


def main(arguments: list[str] | None = None) -> int:
    """Grade a folder.  Returns: 0; 1 if the teacher must look at something; 2 if nothing could be done."""
    asked = _parser().parse_args(arguments)
    try:
        batch, submissions = _prepared(asked)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    began = time.monotonic()
    results = batch.run(submissions, _tell)
    print(f"{len(results)} submissions in {time.monotonic() - began:.0f} s")
    if asked.shard:
        print("a part is graded; the command without --shard gathers all parts")
    else:
        report.write(asked.out, batch.source.title, results, _alike(batch, submissions))
        print(f"grades, feedback and statistics are in {asked.out}")
    if asked.viva:
        _write_viva(batch, submissions)
    return int(any(each.alarm for each in results))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("submissions", type=Path)
    parser.add_argument("--assignment", required=True, help="its name or number")
    parser.add_argument("--out", type=Path, default=Path("grades"), help="folder for results (grades)")
    parser.add_argument("--salt", type=Path, default=SALT, help="the secret with which the assignment was made")
    parser.add_argument("--jobs", type=int, default=2, help="submissions at once (2)")
    parser.add_argument("--shard", help="only a part: 3/8 is the third of eight")
    parser.add_argument("--viva", action="store_true", help="also write three questions for a talk with each student")
    parser.add_argument("--fresh", action="store_true", help="grade also what did not change")
    parser.add_argument(
        "--trust", action="store_true", help="run what students wrote without a sandbox: can do all you can"
    )
    return parser


def _prepared(asked: argparse.Namespace) -> tuple[Batch, list[Submission]]:
    """What to grade, and how.  Raises: ValueError, OSError: with what to do."""
    if asked.jobs < 1:
        raise ValueError(f"--jobs is 1 or more, got {asked.jobs}")
    source = load(asked.assignment)
    if not asked.submissions.is_dir():
        raise ValueError(f"{asked.submissions} is no folder of submissions")
    if not asked.trust and (reason := why_not()):
        raise ValueError(f"there is no sandbox: {reason}. --trust runs what students wrote with all your rights")
    batch = Batch(source, salt_of(asked.salt), asked.out, asked.jobs, asked.trust, asked.fresh)
    submissions = handed_in(asked.submissions)
    return batch, shard(submissions, asked.shard) if asked.shard else submissions


def salt_of(path: Path) -> bytes:
    """The teacher's secret.  Raises: ValueError: there is none."""
    if not path.is_file() or not path.read_bytes().strip():
        raise ValueError(f"{path} is missing: `python tools/assignments.py` writes it when it makes an assignment")
    return path.read_bytes().strip()


def _write_viva(batch: Batch, submissions: list[Submission]) -> None:
    """A page for each talk."""
    folder = batch.out / "viva"
    folder.mkdir(parents=True, exist_ok=True)
    for each in submissions:
        if not each.problem:
            text = viva.page(batch.source, each, batch.salt, batch.sandbox(0))
            (folder / f"{file_name(each.student)}.md").write_text(text, encoding="utf-8")
    print(f"questions for talks are in {folder}")


def _tell(result: Result, known: bool) -> None:
    """One line for whatever is not as usual."""
    if result.problem or result.alarm:
        print(f"{result.file}: {result.alarm or result.problem}{' (as before)' if known else ''}")


def _alike(batch: Batch, submissions: list[Submission]) -> list[tuple[str, str, str, str]]:
    """Pairs that are more alike than independent correct solutions."""
    found = similarity.pairs({each.student: _own(batch.source, each) for each in submissions if not each.problem})
    most = max(similarity.null(handout.solutions(batch.source), handout.handed_out(batch.source)), default=1.0)
    return [(f"{share:.2f}", a, b, f"{most:.2f}") for share, a, b in found[:TELLS] if share > most]


def _own(source: Source, submission: Submission) -> frozenset[int]:
    """What a student wrote himself."""
    return similarity.prints("\n".join(submission.code)) - similarity.prints(handout.handed_out(source))


if __name__ == "__main__":
    sys.exit(main())
