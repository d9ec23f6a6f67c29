"""What a teacher gets: grades for Canvas and Moodle, a page for each student, and what the class says of the tests."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from statistics import correlation, mean

from tools.grading.batch import file_name
from tools.grading.judge import Result

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}: {student}</title>
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;
background:#fff}}table{{border-collapse:collapse;width:100%}}th,td{{text-align:left;padding:.4rem;
border-bottom:1px solid #ccc;vertical-align:top}}pre{{white-space:pre-wrap;background:#f4f4f4;padding:.6rem}}</style>
</head><body><main><h1>{title}</h1><p>{student}: <strong>{points:g} of {most:g} points</strong> from {n} tests that are
not part of the notebook.</p>{problem}{items}{rest}</main></body></html>
"""


def write(folder: Path, title: str, results: Sequence[Result], alike: Sequence[Sequence[object]]) -> None:
    """All files of a graded folder."""
    (folder / "feedback").mkdir(parents=True, exist_ok=True)
    most = max((sum(item["most"] for item in each.items) for each in results), default=0.0)
    table(folder / "grades.csv", canvas(title, most, results))
    table(folder / "moodle.csv", moodle(most, results))
    table(folder / "items.csv", [("item", "n", "difficulty", "discrimination"), *statistics(results)])
    table(folder / "similarity.csv", [("alike", "one", "other", "most alike of independent solutions"), *alike])
    for each in results:
        (folder / "feedback" / f"{file_name(each.student)}.html").write_text(page(title, each), encoding="utf-8")


def canvas(title: str, most: float, results: Iterable[Result]) -> list[Sequence[object]]:
    """Rows as Canvas imports them: who, and one column of points."""
    head = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section", title)
    rows = [(each.student, "", "", each.student, "", f"{each.points:g}") for each in results]
    return [head, ("    Points Possible", "", "", "", "", f"{most:g}"), *rows]


def moodle(most: float, results: Iterable[Result]) -> list[Sequence[object]]:
    """Rows as Moodle's grading worksheet has them."""
    head = ("Identifier", "Full name", "ID number", "Grade", "Maximum Grade", "Feedback comments")
    rows = [("", each.student, each.student, f"{each.points:g}", f"{most:g}", comment(each)) for each in results]
    return [head, *rows]


def comment(result: Result) -> str:
    """One line that says what was lost, and why."""
    lost = [f"{item['title']}: {item['comment']}" for item in result.items if item["comment"]]
    return result.problem or "; ".join(lost) or "all tests held"


def statistics(results: Sequence[Result]) -> list[Sequence[object]]:
    """For each test: how many were graded, the share that passed, and its correlation with the points of the others.

    Submissions of which nothing could be graded are left out. The correlation is empty where all did the same.
    """
    graded = [each for each in results if not each.problem]
    rows: list[Sequence[object]] = []
    for number, item in enumerate(graded[0].items if graded else []):
        passed = [each.items[number]["points"] / item["most"] for each in graded]
        others = [each.points - each.items[number]["points"] for each in graded]
        rows.append((item["title"], len(graded), f"{mean(passed):.2f}", _correlation(passed, others)))
    return rows


def page(title: str, result: Result) -> str:
    """A student's page; nothing on it is code, whatever he wrote."""
    most = sum(item["most"] for item in result.items)
    rows = "".join(_row(item) for item in result.items)
    return PAGE.format(
        title=escape(title), student=escape(result.student), points=result.points, most=most, n=len(result.items),
        problem=f"<p>Nothing could be graded: {escape(result.problem)}.</p>" if result.problem else "",
        items=f"<table><tr><th>Test<th>Points<th>What was seen</tr>{rows}</table>", rest=_rest(result),
    )  # fmt: skip


def _row(item: dict[str, object]) -> str:
    seen = escape(str(item["comment"] or "it held"))
    return f"<tr><td>{escape(str(item['title']))}<td>{item['points']:g} of {item['most']:g}<td>{seen}</tr>"


def _rest(result: Result) -> str:
    """Errors of cells, what was printed, and answers in words, which people read."""
    parts = []
    if result.errors:
        lines = "\n".join(f"cell {cell}: {words}" for cell, words in result.errors.items())
        parts.append(f"<h2>Cells that failed</h2><pre>{escape(lines)}</pre>")
    for name, words in result.words.items():
        parts.append(f"<h2>In your words: {escape(name)}</h2><pre>{escape(words)}</pre>")
    if result.log:
        parts.append(f"<h2>What your cells printed</h2><pre>{escape(result.log)}</pre>")
    return "".join(parts)


def _correlation(one: list[float], other: list[float]) -> str:
    if len(set(one)) < 2 or len(set(other)) < 2:
        return ""
    found = correlation(one, other)
    return f"{found:.2f}" if math.isfinite(found) else ""


def table(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV, no cell of which is taken for a formula."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([[_cell(value) for value in row] for row in rows])


def _cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = str(value)
    risky = text[:1] in "=+-@\t\r" and not isinstance(value, float) and not _is_number(text)
    return f"'{text}" if text and risky else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
