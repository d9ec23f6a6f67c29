"""Sourced numbers about the economics, law and history of generative AI: every one with date, source and confidence."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from genai_utils import checks
from genai_utils.records.table import from_csv, html_table, html_text
from genai_utils.records.used import note

TABLE = Path(__file__).with_name("facts.csv")

_SCALES = {"": 1.0, "x": 1.0, "%": 0.01, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
_DATE = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?(?!\d)")
_WORDS = {"V1": "primary source read", "V2": "secondary source only", "U": "unverified"}


@dataclass(frozen=True)
class Fact:
    """One statement of the table. value, unit: set where a single number says it; else None and "".

    until: the day or month since which it no longer holds, though it did when it was said; else "".
    confidence: V1 (we read the primary source), V2 (secondary source only) or U (unverified), perhaps with a remark.
    Raises: TypeError: a field of another type.  ValueError: an id that is none, a word that is missing, another
        confidence, a value that is no finite number, or one without its unit.
    """

    id: str
    topic: str
    statement: str
    date: str
    who: str
    title: str
    url: str
    confidence: str
    value: float | None = None
    unit: str = ""
    until: str = ""

    def __post_init__(self) -> None:
        checks.as_hinted(self)
        if not re.fullmatch(r"[A-Z]-[A-Z]\d+", self.id):
            raise ValueError(f"a fact has an id like B-U4, got {self.id!r}")
        if empty := [name for name in ("topic", "statement", "date", "who", "title") if not getattr(self, name)]:
            raise ValueError(f"fact {self.id} has an empty {empty[0]}; write who said what, where and when")
        if not _DATE.match(self.date):
            raise ValueError(f"fact {self.id} has the date {self.date!r}; begin it like 2026, 2026-08 or 2026-08-16")
        if not re.match(r"(V1|V2|U)\b", self.confidence):
            raise ValueError(f"fact {self.id} has the confidence {self.confidence!r}; begin it with V1, V2 or U")
        if (self.value is None) != (not self.unit):
            raise ValueError(f"fact {self.id} has the value {self.value} and the unit {self.unit!r}; give both or none")
        if not re.fullmatch(r"(\d{4}-\d\d(-\d\d)?)?", self.until):
            raise ValueError(f"fact {self.id} holds until {self.until!r}; write a day or month, 2026-08-16 or 2026-08")

    @property
    def since(self) -> datetime.date:
        """The first day that its date may mean: "2023" is 1 January 2023."""
        year, month, day = _DATE.match(self.date).groups("1")  # type: ignore[union-attr]  # looked at above
        return datetime.date(int(year), int(month), int(day))

    @property
    def is_money(self) -> bool:
        """Whether it states an amount of money that ages; what a court or history said does not."""
        named = re.search(r"[$€£¥]|\b(USD|EUR|RMB|CNY|HKD|yuan)\b", f"{self.statement} {self.unit}")
        return bool(named) and not re.search("history|law", self.topic) and not self.until

    @property
    def dated(self) -> str:
        """When it was said and, if it no longer holds, until when it did."""
        return f"{self.date}, held until {self.until}" if self.until else self.date

    @property
    def source(self) -> str:
        """Who said it, and where."""
        return f"{self.who}: {self.title}"

    @property
    def confidence_in_words(self) -> str:
        """The code of ``confidence`` spelled out; its remark is kept."""
        return re.sub(r"\b(V1|V2|U)\b", lambda code: _WORDS[code[0]], self.confidence)

    @property
    def urls(self) -> list[str]:
        """The addresses; empty where none was found."""
        return [url for url in self.url.split(" ; ") if url.startswith("http")]

    def stated(self, text: str) -> float:
        """The number that the statement writes as ``text``: "608B" is 608e9, "56.3%" is 0.563, "$0.14" is 0.14.

        So a cell can compute with a published figure and cannot misquote it.
        Raises: ValueError: ``text`` is no number, or the statement does not write it so.
        """
        checks.of_type(str, text=text)
        number = re.fullmatch(r"\$?(\d[\d,]*(?:\.\d+)?(?:e\d+)?)([kKMBT%x]?)", text)
        if not number:
            raise ValueError(f"text {text!r} is not a number as in '608B', '$0.14', '56.3%' or '2.1e25'")
        if not re.search(rf"(?<![\w.,$]){re.escape(text)}(?![\w%]|[.,]\d)", self.statement):
            raise ValueError(f"fact {self.id} does not state {text!r} in its text: {self.statement}")
        return float(number[1].replace(",", "")) * _SCALES[number[2]]

    def __str__(self) -> str:
        return f"{self.statement} — {self.source}, {self.dated} [{self.confidence_in_words}]"

    def _repr_html_(self) -> str:
        return f"<p>{html_text(self.statement)} — {_linked(self)}, {html_text(self.dated)} [{_confidence(self)}]</p>"


class FactTable(tuple[Fact, ...]):
    """Facts that show themselves as a table."""

    def __str__(self) -> str:
        return "\n".join(f"{fact.id:<6} {fact}" for fact in self)

    def _repr_html_(self) -> str:
        return html_table(("id", "topic", "statement", "source", "date", "confidence"), map(_row, self))


def fact(id: str, *, history: bool = False) -> Fact:
    """The fact with this id, for example "B-U4".  history: whether one that no longer holds will do.

    Raises: ValueError: unknown id; names the nearest ones. One that no longer holds.  TypeError: no words.
    """
    checks.of_type(str, id=id)
    checks.of_type(bool, history=history)
    known = _table()
    if id not in known:
        near = difflib.get_close_matches(id, known, n=3, cutoff=0.5)
        raise ValueError(
            f"no fact has the id {id!r}; nearest: {', '.join(near) or 'none'}; facts() lists all {len(known)}"
        )
    if known[id].until and not history:
        raise ValueError(
            f"fact {id} held until {known[id].until}; facts({known[id].topic!r}) lists newer ones, or take this one "
            f"as history: fact({id!r}, history=True)"
        )
    note(TABLE, id=id)
    return known[id]


def facts(topic: str | None = None) -> FactTable:
    """All facts, or those of one topic.

    Raises: ValueError: unknown topic; names the topics.
    """
    found = FactTable(each for each in _table().values() if topic in (None, each.topic))
    if not found:
        raise ValueError(
            f"no facts on the topic {topic!r}; there are: {', '.join(sorted({each.topic for each in facts()}))}"
        )
    note(TABLE, topic=topic)
    return found


@cache
def _table() -> dict[str, Fact]:
    return {fact.id: fact for fact in from_csv(Fact, TABLE, "id")}


def _linked(fact: Fact) -> str:
    """The source as HTML; its title leads to the first address, further ones follow as numbers."""
    links = [f'<a href="{escape(url)}">{text}</a>' for url, text in zip(fact.urls, _link_texts(fact), strict=False)]
    return f"{html_text(fact.who)}: {' '.join(links) or html_text(fact.title)}"


def _link_texts(fact: Fact) -> Iterable[str]:
    return [html_text(fact.title), *(f"[{number}]" for number in range(2, len(fact.urls) + 1))]


def _row(fact: Fact) -> tuple[str, ...]:
    words = html_text(fact.topic), html_text(fact.statement)
    return fact.id, *words, _linked(fact), html_text(fact.dated), _confidence(fact)


def _confidence(fact: Fact) -> str:
    return html_text(fact.confidence_in_words)
