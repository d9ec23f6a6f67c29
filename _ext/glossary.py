"""The glossary: terms in English and Chinese, and links to it from the first bold use of each on a page."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from _ext.facts import SEARCH
from genai_utils import checks
from genai_utils.records.table import from_csv, html_text

TABLE = "book/appendix/glossary.csv"
PAGE = "book/appendix/glossary"
COLUMNS = ("Term", "中文", "Meaning", "Where")


@dataclass(frozen=True)
class Term:
    """One row.  also: other spellings, parted by "; ".  meaning: one sentence.  chapter, section: what explains it.

    Raises: ValueError: one of the fields but `also` is empty, or the Chinese holds no Chinese.  TypeError: no words.
    """

    term: str
    also: str
    chinese: str
    meaning: str
    chapter: str
    section: str

    def __post_init__(self) -> None:
        checks.as_hinted(self)
        for name in ("meaning", "chapter", "section"):
            if not getattr(self, name).strip():
                raise ValueError(f"the term {self.term!r} has no {name}")
        if not re.search("[\u4e00-\u9fff]", self.chinese):
            raise ValueError(f"the term {self.term!r} has the Chinese {self.chinese!r}; write it in Chinese characters")

    @property
    def anchor(self) -> str:
        """Where the glossary explains it."""
        return "term-" + re.sub(r"[^a-z0-9]+", "-", self.term.lower()).strip("-")

    @property
    def spellings(self) -> set[str]:
        """What a page may call it, in lower case."""
        return {self.term.lower(), *(each.lower() for each in self.also.split("; ") if each)}

    @property
    def address(self) -> str:
        """The section that explains it, below the root of the site."""
        return f"notebooks/{self.chapter}.html#{nodes.make_id(self.section)}"


def read(root: Path) -> list[Term]:
    """All terms, in the order of the alphabet.  Raises: ValueError."""
    return sorted(from_csv(Term, root / TABLE, "term"), key=lambda each: each.term.lower())


class Glossary(SphinxDirective):
    """`{glossary-terms}`: a row a term, which a reader may search."""

    def run(self) -> list[nodes.Node]:
        """Render the table as it is stored."""
        self.env.note_dependency(TABLE)
        up = "../" * self.env.docname.count("/")
        head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
        body = "".join(row(term, up) for term in read(Path(self.env.srcdir)))
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        search = SEARCH.format(up=up, rows=".terms tbody tr")
        return [nodes.raw("", f'{search}<div class="ledger terms">{table}</div>', format="html")]


def row(term: Term, up: str) -> str:
    """One term with its address on the page."""
    also = f" <small>({html_text(term.also)})</small>" if term.also else ""
    link = f'<a href="{up}{html.escape(term.address)}">{html_text(term.section)}</a>'
    return (
        f'<tr id="{term.anchor}"><td>{html_text(term.term)}{also}</td><td lang="zh">{html_text(term.chinese)}</td>'
        f"<td>{html_text(term.meaning)}</td><td>{link}</td></tr>"
    )


class TermLinks(SphinxPostTransform):
    """Let the first bold use of a term in a chapter lead to its row."""

    default_priority = 9

    def run(self, **kwargs: Any) -> None:
        """Go through the bold words of one chapter; words of headings and links stay as they are."""
        if not self.env.docname.startswith("notebooks/") or not (Path(self.env.srcdir) / TABLE).exists():
            return
        self.env.note_dependency(TABLE)
        open_terms = {spelling: term for term in read(Path(self.env.srcdir)) for spelling in term.spellings}
        page = self.app.builder.get_relative_uri(self.env.docname, PAGE)
        for bold in list(self.document.findall(nodes.strong)):
            term = open_terms.get(bold.astext().lower())
            if term and not isinstance(bold.parent, nodes.reference | nodes.title):
                for spelling in term.spellings:
                    open_terms.pop(spelling, None)
                bold.replace_self(
                    nodes.reference("", "", bold.deepcopy(), refuri=f"{page}#{term.anchor}", internal=True)
                )


def setup(app: Sphinx) -> dict[str, bool]:
    """Register directive and post-transform."""
    app.add_directive("glossary-terms", Glossary)
    app.add_post_transform(TermLinks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
