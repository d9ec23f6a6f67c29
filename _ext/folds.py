"""Code that folds: myst-nb folds what is tagged hide-cell or hide-input; here the rest folds, and folds get names.

The installing cell folds in each chapter, and all code in those whose front matter says `fold: true` (what the
installing cell prints, too), which then begin with a button that opens and closes it (book/_static/fold-all.js). Each
fold is a <details> and needs no script.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

BUTTON = """\
<button type="button" class="fold-all" hidden>Show all code</button>
<script type="module" src="{up}_static/fold-all.js"></script>"""


def fold(app: Sphinx, doctree: nodes.document) -> None:
    """Fold and name the code of a notebook page, and give the page its button."""
    path = Path(app.env.doc2path(app.env.docname))
    if path.suffix != ".ipynb":
        return
    whole = json.loads(path.read_text(encoding="utf-8"))["metadata"].get("genai", {}).get("fold") is True
    for cell in cells(doctree):
        installs = "tag_setup" in cell["classes"]
        if whole or installs:
            cell.setdefault("hide_mode", "all" if whole and installs else "input")
        if "hide_mode" in cell:
            cell["prompt_show"] = cell["prompt_hide"] = name(cell)
    title = next(doctree.findall(nodes.title), None)
    if whole and title is not None:
        button = BUTTON.format(up="../" * app.env.docname.count("/"))
        title.parent.insert(title.parent.index(title) + 1, nodes.raw("", button, format="html"))


def cells(doctree: nodes.document) -> Iterator[nodes.container]:
    """The code cells of a page."""
    return (node for node in doctree.findall(nodes.container) if node.get("nb_element") == "cell_code")


def name(cell: nodes.container) -> str:
    """What a folded cell is called: as in Colab, by its first line, `#@title Solution`."""
    title = re.match(r"#\s*@title (.+)", cell.astext())
    if title:
        return title[1].strip()
    return "Install and start" if "tag_setup" in cell["classes"] else "Code"


def let_titles_speak(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Take away the label by which myst-nb calls every fold alike, so that a screen reader reads its title."""
    context["body"] = context.get("body", "").replace(' aria-label="Toggle hidden content"', "")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the hook: before that of the cost card, which so stands above the button."""
    app.connect("doctree-read", fold, priority=400)
    app.connect("html-page-context", let_titles_speak)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
