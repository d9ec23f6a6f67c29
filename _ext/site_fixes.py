"""Small repairs of what the theme and myst-nb put into a page."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform


class Figures(SphinxPostTransform):
    """Give a notebook's figures the alt text that stands beside them in the output as text/plain, and a scale.

    myst-nb writes images without both; all representations of an output stand in one container until it selects one.
    Sphinx links an image with a scale to its file, where a reader with a phone can enlarge it.
    """

    default_priority = 3  # before myst-nb selects

    def run(self, **kwargs: Any) -> None:
        """Go through the outputs of one document."""
        for bundle in self.document.findall(is_bundle):
            by_type = {child["mime_type"]: child for child in bundle.children}
            if "image/png" in by_type and "text/plain" in by_type:
                for image in by_type["image/png"].findall(nodes.image):
                    image["alt"] = by_type["text/plain"].astext().strip()
                    image["scale"] = 100


class FoldTitles(SphinxPostTransform):
    """Call a folded cell by the title that its first line gives it for Colab: `#@title Solution`."""

    default_priority = 198  # before myst-nb folds

    def run(self, **kwargs: Any) -> None:
        """Go through the folded cells of one document."""
        for cell in self.document.findall(lambda node: isinstance(node, nodes.container) and "hide_mode" in node):
            if title := re.match(r"#\s*@title (.+)", cell.astext()):
                cell["prompt_show"] = cell["prompt_hide"] = title[1].strip()


class KeepColumns(SphinxPostTransform):
    """Mark printed results that stand in columns, so that on a phone they scroll instead of wrapping."""

    default_priority = 199  # after myst-nb has selected

    def run(self, **kwargs: Any) -> None:
        """Go through the printed results of one document."""
        for printed in self.document.findall(nodes.literal_block):
            if "output" in printed["classes"] and len(re.findall(r"\S {2,}\S.*", printed.astext())) > 1:
                printed["classes"].append("columns")


class KeepPercent(SphinxPostTransform):
    """Never break a line between a number and its percent sign."""

    default_priority = 199

    def run(self, **kwargs: Any) -> None:
        """Go through the words of one document; code and formulas stay as they are."""
        fixed = nodes.FixedTextElement | nodes.literal | nodes.math
        for text in list(self.document.findall(nodes.Text)):
            kept = re.sub(r"(?<=\d) (?=%)", "\N{NO-BREAK SPACE}", text)
            if kept != text and not isinstance(text.parent, fixed):
                text.parent.replace(text, nodes.Text(kept))


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
    app.add_post_transform(Figures)
    app.add_post_transform(FoldTitles)
    app.add_post_transform(KeepColumns)
    app.add_post_transform(KeepPercent)
    app.connect("html-page-context", drop_second_thebe_script, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
