r"""Read a printed formula and compute it: LaTeX in, numbers out.

`statements(text)` parts a display into statements and these into sides; `read` makes of a side a function of the values
of its symbols:

    >>> ((left, right),) = statements(r"c = \frac{10^6\, r}{3600\, v\, \eta}")
    >>> read(right)({"r": 2.0, "v": 50.0, "eta": 0.5})
    22.22...

A symbol is named as it is read: `\hat\mu` is hat_mu, `p_{\text{before}}` p_before, `t^\star` t_star, `h'` h_prime. An
index counts from 1, takes an element of an array (or calls a function of the index), and runs in sums over what the
symbol's bounds say or else over 1 .. `over[index]`. A name with a function as its value is called. Products of arrays
are matrix products; `\odot` multiplies by element.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from keyword import iskeyword
from typing import Any

import numpy as np
from scipy import linalg

Values = dict[str, Any]  # of symbols; under "over": of how many values an index takes
Side = Callable[[Values], Any]
Raise = Callable[[Any, Values], Any]

TOKEN = re.compile(r"\\[a-zA-Z]+|\\[{}|]|\d+(?:\.\d+)?|[^\s\\]")
SPACE = re.compile(r"(?<!\\)\\[,;:! ]|\\(?:left|right|[bB]ig[lr]?|limits)(?![a-zA-Z])|\.(?=\s*$)")
CONTINUED = re.compile(r"\\\\\s*&\s*(?:\\quad)?\s*(?=[-+=]|\\times|\\cdot)")  # a line that goes on with the one before
HELD = r"(?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})*"  # balanced braces, three deep
UNDERBRACE = re.compile(rf"\\underbrace\s*\{{(?P<kept>{HELD})\}}\s*_\s*\{{{HELD}\}}")
NAMED = {r"\mathrm", r"\text", r"\operatorname", r"\mathcal", r"\mathbb", r"\mathbf"}
ACCENTS = {r"\hat", r"\bar", r"\tilde", r"\dot"}
FRACTIONS = {r"\frac", r"\tfrac", r"\dfrac"}
RELATIONS = {"=", r"\ge", r"\le", r"\approx", "<", ">", r"\ne", r"\to"}
OPENING = {
    "(": ")",
    "[": "]",
    r"\{": r"\}",
    r"\lfloor": r"\rfloor",
    r"\lceil": r"\rceil",
    "|": "|",
    r"\lVert": r"\rVert",
}
ENDS = {*OPENING.values(), "}", "+", "-", r"\pm", ",", ";", r"\mid", "&", *RELATIONS} - {"|"}
COMPARE = {
    "=": np.equal, "<": np.less, ">": np.greater, r"\le": np.less_equal, r"\ge": np.greater_equal, r"\ne": np.not_equal
}  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "ln": np.log, "log": np.log, "exp": np.exp, "tanh": np.tanh, "sign": np.sign, "max": max, "min": min,
    "tr": np.trace, "det": linalg.det, "sd": np.std,
}  # fmt: skip
BRACKETS = {"|": np.abs, r"\lfloor": np.floor, r"\lceil": np.ceil, r"\lVert": np.linalg.norm}
CONSTANTS = {"pi": math.pi, "e": math.e, "infty": math.inf}


class Unreadable(ValueError):
    """A notation that is not known here."""


def read(side: str) -> Side:
    """What computes a side.  Raises: Unreadable."""
    return Parser(side).whole()


def statements(text: str) -> list[list[str]]:
    r"""The statements of a display, parted at line ends, \qquad and \quad; each as the sides of its equations."""
    text = CONTINUED.sub(" ", re.sub(r"\\(?:begin|end)\{aligned\}|\\tag\{[^}]*\}", " ", text)).replace("&", " ")
    while found := UNDERBRACE.search(text):
        text = text.replace(found[0], f"{{{found['kept']}}}")
    parts = _parted(SPACE.sub(" ", text), {r"\qquad", r"\quad", r"\\"})
    return [[side for side in _parted(part, {"=", r"\approx"}) if side.strip()] for part in parts if part.strip(" ,;")]


def _parted(text: str, at: set[str]) -> list[str]:
    """Cut a text at these marks where no bracket is open."""
    parts, depth = [""], 0
    for piece in re.findall(r"\\\\|\\[a-zA-Z]+|\\.|.|\n", text):
        depth += (piece in ("{", "(", "[", r"\begin")) - (piece in ("}", ")", "]", r"\end"))
        if piece in at and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


@dataclass
class Parser:
    """Recursive descent over the tokens of one side; every method returns what computes its part."""

    text: str
    tokens: list[str] = field(init=False)
    bars: int = 0  # of an absolute value, opened and not yet closed

    def __post_init__(self) -> None:
        self.tokens = TOKEN.findall(SPACE.sub(" ", self.text).strip(" ,;"))

    # --- reading ---

    @property
    def next(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self, wanted: str | None = None) -> str:
        if not self.tokens or (wanted is not None and self.tokens[0] != wanted):
            raise Unreadable(f"expected {wanted or 'more'} before {' '.join(self.tokens[:8])!r} in {self.text!r}")
        return self.tokens.pop(0)

    def group(self) -> list[str]:
        """The tokens of an argument: what braces hold, or one token, of a number one digit."""
        if self.next != "{":
            token = self.take()
            if token.isdigit() and len(token) > 1:
                self.tokens.insert(0, token[1:])
                return [token[0]]
            return [token, *self.group()] if token in NAMED | ACCENTS else [token]
        self.take("{")
        held, depth = [], 1
        while depth:
            held.append(self.take())
            depth += (held[-1] == "{") - (held[-1] == "}")
        return held[:-1]

    def argument(self) -> Side:
        inner = Parser("")
        inner.text, inner.tokens = self.text, self.group()
        return inner.whole()

    def whole(self) -> Side:
        """All that is left, as one expression."""
        value = self.sum()
        if self.tokens:
            raise Unreadable(f"cannot read {' '.join(self.tokens[:8])!r} in {self.text!r}")
        return value

    # --- the grammar ---

    def comparison(self) -> Side:
        """Terms with relations between them: true where all hold; one term alone is its value."""
        terms, marks = [self.sum()], []
        while self.next in COMPARE:
            marks.append(self.take())
            terms.append(self.sum())
        if not marks:
            return terms[0]
        return lambda v: float(all(COMPARE[m](a(v), b(v)) for m, a, b in zip(marks, terms, terms[1:], strict=False)))

    def sum(self) -> Side:
        value = self.signed()
        while self.next in ("+", "-", r"\pm"):
            value = _plus(value, self.signed())
        return value

    def signed(self) -> Side:
        sign = self.take() if self.next in ("+", "-", r"\pm") else "+"
        value = self.product()
        return {"+": value, "-": lambda v: -value(v), r"\pm": lambda v: v["pm"] * value(v)}[sign]

    def product(self) -> Side:
        value = self.power()
        while self.next and self.next not in ENDS and not (self.next == "|" and self.bars):
            mark = self.take() if self.next in ("/", r"\cdot", r"\times", r"\odot") else ""
            value = _times(value, self.power(), mark)
        return value

    def power(self) -> Side:
        value = self.atom()
        while self.next == "^":
            value = _raised(value, self.exponent())
        return value

    def exponent(self) -> Raise:
        r"""What ^ does to a value: a power, or \top."""
        self.take("^")
        if self.next == r"\top":
            self.take()
            return lambda base, v: np.transpose(base)
        exponent = self.argument()
        return lambda base, v: _power(base, exponent(v))

    def atom(self) -> Side:
        token = self.next
        if re.fullmatch(r"\d+(\.\d+)?", token):
            number = float(self.take())
            return lambda v: number
        if token in FRACTIONS:
            self.take()
            top, bottom = self.argument(), self.argument()
            return lambda v: top(v) / bottom(v)
        if token == r"\sqrt":
            self.take()
            inner = self.argument()
            return lambda v: np.sqrt(inner(v))
        if token in (r"\sum", r"\prod"):
            return self.reduction()
        if token == "{":
            return self.argument()
        return self.bracket() if token in OPENING else self.symbol()

    def bracket(self) -> Side:
        """What brackets hold: a value, the truth of a comparison as 0 or 1, or several values as an array."""
        mark = self.take()
        self.bars += mark == "|"
        inner = [self.comparison()]
        while self.next == ",":
            self.take()
            inner.append(self.comparison())
        self.bars -= mark == "|"
        self.take(OPENING[mark])
        if len(inner) > 1:
            return lambda v: np.array([each(v) for each in inner])
        return lambda v: BRACKETS.get(mark, _same)(inner[0](v))

    def reduction(self) -> Side:
        r"""\sum or \prod with what stands below and above it, over the product that follows."""
        total = np.sum if self.take() == r"\sum" else np.prod
        below, above = self.limits()
        body = self.product()
        index, first, holds = _bounds(below)

        def reduced(v: Values) -> Any:
            names = index or list(v["over"])
            start, end = int(first(v)) if first else 1, int(above(v)) if above else None
            ranges = [range(start, (v["over"][name] if end is None else end) + 1) for name in names]
            inner = ({**v, **dict(zip(names, places, strict=True))} for places in product(*ranges))
            return total([body(bound) for bound in inner if all(each(bound) for each in holds)], axis=0)

        return reduced

    def limits(self) -> tuple[list[str], Side | None]:
        below: list[str] = []
        above = None
        while self.next in ("_", "^"):
            if self.take() == "_":
                below = self.group()
            else:
                above = self.argument()
        return below, above

    def symbol(self) -> Side:
        name, below, is_word = self.named()
        if name in FUNCTIONS and is_word:
            return self.function(name, below)
        value = _lookup(name, _full(name, below), _places(below))
        return self.applied(value) if self.next in ("(", "[") else value

    def applied(self, head: Side) -> Side:
        """A symbol before brackets: a function is called, a number multiplies; a power belongs to call or brackets"""
        given = self.arguments()
        power = self.exponent() if self.next == "^" else lambda base, v: base

        def value(v: Values) -> Any:
            first, inner = head(v), [each(v) for each in given]
            return power(first(*inner), v) if callable(first) else _multiplied(first, power(inner[0], v))

        return value

    def named(self) -> tuple[str, list[str], bool]:
        """A symbol's name with its primes and stars, what stands below it, and whether it is a word."""
        name, is_word = self.name()
        below: list[str] = []
        while self.next in ("_", "'") or self.tokens[:2] in (["^", r"\star"], ["^", "*"]):
            mark = self.take()
            below = self.group() if mark == "_" else below
            name += {"'": "_prime", "^": "_star"}.get(mark, "")
            self.tokens = self.tokens[mark == "^" :]
        return name, below, is_word

    def name(self) -> tuple[str, bool]:
        """The name of a symbol and whether it is one of a function."""
        token = self.take()
        if token in ACCENTS:
            return f"{token[1:]}_{readable(self.group())}", False
        if token in NAMED:
            return readable(self.group()), True
        if token.startswith("\\") and not token[1:].isalpha() or not token[-1].isalpha():
            raise Unreadable(f"cannot read {token!r} in {self.text!r}")
        return readable([token]), token.startswith("\\")

    def function(self, name: str, below: list[str]) -> Side:
        """A known function of a bracket, or of the product that follows."""
        base = float(readable(below)) if name == "log" and below else None
        given = self.arguments() if self.next in ("(", "[", r"\{") else [self.product()]
        if base:
            return lambda v: np.log(given[0](v)) / math.log(base)
        return lambda v: FUNCTIONS[name](*[each(v) for each in given])

    def arguments(self) -> list[Side]:
        """What stands in brackets, parted by commas, semicolons or bars."""
        closing = OPENING[self.take()]
        given = [self.comparison()]
        while self.next in (",", ";", r"\mid"):
            self.take()
            given.append(self.comparison())
        self.take(closing)
        return given


