"""The one place where the look of a figure is defined."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

ORANGE, BLUE, GREEN, RED, PINK, SKY, OLIVE = (
    "#E69F00", "#0072B2", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#B59F00",
)  # fmt: skip
GRAY = "#777a80"
# Words need more contrast than lines: on white and on the site's dark background (#121212) these have 3.5 and more.
INKS = {ORANGE: "#b57d00", BLUE: "#0f7fc4", GREEN: "#00986f", PINK: "#bf6498", SKY: "#2f8fcb", OLIVE: "#97850a"}


def use() -> None:
    """Switch matplotlib to the course's style."""
    plt.style.use(Path(__file__).with_suffix(".mplstyle"))


def ink(fig: Figure) -> None:
    """Give coloured words of a figure the shade of their colour that can be read on white and in the dark."""
    inks = {colour.lower(): shade for colour, shade in INKS.items()}
    for text in fig.findobj(Text):
        text.set_color(inks.get(to_hex(text.get_color()), text.get_color()))
