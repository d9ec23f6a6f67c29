"""Everything that a room of the package offers to call: functions, constructors, and methods and properties of what
these construct. Found by looking, so that what is new is tried without being listed anywhere.
"""

import inspect
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from torch import Tensor, nn


@dataclass(frozen=True)
class Argument:
    """One parameter: what its hint says, whether it may be left out, and how it is passed."""

    hint: Any
    optional: bool
    kind: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD


@dataclass(frozen=True)
class Target:
    """Something to call.  name: "business.valuation.Company.value".  holds: a constructor that keeps what it gets."""

    name: str
    call: Callable[..., Any]
    arguments: dict[str, Argument]
    holds: bool = False

    def __str__(self) -> str:
        return self.name


def targets(room: str) -> list[Target]:
    """All targets of genai_utils.room."""
    return [target for module in _modules(room) for thing in _public(module) for target in _of(thing)]


def parameters_of(cls: type) -> dict[str, Argument]:
    """What a constructor asks for."""
    if cls.__init__ is nn.Module.__init__:  # which takes anything, to hand it to nobody
        return {}
    hints = typing.get_type_hints(cls if _has_fields(cls) else cls.__init__)
    return _arguments(inspect.signature(cls), hints)


def is_holder(cls: type) -> bool:
    """Whether it is a named tuple, which cannot look at what it is given."""
    return issubclass(cls, tuple) and hasattr(cls, "_fields")


def _modules(room: str) -> Iterator[ModuleType]:
    package = import_module(f"genai_utils.{room}")
    if not hasattr(package, "__path__"):
        return iter([package])
    return (import_module(f"{package.__name__}.{each.name}") for each in iter_modules(package.__path__))


def _public(module: ModuleType) -> Iterator[Any]:
    for name, thing in vars(module).items():
        own = getattr(thing, "__module__", None) == module.__name__
        if own and name[0] != "_" and (inspect.isclass(thing) or inspect.isfunction(inspect.unwrap(thing))):
            yield thing


def _of(thing: Any) -> Iterator[Target]:
    name = f"{thing.__module__}.{thing.__qualname__}".removeprefix("genai_utils.")
    if not inspect.isclass(thing):
        yield Target(name, thing, _arguments(inspect.signature(thing), typing.get_type_hints(thing)))
        return
    if _constructs(thing):
        yield Target(name, thing, parameters_of(thing), holds=is_holder(thing))
    for each, member in vars(thing).items():
        if each[0] != "_" and (found := _member(thing, member)):
            yield Target(f"{name}.{each}", *found)


def _member(cls: type, member: Any) -> tuple[Callable[..., Any], dict[str, Argument]] | None:
    itself = {"self": Argument(cls, False, inspect.Parameter.POSITIONAL_ONLY)}
    if isinstance(member, property):
        return member.fget, itself
    if isinstance(member, classmethod):
        made = member.__get__(None, cls)
        return made, _arguments(inspect.signature(made), typing.get_type_hints(member.__func__))
    if inspect.isfunction(inspect.unwrap(member)) and not isinstance(member, staticmethod):
        hinted = _arguments(inspect.signature(member), typing.get_type_hints(member))
        return _bound(cls, member), hinted | itself
    return None


def _bound(cls: type, member: Callable[..., Any]) -> Callable[..., Any]:
    """A method as people call it: a network's forward through the network."""
    return nn.Module.__call__ if issubclass(cls, nn.Module) and member.__name__ == "forward" else member


def _arguments(signature: inspect.Signature, hints: dict[str, Any]) -> dict[str, Argument]:
    return {
        each.name: Argument(hints.get(each.name, Any), each.default is not each.empty, each.kind)
        for each in signature.parameters.values()
    }


def _has_fields(cls: type) -> bool:
    return hasattr(cls, "__dataclass_fields__") or is_holder(cls)


def takes_tensor(argument: Argument) -> bool:
    """Whether a tensor may be given for it."""
    return Tensor in (argument.hint, *typing.get_args(argument.hint))


def uncallable(call: Callable[..., Any]) -> str:
    """Why nobody can call this, if so: what a class leaves to its children is called in these."""
    if inspect.isabstract(call):
        return "an abstract class: nothing is of it alone"
    return "an abstract method: without a body" if getattr(call, "__isabstractmethod__", False) else ""


def _constructs(cls: type) -> bool:
    return _has_fields(cls) or cls.__init__ is not object.__init__ and not issubclass(cls, tuple | Exception)