def name_of(side: str) -> str:
    """The name under which a side that is one symbol is looked up."""
    name, below, _ = Parser(side).named()
    return _full(name, below)


def _full(name: str, below: list[str]) -> str:
    return f"{name}_{readable(below)}" if below else name


def readable(tokens: list[str]) -> str:
    """A name from tokens: letters and digits, without marks."""
    text = "".join(" " + token if token.startswith("\\") else token for token in tokens)
    text = re.sub(r"\\(?:text|mathrm|operatorname|mathcal|mathbb|mathbf)\b", "", text)
    text = text.replace(r"\star", "_star").replace("'", "_prime").replace("\\", "")
    name = re.sub(r"[\W_]+", "_", text.strip(" {}()")).strip("_")
    return name + "_" * iskeyword(name)


def _bounds(below: list[str]) -> tuple[list[str], Side | None, list[Side]]:
    """Below a sum: the indices, where the first begins, and the conditions that the others obey."""
    if not below:
        return [], None, []
    if below[1:2] == ["="]:
        return [below[0].lstrip("\\")], Parser(" ".join(below[2:])).whole(), []
    if len(below) == 1:
        return [below[0]], None, []
    condition = Parser(" ".join(below)).comparison()
    bound = [below[0], *([below[2]] if below[1] == r"\ne" else [])]
    return bound, None, [condition]


