"""Small repairs of what the theme and myst-nb put into a page."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform


class AltText(SphinxPostTransform):
    """Give a notebook's figures the alt text that stands beside them in the output as text/plain.

    myst-nb writes images without it; all representations of an output stand in one container until it selects one.
    """

    default_priority = 3  # before myst-nb selects

    def run(self, **kwargs: Any) -> None:
        """Go through the outputs of one document."""
        for bundle in self.document.findall(is_bundle):
            by_type = {child["mime_type"]: child for child in bundle.children}
            if "image/png" in by_type and "text/plain" in by_type:
                for image in by_type["image/png"].findall(nodes.image):
                    image["alt"] = by_type["text/plain"].astext().strip()


class FoldTitles(SphinxPostTransform):
    """Call a folded cell by the title that its first line gives it for Colab: `#@title Solution`."""

    default_priority = 198  # before myst-nb folds

    def run(self, **kwargs: Any) -> None:
        """Go through the folded cells of one document."""
        for cell in self.document.findall(lambda node: isinstance(node, nodes.container) and "hide_mode" in node):
            if title := re.match(r"#\s*@title (.+)", cell.astext()):
                cell["prompt_show"] = cell["prompt_hide"] = title[1].strip()


def is_bundle(node: nodes.Node) -> bool:
    """Say whether a node holds all representations of one output."""
    return isinstance(node, nodes.container) and node.get("nb_element") == "mime_bundle"


def drop_second_thebe_script(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """The theme and the book both add one inline script; its `const` may be declared once only."""
    seen: set[str] = set()
    kept = []
    for script in context.get("script_files", []):
        body = (getattr(script, "attributes", None) or {}).get("body") or ""
        if not (body.startswith("const THEBE_JS_URL") and body in seen):
            kept.append(script)
        seen.add(body)
    context["script_files"] = kept


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the repairs."""
    app.add_post_transform(AltText)
    app.add_post_transform(FoldTitles)
    app.connect("html-page-context", drop_second_thebe_script, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
