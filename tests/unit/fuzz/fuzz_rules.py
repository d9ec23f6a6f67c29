"""The rules: an argument is either used or refused by its name, in time, and nothing comes out that is no number."""

import inspect
import math
import re
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import _GeneratorContextManager
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import Any

import numpy as np
from fuzz_arguments import bad, good, holds_nan, names
from fuzz_special import ALIASES, DOCUMENTED, HOLDERS
from fuzz_targets import Target
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from torch import Tensor

REFUSALS = (ValueError, TypeError, OSError)
HINTS = (UserWarning,)  # as good as a refusal, if it names the argument
SECONDS = 1.0


def fuzz(target: Target, examples: int, **options: Any) -> Counter[str]:
    """Try a target with so many pairs of calls: a good one, and the same with one argument spoiled.

    Returns: how many calls returned, and how many were refused by which exception.
    Raises: AssertionError with the call that breaks a rule.
    """
    tally: Counter[str] = Counter()
    plain = {"suppress_health_check": list(HealthCheck), "phases": [Phase.generate], "report_multiple_bugs": False}
    settings(max_examples=examples, **plain, **options)(given(st.data())(lambda data: _pair(target, data, tally)))()
    return tally


def _pair(target: Target, data: st.DataObject, tally: Counter[str]) -> None:
    values = {name: data.draw(good(target, name), label=name) for name in _chosen(target, data)}
    worked = _judged(target, values, names(target), tally)
    spoilable = [name for name in target.arguments if not bad(target, name).is_empty]
    if worked and spoilable:
        name = data.draw(st.sampled_from(spoilable), label="spoiled")
        values[name] = data.draw(bad(target, name), label=f"bad {name}")
        named = names(target) if name == "self" else {name}
        if _judged(target, values, named, tally) and holds_nan(values[name]) and not _holds(target):
            raise AssertionError(f"{called(target, values)} takes NaN for {name} in silence")


def refuses_nan(target: Target, name: str, data: st.DataObject) -> bool:
    """Whether a good call is refused once one number of this argument is NaN; so is what is no tensor of floats."""
    values = {each: data.draw(good(target, each), label=each) for each in target.arguments}
    whole = values[name]
    if not isinstance(whole, Tensor) or not whole.is_floating_point():
        return True
    values[name] = whole.detach().clone()
    values[name].view(-1)[whole.numel() // 2] = math.nan
    return not _judged(target, values, {name}, Counter())


def _chosen(target: Target, data: st.DataObject) -> list[str]:
    """Arguments that are given: all but some of the optional ones."""
    flags = {name: data.draw(st.booleans()) for name, each in target.arguments.items() if each.optional}
    return [name for name in target.arguments if flags.get(name, True)]


def _judged(target: Target, values: dict[str, Any], named: set[str], tally: Counter[str]) -> bool:
    """Call once and hold the rules against what happens.  Returns: whether it returned."""
    begun = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            result = _invoke(target, values)
    except (*REFUSALS, *HINTS) as error:
        assert names_one(str(error), named), f"{called(target, values)} does not name {named}: {error!r}"
        tally[_kind(error)] += 1
        return False
    except Exception as error:
        raise AssertionError(f"{called(target, values)} raised {error!r}") from error
    took = time.process_time() - begun
    assert took < SECONDS or not tally, f"{called(target, values)} took {took:.1f} s"  # the first call may load things
    if not _holds(target):
        explained, _ = DOCUMENTED.get(target.name, ("", "why"))
        wrong = [each for each in _numbers(result) if not math.isfinite(each) and str(each) not in explained.split()]
        assert not wrong, f"{called(target, values)} returned {result}"
    tally["returned"] += 1
    return True


def _holds(target: Target) -> bool:
    return target.holds or target.name in HOLDERS


def _kind(error: Exception) -> str:
    return next(kind.__name__ for kind in (*REFUSALS, *HINTS) if isinstance(error, kind))


def _invoke(target: Target, values: dict[str, Any]) -> Any:
    """Call with the values; if it takes a row of further ones, those before it go by position."""
    kinds = {name: target.arguments[name].kind for name in target.arguments if name in values}
    by_place = {inspect.Parameter.POSITIONAL_ONLY}
    if inspect.Parameter.VAR_POSITIONAL in kinds.values():
        by_place |= {inspect.Parameter.POSITIONAL_OR_KEYWORD}
    first = [values[name] for name, kind in kinds.items() if kind in by_place or name == "self"]
    more = [values[name] for name, kind in kinds.items() if kind is inspect.Parameter.VAR_POSITIONAL]
    rest = {name: values[name] for name, kind in kinds.items() if kind not in by_place and name != "self"}
    rest = {n: v for n, v in rest.items() if kinds[n] is not inspect.Parameter.VAR_POSITIONAL}
    by_name = [name for name in rest if kinds[name] is inspect.Parameter.VAR_KEYWORD]
    rest |= {key: value for name in by_name for key, value in rest.pop(name).items()}
    result = target.call(*first, *more, **rest)
    if isinstance(result, _GeneratorContextManager):
        with result:
            return None
    return list(islice(result, 3)) if isinstance(result, Iterator) else result


def names_one(message: str, named: Iterable[str]) -> bool:
    """Whether a message names one of these arguments, or says the word that stands for it.

    A single letter must stand where a name stands: "a must be", "a=3", "a and b", not "a firm".
    """
    for name in named:
        for word in (name, name.replace("_", " "), *ALIASES.get(name, ())):
            ending = r"(?: must| has | and | =|=)" if len(word) == 1 else r"(?!\w)"
            if re.search(rf"(?<!\w){re.escape(word)}{ending}", message):
                return True
    return False


def called(target: Target, values: dict[str, Any]) -> str:
    """The call as one would type it, shortened."""
    return f"{target}({', '.join(f'{name}={str(value)[:200]!r}' for name, value in values.items())})"


def _numbers(result: Any) -> Iterator[float]:
    """All numbers in a result."""
    if isinstance(result, float | np.floating):
        yield float(result)
    elif isinstance(result, Tensor | np.ndarray):
        x = result.detach().cpu().numpy() if isinstance(result, Tensor) else result
        yield from x[~np.isfinite(x)].tolist() if x.dtype.kind in "fc" else ()
    elif is_dataclass(result) and not isinstance(result, type):
        yield from _numbers([getattr(result, field.name) for field in fields(result)])
    elif isinstance(result, dict):
        yield from _numbers(list(result.values()))
    elif isinstance(result, tuple | list):
        for each in result:
            yield from _numbers(each)
