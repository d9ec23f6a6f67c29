"""A claim is a cell: its text, where it comes from, the measured conditions, and the verdict that follows from them."""

from __future__ import annotations

import html
import re
from dataclasses import asdict

from IPython.display import display

from genai_utils.records.claims import MIME, SIGN, Claim


def claim(
    id: str,
    text: str,
    *,
    source: str,
    supported: bool,
    refuted: bool,
    evidence: str,
    alternative: str = "",
    exact: bool = False,
) -> None:
    """Judge a claim by two measured conditions and show the verdict; neither true means "depends".

    Args:
        id: family.name, unique in the course; the ledger collects it.
        text: the claim in one sentence.  source: who claims it, with the place.
        supported, refuted: conditions computed from the measurement, never typed in.
        evidence: the numbers.
        alternative: the best other explanation of the same numbers, as half a sentence without a full stop.
        exact: instead of an alternative, for what was proven, counted or read in a text.
    Raises: ValueError if both conditions hold, the id is malformed, a text is empty, or an exact claim has an
        alternative.
    """
    if not re.fullmatch(r"[a-z0-9-]+\.[a-z0-9-]+", id):
        raise ValueError(f"a claim id looks like 'gan.converges', got {id!r}")
    if not (text.strip() and source.strip() and evidence.strip()):
        raise ValueError(f"claim {id} needs a text, a source and evidence")
    if supported and refuted:
        raise ValueError(f"claim {id} is both supported and refuted: its two conditions overlap")
    verdict = "supported" if supported else "refuted" if refuted else "depends"
    judged = Claim(id, text, source, verdict, evidence, alternative.strip(), exact)
    display({"text/html": box(judged), "text/plain": str(judged), MIME: asdict(judged)}, raw=True)


def box(judged: Claim) -> str:
    """A claim with its verdict as HTML."""
    text, source, evidence = (html.escape(part) for part in (judged.text, judged.source, judged.evidence))
    doubt = f'<p class="genai-doubt">{html.escape(judged.doubt)}</p>' if judged.doubt else ""
    return (
        f'<div class="genai-claim genai-{judged.verdict}" id="{judged.anchor}">'
        f"<p><strong>{SIGN[judged.verdict]}</strong> &nbsp;“{text}”</p>"
        f"<p>{evidence}</p>{doubt}<p><small>Claim {judged.id}: {source}</small></p></div>"
    )
