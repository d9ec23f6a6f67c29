"""Marks one submission: hidden tests run here, outside, and ask the student's functions about inputs chosen now."""

from __future__ import annotations

import builtins
import math
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from types import SimpleNamespace
from typing import Any

from tools.grading.channel import Channel, Ended
from tools.grading.runner import plain
from tools.grading.sandbox import Sandbox
from tools.grading.source import Source, secret, solution, variant
from tools.grading.submissions import Submission
from tools.grading.values import Wrong, finite, read

STARTS = 4  # of the notebook, when a question stopped it


@dataclass(frozen=True)
class Item:
    """A hidden test.  test: of a way to ask, a source of chance, what the student has of his own, and the solution."""

    title: str
    points: float
    test: Callable[[Ask, random.Random, dict[str, Any], Any], None]


@dataclass
class Result:
    """What became of a submission.  items: title, points, most and comment of each hidden test.

    problem: why nothing could be graded.  alarm: what the teacher must look at, since the grader itself failed.
    """

    student: str
    file: str
    digest: str
    items: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""
    alarm: str = ""
    log: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    key: str = ""

    @property
    def points(self) -> float:
        """Of all items."""
        return float(sum(item["points"] for item in self.items))

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


class Ask:
    """Questions about one notebook, which is started when it is first needed, and again if a question stopped it."""

    def __init__(self, sandbox: Sandbox, code: tuple[str, ...]) -> None:
        self.sandbox, self.code, self.left = sandbox, code, STARTS
        self.channel: Channel | None = None
        self.said: dict[str, Any] = {}

    def start(self) -> None:
        """Run the notebook's cells.  Raises: Ended: that took too long, or too much."""
        if self.left <= 0:
            raise Ended("the notebook was stopped too often")
        self.left -= 1
        channel = self.sandbox.start()
        answer = channel.ask({"ask": "load", "with": [list(self.code)]}, self.sandbox.limits.load)
        self.channel, self.said = channel, self.said or answer

    def __call__(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """What a function of the notebook returns, whatever it is.  Raises: Wrong, Ended."""
        return read(self._called(name, args, kwargs))

    def within(self, cores: float, name: str, *args: Any) -> Any:
        """What a function returns that may use so many core-seconds.  Raises: Wrong; Ended: it used more."""
        return read(self._called(name, args, {}, cores))

    def number(self, name: str, *args: Any, infinite: bool = False, **kwargs: Any) -> float:
        """The number that a function returns.  Raises: Wrong: it is none; Ended."""
        return _number(f"{name}(...)", self(name, *args, **kwargs), infinite)

    def numbers(self, name: str, *args: Any, **kwargs: Any) -> list[float]:
        """The finite numbers that a function returns, in a list or an array of one axis.  Raises: Wrong, Ended."""
        found = self(name, *args, **kwargs)
        found = found.tolist() if hasattr(found, "tolist") else found
        if not isinstance(found, list):
            raise Wrong(f"{name}(...) must return a list of numbers")
        return [_number(f"{name}(...)", each, False) for each in found]

    def array(self, name: str, *args: Any, shape: tuple[int, ...]) -> Any:
        """The array of finite numbers that a function returns, or lists for one.  Raises: Wrong, Ended."""
        return _array(f"{name}(...)", self(name, *args), shape)

    def value(self, name: str, shape: tuple[int, ...] | None = None) -> Any:
        """What a name stands for.  shape: of an array of numbers that it must be, () of one.  Raises: Wrong, Ended."""
        found = read(self._answer("value", name))
        return finite(found) if shape is None else _array(name, found, shape)

    def refuses(self, name: str, *args: Any, **kwargs: Any) -> bool:
        """Whether a function raises ValueError.  Raises: Wrong: another error; Ended."""
        try:
            self(name, *args, **kwargs)
        except Raised as error:
            if "ValueError" in error.names:
                return True
            raise
        return False

    def close(self) -> None:
        """Stop the notebook."""
        if self.channel:
            self.channel.close()

    def _called(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], cores: float | None = None) -> Any:
        """Ask a function; arrays go as arrays."""
        given = [plain(each) for each in args], {key: plain(each) for key, each in kwargs.items()}
        return self._answer("call", name, *given, cores=cores)

    def _answer(self, *question: Any, cores: float | None = None) -> Any:
        if not self.channel:
            self.start()
        assert self.channel
        seconds = self.sandbox.limits.answer + 4 * (cores or 0)  # by the clock on the wall: the machine may be busy
        try:
            answer = self.channel.ask({"ask": question[0], "with": question[1:]}, seconds, cores)
        except Ended:
            self.channel = None
            raise
        if "raised" in answer:
            raise Raised(str(question[1]), answer["raised"])
        return answer.get("value")


