"""Which class of tensor holds how much of a GPU, by the list of blocks that its allocator keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tools.gpu.check import Check

Blocks = dict[int, int]  # address -> bytes


def by_class(
    check: Check, model: nn.Module, optimizer: Optimizer, loss: Callable[[], Tensor], foretold: Mapping[str, float]
) -> None:
    """Bytes of weights, gradients, moments and activations after a forward pass, each beside its prediction.

    A block belongs to the class of the tensor that begins at its address. What a forward pass adds, while its graph is
    held, is activations. What was there before and belongs to no tensor of ours is "other": data, and the work space
    of products. Nothing in the list says what a block is for: what the backward pass takes and gives back at once is
    known from its peak alone. A processor has no such list: the parts that a tensor owns are rehearsed there.
    """
    loss().backward()
    optimizer.step()
    owned = owners(model, optimizer)
    before = blocks(check, owned)
    found = shares(before, owned)
    kept = loss()
    found["activations"] = sum(blocks(check, owned).values()) - sum(before.values())
    for name, size in found.items():
        check.figure(f"memory.class.{name}.measured", size, "bytes")
        if name in foretold and foretold[name] and size:
            check.figure(f"memory.class.{name}.predicted", foretold[name], "bytes")
            check.figure(f"memory.class.{name}.ratio", foretold[name] / size, "predicted over measured")
    if check.on_gpu:
        torch.cuda.reset_peak_memory_stats()
        kept.backward()
        passing = torch.cuda.max_memory_allocated() - sum(found.values())
        check.figure("memory.class.passing.measured", passing, "bytes that only the backward pass takes, at most")


def owners(model: nn.Module, optimizer: Optimizer) -> dict[str, list[Tensor]]:
    """The tensors of each class that somebody holds by name, each storage once."""
    weights: list[Tensor] = list(model.parameters())
    moments = [value for state in optimizer.state.values() for value in state.values()]
    return {
        "weights": weights,
        "gradients": [p.grad for p in weights if p.grad is not None],
        "moments": [t for t in moments if isinstance(t, Tensor) and t.device == weights[0].device and t.dim()],
    }


def shares(held: Blocks, owned: Mapping[str, Iterable[Tensor]]) -> dict[str, int]:
    """Bytes of the blocks of each class, and of those that belong to none."""
    starts = {name: {t.untyped_storage().data_ptr() for t in tensors} for name, tensors in owned.items()}
    found = {name: sum(held.get(start, 0) for start in known) for name, known in starts.items()}
    return found | {"other": sum(held.values()) - sum(found.values())}


def blocks(check: Check, owned: Mapping[str, Iterable[Tensor]]) -> Blocks:
    """What is allocated now; on a processor the storages that we know of."""
    if check.on_gpu:
        torch.cuda.synchronize()
        return active(torch.cuda.memory_snapshot())
    storages = [t.untyped_storage() for tensors in owned.values() for t in tensors]
    return {storage.data_ptr(): storage.nbytes() for storage in storages}


def active(snapshot: Iterable[Mapping[str, Any]]) -> Blocks:
    """Blocks that a tensor holds, by address, of `torch.cuda.memory_snapshot`; those of a segment lie side by side."""
    found: Blocks = {}
    for segment in snapshot:
        address = segment["address"]
        for block in segment["blocks"]:
            if block["state"] == "active_allocated":
                found[address] = block["size"]
            address += block["size"]
    return found
