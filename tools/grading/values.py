"""Answers of a student's code, read with suspicion: plain numbers, words, lists, and arrays of known types."""

from __future__ import annotations

import base64
import binascii
import math
from typing import Any

TYPES = {
    "bool": 1, "int8": 1, "int16": 2, "int32": 4, "int64": 8, "uint8": 1, "uint16": 2, "uint32": 4, "uint64": 8,
    "float16": 2, "float32": 4, "float64": 8,
}  # fmt: skip
MOST_BYTES = 4_000_000
DEEPEST = 8


class Wrong(AssertionError):
    """An answer that is not what was asked for; says how, in words for a student."""


def read(value: Any, depth: int = 0) -> Any:
    """What the runner's `plain` has said, as Python values.  Raises: Wrong: anything else."""
    if depth > DEEPEST:
        raise Wrong("the answer is nested too deeply")
    if value is None or type(value) in (bool, str):
        return value
    if type(value) in (int, float):
        return _number(value)
    if isinstance(value, list):
        return [read(each, depth + 1) for each in value]
    if isinstance(value, dict) and list(value) == ["map"]:
        return _mapping(value["map"], depth)
    if isinstance(value, dict) and list(value) == ["array"]:
        return _array(value["array"])
    raise Wrong("the answer has an unknown form")


def finite(value: Any) -> Any:
    """The value, if all of its numbers are finite.  Raises: Wrong."""
    parts = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    for each in parts:
        finite(each)
    if isinstance(value, float) and not math.isfinite(value):
        raise Wrong(f"the answer is {value}, and a finite number was expected")
    if hasattr(value, "dtype") and value.dtype.kind == "f" and not bool(abs(value).max(initial=0) < math.inf):
        raise Wrong("the answer holds NaN or infinity, and finite numbers were expected")
    return value


def _number(value: float) -> float:
    if isinstance(value, int) and abs(value) >= 2**63:
        raise Wrong("the answer is a whole number of more than 64 bits")
    return value


def _mapping(pairs: Any, depth: int) -> dict[Any, Any]:
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise Wrong("the answer has an unknown form")
    names = [read(name, depth + 1) for name, _ in pairs]
    if not all(isinstance(name, str | int | float) for name in names):
        raise Wrong("the names of the answer are neither words nor numbers")
    return dict(zip(names, (read(each, depth + 1) for _, each in pairs), strict=True))


def _array(said: Any) -> Any:
    """An array with the very size that its type and shape promise."""
    if not isinstance(said, dict) or sorted(said) != ["data", "dtype", "shape"]:
        raise Wrong("the answer has an unknown form")
    kind, shape, data = said["dtype"], said["shape"], said["data"]
    if not isinstance(kind, str) or kind not in TYPES:
        raise Wrong("the answer is an array of a type that is not accepted")
    if not isinstance(shape, list) or len(shape) > DEEPEST or not all(type(n) is int and 0 <= n < 2**32 for n in shape):
        raise Wrong("the answer is an array of an impossible shape")
    return _filled(kind, shape, _bytes(data, math.prod(shape) * TYPES[kind]))


def _bytes(data: Any, size: int) -> bytes:
    if size > MOST_BYTES:
        raise Wrong(f"the answer is an array of more than {MOST_BYTES:,} bytes")
    try:
        found = base64.b64decode(data, validate=True)
    except (ValueError, TypeError, binascii.Error) as error:
        raise Wrong("the answer is an array whose numbers cannot be read") from error
    if len(found) != size:
        raise Wrong("the answer is an array whose size is not that of its shape")
    return found


def _filled(kind: str, shape: list[int], data: bytes) -> Any:
    import numpy  # here: an assignment without arrays is graded without numpy

    return numpy.frombuffer(data, kind).reshape(shape)