def _places(below: list[str]) -> list[Side]:
    """The indices of a subscript: parted by commas, or letter by letter; none if it cannot be one."""
    parts = [part.split() for part in " ".join(below).split(" , ")] if "," in below else [below]
    letters = len(parts) == 1 and len(below) > 1 and all(re.fullmatch("[a-z]", token) for token in below)
    try:
        return [Parser(" ".join(part)).whole() for part in ([[token] for token in below] if letters else parts) if part]
    except Unreadable:
        return []


def _lookup(name: str, full: str, places: list[Side]) -> Side:
    """The value of a symbol; if it is indexed, its element, or what a function of the index says."""

    def found(v: Values) -> Any:
        known = {**CONSTANTS, **v}
        if full in known:
            return known[full]
        if name not in known:
            raise Unreadable(f"no value for {full}")
        where, value = [place(v) for place in places], known[name]
        if callable(value):
            return value(*where)
        if where and min(where) < 1:
            raise Unreadable(f"{full} has the index {min(where)}; elements count from 1")
        return np.asarray(value)[tuple(int(i) - 1 for i in where)]

    return found


def _same(value: Any) -> Any:
    return value


def _plus(left: Side, right: Side) -> Side:
    return lambda v: left(v) + right(v)


def _times(left: Side, right: Side, mark: str) -> Side:
    if mark == "/":
        return lambda v: left(v) / right(v)
    if mark == r"\odot":
        return lambda v: np.multiply(left(v), right(v))
    return lambda v: _multiplied(left(v), right(v))


def _multiplied(a: Any, b: Any) -> Any:
    return a @ b if np.ndim(a) and np.ndim(b) else a * b


def _raised(base: Side, power: Raise) -> Side:
    return lambda v: power(base(v), v)


def _power(base: Any, exponent: Any) -> Any:
    if np.ndim(base) != 2:
        return base**exponent
    return np.linalg.inv(base) if exponent == -1 else linalg.fractional_matrix_power(base, exponent)
