"""Citations are plain links to papers; each must have an entry in book/references.bib, which `{references}` lists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from pybtex.database import Entry, parse_file
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

LOGGER = logging.getLogger(__name__)
PAPER = re.compile(r"https?://(arxiv\.org|(dx\.)?doi\.org|proceedings\.|papers\.(nips|neurips)\.cc|openreview\.net)")
BIBLIOGRAPHY = "book/references.bib"


def entries(source: Path) -> dict[str, Entry]:
    """Entries of the bibliography by key."""
    path = source / BIBLIOGRAPHY
    return dict(parse_file(str(path)).entries) if path.exists() else {}


def check(app: Sphinx, doctree: nodes.document) -> None:
    """Warn of links to papers that the bibliography does not know."""
    known = {entry.fields.get("url") for entry in entries(Path(app.srcdir)).values()}
    for link in doctree.findall(nodes.reference):
        address = link.get("refuri", "")
        if PAPER.match(address) and address not in known:
            LOGGER.warning("%s is cited but has no entry in %s", address, BIBLIOGRAPHY, location=link)


class References(SphinxDirective):
    """`{references}`: the bibliography as a list, by first author and year."""

    def run(self) -> list[nodes.Node]:
        """Render all entries."""
        self.env.note_dependency(BIBLIOGRAPHY)
        found = entries(Path(self.env.srcdir)).values()
        ordered = sorted(found, key=lambda entry: (authors(entry), entry.fields["year"]))
        return [nodes.bullet_list("", *[nodes.list_item("", line(entry)) for entry in ordered])]


def authors(entry: Entry) -> str:
    """Authors as "A. Author, B. Author and C. Author"."""
    names = [" ".join([*(f"{n[0]}." for n in p.first_names + p.middle_names), *p.prelast_names, *p.last_names])
             for p in entry.persons["author"]]  # fmt: skip
    names = [name.replace("{", "").replace("}", "") for name in names]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def line(entry: Entry) -> nodes.paragraph:
    """One entry as a sentence whose title is the link."""
    title = entry.fields["title"].replace("{", "").replace("}", "")
    link = nodes.reference(title, title, refuri=entry.fields["url"], internal=False)
    return nodes.paragraph("", "", nodes.Text(f"{authors(entry)} ({entry.fields['year']}): "), link, nodes.Text("."))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the check and the directive."""
    app.connect("doctree-read", check)
    app.add_directive("references", References)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