class Raised(Wrong):
    """The student's function raised an error.  names: of its class and of those above it, as far as Python has them."""

    def __init__(self, name: str, names: Any) -> None:
        known = [each for each in names if hasattr(builtins, str(each))] if isinstance(names, list) else []
        self.names = [str(each) for each in known[:10]]
        first = (self.names or ["an error"])[0]
        missing = f"{name} is not there, or uses a name that is not"
        words = {"NotImplementedError": f"{name} is not written yet", "NameError": missing}
        super().__init__(words.get(first, f"{name} raised {first}"))


def close(x: float, y: float, rel: float = 1e-6, near_zero: float = 1e-9) -> bool:
    """Whether two numbers are the same but for rounding."""
    return math.isclose(x, y, rel_tol=rel, abs_tol=near_zero)


def items(source: Source) -> list[Item]:
    """The hidden tests of an assignment, in order."""
    found: list[Item] = hidden_names(source)["items"]
    return found


def hidden_names(source: Source) -> dict[str, Any]:
    """The names that the cells of hidden tests make, and the tests as `items`."""
    found: list[Item] = []

    def hidden(title: str, points: float) -> Callable[[Any], Any]:
        return lambda test: found.append(Item(title, points, test))

    names = {"hidden": hidden, "close": close, "math": math, "random": random, "Wrong": Wrong, "items": found}
    exec(compile(source.code("hidden"), f"{source.name}, hidden tests", "exec"), names)
    return names


def mark(source: Source, submission: Submission, salt: bytes, sandbox: Sandbox) -> Result:
    """Grade a submission; never raises because of it."""
    began, result = time.monotonic(), Result(submission.student, submission.file, submission.digest)
    result.problem, result.words = submission.problem, dict(submission.words)
    ask = Ask(sandbox, submission.code)
    try:
        if not result.problem:
            ask.start()
            result.log, result.errors = _said(ask.said)
    except Ended as ended:
        result.problem = f"while its cells ran: {ended}"
    result.items = _marked(source, submission, salt, ask, result)
    ask.close()
    result.seconds = round(time.monotonic() - began, 2)
    return result


def _marked(source: Source, submission: Submission, salt: bytes, ask: Ask, result: Result) -> list[dict[str, Any]]:
    """Points and a comment for each hidden test."""
    own = variant(source, salt, submission.student)
    truth, marks = SimpleNamespace(**solution(source, own)), []
    for item in items(source):
        seed = secret(salt, "inputs", source.name, submission.student, submission.digest, item.title)
        comment = result.problem or _comment(item, (ask, random.Random(seed), own, truth), result)
        points = 0.0 if comment else item.points
        marks.append({"title": item.title, "points": points, "most": item.points, "comment": comment})
    return marks


def _comment(item: Item, given: tuple[Any, ...], result: Result) -> str:
    """Why a test failed; empty if it held."""
    try:
        item.test(*given)
    except (Wrong, Ended) as error:
        return str(error)
    except AssertionError as error:
        return str(error) or "not so"
    except Exception as error:
        result.alarm = f"the hidden test {item.title!r} itself failed: {type(error).__name__}: {error}"[:300]
        return "the answer has another form than expected"
    return ""


def _number(name: str, found: Any, infinite: bool) -> float:
    """A number, or Wrong."""
    if found is None:
        raise Wrong(f"{name} returns nothing")
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise Wrong(f"{name} must be a number")
    return float(found) if infinite and not math.isnan(found) else float(finite(found))


def _array(name: str, found: Any, shape: tuple[int, ...]) -> Any:
    """An array of this shape with finite numbers, or Wrong."""
    import numpy  # here: an assignment without arrays is graded without numpy

    try:
        made = numpy.asarray(found, dtype=float)
    except (TypeError, ValueError) as error:
        raise Wrong(f"{name} must be an array of numbers") from error
    if made.shape != shape:
        raise Wrong(f"{name} must have the shape {shape}, and has {made.shape}")
    return finite(made)


def _said(answer: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """Log and errors of the cells, which are nothing but words."""
    log, errors = answer.get("log"), answer.get("errors")
    pairs = errors.items() if isinstance(errors, dict) else ()
    kept = {str(cell)[:6]: str(words)[:500] for cell, words in list(pairs)[:1000]}
    return str(log or "")[:20_000], kept
