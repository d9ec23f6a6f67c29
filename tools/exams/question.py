"""A question of an exam: words with numbers drawn at random, the answer by code, and the slips that are often made."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

CLOSE = 0.01  # an answer may differ by so much of itself, for it was rounded


@dataclass(frozen=True)
class Asked:
    """A question with its numbers.

    text: what is asked; it names the unit of the answer.  given: the numbers drawn, by name.
    worked: how to get there, in a line.  slips: what to tell who made a typical mistake, with the answer it leads to.
    within: how far off an answer may be, in its unit; left out, it may differ by a hundredth of itself.
    """

    text: str
    given: dict[str, float]
    answer: float
    worked: str
    slips: dict[str, float] = field(default_factory=dict)
    within: float | None = None

    @property
    def tolerance(self) -> float:
        """How far off an answer may be, in its unit."""
        return CLOSE * abs(self.answer) if self.within is None else self.within


@dataclass(frozen=True)
class Question:
    """One question of the bank: its chapter, its title, and what draws its numbers."""

    chapter: str
    title: str
    ask: Callable[[Random], Asked]

    @property
    def name(self) -> str:
        """A short name that no other question has."""
        return self.ask.__name__.replace("_", "-")

    def draw(self, salt: bytes, number: int) -> Asked:
        """The numbers of one copy: who does not know the salt cannot tell them in advance."""
        seed = hmac.new(salt, f"{self.name}:{number}".encode(), hashlib.sha256).digest()
        return self.ask(Random(int.from_bytes(seed, "big")))


BANK: list[Question] = []


def question(chapter: str, title: str) -> Callable[[Callable[[Random], Asked]], Callable[[Random], Asked]]:
    """Put a function that draws numbers into the bank."""

    def put(ask: Callable[[Random], Asked]) -> Callable[[Random], Asked]:
        BANK.append(Question(chapter, title, ask))
        return ask

    return put
