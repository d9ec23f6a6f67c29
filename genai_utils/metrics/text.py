"""How well does a model predict text, and is what it writes new?

Log probabilities are natural logarithms (nats), one number a symbol.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn.functional import cross_entropy

from genai_utils import checks
from genai_utils.metrics.estimate import Estimate


@checks.never_nan
def perplexity(log_probs: ArrayLike) -> float:
    """Between how many equally likely symbols does the model hesitate? exp of minus the mean. Equation (lm.perplexity).

    Args: log_probs: (n,), nats, of symbols given those before.  Returns: >= 1; infinite if one was impossible.
    """
    mean = float(_checked(log_probs).mean())
    return math.exp(min(-mean, 700.0)) if math.isfinite(mean) else math.inf


def bits_per_character(log_probs: ArrayLike, characters: int | None = None, blocks: int = 20) -> Estimate:
    """Bits that the model needs for a character, with its standard error over blocks. Equation (lm.bits).

    Args: log_probs: (n,), nats a symbol, in order; characters: of the text, if a symbol is not one character.
        blocks: neighbours depend on each other, so the error comes from the means of this many stretches of text.
    Returns: Estimate; infinite if a symbol was impossible. The error is NaN then, and with under two symbols a block.
    """
    checks.whole(2, blocks=blocks)
    checks.whole(1, characters=1 if characters is None else characters)
    nats = _checked(log_probs)
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
    Returns: infinite if a token was impossible.
    Raises: TypeError: no tensors, or tokens that are not whole.  ValueError: shapes that do not belong together, no
    token left to predict, one outside the vocabulary, NaN.
    """
    scores, targets = _shifted(logits, tokens, mask)
    return cross_entropy(scores.float(), targets)


def next_token_accuracy(logits: Tensor, tokens: Tensor, mask: Tensor | None = None) -> float:
    """Share of tokens that the most likely token at the place before gets right; arguments as `next_token_loss`."""
    scores, targets = _shifted(logits, tokens, mask)
    return (scores.argmax(-1) == targets).float().mean().item()


def longest_copy(text: str, source: str) -> str:
    """The longest passage of `text` that stands word for word, space for space, in `source`; "" if none does."""
    checks.of_type(str, text=text, source=source)
    best = ""
    for start in range(len(text)):
        while start + len(best) < len(text) and text[start : start + len(best) + 1] in source:
            best = text[start : start + len(best) + 1]
    return best


def distinct(text: str, length: int) -> float:
    """Share of different ones among all passages of `length` symbols, in (0, 1]: near 0 for a loop.

    Raises: TypeError: no text or whole number.  ValueError: length below 1 or above that of the text.
    """
    checks.of_type(str, text=text)
    checks.whole(1, length=length)
    passages = [text[i : i + length] for i in range(len(text) - length + 1)]
    if not passages:
        raise ValueError(
            f"a text of {len(text)} symbols has no passage of {length}; give a longer text or a smaller length"
        )
    return len(set(passages)) / len(passages)


def _checked(log_probs: ArrayLike) -> np.ndarray:
    nats = checks.array("log_probs", log_probs, infinite=True)
    if (nats > 1e-9).any():
        raise ValueError(f"log_probs must be 0 or less, as logarithms of probabilities are, got {nats.max()}")
    return nats


def _shifted(logits: Tensor, tokens: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """Scores at each place but the last, and the tokens that follow there."""
    checks.shaped("(...)", logits=logits, tokens=tokens, **({} if mask is None else {"mask": mask}))
    if not logits.is_floating_point():
        raise TypeError(f"logits must be floating point, got {logits.dtype}")
    if tokens.is_floating_point() or tokens.dtype is torch.bool:
        raise TypeError(f"tokens must be whole numbers, got {tokens.dtype}; use .long()")
    if logits.dim() != 3 or logits.shape[:2] != tokens.shape or (mask is not None and mask.shape != tokens.shape):
        shapes = f"{tuple(logits.shape)} and {tuple(tokens.shape)}"
        raise ValueError(f"logits must be (batch, time, vocabulary) and tokens, mask (batch, time), got {shapes}")
    counts = (tokens == tokens if mask is None else mask.bool())[:, 1:]
    if not counts.any():
        raise ValueError("tokens and mask: no token is left to predict; give sequences of two or more that count")
    scores, targets = logits[:, :-1][counts], tokens[:, 1:][counts]
    _check_scores(scores, targets)
    return scores, targets.long()


def _check_scores(scores: Tensor, targets: Tensor) -> None:
    if not scores.shape[-1] or not scores.amax(-1).isfinite().all():
        raise ValueError(f"logits must hold no NaN or infinity, got shape {tuple(scores.shape)}; did training diverge?")
    if targets.min() < 0 or targets.max() >= scores.shape[-1]:
        found = f"{targets.min()} to {targets.max()}"
        raise ValueError(f"tokens must be in 0 to {scores.shape[-1] - 1}, the vocabulary of the logits, got {found}")
