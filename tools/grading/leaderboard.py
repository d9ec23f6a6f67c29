"""A leaderboard that knows better from luckier: a record falls only to a gain with p < 0.01 over logged worlds.

Scores are lower for better models, and each world has its own. Where record and challenger were scored in the same
worlds, the test is a paired one, else Welch's. Who tries often is lucky once: p is multiplied by the number of a
student's tries.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

LEVEL = 0.01
LEAST = 5  # worlds


@dataclass(frozen=True)
class Entry:
    """One try.  digest: of what was handed in.  scores: by world; lower is better.  p: against the record then.

    tries: of this student, this one included.  why: it is no record; empty if it is one.
    """

    student: str
    digest: str
    scores: dict[str, float] = field(default_factory=dict)
    p: float = 1.0
    tries: int = 1
    why: str = ""

    @property
    def mean(self) -> float:
        """Over its worlds."""
        return mean(self.scores.values())


@dataclass
class Board:
    """All tries in order, the baseline first, which is the record to begin with."""

    log: list[Entry]

    @classmethod
    def of(cls, baseline: dict[str, float]) -> Board:
        """A board on which only the baseline stands.  Raises: ValueError: it has too few worlds."""
        if problem := unfit(baseline):
            raise ValueError(problem)
        return cls([Entry("baseline", "", baseline)])

    @property
    def records(self) -> list[Entry]:
        """The baseline and what was a record in its time; the last one holds."""
        return [each for each in self.log if not each.why]

    def knows(self, digest: str) -> bool:
        """Whether this was tried before."""
        return any(each.digest == digest for each in self.log)

    def tried(self, student: str, digest: str, scores: dict[str, float], problem: str = "") -> Entry:
        """Log a try, and say whether it is the new record.  problem: why there are no scores."""
        tries = 1 + sum(each.student == student for each in self.log)
        p = 1.0 if problem or unfit(scores) else p_value(self.records[-1].scores, scores)
        why = problem or unfit(scores) or _luck(p, tries)
        self.log.append(Entry(student, digest, scores, p, tries, why))
        return self.log[-1]

    def write(self, path: Path) -> None:
        """Keep the board, as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([asdict(each) for each in self.log], indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Board:
        """A board that was kept.  Raises: OSError; ValueError: it is none."""
        try:
            found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
            return cls([Entry(**each) for each in found])
        except TypeError as error:
            raise ValueError(f"{path} is no leaderboard") from error

    def table(self) -> str:
        """The records, the last first, as Markdown."""
        head = "| record | bits per pixel | worlds | p against the record before | tries |\n|---|---|---|---|---|\n"
        rows = [
            f"| {_plain(each.student)} | {each.mean:.4f} | {len(each.scores)} | {each.p:.2g} | {each.tries} |"
            for each in self.records[:0:-1]
        ]
        base = self.records[0]
        return "\n".join([head + f"| baseline | {base.mean:.4f} | {len(base.scores)} | | |", *rows]) + "\n"


def unfit(scores: dict[str, float]) -> str:
    """Why scores cannot be a record, whatever they are; empty if they can."""
    if len(scores) < LEAST:
        return f"a record is shown in at least {LEAST} worlds, and these are {len(scores)}"
    return "" if all(map(math.isfinite, scores.values())) else "a score is not finite"


def p_value(record: dict[str, float], challenger: dict[str, float]) -> float:
    """Chance of a mean gain like this, or more, if there is none; one-sided, paired where the worlds are the same.

    1 where scores do not differ, and where the same gain in each world leaves nothing to judge luck by.
    """
    from scipy import stats  # here: whoever only reads a board does without

    if record.keys() == challenger.keys():
        gains = [record[world] - challenger[world] for world in record]
        return float(stats.ttest_1samp(gains, 0.0, alternative="greater").pvalue) if _spread(gains) else 1.0
    pair = list(record.values()), list(challenger.values())
    if not any(map(_spread, pair)):
        return 1.0
    return float(stats.ttest_ind(*pair, equal_var=False, alternative="greater").pvalue)


def _luck(p: float, tries: int) -> str:
    """Why a p is too large; empty if it is not."""
    if p * tries < LEVEL:
        return ""
    times = f" times {tries} tries" if tries > 1 else ""
    return f"the gain may be luck: p is {p:.2g}{times}, and a record needs less than {LEVEL}"


def _spread(values: list[float]) -> bool:
    """Whether numbers differ by more than rounding does."""
    return max(values) - min(values) > 1e-12


def _plain(text: str) -> str:
    """Text that ends no cell of a table."""
    return text.replace("|", "/")
