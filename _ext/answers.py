"""The answer so far: the first number of some chapters' answers, collected from the outputs of their notebooks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from genai_utils.records.table import html_text

LINE = re.compile(r"(?P<number>[^\n]+?) \((?P<range>[^\n]+)\): (?P<says>[^\n]+) \[(?P<section>[^\n]+)\]")


def leads(notebook: Path) -> tuple[str, re.Match[str]]:
    """When a chapter answers, in words, and the first line of its answer.  Raises: ValueError: it gives none."""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            text = "".join(output.get("data", {}).get("text/plain", ""))
            if text.startswith("The answer as of ") and (line := LINE.search(text)):
                return text.partition("\n")[0], line
    raise ValueError(f"{notebook.name} leads with no answer; see genai_utils.show.answers")


class Answers(SphinxDirective):
    """`{answers} NAME ...`: a line a chapter, linked to it, under the month in which they hold."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Render from the notebooks as they are stored."""
        up, lines, heads = "../" * self.env.docname.count("/"), [], []
        for name in self.arguments[0].split():
            notebook = Path(self.env.srcdir) / "notebooks" / f"{name}.ipynb"
            self.env.note_dependency(str(notebook))
            head, line = leads(notebook)
            heads.append(head)
            lines.append(
                f'<li><a href="{up}notebooks/{name}.html"><strong>{html_text(line["number"])}</strong></a> '
                f"({html_text(line['range'])}): {html_text(line['says'])}</li>"
            )
        title = f"<p><strong>{html_text(max(heads))}</strong></p>"
        return [nodes.raw("", f'<div class="genai-answer">{title}<ul>{"".join(lines)}</ul></div>', format="html")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("answers", Answers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
