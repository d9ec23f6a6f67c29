"""Small repairs of what the theme and myst-nb put into a page."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from docutils import nodes
from sphinx import addnodes
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


class ExplorerLinks(SphinxPostTransform):
    """Let `[see it fail](#game=r1:0.2)` lead to that state of an explorer, here or (with a path) on another page."""

    default_priority = 8  # before MyST looks for a heading of that name

    def run(self, **kwargs: Any) -> None:
        """Go through the links of one document that wait for their target."""
        for link in list(self.document.findall(addnodes.pending_xref)):
            state = link.get("reftargetid") or link["reftarget"]
            if re.match(r"[a-z]+=", state):
                page = link["reftarget"] if link.get("reftargetid") else self.env.docname
                address = self.app.builder.get_relative_uri(self.env.docname, page) + "#" + quote(state, safe="=:,&%")
                link.replace_self(nodes.reference("", "", *link.children, refuri=address, internal=True))


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
    app.add_post_transform(KeepColumns)
    app.add_post_transform(KeepPercent)
    app.add_post_transform(ExplorerLinks)
    app.connect("html-page-context", drop_second_thebe_script, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
