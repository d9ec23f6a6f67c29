"""The page of results: every model of the book in one table, from genai_utils/data/results.csv."""

from __future__ import annotations

import csv
import html
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

TABLE = "genai_utils/data/results.csv"
HEAD = (
    "Model",
    "Learned from",
    "Parameters",
    "Training",
    "Bits per pixel",
    "Fréchet distance",
    "Coverage",
    "1,000 pictures",
)


class Results(SphinxDirective):
    """`{results}`: one row a model, linked to the chapter that measured it."""

    def run(self) -> list[nodes.Node]:
        """Render the table as it is stored."""
        self.env.note_dependency(TABLE)
        with (Path(self.env.srcdir) / TABLE).open(newline="", encoding="utf-8") as file:
            body = "".join(self.row(row) for row in csv.DictReader(file, strict=True))
        head = "".join(f'<th scope="col">{word}</th>' for word in HEAD)
        table = f'<div class="ledger results"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        return [nodes.raw("", table, format="html")]

    def row(self, row: dict[str, str]) -> str:
        """One model; a dash where it has no such number."""
        up = "../" * self.env.docname.count("/")
        model = f'<a href="{up}notebooks/{row["chapter"]}.html">{html.escape(row["model"])}</a>'
        cells = (
            model,
            html.escape(row["data"]),
            f"{int(row['parameters']):,}",
            f"{int(row['steps']):,} steps, {float(row['seconds']):,.0f} s",
            f"{float(row['bits_per_dim']):.3f}, {html.escape(row['likelihood'])}" if row["bits_per_dim"] else "–",
            f"{float(row['frechet']):.1f}" if row["frechet"] else "–",
            f"{float(row['coverage']):.0%}" if row["coverage"] else "–",
            f"{float(row['usd_per_1000']):.2g} USD" if row["usd_per_1000"] else "–",
        )
        labelled = (f'<td data-label="{name}">{cell}</td>' for name, cell in zip(HEAD, cells, strict=True))
        return f"<tr>{''.join(labelled)}</tr>"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("results", Results)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
