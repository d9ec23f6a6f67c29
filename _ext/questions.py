"""Give pages with a quiz or a Predict box the script that makes forms of them; without it their text stays as it is."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

SCRIPTS = {"callout-quiz": "quiz.js", "callout-predict": "predict.js"}


def add_scripts(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Load on this page what its boxes need."""
    boxes = doctree.findall(nodes.admonition) if doctree else ()
    for kind in sorted({kind for box in boxes for kind in box["classes"]} & SCRIPTS.keys()):
        app.add_js_file(SCRIPTS[kind], type="module")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the hook."""
    app.connect("html-page-context", add_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
