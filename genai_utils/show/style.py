"""The one place where the look of a figure is defined."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt

ORANGE, BLUE, GREEN, RED, PINK, SKY, OLIVE = (
    "#E69F00", "#0072B2", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#B59F00",
)  # fmt: skip
GREY = "#777a80"


def use() -> None:
    """Switch matplotlib to the course's style."""
    plt.style.use(Path(__file__).with_suffix(".mplstyle"))
