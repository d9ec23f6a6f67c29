"""Every page, as Chromium shows it: nothing from elsewhere, no errors, readable by everybody and on a phone."""

import pytest
from browsing import LANDING, PAGES, parsed


def test_a_page_asks_no_other_server_for_anything(visit):
    assert visit.requests and visit.foreign == []


def test_a_page_raises_no_errors_and_misses_no_file(visit):
    assert visit.errors == [] and visit.failures == []


def test_every_image_has_alt_text(visit):
    assert [image["html"] for image in visit.facts["images"] if not image["alt"].strip()] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_meets_wcag_aa(visit, theme):
    assert visit.axe[theme] == []


def test_a_page_fits_a_phone(visit):
    assert visit.too_wide == []


def test_formulas_are_typeset_without_errors(visit):
    assert visit.facts["formula_errors"] == [] and visit.facts["raw_formulas"] == []
    assert visit.facts["formulas"] or not parsed(visit.page).select(".math")


def test_animations_stand_still_for_those_who_want_less_motion(visit):
    assert visit.still_moving == 0


def test_there_is_an_animation_to_stand_still():
    sources = [source["srcset"] for page in PAGES for source in parsed(page).select("picture source[media]")]
    assert any(source.startswith("data:image/png") for source in sources)


@pytest.mark.xdist_group(LANDING)
def test_the_landing_page_takes_less_than_a_megabyte(visited):
    landing = visited(LANDING)
    print(f"landing page: {landing.transferred / 1e3:.0f} kB in {len(set(landing.requests))} files")
    assert 50_000 < landing.transferred < 1_000_000
