"""The slides of every chapter fit their frames, in Chromium, from a folder, and ask no other machine for anything."""

from pathlib import Path

import pytest

from tools import slides
from tools.deck.parts import MOST
from tools.notebooks import ROOT

pytestmark = pytest.mark.xdist_group("slides")  # the decks are made once
NAMES = list(slides.parts(ROOT))
FRAME = {"width": 1280, "height": 720}
# Of each slide what sticks out of it or of its words, the size of its print, the height of its figure.
MEASURED = """() => [...document.querySelectorAll('.slides > section')].map((slide) => {
  const frame = slide.getBoundingClientRect();
  const words = slide.querySelector('.words'), picture = slide.querySelector('img');
  const print = (node) => parseFloat(getComputedStyle(node).fontSize);
  const sticksOut = (node) => {
    const box = node.getBoundingClientRect();
    return box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1
      || box.bottom > frame.bottom + 1;
  };
  const seen = [...slide.querySelectorAll(':scope > :not(aside), .words *')];
  return {
    heading: slide.querySelector('h1, h2').textContent, kind: slide.className.split(' ')[0],
    wide: slide.scrollWidth > slide.clientWidth, high: slide.scrollHeight > slide.clientHeight,
    cut: words && (words.scrollWidth > words.clientWidth + 1 || words.scrollHeight > words.clientHeight + 1),
    out: seen.filter((node) => !node.closest('mjx-assistive-mml, mjx-c') && sticksOut(node))
      .map((node) => node.outerHTML.slice(0, 100)),
    print: words ? print(words) : 99,
    formula: Math.min(99, ...[...slide.querySelectorAll('mjx-container')].map(print)),
    picture: picture ? picture.clientHeight : 999, alt: picture ? picture.alt : 'none needed',
    notes: slide.querySelector('aside.notes')?.textContent ?? '',
  };
})"""


@pytest.fixture(scope="module")
def decks(tmp_path_factory) -> Path:
    """A folder with the slides of all chapters."""
    out = tmp_path_factory.mktemp("slides")
    assert slides.main(out=out) == 0
    return out


@pytest.fixture
def tab(chromium):
    """A tab of the size of a projector that writes down what it asks for and what goes wrong."""
    tab = chromium.new_page()
    tab.set_viewport_size(FRAME)
    tab.asked, tab.wrong = [], []
    tab.on("request", lambda request: tab.asked.append(request.url))
    tab.on("requestfailed", lambda request: tab.wrong.append(request.url))
    tab.on("pageerror", lambda error: tab.wrong.append(str(error)))
    yield tab
    tab.close()


def show(tab, deck: Path) -> None:
    """Open a deck and wait until its slides were fitted."""
    tab.goto(deck.as_uri())
    tab.wait_for_selector("html[data-ready]", timeout=60_000)


@pytest.mark.parametrize("name", NAMES)
def test_every_slide_fits_its_frame_and_nothing_is_asked_of_another_machine(name, decks, tab):
    show(tab, decks / f"{name}.html")
    found = tab.evaluate(MEASURED)
    assert 10 <= len(found) <= MOST
    for slide in found:
        assert not (slide["wide"] or slide["high"] or slide["cut"] or slide["out"]), slide
        assert slide["print"] >= 18 and slide["formula"] >= 16 and slide["picture"] >= 250, slide
        assert slide["alt"], slide
        assert slide["notes"] or slide["kind"] != "figure", slide
    kinds = [slide["kind"] for slide in found]
    assert kinds[0] == "title" and kinds[-1] == "claims" and {"predict", "figure", "business"} <= set(kinds)
    assert all(address.startswith((decks.as_uri(), "data:")) for address in tab.asked) and not tab.wrong
    assert not tab.locator("mjx-merror").count()


def test_the_keyboard_turns_pages_and_opens_the_notes(decks, tab):
    show(tab, decks / "vae.html")
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Space")
    assert tab.evaluate("Reveal.getIndices().h") == 2
    tab.wait_for_url("**/vae.html#/2")  # a slide has an address
    tab.keyboard.press("End")
    assert tab.evaluate("Reveal.isLastSlide()")
    with tab.context.expect_page() as opened:
        tab.keyboard.press("s")
    opened.value.wait_for_selector("text=Notes")
    opened.value.close()


def test_a_chapter_that_does_not_exist_is_named(tmp_path, capsys):
    assert slides.main(["vea"], out=tmp_path) == 1
    assert "no chapter vea; there are value-and-bubbles, " in capsys.readouterr().err
