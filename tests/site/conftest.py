"""One server, one Chromium and one visit a page for all tests of the site."""

import shutil
from collections.abc import Callable
from functools import cache, partial

import pytest
from browsing import CHROMIUM, DESK, HTML, PAGES, Visit, look_at, serve
from playwright.sync_api import sync_playwright


@pytest.fixture(scope="session")
def site():
    """Address of the built site."""
    if not (HTML / "index.html").exists():
        pytest.fail("the site is not built: run `make book` first", pytrace=False)
    server = serve()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="session")
def chromium():
    """A browser window of desk size, light and with motion."""
    path = shutil.which("chromium")
    assert path, "there is no chromium: `apt-get install chromium`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield browser.new_context(color_scheme="light", viewport=DESK)
        browser.close()


@pytest.fixture(scope="session")
def visited(site, chromium) -> Callable[[str], Visit]:
    """Visit a page, once in this process."""
    return cache(partial(look_at, chromium, site))


@pytest.fixture(params=[pytest.param(page, marks=pytest.mark.xdist_group(page)) for page in PAGES])
def visit(request, visited) -> Visit:
    """Each page in turn; all tests of a page run in one process, so that it is visited once."""
    return visited(request.param)
