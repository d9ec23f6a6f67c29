"""How weights lie in a safetensors file: in float16, or the matrices in eight bits with a float32 scale a row."""

from __future__ import annotations

from typing import Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from genai_utils.checks import of_type, one_of, tensors
from genai_utils.models.quantization import eight_bits, from_eight_bits

Form = Literal["float16", "int8"]
FORMS = ("float16", "int8")
SMALL = 1_000  # so few numbers save nothing, and a whole network may hang on them
SCALES = ":scales"  # after the name of a matrix; no module can be called so


def packed(state: dict[str, Tensor], form: Form) -> bytes:
    """The content of a file.  form: "float16" halves all, "int8" rounds large matrices and leaves the rest as it is.

    Whole numbers, such as the counters of batch normalization, stay what they are.
    """
    one_of(FORMS, form=form)
    of_type(dict, state=state)
    tensors("(...)", **{f"state[{name}]": value for name, value in state.items()})
    store = _halved if form == "float16" else _rounded
    return save({key: part.contiguous() for name, value in state.items() for key, part in store(name, value).items()})


def unpacked(content: bytes) -> dict[str, Tensor]:
    """The weights in the content of a file, for `load_state_dict`; matrices of eight bits become float32.

    Raises: TypeError, ValueError: no such content.
    """
    of_type(bytes, content=content)
    try:
        stored = load(content)
    except SafetensorError as error:
        raise ValueError(f"content is no safetensors file of {len(content):,} bytes: {error}") from error
    return {name: _whole(name, value, stored) for name, value in stored.items() if not name.endswith(SCALES)}


def _halved(name: str, value: Tensor) -> dict[str, Tensor]:
    return {name: value.half() if value.is_floating_point() else value}


def _rounded(name: str, value: Tensor) -> dict[str, Tensor]:
    if value.dim() < 2 or value.numel() < SMALL or not value.is_floating_point():
        return {name: value}
    return dict(zip((name, name + SCALES), eight_bits(value), strict=True))


def _whole(name: str, value: Tensor, stored: dict[str, Tensor]) -> Tensor:
    return from_eight_bits(value, stored[name + SCALES]) if value.dtype == torch.int8 else value
