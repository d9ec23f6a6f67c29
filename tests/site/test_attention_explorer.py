"""Inside one head: a guess comes before the answer, is counted once, and the whole state is an address."""

import re
from urllib.parse import quote

import pytest
from browsing import DESK, EMPTY, NEXT_FRAMES, PERCEIVED, PHONE, TOO_WIDE, WCAG, mount, press_every_control, violations

from genai_utils import zoo
from genai_utils.data.text import encode
from genai_utils.show.explorers import GPTExplorer

pytestmark = pytest.mark.xdist_group("attention_explorer")
LINE = "My name is Macbeth, and my name is d"
DARK = "() => Object.assign(document.body.style, { background: '#121212', color: '#ced6dd' })"
LOOKS = "() => document.querySelector('.genai-att output').textContent.length > 0"
ADDRESS = "() => location.hash"
COLOURED = "spans => spans.filter((span) => span.style.getPropertyValue('--share')).length"


@pytest.fixture(scope="module")
def widget():
    return GPTExplorer(LINE, inside=True)


@pytest.fixture(scope="module")
def shares(widget):
    """Of layer 1, head 1, by PyTorch."""
    return zoo.load("gpt").attention_maps(encode(LINE, widget.alphabet)[None])[1, 0, 1]


@pytest.fixture
def tab(widget, chromium):
    tab = mount(chromium, widget, address="#gpt=layer:1,head:1,place:30")
    tab.wait_for_function(LOOKS)
    yield tab
    tab.close()


def said(tab):
    """What the explorer says about the head."""
    return tab.locator(".genai-att output").inner_text()


def options(tab):
    return tab.locator(".genai-att-list > div")


def tables(tab):
    """The texts of its two tables, row by row; they come a moment after the list."""
    tab.wait_for_function("document.querySelectorAll('table').length >= 3")
    bodies = tab.locator("table").all()[1:]
    return [[row.locator("th, td").all_text_contents() for row in body.locator("tbody tr").all()] for body in bodies]


def test_nothing_is_told_before_the_guess_and_all_after_it(tab, shares):
    assert "Which of these 30 characters does “m” look at most?" in said(tab) and "1 of 30 (3 %)" in said(tab)
    assert options(tab).count() == 30 and not re.search("[0-9]%|[0-9] %", tab.locator(".genai-att-list").inner_text())
    assert tab.locator(".genai-att-text span").evaluate_all(COLOURED) == 0
    assert {cell for _, *cells in tables(tab)[0] for cell in cells} == {"?"}
    options(tab).nth(28).click()
    assert int(shares[29].argmax()) == 28
    assert said(tab).startswith(f"Right. “a” (29) gets most: {100 * shares[29, 28]:.1f} %. Score: 1 of 1 right;")
    assert tab.locator(".genai-att-text span").evaluate_all(COLOURED) == 30
    written = [float(row[2].removesuffix(" %").removeprefix("< ")) for row in tables(tab)[0]]
    assert written == pytest.approx((100 * shares[29, :30]).tolist(), abs=0.11)
    assert sum(written) == pytest.approx(100, abs=2)


def test_a_wrong_guess_is_told_and_counted_once(tab, shares):
    tab.locator(".genai-att-text span").nth(3).click()  # in the sentence it is the same
    assert said(tab).startswith("No: you chose “n” (4), ") and "Score: 0 of 1 right; blind guesses get 0.03" in said(
        tab
    )
    options(tab).nth(28).click()
    assert "Score: 0 of 1" in said(tab) and "29 a" in tab.locator("table").last.text_content()
    tab.get_by_role("button", name="Next character").click()
    assert said(tab).startswith("Which of these 31 characters does “e” look at most?")
    options(tab).nth(int(shares[30].argmax())).click()
    assert "Right. " in said(tab) and "Score: 1 of 2 right; blind guesses get 0.07" in said(tab)
    tab.get_by_role("button", name="Previous character").click()
    assert said(tab).startswith("No: ")


def test_a_guess_can_be_made_by_keyboard(tab):
    tab.get_by_role("button", name="Next character").focus()
    tab.keyboard.press("Tab")
    at = "() => document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).ariaLabel"
    assert tab.evaluate(at) == "30: “m”"
    for key, label in (("ArrowUp", "29: “a”"), ("Home", "1: “M”"), ("ArrowUp", "1: “M”"), ("End", "30: “m”")):
        tab.keyboard.press(key)
        assert tab.evaluate(at) == label
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("Enter")
    assert said(tab).startswith("Right. ")
    assert re.fullmatch(r"29: “a”, score \d\.\d\d, share \d\d\.\d %", tab.evaluate(at))
    assert tab.locator("[aria-selected=true]").count() == 1
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press(" ")
    assert "Score: 1 of 1" in said(tab)


