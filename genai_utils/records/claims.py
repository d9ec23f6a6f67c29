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
    alternative: the best other explanation of the same numbers.
    exact: it was proven, counted or read in a text, so that there is no other explanation.
    Raises: ValueError: another verdict; an alternative to what is exact.  TypeError: no words.
    """

    id: str
    text: str
    source: str
    verdict: str
    evidence: str
    alternative: str = ""
    exact: bool = False

    def __post_init__(self) -> None:
        checks.as_hinted(self)
        checks.one_of(SIGN, verdict=self.verdict)
        if self.exact and self.alternative.strip():
            raise ValueError(f"claim {self.id} is exact and yet names an alternative {self.alternative!r}: drop one")

    @property
    def anchor(self) -> str:
        """Where a page shows it."""
        return f"claim-{self.id.replace('.', '-')}"

    @property
    def doubt(self) -> str:
        """The other explanation as a sentence, or that there is none; empty while nobody has named one."""
        if self.exact:
            return "Proven, counted or read, not sampled."
        return f"Other explanation: {self.alternative}." if self.alternative else ""

    def __str__(self) -> str:
        return f"{SIGN[self.verdict]}: {self.text} ({self.source}) {self.evidence} {self.doubt}".rstrip()
