"""Flow matching: a network learns which way every point must move, and a solver of differential equations moves it.

Time t runs from 0, noise, to 1, data: x_t = t x + (1 - t) noise, so that alpha = t and sigma = 1 - t in diffusion.py.
Many papers count the other way round.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from genai_utils.checks import between, callables, fits, looks, trusted, whole
from genai_utils.models.shapes import (
    check_alike,
    check_axes,
    check_filled,
    check_floats,
    check_format,
    check_labels,
    check_latent,
    check_one_format,
)

Field = Callable[[Tensor, float], Tensor]


# --- what a network learns --------------------------------------------------------------------------------------------


def conditional(x: Tensor, noise: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """A point on the straight line from noise to data, and the velocity along it: the target of the network.

    Args: x, noise: (n, ...).  t: (n,) in [0, 1].  Returns: x_t = t x + (1 - t) noise, and x - noise, each (n, ...).
    Source: Lipman et al. 2023, arXiv:2210.02747, section 4.1; Liu et al. 2023, arXiv:2209.03003.
        Equation (flow.conditional).
    """
    check_floats(x=x, noise=noise, t=t)
    check_alike(x=x, noise=noise)
    check_axes(x=(x, "n ..."), t=(t, "n"))
    check_one_format(x=x, t=t)
    check_filled(x=x, t=t)
    if looks():
        between(0, 1, t=float(t.min()))
        between(0, 1, t=float(t.max()))
    t = t.view(-1, *[1] * (x.ndim - 1))
    return t * x + (1 - t) * noise, x - noise


def data_of_velocity(velocity: Tensor, x_t: Tensor, t: float) -> Tensor:
    """Where the straight line from x_t along this velocity ends: the guess of the data.  t: in [0, 1]."""
    check_floats(velocity=velocity, x_t=x_t)
    check_alike(velocity=velocity, x_t=x_t)
    between(0, 1, t=t)
    return x_t + (1 - t) * velocity


def velocity_of_data(x: Tensor, x_t: Tensor, t: float) -> Tensor:
    """`data_of_velocity` solved for the velocity.  t: in [0, 0.9999]."""
    check_floats(x=x, x_t=x_t)
    check_alike(x=x, x_t=x_t)
    between(0, 0.9999, t=t)
    return (x - x_t) / (1 - t)


def score_of_velocity(velocity: Tensor, x_t: Tensor, t: float) -> Tensor:
    """Slope of the log density at x_t, from the velocity of the flow.  t: in [0, 0.9999].

    Source: Zheng et al. 2023, arXiv:2311.13443. Equation (flow.score).
    """
    check_floats(velocity=velocity, x_t=x_t)
    check_alike(velocity=velocity, x_t=x_t)
    between(0, 0.9999, t=t)
    return (t * velocity - x_t) / (1 - t)


def velocity_of_score(score: Tensor, x_t: Tensor, t: float) -> Tensor:
    """`score_of_velocity` solved for the velocity.  t: in [0.0001, 1]."""
    check_floats(score=score, x_t=x_t)
    check_alike(score=score, x_t=x_t)
    between(0.0001, 1, t=t)
    return (x_t + (1 - t) * score) / t


# --- moving along -----------------------------------------------------------------------------------------------------


def euler(field: Field, x: Tensor, times: Tensor) -> Tensor:
    """Follow a field in straight steps: one look at it a step; the error falls with the number of steps.

    Args: field: (x (n, ...), t) to velocities of the same shape.  x: where to begin.  times: (steps + 1,), from first
    to last.
    """
    for t, dt in _steps(field, x, times):
        x = x + dt * _velocity(field, x, t)
    return x


def heun(field: Field, x: Tensor, times: Tensor) -> Tensor:
    """Look, step, look again, and go by the mean of both: the error falls with the square of the number of steps.

    Args: as `euler`.  Two looks a step.
    Source: Karras et al. 2022, arXiv:2206.00364, algorithm 1.
    """
    for t, dt in _steps(field, x, times):
        first = _velocity(field, x, t)
        x = x + 0.5 * dt * (first + _velocity(field, x + dt * first, t + dt))
    return x


def _steps(field: Field, x: Tensor, times: Tensor) -> list[tuple[float, float]]:
    callables(field=field)
    check_floats(x=x, times=times)
    check_axes(times=(times, "steps"))
    if len(times) < 2:
        raise ValueError(f"times must be two or more, from the first to the last, got {len(times)}")
    between(-1e6, 1e6, **{"times": float(times.abs().max())})
    moments = times.double().tolist()
    return [(t, then - t) for t, then in zip(moments, moments[1:], strict=False)]


def _velocity(field: Field, x: Tensor, t: float) -> Tensor:
    velocity = field(x, t)
    check_alike(field=velocity, x=x)
    return velocity


# --- a network --------------------------------------------------------------------------------------------------------


class FlowBlock(nn.Module):
    """Normalise, two layers, and add what went in; time and label shift the inside.

    Input: x and told (n, width); output (n, width).
    """

    def __init__(self, width: int):
        super().__init__()
        fits(width=width, rows=width)
        self.norm = nn.LayerNorm(width)
        self.first, self.told, self.last = (nn.Linear(width, width) for _ in range(3))
        nn.init.zeros_(self.last.weight)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """(n, width), (n, width) -> (n, width)."""
        if looks():
            check_format(self, x=x, told=told)
            check_alike(x=x, told=told)
            check_axes(x=(x, f"n {self.first.in_features}"))
        hidden = nn.functional.silu(self.first(self.norm(x)) + self.told(told))
        return x + self.last(hidden)


class FlowNetwork(nn.Module):
    """The velocity at a point, a time and a label: an MLP of residual blocks, for short vectors like latent codes.

    Args: dims: entries of x.  labels: kinds of label; one more number, `labels` itself, means "not told".  width: of
    the blocks.  blocks: how many.
    """

    def __init__(self, dims: int, labels: int = 10, width: int = 256, blocks: int = 3):
        super().__init__()
        fits(dims=dims, width=width)
        fits(labels=labels + 1 if isinstance(labels, int) else labels, width=width)
        whole(1, labels=labels, blocks=blocks)
        fits(blocks=blocks, width=width, rows=width)
        self.dims, self.labels = dims, labels
        self.inward, self.outward = nn.Linear(dims, width), nn.Linear(width, dims)
        self.time = nn.Linear(2 * WAVES, width)
        self.label = nn.Embedding(labels + 1, width)
        self.blocks = nn.ModuleList(FlowBlock(width) for _ in range(blocks))

    def forward(self, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """Velocities (n, dims).  x: (n, dims).  t: (n,) in [0, 1].  labels: (n,) int64; none are told if not given."""
        check_latent(self, self.dims, x=x)
        check_axes(x=(x, "n dims"), t=(t, "n"))
        check_format(self, t=t)
        if labels is None:
            labels = torch.full((len(x),), self.labels, device=x.device)
        check_labels(labels, self.labels + 1, len(x))
        with trusted():
            told = nn.functional.silu(self.time(waves(t)) + self.label(labels))
            hidden = self.inward(x)
            for block in self.blocks:
                hidden = block(hidden, told)
            return self.outward(hidden)


WAVES = 16


def waves(t: Tensor) -> Tensor:
    """Times (n,) as sines and cosines of frequencies from half a turn to fifty: (n, 32).

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.5.
    """
    check_floats(t=t)
    check_axes(t=(t, "n"))
    angle = t.unsqueeze(1) * torch.logspace(0.5, 2.5, WAVES, dtype=t.dtype, device=t.device)
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def drop_labels(labels: Tensor, untold: int, share: float = 0.1, generator: torch.Generator | None = None) -> Tensor:
    """Replace this share of the labels by the number that means "not told", so that one network learns both fields.

    Args: labels: (n,) int64.  untold: that number.  share: in [0, 1].
    Source: Ho & Salimans 2022, arXiv:2207.12598, algorithm 1.
    """
    whole(1, untold=untold)
    check_labels(labels, untold, len(labels) if isinstance(labels, Tensor) and labels.ndim else 0)
    between(0, 1, share=share)
    dropped = torch.rand(len(labels), generator=generator, device=labels.device) < share
    return labels.masked_fill(dropped, untold)
