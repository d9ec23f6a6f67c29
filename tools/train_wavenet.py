"""Train the WaveNet that ships with the course, and write its weights and model card.

Usage: OMP_NUM_THREADS=1 python tools/train_wavenet.py [--seed 0] [--steps 1500]
The loop is that of the chapter on pixels and sound, only longer, told whose voice it hears, and at random volumes, so
that it learns fewer recordings by heart. Same seed, one thread and the same kind of CPU give the same weights bit for
bit.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from genai_utils import Run
from genai_utils.data import sound
from genai_utils.models import wavenet
from genai_utils.zoo import WEIGHTS

RATE = 1e-2
BATCH = 4
WARM_UP = 20  # steps
QUIETEST = 0.5  # volume; the loudest is 1
LENGTH = 1_024  # levels scored in a piece; the receptive field comes before them


def samples(words: sound.Words) -> list[Tensor]:
    """Samples (t,) of each recording, in [-1, 1]."""
    return [wave.float() / 32_768 for wave in words.waves]


def train(words: sound.Words, steps: int, seed: int) -> wavenet.WaveNet:
    """Raise the probability of the recordings for `steps` steps."""
    torch.manual_seed(seed)
    net = wavenet.spoken()
    context = net.receptive_field
    pieces, rows = wavenet.excerpts(samples(words), context, LENGTH, silence=0)
    run = Run(steps, seed=seed, progress=False)
    adam = torch.optim.AdamW(net.parameters(), RATE, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(adam, lambda n: min((n + 1) / WARM_UP, 1 - n / (steps + 1)))
    model, adam, schedule = run.setup(net, adam, schedule)
    for wave, voice in run.batches(pieces, words.voices[rows], batch_size=min(BATCH, len(pieces))):
        piece = wavenet.mu_law(wave * (QUIETEST + (1 - QUIETEST) * torch.rand(len(wave), 1, device=wave.device)))
        logits = model(piece[:, :-1], voice)
        run.step(adam, F.cross_entropy(logits.flatten(0, 1), piece[:, context:].flatten()))
        schedule.step()
    return net.eval()


@torch.no_grad()
def bits(net: wavenet.WaveNet, words: sound.Words) -> float:
    """Bits per sample over all recordings, each told its voice."""
    told = zip(samples(words), words.voices, strict=True)
    log_probs = [net.log_prob(wavenet.mu_law(wave)[None], voice[None])[0] for wave, voice in told]
    return -float(torch.cat(log_probs).mean()) / math.log(2)


# --- the card ---------------------------------------------------------------------------------------------------------

CARD = """# wavenet

A small WaveNet (`genai_utils.models.wavenet.WaveNet`): the probability of each of the 8,000 samples in a second of
speech, given the {field} before it and whose voice it is. Drawn from, it babbles in four voices.

- **Input** mu-law levels (n, t) of 0 to 255 and voices (n,) of 0 to 3. **Output** logits of the level that follows.
- **Size** {size:,} parameters, stored in float16. sha256 of the file:
  `{sha256}`.
- **Data** 64 recordings of spoken numbers, {heard:.0f} s in all (`genai_utils.data.sound`, licences in LICENSE-sound).
- **Recipe** `OMP_NUM_THREADS=1 python tools/train_wavenet.py --seed {seed} --steps {steps}`
  ({seconds:,.0f} s of CPU time on one core). Another kind of CPU rounds differently and gives other weights of the same
  quality.
- **Licence** Creative Commons Attribution-ShareAlike 3.0, like the recordings: the weights remember parts of them.

## Quality
Bits per sample; 8 without a model. The test recordings are of numbers that nobody says in those it learned from.

| voice | learned from | test |
|---|---|---|
{table}

## Limits
It knows four people, their numbers, and {milliseconds:.0f} milliseconds of the past: it has sounds and a voice, and no
words. It must not be used to imitate them.
"""


def card(net: wavenet.WaveNet, args: argparse.Namespace, sha256: str, seconds: float) -> str:
    """Model card of the stored network."""
    train_words, test_words = sound.spoken_numbers(), sound.spoken_numbers("test")
    groups = [("all", train_words, test_words)]
    groups += [(voice, train_words.of(voice), test_words.of(voice)) for voice in sound.VOICES]
    rows = [f"| {name} | {bits(net, seen):.2f} | {bits(net, unseen):.2f} |" for name, seen, unseen in groups]
    return CARD.format(
        field=net.receptive_field, size=sum(p.numel() for p in net.parameters()), sha256=sha256, seed=args.seed,
        heard=sum(map(len, train_words.waves)) / sound.RATE, steps=args.steps, seconds=seconds,
        table="\n".join(rows), milliseconds=1_000 * net.receptive_field / sound.RATE,
    )  # fmt: skip


def main() -> None:
    """Train, store, read back, judge what was stored, describe."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=1_500)
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    start = time.process_time()
    net = train(sound.spoken_numbers(), args.steps, args.seed)
    seconds = time.process_time() - start
    file = args.output / "wavenet.safetensors"
    save_file({name: value.half().contiguous() for name, value in net.state_dict().items()}, file)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    net.load_state_dict(load_file(file))
    written = args.output / "wavenet.md"
    written.write_text(card(net, args, sha256, seconds), encoding="utf-8")
    print(written.read_text(encoding="utf-8"))
    print(f"{seconds:.0f} s, sha256 {sha256}: put it into genai_utils/weights/zoo.csv")


if __name__ == "__main__":
    main()
