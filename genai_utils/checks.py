"""What the course asks of its inputs. Each check refuses a thing by its name, with what came and what was expected."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import signature
from numbers import Integral, Real
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, get_args, get_type_hints

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from torch import Tensor

MOST_NUMBERS = 10**9  # in one array: 8 GB of float64
LARGEST = {8: 1e150, 4: 1e15}  # number in a tensor, by its bytes: it holds the sum of many squares of that
_trusted: ContextVar[bool] = ContextVar("trusted", default=False)


class NoValueError(ValueError, ArithmeticError):
    """Numbers that are allowed each for itself lead to a result that no float can hold."""


P = ParamSpec("P")
R = TypeVar("R")


def finite(**numbers: float) -> None:
    """Refuse NaN and infinities.  Raises: ValueError; TypeError for what is no number."""
    for name, number in _numbers(numbers):
        if not -math.inf < number < math.inf:
            raise ValueError(f"{name} must be a finite number, got {number}")


def above(bound: float, /, **numbers: float) -> None:
    """Refuse what is not finite and above a bound.  Raises: ValueError; TypeError for what is no number."""
    for name, number in _numbers(numbers):
        if not bound < number < math.inf:
            raise ValueError(f"{name} must be a finite number above {bound:g}, got {number}")


def at_least(bound: float, /, **numbers: float) -> None:
    """Refuse what is not finite and at the bound or above it.  Raises: ValueError; TypeError for what is no number."""
    for name, number in _numbers(numbers):
        if not bound <= number < math.inf:
            raise ValueError(f"{name} must be a finite number, {bound:g} or more, got {number}")


def between(low: float, high: float, /, **numbers: float) -> None:
    """Refuse what is not in [low, high].  Raises: ValueError; TypeError for what is no number."""
    for name, number in _numbers(numbers):
        if not low <= number <= high:
            raise ValueError(f"{name} must be in [{low:g}, {high:g}], got {number}")


def positive(**numbers: float) -> None:
    """Refuse what is not above 0; infinity is.  Raises: ValueError; TypeError for what is no number."""
    for name, number in _numbers(numbers):
        if not number > 0:
            raise ValueError(f"{name} must be a number above 0, or infinite, got {number}")


def share(within: Literal["(0, 1)", "(0, 1]", "[0, 1)", "[0, 1]"], /, **numbers: float) -> None:
    """Refuse what is no part of a whole; a round bracket leaves its end out.

    Raises: ValueError; TypeError for what is no number.
    """
    for name, number in _numbers(numbers):
        ends = {0.0} if within[0] == "[" else set()
        ends |= {1.0} if within[-1] == "]" else set()
        if not (0 < number < 1 or number in ends):
            raise ValueError(f"{name} is a share in {within}, got {number}; write 60 % as 0.6")


def whole(least: int, /, **numbers: int) -> None:
    """Refuse what is no whole number, or below `least`.  Raises: ValueError; TypeError for 2.0, too."""
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, Integral):
            raise TypeError(f"{name} must be a whole number, got {number!r}")
        if number < least:
            raise ValueError(f"{name} must be a whole number, {least} or more, got {number}")


def fits(**sizes: int) -> None:
    """Refuse an array too large for a machine.  sizes: of its axes, each 1 or more.  Raises: ValueError, TypeError."""
    whole(1, **sizes)
    if math.prod(int(size) for size in sizes.values()) > MOST_NUMBERS:
        asked = " x ".join(f"{name} = {size:,}" for name, size in sizes.items())
        raise ValueError(f"{asked} are more than the {MOST_NUMBERS:,} numbers that may fit into memory; ask for less")


def one_of(options: Collection[Hashable], /, **words: Hashable) -> None:
    """Refuse what is not among the options; names the nearest one.  Raises: ValueError."""
    for name, word in words.items():
        if word not in list(options):
            near = difflib.get_close_matches(str(word), map(str, options), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"{name} must be one of {', '.join(map(repr, options))}, got {word!r}{hint}")


def of_type(kind: type | tuple[type, ...], /, **things: object) -> None:
    """Refuse what is of another type.  Raises: TypeError."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    for name, thing in things.items():
        if not isinstance(thing, kinds):
            wanted = " or ".join(each.__name__ for each in kinds)
            raise TypeError(f"{name} must be {wanted}, got {type(thing).__name__}: {str(thing)[:60]}")


