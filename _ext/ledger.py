"""The ledger: every claim of the book with its verdict, collected from the outputs of the notebooks."""

from __future__ import annotations

import html
import json
from collections import Counter
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from genai_utils.records.claims import MIME, SIGN, Claim

LOGGER = logging.getLogger(__name__)


def claims(source: Path, docnames: list[str]) -> list[dict[str, Any]]:
    """Claims of the given documents, each with its docname; warns when an id occurs twice."""
    found: list[dict[str, Any]] = []
    for docname in docnames:
        path = source / f"{docname}.ipynb"
        cells = json.loads(path.read_text())["cells"] if path.exists() else []
        for output in (output for cell in cells for output in cell.get("outputs", [])):
            if claim := output.get("data", {}).get(MIME):
                first = next((other for other in found if other["id"] == claim["id"]), None)
                if first:
                    LOGGER.warning("claim id %s is used twice: in %s and %s", claim["id"], first["docname"], docname)
                found.append({**claim, "docname": docname})
    return found


class Ledger(SphinxDirective):
    """`{ledger}`: a table of all claims. `{ledger-score}`: how many were supported and refuted, in one sentence."""

    def run(self) -> list[nodes.Node]:
        """Render from the notebooks as they are stored."""
        docnames = sorted(docname for docname in self.env.found_docs if docname.startswith("notebooks/"))
        for docname in docnames:
            self.env.note_dependency(f"{docname}.ipynb")
        found = claims(Path(self.env.srcdir), docnames)
        return [nodes.raw("", score(found) if self.name == "ledger-score" else self.table(found), format="html")]

    def table(self, found: list[dict[str, Any]]) -> str:
        """One row a claim, linked to its chapter."""
        up = "../" * self.env.docname.count("/")
        rows = "".join(
            f'<tr class="genai-{c["verdict"]}"><td>{SIGN[c["verdict"]]}</td>'
            f'<td><a href="{up}{c["docname"]}.html#claim-{c["id"].replace(".", "-")}">{html.escape(c["text"])}</a></td>'
            f"<td>{html.escape(c['source'])}</td><td>{html.escape(c['evidence'])}{doubt(c)}</td></tr>"
            for c in found
        )
        head = "".join(f'<th scope="col">{word}</th>' for word in ("Verdict", "Claim", "Who says so", "What we found"))
        return f'<div class="ledger"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def doubt(found: dict[str, Any]) -> str:
    """The other explanation of a claim's numbers, or that there is none, on a line of its own."""
    words = Claim(**{name: value for name, value in found.items() if name != "docname"}).doubt
    return f'<div class="genai-doubt">{html.escape(words)}</div>' if words else ""


def score(found: list[dict[str, Any]]) -> str:
    """The score so far in one sentence."""
    count = Counter(claim["verdict"] for claim in found)
    words = {"supported": "supported", "refuted": "refuted", "depends": "undecided"}
    parts = ", ".join(f'<b class="genai-{verdict}">{count[verdict]} {word}</b>' for verdict, word in words.items())
    return f'<p class="ledger-score">The score so far: {len(found)} claims judged, {parts}.</p>'


def setup(app: Sphinx) -> dict[str, Any]:
    """Register both directives."""
    app.add_directive("ledger", Ledger)
    app.add_directive("ledger-score", Ledger)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
