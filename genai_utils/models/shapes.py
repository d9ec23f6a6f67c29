"""What all models share: the shape of an image, how to count weights, and the errors for wrong input.

Where a training step passes, NaN and infinity are refused on a CPU alone (`checks.sound`): to read numbers, a processor
waits for its GPU. Where models are made, sampled from and judged, numbers are read wherever they lie.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import pairwise

import torch
from torch import Tensor, nn

from genai_utils.checks import between, fits, looks, of_type, shaped, sound, whole

IMAGE = (1, 28, 28)


def size(model: nn.Module) -> int:
    """How many numbers a model learns: the entries of all its parameters; those it shares count once."""
    of_type(nn.Module, model=model)
    return sum(parameter.numel() for parameter in model.parameters())


# --- what a model is made of ------------------------------------------------------------------------------------------


def sizes(count: int | None = None, /, **given: Sequence[int]) -> tuple[int, ...]:
    """The axes of one array, as a tuple.  count: how many there must be.

    Raises: TypeError, ValueError: no whole numbers of 1 or more, or an array too large.
    """
    [(name, axes)] = given.items()
    of_type((tuple, list), **given)
    if count is not None and len(axes) != count:
        raise ValueError(f"{name} must have {count} sizes, got {axes}")
    fits(**{f"{name}[{i}]": axis for i, axis in enumerate(axes)})
    return tuple(axes)


def check_widths(**given: Sequence[int]) -> None:
    """Refuse widths of layers, first to last, that make no matrices.  Raises: as `sizes`."""
    [(name, widths)] = given.items()
    of_type((tuple, list), **given)
    for before, after in pairwise(enumerate(widths)):
        fits(**{f"{name}[{i}]": width for i, width in (before, after)})


def check_odd(**kernels: int) -> None:
    """Refuse kernels without a middle.  Raises: TypeError, ValueError."""
    whole(1, **kernels)
    for name, kernel in kernels.items():
        if kernel % 2 == 0:
            raise ValueError(f"{name} must be odd, so that a kernel has a middle, got {kernel}")


# --- what goes through it ---------------------------------------------------------------------------------------------


def check_axes(**given: tuple[Tensor, str]) -> dict[str, int]:
    """Refuse tensors whose axes do not fit together, and what `checks.sound` refuses.

    Args: given: a tensor and its axes, for example x=(x, "n 1 28 28"), y=(y, "... n"): a word is a size that is the
        same wherever it stands, "..." any axes before or behind.
    Returns: the size of each word.  Raises: TypeError: no tensor.  ValueError: other axes; names the tensor.
    """
    found = axes_of(**given)
    sound(**{name: tensor for name, (tensor, _) in given.items()})
    return found


def axes_of(**given: tuple[Tensor, str]) -> dict[str, int]:
    """As `check_axes`; reads no number."""
    found: dict[str, int] = {}
    _check_kinds({name: tensor for name, (tensor, _) in given.items()})
    for name, (tensor, sizes) in given.items():
        shape, words = _parsed(sizes)
        if len(words) != tensor.ndim and ("..." not in sizes or len(words) > tensor.ndim):
            shaped(shape, **{name: tensor})
        first = tensor.ndim - len(words) if sizes[0] == "." else 0
        for word, here in zip(words, tensor.shape[first:], strict=False):
            if here != (int(word) if word.isdigit() else found.setdefault(word, here)):
                known = ", ".join(f"{word} = {found[word]}" for word in dict.fromkeys(words) if word in found)
                raise ValueError(f"{name} must have shape {shape}, {known}, got {tuple(tensor.shape)}")
    return found


@cache
def _parsed(axes: str) -> tuple[str, tuple[str, ...]]:
    """A shape as errors print it, and the words in it."""
    return f"({', '.join(axes.split())})", tuple(word for word in axes.split() if word != "...")


def check_real(**given: Tensor) -> None:
    """Refuse what is no tensor of numbers: truth values, complex ones, and what `checks.sound` refuses.

    Raises: TypeError, ValueError.
    """
    _check_kinds(given)
    sound(**given)


def _check_kinds(given: Mapping[str, Tensor]) -> None:
    for name, tensor in given.items():
        if not isinstance(tensor, Tensor):
            shaped("(...)", **{name: tensor})
        if tensor.is_complex() or tensor.dtype is torch.bool:
            raise TypeError(f"{name} must be real numbers, got {tensor.dtype}")


def check_floats(**given: Tensor) -> None:
    """Refuse what is no tensor of float32 or float64.  Raises: TypeError, ValueError: as `checks.sound`."""
    shaped("(...)", **given)
    for name, tensor in given.items():
        if tensor.dtype not in (torch.float32, torch.float64):
            raise TypeError(f"{name} must be float32 or float64, got {tensor.dtype}; use .float()")
    sound(**given)


def check_floating(**given: Tensor) -> None:
    """Refuse what is no tensor of floating-point numbers; reads none.  Raises: TypeError."""
    shaped("(...)", **given)
    for name, tensor in given.items():
        if not tensor.is_floating_point():
            raise TypeError(f"{name} must be floating-point numbers, got {tensor.dtype}; use .float()")


def check_alike(**given: Tensor) -> None:
    """Refuse tensors of different shapes, which arithmetic would stretch in silence.  Raises: TypeError, ValueError."""
    _check_kinds(given)
    if len({tensor.shape for tensor in given.values()}) > 1:
        found = " and ".join(str(tuple(tensor.shape)) for tensor in given.values())
        raise ValueError(f"{' and '.join(given)} must have one shape, got {found}")
    sound(**given)


def check_filled(**given: Tensor) -> None:
    """Refuse a tensor without numbers in it, whose mean is none.  Raises: TypeError: no tensor.  ValueError."""
    shaped("(...)", **given)
    for name, tensor in given.items():
        if not tensor.numel():
            raise ValueError(f"{name} must hold numbers, got shape {tuple(tensor.shape)}")


def check_stretchable(**given: Tensor) -> None:
    """Refuse tensors that cannot be stretched to one shape.  Raises: TypeError, ValueError."""
    _check_kinds(given)
    try:
        torch.broadcast_shapes(*(tensor.shape for tensor in given.values()))
    except RuntimeError as error:
        found = ", ".join(str(tuple(tensor.shape)) for tensor in given.values())
        raise ValueError(f"{' and '.join(given)} must have shapes that fit together, got {found}") from error
    sound(**given)


def check_format(model: nn.Module, **given: Tensor) -> None:
    """Refuse what a model cannot multiply: no tensor, or another number format than its own.

    Raises: TypeError, ValueError: as `checks.sound`.
    """
    _check_dtype(next(model.parameters()).dtype, "the weights of the model", given)
    sound(**given)


def _check_dtype(own: torch.dtype, owner: str, given: Mapping[str, Tensor]) -> None:
    shaped("(...)", **given)
    for name, tensor in given.items():
        mixed = tensor.dtype in (torch.float32, torch.bfloat16, torch.float16)
        if tensor.dtype != own and not (mixed and torch.is_autocast_enabled(tensor.device.type)):
            raise TypeError(f"{name} must be {own} like {owner}, got {tensor.dtype}; use .to({own})")


def check_one_format(**given: Tensor) -> None:
    """Refuse tensors that cannot be multiplied with each other: no floats, or several formats.  Raises: TypeError."""
    (first, one), *_ = given.items()
    check_floating(**{first: one})
    _check_dtype(one.dtype, first, given)


def check_latent(model: nn.Module, size: int, **given: Tensor) -> None:
    """Refuse what is not (n, size), or not in the number format of a model.  Raises: TypeError, ValueError."""
    check_format(model, **given)
    for name, latent in given.items():
        if latent.ndim != 2 or latent.shape[1] != size:
            raise ValueError(f"{name} must be (n, {size}), got {tuple(latent.shape)}; use torch.randn(n, {size})")


def check_examples(x: Tensor, shape: tuple[int, ...] = IMAGE, model: nn.Module | None = None) -> None:
    """Refuse what is not (n, *shape), or not in the number format of a model.  Raises: TypeError, ValueError."""
    shaped("(...)", examples=x)
    if x.ndim != 1 + len(shape) or tuple(x.shape[1:]) != shape:
        wanted = ", ".join(map(str, shape))
        raise ValueError(f"examples must be (n, {wanted}), got {tuple(x.shape)}; use x.view(-1, {wanted})")
    if model is None:
        sound(examples=x)
    else:
        check_format(model, examples=x)


def check_layer(layer: nn.Module, **given: tuple[Tensor, str]) -> None:
    """As `check_axes`, `check_filled` and `check_format`, for a layer; nothing within its network, which has looked.

    Raises: TypeError, ValueError.
    """
    if looks():
        axes_of(**given)
        inputs = {name: tensor for name, (tensor, _) in given.items()}
        check_filled(**inputs)
        check_format(layer, **inputs)


def check_labels(labels: Tensor | None, kinds: int, n: int) -> None:
    """Refuse labels that are not (n,) int64 in 0..kinds - 1, or None where a model knows no kinds (0).

    Raises: TypeError: no tensor.  ValueError.
    """
    if labels is not None:
        shaped("(...)", labels=labels)
    if (labels is None) == (not kinds) and (labels is None or _are_kinds(labels, kinds, n)):
        return
    wanted = f"labels ({n},) in 0..{kinds - 1}" if kinds else "no labels"
    given = "none" if labels is None else f"{tuple(labels.shape)}"
    given = f"{given} {labels.dtype}, not int64," if labels is not None and labels.dtype is not torch.int64 else given
    given = (
        f"{given} with {labels.min()} to {labels.max()}"
        if labels is not None and labels.numel() and not labels.is_complex()
        else given
    )
    raise ValueError(f"this model takes {wanted}, got {given}; it was made with labels={kinds}")


def _are_kinds(labels: Tensor, kinds: int, n: int) -> bool:
    if labels.shape != (n,) or labels.dtype is not torch.int64:
        return False
    return not n or 0 <= int(labels.min()) <= int(labels.max()) < kinds


# --- numbers that stand for things: tokens, codes, levels -------------------------------------------------------------


def check_ids(kinds: int, **given: Tensor) -> None:
    """Refuse what does not lie in 0 to kinds - 1; reads the numbers.  Raises: TypeError: not whole.  ValueError."""
    shaped("(...)", **given)
    for name, ids in given.items():
        if ids.is_floating_point() or ids.is_complex() or ids.dtype is torch.bool:
            raise TypeError(f"{name} must be whole numbers, got {ids.dtype}; use .long()")
        if ids.numel() and not 0 <= int(ids.min()) <= int(ids.max()) < kinds:
            raise ValueError(f"{name} must lie in 0 to {kinds - 1}, got {int(ids.min())} to {int(ids.max())}")


@contextmanager
def explained(kinds: int, **given: Tensor) -> Iterator[None]:
    """Look numbers up in a table of that many rows; what torch refuses is explained only then, which costs nothing.

    Raises: as `check_ids`. A GPU refuses later, and in its own words.
    """
    shaped("(...)", **given)
    try:
        yield
    except (IndexError, RuntimeError, TypeError) as error:
        check_ids(kinds, **given)
        for name, ids in given.items():
            if ids.dtype not in (torch.int32, torch.int64):
                raise TypeError(f"{name} must be int64, got {ids.dtype}; use .long()") from error
        raise


# --- drawing ----------------------------------------------------------------------------------------------------------


def check_temperature(temperature: float) -> None:
    """Refuse what logits cannot be divided by in float32.  Raises: TypeError, ValueError."""
    between(1e-6, 1e6, temperature=temperature)


def check_logits(logits: Tensor) -> None:
    """Refuse scores, in the last axis, that give no probabilities; reads them.  Raises: TypeError, ValueError."""
    axes_of(logits=(logits, "... n"))
    if not logits.shape[-1] or not logits.amax(-1).isfinite().all():
        raise ValueError("logits must hold no NaN and no infinity, and not minus infinity alone; did training diverge?")
