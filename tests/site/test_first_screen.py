"""A chapter for managers shows its answer and a figure on the first screen, above all code."""

import pytest
from browsing import NOTEBOOKS, ROOT, open_page

from _ext.facts import stamp

SCREEN = {"width": 1_400, "height": 1_000}
BOTTOM = "first => first.getBoundingClientRect().bottom"
MANAGERS = [page for page in NOTEBOOKS if stamp((ROOT / page).with_suffix(".ipynb")).get("fold")]


@pytest.mark.parametrize("page", [pytest.param(page, marks=pytest.mark.xdist_group(page)) for page in MANAGERS])
def test_the_answer_and_its_figure_lie_on_the_first_screen(page, site, chromium):
    tab = open_page(chromium, site, page)
    tab.set_viewport_size(SCREEN)
    answer, figure = (tab.locator(part).first.evaluate(BOTTOM) for part in (".genai-answer", ".cell_output img"))
    tab.close()
    assert 0 < answer < figure <= SCREEN["height"]
