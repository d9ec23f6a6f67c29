"""A claim with its verdict, as chapters store it and the ledger collects it."""

from __future__ import annotations

from dataclasses import dataclass

from genai_utils import checks

MIME = "application/vnd.genai.claim+json"
SIGN = {"supported": "✓ supported", "refuted": "✗ refuted", "depends": "~ depends"}


@dataclass(frozen=True)
class Claim:
    """A claim and its verdict.

    id: family.name, unique in the course.  text: the claim in one sentence.  source: who claims it, with the place.
    verdict: one of SIGN.  evidence: the numbers.
    Raises: ValueError: another verdict.  TypeError: no words.
    """

    id: str
    text: str
    source: str
    verdict: str
    evidence: str

    def __post_init__(self) -> None:
        checks.as_hinted(self)
        checks.one_of(SIGN, verdict=self.verdict)

    @property
    def anchor(self) -> str:
        """Where a page shows it."""
        return f"claim-{self.id.replace('.', '-')}"

    def __str__(self) -> str:
        return f"{SIGN[self.verdict]}: {self.text} ({self.source}) {self.evidence}"
