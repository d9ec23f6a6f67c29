"""The blind test: played by keyboard to its end by somebody who knows all, and by somebody who says one thing."""

import json

import pytest
from browsing import HTML, TOO_WIDE, WCAG, violations

PAGE = "book/blind-test.html"
pytestmark = pytest.mark.xdist_group("questions")
FILE = HTML / "_static/blind.json"


@pytest.fixture
def reader(site, chromium):
    """A tab on the page, at phone width; nothing that it asks may leave the site."""
    window, asked, errors = chromium.browser.new_context(viewport={"width": 390, "height": 844}), [], []
    tab = window.new_page()
    tab.set_default_timeout(20_000)
    window.on("request", lambda request: asked.append(request.url))
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(site + PAGE)
    tab.locator(".blind button").first.wait_for()
    yield tab
    window.close()
    assert [url for url in asked if not url.startswith((site, "data:"))] == [] == errors


def rows(game, caption):
    """The cells of a table of a result."""
    found = game.locator("table").filter(has_text=caption).locator("tbody tr")
    return [row.locator("td").all_inner_texts() for row in found.all()]


def test_who_knows_the_text_is_right_twenty_times_by_keyboard(reader):
    truth = {words: kind for words, kind in json.loads(FILE.read_text())["lines"]}
    game = reader.locator("[data-game=line]")
    game.get_by_role("button", name="Real").focus()
    kinds = []
    for number in range(1, 21):
        assert game.get_by_role("status").inner_text() == f"Line {number} of 20"
        kinds.append(truth[game.locator("blockquote").inner_text()])
        reader.keyboard.press("Enter" if kinds[-1] == "real" else "Tab")
        if kinds[-1] != "real":
            reader.keyboard.press("Enter")
            if number < 20:  # then the next round's button has the focus
                reader.keyboard.press("Shift+Tab")
    real = kinds.count("real")
    assert rows(game, "What you said") == [[f"{real}", "0"], ["0", f"{20 - real}"]]
    makers = sorted({*kinds} - {"real"})
    assert rows(game, "Who took you in") == [[f"{kinds.count(kind)}", "0"] for kind in makers]
    assert "20 of 20 right: 100 % (95 % interval 84 % to 100 %)" in game.inner_text()
    assert violations(reader, {"runOnly": WCAG}) == [] and reader.evaluate(TOO_WIDE) == []
    reader.keyboard.press("Enter")  # another round
    assert game.get_by_role("status").inner_text() == "Line 1 of 20"


def test_who_calls_every_picture_real_is_right_about_as_often_as_they_are(reader):
    game = reader.locator("[data-game=picture]")
    assert game.get_by_role("img").count() == 1
    seen = set()
    for _ in range(20):
        seen.add(game.locator("canvas").evaluate("(canvas) => canvas.toDataURL()"))
        game.get_by_role("button", name="Real").click()
    [[real, none], [made, nothing]] = rows(game, "What you said")
    assert len(seen) == 20 and none == nothing == "0" and int(real) + int(made) == 20
    assert all(shown == taken for shown, taken in rows(game, "Who took you in"))


def test_the_pool_is_half_real_and_no_line_is_there_twice():
    data = json.loads(FILE.read_text())
    kinds, lines = data["pictures"]["kinds"], data["lines"]
    assert (
        kinds.count("real") * 2 == len(kinds) == 80 and sum(kind == "real" for _, kind in lines) * 2 == len(lines) == 48
    )
    assert len({words for words, _ in lines}) == len(lines)
