"""Figures that say one thing and carry alt text: show them, draw curves, labeled bars, image grids, animations."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from typing import Any, cast

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation

from genai_utils.show import style

try:
    from torch import Tensor
except ModuleNotFoundError:  # figures of the business chapters need no torch
    Tensor = Any  # type: ignore[assignment, misc]


def figure(fig: Figure, alt: str) -> None:
    """Show a figure and store its alt text with it, then close it.

    Args: alt: the message and the key numbers, for a reader who cannot see the figure.
    Raises: ValueError if it is empty.
    """
    _require_alt(alt)
    style.ink(fig)
    data = io.BytesIO()
    fig.savefig(data, format="png", metadata={"Software": None})
    plt.close(fig)
    picture = base64.b64encode(data.getvalue()).decode()
    display({"image/png": picture, "text/plain": alt}, metadata={"image/png": {"alt": alt}}, raw=True)


def animation(frames: Sequence[np.ndarray], alt: str, milliseconds: int = 400, scale: int = 1) -> None:
    """Show pictures as a looped animation that stands still, on its last frame, for readers who ask for less motion.

    Args: frames: uint8 arrays (height, width), all of one size; scale: screen pixels a pixel.
    """
    from PIL import Image

    _require_alt(alt)
    if len({frame.shape for frame in frames}) != 1 or any(frame.dtype != np.uint8 for frame in frames):
        raise ValueError(f"an animation needs uint8 frames of one size, got {[(f.shape, f.dtype) for f in frames][:3]}")
    pictures = [Image.fromarray(frame) for frame in frames]
    moving, still = io.BytesIO(), io.BytesIO()
    loop = {"append_images": pictures[1:], "duration": milliseconds, "loop": 0}
    pictures[0].save(moving, "gif", save_all=True, optimize=True, **loop)
    pictures[-1].save(still, "png", optimize=True)
    gif, png = (base64.b64encode(data.getvalue()).decode() for data in (moving, still))
    calm = f'<source media="(prefers-reduced-motion: reduce)" srcset="data:image/png;base64,{png}">'
    size = f'width="{frames[0].shape[1] * scale}" style="image-rendering: pixelated; max-width: 100%"'
    image = f'<img src="data:image/gif;base64,{gif}" alt="{html.escape(alt)}" {size}>'
    markup = f"<picture>{calm}{image}</picture>"
    display({"text/html": markup, "text/plain": alt}, raw=True)


def curves(history: Mapping[str, Sequence[float]], title: str = "", smooth: int = 25) -> Figure:
    """Draw the curves of a run's history over its steps, each a running mean of `smooth` steps, labelled at its end."""
    fig, ax = plt.subplots()
    for name, values in history.items():
        window = min(smooth, len(values))
        mean = np.convolve(values, np.ones(window) / window, "valid")
        steps = np.arange(window, len(values) + 1)
        (line,) = ax.plot(steps, mean)
        at_end(line, name)
    ax.set(xlabel="step", ylabel="loss", title=title)
    return fig


def at_end(line: Line2D, text: str, lift: float = 0.0) -> Annotation:
    """Write the name of a line after its last point, in its color.  lift: how much higher, in points of type."""
    x, y = np.asarray(line.get_xydata())[-1]
    return _behind(cast(Axes, line.axes), text, (x, y), line.get_color(), lift)


def bars(
    values: Mapping[str, float],
    form: str = ".2f",
    color: str | Sequence[str] = style.BLUE,
    spread: Sequence[float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a horizontal bar for each value, first on top, with the number behind it in the color of the bar.

    Args: form: of the numbers, as `format` takes it.  color: of all bars, or of each.  spread: half lengths of error
        bars.  ax: where to draw; default: a new figure.
    """
    ax = ax or plt.subplots(figsize=(7.2, 0.8 + 0.4 * len(values)))[1]
    drawn = ax.barh(list(values), list(values.values()), color=color, xerr=spread, ecolor=style.GRAY)
    reach = spread if spread is not None else [0.0] * len(values)
    for bar, value, error in zip(drawn, values.values(), reach, strict=True):
        end = value + error, bar.get_y() + bar.get_height() / 2
        _behind(ax, f"{value:{form}}", end, bar.get_facecolor())
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    return ax


def tile(images: Tensor, columns: int = 10, gap: int = 2) -> np.ndarray:
    """Lay out images (n, 1, h, w) in [-1, 1] as one uint8 picture, row by row.  Raises: ValueError."""
    if images.dim() != 4 or images.shape[1] != 1 or not len(images):
        raise ValueError(f"images must have shape (n, 1, height, width) with n >= 1, got {tuple(images.shape)}")
    pixels = ((images[:, 0].detach().float().cpu().clamp(-1, 1) + 1) * 127.5).round().byte().numpy()
    n, h, w = pixels.shape
    rows = -(-n // columns)
    page = np.full((rows * (h + gap) - gap, columns * (w + gap) - gap), 119, np.uint8)
    for i, image in enumerate(pixels):
        top, left = (i // columns) * (h + gap), (i % columns) * (w + gap)
        page[top : top + h, left : left + w] = image
    return page


def grid(images: Tensor, columns: int = 10, title: str = "", width: float = 6.4) -> Figure:
    """Draw images (n, 1, h, w) in [-1, 1] as a grid, light on dark as they are."""
    page = tile(images, columns)
    fig, ax = plt.subplots(figsize=(width, width * page.shape[0] / page.shape[1] + 0.4 * bool(title)))
    ax.imshow(page, vmin=0, vmax=255)
    ax.set_title(title)
    ax.axis("off")
    return fig


def rows(groups: Mapping[str, Tensor], title: str = "", width: float = 7.2) -> Figure:
    """Draw one labelled row of images a group, to compare them; each group (n, 1, h, w) in [-1, 1], the same n."""
    fig, axes = plt.subplots(len(groups), 1, squeeze=False)
    pages = [tile(images, len(images)) for images in groups.values()]
    fig.set_size_inches(width, sum((width - 1.6) * p.shape[0] / p.shape[1] + 0.08 for p in pages) + 0.4 * bool(title))
    for ax, page, name in zip(axes[:, 0], pages, groups, strict=True):
        ax.imshow(page, vmin=0, vmax=255)
        ax.set_axis_off()
        ax.text(-0.01, 0.5, name, transform=ax.transAxes, ha="right", va="center", color=style.GRAY)
    fig.suptitle(title, x=0.02, ha="left", fontweight="bold", fontsize=12.5, color=style.GRAY)
    return fig


def _behind(ax: Axes, text: str, at: tuple[float, float], color: Any, lift: float = 0.0) -> Annotation:
    """Write words right of a point, in bold and in the color of what they name."""
    offset = (5, lift)
    return ax.annotate(text, at, offset, textcoords="offset points", color=color, fontweight="bold", va="center")


def _require_alt(alt: str) -> None:
    if not alt.strip():
        raise ValueError("a figure needs alt text: its message and key numbers in one or two sentences")