def callables(**things: object) -> None:
    """Refuse what cannot be called.  Raises: TypeError."""
    for name, thing in things.items():
        if not callable(thing):
            raise TypeError(f"{name} must be a function, got {type(thing).__name__}: {str(thing)[:60]}")


def array(name: str, values: ArrayLike, shape: str = "(n,)", *, least: int = 1, infinite: bool = False) -> np.ndarray:
    """Values as float64.  shape: its axes, for example "(n, 2)"; "(..., n)" for any number of them.

    infinite: whether infinity is allowed.
    Raises: ValueError: NaN, infinity, other axes, fewer than `least` in the first axis.  TypeError: no numbers.
    """
    numbers = _as_numbers(name, values)
    if not _has_axes(shape, numbers.shape) or (numbers.ndim and len(numbers) < least):
        raise ValueError(f"{name} must have shape {shape}, at least {least} of them, got {numbers.shape}")
    if np.isnan(numbers).any() or not (infinite or np.isfinite(numbers).all()):
        raise ValueError(f"{name} must hold finite numbers only, got NaN or infinity; leave missing ones out")
    return numbers


def shaped(shape: str, /, **given: Tensor) -> None:
    """Refuse what is no tensor of this shape; reads no number.  shape: its axes, as "(n, d)"; "(...)" for any.

    Raises: TypeError: no tensor.  ValueError: other axes.
    """
    from torch import Tensor

    for name, tensor in given.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name} must be a torch tensor, got {type(tensor).__name__}; use torch.as_tensor")
        if tensor.is_complex():
            raise TypeError(f"{name} must hold real numbers, got {tensor.dtype}")
        if not _has_axes(shape, tensor.shape):
            raise ValueError(f"{name} must have shape {shape}, got {tuple(tensor.shape)}")


def tensors(shape: str, /, **given: Tensor) -> None:
    """As `shaped` and `sound`.  Raises: TypeError: no tensor.  ValueError: other axes, or numbers that are none."""
    shaped(shape, **given)
    sound(**given)


def sound(**given: Tensor) -> None:
    """Refuse NaN, infinity and numbers too large to be squared and summed (`LARGEST`), where looking costs little.

    That is on a CPU, where it takes the time of one sum, and outside of `trusted`. It looks at nothing on a GPU, which
    it would make its processor wait for, nor while torch compiles or traces: there the guard of a training is the look
    at its losses by `Run.step`, and what judges or draws looks at its numbers anyway.
    Raises: ValueError.
    """
    if not looks():
        return
    for name, tensor in given.items():
        if tensor.is_cpu and tensor.is_floating_point() and not _norm(tensor) <= _largest(tensor):
            _check_ends(name, tensor)


def looks() -> bool:
    """Whether `sound` looks at numbers here: not within `trusted`, nor while torch compiles or traces."""
    return not (_compiling() or _trusted.get())


@contextmanager
def trusted() -> Iterator[None]:
    """Within it `sound` looks at nothing: for the inside of a network that has looked at what came in.

    What is NaN there comes of its weights, and the loss tells: `Run.step` names it, with the step.
    """
    if _compiling():  # where nothing looks, and a variable of the context cannot be set
        yield
        return
    before = _trusted.set(True)
    try:
        yield
    finally:
        _trusted.reset(before)


def _compiling() -> bool:
    import torch

    return torch.compiler.is_compiling() or torch.jit.is_tracing()


def as_hinted(instance: object) -> None:
    """Refuse a dataclass whose words, numbers and days are not what its hints say; nothing where that may be None.

    Raises: TypeError: another type.  ValueError: NaN or infinity.
    """
    for field, hint in get_type_hints(type(instance)).items():
        value = getattr(instance, field)
        kinds = get_args(hint) or (hint,)
        if value is None and NoneType in kinds:
            continue
        if kinds[0] is float:
            finite(**{field: value})
        elif kinds[0] is int:
            whole(0, **{field: value})
        else:
            of_type(kinds[0], **{field: value})


def finite_tensors(shape: str, /, **given: Tensor) -> None:
    """As `shaped`; refuses NaN and infinity, too, wherever the tensor lies.  Raises: as there."""
    shaped(shape, **given)
    for name, tensor in given.items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} must be finite, got NaN or infinity; did training diverge?")


