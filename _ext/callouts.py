"""Turn blockquotes that open with a bold word into boxes, so that notebook text stays plain Markdown.

`> **Theorem (optimal discriminator).** ...` reads well in Jupyter, Colab and on GitHub; on the site it becomes a titled
box whose colour tells what it is.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

KINDS = (
    "business",
    "claim",
    "definition",
    "exercise",
    "lemma",
    "note",
    "pitfall",
    "predict",
    "proof",
    "quiz",
    "theorem",
)


class Callouts(SphinxTransform):
    """Replace each quote whose first words are `**Kind ...**` by an admonition of that kind."""

    default_priority = 210

    def apply(self, **options: Any) -> None:
        """Go through the quotes of one document."""
        for quote in list(self.document.findall(nodes.block_quote)):
            if title := opening(quote):
                quote.replace_self(box(quote, title))


def opening(quote: nodes.block_quote) -> str | None:
    """The bold words that a quote opens with, if they name a kind of callout: "Exercise 2 (bug hunt)"."""
    bold = first_words(quote)
    title = bold.astext().rstrip(".: ") if bold else ""
    return title if re.split(r"\W", title, maxsplit=1)[0].lower() in KINDS else None


def first_words(quote: nodes.block_quote) -> nodes.strong | None:
    """The first thing in a quote's first paragraph, if it is bold; myst puts an empty text before it."""
    paragraph = quote.children[0] if quote.children else None
    if not isinstance(paragraph, nodes.paragraph):
        return None
    inline = next((child for child in paragraph.children if child.astext()), None)
    return inline if isinstance(inline, nodes.strong) else None


def box(quote: nodes.block_quote, title: str) -> nodes.admonition:
    """Build the box; the bold words move from the text into its title."""
    bold = first_words(quote)
    assert bold is not None
    paragraph = bold.parent
    after = paragraph.children[paragraph.index(bold) + 1 :]
    paragraph.clear()
    if after and isinstance(after[0], nodes.Text):
        after[0] = nodes.Text(after[0].lstrip(" .:"))
    paragraph += after
    body = quote.children if paragraph.astext().strip() else quote.children[1:]
    kind = title.split()[0].lower()
    return nodes.admonition("", nodes.title("", title), *body, classes=["callout", f"callout-{kind}"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform."""
    app.add_transform(Callouts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
