"""The state of an explorer is an address: it is written when a reader changes something, and a link brings it back."""

import re
from html import unescape
from urllib.parse import unquote

import pytest
from browsing import (
    EMPTY,
    EXPLORER,
    HTML,
    LANDING,
    NEXT_FRAMES,
    NOTEBOOKS,
    PERCEIVED,
    WCAG,
    mount,
    open_page,
    parsed,
    violations,
)
from node import NAMES

from genai_utils.show import explorers

pytestmark = pytest.mark.xdist_group("site")
HASH = "decodeURIComponent(location.hash)"
WRITTEN = "() => location.hash.includes('=')"
VALUES = """place => [...place.querySelectorAll('input, select, textarea')].map((control) => control.value)"""
PAUSE = 500  # milliseconds, twice what a page waits before it writes


@pytest.fixture(scope="module", params=NAMES)
def widget(request):
    return getattr(explorers, request.param)()


@pytest.fixture(scope="module")
def game():
    return explorers.PlayTheGame()


def change_all(tab):
    """Move every control of an explorer a step."""
    for slider in tab.locator("input[type=range]").all():
        slider.press("ArrowRight")
    for choice in tab.locator("select").all():
        choice.select_option(index=0)
    for field in tab.locator("input[type=number], textarea").all():
        field.fill("12" if field.get_attribute("type") else "A, b:\nc")


def perceived(tab):
    """What a reader of the controls, the words and the pictures gets."""
    tab.evaluate(NEXT_FRAMES)
    return tab.locator("main").evaluate(VALUES), tab.locator("main").evaluate(PERCEIVED)


def test_every_state_is_an_address_and_reset_is_none(widget, chromium):
    tab = mount(chromium, widget)
    start = perceived(tab)
    tab.wait_for_timeout(PAUSE)
    assert tab.evaluate("location.hash") == ""
    change_all(tab)
    changed = perceived(tab)
    assert changed[0] != start[0]
    tab.wait_for_timeout(PAUSE)
    address = tab.evaluate("location.hash")
    again = mount(chromium, widget, address=address)
    assert perceived(again) == changed and again.evaluate("location.hash") == address
    again.get_by_role("button", name="Reset").click()
    again.wait_for_function("() => !location.hash")
    assert perceived(again) == start
    tab.close()
    again.close()


def test_what_makes_no_sense_is_passed_over_and_what_is_too_much_cut(game, chromium):
    address = "#game=mean:99,width:abc,order:sideways,step:0.317,nonsense:1,r1,rounds:1e999,start:%zz"
    tab = mount(chromium, game, address=address)
    values = dict(zip(("mean", "width"), tab.locator("main").evaluate(VALUES), strict=False))
    assert values == {"mean": "4", "width": "1"}
    named = {name: tab.get_by_role("slider", name=name).input_value() for name in ("step", "R1", "start", "rounds")}
    assert named == {"step": "0.32", "R1": "0", "start": "1", "rounds": "120"}
    assert tab.get_by_role("combobox").input_value() == "simultaneous"
    tab.close()


def test_explorers_share_an_address_and_leave_headings_alone(game, chromium):
    tab = mount(chromium, game, explorers.ProfitAndLoss(), address="#exercises")
    tab.wait_for_timeout(PAUSE)
    assert tab.evaluate("location.hash") == "#exercises"
    tab.get_by_role("slider", name="R1").fill("0.2")
    tab.get_by_role("slider", name="users", exact=True).fill("5000")
    tab.wait_for_timeout(PAUSE)
    assert tab.evaluate("location.hash") == "#game=r1:0.2&pnl=users:5000"
    tab.evaluate("location.hash = '#exercises'")
    tab.wait_for_timeout(PAUSE)
    assert tab.evaluate("location.hash") == "#exercises"
    assert tab.get_by_role("slider", name="R1").input_value() == "0.2"
    tab.close()


