"""Show at the head of each chapter what running it cost: time, memory, hardware, versions, date."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx


def card(stamp: dict[str, Any]) -> str:
    """One sentence of HTML from the stamp that tools/notebooks.py writes."""
    where = stamp["hardware"] if stamp["device"] == "cpu" else stamp["device"]
    threads = f" with {stamp['threads']} thread{'s' * (stamp['threads'] > 1)}" if stamp.get("threads") else ""
    versions = ", ".join(f"{name} {version}" for name, version in stamp["versions"].items() if version)
    memory = f"peak memory {stamp['peak_memory_mb'] / 1024:.1f} GB"
    return (
        '<aside class="cost-card" aria-label="What running this chapter cost">'
        f"<strong>Ran in {stamp['seconds']:.0f} s</strong> on {where}{threads}, {memory}, budget {stamp['budget']}, "
        f"{stamp['date']} ({versions}). Every number and figure below comes from that run.</aside>"
    )


def insert(app: Sphinx, doctree: nodes.document) -> None:
    """Put the card under the title of a notebook page."""
    path = Path(app.env.doc2path(app.env.docname))
    if path.suffix != ".ipynb":
        return
    stamp = json.loads(path.read_text())["metadata"].get("genai")
    title = next(doctree.findall(nodes.title), None)
    if stamp and title is not None:
        section = title.parent
        section.insert(section.index(title) + 1, nodes.raw("", card(stamp), format="html"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the hook."""
    app.connect("doctree-read", insert)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
