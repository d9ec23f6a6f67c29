"""Questions to a process that may lie, stall, flood or die, and what it answers."""

from __future__ import annotations

import json
import os
import secrets
import selectors
import subprocess
import time
from typing import Any

from tools.grading.cgroups import Group
from tools.grading.processes import Meter, family, memory, stop

LONGEST = 6_000_000  # bytes of an answer: 4 MB of numbers as text
LOOK = 0.2  # seconds between two looks at the memory


class Ended(Exception):
    """The process cannot be asked any more; says why, in words for a student."""


class Channel:
    """One process, its questions in and its answers out.  most: bytes of memory.  processes: it may have."""

    def __init__(self, process: subprocess.Popen[bytes], most: int, processes: int) -> None:
        self.process, self.most = process, most
        self.group = Group(most, processes)
        self.rest = b""
        self.budget: tuple[Meter, float] | None = None
        assert process.stdin and process.stdout
        self.questions, self.answers = process.stdin.fileno(), process.stdout.fileno()
        os.set_blocking(self.answers, False)
        os.set_blocking(self.questions, False)

    def hold(self, pids: list[int]) -> None:
        """Put processes under the limits of a group, where there are such."""
        self.group.hold(pids)

    def ask(self, question: dict[str, Any], seconds: float, cores: float | None = None) -> dict[str, Any]:
        """The answer to one question.  cores: core-seconds that it may use, if they are counted.

        Raises: Ended: none came in time, or none that fits; the process is stopped.
        """
        nonce = secrets.token_hex(16)
        self.budget = None if cores is None else (Meter(self.process.pid), cores)
        try:
            end = time.monotonic() + seconds
            self._send((json.dumps({"nonce": nonce} | question) + "\n").encode(), end, seconds)
            line = self._line(end, seconds)
            self._account()
            return _answer(line, nonce)
        except Ended:
            self.close()
            raise

    def close(self) -> None:
        """Stop the process and all that it started."""
        stop(self.process)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()
        self.group.close()

    def _send(self, data: bytes, end: float, seconds: float) -> None:
        while data:
            try:
                data = data[os.write(self.questions, data) :]
            except BlockingIOError:
                self._wait(selectors.EVENT_WRITE, end, seconds)
            except OSError as error:
                raise Ended("the notebook's process had ended") from error

    def _line(self, end: float, seconds: float) -> bytes:
        """The next line; whatever came before it is a line, too, and no answer."""
        while b"\n" not in self.rest:
            self._wait(selectors.EVENT_READ, end, seconds)
            try:
                more = os.read(self.answers, 1 << 16)
            except BlockingIOError:
                continue
            if not more:
                raise Ended("the notebook's process ended by itself, or was stopped at a limit")
            self.rest += more
            if len(self.rest) > LONGEST:
                raise Ended(f"the answer was longer than {LONGEST:,} bytes")
        line, _, self.rest = self.rest.partition(b"\n")
        return line

    def _wait(self, event: int, end: float, seconds: float) -> None:
        """Wait until the pipe is ready, and look at the memory meanwhile."""
        with selectors.DefaultSelector() as ready:
            ready.register(self.answers if event == selectors.EVENT_READ else self.questions, event)
            while True:
                left = end - time.monotonic()
                if left <= 0:
                    raise Ended(f"no answer within {seconds:g} seconds")
                if ready.select(min(LOOK, left)):
                    return
                self._account()
                if memory(family(self.process.pid)) > self.most:
                    raise Ended(f"it took more than {self.most >> 20:,} MB of memory")

    def _account(self) -> None:
        """Raises: Ended: the question has used more than its core-seconds."""
        if self.budget and self.budget[0].used() > self.budget[1]:
            raise Ended(f"it used more than {self.budget[1]:g} core-seconds")


def _answer(line: bytes, nonce: str) -> dict[str, Any]:
    """What a line says.  Raises: Ended: no JSON, or the answer to no question of ours."""
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Ended("what came was no answer") from error
    if not isinstance(answer, dict) or answer.get("nonce") != nonce:
        raise Ended("what came was the answer to no question of the grader")
    return answer
