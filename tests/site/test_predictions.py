"""Predictions are kept in the browser, resolved, added up, saved and deleted; and no request leaves the machine."""

import json

import pytest
from browsing import TOO_WIDE, WCAG, violations
from pytest import approx

from genai_utils.records.forecasts import brier

pytestmark = pytest.mark.xdist_group("questions")
CHAPTER, PAGE, KEY = "notebooks/adoption-and-bubbles.html", "book/predictions.html", "gold-mine-or-bubble.predictions"
READ = "domcontentloaded"  # the scripts have run then; figures and formulas may follow
NARROW = {"width": 390, "height": 844}
STORED = f"() => JSON.parse(localStorage.getItem('{KEY}'))"
FORBID = f"""for (const name of ['getItem', 'setItem']) {{
  const usual = Storage.prototype[name];
  Storage.prototype[name] = function (key, value) {{
    if (key === '{KEY}') throw new DOMException('denied', 'SecurityError');
    return usual.call(this, key, value);
  }};
}}"""
SAID = [(60, True), (65, False), (70, True), (75, True), (90, False), (100, True), (80, None)]
KEPT = [
    {"chapter": f"chapter-{i}", "title": "A chapter <b>", "number": 1, "question": "What?", "guess": "B " * 20}
    | {"confidence": sure, "made": "2026-11-28", "right": right}
    for i, (sure, right) in enumerate(SAID)
]


@pytest.fixture
def reader(site, chromium):
    """A tab of a reader who was never here; nothing that it asks may leave the site."""
    window, asked, errors = chromium.browser.new_context(viewport=NARROW, color_scheme="light"), [], []
    tab = window.new_page()
    tab.set_default_timeout(20_000)
    window.on("request", lambda request: asked.append(request.url))
    tab.on("pageerror", lambda error: errors.append(str(error)))
    yield tab
    window.close()
    assert asked and [url for url in asked if not url.startswith((site, "data:", "blob:"))] == [] == errors


@pytest.fixture
def scored(site, reader):
    """The page of a reader who kept seven predictions, and one that a stranger damaged."""
    reader.goto(site + "favicon.ico")
    reader.evaluate("([key, text]) => localStorage.setItem(key, text)", [KEY, json.dumps([*KEPT, {"guess": 3}])])
    reader.goto(site + PAGE)
    return reader


def test_a_prediction_is_kept_by_keyboard_over_a_reload_and_resolved_when_asked(site, reader):
    reader.goto(site + CHAPTER, wait_until=READ)
    group = reader.get_by_role("group", name="Your prediction")
    group.get_by_label("Your guess").press_sequentially("C")
    for key in ("Tab", "ArrowRight", "ArrowRight", "Tab", "Enter"):
        reader.keyboard.press(key)
    told = group.get_by_role("status").text_content()
    assert told.startswith("You wrote “C” on 20") and told.endswith(" and were 80 % sure.")
    reader.reload(wait_until=READ)
    assert group.get_by_role("status").text_content() == told
    assert not group.get_by_role("button", name="I was right").count()
    group.get_by_role("button", name="Resolve it").press("Enter")
    assert group.get_by_role("status").text_content().startswith(f"{told} Were you right?")
    assert reader.evaluate("document.activeElement.textContent") == "I was right"
    reader.keyboard.press("Tab")
    reader.keyboard.press("Enter")
    assert group.get_by_role("status").text_content() == f"{told} You were wrong."
    (kept,) = reader.evaluate(STORED)
    assert {name: kept[name] for name in ("chapter", "number", "guess", "confidence", "right")} == {
        "chapter": "adoption-and-bubbles", "number": 1, "guess": "C", "confidence": 80, "right": False,
    }  # fmt: skip
    assert kept["title"].startswith("Adoption and bubbles") and "hype cycle" in kept["question"]
    group.get_by_role("link", name="How good are your predictions?").click()
    reader.locator("#predictions p", has_text="Brier score 0.640 over 1 resolved").wait_for()
    reader.go_back(wait_until=READ)
    group.get_by_role("button", name="Delete it").press("Enter")
    assert reader.evaluate(STORED) is None and group.get_by_label("Your guess").input_value() == ""


def test_the_page_meets_wcag_aa_and_fits_a_phone(scored):
    assert scored.locator("#predictions button").count() == 2 and scored.evaluate(TOO_WIDE) == []
    for theme in ("light", "dark"):
        scored.emulate_media(color_scheme=theme)
        scored.wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")
        assert violations(scored, {"runOnly": WCAG}, "article") == []


def test_the_page_shows_score_curve_and_table(scored):
    page, decided = scored.locator("#predictions"), [(sure / 100, right) for sure, right in SAID if right is not None]
    score = float(page.locator("strong").text_content().removeprefix("Brier score "))
    assert score == approx(brier(*map(list, zip(*decided, strict=True))), abs=6e-4)
    assert "You said 77 % on average, and 4 of 6 were right: 67 %" in page.text_content()
    picture = page.get_by_role("img")
    assert picture.locator("circle").count() == 3
    assert [text for text in picture.locator("text").all_text_contents() if text[0] == "n"] == ["n = 2"] * 3
    assert "60 to 69 %: 1 of 2 right; 70 to 79 %: 2 of 2 right; 90 to 100 %: 1 of 2 right" in picture.get_attribute(
        "aria-label"
    )
    rows = page.get_by_role("table", name="Your predictions").locator("tbody tr")
    assert rows.count() == len(KEPT) and "A chapter <b>" in rows.first.text_content()
    outcomes = [row.locator("td").nth(3).text_content() for row in rows.all()]
    assert outcomes == [{True: "right", False: "wrong", None: "open"}[right] for _, right in SAID]


def test_the_predictions_are_saved_as_a_file_and_deleted_with_one_press(scored):
    with scored.expect_download() as caught:
        scored.get_by_role("button", name="Save as a file").press("Enter")
    assert caught.value.suggested_filename == "my-predictions.json"
    assert json.loads(caught.value.path().read_text(encoding="utf-8")) == {KEY: KEPT}
    scored.get_by_role("button", name="Delete all").press("Enter")
    assert scored.evaluate(STORED) is None
    assert scored.locator("#predictions").text_content().startswith("Deleted.")
    assert not scored.locator("#predictions :is(table, svg, button)").count()


def test_a_browser_that_stores_nothing_says_so(site, reader):
    reader.add_init_script(FORBID)
    reader.goto(site + CHAPTER, wait_until=READ)
    reader.get_by_label("Your guess").fill("C")
    reader.get_by_role("button", name="Keep my prediction").press("Enter")
    said = reader.locator(".prediction").get_by_role("status").text_content()
    assert said == "Not kept: this browser lets the page store nothing."