def test_a_link_moves_the_explorer_and_scrolls_to_it_as_often_as_it_is_pressed(game, chromium):
    link = "<a href='#game=r1:0.3'>brake</a><div style='height: 3000px'></div><main>"
    tab = mount(chromium, game, page=EMPTY.replace("<main>", link))
    for _ in range(2):
        tab.evaluate("scrollTo(0, 0)")
        tab.get_by_role("link", name="brake").click()
        tab.wait_for_function("() => scrollY > 2000")
        assert tab.get_by_role("slider", name="R1").input_value() == "0.3"
    assert "comes home" in tab.locator("output").last.inner_text()
    tab.close()


def test_an_explorer_that_is_shown_late_is_scrolled_to_all_the_same(game, chromium):
    """As html-manager may do, which builds a view before it has a place."""
    late = "<div style='height: 3000px'></div><main style='display: none'>"
    tab = mount(chromium, game, address="#game=r1:0.3", page=EMPTY.replace("<main>", late))
    tab.evaluate("document.querySelector('main').style.display = 'block'")
    tab.wait_for_function("() => scrollY > 2000")
    tab.close()


def test_outside_the_site_the_address_belongs_to_others(game, chromium):
    """As in JupyterLab, whose pages Sphinx did not make."""
    tab = mount(chromium, game, address="#game=r1:0.3", page=EMPTY.replace("data-content_root='./'", ""))
    assert tab.get_by_role("slider", name="R1").input_value() == "0"
    change_all(tab)
    tab.wait_for_timeout(PAUSE)
    assert tab.evaluate("location.hash") == "#game=r1:0.3"
    tab.close()


def test_the_table_is_opened_by_keyboard_follows_the_state_and_keeps_the_rules_of_wcag(widget, chromium):
    tab = mount(chromium, widget)
    tab.evaluate(NEXT_FRAMES)
    tab.get_by_role("button", name="Reset").focus()
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    before = tab.locator("table").all_inner_texts()
    assert before and all(re.search(r"\d", text) and len(text.splitlines()) > 4 for text in before)
    assert violations(tab, {"runOnly": WCAG}) == []
    change_all(tab)
    tab.evaluate(NEXT_FRAMES)
    tab.wait_for_function("(old) => document.querySelector('table')?.innerText !== old", arg=before[0])
    tab.close()


def test_the_table_of_the_next_character_tells_what_the_bars_show(chromium):
    tab = mount(chromium, explorers.GPTExplorer(top_k=3))
    tab.wait_for_function("() => document.querySelector('table')")
    rows = [row.locator("th, td").all_text_contents() for row in tab.locator("table tbody tr").all()]
    said = tab.locator("[role=img]").get_attribute("aria-label")
    assert len(rows) == 11 and [row[2] == "cut" for row in rows] == [False] * 3 + [True] * 8
    assert all(f"{name} {own}, now {now}" in said for name, own, now in rows[:-1])
    tab.close()


STATES = [
    (page, unescape(link))  # found without parsing: each worker collects the tests
    for page in [LANDING, *NOTEBOOKS]
    if (HTML / page).exists()
    for link in re.findall(r'<a [^>]*href="(#[a-z]+=[^"]+)"', (HTML / page).read_text())
]


@pytest.mark.parametrize("page, href", STATES)
def test_a_link_of_the_book_shows_what_it_says(page, href, site, chromium):
    """Its numbers are in the explorer afterwards, which is in view and lets the address be."""
    tab = open_page(chromium, site, page)
    tab.locator(f'a[href="{href}"]').first.click()
    tab.wait_for_timeout(PAUSE)
    name, said = href.removeprefix("#").split("=")
    place = tab.locator(EXPLORER).filter(has=tab.locator(f".genai-{name}"))
    shown = place.evaluate(VALUES)
    values = dict(pair.split(":") for pair in unquote(said).split(","))
    assert {value for key, value in values.items() if key not in ("written", "set")} <= set(shown)
    sought = place.locator(".genai-att").first if "layer:" in href else place  # a link to a head leads to its section
    assert 0 <= sought.bounding_box()["y"] < 700 and tab.evaluate(HASH) == unquote(href)
    tab.close()


def test_each_chapter_with_an_explorer_links_to_a_state_of_it():
    with_explorer = {page for page in [LANDING, *NOTEBOOKS] if re.search("genai-explorer|genai-kit", str(parsed(page)))}
    assert {page for page, _ in STATES} == with_explorer
