"""A claim is a cell: its text, where it comes from, the measured conditions, and the verdict that follows from them."""

from __future__ import annotations

import html
import re
from dataclasses import asdict, dataclass
from typing import Any

from IPython.display import display

MIME = "application/vnd.genai.claim+json"
SIGN = {"supported": "✓ supported", "refuted": "✗ refuted", "depends": "~ depends"}


@dataclass(frozen=True)
class Claim:
    """A claim with its verdict: "supported", "refuted" or "depends"."""

    id: str
    text: str
    source: str
    verdict: str
    evidence: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/html": self._html(), "text/plain": str(self), MIME: asdict(self)}

    def __str__(self) -> str:
        return f"{SIGN[self.verdict]}: {self.text} ({self.source}) {self.evidence}"

    def _html(self) -> str:
        text, source, evidence = (html.escape(part) for part in (self.text, self.source, self.evidence))
        return (
            f'<div class="genai-claim genai-{self.verdict}" id="claim-{self.id.replace(".", "-")}">'
            f"<p><strong>{SIGN[self.verdict]}</strong> &nbsp;“{text}”</p>"
            f"<p>{evidence}</p><p><small>Claim {self.id}: {source}</small></p></div>"
        )


def claim(id: str, text: str, *, source: str, supported: bool, refuted: bool, evidence: str) -> None:
    """Judge a claim by two measured conditions and show the verdict; neither true means "depends".

    Args:
        id: family.name, unique in the course; the ledger collects it.
        text: the claim in one sentence.  source: who claims it, with the place.
        supported, refuted: conditions computed from the measurement, never typed in.
        evidence: the numbers.
    Raises: ValueError if both conditions hold, the id is malformed, or a text is empty.
    """
    if not re.fullmatch(r"[a-z0-9-]+\.[a-z0-9-]+", id):
        raise ValueError(f"a claim id looks like 'gan.converges', got {id!r}")
    if not (text.strip() and source.strip() and evidence.strip()):
        raise ValueError(f"claim {id} needs a text, a source and evidence")
    if supported and refuted:
        raise ValueError(f"claim {id} is both supported and refuted: its two conditions overlap")
    display(Claim(id, text, source, "supported" if supported else "refuted" if refuted else "depends", evidence))
