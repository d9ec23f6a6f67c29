"""What every chapter promises its readers, as rules: each yields a sentence for every promise that is broken.

A rule of CHAPTER_RULES looks at one chapter; a rule of BOOK_RULES at all of them together.
"""

from __future__ import annotations

import ast
import json
import re
import symtable
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import nbformat
from docutils.nodes import make_id
from myst_parser.mdit_to_docutils.base import default_slugify
from nbformat import NotebookNode

from _ext import equation_tests
from genai_utils.records.claims import MIME, SIGN
from genai_utils.records.edited import text_of
from genai_utils.records.facts import Fact
from genai_utils.records.table import from_csv
from tools.contents import contents
from tools.lint_chapters import without_magics
from tools.notebooks import MAX_BYTES, WIDGETS, Project

CLAIM = '"family.name", "It holds.", source=..., supported=..., refuted=..., evidence=..., alternative=...'
SHOWN = 'CONTRIBUTING.md shows one under "Exercises, quiz and claims"'
SOLUTION = f"; write a code cell below it, tagged hide-cell, that begins with #@title Solution. {SHOWN}"

IMAGES = ("image/png", "image/jpeg", "image/gif", "image/svg+xml")

DETAILS = re.compile(r"<details>\s*<summary>\s*(?P<choice>\S.*?)</summary>\s*(?P<why>[^\s<].*?)</details>", re.DOTALL)
COMING = re.compile(r"^## What is coming\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
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
# A number; not a year, and no digit of a name: R1, GLM-3.
NUMBER = re.compile(r"(?<![\w-])(?!(?:19|20)\d\d(?!\d))[-+]?\d")
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
    def solutions(self) -> list[NotebookNode]:
        """The code cells that solve exercises."""
        return [cell for cell in self.code if "hide-cell" in _tags(cell)]

    @cached_property
    def syntax(self) -> list[ast.AST]:
        """What the code consists of, in order, as Python reads it."""
        return [node for cell in self.code for node in _syntax(cell)]

    @cached_property
    def bound(self) -> dict[str, list[ast.expr]]:
        """Name -> the expressions that the chapter assigns to it."""
        found: dict[str, list[ast.expr]] = {}
        for node in self.syntax:
            for target in node.targets if isinstance(node, ast.Assign) else []:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
        return found

    @cached_property
    def outputs(self) -> list[NotebookNode]:
        """All outputs, in order."""
        return [output for cell in self.code for output in cell.outputs]

    @cached_property
    def claims(self) -> list[dict[str, Any]]:
        """Id, text, source, verdict and evidence of each claim shown."""
        return [output.data[MIME] for output in self.outputs if MIME in output.get("data", {})]

    @cached_property
    def equations(self) -> list[str]:
        """Names of the displayed equations."""
        return EQUATION.findall(self.prose)


@dataclass(frozen=True)
class Cap:
    """At most so many of something in one chapter; `found` lists what counts."""

    what: str
    most: int
    found: Callable[[Chapter], list[str]]


@dataclass(frozen=True)
class Book:
    """All chapters, and what they lean on or are listed in.

    facts: ids.  tested: names of equations.  contents: chapters listed in _toc.yml.  landing: book/intro.md.
    """

    chapters: list[Chapter]
    bibliography: str
    facts: set[str]
    tested: set[str]
    contents: list[str]
    landing: str


def read_chapter(project: Project, name: str) -> Chapter:
    """Read a chapter from its notebook."""
    path = project.notebook(name)
    return Chapter(name, nbformat.read(path, as_version=4), path.stat().st_size, project.setup_cell)


def read_book(project: Project) -> Book:
    """Read all chapters, what they lean on and what lists them."""
    facts = from_csv(Fact, project.root / "genai_utils" / "records" / "facts.csv", "id")
    return Book(
        chapters=[read_chapter(project, name) for name in project.names],
        bibliography=text_of(project.root / "book" / "references.bib"),
        facts={fact.id for fact in facts},
        tested=set(equation_tests.tests(str(project.root))),
        contents=contents(project.root),
        landing=text_of(project.root / "book" / "intro.md"),
    )


def announced(landing: str) -> set[str]:
    """Names of the chapters and appendices that the landing page says are coming; none if it announces none."""
    lists = [
        names for section in COMING.findall(landing) for names in re.findall(r"(?m)^- \*\*.+?\*\*: (.+)$", section)
    ]
    return {default_slugify(name.strip()) for names in lists for name in names.split(",")}


def begins_with_its_title(chapter: Chapter) -> Iterator[str]:
    if not re.match(r"# \S", chapter.prose):
        yield f"begins with {chapter.prose[:40]!r} instead of a title"


def leads_with_the_answer(chapter: Chapter) -> Iterator[str]:
    """A chapter for managers, whose code is folded, begins with an answer and a figure; each number has its section."""
    if not chapter.notebook.metadata.get("genai", {}).get("fold"):
        return
    cells = chapter.notebook.cells
    ahead = len("\n".join(cell.source for cell in cells[: cells.index(chapter.code[1])] if cell is not chapter.code[0]))
    if ahead > 200:
        yield "says more than its title ahead of the answer; move that below the answer's cell"
    shown = [output.get("data", {}) for output in chapter.code[1].outputs]
    answers = [data["text/html"] for data in shown if 'class="genai-answer"' in data.get("text/html", "")]
    if not answers or not any(set(IMAGES) & set(data) for data in shown):
        yield "does not lead with show.answer(...) and a figure in the first cell below the setup cell"
    headings = {make_id(title) for title in re.findall(r"^#{2,3} (.+)$", chapter.prose, re.MULTILINE)}
    for anchor in (anchor for answer in answers for anchor in re.findall(r'href="#([^"]*)"', answer)):
        if anchor not in headings:
            yield f"answers from a section #{anchor}, which it does not have"


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
        yield f"shows {len(chapter.claims)} claims, at least 4 are due; write claim({CLAIM}) in a cell. {SHOWN}"
    for claim in chapter.claims:
        if claim["verdict"] not in SIGN:
            yield f"gives claim {claim['id']} the verdict {claim['verdict']!r}, not one of {', '.join(SIGN)}"


def has_exercises(chapter: Chapter) -> Iterator[str]:
    found = EXERCISE.findall(chapter.prose)
    if len(found) < 4:
        yield f"has {len(found)} exercises, at least 4 are due; write > **Exercise {len(found) + 1}.** ... {SHOWN}"
    if [int(number) for number, _ in found] != list(range(1, len(found) + 1)):
        yield f"numbers its exercises {', '.join(number for number, _ in found)}; write 1, 2, 3 and so on, in order"
    if not any("bug hunt" in title for _, title in found):
        yield f"has no exercise marked (bug hunt); write > **Exercise {len(found)} (bug hunt).** ..."


def solves_its_exercises(chapter: Chapter) -> Iterator[str]:
    unsolved = ""
    for cell in chapter.notebook.cells:
        if cell.cell_type == "code" and "hide-cell" in _tags(cell):
            unsolved = ""
        for number, _ in EXERCISE.findall(cell.source):
            if unsolved:
                yield f"has no solution for exercise {unsolved}{SOLUTION}"
            unsolved = number
    if unsolved:
        yield f"has no solution for exercise {unsolved}{SOLUTION}"


def folds_its_solutions(chapter: Chapter) -> Iterator[str]:
    for cell in chapter.code:
        if cell.source.startswith("#@title Solution") != ("hide-cell" in _tags(cell)):
            yield f"has {_name(cell)}: solutions, and only they, are tagged hide-cell and begin with #@title Solution"


def has_a_quiz(chapter: Chapter) -> Iterator[str]:
    questions = list(QUIZ.finditer(chapter.prose))
    if (numbers := [int(question[1]) for question in questions]) != [1, 2, 3, 4, 5]:
        yield f"has the quiz questions {numbers}; write > **Quiz 1.** ... to 5. {SHOWN}"
    for question in questions:
        block = re.split(r"^(?:## |> \*\*Quiz )", chapter.prose[question.end() :], maxsplit=1, flags=re.MULTILINE)[0]
        block = re.sub(r"^[> ]*(?:[-*] )?", "", block, flags=re.MULTILINE)
        explained, choices = len(DETAILS.findall(block)), block.count("<details")
        if explained < 3 or explained < choices:
            yield (
                f"explains {explained} of {choices} choices of quiz {question[1]}; write at least three "
                f"<details><summary>choice</summary>explanation</details>. {SHOWN}"
            )


def keeps_cells_short(chapter: Chapter) -> Iterator[str]:
    for cell in chapter.code:
        if (lines := len(cell.source.splitlines())) > 40:
            yield f"has {_name(cell)} with {lines} lines, at most 40 are allowed"


def keeps_to_its_caps(chapter: Chapter) -> Iterator[str]:
    for cap in CAPS.values():
        found = cap.found(chapter)
        if len(found) > cap.most:
            example = "" if cap.most else f": {found[0].strip()[:60]!r} ..."
            yield f"has {len(found):,} {cap.what}, at most {cap.most:,} are allowed{example}"


def words(chapter: Chapter) -> list[str]:
    """Words of all Markdown cells: a letter or digit and what follows without a gap; displayed formulas are none."""
    return re.findall(r"\w\S*", DISPLAY_MATH.sub("", chapter.prose))


def lines_of_code(chapter: Chapter) -> list[str]:
    """Lines of all code cells but solutions, comments and the setup cell included; empty lines are none."""
    cells = [cell for cell in chapter.code if cell not in chapter.solutions]
    return [line for cell in cells for line in cell.source.splitlines() if line.strip()]


def long_lines(chapter: Chapter) -> list[str]:
    """Lines of over 100 characters in all code cells but the setup cell, which is the same in all chapters."""
    cells = [cell for cell in chapter.code if "setup" not in _tags(cell)]
    return [line for cell in cells for line in cell.source.splitlines() if len(line) > 100]


def typed_alt_texts(chapter: Chapter) -> list[str]:
    """Alt texts of figure() and animation() that hold a number which was typed, not computed."""
    given = [_argument(call, "alt", 1) for call in _calls(chapter.syntax, "figure", "animation")]
    pieces = [[piece for value in _values(chapter, alt) for piece in _literals(value)] for alt in given if alt]
    return [" ".join(texts) for texts in pieces if any(map(NUMBER.search, texts))]


def undoubted(chapter: Chapter) -> list[str]:
    """Claims that were measured, as far as they say, and name no other explanation of their numbers."""
    return [claim["id"] for claim in chapter.claims if not (claim.get("exact") or claim.get("alternative", "").strip())]


def open_drawings(chapter: Chapter) -> list[str]:
    """Cells that only draw and do not fold."""
    cells = [cell for cell in chapter.code if not {"hide-input", "hide-cell"} & set(_tags(cell))]
    return [cell.source for cell in cells if only_draws(chapter, cell)]


def only_draws(chapter: Chapter, cell: NotebookNode) -> bool:
    """Whether a cell shows a figure, neither prints nor asserts anything, and makes nothing that a later one needs."""
    syntax = _syntax(cell)
    if not _calls(syntax, "figure", "animation") or _calls(syntax, "claim", "display", "print", "result"):
        return False
    if any(isinstance(node, ast.Assert) for node in syntax):
        return False
    made, _ = names(without_magics(cell.source))
    for later in chapter.code[chapter.code.index(cell) + 1 :]:
        defined, used = names(without_magics(later.source))
        if made & (used - defined):
            return False
        made -= defined
    return True


def names(source: str) -> tuple[set[str], set[str]]:
    """What a cell defines, and what it uses, its own definitions included."""
    cell = symtable.symtable(source, "cell", "exec")
    defined = {each.get_name() for each in cell.get_symbols() if each.is_assigned() or each.is_imported()}
    used = {each.get_name() for each in cell.get_symbols() if each.is_referenced()}
    used |= {each.get_name() for scope in _scopes(cell) for each in scope.get_symbols() if each.is_global()}
    return defined, used


def folds_what_only_draws(chapter: Chapter) -> Iterator[str]:
    for cell in chapter.code:
        folded, titled = "hide-input" in _tags(cell), cell.source.startswith("#@title Draw: ")
        if folded != titled:
            yield f"has {_name(cell)}: cells tagged hide-input, and only they, begin with #@title Draw: what they draw"
        if folded and not only_draws(chapter, cell):
            yield f"folds {_name(cell)}, which does more than draw"


def leaves_sliders_to_notebooks(chapter: Chapter) -> Iterator[str]:
    for cell in chapter.code:
        if bool(_calls(_syntax(cell), "sliders")) != ("remove-cell" in _tags(cell)):
            yield f"has {_name(cell)}: cells with sliders(), and only they, are tagged remove-cell"


def computes_its_verdicts(chapter: Chapter) -> Iterator[str]:
    for call in _calls(chapter.syntax, "claim"):
        for condition in (each for each in call.keywords if each.arg in ("supported", "refuted")):
            values = [_values(chapter, name) for name in ast.walk(condition.value) if isinstance(name, ast.Name)]
            if not any(isinstance(node, ast.Name) for each in values for value in each for node in ast.walk(value)):
                yield f"makes a claim with {ast.unparse(condition)}, a constant; compute it from what was measured"


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
    if first.source != chapter.setup_cell or "setup" not in _tags(first) or len(first.source.splitlines()) > 8:
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


def is_in_the_contents(book: Book) -> Iterator[str]:
    names = [chapter.name for chapter in book.chapters]
    for name in names:
        if name not in book.contents:
            yield f"_toc.yml lacks {name}: add `- file: notebooks/{name}` to the chapters of its part"
    for name in book.contents:
        if name not in names:
            yield f"_toc.yml lists notebooks/{name}, which has no text: write book/chapters/{name}.md or take it out"


def is_on_the_landing_page(book: Book) -> Iterator[str]:
    for name in [chapter.name for chapter in book.chapters]:
        link = f"](../notebooks/{name}.ipynb"
        if link not in book.landing:
            yield f'book/intro.md lacks {name}: add `- [Title{link}): in one sentence.` below "What is here"'
        if name in announced(book.landing):
            yield f'book/intro.md announces {name}, which is here: take it out of "What is coming"'


def uses_facts_that_exist(book: Book) -> Iterator[str]:
    for chapter in book.chapters:
        used = set(re.findall(r"\bfact\(\s*[\"'](.+?)[\"']", "\n".join(cell.source for cell in chapter.code)))
        for name in sorted((used | set(re.findall(r"\bB-[A-Z]\d+\b", chapter.prose))) - book.facts):
            yield f"{chapter.name} uses the fact {name}, which genai_utils/records/facts.csv lacks"


def _syntax(cell: NotebookNode) -> list[ast.AST]:
    return list(ast.walk(ast.parse(without_magics(cell.source))))


def _calls(syntax: list[ast.AST], *names: str) -> list[ast.Call]:
    """Calls of functions with these names, whatever module they are called from."""
    calls = [node for node in syntax if isinstance(node, ast.Call)]
    return [call for call in calls if ast.unparse(call.func).split(".")[-1] in names]


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """A scope and all scopes in it."""
    yield table
    for inner in table.get_children():
        yield from _scopes(inner)


def _argument(call: ast.Call, name: str, place: int) -> ast.expr | None:
    """An argument of a call, by its name or else by its place."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    return named.get(name, call.args[place] if len(call.args) > place else None)


def _values(chapter: Chapter, expression: ast.expr) -> list[ast.expr]:
    """An expression, or, if it is a name, what the chapter assigns to it."""
    return chapter.bound.get(expression.id, [expression]) if isinstance(expression, ast.Name) else [expression]


def _literals(node: ast.AST) -> Iterator[str]:
    """Words typed in an expression that makes a text; keys of tables and formats of numbers are no words."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for field, child in ast.iter_fields(node):
        if field not in ("slice", "format_spec"):
            for each in child if isinstance(child, list) else [child]:
                yield from _literals(each) if isinstance(each, ast.AST) else ()


def _name(cell: NotebookNode) -> str:
    return f"the cell {cell.source.splitlines()[0]!r}" if cell.source.strip() else "an empty cell"


def _tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


CAPS = {
    "words": Cap("words of prose", 4_500, words),
    "cells": Cap("code cells, solutions included", 50, lambda chapter: [cell.source for cell in chapter.code]),
    "lines": Cap("lines of code outside solutions", 550, lines_of_code),
    "long": Cap("lines of code with more than 100 characters", 0, long_lines),
    "alt": Cap("alt texts with typed numbers", 0, typed_alt_texts),
    "doubt": Cap("claims with neither an alternative nor exact=True", 0, undoubted),
    "draw": Cap("cells that only draw and are not tagged hide-input", 0, open_drawings),
}
CHAPTER_RULES: tuple[Callable[[Chapter], Iterator[str]], ...] = (
    begins_with_its_title,
    begins_with_the_setup_cell,
    computes_its_verdicts,
    describes_its_images,
    folds_its_solutions,
    folds_what_only_draws,
    has_a_quiz,
    has_exercises,
    has_its_sections,
    is_executed,
    keeps_cells_short,
    keeps_to_its_caps,
    leads_with_the_answer,
    leaves_sliders_to_notebooks,
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
    is_in_the_contents,
    is_on_the_landing_page,
    makes_each_claim_once,
    names_each_equation_once,
    refers_to_equations_that_exist,
    verifies_each_equation,
    uses_facts_that_exist,
)
