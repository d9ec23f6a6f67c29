"""Operations of a call, by counting: of every matrix product that torch runs, and of each layer by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from genai_utils.checks import callables, of_type, tensors

_CHANNELS = {nn.Linear: "out_features", nn.Conv2d: "out_channels", nn.ConvTranspose2d: "in_channels"}


def counted(call: Callable[[], object]) -> int:
    """Multiplications and additions of the matrix products and convolutions that torch runs in a call.

    On a CPU our attention is written out, and a training step counts three times its forward pass. On a GPU it is one
    kernel (SDPA): the counter takes its forward pass in full, the masked half included, and its backward pass as five
    products instead of four, because that kernel computes the scores once more; attention then counts 3.5 times.
    Raises: TypeError: nothing to call.
    """
    callables(call=call)
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


def by_layer(module: nn.Module, *inputs: Tensor) -> dict[str, int]:
    """Operations of the forward pass of each Linear, Conv2d and ConvTranspose2d of a module, by name.

    Each weight multiplies and adds once a position: of the output, and where it is transposed, of the input. A layer
    called twice counts twice; biases, norms and activations are left out.
    Raises: TypeError: no module, or inputs that are no tensors.  ValueError: NaN in them.
    """
    of_type(nn.Module, module=module)
    for tensor in inputs:
        tensors("(...)", inputs=tensor)
    found: dict[str, int] = {}

    def watch(name: str, channels: str) -> Callable[[Any, Any, Any], None]:
        def count(layer: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            positions = (inputs[0] if channels == "in_channels" else output).numel() // getattr(layer, channels)
            found[name] = found.get(name, 0) + 2 * layer.weight.numel() * positions

        return count

    layers = [(name, layer) for name, layer in module.named_modules() if type(layer) in _CHANNELS]
    hooks = [layer.register_forward_hook(watch(name, _CHANNELS[type(layer)])) for name, layer in layers]
    try:
        module(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return found
