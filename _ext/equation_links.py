"""Make "(gan.jsd)" in running text a link to that equation, and collect all equations with their tests in an index."""

import re
from typing import Any

from docutils import nodes
from equation_tests import tests
from equations import NAME, TAG, anchor, equations
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

LOGGER = logging.getLogger(__name__)
MENTION = re.compile(rf"\(({NAME})\)")
NOT_PROSE = (nodes.reference, nodes.literal, nodes.math, nodes.FixedTextElement)  # the last: blocks of code, raw


class IndexNode(nodes.General, nodes.Element):
    """Place of the index of equations."""


class EquationIndex(SphinxDirective):
    """`{equation-index}`: every named equation of the book with the tests that verify it."""

    def run(self) -> list[nodes.Node]:
        """Leave a place; it is filled when all chapters have been read."""
        self.env.genai_equation_index = self.env.docname  # type: ignore[attr-defined]
        return [IndexNode("", nodes.math())]  # the empty formula tells Sphinx that this page will need MathJax


class Links(SphinxPostTransform):
    """Resolve marks, mentions and the index of one document, once the whole book has been read."""

    default_priority = 8

    def run(self, **kwargs: Any) -> None:
        """Go through marks, texts and index places."""
        index = getattr(self.env, "genai_equation_index", None)
        for mark in list(self.document.findall(lambda node: isinstance(node, nodes.inline) and "equation" in node)):
            if index:
                mark.replace_self(self.link(index, "index-" + anchor(mark["equation"]), mark.astext()))
        for text in list(self.document.findall(nodes.Text)):
            if MENTION.search(text) and not isinstance(text.parent, NOT_PROSE):
                text.parent.replace(text, [self.part(i, part, text) for i, part in enumerate(MENTION.split(text))])
        for place in list(self.document.findall(IndexNode)):
            place.replace_self([self.entry(*item) for item in sorted(equations(self.env).items())])

    def part(self, position: int, part: str, text: nodes.Text) -> nodes.Node:
        """Text (even positions) or mention (odd ones) of a split sentence."""
        known = equations(self.env)
        if position % 2 and part in known:
            return self.link(known[part][0], anchor(part), f"({part})")
        if position % 2 and part.split(".")[0] in {name.split(".")[0] for name in known}:
            LOGGER.warning("no equation is called %s", part, location=text.parent)
        return nodes.Text(f"({part})" if position % 2 else part)

    def link(self, docname: str, fragment: str, text: str) -> nodes.reference:
        """Link to a place in a document of the book."""
        uri = "" if docname == self.env.docname else self.app.builder.get_relative_uri(self.env.docname, docname)
        return nodes.reference(text, text, internal=True, refuri=f"{uri}#{fragment}")

    def entry(self, name: str, found: tuple[str, str]) -> nodes.Node:
        """Name, chapter, formula and tests of one equation."""
        docname, tex = found
        chapter = self.link(docname, anchor(name), self.env.titles[docname].astext())
        head = nodes.paragraph("", "", nodes.strong("", name), nodes.Text(" in "), chapter)
        formula = nodes.math_block(TAG.sub("", tex), TAG.sub("", tex), nowrap=False, number=None, label=None)
        sentences = [test.removeprefix("test_").replace("_", " ") for test in tests(str(self.app.srcdir)).get(name, [])]
        checks = nodes.bullet_list("", *[nodes.list_item("", nodes.paragraph(s, s)) for s in sentences])
        return nodes.container("", head, formula, checks, ids=["index-" + anchor(name)], classes=["equation-entry"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register directive and post-transform."""
    app.add_node(IndexNode)
    app.add_directive("equation-index", EquationIndex)
    app.add_post_transform(Links)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
