"""What every chapter promises its readers, as rules: each yields a sentence for every promise that is broken.

A rule of CHAPTER_RULES looks at one chapter; a rule of BOOK_RULES at all of them together.
"""

from __future__ import annotations

import ast
import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from tools.notebooks import MAX_BYTES, WIDGETS, Project

CLAIM = "application/vnd.genai.claim+json"
IMAGES = ("image/png", "image/jpeg", "image/gif", "image/svg+xml")
VERDICTS = ("supported", "refuted", "depends")

DETAILS = re.compile(r"<details>\s*<summary>\s*(?P<choice>\S.*?)</summary>\s*(?P<why>[^\s<].*?)</details>", re.DOTALL)
DEFINITION = re.compile(r"^def (\w+)\(", re.MULTILINE)
DISPLAY_MATH = re.compile(r"\$\$.*?\$\$", re.DOTALL)
EQUATION = re.compile(r"\\tag\{([^}]*)\}")
EXERCISE = re.compile(r"^> \*\*Exercise (\d+)(.*?)\*\*", re.MULTILINE)
INLINE_MATH = re.compile(r"(?<!\\)\$(?=\S)(?:[^$\n]|\n(?!\s*\n))+?(?<![\s\\])\$(?!\d)")
MACHINE_PATH = re.compile(r"(?<![\w.-])/(?:work|home|tmp|root|Users)/\S*")
MONEY = re.compile(r"(?:\\?\$|€)\s?\d[\d.,]*|\d[\d.,]*\s?€")
MYST = re.compile(
    r"^[> ]*(?:`{3,}|:{3,})\{.*|\{[a-z][\w:-]*\}`[^`]+`|^\([\w-]+\)=\s*$|\$\$\s*\([\w:-]+\)\s*$", re.MULTILINE
)
PUBLICATION = re.compile(
    r"arxiv\.org/(?:abs|pdf)/(\d{4}\.\d{4,5}|[a-z-]+/\d{7})|doi\.org/(10\.[^\s)>\"'\]]+)", re.IGNORECASE
)
QUIZ = re.compile(r"^> \*\*Quiz (\d+)", re.MULTILINE)
TRAINING = re.compile(r"\.(?:batches|step)\(")


@dataclass(frozen=True)
class Chapter:
    """One chapter as readers get it; `setup_cell` is what its first code cell should be."""

    name: str
    notebook: NotebookNode
    size: int
    setup_cell: str

    @cached_property
    def prose(self) -> str:
        """All Markdown, in order."""
        return "\n\n".join(cell.source for cell in self.notebook.cells if cell.cell_type == "markdown")

    @cached_property
    def code(self) -> list[NotebookNode]:
        """The code cells, in order."""
        return [cell for cell in self.notebook.cells if cell.cell_type == "code"]

    @cached_property
    def outputs(self) -> list[NotebookNode]:
        """All outputs, in order."""
        return [output for cell in self.code for output in cell.outputs]

    @cached_property
    def claims(self) -> list[dict[str, Any]]:
        """Id, text, source, verdict and evidence of each claim shown."""
        return [output.data[CLAIM] for output in self.outputs if CLAIM in output.get("data", {})]

    @cached_property
    def equations(self) -> list[str]:
        """Names of the displayed equations."""
        return EQUATION.findall(self.prose)


@dataclass(frozen=True)
class Book:
    """All chapters, and what they lean on: the bibliography, ids of facts, names of tested equations."""

    chapters: list[Chapter]
    bibliography: str
    facts: set[str]
    tested: set[str]


def read_chapter(project: Project, name: str) -> Chapter:
    """Read a chapter from its notebook."""
    path = project.notebook(name)
    return Chapter(name, nbformat.read(path, as_version=4), path.stat().st_size, project.setup_cell)


