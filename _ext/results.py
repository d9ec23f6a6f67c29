"""The page of results: the models of the book in one table, from genai_utils/records/results.csv."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from genai_utils.records.results import Result, read

TABLE = "genai_utils/records/results.csv"


class Results(SphinxDirective):
    """`{results}`: one row a model, linked to the chapter that measured it."""

    def run(self) -> list[nodes.Node]:
        """Render the table as it is stored."""
        self.env.note_dependency(TABLE)
        rows = read(Path(self.env.srcdir) / TABLE)
        head = "".join(f'<th scope="col">{name}</th>' for name in rows[0].cells())
        body = "".join(map(self.row, rows))
        table = f'<div class="ledger results"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        return [nodes.raw("", table, format="html")]

    def row(self, result: Result) -> str:
        """One model, linked to its chapter; each cell carries its column's name, for narrow screens."""
        up = "../" * self.env.docname.count("/")
        cells = {name: html.escape(text) for name, text in result.cells().items()}
        cells["Model"] = f'<a href="{up}notebooks/{result.chapter}.html">{cells["Model"]}</a>'
        labeled = (f'<td data-label="{name}">{cell}</td>' for name, cell in cells.items())
        return f"<tr>{''.join(labeled)}</tr>"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("results", Results)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
