"""One row a trained model: what it learned from, what it cost and what it is worth, on scales all chapters share."""

from __future__ import annotations

import html
import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from IPython.display import display

from genai_utils.data.facts import fact

MIME = "application/vnd.genai.result+json"
MACHINE_HOUR = "B-U4"  # the fact that prices an hour of machine


@dataclass(frozen=True)
class Result:
    """What a model cost and what it is worth. None where it has no such number.

    data: what it learned from.  steps: optimizer steps.  seconds: of training.  bits_per_dim: of the test images at 256
    grey levels, so that equally likely levels cost 8.  likelihood: what kind of number that is, e.g. "exact" or "lower
    bound (ELBO)".  frechet, coverage: of samples against the test images, see `metrics.samples`.
    usd_per_1000: rent of the machine for 1,000 samples, training not counted.
    """

    model: str
    data: str
    parameters: int
    steps: int
    seconds: float
    bits_per_dim: float | None
    likelihood: str
    frechet: float | None
    coverage: float | None
    usd_per_1000: float | None

    def cells(self) -> dict[str, str]:
        """The row in words, column by column."""
        return {
            "model": self.model,
            "data": self.data,
            "parameters": f"{self.parameters:,}",
            "training": f"{self.steps:,} steps, {self.seconds:,.0f} s",
            "bits per pixel": _written(self.bits_per_dim, "{:.3f} " + self.likelihood),
            "Fréchet distance": _written(self.frechet, "{:.1f}"),
            "coverage": _written(self.coverage, "{:.0%}"),
            "USD per 1,000": _written(self.usd_per_1000, "{:.2g}"),
        }

    def __str__(self) -> str:
        return "; ".join(f"{name} {text}" for name, text in self.cells().items() if text != "–")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/html": self._html(), "text/plain": str(self), MIME: asdict(self)}

    def _html(self) -> str:
        pairs = ((html.escape(name), html.escape(text)) for name, text in self.cells().items())
        head, body = zip(*((f'<th scope="col">{n}</th>', f"<td>{t}</td>") for n, t in pairs), strict=True)
        return f'<table class="genai-result"><tr>{"".join(head)}</tr><tr>{"".join(body)}</tr></table>'


def result(
    model: str,
    *,
    data: str,
    parameters: int,
    steps: int,
    seconds: float,
    bits_per_dim: float | None = None,
    likelihood: str = "",
    frechet: float | None = None,
    coverage: float | None = None,
    sampling_seconds: float | None = None,
) -> None:
    """Show a model's row and store it in the notebook, where the table of all models is collected from.

    Args: as the attributes of `Result`; sampling_seconds: machine seconds for 1,000 samples, priced as a rented GPU.
    Raises: ValueError if a number is negative or not finite, or bits_per_dim does not say what it is.
    """
    if (bits_per_dim is None) != (likelihood == ""):
        raise ValueError(f"{model}: give bits_per_dim and likelihood (what kind of number it is) together")
    price = None if sampling_seconds is None else sampling_seconds * (fact(MACHINE_HOUR).value or math.nan) / 3600
    row = Result(model, data, parameters, steps, seconds, bits_per_dim, likelihood, frechet, coverage, price)
    for field in fields(row):
        value = getattr(row, field.name)
        if isinstance(value, int | float) and not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{model}: {field.name} must be a finite number >= 0, got {value}")
    display(row)


def _written(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)