def read_book(project: Project) -> Book:
    """Read all chapters and what they lean on."""
    with (project.root / "genai_utils" / "data" / "facts.csv").open(encoding="utf-8", newline="") as table:
        facts = {row["id"] for row in csv.DictReader(table)}
    equation_tests = (project.root / "tests" / "equations").glob("*.py")
    return Book(
        chapters=[read_chapter(project, name) for name in project.names],
        bibliography=(project.root / "book" / "references.bib").read_text(encoding="utf-8"),
        facts=facts,
        tested={name for path in equation_tests for name in verified_equations(path)},
    )


def verified_equations(path: Path) -> Iterator[str]:
    """Names in the `verifies` decorators of the tests of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            for call in (item for item in node.decorator_list if isinstance(item, ast.Call)):
                if ast.unparse(call.func).split(".")[-1] == "verifies":
                    yield from (ast.literal_eval(argument) for argument in call.args)


def begins_with_its_title(chapter: Chapter) -> Iterator[str]:
    if not re.match(r"# \S", chapter.prose):
        yield f"begins with {chapter.prose[:40]!r} instead of a title"


def has_its_sections(chapter: Chapter) -> Iterator[str]:
    sections = {
        "a paragraph **Question.**": r"^\*\*Question\.\*\* \S",
        "a callout > **Predict.**": r"^> \*\*Predict\.\*\* \S",
        "a callout > **Business.**": r"^> \*\*Business\.\*\* \S",
        "a section ## Going further": r"^## Going further",
    }
    yield from (
        f"lacks {what}" for what, pattern in sections.items() if not re.search(pattern, chapter.prose, re.MULTILINE)
    )


def names_its_equations(chapter: Chapter) -> Iterator[str]:
    if not chapter.equations:
        yield r"has no named equation, $$ ... \tag{family.name} $$"
    for name in chapter.equations:
        if not re.fullmatch(r"[a-z][a-z0-9-]*\.[a-z0-9][a-z0-9-]*", name):
            yield f"names an equation {name!r}; write family.name in lower case"


def makes_claims(chapter: Chapter) -> Iterator[str]:
    if len(chapter.claims) < 4:
        yield f"shows {len(chapter.claims)} claims, at least 4 are due"
    for claim in chapter.claims:
        if claim["verdict"] not in VERDICTS:
            yield f"gives claim {claim['id']} the verdict {claim['verdict']!r}, not one of {', '.join(VERDICTS)}"


def has_exercises(chapter: Chapter) -> Iterator[str]:
    found = EXERCISE.findall(chapter.prose)
    if len(found) < 4:
        yield f"has {len(found)} exercises, at least 4 are due"
    if [int(number) for number, _ in found] != list(range(1, len(found) + 1)):
        yield f"numbers its exercises {', '.join(number for number, _ in found)}"
    if not any("bug hunt" in title for _, title in found):
        yield "has no exercise marked (bug hunt)"


def solves_its_exercises(chapter: Chapter) -> Iterator[str]:
    unsolved = ""
    for cell in chapter.notebook.cells:
        if cell.cell_type == "code" and "hide-cell" in _tags(cell):
            unsolved = ""
        for number, _ in EXERCISE.findall(cell.source):
            if unsolved:
                yield f"has no solution for exercise {unsolved}"
            unsolved = number
    if unsolved:
        yield f"has no solution for exercise {unsolved}"


def folds_its_solutions(chapter: Chapter) -> Iterator[str]:
    for cell in chapter.code:
        if cell.source.startswith("#@title Solution") != ("hide-cell" in _tags(cell)):
            yield f"has {_name(cell)}: solutions, and only they, are tagged hide-cell and begin with #@title Solution"


def has_a_quiz(chapter: Chapter) -> Iterator[str]:
    questions = list(QUIZ.finditer(chapter.prose))
    if [int(question[1]) for question in questions] != [1, 2, 3, 4, 5]:
        yield f"has the quiz questions {[int(question[1]) for question in questions]}; write > **Quiz 1.** to 5"
    for question in questions:
        block = re.split(r"^(?:## |> \*\*Quiz )", chapter.prose[question.end() :], maxsplit=1, flags=re.MULTILINE)[0]
        block = re.sub(r"^[> ]*(?:[-*] )?", "", block, flags=re.MULTILINE)
        explained, choices = len(DETAILS.findall(block)), block.count("<details")
        if explained < 3 or explained < choices:
            yield (
                f"explains {explained} of {choices} choices of quiz {question[1]}; write at least three "
                "<details><summary>choice</summary>explanation</details>"
            )


def keeps_cells_short(chapter: Chapter) -> Iterator[str]:
    for cell in chapter.code:
        if (lines := len(cell.source.splitlines())) > 40:
            yield f"has {_name(cell)} with {lines} lines, at most 40 are allowed"


def writes_plain_markdown(chapter: Chapter) -> Iterator[str]:
    for found in MYST.finditer(chapter.prose):
        yield f"uses MyST, which Colab shows raw: {found[0].strip()!r}"


def suits_every_front_end(chapter: Chapter) -> Iterator[str]:
    for cell in chapter.code:
        if cell.source.rstrip().endswith(";"):
            yield f"ends {_name(cell)} with ';', which nbval does not honour"
        if re.search(r"\bPlay\(", cell.source):
            yield f"uses the Play widget in {_name(cell)}; it breaks on the site"
        if cell.source.startswith("%%"):
            yield f"has {_name(cell)}, a cell magic; a fenced block in another language than python becomes one"


def describes_its_images(chapter: Chapter) -> Iterator[str]:
    for output in chapter.outputs:
        for kind in set(IMAGES) & set(output.get("data", {})):
            if not output.metadata.get(kind, {}).get("alt", "").strip():
                yield f"shows {kind} without alt text; use show.figure(fig, alt=...)"
        for image in re.findall(r"<img\b[^>]*>", output.get("data", {}).get("text/html", "")):
            if not re.search(r"\balt=([\"']).+?\1", image):
                yield f"shows {image[:60]!r} without alt text"
    for image in re.findall(r"!\[\s*\]\([^)]*\)", chapter.prose):
        yield f"has an image without alt text: {image[:60]!r}"


def tags_training_and_widgets(chapter: Chapter) -> Iterator[str]:
    trainers: set[str] = set()
    for cell in chapter.code:
        trains = TRAINING.search(cell.source) or any(re.search(rf"\b{name}\(", cell.source) for name in trainers)
        if trains:
            trainers |= set(DEFINITION.findall(cell.source))
        shows_widget = any("widget-view" in kind for output in cell.outputs for kind in output.get("data", {}))
        if cell.outputs and (trains or shows_widget) and "nbval-ignore-output" not in _tags(cell):
            yield f"has {_name(cell)}, which trains or shows a widget: tag it nbval-ignore-output"


def names_no_machine(chapter: Chapter) -> Iterator[str]:
    widgets = chapter.notebook.metadata.get("widgets", {}).get(WIDGETS, {}).get("state", {}).values()
    shown = [output.get("text", output.get("data", "")) for output in chapter.outputs]
    for content in [*shown, *(widget["state"] for widget in widgets)]:
        if isinstance(content, dict):
            content = json.dumps({kind: value for kind, value in content.items() if kind not in IMAGES})
        content = re.sub(r"base64,[\w+/=]+", "", content)
        for path in MACHINE_PATH.findall(content):
            yield f"shows the path {path[:60]!r} of the machine it ran on"


def sources_its_money(chapter: Chapter) -> Iterator[str]:
    prose = INLINE_MATH.sub("", DISPLAY_MATH.sub("", chapter.prose))
    for found in MONEY.findall("\n".join([prose, *(claim["text"] for claim in chapter.claims)])):
        yield f"states {found!r} in prose; show fact(...) in a cell, with its source, and refer to that"


def begins_with_the_setup_cell(chapter: Chapter) -> Iterator[str]:
    first = chapter.code[0]
    if first.source != chapter.setup_cell or "setup" not in _tags(first) or len(first.source.splitlines()) > 6:
        yield f"begins with {_name(first)} instead of the setup cell of _config.yml and pyproject.toml"


def is_executed(chapter: Chapter) -> Iterator[str]:
    for number, cell in enumerate(chapter.code, start=1):
        if cell.execution_count != number or any(output.output_type == "error" for output in cell.outputs):
            yield f"has {_name(cell)}, which was not executed in order or failed"
    if not any(cell.outputs for cell in chapter.code if not {"setup", "nbval-ignore-output"} & set(_tags(cell))):
        yield "has no output that nbval compares"


def stays_small(chapter: Chapter) -> Iterator[str]:
    if chapter.size > MAX_BYTES:
        yield f"has {chapter.size:,} bytes, at most {MAX_BYTES:,} are allowed"


def makes_each_claim_once(book: Book) -> Iterator[str]:
    counted = Counter(claim["id"] for chapter in book.chapters for claim in chapter.claims)
    yield from (f"claim id {name} is used {number} times" for name, number in counted.items() if number > 1)


def names_each_equation_once(book: Book) -> Iterator[str]:
    counted = Counter(name for chapter in book.chapters for name in chapter.equations)
    yield from (f"equation {name} is displayed {number} times" for name, number in counted.items() if number > 1)


def verifies_each_equation(book: Book) -> Iterator[str]:
    displayed = {name for chapter in book.chapters for name in chapter.equations}
    for name in sorted(displayed - book.tested):
        yield f'equation ({name}) has no test: write one in tests/equations with @verifies("{name}")'
    for name in sorted(book.tested - displayed):
        yield rf"a test verifies {name}, which no chapter displays: where is \tag{{{name}}}?"


def refers_to_equations_that_exist(book: Book) -> Iterator[str]:
    displayed = {name for chapter in book.chapters for name in chapter.equations}
    families = {name.split(".")[0] for name in displayed}
    for chapter in book.chapters:
        for name in re.findall(r"(?<!\])\(([a-z][a-z0-9-]*\.[a-z0-9-]+)\)", chapter.prose):  # not the target of a link
            if name.split(".")[0] in families and name not in displayed:
                yield f"{chapter.name} refers to ({name}), which no chapter displays"


def cites_what_the_bibliography_has(book: Book) -> Iterator[str]:
    for chapter in book.chapters:
        for arxiv, doi in PUBLICATION.findall(chapter.prose + "\n".join(cell.source for cell in chapter.code)):
            if (arxiv or doi).lower() not in book.bibliography.lower():
                yield f"{chapter.name} cites {arxiv or doi}, which book/references.bib lacks"


def uses_facts_that_exist(book: Book) -> Iterator[str]:
    for chapter in book.chapters:
        used = set(re.findall(r"\bfact\(\s*[\"'](.+?)[\"']", "\n".join(cell.source for cell in chapter.code)))
        for name in sorted((used | set(re.findall(r"\bB-[A-Z]\d+\b", chapter.prose))) - book.facts):
            yield f"{chapter.name} uses the fact {name}, which genai_utils/data/facts.csv lacks"


def _name(cell: NotebookNode) -> str:
    return f"the cell {cell.source.splitlines()[0]!r}" if cell.source.strip() else "an empty cell"


def _tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


CHAPTER_RULES: tuple[Callable[[Chapter], Iterator[str]], ...] = (
    begins_with_its_title,
    begins_with_the_setup_cell,
    describes_its_images,
    folds_its_solutions,
    has_a_quiz,
    has_exercises,
    has_its_sections,
    is_executed,
    keeps_cells_short,
    makes_claims,
    names_its_equations,
    names_no_machine,
    solves_its_exercises,
    sources_its_money,
    stays_small,
    suits_every_front_end,
    tags_training_and_widgets,
    writes_plain_markdown,
)
BOOK_RULES: tuple[Callable[[Book], Iterator[str]], ...] = (
    cites_what_the_bibliography_has,
    makes_each_claim_once,
    names_each_equation_once,
    refers_to_equations_that_exist,
    verifies_each_equation,
    uses_facts_that_exist,
)
