"""What each argument is tried with: good values and bad ones, by its type hint or by the table of special cases."""

import math
import types
import typing
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fuzz_special import BAD, GOOD, INSTANCES, LIMITS
from fuzz_targets import Argument, Target, is_holder, parameters_of
from hypothesis import reject
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from torch import Generator, Tensor

LENGTH = 12  # of good arrays: those that belong together are equally long
Strategy = st.SearchStrategy
NaN = math.nan

_floats = st.floats(0.05, 0.95) | st.floats(0.05, 0.95) | st.sampled_from([1.0, 1.5, 4.0, 100.0, 1e6])
_good_arrays = st.lists(st.floats(0.05, 0.95), min_size=LENGTH, max_size=LENGTH)
_extreme = [NaN, math.inf, -math.inf, -1.0, 0.0, 1e300, -1e300, 1e-300, 10**400, 1e9, -1e-9, 2.5]
_no_numbers = ["0.5", "", None, True, [0.5], 1j, object(), np.ones(3)]
_bad_floats = st.sampled_from(_extreme) | st.sampled_from(_extreme) | st.sampled_from(_no_numbers)
_bad_wholes = st.sampled_from([-1, 0, -(10**18), 10**18, 2.5, 2.0, NaN, math.inf, "3", None, True, [3], np.ones(3)])
_spoiled = [NaN, math.inf, -math.inf, -1.0, 0.0, 1e300, 1e-300]
_odd_shapes = [[], [0.5], [[0.5] * LENGTH] * 2, np.ones((2, 3, 4)), np.full(LENGTH, 0.5), np.zeros(LENGTH), 0.5]
_no_arrays = ["prices", None, {"a": 1}, [0.5, "x", 1.0], [[0.5], [0.5, 1.0]], 1j]
_bad_words = st.sampled_from(["", "rotry", "Nòn", 7, None, NaN, ["yes"], b"no"])


def good(target: Target, name: str) -> Strategy:
    """Values that ought to be taken."""
    argument = target.arguments[name]
    found = _special(GOOD, target, name)
    return found if found is not None else _good(argument.hint, LIMITS.get(name, 8))


def bad(target: Target, name: str) -> Strategy:
    """Values that ought to be refused, or at least to do no harm."""
    argument = target.arguments[name]
    found = _special(BAD, target, name)
    return found if found is not None else _bad(argument.hint, target, name)


def instances(cls: type) -> Strategy:
    """Objects of a class of the package."""
    return INSTANCES[cls.__name__] if cls.__name__ in INSTANCES else _constructed(cls)


def _special(table: Mapping[str, tuple[Strategy, str]], target: Target, name: str) -> Strategy | None:
    """The entry for the longest ending of "business.valuation.swings.base", at last for "business: base"."""
    room, *parts = f"{target.name}.{name}".split(".")
    keys = [".".join(parts[start:]) for start in range(len(parts) - 1)] + [f"{room}: {name}"]
    found = map(table.get, keys)
    return next((entry[0] for entry in found if entry), None)


@st.composite
def _constructed(draw: Any, cls: type) -> Any:
    maker = Target(f"{cls.__module__}.{cls.__qualname__}".removeprefix("genai_utils."), cls, parameters_of(cls))
    values = {name: draw(good(maker, name)) for name in maker.arguments}
    try:
        return cls(**values)
    except ValueError:
        reject()


@st.composite
def _spoiled_holder(draw: Any, cls: type) -> Any:
    """A named tuple with one field that is no number."""
    field = draw(st.sampled_from([name for name, each in typing.get_type_hints(cls).items() if each is float]))
    return draw(instances(cls))._replace(**{field: NaN})


@st.composite
def _spoiled_array(draw: Any) -> list[float]:
    values, place = draw(_good_arrays), draw(st.integers(0, LENGTH - 1))
    values[place] = draw(st.sampled_from(_spoiled))
    return values


@st.composite
def _good_tensors(draw: Any, shape: tuple[int, ...] = (LENGTH, 4)) -> Tensor:
    return torch.rand(shape, generator=Generator().manual_seed(draw(st.integers(0, 99)))) * 0.9 + 0.05


@st.composite
def _bad_tensors(draw: Any, target: Target, name: str) -> Any:
    whole = draw(good(target, name))
    if not isinstance(whole, Tensor):
        return None
    whole = whole if whole.ndim else whole.reshape(1)  # so that it has an axis to be spoiled
    spoils = _SPOILS if whole.is_floating_point() else [each for each in _SPOILS if each is not _one_spoiled]
    return draw(st.sampled_from(spoils))(
        whole, draw(st.sampled_from([NaN, math.inf, -math.inf, -1.0, 0.0, 3e38, 1e-38]))
    )


