"""What sellers of tokens ask for a million of them, model by model, as the table of facts states it."""

from __future__ import annotations

from dataclasses import dataclass

from genai_utils import checks
from genai_utils.business.unit_economics import Prices
from genai_utils.records.facts import fact

# seller, model, month of the list, fact, and how the fact writes a million fresh input, output and cached input tokens
_LISTS = (
    ("OpenAI", "GPT-4", "2023-03", "B-U20", "$30", "$60", "$30"),
    ("OpenAI", "GPT-5", "2025-08", "B-U20", "$1.25", "$10", "$0.125"),
    ("OpenAI", "GPT-5.5", "2026-04", "B-U20", "$5", "$30", "$0.50"),
    ("OpenAI", "GPT-6.2 Sol", "2026-11", "B-U20", "$2", "$10", "$0.10"),
    ("OpenAI", "GPT-6.2 Astra", "2026-11", "B-U20", "$8", "$40", "$0.40"),
    ("Anthropic", "Claude 3 Opus", "2024-03", "B-U21", "$15", "$75", "$15"),
    ("Anthropic", "Opus 4.5", "2025-11", "B-U21", "$5", "$25", "$0.50"),
    ("Anthropic", "Opus 5.5", "2026-09", "B-U21", "$4", "$20", "$0.20"),
    ("Google", "Gemini 1.5 Pro", "2024-08", "B-U33", "$3.50", "$10.50", "$0.875"),
    ("Google", "Gemini 2.5 Pro", "2025-06", "B-U22", "$1.25", "$10", "$0.125"),
    ("Google", "Gemini 4 Neon", "2026-11", "B-U22", "$3", "$15", "$0.15"),
    ("DeepSeek", "R1", "2025-03", "B-U2", "$0.55", "$2.19", "$0.14"),
    ("DeepSeek", "V3.2", "2025-12", "B-U10", "$0.28", "$0.42", "$0.028"),
    ("DeepSeek", "V4-Pro, May", "2026-05", "B-U11", "$0.435", "$0.87", "$0.003625"),
    ("DeepSeek", "V4-Pro", "2026-08", "B-U11", "$0.66", "$1.98", "$0.022"),
    ("DeepSeek", "V4.1-Flash", "2026-09", "B-U11", "$0.15", "$0.60", "$0.003"),
)


@dataclass(frozen=True)
class PriceList:
    """A seller's list prices of a model; off-peak, and for short prompts, where he asks more for others.

    month: of the list, as 2026-11.  fact: the id that states it.  Where no price for cached input is stated, it is
    that of fresh input; what storing a cache costs by the hour is left out.
    Raises: TypeError: a field of another type.
    """

    seller: str
    model: str
    month: str
    fact: str
    prices: Prices

    def __post_init__(self) -> None:
        checks.as_hinted(self)


def price_list(model: str) -> PriceList:
    """The list with this model, for example "V3.2".

    Raises: ValueError: no list has it; names the nearest.  TypeError: no words.
    """
    checks.one_of([row[1] for row in _LISTS], model=model)
    return _read(*next(row for row in _LISTS if row[1] == model))


def price_lists() -> list[PriceList]:
    """All lists, seller by seller, each in the order of time."""
    return [_read(*row) for row in _LISTS]


def _read(seller: str, model: str, month: str, id: str, fresh: str, output: str, cached: str) -> PriceList:
    """The prices, from the fact: what it does not state is an error."""
    stated = fact(id, history=True).stated
    return PriceList(seller, model, month, id, Prices(stated(cached), stated(fresh), stated(output)))
