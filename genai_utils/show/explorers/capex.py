"""The explorer "What must be true": from money spent on machines to what users must pay, computed in the browser."""

from __future__ import annotations

from genai_utils.business.machines import Buildout
from genai_utils.records.facts import fact
from genai_utils.show.explorers.kit import Explorer, Number

_SERVER = fact("B-V7").stated("$270,000") / 8  # one GPU with its part of the server
_CHIP_SHARE = fact("B-V5").stated("$35B") / fact("B-V5").stated("$50B")


class WhatMustBeTrue(Explorer, script="capex"):
    """Two panels to bend; no kernel needed, because all numbers come from `capex.js`.

    Left: capex (billion dollars) becomes a yearly bill and a required revenue, against `revenue_today` (billion).
    Right: what an hour sold of one GPU must bring, against the market's `rent` (dollars); `gpu_cost` in thousands.
    Figures of the world start at what the table of facts says: B-A8, B-V5, B-V7, B-U13, and B-C20 for what users pay.
    The others are assumptions. Older machines go on needing what users pay today: growth pays for the new ones.
    Equations (machines.annuity), (machines.capex-revenue), (machines.path), (machines.hour).
    """

    capex = Number(fact("B-A8").stated("$745B") / 1e9, min=1.0)
    chip_share = Number(_CHIP_SHARE, min=0.0, max=1.0)
    chip_life = Number(5.0, min=0.5)
    building_life = Number(20.0, min=0.5)
    rate = Number(0.1, min=0.0)
    running = Number(0.05, min=0.0)
    margin = Number(0.5, max=0.99)
    revenue_today = Number(fact("B-C20").stated("$175B") / 1e9, min=0.1)
    utilisation = Number(0.6, min=0.01, max=1.0)
    gpu_cost = Number(round(_SERVER / _CHIP_SHARE / 1e3, 1), min=0.1)
    rent = Number(fact("B-U13").value, min=0.01)

    @property
    def buildout(self) -> Buildout:
        """The left panel as it stands, for Python; money in billion dollars."""
        names = ("capex", "chip_share", "chip_life", "building_life", "rate", "running", "margin", "utilisation")
        return Buildout(*(getattr(self, name) for name in names))
