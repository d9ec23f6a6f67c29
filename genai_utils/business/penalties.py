"""What breaking a rule may cost, what it costs on average, and what it is worth to wait for one."""

from __future__ import annotations

from genai_utils import checks


def fine_ceiling(turnover: float, *, amount: float, share: float, lower: bool = False) -> float:
    """The highest fine for a firm, in the unit of its turnover. Equation (rules.ceiling).

    Args: turnover: of a year, worldwide.  amount, share: the two numbers of the law, "up to `amount` or `share` of the
        turnover".  lower: whether the lower of the two holds, as for small firms, or the higher.
    Source: Regulation (EU) 2024/1689, Art. 99; Regulation (EU) 2016/679, Art. 83.
    Raises: ValueError: an amount below 0, or a share outside 0..1.
    """
    checks.at_least(0.0, turnover=turnover, amount=amount)
    checks.share("[0, 1]", share=share)
    return min(amount, share * turnover) if lower else max(amount, share * turnover)


@checks.representable
def expected_fine(*, chance: float, ceiling: float, severity: float = 1.0) -> float:
    """What a year of breaking a rule costs on average, in the unit of the ceiling. Equation (rules.expected).

    Args: chance: of being fined in the year.  severity: typical fine as a share of the ceiling.
    Raises: ValueError: a share outside 0..1, or a ceiling below 0.
    """
    checks.share("[0, 1]", chance=chance, severity=severity)
    checks.at_least(0.0, ceiling=ceiling)
    return chance * severity * ceiling


@checks.representable
def needed_chance(*, cost: float, ceiling: float, severity: float = 1.0) -> float:
    """The chance of a fine at which complying pays for itself; above 1, none is enough. Equation (rules.expected).

    Args: cost: of complying for a year.  ceiling, severity: as in `expected_fine`.
    Raises: ValueError: a cost below 0, or a fine of 0.
    """
    checks.at_least(0.0, cost=cost)
    checks.above(0.0, ceiling=ceiling)
    checks.share("(0, 1]", severity=severity)
    return cost / (severity * ceiling)


@checks.representable
def waiting_value(*, cost: float, dropped: float, years: float, rate: float, hurry: float = 0.0) -> float:
    """What it saves to meet a duty when it is due instead of today; below 0, it loses. Equation (rules.wait).

    Args: cost: of the work today.  dropped: chance that the duty never comes.  years: until it is due.
        rate: interest a year.  hurry: by what share the work is dearer later.
    Raises: ValueError: a number below 0, or a chance outside 0..1.
    """
    checks.share("[0, 1]", dropped=dropped)
    checks.at_least(0.0, cost=cost, years=years, rate=rate, hurry=hurry)
    return cost - (1.0 - dropped) * (1.0 + hurry) * cost / (1.0 + rate) ** years


@checks.representable
def bearable_hurry(*, dropped: float, years: float, rate: float) -> float:
    """By what share the work may be dearer later before waiting loses. Equation (rules.wait).

    Args: as in `waiting_value`.
    Raises: ValueError: a number below 0, or a chance outside 0 up to below 1.
    """
    checks.share("[0, 1)", dropped=dropped)
    checks.at_least(0.0, years=years, rate=rate)
    return (1.0 + rate) ** years / (1.0 - dropped) - 1.0
