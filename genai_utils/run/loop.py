"""`Run` carries a training loop without hiding it: device, precision, processes, progress, averages, checkpoints.

The loop stays in the notebook and reads like the algorithm; everything around it stands here, on Hugging Face
accelerate, so that the same lines train on one CPU, on one GPU in bf16, and in several processes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import NoneType
from typing import Any

import torch
from accelerate import Accelerator, DataLoaderConfiguration, DistributedDataParallelKwargs
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from genai_utils import checks
from genai_utils.device import precision
from genai_utils.run import checkpoints, fingerprint
from genai_utils.run.batches import Order, check_data, check_seed
from genai_utils.run.lock import Lock
from genai_utils.run.log import Log, NonFiniteLossError
from genai_utils.run.parts import KINDS, Parts, bare
from genai_utils.run.progress import Progress

GPU_CHECK_EVERY = 20  # reading a loss makes the processor wait for the GPU: read 20 at once


class Run:
    """A training run of a fixed number of steps.

    Args:
        steps: steps to train for, see `gu.budget`.
        checkpoint: file to save to and, where it exists, to resume from (safetensors; written atomically, with a
            checksum). While a run uses it no other process may.
        checkpoint_every: steps between two checkpoints; the last step writes one, too.
        fresh: do not resume; the first checkpoint of this run takes the place of the old file.
        seed: seed of the batches and of `noise`.
        progress: show a bar with the time left and the live losses.
    Raises: TypeError, ValueError: another type, or a number that is too small or too large.

    A run that is interrupted at any step and started again with the same checkpoint ends with the same weights, bit for
    bit on a CPU with the same number of threads, as long as its only sources of chance are `batches`, `noise` and the
    global generator of torch, and all that moves in it went through `setup` or `average`. A checkpoint of another run
    is refused: other classes, shapes or settings of models, optimizers and schedules, other data, batch size or seed,
    more steps (`fingerprint` tells all). One of fewer steps goes on to the new end, unless its schedule was made
    for the old one: then the rates so far were those of a shorter run.
    """

    def __init__(
        self,
        steps: int,
        *,
        checkpoint: str | Path | None = None,
        checkpoint_every: int = 500,
        fresh: bool = False,
        seed: int = 0,
        progress: bool = True,
    ):
        checks.whole(1, steps=steps, checkpoint_every=checkpoint_every)
        check_seed(seed)
        checks.of_type((str, Path, NoneType), checkpoint=checkpoint)
        self.steps, self.seed, self.done = int(steps), int(seed), 0
        self.seconds, self.cpu_seconds = 0.0, 0.0  # in the loop, stops and resumptions included
        self.checkpoint = Path(checkpoint) if checkpoint else None
        self._every, self._show, self._saved = checkpoint_every, progress, 0
        self._fresh, self._given = fresh, {"seed": str(self.seed)}  # rows of the fingerprint, without the parts
        self._lock: Lock | None = None
        self._parts = Parts()
        self._averages: list[tuple[AveragedModel, nn.Module]] = []
        self._log = Log()
        self._seen: dict[Optimizer, int] = {}  # parts of a batch, by the optimizer that has yet to answer them
        self.accelerator = Accelerator(
            cpu=not torch.cuda.is_available(),
            mixed_precision="bf16" if precision() == "bf16" else "no",
            # A learning-rate schedule counts steps, however many processes share each of them.
            dataloader_config=DataLoaderConfiguration(split_batches=True),
            # Each process keeps its own batch statistics: a second forward pass of a GAN's discriminator before the
            # backward pass would otherwise overwrite them in place.
            kwargs_handlers=[DistributedDataParallelKwargs(broadcast_buffers=False)],
        )
        self.device = self.accelerator.device
        self._noise = torch.Generator(self.device).manual_seed(self.seed)

    @property
    def history(self) -> dict[str, list[float]]:
        """What was logged: under each name one value a step."""
        return self._log.history

    def setup(self, *parts: Any) -> Any:
        """Move models, optimizers and schedules to the device, in the precision and number of processes of this run.

        Convolution weights become channels-last, which CPUs and tensor cores read faster. Returns: the parts, in order.
        Raises: TypeError: something else.
        """
        for part in parts:
            checks.of_type(KINDS, parts=part)
        for part in parts:
            if isinstance(part, nn.Module):
                part.to(memory_format=torch.channels_last)
        ready = self.accelerator.prepare(*parts)
        ready = ready if isinstance(ready, tuple) else (ready,)
        for part in ready:
            self._parts.add(part)
        if self.accelerator.num_processes > 1:  # dropout must differ between processes; the weights above may not
            torch.manual_seed(self.seed + self.accelerator.process_index)
        return ready if len(ready) > 1 else ready[0]

    def average(self, module: nn.Module, decay: float = 0.998) -> AveragedModel:
        """Keep an exponential moving average of a module's weights and buffers, updated after every step.

        The decay starts low, min(decay, (1 + n) / (10 + n)) at step n, so that the random start is soon forgotten.
        Raises: TypeError: no module.  ValueError: a decay outside [0, 1].
        """
        checks.of_type(nn.Module, module=module)
        checks.share("[0, 1]", decay=decay)

        def update(averaged: Sequence[Tensor], current: Sequence[Tensor], n: Tensor | int) -> None:
            weight = 1 - min(decay, (1 + int(n)) / (10 + int(n)))
            for old, new in zip(averaged, current, strict=True):
                if old.is_floating_point():
                    old.lerp_(new, weight)
                else:
                    old.copy_(new)

        averaged = AveragedModel(bare(module), multi_avg_fn=update, use_buffers=True).eval()
        averaged.requires_grad_(False)
        self._averages.append((averaged, bare(module)))
        self._parts.add(averaged)
        return averaged

    def noise(self, *shape: int) -> Tensor:
        """Draw standard normal noise, (n, ...) for this process; n processes share one stream without overlap.

        Raises: TypeError, ValueError: sizes that are no whole numbers above 0, or too large.
        """
        if not shape:
            raise ValueError("shape must have at least one axis; write noise(n)")
        checks.fits(**{f"shape[{axis}]": size for axis, size in enumerate(shape)})
        rows, ranks = shape[0], self.accelerator.num_processes
        everyone = torch.randn(rows * ranks, *shape[1:], generator=self._noise, device=self.device)
        return everyone[self.accelerator.process_index :: ranks]

    def batches(self, *data: Tensor, batch_size: int) -> Iterator[Any]:
        """Yield the batches of the steps still to do, reshuffled every epoch; resumes from the checkpoint.

        Args: data: tensors with one row an example, e.g. images (n, 1, 28, 28) and labels (n,); batch_size: rows of a
            step, over all processes.
        Yields: a tensor (batch, ...), or a tuple of them where several were given.
        Raises: ValueError for NaN, unequal lengths, too few rows or another run's checkpoint; TypeError for no tensors;
            OSError for a damaged checkpoint or one in use; NonFiniteLossError from `step` or here.
        """
        check_data(data)
        rank, ranks = self.accelerator.process_index, self.accelerator.num_processes
        order = Order(len(data[0]), batch_size, self.seed, rank, ranks, self.device)
        if self.checkpoint:
            self._given |= fingerprint.of_data(data, batch_size)
        held = [part.to(self.device) for part in data]
        for step in self.remaining():
            rows = order.rows(step)
            batch = tuple(part[rows] for part in held)
            yield batch if len(batch) > 1 else batch[0]

    def remaining(self) -> Iterator[int]:
        """Yield the number of each step still to do, counted from 0; resumes from the checkpoint.

        For a loop that makes its own batches, each a function of its step (the checkpoint does not know of what data).
        Raises: as `batches`.
        """
        mine = self.checkpoint if self.accelerator.is_main_process else None
        with Lock(mine) if mine else nullcontext() as self._lock:
            self._start()
            yield from self._loop()

    def _loop(self) -> Iterator[int]:
        self._seen.clear()  # a step that was broken off begins anew
        with Progress(self.steps, self.done, self._show and self.accelerator.is_main_process) as bar:
            start, cpu_start = time.perf_counter() - self.seconds, time.process_time() - self.cpu_seconds
            try:
                while self.done < self.steps:
                    yield self.done
                    self._finish_step(bar)
                    self.seconds, self.cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
                    if self.done % self._every == 0 or self.done == self.steps:
                        self._check_weights()
                        if self.checkpoint:
                            self._save(self.checkpoint)
            except GeneratorExit:
                if self.accelerator.is_main_process:
                    print(f"stopped at step {self.done:,} of {self.steps:,}; {self._safe_point()}", file=sys.stderr)
                raise

    def step(self, optimizer: Optimizer | Sequence[Optimizer], loss: Tensor, of: int = 1) -> None:
        """Take one optimizer step down the gradient of `loss`, a scalar.

        Several optimizers may share one loss, e.g. one for matrices and one for the rest. In one process only their
        parameters receive gradients, so that a player of a game neither pays for nor sees the other's.
        of: the batch comes in so many equal parts, a call for each, and the last call moves the weights by the mean
        gradient: a large batch in the memory of a small one. Equation (gpu.accumulation).
        Raises: NonFiniteLossError; ValueError where the checkpoint would not keep what moves weights or rates, for no
            optimizer, or a loss that is no number or leads to no gradient; TypeError for another type.
        """
        optimizers = optimizer if isinstance(optimizer, Sequence) else [optimizer]
        _check_step(optimizers, loss, of)
        if self.checkpoint:
            self._parts.check_step(optimizers)
        self._log.loss(self.done, optimizers, loss)
        if self.device.type == "cpu":  # before the weights are touched; a GPU is asked later, many losses at once
            self._check_losses()
        seen = self._seen[optimizers[0]] = self._seen.get(optimizers[0], 0) + 1
        # What accelerate wraps around an optimizer scales fp16, which no run does, and seeks a package at each step.
        moving = list(map(bare, optimizers))
        if seen == 1:
            for one in moving:
                one.zero_grad()
        loss = loss if of == 1 else loss / of
        if self.accelerator.num_processes == 1:
            own = [p for one in moving for group in one.param_groups for p in group["params"]]
            self.accelerator.backward(loss, inputs=own)
        else:
            self.accelerator.backward(loss)
        if seen == of:
            del self._seen[optimizers[0]]
            for one in moving:
                one.step()

    def log(self, **values: Tensor | float) -> None:
        """Record numbers of this step; they stand in `history` (one value a step) and beside the progress bar.

        Raises: ValueError: more than one number.  TypeError: none.
        """
        self._log.record(values, self.device)

    def _start(self) -> None:
        """See that the checkpoint keeps all that trains, and go on from it where there is one."""
        if not self.checkpoint or self.done:
            return
        self._parts.check()
        self._rows = self._given | fingerprint.of_parts(self._parts.all, self.steps)
        if self._lock:
            checkpoints.remove_leftovers(self.checkpoint)
        if self.checkpoint.exists() and not self._fresh:
            self._resume(self.checkpoint)

    def _save(self, path: Path) -> None:
        self._flush()
        state = {
            "step": self.done, "steps": self.steps, "rows": self._rows, "history": self.history,
            "seconds": self.seconds, "cpu_seconds": self.cpu_seconds,
            "noise": self._noise.get_state(), "rng": self._everyones_rng(),
            "parts": [part.state_dict() for part in self._parts.all],
        }  # fmt: skip
        if self._lock:
            self._lock.check()
            checkpoints.save(path, state)
        self._saved = self.done

    def _resume(self, path: Path) -> None:
        state = checkpoints.load(path)
        here = self._given | fingerprint.of_parts(self._parts.all, state["steps"])
        found = fingerprint.difference(state["rows"], here)
        if state["steps"] > self.steps:
            found = f"it trains for {state['steps']:,} steps, this one for {self.steps:,}"
        if found:
            raise ValueError(f"{path} belongs to another run: {found}; {checkpoints.WAYS_OUT}")
        self._parts.restore(state["parts"], path)
        self.done = self._saved = state["step"]
        self.seconds, self.cpu_seconds = state["seconds"], state["cpu_seconds"]
        self._log.history = state["history"]
        self._noise.set_state(state["noise"])
        rng = state["rng"][min(self.accelerator.process_index, len(state["rng"]) - 1)]
        torch.set_rng_state(rng["cpu"])
        if "cuda" in rng and self.device.type == "cuda":
            torch.cuda.set_rng_state(rng["cuda"], self.device)

    def _everyones_rng(self) -> list[dict[str, Tensor]]:
        mine = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            mine["cuda"] = torch.cuda.get_rng_state(self.device)
        if self.accelerator.num_processes == 1:
            return [mine]
        gathered = {k: self.accelerator.gather(v.to(self.device)[None]).cpu() for k, v in mine.items()}
        return [{k: v[rank].clone() for k, v in gathered.items()} for rank in range(self.accelerator.num_processes)]

    def _finish_step(self, bar: Progress) -> None:
        if self._seen:
            seen = ", ".join(map(str, self._seen.values()))
            raise ValueError(f"step {self.done + 1:,} ended after {seen} parts of its batch; call step `of` times")
        self.done += 1
        self._log.end_step()
        for averaged, module in self._averages:
            averaged.update_parameters(module)
        if self.device.type == "cpu" or self.done % GPU_CHECK_EVERY == 0 or self.done == self.steps:
            self._flush()
        bar.show(self.done, {name: values[-1] for name, values in self.history.items()})

    def _flush(self) -> None:
        self._check_losses()
        alone = self.accelerator.num_processes == 1
        self._log.flush(lambda table: table if alone else self.accelerator.reduce(table, "mean"))

    def _check_losses(self) -> None:
        if lost := self._log.broken():
            found = f"the loss of {self._parts.trained_by(lost.optimizers)} became {float(lost.value)}"
            raise self._diverged(f"{found} in step {lost.step + 1:,}")

    def _check_weights(self) -> None:
        """A gradient may be NaN where its loss is not, as that of a root at 0."""
        self._check_losses()
        if network := self._parts.broken():
            raise self._diverged(f"a weight of {network} became NaN or infinite by step {self.done:,}")

    def _diverged(self, found: str) -> NonFiniteLossError:
        advice = "Look at the batch and lower the learning rate"
        return NonFiniteLossError(f"{found} of {self.steps:,}; {self._safe_point()}. {advice}")

    def _safe_point(self) -> str:
        if self.checkpoint and self._saved:
            place = f"{self.checkpoint} (step {self._saved:,})"
            return f"the last good checkpoint is {place}, run again to go on from there"
        return "no checkpoint was written yet (Run(..., checkpoint='name.safetensors') writes them)"


def _check_step(optimizers: Sequence[Optimizer], loss: Tensor, of: int) -> None:
    if not optimizers:
        raise ValueError("optimizer must be one or several, got none")
    for one in optimizers:
        checks.of_type(Optimizer, optimizer=one)
    checks.of_type(Tensor, loss=loss)
    if loss.numel() != 1 or not loss.requires_grad:
        raise ValueError(f"loss must be one number that depends on weights, got {loss}; do not detach it")
    checks.whole(1, of=of)
