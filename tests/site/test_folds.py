"""In a chapter whose code is folded one button opens all of it and closes it again, by keyboard too."""

import pytest
from browsing import NOTEBOOKS, open_page, parsed

pytestmark = pytest.mark.xdist_group("site")
CODE = ".cell:not(.tag_hide-cell) > details.hide"
OPEN = f"() => [...document.querySelectorAll('{CODE}')].map((fold) => fold.open)"


CLOSE = f"() => document.querySelectorAll('{CODE}').forEach((fold) => {{ fold.open = false; }})"


@pytest.fixture(scope="module")
def page(site, chromium):
    """A page with folded code."""
    pages = [page for page in NOTEBOOKS if parsed(page).select(".fold-all")]
    assert pages, "no chapter has `fold: true` in its front matter"
    tab = open_page(chromium, site, pages[0])
    yield tab
    tab.close()


@pytest.fixture
def folded(page):
    """The page, and afterwards all its folds are closed again."""
    yield page
    page.evaluate(CLOSE)
    page.get_by_role("button", name="Show all code").wait_for()


def test_the_button_opens_and_closes_all_code_by_keyboard_and_leaves_solutions_closed(folded):
    button = folded.get_by_role("button", name="Show all code")
    assert len(folded.evaluate(OPEN)) > 10 and not any(folded.evaluate(OPEN))
    button.press("Enter")
    folded.get_by_role("button", name="Hide all code").wait_for()
    assert all(folded.evaluate(OPEN))
    assert not folded.locator(".tag_hide-cell > details[open]").count()
    folded.get_by_role("button", name="Hide all code").press("Space")
    button.wait_for()
    assert not any(folded.evaluate(OPEN))


def test_the_button_counts_what_a_reader_opens_one_by_one(folded):
    for fold in folded.locator(f"{CODE} > summary").all():
        fold.evaluate("summary => summary.click()")
    folded.get_by_role("button", name="Hide all code").wait_for()
    assert all(folded.evaluate(OPEN))


def test_without_a_script_there_is_no_button_and_each_fold_still_opens(page, chromium):
    window = chromium.browser.new_context(java_script_enabled=False)
    tab = window.new_page()
    tab.goto(page.url)
    assert not tab.locator(".fold-all").is_visible()
    tab.locator(f"{CODE} > summary").first.press("Enter")
    assert tab.locator(CODE).first.get_attribute("open") is not None
    window.close()
