"""Questions for a talk about a submission: what changes if an input changes, with the answers computed."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

from tools.grading.channel import Ended
from tools.grading.judge import Ask
from tools.grading.sandbox import Sandbox
from tools.grading.source import Source, secret, solution, variant
from tools.grading.submissions import Submission
from tools.grading.values import Wrong

ASKED = 3


@dataclass(frozen=True)
class Question:
    """About a function.  change: in words.  inputs: from what is a student's own, the arguments before and after."""

    name: str
    change: str
    inputs: Callable[[dict[str, Any]], tuple[tuple[Any, ...], tuple[Any, ...]]]


def questions(source: Source) -> list[Question]:
    """All questions of an assignment, from its cells `viva`."""
    found: list[Question] = []

    def viva(name: str, change: str) -> Callable[[Any], Any]:
        return lambda inputs: found.append(Question(name, change, inputs))

    exec(compile(source.code("viva"), f"{source.name}, viva", "exec"), {"viva": viva})
    return found


def page(source: Source, submission: Submission, salt: bytes, sandbox: Sandbox) -> str:
    """Three questions about a student's own cells, for a talk; the same submission gets the same ones."""
    draw = random.Random(secret(salt, "viva", source.name, submission.student, submission.digest))
    known = questions(source)
    own, ask = variant(source, salt, submission.student), Ask(sandbox, submission.code)
    truth = SimpleNamespace(**solution(source, own))
    parts = [f"# {source.title}: {submission.student}\n"]
    for number, each in enumerate(draw.sample(known, min(ASKED, len(known))), start=1):
        parts.append(
            f"## {number}. `{each.name}`\n\n{_cell(submission, each.name)}\n\n{_asked(each, own, ask, truth)}\n"
        )
    ask.close()
    return "\n".join(parts)


def _cell(submission: Submission, name: str) -> str:
    """The student's last cell that defines a function, as code in Markdown that nothing in it can end."""
    cells = [code for code in submission.code if re.search(rf"^def {name}\(", code, re.MULTILINE)]
    code = cells[-1] if cells else "# there is no such function"
    return "\n".join(f"    {line}" for line in code.splitlines())


def _asked(question: Question, own: dict[str, Any], ask: Ask, truth: Any) -> str:
    """The question, and below it what the student's function and the solution say."""
    before, after = question.inputs(own)
    theirs = [_said(partial(ask, question.name, *given)) for given in (before, after)]
    ours = [_said(partial(getattr(truth, question.name), *given)) for given in (before, after)]
    answer = f"This notebook: {theirs[0]} becomes {theirs[1]}. The solution: {ours[0]} becomes {ours[1]}."
    return f"What changes, and why, if {question.change}? From {before} to {after}.\n\n*{answer}*"


def _said(answer: Callable[[], Any]) -> str:
    """A number, or the sum of several; why there is none."""
    try:
        found = answer()
        found = found.tolist() if hasattr(found, "tolist") else found
        return f"{0.0 + (sum(found) if isinstance(found, list | tuple) else found):,.4g}"
    except (Wrong, Ended) as error:
        return f"nothing ({error})"
    except (TypeError, ValueError):
        return "no number"
