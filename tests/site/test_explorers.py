"""Explorers answer to the keyboard, in words and in the picture, and fast enough to follow a hand."""

import pytest
from browsing import EXPLORER, HTML, LANDING, NOTEBOOKS, open_page, press_every_control

pytestmark = pytest.mark.xdist_group("explorers")
# Milliseconds from an input event to the new layout: median of 100 events, by turns on all sliders.
REDRAW = """(place) => {
  const sliders = [...place.querySelectorAll('input[type=range]')], times = [];
  for (let i = 0; i < 100; i++) {
    const slider = sliders[i % sliders.length];
    slider.value = +slider.min + (slider.max - slider.min) * ((i * 37) % 100) / 100;
    const start = performance.now();
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    place.getBoundingClientRect();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[50];
}"""


def has_explorer(page: str) -> bool:
    """Say whether a chapter shows a widget."""
    return (HTML / page).exists() and b"jupyter.widget-view" in (HTML / page).read_bytes()


@pytest.fixture(scope="module", params=[LANDING, *filter(has_explorer, NOTEBOOKS)])
def tab(request, site, chromium):
    tab = open_page(chromium, site, request.param)
    yield tab
    tab.close()


def test_each_control_is_reached_by_tab_and_answers_to_keys(tab):
    places = tab.locator(EXPLORER).all()
    assert places
    for place in places:
        press_every_control(tab, place)


def test_a_change_is_drawn_before_the_hand_moves_on(tab):
    medians = [place.evaluate(REDRAW) for place in tab.locator(EXPLORER).all()]
    print(f"{tab.url}: median redraw {max(medians):.1f} ms")
    assert 0 < max(medians) < 50
