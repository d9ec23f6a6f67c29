"""The explorer "Your verdict": four chances and what ties them become the chances of four endings, in the browser."""

from __future__ import annotations

from genai_utils.business.verdict import quadrants
from genai_utils.show.explorers.kit import Explorer, Number


class Chance(Number):
    """A number in [0, 1].  Raises: TypeError, ValueError: names the trait."""

    def __init__(self, value: float = 0.5) -> None:
        super().__init__(value, min=0.0, max=1.0)


class YourVerdict(Explorer, script="verdict"):
    """Two panels to bend; no kernel needed, because all numbers come from `verdict.js`.

    users, tokens, machines, prices: chance that each condition of the verdict holds.  tied: how often one cause decides
    all of them together.  Equations (verdict.tied), (verdict.bounds).
    """

    users = Chance()
    tokens = Chance()
    machines = Chance()
    prices = Chance()
    tied = Chance()

    @property
    def endings(self) -> dict[str, float]:
        """The left panel as it stands, for Python."""
        return quadrants(self.users, [self.tokens, self.machines, self.prices], tied=self.tied)
