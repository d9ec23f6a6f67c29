"""From the scores of a language model to text: how the next token is chosen.

Logits are (..., vocabulary); a token that may not come has the logit minus infinity.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from genai_utils.checks import between, fits, looks, of_type, shaped, share, whole
from genai_utils.models.gpt import GPT, Cache
from genai_utils.models.shapes import axes_of, check_ids, check_logits, check_temperature


def top_k(logits: Tensor, k: int) -> Tensor:
    """Keep the k most likely tokens (Fan, Lewis & Dauphin 2018, arXiv:1805.04833), and those as likely as the last."""
    whole(1, k=k)
    _check_scores(logits)
    least = logits.topk(min(k, logits.shape[-1]), dim=-1).values[..., -1:]
    return logits.masked_fill(logits < least, -math.inf)


def top_p(logits: Tensor, p: float) -> Tensor:
    """Keep the fewest tokens, most likely first, that hold a share p (Holtzman et al. 2020, arXiv:1904.09751)."""
    share("(0, 1]", p=p)
    _check_scores(logits)
    if p == 1:
        return logits
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)
    shares = ordered.softmax(-1, dtype=torch.float64)  # in float32 the sum may reach 1 before the last token
    before = shares.cumsum(-1) - shares  # of the tokens that are more likely
    return logits.masked_fill((before >= p).scatter(-1, order, before >= p), -math.inf)


def min_p(logits: Tensor, p: float) -> Tensor:
    """Keep tokens at least p times as likely as the most likely one (Nguyen et al. 2024, arXiv:2407.01082)."""
    share("[0, 1]", p=p)
    _check_scores(logits)
    least = logits.amax(-1, keepdim=True) + (math.log(p) if p else -math.inf)
    return logits.masked_fill(logits < least, -math.inf)


def penalize(logits: Tensor, past: Tensor, penalty: float) -> Tensor:
    """Make tokens of the past less likely: their logits over the penalty, times it if negative (1 does nothing).

    Args: logits: (batch, vocabulary); past: (batch, time); penalty: 1 to 1e6.
    Source: Keskar et al. 2019, arXiv:1909.05858, section 4.1; what becomes of negative logits is the rule of Hugging
    Face's RepetitionPenaltyLogitsProcessor.
    """
    between(1, 1e6, penalty=penalty)
    axes = axes_of(logits=(logits, "batch vocabulary"), past=(past, "batch time"))
    _check_scores(logits)
    check_ids(axes["vocabulary"], past=past)
    seen = logits.gather(-1, past)
    return logits.scatter(-1, past, torch.where(seen > 0, seen / penalty, seen * penalty))


def _check_scores(logits: Tensor) -> None:
    """Refuse what scores no tokens; numbers are read where that costs little.  Raises: TypeError, ValueError."""
    shaped("(..., vocabulary)", logits=logits)
    if logits.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"logits must be float32 or float64, got {logits.dtype}; use .float()")
    if not logits.shape[-1]:
        raise ValueError(f"logits must score at least one token, got shape {tuple(logits.shape)}")
    if looks() and logits.is_cpu:
        check_logits(logits)


@dataclass(frozen=True)
class Decoding:
    """How to choose the next token: the penalty first, then the temperature, then the cuts, from top-k to min-p.

    temperature: divides the logits, 1e-6 to 1e6; 0 takes the most likely token.  top_k, top_p, min_p, repetition: see
    the functions of these names (`penalize` for the last); None: no cut.
    Raises: TypeError, ValueError: a setting outside its range.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition: float = 1.0

    def __post_init__(self) -> None:
        between(0, 1e6, temperature=self.temperature)
        if self.temperature:
            check_temperature(self.temperature)
        if self.top_k is not None:
            whole(1, top_k=self.top_k)
        share("(0, 1]", top_p=1.0 if self.top_p is None else self.top_p)
        share("[0, 1]", min_p=0.0 if self.min_p is None else self.min_p)
        between(1, 1e6, repetition=self.repetition)

    def probabilities(self, logits: Tensor, past: Tensor | None = None) -> Tensor:
        """Chance of each token to come next, (batch, vocabulary).  past: (batch, time), for the repetition penalty.

        Raises: ValueError: logits that give no probabilities.
        """
        shaped("(..., vocabulary)", logits=logits)
        logits = logits.float()
        if past is not None:
            axes_of(past=(past, "batch time"))
            if past.is_floating_point():
                raise TypeError(f"past must be whole numbers, got {past.dtype}; use .long()")
        if past is not None and self.repetition != 1:
            logits = penalize(logits, past, self.repetition)
        if self.temperature != 0:
            logits = logits / self.temperature
        check_logits(logits)
        if self.temperature == 0:
            return torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).float()
        if self.top_k is not None:
            logits = top_k(logits, self.top_k)
        if self.top_p is not None:
            logits = top_p(logits, self.top_p)
        if self.min_p is not None:
            logits = min_p(logits, self.min_p)
        return logits.softmax(-1)


@torch.no_grad()
def generate(
    model: GPT,
    prompt: Tensor,
    tokens: int,
    decoding: Decoding | None = None,
    *,
    stop: int | None = None,
    generator: torch.Generator | None = None,
    cached: bool = True,
) -> Tensor:
    """Write on.

    Args: prompt: (batch, time), at least one token.  tokens: how many to add at most.  stop: a text that has written
        this token is finished and filled up with it; when all are, nothing more is written.  cached: keep keys and
        values between steps, or compute all of them again each time; the tokens are the same.
    Returns: (batch, time + tokens), or less where all texts stopped.  Text beyond the context is forgotten, half a
        context at once.
    Raises: TypeError, ValueError: a prompt that is no such thing or not in the vocabulary, or another argument.
    """
    of_type(GPT, model=model)
    whole(0, tokens=tokens)
    shaped("(...)", prompt=prompt)
    if prompt.dim() != 2 or not prompt.numel():
        raise ValueError(f"prompt must be (batch, time) with at least one token, got {tuple(prompt.shape)}")
    decoding, first, last = decoding or Decoding(), prompt.shape[1], model.config.vocabulary - 1
    if not hasattr(decoding, "probabilities"):
        raise TypeError(f"decoding must be a Decoding, got {type(decoding).__name__}")
    check_ids(last + 1, prompt=prompt)
    fits(prompts=len(prompt), tokens=first + tokens)
    if stop is not None:
        whole(0, stop=stop)
        between(0, last, stop=stop)
    text = torch.nn.functional.pad(prompt, (0, tokens))
    scores, finished = _reader(model, text, first, cached), torch.zeros_like(prompt[:, 0], dtype=torch.bool)
    for end in range(first, first + tokens):
        p = decoding.probabilities(scores(end), text[:, :end])
        text[:, end] = torch.multinomial(p, 1, generator=generator)[:, 0]
        if stop is not None:
            text[:, end].masked_fill_(finished, stop)
            finished |= text[:, end] == stop
            if finished.all():
                return text[:, : end + 1]
    return text


def _reader(model: GPT, text: Tensor, first: int, cached: bool) -> Callable[[int], Tensor]:
    """Logits (batch, vocabulary) of the token that follows text[:, :end]; `end` grows by one a call, from `first`."""
    context = model.config.context
    start, cache = max(0, first - context), Cache(model.config)

    def scores(end: int) -> Tensor:
        nonlocal start, cache
        if end - start > context:
            start, cache = end - max(1, context // 2), Cache(model.config)
        if not cached:
            return model(text[:, start:end])[:, -1]
        return model(text[:, start + cache.length : end], cache, last=True)[:, 0]

    return scores