def _one_spoiled(x: Tensor, bad: float) -> Tensor:
    x = x.clone()
    x.view(-1)[x.numel() // 2] = torch.tensor(bad)  # of 1e300 makes an infinity
    return x


_SPOILS: list[Callable[[Tensor, float], Any]] = [
    _one_spoiled,
    _one_spoiled,
    lambda x, bad: torch.tensor(bad).expand(x.shape).clone(),
    lambda x, bad: x[:0],
    lambda x, bad: x[:1],
    lambda x, bad: x[..., :0],
    lambda x, bad: x[..., :1],
    lambda x, bad: x.flatten()[0],
    lambda x, bad: x.flatten(),
    lambda x, bad: x.unsqueeze(0),
    lambda x, bad: x.long(),
    lambda x, bad: x.bool(),
    lambda x, bad: x.half(),
    lambda x, bad: x.double(),
    lambda x, bad: x.to(torch.complex64),
    lambda x, bad: x.float().clone().requires_grad_(),
    lambda x, bad: x.numpy(),
    lambda x, bad: x.tolist(),
    lambda x, bad: None,
    lambda x, bad: "tensor",
]


def _good(hint: Any, limit: int) -> Strategy:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if hint is int:
        return st.integers(1, limit)
    if _is_array(hint):
        return _good_arrays if Sequence in map(typing.get_origin, inner) else _good_arrays.map(np.array)
    if origin in (typing.Union, types.UnionType):
        return st.one_of([_good(each, limit) for each in inner])
    return _good_generic(hint, origin, inner, limit)


def _good_generic(hint: Any, origin: Any, inner: tuple[Any, ...], limit: int) -> Strategy:
    if origin is typing.Literal:
        return st.sampled_from(inner)
    if origin is tuple:
        return st.lists(_good(inner[0], limit)).map(tuple) if ... in inner else _tuple(inner, limit)
    if origin in (Sequence, Iterable, list):
        return st.lists(_good(inner[0], limit), min_size=3, max_size=6)
    if origin in (Mapping, dict):
        return st.dictionaries(_good(inner[0], limit), _good(inner[1], limit), min_size=1, max_size=3)
    if isinstance(hint, type) and hint.__module__.startswith("genai_utils"):
        return instances(hint)
    raise LookupError(f"no strategy for {hint}: name the parameter in fuzz_special.GOOD, with a reason")


def _tuple(inner: tuple[Any, ...], limit: int) -> Strategy:
    return st.tuples(*(_good(each, limit) for each in inner))


_PLAIN: dict[Any, Strategy] = {
    float: _floats,
    bool: st.booleans(),
    str: st.sampled_from(["a", "B-U4", "the quick brown fox", "$1 <b>", "Ä"]),
    type(None): st.none(),
    object: st.none(),
    Hashable: st.text(max_size=3),
    date: st.dates(),
    Path: st.just(Path("/nonexistent/table.csv")),
    Tensor: _good_tensors(),
    Generator: st.integers(0, 99).map(lambda seed: Generator().manual_seed(seed)),
}


def _bad(hint: Any, target: Target, name: str) -> Strategy:
    inner = typing.get_args(hint)
    if _is_array(hint):
        return _spoiled_array() | st.sampled_from(_odd_shapes) | st.sampled_from(_no_arrays)
    if hint is Tensor or Tensor in inner:
        return _bad_tensors(target, name)
    for kind, strategy in ((float, _bad_floats), (int, _bad_wholes), (str, _bad_words)):
        if hint is kind or kind in inner and typing.get_origin(hint) in (typing.Union, types.UnionType):
            return strategy
    if isinstance(hint, type) and is_holder(hint) and float in typing.get_type_hints(hint).values():
        return _spoiled_holder(hint)
    if name == "self":
        return st.nothing()
    return _bad_generic(hint, typing.get_origin(hint), inner)


def _bad_generic(hint: Any, origin: Any, inner: tuple[Any, ...]) -> Strategy:
    strangers = st.sampled_from([None, 7, NaN, "word", object()])
    if hint is bool:
        return st.nothing()  # everything is true or false
    if origin in (Sequence, Iterable, list, tuple) and inner[0] is float:
        kind = tuple if origin is tuple else list
        size = 3 if origin is not tuple else len(inner)
        return strangers | _bad_floats.map(lambda bad: kind([0.5] * (size - 1) + [bad])) | st.just([])
    if origin in (Mapping, dict) and inner[1] is float:
        return strangers | _bad_floats.map(lambda bad: {"first": 0.5, "bad": bad})
    return strangers


def _is_array(hint: Any) -> bool:
    return hint in (np.ndarray, ArrayLike) or np.ndarray in typing.get_args(hint)


def holds_nan(value: Any) -> bool:
    """Whether it is the number that is none, or a tensor, an array or a row with one in it."""
    if isinstance(value, Tensor | np.ndarray):
        return bool((value != value).any())
    if type(value) in (list, tuple):  # a named tuple may hold what a method of it does not look at
        return any(map(holds_nan, value))
    return isinstance(value, float) and math.isnan(value)


def names(target: Target) -> set[str]:
    """Names of the arguments, and of the fields of the object whose method it is."""
    own = set(target.arguments)
    if "self" in own:
        own |= set(_fields(target.arguments["self"]))
    return own


def _fields(argument: Argument) -> Iterable[str]:
    return getattr(argument.hint, "__dataclass_fields__", getattr(argument.hint, "_fields", ()))
