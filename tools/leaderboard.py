"""Score what students handed in on a leaderboard, and take a record only where it is no luck.

    python tools/leaderboard.py SUBMISSIONS --assignment train-under-budget

Each submission that is new trains in the sandbox, within its budget of core-seconds, in the same ten worlds, which
follow from the secret with which the assignment was made; the earliest file comes first. The file of --board keeps
every try with its scores by world; beside it a table of records is written (.md).
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.grade import SALT, salt_of
from tools.grading.batch import Batch
from tools.grading.channel import Ended
from tools.grading.judge import Ask, hidden_names
from tools.grading.leaderboard import Board
from tools.grading.sandbox import Sandbox, why_not
from tools.grading.source import Source, load, secret, solution, variant
from tools.grading.submissions import Submission, handed_in
from tools.grading.values import Wrong

WORLDS = 10


def main(arguments: list[str] | None = None) -> int:
    """Score a folder.  Returns: 0, or 2 if nothing could be done."""
    asked = _parser().parse_args(arguments)
    try:
        contest = Contest(load(asked.assignment), salt_of(asked.salt), asked.worlds, asked.trust)
        board = Board.read(asked.board) if asked.board.exists() else Board.of(contest.baseline())
        submissions = by_time(asked.submissions)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    for each in submissions:
        if each.problem:
            print(f"{each.file}: {each.problem}")
        elif not board.knows(each.digest):
            entry = board.tried(each.student, each.digest, *contest.scored(each))
            board.write(asked.board)
            print(f"{each.student}: {entry.why or f'the new record, {entry.mean:.4f} bits per pixel'}")
    board.write(asked.board)
    asked.board.with_suffix(".md").write_text(board.table(), encoding="utf-8")
    print(
        f"{len(board.records) - 1} records in {len(board.log) - 1} tries; the table is {asked.board.with_suffix('.md')}"
    )
    return 0


class Contest:
    """An assignment in so many worlds; its hidden cells have the functions `measured` and `baseline`.

    Raises: ValueError: it has none, or there is no sandbox and no trust.
    """

    def __init__(self, source: Source, salt: bytes, worlds: int = WORLDS, trust: bool = False) -> None:
        self.names: dict[str, Any] = hidden_names(source)
        if "measured" not in self.names:
            raise ValueError(f"{source.title}: this assignment has no leaderboard")
        if not trust and (reason := why_not()):
            raise ValueError(f"there is no sandbox: {reason}. --trust runs what students wrote with all your rights")
        self.sandbox: Sandbox = Batch(source, salt, Path(), trust=trust).sandbox(0)
        self.truth = SimpleNamespace(**solution(source, variant(source, salt, "leaderboard")))
        seeds = (secret(salt, "leaderboard", source.name, str(number)) for number in range(worlds))
        self.worlds = {f"world {number}": seed % 2**128 for number, seed in enumerate(seeds, start=1)}

    def baseline(self) -> dict[str, float]:
        """The scores of the baseline, which needs no sandbox."""
        return {name: float(self.names["baseline"](self.truth, seed)) for name, seed in self.worlds.items()}

    def scored(self, submission: Submission) -> tuple[dict[str, float], str]:
        """Scores by world, or none and why."""
        ask = Ask(self.sandbox, submission.code)
        try:
            return {name: float(self.names["measured"](ask, self.truth, seed)[0]) for name, seed in self.shuffled()}, ""
        except (Wrong, Ended) as error:
            return {}, str(error)
        finally:
            ask.close()

    def shuffled(self) -> list[tuple[str, int]]:
        """The worlds in an order that nobody can foresee, so that no submission can tell which one is asked."""
        return random.SystemRandom().sample(list(self.worlds.items()), len(self.worlds))


def by_time(folder: Path) -> list[Submission]:
    """Submissions, the earliest first.  Raises: ValueError: there is no such folder."""
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder of submissions")
    return sorted(handed_in(folder), key=lambda each: _time(folder / each.file))


def _time(path: Path) -> float:
    return path.lstat().st_mtime if path.exists() else 0.0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("submissions", type=Path)
    parser.add_argument("--assignment", required=True, help="its name or number")
    parser.add_argument("--board", type=Path, default=Path("grades/leaderboard.json"), help="where all tries are kept")
    parser.add_argument("--worlds", type=int, default=WORLDS, help=f"in which each is scored ({WORLDS})")
    parser.add_argument("--salt", type=Path, default=SALT, help="the secret with which the assignment was made")
    parser.add_argument(
        "--trust", action="store_true", help="without a sandbox: what students wrote can do all you can"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
