"""Grades a whole folder, several submissions at once, and only those that changed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue

from tools.grading.judge import Result, mark
from tools.grading.sandbox import HERE, Limits, Sandbox
from tools.grading.source import Source
from tools.grading.submissions import Submission


@dataclass(frozen=True)
class Batch:
    """How to grade.  salt: the teacher's secret.  out: where results are kept.  jobs: submissions at once."""

    source: Source
    salt: bytes
    out: Path
    jobs: int = 2
    trust: bool = False
    fresh: bool = False

    def run(self, submissions: list[Submission], told: Callable[[Result, bool], None]) -> list[Result]:
        """Results in the order of the submissions; told: called for each, and whether it was known before."""
        slots: SimpleQueue[int] = SimpleQueue()
        for slot in range(self.jobs):
            slots.put(slot)
        with ThreadPoolExecutor(self.jobs) as pool:
            found = pool.map(lambda each: self._settled(each, slots), submissions)
            return list(self._told(found, told))

    def path(self, student: str) -> Path:
        """Where a student's result is kept."""
        return self.out / "results" / f"{file_name(student)}.json"

    def sandbox(self, slot: int) -> Sandbox:
        """As the assignment wants it."""
        wanted = {
            name: self.source.settings[name]
            for name in ("memory", "processes", "load", "answer")
            if name in self.source.settings
        }
        limits = Limits(**{name: type(getattr(Limits, name))(value) for name, value in wanted.items()})
        return Sandbox(offers=self.source.listed("offers"), slot=slot, trust=self.trust, limits=limits)

    def _told(self, found: Iterator[tuple[Result, bool]], told: Callable[[Result, bool], None]) -> Iterator[Result]:
        for result, known in found:
            told(result, known)
            yield result

    def _settled(self, submission: Submission, slots: SimpleQueue[int]) -> tuple[Result, bool]:
        """The result as it is kept, if nothing changed; else a new one."""
        key = self._key(submission)
        kept = None if self.fresh else stored(self.path(submission.student))
        if kept and kept.key == key:
            return kept, True
        slot = slots.get()
        try:
            result = replace(self._marked(submission, self.sandbox(slot)), key=key)
        finally:
            slots.put(slot)
        self._keep(result)
        return result, False

    def _marked(self, submission: Submission, sandbox: Sandbox) -> Result:
        """A result, also when the grader itself fails: then it says so, and the others go on."""
        try:
            return mark(self.source, submission, self.salt, sandbox)
        except Exception as error:
            alarm = f"the grader failed: {type(error).__name__}: {error}"[:300]
            return Result(submission.student, submission.file, submission.digest, problem=alarm, alarm=alarm)

    def _keep(self, result: Result) -> None:
        path = self.path(result.student)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not result.alarm:  # what the grader failed at is tried again
            path.write_text(json.dumps(result.plain()), encoding="utf-8")

    def _key(self, submission: Submission) -> str:
        """What a grade depends on."""
        parts = [
            repr(submission),
            self.source.digest,
            hashlib.sha256(self.salt).hexdigest(),
            str(self.trust),
            _grader(),
        ]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def shard(submissions: list[Submission], part: str) -> list[Submission]:
    """Part k of n, written k/n.  Raises: ValueError."""
    found = re.fullmatch(r"(\d+)/(\d+)", part)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise ValueError(f"a shard is written 3/8, the third of eight, got {part!r}")
    return submissions[int(found[1]) - 1 :: int(found[2])]


def stored(path: Path) -> Result | None:
    """A result that was kept, or None."""
    try:
        return Result(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def file_name(student: str) -> str:
    """A name for a file that is only this student's, whatever he is called."""
    plain = re.sub(r"[^A-Za-z0-9-]", "-", student)[:60]
    return plain if plain == student else f"{plain}-{hashlib.sha256(student.encode()).hexdigest()[:8]}"


def _grader() -> str:
    """A hash of the grader."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(HERE.glob("*.py")))).hexdigest()
