"""A measured number with its spread: what every metric of the course returns."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from genai_utils import checks

BOOTSTRAP = "standard deviation over bootstrap resamples of the samples"
SUBSETS = "standard deviation over random subsets"
STANDARD_ERROR = "standard error over samples"


@dataclass(frozen=True)
class Estimate:
    """A measured number. spread: how far it is expected to move with other samples, in the sense that ``meaning``
    says.  n: number of samples it is measured on.
    """

    value: float
    spread: float
    n: int
    meaning: str

    def __float__(self) -> float:
        """The value alone."""
        return self.value

    def __str__(self) -> str:
        return f"{self.value:.3g} ± {self.spread:.2g}"

    def __format__(self, spec: str) -> str:
        """`{estimate:.2f}` is the value, `{estimate:±.2f}` value and spread in that form, `{estimate}` as `str`."""
        if not spec:
            return str(self)
        if spec.startswith("±"):
            return f"{self.value:{spec[1:]}} ± {self.spread:{spec[1:]}}"
        return format(self.value, spec)


@checks.representable
def mean_of(values: Tensor) -> Estimate:
    """Mean of values (n,) with its standard error.  Raises: ValueError: none, NaN, infinity.  TypeError: no tensor."""
    checks.finite_tensors("(n,)", values=values)
    if not len(values):
        raise ValueError("values must hold at least one number to have a mean")
    values = values.detach()
    sd = values.double().std(correction=0)
    return Estimate(float(values.double().mean()), float(sd / len(values) ** 0.5), len(values), STANDARD_ERROR)
