"""The cross-hair of the latent map goes where the hand drags it, and the page says what lies there."""

import re

import pytest
from browsing import mount

from genai_utils.show.explorers import LatentMap

pytestmark = pytest.mark.xdist_group("map")


@pytest.fixture(scope="module")
def widget():
    return LatentMap(examples=5)


@pytest.fixture
def tab(widget, chromium):
    tab = mount(chromium, widget)
    yield tab
    tab.close()


def place(tab):
    """The two numbers that the page names."""
    words = tab.locator("output").inner_text().replace("−", "-")
    return [float(number) for number in re.search(r"\((\S+), (\S+)\)", words).groups()]


def drag(tab, *spots):
    """Press the mouse on the first spot, move over the others, let go; in shares of the frame from its left top."""
    box = tab.locator("svg rect").bounding_box()
    for turn, (x, y) in enumerate(spots):
        tab.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if turn == 0:
            tab.mouse.down()
    tab.mouse.up()


def test_the_cross_hair_follows_the_mouse_while_its_button_is_down(tab, widget):
    drag(tab, (0.5, 0.5), (0.75, 0.25))
    assert place(tab) == pytest.approx([widget.reach / 2, widget.reach / 2], abs=0.05)
    tab.locator("svg rect").hover(position={"x": 9, "y": 9}, force=True)
    assert place(tab) == pytest.approx([widget.reach / 2, widget.reach / 2], abs=0.05)
    assert tab.locator("svg").evaluate("node => getComputedStyle(node).touchAction") == "none"  # a finger drags as well


def test_the_cross_hair_stays_on_the_map(tab, widget):
    drag(tab, (0.9, 0.9), (1.03, 1.05))
    assert place(tab) == [widget.reach, -widget.reach]


def test_the_page_names_the_class_that_lies_there_and_its_costs(tab, widget):
    row = 17  # any letter well inside the frame
    x, y = widget.codes[1][row]
    drag(tab, (0.5 + x / widget.reach / 2, 0.5 - y / widget.reach / 2))
    words = tab.locator("output").inner_text()
    assert widget.names[widget.labels[row]] in words
    rate, distortion = widget.costs[1][-1]
    assert f"{rate:.1f} nats" in words and f"{distortion:.1f} nats" in words


def test_a_class_that_is_not_shown_fades(tab, widget):
    tab.get_by_label("classes shown").select_option(label="B: Bag")
    faint = tab.locator(".genai-map-faint").all_inner_texts()
    assert "B" not in faint and len(faint) == len(widget.labels) - widget.labels.count(8)
