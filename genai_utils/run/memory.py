"""Memory of a training step: predicted by class of tensor, measured, and made to fit. All numbers are bytes."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.profiler import ProfilerActivity, profile
from torch.utils.checkpoint import checkpoint

from genai_utils.checks import at_least, callables, finite, of_type, whole
from genai_utils.models.gpt import Config
from genai_utils.records.table import html_table

MOMENTS = {"SGD": 0, "Muon": 1, "Adam": 2, "AdamW": 2}  # tensors like a parameter; with a momentum SGD has one, too


@dataclass(frozen=True)
class Fit:
    """What a step needs by class of tensor, beside the room there is; true where it fits, and a table where shown.

    Raises: TypeError: no numbers.  ValueError: NaN or infinity, or a need below 0.
    """

    needs: dict[str, float]
    room: float

    def __post_init__(self) -> None:
        of_type(dict, needs=self.needs)
        at_least(0, **{f"needs[{name!r}]": size for name, size in self.needs.items()})
        finite(room=self.room)

    @property
    def total(self) -> float:
        """All classes together."""
        return sum(self.needs.values())

    def __bool__(self) -> bool:
        return self.total <= self.room

    def __str__(self) -> str:
        return "\n".join(f"{name:<16}{size:>12} MB" for name, size in self._rows())

    def _repr_html_(self) -> str:
        return html_table(("tensors", "MB"), self._rows())

    def _rows(self) -> list[tuple[str, str]]:
        answer = "it fits into" if self else "too much for"
        sizes = self.needs | {"together": self.total, answer: self.room}
        return [(name, f"{size / 1e6:,.1f}") for name, size in sizes.items()]


def fits(model: nn.Module, optimizers: Sequence[Optimizer], activations: float, room: float, other: float = 0.0) -> Fit:
    """Will a training step fit? Weights, gradients, moments of the optimizers and activations. Equation (gpu.memory).

    Args: activations: kept for the backward pass, see `gpt_activations`, `saved` and `at_batch`.  room: see `free`.
        other: data, averages and second models on the device.
    An upper bound but for the work space of single operations: activations go while gradients come.
    Raises: ValueError: an optimizer whose moments are not known, or no finite number.  TypeError: another type.
    """
    of_type(nn.Module, model=model)
    of_type(Iterable, optimizers=optimizers)
    for one in optimizers:
        of_type(Optimizer, optimizers=one)
    at_least(0, activations=activations, other=other)
    weights = size(model.parameters())
    moments = sum(moments_size(one) for one in optimizers)
    parts = {"weights": weights, "gradients": size(p for p in model.parameters() if p.requires_grad)}
    return Fit({**parts, "moments": moments, "activations": activations, "other": other}, room)


def size(tensors: Iterable[Tensor]) -> int:
    """Bytes of tensors.  Raises: TypeError: something else."""
    of_type(Iterable, tensors=tensors)
    total = 0
    for tensor in tensors:
        of_type(Tensor, tensors=tensor)
        total += tensor.nbytes
    return total


def moments_size(optimizer: Optimizer) -> int:
    """What an optimizer will keep beside the weights: two tensors like each of them for Adam, one for Muon.

    Raises: ValueError: its moments are not known.  TypeError: no optimizer.
    """
    of_type(Optimizer, optimizer=optimizer)
    inner = getattr(optimizer, "optimizer", optimizer)  # accelerate wraps it
    if (kind := type(inner).__name__) not in MOMENTS:
        raise ValueError(f"the moments of {kind} are not known, only those of {', '.join(MOMENTS)}; add it to MOMENTS")
    moments = [MOMENTS[kind] + (kind == "SGD" and group["momentum"] > 0) for group in inner.param_groups]
    return sum(n * size(group["params"]) for n, group in zip(moments, inner.param_groups, strict=True))


def gpt_activations(config: Config, batch: int, time: int, *, recomputed: bool = False, fused: bool = False) -> int:
    """What a GPT in fp32 with its cross-entropy keeps for the backward pass. Equation (gpu.memory).

    Args: batch: 2 or more, and 2 heads or more (at one, torch keeps some views whole).
        recomputed: see `recompute`; then it keeps the input of each block, and the inside of one block at a time.
        fused: norms and attention are kernels that keep no intermediate results, as on a GPU.
    Raises: TypeError: another type.  ValueError: a size below 1.
    """
    of_type(Config, config=config)
    whole(1, batch=batch, time=time)
    w, h = config.width, config.heads
    norm = 2 * w + 2 if config.norm == "layer" else (2 * w if fused else 3 * w) + 1  # input, output, statistics
    changed = config.qk_norm or config.positions == "rotary"  # else q and k lie beside v, in one tensor
    attention = (4 + 2 * changed) * w + h if fused else 4 * w + h * time  # q, k, v, output, and the scores of all heads
    if config.qk_norm:
        attention += 2 * h + (0 if fused else 3 * w)  # q, k and v as they came, and the lengths of q and k
    block = 2 * norm + attention + (8 if config.activation == "gelu" else 12) * w
    blocks = (config.layers - 1) * w + block if recomputed else config.layers * block
    labels = 4  # tokens and targets, 8 bytes each
    return 4 * batch * time * (blocks + norm + config.vocabulary + labels)


def saved(forward: Callable[[], object], *modules: nn.Module) -> int:
    """What autograd keeps of a forward pass for the backward pass, measured: each storage once.

    Args: forward: makes a loss.  modules: their parameters and buffers are left out.
    It does not see the work space of operations, nor the inside of what `recompute` will compute again.
    Raises: TypeError: nothing to call, or no modules.
    """
    callables(forward=forward)
    for module in modules:
        of_type(nn.Module, modules=module)
    own = {t.untyped_storage().data_ptr() for m in modules for t in (*m.parameters(), *m.buffers())}
    found: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        forward()
    return sum(found.values())


def at_batch(measure: Callable[[int], float], batch: int) -> float:
    """What `measure` would give at a large batch, from two small ones: activations grow in a line.

    Args: measure: bytes at a batch, for example by `saved`; it is asked for batches of 2 and 4.
    Raises: TypeError: nothing to call, or what it gives is no number.  ValueError: a batch below 1, or NaN.
    """
    callables(measure=measure)
    whole(1, batch=batch)
    small, double = measure(2), measure(4)
    finite(**{"measure(2)": small, "measure(4)": double})
    return small + (batch - 2) / 2 * (double - small)


def peak(call: Callable[[], object]) -> int:
    """The most that torch held during a call beyond what it held before, measured.

    On a GPU: its allocator's own peak. On a CPU: all that went through torch's allocator as its profiler saw it, which
    leaves out Python, libraries with allocators of their own, and memory that was freed but not returned.
    Raises: TypeError: nothing to call.
    """
    callables(call=call)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        call()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        call()
    held = most = 0
    for event in record.profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            most = max(most, held)
    return most


def recompute(modules: Iterable[nn.Module]) -> None:
    """Keep of each module its input alone, and compute the inside again when gradients are asked for; in place.

    For example the blocks of a GPT: the same gradients bit for bit, a third more operations, far fewer activations
    (activation checkpointing).  Source: Chen et al. 2016, arXiv:1604.06174.
    Raises: TypeError: no modules; then none is changed.
    """
    of_type(Iterable, modules=modules)
    modules = list(modules)
    for module in modules:
        of_type(nn.Module, modules=module)
    for module in modules:
        module.forward = partial(checkpoint, module.forward, use_reentrant=False)


def largest_batch(step: Callable[[int], object], batch: int) -> int:
    """The largest of batch, batch / 2, batch / 4, … whose step fits into memory; says where one does not.

    Args: step: trains on a batch of that size and keeps nothing of it.
    Raises: TypeError, ValueError: nothing to call, or a batch below 1.  torch.OutOfMemoryError: one example alone does
        not fit. What else `step` raises passes through. Where a system promises memory that it does not have, as Linux
        may, it ends the process instead: ask `fits` first.
    """
    callables(step=step)
    whole(1, batch=batch)
    while not _runs(step, batch):
        if batch == 1:
            ways = "recompute activations (run.memory.recompute), train in bf16, or take a smaller model or context"
            raise torch.OutOfMemoryError(f"not even a batch of one fits into memory; {ways}")
        print(f"a batch of {batch} does not fit into memory, trying {batch // 2}")
        batch //= 2
    return batch


def _runs(step: Callable[[int], object], batch: int) -> bool:
    try:
        step(batch)
    except RuntimeError as error:
        if not isinstance(error, torch.OutOfMemoryError) and "DefaultCPUAllocator" not in str(error):
            raise
    else:
        return True
    gc.collect()  # outside of the handler: the error held the frames, and these the tensors
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return False
