"""An assignment's only source: `assignments/NAME.md`, from which all that students and graders see is made.

It is a text with cells, like a chapter. Comments take parts of the chapters, so that no second text can drift:

    <!-- exercise: unit-economics 4 -->          the words of that exercise
    <!-- task: unit-economics usd_per_million -->  that function of the chapter: students get its head, the solution it
    <!-- given: language-models merged -->       that function, handed out as it is
    <!-- mend: value-and-bubbles worth -->       that function: students get it with one of the bugs of the next cell
    <!-- answer: memo -->                        a cell for an answer in words, which people read

and cells have a tag: `task` (written here, handed out without its inside), `mend` (written here, handed out with one of
the `bugs`), `predict` (a guess before a run), `given` (handed out as it is), `public` (checks that students run),
`hidden` (tests that never leave the grader), `viva` (questions for a talk) and `variant` (what differs from student to
student; {{name}} in the text stands for it).
"""

from __future__ import annotations

import ast
import hashlib
import hmac
import random
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS, ASSIGNMENTS = ROOT / "book/chapters", ROOT / "assignments"
CELL = re.compile(r"^```python(?: tags=\[([^\]]*)\])?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HEAD = re.compile(r"---\n(.*?)\n---\n+", re.DOTALL)
TAKEN = re.compile(r"^<!-- (exercise|task|given|mend): (\S+) (\S+) -->$")
ANSWER = re.compile(r"^<!-- answer: (\S+) -->$")
BLANK = re.compile(r"\{\{(\w+)\}\}")
TAGS = ("task", "mend", "bugs", "predict", "given", "public", "hidden", "variant", "viva")


@dataclass(frozen=True)
class Part:
    """A piece of an assignment.  kind: "text", "answer" (in words), "mend", or the tag of a cell."""

    kind: str
    text: str


@dataclass(frozen=True)
class Source:
    """An assignment, read.  settings: its front matter.  parts: in order."""

    name: str
    settings: dict[str, str]
    parts: tuple[Part, ...]
    digest: str
    bugs: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Its first heading."""
        return next(line[2:] for part in self.parts for line in part.text.splitlines() if line.startswith("# "))

    def code(self, *kinds: str) -> str:
        """All cells of these kinds, as the solution has them."""
        return "\n\n".join(part.text for part in self.parts if part.kind in kinds)

    def listed(self, name: str) -> tuple[str, ...]:
        """A setting that is a list of words."""
        return tuple(self.settings.get(name, "").split())


def names() -> dict[str, str]:
    """The names of all assignments, by their numbers and by their names."""
    found: dict[str, str] = {}
    for path in sorted(ASSIGNMENTS.glob("*.md")):
        settings, _ = _parted(path.read_text(encoding="utf-8"))
        found |= {path.stem: path.stem, settings.get("number", path.stem): path.stem}
    return found


def load(name: str) -> Source:
    """An assignment by its name or number.  Raises: ValueError: there is none; names all."""
    known = names()
    if name not in known:
        raise ValueError(f"there is no assignment {name!r}; there are {', '.join(sorted(set(known.values())))}")
    return parse(known[name], (ASSIGNMENTS / f"{known[name]}.md").read_text(encoding="utf-8"))


def parse(name: str, text: str) -> Source:
    """Read an assignment's text.  Raises: ValueError: a tag or a part of a chapter that does not exist."""
    settings, body = _parted(text)
    parts = tuple(part for each in _cut(body) for part in ([each] if each.kind != "text" else _filled(each.text)))
    made = repr((settings, parts)).encode()
    bugs = {}
    for part in parts:
        if part.kind == "bugs":
            bugs.update(_value(part.text, "BUGS"))
    return Source(name, settings, parts, hashlib.sha256(made).hexdigest(), bugs)


def secret(salt: bytes, *words: str) -> int:
    """A number that nobody can compute without the salt, the same for the same words."""
    return int.from_bytes(hmac.new(salt, "\0".join(words).encode(), hashlib.sha256).digest(), "big")


def variant(source: Source, salt: bytes, student: str) -> dict[str, Any]:
    """What this student's assignment has of its own: what the cell `variant` draws, and a bug."""
    draw = random.Random(secret(salt, "variant", source.name, student))
    names: dict[str, Any] = {}
    exec(compile(source.code("variant") or "def variant(rng): return {}", f"{source.name}, variant", "exec"), names)
    own: dict[str, Any] = names["variant"](draw)
    return own | ({"bug": draw.choice(sorted(source.bugs))} if source.bugs else {})


def filled(text: str, own: dict[str, Any]) -> str:
    """The text with what is a student's own in the place of {{name}}.  Raises: KeyError."""
    return BLANK.sub(lambda found: str(own[found[1]]), text)


def solution(source: Source, own: dict[str, Any]) -> dict[str, Any]:
    """The names that the teacher's solution makes for this student."""
    found: dict[str, Any] = {}
    text = source.code("given", "task", "mend", "predict")
    exec(compile(filled(text, own), f"{source.name}, solution", "exec"), found)
    return found


def stub(text: str) -> str:
    """Code without what students are to write: functions keep head and docstring, names stand for `...`."""
    pieces = []
    for node in ast.parse(text).body:
        lines = text.splitlines()[_first(node) - 1 : node.end_lineno]
        if isinstance(node, ast.FunctionDef):
            pieces.append("\n".join([*lines[: _length_of_head(node)], "    raise NotImplementedError  # yours"]))
        elif isinstance(node, ast.Assign):
            pieces.append(f"{ast.unparse(node.targets[0])} = ...  # yours")
        else:
            pieces.append("\n".join(lines))
    return "\n\n".join(pieces)


def broken(text: str, bugs: dict[str, tuple[str, str]], bug: str) -> str:
    """A function with the bug.  Raises: ValueError: it does not have the line, or has it twice."""
    good, bad = bugs[bug]
    if text.count(good) != 1:
        raise ValueError(f"bug {bug!r}: the function has {good!r} {text.count(good)} times, not once")
    return text.replace(good, bad)


def function(chapter: str, name: str) -> str:
    """The source of a function that a cell of a chapter defines.  Raises: ValueError: it has none of that name."""
    for _, code in CELL.findall((CHAPTERS / f"{chapter}.md").read_text(encoding="utf-8")):
        for node in ast.parse(code).body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return "\n".join(code.splitlines()[_first(node) - 1 : node.end_lineno])
    raise ValueError(f"the chapter {chapter} has no function {name}")


def exercise(chapter: str, number: str) -> str:
    """The words of an exercise of a chapter.  Raises: ValueError: it has none of that number."""
    text = (CHAPTERS / f"{chapter}.md").read_text(encoding="utf-8")
    found = re.search(rf"^> \*\*Exercise {number}(?: \([^)]*\))?\.\*\* (.*)$", text, re.MULTILINE)
    if not found:
        raise ValueError(f"the chapter {chapter} has no exercise {number}")
    return f"> {found[1]}"


def _parted(text: str) -> tuple[dict[str, str], str]:
    """Front matter, of lines `name: value`, and what follows."""
    head = HEAD.match(text)
    lines = [line.partition(":") for line in head[1].splitlines()] if head else []
    return {name.strip(): value.strip() for name, _, value in lines}, text[head.end() :] if head else text


def _cut(body: str) -> list[Part]:
    """Text and cells, in turn.  Raises: ValueError: a cell without a tag of ours."""
    parts, place = [], 0
    for found in CELL.finditer(body):
        parts += [Part("text", body[place : found.start()])]
        tag = (found[1] or "").replace('"', "")
        if tag not in TAGS:
            raise ValueError(f"a cell has the tag {tag!r}; tags are {', '.join(TAGS)}: {found[2][:60]}")
        parts.append(Part(tag, found[2].rstrip("\n")))
        place = found.end()
    return [*parts, Part("text", body[place:])]


def _filled(text: str) -> list[Part]:
    """A text whose comments are replaced by what they take from chapters."""
    parts: list[Part] = []
    lines: list[str] = []
    for line in text.strip("\n").splitlines():
        taken = TAKEN.match(line)
        if ANSWER.match(line) or (taken and taken[1] != "exercise"):
            new = Part(taken[1], function(taken[2], taken[3])) if taken else Part("answer", line)
            parts, lines = [*parts, Part("text", "\n".join(lines)), new], []
        else:
            lines.append(exercise(taken[2], taken[3]) if taken else line)
    return [part for part in [*parts, Part("text", "\n".join(lines))] if part.text.strip()]


def _value(code: str, name: str) -> Any:
    names: dict[str, Any] = {}
    exec(code, names)
    return names[name]


def _first(node: ast.stmt) -> int:
    """The first line of a statement, decorators included."""
    return min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])


def _length_of_head(node: ast.FunctionDef) -> int:
    """Lines from the first to the end of the docstring, or to the colon if there is none."""
    told = ast.get_docstring(node) is not None
    return (node.body[0].end_lineno or 0 if told else node.body[0].lineno - 1) - _first(node) + 1
