"""Today's answer, at the head of a chapter: a few numbers with their ranges, and the sections that compute them."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from IPython.display import display

from genai_utils import checks
from genai_utils.records.table import html_text


@dataclass(frozen=True)
class Line:
    """One number of an answer, in words: number "0.40 USD", range "0.1 to 2 USD", says: what it is, half a sentence.

    section: the heading, in the same chapter, of the section that computes it.
    Raises: ValueError: an empty one, or a number or range without a digit.  TypeError: no words.
    """

    number: str
    range: str
    says: str
    section: str

    def __post_init__(self) -> None:
        checks.as_hinted(self)
        for name in ("number", "range"):
            if not re.search(r"\d", getattr(self, name)):
                raise ValueError(f"{name} must hold a number, got {getattr(self, name)!r}")
        for name in ("says", "section"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name} is empty; say what the number is, and which section computes it")

    @property
    def anchor(self) -> str:
        """Where the site puts that section: docutils' id of a heading."""
        return re.sub(r"^[-0-9]+|-+$", "", re.sub(r"[^a-z0-9]+", "-", self.section.lower()))


def answer(as_of: str, *lines: Line) -> None:
    """Show the answer as of a month, for example "November 2026", as two to four numbers side by side.

    Raises: ValueError: another count of lines, or no month.  TypeError: no words.
    """
    checks.of_type(str, as_of=as_of)
    checks.of_type(Line, **{f"line {number}": line for number, line in enumerate(lines, 1)})
    if not re.fullmatch(r"[A-Z][a-z]+ \d{4}", as_of):
        raise ValueError(f"as_of must be a month such as 'November 2026', got {as_of!r}")
    if not 2 <= len(lines) <= 4:
        raise ValueError(f"an answer has two to four lines, got {len(lines)}")
    head = f"The answer as of {as_of}"
    tiles = "".join(map(_tile, lines))
    text = "\n".join(f"{line.number} ({line.range}): {line.says} [{line.section}]" for line in lines)
    shown = (
        f'<section class="genai-answer" aria-label="{head}"><p><strong>{head}</strong></p><div>{tiles}</div></section>'
    )
    display({"text/html": shown, "text/plain": f"{head}\n{text}"}, raw=True)


def _tile(line: Line) -> str:
    """One number, its range, what it says and a link to its section."""
    link = f'<a href="#{html.escape(line.anchor)}">{html_text(line.section)}</a>'
    return (
        f'<div><p class="genai-number">{html_text(line.number)}</p><p class="genai-range">{html_text(line.range)}</p>'
        f"<p>{html_text(line.says)}</p><p><small>{link}</small></p></div>"
    )
