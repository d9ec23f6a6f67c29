"""Explorers answer to the keyboard, in words and in the picture, and fast enough to follow a hand."""

import pytest
from browsing import EXPLORER, HTML, LANDING, NEXT_FRAMES, NOTEBOOKS, open_page

pytestmark = pytest.mark.xdist_group("site")
STOPS = "input:not([type=radio]), input[type=radio]:checked, select, button"  # a group of radio buttons is one stop
KEY = """node => ({
  range: node.value === node.max ? 'ArrowLeft' : 'ArrowRight',
  'select-one': node.selectedIndex === node.length - 1 ? 'ArrowUp' : 'ArrowDown',
  radio: 'ArrowDown', button: 'Enter',
})[node.type]"""
PERCEIVED = """place => ({
  words: [...place.querySelectorAll('output, [aria-label]')].map((node) => node.textContent + node.ariaLabel),
  picture: [...place.querySelectorAll('[role=img]')].map((node) => node.toDataURL?.() ?? node.innerHTML),
})"""
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
        stops = place.locator(STOPS).all()
        assert len(stops) >= 2
        stops[0].focus()
        for stop in stops:
            name = stop.evaluate("node => node.labels[0]?.firstChild.textContent ?? node.type")
            assert stop.evaluate("node => node === document.activeElement"), f"Tab does not lead to {name}"
            before = place.evaluate(PERCEIVED)
            tab.keyboard.press(stop.evaluate(KEY))
            tab.evaluate(NEXT_FRAMES)
            after = place.evaluate(PERCEIVED)
            assert after["picture"] != before["picture"], f"{name} changes no picture"
            if name != "button":
                assert after["words"] != before["words"], f"{name} changes no words"
            tab.keyboard.press("Tab")


def test_a_change_is_drawn_before_the_hand_moves_on(tab):
    medians = [place.evaluate(REDRAW) for place in tab.locator(EXPLORER).all()]
    print(f"{tab.url}: median redraw {max(medians):.1f} ms")
    assert 0 < max(medians) < 50
