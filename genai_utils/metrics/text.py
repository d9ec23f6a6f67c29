"""How well does a model predict text, and is what it writes new?

Log probabilities are natural logarithms (nats), one number a symbol.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn.functional import cross_entropy

from genai_utils.metrics.estimate import Estimate


def perplexity(log_probs: ArrayLike) -> float:
    """Between how many equally likely symbols does the model hesitate? exp of minus the mean. Equation (lm.perplexity).

    Args: log_probs: (n,), nats, of symbols given those before.  Returns: >= 1; infinite if one was impossible.
    """
    return math.exp(min(-_mean(log_probs), 700.0)) if math.isfinite(_mean(log_probs)) else math.inf


def bits_per_character(log_probs: ArrayLike, characters: int | None = None, blocks: int = 20) -> Estimate:
    """Bits that the model needs for a character, with its standard error over blocks. Equation (lm.bits).

    Args: log_probs: (n,), nats a symbol, in order; characters: of the text, if a symbol is not one character.
        blocks: neighbours depend on each other, so the error comes from the means of this many stretches of text.
    Returns: Estimate; infinite if a symbol was impossible.
    """
    nats = np.asarray(log_probs, dtype=float)
    _mean(nats)
    per_symbol = -nats / math.log(2) * (len(nats) / (characters or len(nats)))
    value = float(per_symbol.mean())
    if not math.isfinite(value) or len(nats) < 2 * blocks:
        return Estimate(value, math.nan, len(nats), "standard error over blocks")
    means = [block.mean() for block in np.array_split(per_symbol, blocks)]
    return Estimate(value, float(np.std(means, ddof=1) / blocks**0.5), len(nats), "standard error over blocks")


def next_token_loss(logits: Tensor, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
    """Cross-entropy of each token given those before it, mean over the tokens that count, nats. Equation (lm.loss).

    Args: logits: (batch, time, vocabulary), made of tokens (batch, time) up to and including their place: those at t
        are scored against token t + 1.  mask: (batch, time), true for real tokens, false for padding.
    Raises: ValueError if the shapes do not belong together or no token is left to predict.
    """
    scores, targets = _shifted(logits, tokens, mask)
    return cross_entropy(scores.float(), targets)


def next_token_accuracy(logits: Tensor, tokens: Tensor, mask: Tensor | None = None) -> float:
    """Share of tokens that the most likely token at the place before gets right; arguments as `next_token_loss`."""
    scores, targets = _shifted(logits, tokens, mask)
    return (scores.argmax(-1) == targets).float().mean().item()


def longest_copy(text: str, source: str) -> str:
    """The longest passage of `text` that stands word for word, space for space, in `source`; "" if none does."""
    best = ""
    for start in range(len(text)):
        while start + len(best) < len(text) and text[start : start + len(best) + 1] in source:
            best = text[start : start + len(best) + 1]
    return best


def distinct(text: str, length: int) -> float:
    """Share of different ones among all passages of `length` symbols, in (0, 1]: near 0 for a loop."""
    passages = [text[i : i + length] for i in range(len(text) - length + 1)]
    if not passages:
        raise ValueError(f"a text of {len(text)} symbols has no passage of {length}; give a longer text")
    return len(set(passages)) / len(passages)


def _mean(log_probs: ArrayLike) -> float:
    nats = np.asarray(log_probs, dtype=float)
    if nats.ndim != 1 or not len(nats) or np.isnan(nats).any() or (nats > 1e-9).any():
        raise ValueError(f"log_probs must be (n,), n > 0, none above 0 or NaN, got shape {nats.shape}")
    return float(nats.mean())


def _shifted(logits: Tensor, tokens: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """Scores at each place but the last, and the tokens that follow there."""
    if logits.dim() != 3 or logits.shape[:2] != tokens.shape or (mask is not None and mask.shape != tokens.shape):
        shapes = f"{tuple(logits.shape)} and {tuple(tokens.shape)}"
        raise ValueError(f"logits must be (batch, time, vocabulary) and tokens, mask (batch, time), got {shapes}")
    counts = (tokens == tokens if mask is None else mask.bool())[:, 1:]
    if not counts.any():
        raise ValueError("no token is left to predict: give sequences of at least two tokens that count")
    return logits[:, :-1][counts], tokens[:, 1:][counts]
