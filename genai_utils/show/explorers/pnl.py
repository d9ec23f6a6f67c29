"""The explorer "Bend the books": profit and loss of a product with free users, now and over three years."""

from __future__ import annotations

from genai_utils.business.unit_economics import Plan
from genai_utils.show.explorers.kit import Explorer, Number

_AMOUNTS = ("users", "paying_share", "usd_per_payer", "payer_tokens", "free_tokens")
_MACHINE = ("tokens_per_second", "machine_usd_per_hour", "utilisation", "fixed_usd")


class ProfitAndLoss(Explorer, script="pnl"):
    """Two panels to bend; no kernel needed, because all numbers come from `pnl.js`.

    Left: a month of `business.unit_economics.Plan`, whose fields the traits are: users, shares in 0..1, USD, million
    tokens a month and user. Right: 36 months in which prices and machines get cheaper by a factor a year
    (`price_factor`, `cost_factor`), and users and their use grow by one (`users_factor`, `use_factor`).
    Equations (unit.cost-per-token), (unit.margin), (unit.free-tier), (unit.decline).
    """

    users = Number(100_000.0, min=1.0)
    paying_share = Number(0.064, min=0.0, max=1.0)
    usd_per_payer = Number(20.0, min=0.0)
    payer_tokens = Number(15.0, min=0.0)
    free_tokens = Number(1.0, min=0.0)
    tokens_per_second = Number(39_500.0, min=1.0)
    machine_usd_per_hour = Number(29.1, min=0.0)
    utilisation = Number(0.5, min=0.01, max=1.0)
    fixed_usd = Number(30_000.0, min=0.0)
    price_factor = Number(1.2, min=0.1)
    cost_factor = Number(1.5, min=0.1)
    users_factor = Number(1.2, min=0.1)
    use_factor = Number(1.5, min=0.1)

    def plan(self) -> Plan:
        """The plan as it is bent now."""
        return Plan(**{name: getattr(self, name) for name in (*_AMOUNTS, *_MACHINE)})
