"""A chapter's quiz answers by keyboard and in words, and loses nothing without its script or on paper."""

import re

import pytest
from browsing import HTML, THIN_OUT, TOO_WIDE, WCAG, parsed, violations

pytestmark = pytest.mark.xdist_group("questions")
PAGE = "notebooks/adoption-and-bubbles.html"
NARROW = {"width": 390, "height": 844}
SEEN = "nodes => nodes.filter((node) => node.checkVisibility()).map((node) => node.textContent)"


def words(text):
    """Without what a typeset formula changes."""
    return re.sub(r"\W+", " ", text).strip()


@pytest.fixture(scope="module")
def folds(site):
    """Each choice of the chapter's quiz as it is built, with its explanation."""
    found = parsed(PAGE).select(".callout-quiz ~ details")
    return [(fold.summary.text, fold.text.removeprefix(fold.summary.text).strip()) for fold in found]


@pytest.fixture(scope="module")
def quiz(site, chromium):
    """A chapter at its quiz."""
    asked = []
    chromium.on("request", lambda request: asked.append(request.url))
    tab = chromium.new_page()
    tab.goto(site + PAGE, wait_until="domcontentloaded")  # the scripts have run then
    tab.set_default_timeout(20_000)
    yield tab
    tab.close()
    assert [url for url in asked if not url.startswith((site, "data:", "blob:"))] == []


def test_each_question_is_a_group_with_a_name_and_a_text(quiz, folds):
    groups = quiz.locator(".quiz fieldset")
    assert groups.count() == 5 and len(folds) >= 15
    for number in range(1, 6):
        group = quiz.get_by_role("group", name=f"Quiz {number}", exact=True)
        described = quiz.locator(f"#{group.get_attribute('aria-describedby')}").text_content()
        assert len(described.split()) > 3 and group.get_by_role("radio").count() >= 3
    shown = quiz.locator(".quiz label").all_text_contents()
    assert [*map(words, shown)] == [words(choice) for choice, _ in folds]


def tab_to(tab, kind):
    """Press Tab until a control of this kind has the focus; a formula on the way is a stop too."""
    for _ in range(5):
        tab.keyboard.press("Tab")
        if tab.evaluate("kind => document.activeElement.type === kind", kind):
            return
    pytest.fail(f"Tab leads to no {kind}")


def test_a_reader_answers_all_questions_by_keyboard(quiz, folds):
    quiz.get_by_role("button", name="Check").first.press("Enter")
    assert quiz.locator(".quiz output").first.text_content() == "Choose an answer first."
    assert quiz.locator(".quiz-score").text_content() == "Right at the first try: 0 of 5 (5 still open)"
    told = []
    for number in range(5):
        group = quiz.locator(".quiz fieldset").nth(number)
        if number:
            tab_to(quiz, "radio")
        else:
            group.get_by_role("radio").first.focus()
        assert group.evaluate("node => node.contains(document.activeElement)"), "Tab does not lead to the next question"
        quiz.keyboard.press("Space")
        if number % 2:
            quiz.keyboard.press("ArrowDown")
        tab_to(quiz, "submit")
        quiz.keyboard.press("Enter")
        told.append(group.get_by_role("status").text_content())
    chosen = [reason for i, (_, reason) in enumerate(folds) if i % 3 == (i // 3) % 2]
    openings = {"right": "", "half": "Not the whole answer. ", "wrong": "Not right. "}
    kinds = [
        "half" if each.startswith("Right, but") else "right" if each[:5] == "Right" else "wrong" for each in chosen
    ]
    assert set(kinds) == openings.keys()
    assert [*map(words, told)] == [words(openings[kind] + each) for kind, each in zip(kinds, chosen, strict=True)]
    assert quiz.locator(".quiz-score").text_content() == f"Right at the first try: {kinds.count('right')} of 5"


def test_a_second_try_explains_and_does_not_count(quiz):
    group, before = quiz.locator(".quiz fieldset").last, quiz.locator(".quiz-score").text_content()
    told = []
    for radio in reversed(group.get_by_role("radio").all()):  # the first is chosen
        radio.check()
        assert group.get_by_role("status").text_content() == ""
        group.get_by_role("button", name="Check").click()
        told.append(group.get_by_role("status").text_content())
    assert len(set(told)) == len(told) and [text.startswith("Right") for text in told].count(True) == 1
    assert quiz.locator(".quiz-score").text_content() == before


def test_paper_shows_every_choice_with_its_explanation(quiz, folds):
    quiz.emulate_media(media="print")
    shown = quiz.locator("#quiz details").evaluate_all(SEEN)
    controls = quiz.locator(".quiz :is(input, button, output)").evaluate_all(SEEN)
    closed = [fold for fold in quiz.locator("#quiz details").all() if fold.get_attribute("open") is None]
    quiz.emulate_media(media="screen")
    assert len(shown) == len(folds) and not controls and not closed
    assert not quiz.locator("#quiz details").evaluate_all(SEEN)


def test_an_answered_quiz_and_a_kept_prediction_meet_wcag_aa_and_fit_a_phone(quiz):
    quiz.get_by_label("Your guess").fill("one alarm in a hundred, and none")
    quiz.get_by_role("button", name="Keep my prediction").click()
    quiz.get_by_role("button", name="Resolve it").click()
    quiz.evaluate(THIN_OUT)
    quiz.set_viewport_size(NARROW)
    assert quiz.evaluate(TOO_WIDE) == []
    for theme in ("light", "dark"):
        quiz.emulate_media(color_scheme=theme)
        quiz.wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")
        assert violations(quiz, {"runOnly": WCAG}, "#quiz, .callout-predict") == []
    quiz.get_by_role("button", name="Delete it").click()  # other tests share this browser


def test_without_a_script_the_folded_text_stays(site, chromium, folds):
    window = chromium.browser.new_context(java_script_enabled=False)
    tab = window.new_page()
    tab.goto(site + PAGE)
    assert tab.locator(".quiz, .quiz-score, .prediction").count() == 0
    assert len(tab.locator("#quiz details").evaluate_all(SEEN)) == len(folds)
    fold = tab.locator("#quiz details").first
    fold.locator("summary").press("Enter")
    assert fold.get_attribute("open") is not None
    tab.emulate_media(media="print")
    heights = tab.locator("#quiz details").evaluate_all("folds => folds.map((fold) => fold.offsetHeight)")
    choice = tab.locator("#quiz details summary").last.evaluate("line => line.offsetHeight")
    window.close()
    assert heights[-1] > 1.5 * choice, "paper hides an explanation"


def test_the_scripts_are_small_and_load_only_where_there_are_boxes(site):
    loaded = {page: str(parsed(page).select("script[type=module]")) for page in (PAGE, "book/how-to-use.html")}
    for name in ("quiz.js", "predict.js"):
        assert [name in scripts for scripts in loaded.values()] == [True, False]
        assert (HTML / "_static" / name).stat().st_size < 10_000
