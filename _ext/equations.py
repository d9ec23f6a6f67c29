"""Named equations: `$$ ... \\tag{gan.jsd} $$` gets an anchor and a mark that says whether a test verifies it.

A test counts when it carries `@verifies("gan.jsd")`; the mark says whether the printed formula is parsed or bound.
Links and the index are made in equation_links.py.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from equation_tests import bound, tests
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
NAME = r"[a-z][a-z0-9-]*\.[a-z0-9][a-z0-9-]*"
TAG = re.compile(rf"\\tag\{{({NAME})\}}")


def anchor(name: str) -> str:
    """HTML id of an equation."""
    return "eq-" + name.replace(".", "-")


class Equations(SphinxTransform):
    """Give each named equation of a document its anchor and mark; remember where it stands and what it says."""

    default_priority = 215

    def apply(self, **options: Any) -> None:
        """Go through the displayed equations of one document."""
        verified, defined = tests(str(self.app.srcdir)), equations(self.env)
        tied = bound(str(self.app.srcdir))
        for block in list(self.document.findall(nodes.math_block)):
            if not (match := TAG.search(block.astext())):
                continue
            name = match[1]
            if name in defined:
                LOGGER.warning("equation %s is defined twice, here and in %s", name, defined[name][0], location=block)
            if name not in verified:
                LOGGER.warning('equation %s has no test; give one @verifies("%s")', name, name, location=block)
            defined[name] = (self.env.docname, block.astext())
            state = "not tested yet" if name not in verified else f"✓ tested, {'bound' if name in tied else 'parsed'}"
            block.replace_self(display(block, name, state))


def display(block: nodes.math_block, name: str, state: str) -> nodes.container:
    """Build the equation with its anchor; its name moves into the mark, since MathJax keeps room for a tag twice."""
    text = f"\\begin{{equation*}}\n{TAG.sub('', block.astext()).strip()}\n\\end{{equation*}}"
    shown = nodes.math_block(text, text, nowrap=True, number=None, label=None)
    words = f"({name}) {state}"
    mark = nodes.inline(words, words, equation=name)
    below = nodes.paragraph("", "", mark, classes=["equation-mark"])
    return nodes.container("", shown, below, ids=[anchor(name)], classes=["equation"])


def equations(env: BuildEnvironment) -> dict[str, tuple[str, str]]:
    """Equation name -> (document, formula), for the whole book."""
    return env.__dict__.setdefault("genai_equations", {})


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Drop what a document defined before it is read again."""
    for name in [name for name, (where, _) in equations(env).items() if where == docname]:
        del equations(env)[name]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform."""
    app.add_transform(Equations)
    app.connect("env-purge-doc", forget)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
