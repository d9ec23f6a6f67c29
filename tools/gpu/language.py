"""Parts of the GPU check on the GPT: how much of the roof it uses, its waterfall, its memory."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.profiler import ProfilerActivity, profile

from genai_utils.data import text
from genai_utils.metrics import hardware
from genai_utils.models import gpt, size
from genai_utils.run import memory, schedule
from tools.gpu import held
from tools.gpu.check import Check, free, reason
from tools.gpu.climb import Lap, Watch, climb, source
from tools.gpu.machine import reduced

MEDIUM = gpt.Config(8_192, context=512, layers=8, heads=8, width=512)  # 25 million weights in its blocks
LARGE = gpt.Config(16_384, context=512, layers=18, heads=16, width=2_048)  # a billion: writing waits for memory
TOY = gpt.Config(67, context=16, layers=2, heads=2, width=16)
Forward = Callable[[Tensor], Tensor]


def half(check: Check, on: bool = True) -> AbstractContextManager[None]:
    """A block in bf16."""
    return torch.autocast(check.device.type, torch.bfloat16, enabled=on)


def loss_of(model: Forward, batch: Tensor) -> Tensor:
    """Mean cross-entropy of the next token, nats.  batch: (batch, time + 1)."""
    return cross_entropy(model(batch[:, :-1]).flatten(0, 1).float(), batch[:, 1:].flatten())


def rates_of_the_gpt(check: Check) -> None:
    """MFU of training by batch, plain and compiled, and MBU of writing."""
    peak = _limit(check, "peak.bf16")
    config = check.pick(MEDIUM, TOY)
    check.note("config", str(config))
    check.figure("gpt.parameters", size(gpt.GPT(config)), "parameters")
    for batch in check.pick([4, 16, 32, 64, 128], [2, 4]):
        _mfu(check, config, batch, peak, False)
    _mfu(check, config, check.pick(64, 4), peak, True)
    kernels(check, config, check.pick(16, 2))
    bandwidth = _limit(check, "bandwidth")
    for name, shape in {"medium": config, "large": check.pick(LARGE, TOY)}.items():
        for batch in check.pick([1, 64], [1, 2]):
            _mbu(check, name, shape, batch, bandwidth)


def _limit(check: Check, id: str) -> float:
    """What part `peak` found, or a quick look where it did not run."""
    known = check.report.parts.get("peak", {}).get("figures", {}).get(id)
    if known:
        return float(known["value"])
    if id == "bandwidth":
        return float(hardware.bandwidth(check.device, check.pick(1_024, 4)))
    n = check.pick(8_192, 64)
    return float(hardware.peak(hardware.matmul_sweep([(n, n, n)], torch.bfloat16, check.device)))


def _mfu(check: Check, config: gpt.Config, batch: int, peak: float, compiled: bool) -> None:
    """Seconds of a step of training in bf16, and the share of the peak; a note where it does not fit."""
    name = f"batch-{batch}" + "-compiled" * compiled
    try:
        step = training_step(check, config, batch, compiled)
        start = time.time()
        step()
        check.wait()
        check.figure(f"gpt.first.{name}", time.time() - start, "s, the first step")
        found = hardware.seconds(step, repeats=check.pick(15, 2))
    except Exception as error:
        check.note(f"gpt.mfu.{name}", reason(error))
    else:
        work = gpt.training_flops(config) * batch * config.context
        check.figure(f"gpt.step.{name}", found, "s")
        share = hardware.utilization(work, found.value, peak)
        check.figure(f"gpt.mfu.{name}", share, "of the measured peak in bf16", share * found.spread / found.value)
        check.figure(f"gpt.tokens.{name}", batch * config.context / found.value, "tokens/s")
    free()


def training_step(check: Check, config: gpt.Config, batch: int, compiled: bool) -> Callable[[], None]:
    """A step on one batch of noise."""
    model = gpt.GPT(config).to(check.device)
    adam = torch.optim.AdamW(model.parameters(), 1e-4, fused=True)
    tokens = torch.randint(config.vocabulary, (batch, config.context + 1), device=check.device)
    forward = check.compiled(model) if compiled else model

    def step() -> None:
        adam.zero_grad()
        with half(check):
            loss = loss_of(forward, tokens)
        loss.backward()
        adam.step()

    return step


def kernels(check: Check, config: gpt.Config, batch: int) -> None:
    """What a step of training spends its time on: the largest shares, and how long the device waits to be asked."""
    step, n = training_step(check, config, batch, False), check.pick(5, 1)
    step()
    activities = [ProfilerActivity.CPU, *[ProfilerActivity.CUDA] * check.on_gpu]
    check.wait()
    with profile(activities=activities) as trace:
        start = time.time()
        for _ in range(n):
            step()
        check.wait()
        wall = time.time() - start
    spent = {event.key: _own_time(check, event) for event in trace.key_averages()}
    whole = sum(spent.values()) or 1.0
    largest = sorted(spent, key=lambda key: -spent[key])[:12]
    check.note("shares of the time", {key[:80]: round(spent[key] / whole, 4) for key in largest})
    check.figure("gpt.busy", whole / wall, f"of the time of a step of {batch}, while watched")
    check.figure("gpt.calls", sum(event.count for event in trace.key_averages()) / n, "operators and kernels in a step")


def _own_time(check: Check, event: Any) -> float:
    """Seconds of a kernel of the GPU, or, where there is none, of an operator of the processor."""
    if not check.on_gpu:
        return event.self_cpu_time_total / 1e6
    kernel = event.device_type == torch.autograd.DeviceType.CUDA and not getattr(event, "is_user_annotation", False)
    return event.self_device_time_total / 1e6 if kernel else 0.0


@torch.no_grad()
def _mbu(check: Check, name: str, config: gpt.Config, batch: int, bandwidth: float) -> None:
    """Seconds for a token when writing in bf16, and the share of the bandwidth."""
    n, id = check.pick(64, 4), f"{name}.batch-{batch}"
    try:
        with torch.device(check.device):
            model = gpt.GPT(config).to(torch.bfloat16)
        start = torch.zeros(batch, 1, dtype=torch.long, device=check.device)

        def write() -> None:
            cache, token = gpt.Cache(config), start
            for _ in range(n):
                token = model(token, cache, last=True).argmax(-1)

        found = hardware.seconds(write, repeats=check.pick(5, 2))
    except Exception as error:
        check.note(f"gpt.mbu.{id}", reason(error))
    else:
        work = gpt.decoding_bytes(config, n // 2, batch, item=2)
        check.figure(f"gpt.writing.{id}", found.value / n, "s a token", found.spread / n)
        check.figure(f"gpt.mbu.{id}", hardware.utilization(work, found.value / n, bandwidth), "of the bandwidth")
    free()


@dataclass(frozen=True)
class Rung:
    """How to train.  workers: see `source`.  parts: of a batch.  again: recompute activations."""

    workers: int | None = None
    on_device: bool = True
    fused: bool = True
    tf32: bool = True
    bf16: bool = True
    compiled: bool = False
    batch: int = 16
    rate: float = 2e-3
    parts: int = 1
    again: bool = False


def waterfall_of_the_gpt(check: Check) -> None:
    """From the loop that tutorials print to the fastest; ten million weights on the characters of seven plays."""
    small, large = check.pick((16, 64), (4, 8))
    plain = Rung(0, on_device=False, fused=False, tf32=False, bf16=False, batch=small)
    device = replace(plain, workers=None, on_device=True)
    wide = Rung(batch=large, rate=4e-3)
    rungs = {
        "tutorial": plain,
        "workers": replace(plain, workers=check.pick(4, 1)),
        "device": device,
        "fused": replace(device, fused=True),
        "tf32": replace(device, fused=True, tf32=True),
        "bf16": Rung(batch=small),
        "compile": Rung(batch=small, compiled=True),
        "batch": replace(wide, rate=2e-3),
        "rate": wide,
        "accumulation": replace(wide, parts=4),
        "checkpointing": replace(wide, again=True),
        "batch-compile": replace(wide, compiled=True),
    }
    check.note("rungs", {name: str(rung) for name, rung in rungs.items()})
    task = Task(check)
    climb(check, "waterfall.gpt", rungs, task.fit, check.pick(5, 2))


class Task:
    """What each rung trains: the same passages from the same seeds."""

    def __init__(self, check: Check):
        alphabet = text.shakespeare_alphabet()
        sizes = {"context": 256, "layers": 6, "heads": 6, "width": 384}
        toy = {"context": 16, "layers": 1, "heads": 1, "width": 8}
        self.check, self.config = check, gpt.Config(len(alphabet), **check.pick(sizes, toy))  # type: ignore[arg-type]
        read, asked = (text.encode(text.shakespeare(split), alphabet) for split in ("train", "validation"))
        self.passages = gpt.windows(read, self.config.context + 1)
        self.there = self.passages if check.toy else gpt.windows(read.to(check.device), self.config.context + 1)
        held = gpt.windows(asked, self.config.context + 1)
        self.held = held[:: len(held) // check.pick(256, 4)].to(check.device)
        self.examples = check.pick(2_560, 32)
        self.compiled: dict[int, tuple[gpt.GPT, Forward]] = {}

    def fit(self, rung: Rung, seed: int) -> Lap:
        """Train once."""
        torch.manual_seed(seed)
        device, steps = self.check.device, self.examples // rung.batch
        model, forward = self._model(rung)
        adam = torch.optim.AdamW(model.parameters(), rung.rate, betas=(0.9, 0.95), fused=rung.fused or None)
        fall = schedule(adam, steps)
        order = torch.randint(len(self.passages), (self.examples,), generator=torch.Generator().manual_seed(seed))
        data = self.there if rung.on_device else self.passages
        with reduced(rung.tf32):
            watch = Watch(self.check, steps, rung.batch)
            for batch in source(data, order, rung.batch, device, rung.workers):
                self._step(forward, batch, adam, rung)
                fall.step()
                watch.tick()
        return watch.lap(self._bits(model))

    def _model(self, rung: Rung) -> tuple[gpt.GPT, Forward]:
        """Untrained, and what to call; each batch is compiled once."""
        model = gpt.GPT(self.config).to(self.check.device)
        if rung.again:
            memory.recompute(model.blocks)
        if not rung.compiled:
            return model, model
        if rung.batch not in self.compiled:
            self.compiled[rung.batch] = model, self.check.compiled(model)
        self.compiled[rung.batch][0].load_state_dict(model.state_dict())
        return self.compiled[rung.batch]

    def _step(self, forward: Forward, batch: Tensor, adam: torch.optim.Optimizer, rung: Rung) -> None:
        for part in batch.chunk(rung.parts):
            with half(self.check, rung.bf16):
                loss = loss_of(forward, part) / rung.parts
            loss.backward()
        adam.step()
        adam.zero_grad()

    @torch.no_grad()
    def _bits(self, model: gpt.GPT) -> float:
        """Bits for a character of the play that was held out."""
        return float(torch.stack([loss_of(model, part) for part in self.held.split(64)]).mean()) / math.log(2)


def memory_of_the_gpt(check: Check) -> None:
    """What was predicted beside what was held at most, and whether "it fits" is true of a device with less room."""
    config = check.pick(replace(MEDIUM, context=256), TOY)
    _classes(check, config, check.pick(64, 4))
    free()
    for again in (False, True):
        for batch in check.pick([4, 16, 64], [4, 8]):
            _beside(check, config, batch, again)
    if check.on_gpu:
        _fits(check, config)
    else:
        check.note("fits", "skipped: the room of a processor is not limited")
    check.note("largest batch", memory.largest_batch(lambda batch: _crowd(check, batch), 512))


def _classes(check: Check, config: gpt.Config, batch: int) -> None:
    """Each class of tensor by itself."""
    foretold = predicted(check, config, batch, False)
    model = gpt.GPT(config).to(check.device)
    adam = torch.optim.AdamW(model.parameters(), 1e-4, fused=True)
    tokens = torch.randint(config.vocabulary, (batch, config.context + 1), device=check.device)
    held.by_class(check, model, adam, lambda: loss_of(model, tokens), foretold.needs)


def _beside(check: Check, config: gpt.Config, batch: int, again: bool) -> None:
    """One prediction, one measurement."""
    name = f"memory.batch-{batch}" + "-recomputed" * again
    foretold = predicted(check, config, batch, again)
    found = memory.peak(lambda: _two_steps(check, config, batch, again))
    check.figure(f"{name}.predicted", foretold.total, "bytes")
    check.figure(f"{name}.measured", found, "bytes")
    check.figure(f"{name}.ratio", foretold.total / found, "predicted over measured")
    free()


def predicted(check: Check, config: gpt.Config, batch: int, again: bool, room: float = 1e18) -> memory.Fit:
    """What a step of training in fp32 takes."""
    with torch.device("meta"):
        model = gpt.GPT(config)
    adam = torch.optim.AdamW(model.parameters())
    activations = memory.gpt_activations(config, batch, config.context, recomputed=again, fused=check.on_gpu)
    return memory.fits(model, [adam], activations, room)


def _two_steps(check: Check, config: gpt.Config, batch: int, again: bool) -> None:
    model = gpt.GPT(config).to(check.device)
    if again:
        memory.recompute(model.blocks)
    adam = torch.optim.AdamW(model.parameters(), 1e-4, fused=True)
    tokens = torch.randint(config.vocabulary, (batch, config.context + 1), device=check.device)
    for _ in range(2):
        loss_of(model, tokens).backward()
        adam.step()
        adam.zero_grad()


def _fits(check: Check, config: gpt.Config, room: float = 4e9) -> None:
    """Ask, then try, on a device that hands out no more than `room`."""
    whole = torch.cuda.get_device_properties(check.device).total_memory
    told = {}
    try:
        torch.cuda.set_per_process_memory_fraction(room / whole)
        for batch in (8, 12, 16, 20, 24, 28, 32, 40, 48, 64):
            told[batch] = (bool(predicted(check, config, batch, False, room)), _survives(check, config, batch))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    check.note("fits", {batch: {"predicted": yes, "found": true} for batch, (yes, true) in told.items()})
    check.figure("memory.fits.right", sum(yes == true for yes, true in told.values()), f"of {len(told)} batches")


def _survives(check: Check, config: gpt.Config, batch: int) -> bool:
    try:
        _two_steps(check, config, batch, False)
    except torch.OutOfMemoryError:
        fits = False
    else:
        fits = True
    free()  # outside of the handler, which holds the frames
    return fits


def _crowd(check: Check, batch: int) -> None:
    """A step that takes an eighth of the device for each example."""
    if not check.on_gpu:
        if batch > 7:
            raise torch.OutOfMemoryError("out of memory, as a GPU would say")
        return
    eighth = torch.cuda.get_device_properties(check.device).total_memory // 8
    torch.empty(batch * eighth, dtype=torch.uint8, device=check.device)
