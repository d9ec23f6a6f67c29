"""N-gram language models: count what followed, and share the counts fairly with what never did."""

from __future__ import annotations

from collections import Counter
from types import NoneType

import numpy as np
from numpy.typing import NDArray

from genai_utils.checks import fits, of_type, share, whole


class NGram:
    """Interpolated Kneser-Ney smoothing of an n-gram model over the symbols of a text. Equation (lm.kneser-ney).

    A symbol is a character. A tokenised text is a text too: let `chr(token)` be its characters.

    Args:
        text: what to count, at least `order` symbols.
        order: symbols of an n-gram; the model looks at order - 1 symbols of the past, 0 at the first symbol of a text.
        alphabet: symbols that may occur; below the last level all are equally likely.  Default: those of the text.
        discount: taken off every count, in [0, 1); default: n1 / (n1 + 2 n2) for each level, n1 and n2 being the
            numbers of n-grams counted once and twice. With 0, contexts that were never seen still back off to shorter
            ones; nothing else is smoothed. Chen & Goodman take three discounts a level, which does a little better.
    Raises: ValueError for an order < 1, a short text, a discount outside [0, 1), or a symbol not in the alphabet.
    Source: Kneser & Ney 1995, doi:10.1109/ICASSP.1995.479394; interpolated form and name: Chen & Goodman 1999,
    doi:10.1006/csla.1999.0128.
    """

    def __init__(self, text: str, order: int, alphabet: str | None = None, discount: float | None = None):
        of_type(str, text=text, alphabet=alphabet or "")
        whole(1, order=order)
        share("[0, 1)", discount=0.5 if discount is None else discount)
        if len(text) < order:
            raise ValueError(f"order must be in 1..len(text), got {order} for {len(text)} symbols")
        self.order, self.alphabet = order, "".join(sorted(set(alphabet or text)))
        self._check(text)
        grams = Counter(text[i : i + order] for i in range(len(text) - order + 1))
        levels = [grams]
        for _ in range(order - 1):
            grams = Counter(gram[1:] for gram in grams)  # in how many different contexts did it occur?
            levels.insert(0, grams)
        self._counts = levels
        self._discounts = [_discount(level) if discount is None else discount for level in levels]
        self._contexts = [_contexts(level) for level in levels]

    def log_probs(self, text: str) -> NDArray[np.float64]:
        """Natural logarithm of the probability of each symbol given those before it, (len(text),); -inf if impossible.

        Raises: ValueError if a symbol is not in the alphabet.
        """
        self._check(text)
        past = self.order - 1
        p = [self._probability(symbol, text[max(0, t - past) : t]) for t, symbol in enumerate(text)]
        with np.errstate(divide="ignore"):
            return np.log(np.array(p))

    def distribution(self, past: str) -> NDArray[np.float64]:
        """Probability of each symbol of `alphabet` to come next, (len(alphabet),); they sum to 1."""
        of_type(str, past=past)
        seen = past[len(past) - self.order + 1 :] if len(past) >= self.order else past
        return np.array([self._probability(symbol, seen) for symbol in self.alphabet])

    def sample(self, n: int, *, past: str = "", generator: np.random.Generator | None = None) -> str:
        """Draw n symbols, each from the distribution after those before it, beginning after `past`."""
        whole(0, n=n)
        fits(n=max(1, n), symbols=len(self.alphabet))
        of_type(str, past=past)
        of_type((np.random.Generator, NoneType), generator=generator)
        generator, text = generator or np.random.default_rng(), list(past)
        for _ in range(n):
            seen = "".join(text[max(0, len(text) - self.order) :])
            text.append(self.alphabet[generator.choice(len(self.alphabet), p=self.distribution(seen))])
        return "".join(text[len(past) :])

    def _check(self, text: str) -> None:
        of_type(str, text=text)
        if strange := set(text) - set(self.alphabet):
            raise ValueError(f"the text has symbols that are not in the alphabet: {sorted(strange)[:5]}")

    def _probability(self, symbol: str, past: str) -> float:
        p = 1 / len(self.alphabet)
        for level in range(len(past) + 1):  # from no context to the whole of it
            context = past[len(past) - level :]
            total, kinds = self._contexts[level].get(context, (0, 0))
            if total:
                count, discount = self._counts[level].get(context + symbol, 0), self._discounts[level]
                p = (max(count - discount, 0.0) + discount * kinds * p) / total
        return p


def _contexts(level: Counter[str]) -> dict[str, tuple[int, int]]:
    """For each context its count, and how many different symbols followed it."""
    total: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for gram, count in level.items():
        total[gram[:-1]] += count
        kinds[gram[:-1]] += 1
    return {context: (count, kinds[context]) for context, count in total.items()}


def _discount(level: Counter[str]) -> float:
    """Estimate the discount that leaving one out would choose (Ney, Essen & Kneser 1994); 1/2 if nothing is rare."""
    of_count = Counter(level.values())
    once, twice = of_count[1], of_count[2]
    return once / (once + 2 * twice) if once and twice else 0.5