def representable(function: Callable[P, R]) -> Callable[P, R]:
    """Refuse a result that no float can hold, by the arguments that led there: finite numbers in, finite numbers out.

    Decorates a function of checked arguments; where several are nested, the outermost one names its own.
    Raises: NoValueError instead of an overflow, infinity or NaN.
    """
    return _held_to(np.isfinite, "no finite value", function)


def never_nan(function: Callable[P, R]) -> Callable[P, R]:
    """As `representable`, where infinity is an answer that the docstring explains.  Raises: NoValueError."""
    return _held_to(lambda numbers: ~np.isnan(numbers), "no value", function)


def _held_to(rule: Callable[[Any], Any], lack: str, function: Callable[P, R]) -> Callable[P, R]:
    """The function, refusing a result whose numbers do not all keep the rule."""
    named = signature(function)

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with np.errstate(all="ignore"):
                result = function(*args, **kwargs)
            if all(bool(np.all(rule(numbers))) for numbers in _numbers_of(result)):
                return result
        except (ArithmeticError, np.linalg.LinAlgError):
            pass
        given = ", ".join(f"{name}={str(value)[:200]}" for name, value in named.bind(*args, **kwargs).arguments.items())
        raise NoValueError(f"{function.__name__} has {lack} for {given}; give numbers that go together")

    return checked


def _numbers(given: dict[str, float]) -> list[tuple[str, float]]:
    for name, number in given.items():
        if isinstance(number, bool) or not isinstance(number, Real):
            raise TypeError(f"{name} must be a number, got {number!r}")
        if isinstance(number, Integral) and abs(int(number)) > 10**300:
            raise ValueError(f"{name} must be a finite number, got more than a float can hold")
    return list(given.items())


def _as_numbers(name: str, values: ArrayLike) -> np.ndarray:
    try:
        numbers = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:  # ragged rows, or a tensor that is being trained
        raise TypeError(f"{name} must be numbers, got {str(values)[:60]!r}: {error}") from error
    if numbers.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be numbers, got {str(values)[:60]!r}")
    return numbers.astype(float)


def _norm(tensor: Tensor) -> float:
    """Length of a tensor as one vector, read fast; 0 for what has no numbers to read, as within torch.func.vmap."""
    from torch.linalg import vector_norm

    try:
        return float(vector_norm(tensor.detach()))
    except RuntimeError:
        return 0.0


def _largest(tensor: Tensor) -> float:
    return LARGEST.get(tensor.element_size(), LARGEST[4])


def _check_ends(name: str, tensor: Tensor) -> None:
    """Refuse what `sound` refuses, by its least and largest number.  Raises: ValueError."""
    low, high = (float(end) for end in tensor.detach().aminmax())
    if math.isnan(low):
        lost = f"{int(tensor.isnan().sum()):,} of {tensor.numel():,} numbers are NaN"
        advice = "lower the learning rate, or look at the last finite step"
        raise ValueError(f"{name} must hold no NaN: {lost}; training diverged before this call, or data did; {advice}")
    if not -(most := _largest(tensor)) <= low <= high <= most:
        found = f"{low:.3g} to {high:.3g}"
        raise ValueError(f"{name} must be finite, and at most {most:g} in size, got {found}; did training diverge?")


def _has_axes(shape: str, found: Sequence[int]) -> bool:
    """Whether sizes fit a shape like "(n, 2)": a number must be met, a letter stands for any."""
    axes = [axis.strip() for axis in shape.strip("()").split(",") if axis.strip()]
    if "..." in axes:
        return len(found) >= len(axes) - 1
    return len(found) == len(axes) and all(
        axis in (str(size), axis * (not axis.isdigit())) for axis, size in zip(axes, found, strict=True)
    )


def _numbers_of(result: Any) -> Iterator[Any]:
    """The numbers and arrays of numbers in a result."""
    if isinstance(result, float | np.floating | np.ndarray):
        yield result
    elif is_dataclass(result):
        yield from _numbers_of([getattr(result, field.name) for field in fields(result)])
    elif isinstance(result, dict):
        yield from _numbers_of(list(result.values()))
    elif isinstance(result, tuple | list):
        for each in result:
            yield from _numbers_of(each)
