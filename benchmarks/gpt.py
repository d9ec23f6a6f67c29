"""How fast does a small GPT learn Shakespeare's characters on one core? Ours against nanoGPT's documented CPU recipe.

    OMP_NUM_THREADS=1 python benchmarks/gpt.py        # the command line: contest.py

All see characters 64 at a time, out of the seven plays that ship with the course, and are judged alike: mean
cross-entropy of every character of Macbeth but the first, read in pieces of 64. The budget counts iterations of the
peer; ours gets a quarter of the CPU time that the peer took with that seed, or the same time.
Before them, once, writing with and without a cache of keys and values.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from contest import Contest, Recipe, Row, bf16, cpu_seconds, descend, main, markdown
from torch import Tensor, nn
from torch.nn import functional as F

from genai_utils.data import text
from genai_utils.models import gpt
from genai_utils.models.sampling import generate

CONTEXT = 64
PARTS = {"ours-quarter": 0.25, "ours": 1.0}  # of the peer's time
LENGTHS = (64, 128, 256, 512)  # tokens to write


class NanoGPT(Recipe):
    """The run that nanoGPT's README gives for a computer without a GPU.

    4 layers of 4 heads, width 128, 12 passages of 64 characters, AdamW 1e-3 to 1e-4 by a cosine, 100 iterations of
    warm-up, betas (.9, .99), decay .1, gradients cut at norm 1, no dropout, float32, not compiled. Written anew.
    """

    batch, rate = 12, 1e-3

    def __init__(self, data: Tensor, budget: float) -> None:
        self.iterations = budget
        self.model = NanoGPTModel(len(text.shakespeare_alphabet()))
        decayed = [p for p in self.model.parameters() if p.dim() >= 2]
        rest = [p for p in self.model.parameters() if p.dim() < 2]
        groups = [{"params": decayed, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, self.rate, betas=(0.9, 0.99))

    def batches(self, data: Tensor, chance: torch.Generator) -> Iterator[Tensor]:
        """Passages of 65 characters of a text (n,), drawn with replacement: each (batch, 65)."""
        rows = gpt.windows(data, CONTEXT + 1)
        while True:
            yield rows[torch.randint(len(rows), (self.batch,), generator=chance)]

    def step(self, x: Tensor, share: float) -> None:
        """Down the gradient, by the rate that is due."""
        warm_up = 100 / self.iterations
        cosine = 0.5 * (1 + math.cos(math.pi * (share - warm_up) / (1 - warm_up)))
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * (share / warm_up if share < warm_up else 0.1 + 0.9 * cosine)
        descend(self.optimizer, loss(self.model, x), norm=1.0)


class NanoGPTTuned(NanoGPT):
    """The same at the best of four rates, found on one seed; it still falls to a tenth."""

    rate = 4e-3


class NanoGPTModel(nn.Module):
    """GPT-2 in small, without biases: learned places, layer norms, GELU, fused attention, tied embeddings."""

    def __init__(self, vocabulary: int, width: int = 128, layers: int = 4):
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(CONTEXT, width)
        self.blocks = nn.ModuleList(NanoGPTBlock(width) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width, bias=False), nn.Linear(width, vocabulary, bias=False)
        self.head.weight = self.tokens.weight
        for name, p in self.named_parameters():
            if p.dim() == 2:
                nn.init.normal_(p, std=0.02 / math.sqrt(2 * layers) if "out" in name else 0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, time) to logits (batch, time, vocabulary)."""
        x = self.tokens(tokens) + self.places(torch.arange(tokens.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


class NanoGPTBlock(nn.Module):
    """Attention with 4 heads and a perceptron, each on normalised input and added to it."""

    def __init__(self, width: int):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.up, self.mlp_out = nn.Linear(width, 4 * width, bias=False), nn.Linear(4 * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, width) to the same."""
        q, k, v = self.qkv(self.norm1(x)).unflatten(2, (3, 4, -1)).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).flatten(2))
        return x + self.mlp_out(F.gelu(self.up(self.norm2(x))))


class Ours(Recipe):
    """The GPT of the course with Muon and AdamW, bf16 where the processor has it; the rate falls in a line.

    Layer norms, since torch has them in one piece for CPUs and RMS norms not; three iterations in Muon instead of five.
    It reads the text in rounds, so that no passage waits while others come twice.
    """

    batch = 16
    rates = 0.02, 4e-3  # of Muon, of AdamW

    def __init__(self, data: Tensor, budget: float) -> None:
        self.model = gpt.GPT(gpt.Config(len(text.shakespeare_alphabet()), CONTEXT, norm="layer"))
        self.optimizers = gpt.optimizers(self.model, *self.rates, decay=0.1, iterations=3)

    def batches(self, data: Tensor, chance: torch.Generator) -> Iterator[Tensor]:
        """The whole text in passages side by side, shuffled; then again, cut at other places."""
        rows = gpt.windows(data, CONTEXT + 1)
        while True:
            side_by_side = rows[int(torch.randint(CONTEXT, (1,), generator=chance)) :: CONTEXT]
            for order in torch.randperm(len(side_by_side), generator=chance).split(self.batch):
                yield side_by_side[order]

    def step(self, x: Tensor, share: float) -> None:
        """Down the gradient, by the rates that are due."""
        for optimizer, rate in zip(self.optimizers, self.rates, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * min(1.0, (share + 1e-3) / 0.03, 0.02 + 0.98 * (1 - share) / 0.97)
        with bf16():
            value = loss(self.model, x)
        self.model.zero_grad()
        value.backward()
        for optimizer in self.optimizers:
            optimizer.step()


def loss(model: nn.Module, window: Tensor) -> Tensor:
    """Mean cross-entropy, nats a character.  window: (batch, time + 1)."""
    return F.cross_entropy(model(window[:, :-1]).flatten(0, 1).float(), window[:, 1:].flatten())


@torch.no_grad()
def judge(model: nn.Module, tokens: Tensor) -> float:
    """Mean cross-entropy, nats a character, of a text (n,) in pieces of 64; a rest shorter than that is left out."""
    pieces = tokens[: (len(tokens) - 1) // CONTEXT * CONTEXT + 1].unfold(0, CONTEXT + 1, CONTEXT)
    return sum(float(loss(model, part)) * len(part) for part in pieces.split(256)) / len(pieces)


class Macbeth(Contest):
    """Nats a character of a play that nobody has read."""

    name, against, budgets, unit = "gpt", "nanogpt-tuned", (2_000.0,), "peer iterations"
    timed = "nanogpt"  # the peer whose time ours gets a part of
    recipes = {
        "nanogpt": ("nanoGPT's CPU recipe", NanoGPT),
        "nanogpt-tuned": ("nanoGPT's CPU recipe at a tuned rate", NanoGPTTuned),
        "ours-quarter": ("**GPT of the course**, a quarter of its time", Ours),
        "ours": ("**GPT of the course**, the same time", Ours),
    }
    twins = {"nanogpt-tuned": "nanogpt"}
    columns = {
        "core seconds": "{core_seconds:.0f}",
        "Macbeth, nats": "{validation:.3f} ± {validation_sd:.3f}",
        "lower than the tuned peer by": "{validation_lead:.3f}",
        "training text": "{training:.3f}",
        "parameters": "{parameters:,.0f}",
    }

    def load(self) -> None:
        """Seven plays and Macbeth."""
        alphabet = text.shakespeare_alphabet()
        self.data, self.test = (text.encode(text.shakespeare(split), alphabet) for split in ("train", "validation"))

    def once(self) -> Row:
        """Writing."""
        return {"writing": [writing(length) for length in LENGTHS]}

    def allowed(self, name: str, budget: float, seed: int, runs: list[Row]) -> float:
        """A part of the CPU seconds that the peer took with this seed.  Raises: ValueError without that run."""
        peer = [r for r in runs if (r["recipe"], r["budget"], r["seed"]) == (self.timed, budget, seed)]
        if name in PARTS and not peer:
            raise ValueError(f"{name} gets a part of the time that {self.timed} took: add that to --recipes")
        return PARTS[name] * peer[0]["core_seconds"] if name in PARTS else math.inf

    def judge(self, recipe: NanoGPT | Ours) -> Row:
        """Of Macbeth and of as much of the training text."""
        row = {"parameters": sum(p.numel() for p in recipe.model.parameters())}
        texts = {"validation": self.test, "training": self.data[: len(self.test)]}
        return row | {name: judge(recipe.model, tokens) for name, tokens in texts.items()}

    def tables(self, found: Row) -> dict[str, str]:
        """The recipes, and writing."""
        forms = {"tokens": "{tokens}", "with cache, CPU seconds": "{cached_seconds:.2f}"}
        forms |= {"without": "{plain_seconds:.2f}", "faster by": "{speed_up:.1f} x"}
        return super().tables(found) | {"writing": markdown(forms, found["writing"])}


def writing(length: int) -> Row:
    """CPU seconds for `length` tokens after one, with a cache and without."""
    torch.manual_seed(0)
    model, start = gpt.GPT(gpt.Config(67, context=512)).eval(), torch.zeros(1, 1, dtype=torch.long)
    for parameter in model.parameters():  # untrained, a block copies its input, and no cache could do any harm
        nn.init.normal_(parameter, std=0.1 if parameter.dim() == 2 else 1.0)

    def write(cached: bool) -> Tensor:
        return generate(model, start, length, generator=torch.Generator().manual_seed(0), cached=cached)

    cached, plain = cpu_seconds(lambda: write(True), lambda: write(False))
    row = {"tokens": length, "cached_seconds": cached, "plain_seconds": plain, "speed_up": plain / cached}
    return row | {"same_tokens": torch.equal(write(True), write(False))}


CONTEST = Macbeth()

if __name__ == "__main__":
    main(CONTEST)
