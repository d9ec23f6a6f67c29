"""Facts on the site: a table of all with the pages that use each, and at the head of a page its oldest one on money."""

from __future__ import annotations

import html
import json
from datetime import date
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from genai_utils.records import facts
from genai_utils.records.facts import Fact
from genai_utils.records.table import from_csv, html_text

TABLE = "genai_utils/records/facts.csv"
SEARCH = """\
<p><label>Search <input type="search" class="filter" data-rows="{rows}"></label>
<output class="filter-count"></output></p>
<script type="module" src="{up}_static/filter.js"></script>"""
COLUMNS = ("Id", "Topic", "Statement and source", "Date", "Age", "Confidence", "Used in")


def read(root: Path) -> dict[str, Fact]:
    """The facts of a checkout, by id."""
    return {fact.id: fact for fact in from_csv(Fact, root / TABLE, "id")}


def stamp(notebook: Path) -> dict[str, Any]:
    """What tools/notebooks.py wrote about the run of a notebook; nothing where it did not."""
    return json.loads(notebook.read_text(encoding="utf-8"))["metadata"].get("genai", {})


def used(stamp: dict[str, Any]) -> list[str]:
    """Ids of the facts that a notebook read."""
    return [place.partition("?id=")[2] for place in stamp.get("used", {}) if place.startswith(f"{TABLE}?id=")]


def readers(root: Path) -> dict[str, list[str]]:
    """Id of a fact -> the chapters that read it."""
    found: dict[str, list[str]] = {}
    for notebook in sorted((root / "notebooks").glob("*.ipynb")):
        for id in used(stamp(notebook)):
            found.setdefault(id, []).append(notebook.stem)
    return found


def months(since: date, until: date) -> int:
    """Whole months from one day to another."""
    return (until.year - since.year) * 12 + until.month - since.month - (until.day < since.day)


def counted(months: int) -> str:
    """A number of months, in words."""
    return f"{months} month{'s' * (months != 1)}"


def oldest(known: dict[str, Fact], stamp: dict[str, Any]) -> str:
    """One sentence of HTML about the oldest fact on money that a notebook read; "" if it read none."""
    money = [known[id] for id in used(stamp) if id in known and known[id].is_money]
    if not money:
        return ""
    first = min(money, key=lambda fact: fact.since)
    age = months(first.since, date.fromisoformat(stamp["date"]))
    link = f'<a href="../book/appendix/facts.html#fact-{first.id}">{first.id}</a>'
    return (
        f'<p class="money-age">The oldest of the facts about money on this page is from '
        f"{html.escape(first.date)} ({link}), {counted(age)} before the page was computed.</p>"
    )


class Facts(SphinxDirective):
    """`{facts}`: a row a fact, which a reader may search; its age is that on the day of the latest chapter."""

    def run(self) -> list[nodes.Node]:
        """Render from the table and the stamps as they are stored."""
        root = Path(self.env.srcdir)
        self.env.note_dependency(TABLE)
        notebooks = sorted((root / "notebooks").glob("*.ipynb"))
        for notebook in notebooks:
            self.env.note_dependency(notebook.relative_to(root).as_posix())
        today = max(date.fromisoformat(found["date"]) for found in map(stamp, notebooks) if "date" in found)
        up, where = "../" * self.env.docname.count("/"), readers(root)
        rows = "".join(row(fact, today, where.get(id, []), up) for id, fact in read(root).items())
        head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        search = SEARCH.format(up=up, rows=".facts tbody tr")
        return [nodes.raw("", f'{search}<div class="ledger facts">{table}</div>', format="html")]


def row(fact: Fact, today: date, chapters: list[str], up: str) -> str:
    """One fact with its address on the page."""
    title = html_text(fact.title)
    source = f'<a href="{html.escape(fact.urls[0])}">{title}</a>' if fact.urls else title
    pages = ", ".join(f'<a href="{up}notebooks/{name}.html">{name}</a>' for name in chapters)
    cells = (
        html_text(fact.topic),
        f"{html_text(fact.statement)} <small>{html_text(fact.who)}: {source}</small>",
        html_text(fact.dated),
        counted(months(fact.since, today)),
        html_text(fact.confidence_in_words),
        pages or "–",
    )
    body = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr id="fact-{fact.id}"><td>{fact.id}</td>{body}</tr>'


def insert(app: Sphinx, doctree: nodes.document) -> None:
    """Put the age of its oldest fact on money under the title of a notebook page."""
    path = Path(app.env.doc2path(app.env.docname))
    title = next(doctree.findall(nodes.title), None)
    if path.suffix != ".ipynb" or title is None or not (Path(app.env.srcdir) / TABLE).exists():
        return
    app.env.note_dependency(str(facts.TABLE))
    sentence = oldest(read(Path(app.env.srcdir)), stamp(path))
    if sentence:
        title.parent.insert(title.parent.index(title) + 1, nodes.raw("", sentence, format="html"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register directive and hook; the hook before that of the cost card, which so stands above."""
    app.add_directive("facts", Facts)
    app.connect("doctree-read", insert, priority=450)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
