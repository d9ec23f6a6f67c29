"""Runs a student's notebook and answers questions about it: the only file of the grader that enters the sandbox.

Questions come as lines of JSON on the standard input, answers leave as lines of JSON on the standard output; what the
student prints goes nowhere, except into a log that ends with the last cell. Nothing here is a secret, and nothing here
is trusted: whoever takes it over can only give answers, which are checked outside.
"""

from __future__ import annotations

import ast
import base64
import io
import json
import os
import resource
import sys
from collections.abc import Callable
from typing import Any

LONGEST = 20_000  # characters of the log
DEEPEST = 8
BYTES = 4_000_000  # of an array


class Log(io.TextIOBase):
    """Keeps the first characters written, forgets the others."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.room = LONGEST

    def writable(self) -> bool:
        """It takes text."""
        return True

    def write(self, text: str) -> int:
        """Keep what there is room for."""
        if self.room > 0:
            self.kept.append(str(text)[: self.room])
            self.room -= len(self.kept[-1])
        return len(text)


def plain(value: Any, depth: int = 0) -> Any:
    """A value as JSON knows it; arrays with type and shape.  Raises: TypeError: what cannot be said so."""
    if depth > DEEPEST:
        raise TypeError("nested too deeply")
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(each, depth + 1) for each in value]
    if isinstance(value, dict):
        return {"map": [[plain(name, depth + 1), plain(each, depth + 1)] for name, each in value.items()]}
    return _array(value)


def _array(value: Any) -> Any:
    """An array or tensor of any library; a number if it has no axes."""
    value = value.detach().cpu().numpy() if hasattr(value, "detach") else value
    if not hasattr(value, "dtype"):
        raise TypeError(f"neither number, text, list nor array: {type(value).__name__}")
    if not value.shape:
        return plain(value.item())
    if value.nbytes > BYTES:
        raise TypeError("too large")
    data = base64.b64encode(value.tobytes()).decode()
    return {"array": {"dtype": str(value.dtype), "shape": list(value.shape), "data": data}}


def native(value: Any) -> Any:
    """What `plain` has said, as Python values."""
    if isinstance(value, list):
        return [native(each) for each in value]
    if isinstance(value, dict) and "map" in value:
        return {native(name): native(each) for name, each in value["map"]}
    if isinstance(value, dict):
        import numpy

        array = value["array"]
        data = base64.b64decode(array["data"])
        return numpy.frombuffer(data, array["dtype"]).reshape(array["shape"]).copy()
    return value


class Notebook:
    """The names that the cells made, and what happened meanwhile."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "__main__"}

    def load(self, cells: list[str]) -> dict[str, Any]:
        """Run all cells; one that fails does not stop the next."""
        log, errors = Log(), {}
        sys.stdout = sys.stderr = log
        for number, source in enumerate(cells, start=1):
            try:
                exec(compile(_python(source), f"cell {number}", "exec"), self.names)
            except BaseException as error:  # SystemExit, too
                errors[str(number)] = f"{type(error).__name__}: {error}"[:500]
        sys.stdout = sys.stderr = Nowhere()
        return {"log": "".join(log.kept), "errors": errors}

    def call(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
        """What a function of the notebook returns."""
        function = self.named(name)
        return {"value": plain(function(*map(native, args), **{k: native(v) for k, v in kwargs.items()}))}

    def value(self, name: str) -> dict[str, Any]:
        """What a name of the notebook stands for."""
        return {"value": plain(self.named(name))}

    def named(self, name: str) -> Any:
        """Raises: NameError: the notebook has no such name."""
        if name not in self.names:
            raise NameError(name)
        return self.names[name]


class Nowhere(io.TextIOBase):
    """Forgets what is written."""

    def write(self, text: str) -> int:
        """Forget it."""
        return len(text)


def _python(source: str) -> str:
    """The cell without lines for the shell and for the notebook (!, %), where it is no Python as it is."""
    try:
        ast.parse(source)
    except SyntaxError:
        lines = source.splitlines()
        return "\n".join("pass" if line[:1] in ("!", "%") else line for line in lines)
    return source


def limit(limits: dict[str, int]) -> None:
    """Take limits that cannot be raised again; what a machine does not have is left out."""
    kinds = {"memory": "AS", "cpu": "CPU", "processes": "NPROC", "file": "FSIZE", "files": "NOFILE"}
    for kind, most in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{kinds[kind]}"), (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def answered(notebook: Notebook, question: dict[str, Any]) -> dict[str, Any]:
    """The answer to one question; an error by its name only."""
    kinds: dict[str, Callable[..., Any]] = {"call": notebook.call, "load": notebook.load, "value": notebook.value}
    try:
        if question["ask"] == "limit":
            limit(question["limits"])
            return {}
        answer = kinds[question["ask"]](*question["with"])
        return answer if json.dumps(answer) else {}  # here, so that what does not fit into memory is an error, too
    except BaseException as error:  # whatever a student's code raises is its answer, SystemExit, too
        return {"raised": [each.__name__ for each in type(error).__mro__]}


def main() -> None:
    """Answer until nobody asks any more."""
    sys.path += ["/course"]
    notebook, questions = Notebook(), os.fdopen(os.dup(0), "rb")
    answers, nothing = os.dup(1), os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    sys.modules["__main__"].__dict__.pop("__cached__", None)
    for line in questions:
        question = json.loads(line)
        reply = json.dumps({"nonce": question["nonce"]} | answered(notebook, question)) + "\n"
        data = reply.encode()
        while data:
            data = data[os.write(answers, data) :]


if __name__ == "__main__":
    main()
