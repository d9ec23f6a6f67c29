"""A WaveNet of spoken numbers: the loop of the chapter on sound, only longer, told whose voice it hears, and at random
volumes, so that it learns fewer recordings by heart.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genai_utils import zoo
from genai_utils.data import sound
from genai_utils.models import wavenet
from genai_utils.recipes.ship import Job, Recipe
from genai_utils.records.table import markdown_table

RATE, BATCH = 1e-2, 4
WARM_UP = 20  # steps
QUIETEST = 0.5  # volume; the loudest is 1
LENGTH = 1_024  # levels scored in a piece; the receptive field comes before them


def samples(words: sound.Words) -> list[Tensor]:
    """Samples (t,) of each recording, in [-1, 1]."""
    return [wave.float() / 32_768 for wave in words.waves]


def train(job: Job) -> nn.Module:
    """Raise the probability of the recordings."""
    words, bare = sound.spoken_numbers(), job.build()
    context, run = bare.receptive_field, job.run()
    pieces, rows = wavenet.excerpts(samples(words), context, LENGTH, silence=0)
    adam = torch.optim.AdamW(bare.parameters(), RATE, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    due = torch.optim.lr_scheduler.LambdaLR(adam, lambda n: min((n + 1) / WARM_UP, 1 - n / (job.steps + 1)))
    model, optimizer, schedule = run.setup(bare, adam, due)
    for wave, voice in run.batches(pieces, words.voices[rows], batch_size=min(BATCH, len(pieces))):
        piece = wavenet.mu_law(wave * (QUIETEST + (1 - QUIETEST) * torch.rand(len(wave), 1, device=wave.device)))
        loss = F.cross_entropy(model(piece[:, :-1], voice).flatten(0, 1), piece[:, context:].flatten())
        run.step(optimizer, loss)
        schedule.step()
        run.log(loss=loss)
    return bare


@torch.no_grad()
def bits(net: wavenet.WaveNet, words: sound.Words) -> float:
    """Bits per sample over all recordings, each told its voice."""
    told = zip(samples(words), words.voices, strict=True)
    log_probs = [net.log_prob(wavenet.mu_law(wave)[None], voice[None])[0] for wave, voice in told]
    return -float(torch.cat(log_probs).mean()) / math.log(2)


def judge(net: wavenet.WaveNet) -> dict[str, Any]:
    """Bits of heard and unheard recordings, over all voices and of each."""
    heard, unheard = sound.spoken_numbers(), sound.spoken_numbers("test")
    groups = [("all", heard, unheard), *((voice, heard.of(voice), unheard.of(voice)) for voice in sound.VOICES)]
    rows = [(name, f"{bits(net, seen):.2f}", f"{bits(net, unseen):.2f}") for name, seen, unseen in groups]
    field = net.receptive_field
    table = markdown_table(("voice", "learned from", "test"), rows)
    return {"field": field, "milliseconds": 1_000 * field / sound.RATE, "table": table}


CARD = """# wavenet

A small WaveNet (`genai_utils.models.wavenet.WaveNet`): the probability of each of the 8,000 samples in a second of
speech, given the {field} before it and whose voice it is. Drawn from, it babbles in four voices.

- **Input** mu-law levels (n, t) of 0 to 255 and voices (n,) of 0 to 3. **Output** logits of the level that follows.
{facts}

## Quality
Bits per sample; 8 without a model. The test recordings are of numbers that nobody says in those it learned from.

{table}

## Limits
It knows four people, their numbers, and {milliseconds:.0f} milliseconds of the past: it has sounds and a voice, and no
words. It must not be used to imitate them.
"""

RECIPES = [
    Recipe(
        zoo.Entry("wavenet", "models.wavenet:WaveNet", '{"labels": 4}'),
        1_500,
        train,
        judge,
        CARD,
        data="64 recordings of spoken numbers, 40 s in all (`genai_utils.data.sound`, licences in LICENSE-sound)",
        licence="Creative Commons Attribution-ShareAlike 3.0, like the recordings: the weights remember parts of them",
    )
]
