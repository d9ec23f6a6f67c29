"""Who judges whose memo, and what the judges' points are worth.

The draw is fair: nobody gets his own memo, each memo gets as many judges as each judge gets memos, and where there are
five or more no two judge each other. It follows from the secret, so the same class gets the same draw. Points are made
comparable by the memos that the teacher marked, too: a judge who gives more than others is taken to mean less.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.grading.source import Source, secret

EACH = 2  # memos
MOST = 3.0  # points for a line of the rubric
STRICTER = 0.5  # variance of a judge's scatter over that of his bias: how many memos it takes to believe in a bias
TEACHER = 4.0  # a teacher's mark counts for so many of a judge


def rubric(source: Source) -> list[str]:
    """The lines that judges give points for.  Raises: ValueError: the assignment has none."""
    lines = [line.strip() for line in source.settings.get("rubric", "").split(";")]
    if not any(lines):
        raise ValueError(f"{source.title}: this assignment has no rubric for judges")
    return lines


def draw(authors: Sequence[str], salt: bytes, name: str, each: int = EACH) -> dict[str, list[str]]:
    """For each student the authors whose memos he judges.  Raises: ValueError: too few students, or one twice."""
    if len(set(authors)) != len(authors) or len(authors) <= each:
        raise ValueError(f"{each} memos for each need at least {each + 1} different students, got {len(authors)}")
    n, rng = len(authors), random.Random(secret(salt, "judges", name, *sorted(authors)))
    ring = rng.sample(sorted(authors), n)
    half = range(1, (n + 1) // 2)  # steps along a ring that never lead back
    steps = rng.sample(half if len(half) >= each else range(1, n), each)
    return {judge: [ring[(place + step) % n] for step in steps] for place, judge in enumerate(ring)}


def code(salt: bytes, name: str, author: str) -> str:
    """The name of a memo that tells nothing of its author."""
    return f"memo-{secret(salt, 'memo', name, author) % 16**8:08x}"


@dataclass(frozen=True)
class Combined:
    """What came out.  scores: by memo.  biases: of each judge, in points.  apart: memos on which judges differ much.

    agreement: root of the mean squared distance between a teacher's mark and what the judges alone would have given,
    after their biases, each mark left out in turn; None below three marks.
    """

    scores: dict[str, float]
    biases: dict[str, float]
    apart: list[str]
    agreement: float | None


def combined(given: Mapping[tuple[str, str], float], marks: Mapping[str, float], most: float) -> Combined:
    """Scores from points by (judge, memo) and a teacher's marks by memo; a mark, where there is one, is the score.

    Raises: ValueError: no points at all, or some outside of 0 to `most`.
    """
    if not given or not all(0 <= points <= most for points in [*given.values(), *marks.values()]):
        raise ValueError(f"points are from 0 to {most:g}, and at least one memo has some")
    worth, biases = _fitted(given, marks)
    scores = {memo: marks.get(memo, min(most, max(0.0, value))) for memo, value in worth.items()}
    judged: dict[str, list[float]] = {}
    for (judge, memo), points in given.items():
        judged.setdefault(memo, []).append(points - biases[judge])
    apart = sorted(memo for memo, some in judged.items() if max(some) - min(some) > most / 3 and memo not in marks)
    return Combined(scores | dict(marks), biases, apart, _agreement(given, marks))


def _agreement(given: Mapping[tuple[str, str], float], marks: Mapping[str, float]) -> float | None:
    """How far the judges are from marks that they are not calibrated with."""
    judged = [memo for memo in marks if any(memo == other for _, other in given)]
    if len(judged) < 3:
        return None
    rest = [{other: mark for other, mark in marks.items() if other != memo} for memo in judged]
    errors = [_fitted(given, some)[0][memo] - marks[memo] for memo, some in zip(judged, rest, strict=True)]
    return float((sum(error**2 for error in errors) / len(errors)) ** 0.5)


def _fitted(
    given: Mapping[tuple[str, str], float], marks: Mapping[str, float]
) -> tuple[dict[str, float], dict[str, float]]:
    """Worth of memos and biases of judges: points = worth + common bias + own bias, by least squares.

    Own biases are drawn towards nought; the common one is nought where the teacher marked nothing that was judged.
    """
    import numpy as np

    memos, judges = sorted({memo for _, memo in given}), sorted({judge for judge, _ in given})
    known = [memo for memo in memos if memo in marks]
    width = len(memos) + len(judges) + 1
    rows, right = [], []

    def row(entries: dict[int, float], value: float) -> None:
        line = np.zeros(width)
        line[list(entries)] = list(entries.values())
        rows.append(line)
        right.append(value)

    for (judge, memo), points in given.items():
        row({memos.index(memo): 1, len(memos) + judges.index(judge): 1, width - 1: 1}, points)
    for memo in known:
        row({memos.index(memo): TEACHER**0.5}, TEACHER**0.5 * marks[memo])
    for number in range(len(judges)):
        row({len(memos) + number: STRICTER**0.5}, 0.0)
    if not known:
        row({width - 1: 1e6}, 0.0)
    found = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0]
    common = float(found[-1])
    biases = {judge: common + float(found[len(memos) + number]) for number, judge in enumerate(judges)}
    return {memo: float(found[number]) for number, memo in enumerate(memos)}, biases