def test_the_steps_of_the_marked_place_give_its_share(tab, shares):
    options(tab).nth(28).click()
    steps = tab.locator(".genai-att-captioned span").nth(1).inner_text()
    total, root, score, power, whole, share = map(float, re.findall(r"-?\d+\.\d+|(?<=√)\d+", steps.replace(",", "")))
    assert total / root**0.5 == pytest.approx(score, abs=0.01) and 2.71828**score == pytest.approx(power, rel=0.01)
    assert power / whole == pytest.approx(share / 100, abs=0.001) == pytest.approx(shares[29, 28].item(), abs=0.001)


def test_the_state_is_an_address(tab, widget, chromium):
    options(tab).nth(28).click()
    tab.get_by_role("combobox", name="head").select_option("2")
    options(tab).nth(4).click()
    tab.wait_for_function("() => location.hash.split('_').length === 2")
    address = tab.evaluate(ADDRESS)
    assert address == "#gpt=layer:1,head:2,place:30,guesses:1.1.30.29_1.2.30.5"
    again = mount(chromium, widget, address=address)
    for page in (tab, again):
        page.evaluate(NEXT_FRAMES)
    assert again.locator(".genai-att").evaluate(PERCEIVED) == tab.locator(".genai-att").evaluate(PERCEIVED)
    again.get_by_role("button", name="Reset").click()
    assert "Which of these 36 characters does “d”" in said(again)
    again.close()


@pytest.mark.parametrize(
    "end", ["guesses:x", "guesses:1.1.30", "guesses:9.9.9.9_1.1.30.99", "layer:7,head:x", "place:-3"]
)
def test_no_address_is_too_broken_to_be_shown(end, widget, chromium):
    tab = mount(chromium, widget, address=f"#gpt={end}")
    tab.wait_for_function(LOOKS)
    assert "Score" not in said(tab) and options(tab).count() in (1, 36)
    tab.close()


def test_shares_can_be_shown_at_once_and_then_nothing_is_counted(widget, chromium):
    tab = mount(chromium, widget, address="#gpt=shares:" + quote("at once"))
    tab.wait_for_function(LOOKS)
    assert "gets most" in said(tab) and "Score" not in said(tab)
    options(tab).nth(0).click()
    assert "Score" not in said(tab)
    tab.close()


def test_another_prompt_is_another_game(tab):
    options(tab).nth(28).click()
    prompt = tab.get_by_role("textbox", name="Prompt")
    prompt.fill("T")
    assert "sees only itself" in said(tab) and "Score" not in said(tab) and options(tab).count() == 1
    prompt.fill("To be or not")
    assert "Which of these 12 characters does “t”" in said(tab)
    prompt.fill("7")
    assert (
        "cannot be read" in said(tab) and options(tab).count() == 0 and tab.locator(".genai-att-text > *").count() == 0
    )
    tab.get_by_role("button", name="Next character").click()
    prompt.fill("O" * 200)
    tab.get_by_role("slider", name="who looks").fill("128")
    assert options(tab).count() == 128


def test_a_link_leads_to_the_head_and_not_to_the_prompt(widget, chromium):
    link = "<a href='#gpt=layer:1,head:1'>look</a><div style='height: 3000px'></div><main>"
    page = EMPTY.replace("<main>", link).replace("</main>", "</main><div style='height: 3000px'></div>")
    tab = mount(chromium, widget, page=page)
    tab.get_by_role("link", name="look").click()
    tab.wait_for_function("() => Math.abs(document.querySelector('.genai-att').getBoundingClientRect().top) < 100")
    tab.close()


def test_it_answers_to_keys_fits_a_phone_and_keeps_the_rules_of_wcag(chromium):
    tab = mount(chromium, GPTExplorer(inside=True))
    tab.wait_for_function(LOOKS)
    press_every_control(tab, tab.locator("main"))
    for opened in (False, True):
        if opened:
            options(tab).nth(0).click()
        tab.set_viewport_size(PHONE)
        assert tab.evaluate(TOO_WIDE) == []
        tab.set_viewport_size(DESK)
        for dark in (False, True):
            tab.evaluate(DARK if dark else "() => document.body.removeAttribute('style')")
            assert violations(tab, {"runOnly": WCAG}) == []
    tab.close()
