"""Trials of generative AI as the table of facts states them, on one scale: at work, and in sales."""

from __future__ import annotations

import math

from genai_utils.business.evidence import Effect, effect_from_error, effect_from_interval
from genai_utils.records.facts import fact


def at_work() -> dict[str, Effect]:
    """Effects on output in the same time, of each estimate that states its error. Equation (evidence.log-ratio).

    Source: facts B-P1 and B-P13, B-P14, B-P20, B-P3, B-P10, B-P5, B-P6; the last three are by one team.
    """
    return {
        "writing, 453 professionals": _writing(),
        "support, 5,172 agents": Effect(*_stated("B-P14", "0.138", "0.0199")),
        "support, 5,940 new agents": Effect(*_stated("B-P20", "0.011", "0.005")),
        "one web server, 95 developers": _time("B-P3", "55.8%", "89%", "21%", signs=(-1, -1, -1)),
        "daily work, 4,867 developers": effect_from_error(*_stated("B-P10", "26.08%", "10.3%")),
        "own projects, 16 developers, 2025": _time("B-P5", "19%", "2%", "39%", signs=(1, 1, 1)),
        "some of them again, 2026": _time("B-P6", "18%", "38%", "9%", signs=(-1, -1, 1)),
        "new people, 2026": _time("B-P6", "4%", "15%", "9%", signs=(-1, -1, 1)),
    }


def one_a_team() -> dict[str, Effect]:
    """The same with one estimate of each team: of the last three that of 2025, which its authors stand by."""
    return {name: effect for name, effect in at_work().items() if "2026" not in name}


def sales() -> dict[str, Effect]:
    """Effects on the sales of one online retailer, by what AI did. Equation (evidence.log-ratio).  Source: B-P22."""
    found = {
        "chat where there was none": ("16.3%", "0.274", "0.0995", 1),
        "search queries": ("2.93%", "0.0648", "0.0314", 1),
        "product descriptions": ("2.05%", "0.0104", "0.00417", 1),
        "push messages": ("1.6%", "0.000402", "0.000812", 1),
        "titles of advertisements": ("4.5%", "0.00602", "0.00534", -1),
    }
    return {name: _sale(*texts, sign=sign) for name, (*texts, sign) in found.items()}


def _stated(id: str, *texts: str) -> list[float]:
    return [fact(id).stated(text) for text in texts]


def _time(id: str, *texts: str, signs: tuple[int, int, int]) -> Effect:
    """Effect of a change of time with its interval."""
    change, low, high = (sign * number for sign, number in zip(signs, _stated(id, *texts), strict=True))
    return effect_from_interval(change, low, high, of_time=True)


def _writing() -> Effect:
    """40 % less time; its error rebuilt from the size of the difference in standard deviations and of the groups."""
    (less,), (distance, people) = _stated("B-P1", "40%"), _stated("B-P13", "0.8", "444")
    error = math.sqrt(4 / people + distance**2 / (2 * people))
    return Effect(-math.log1p(-less), -math.log1p(-less) * error / distance)


def _sale(change: str, dollars: str, error: str, *, sign: int) -> Effect:
    """Effect of a change of sales whose error is stated in dollars."""
    part, more, off = _stated("B-P22", change, dollars, error)
    return effect_from_error(sign * part, part * off / more)
