"""Links lead somewhere: inside the site, to the files that Colab and Binder open, and to one repository."""

from urllib.parse import parse_qs, unquote, urljoin, urlsplit

import pytest
from browsing import CONFIG, HTML, LANDING, NOTEBOOKS, PAGES, ROOT, parsed

from tools.notebooks import Project

pytestmark = [pytest.mark.xdist_group("links"), pytest.mark.usefixtures("site")]
ADDRESS, BRANCH = Project(ROOT).address, CONFIG["repository"]["branch"]
NAME = (ADDRESS or "").removeprefix("https://github.com/")
COLAB = f"https://colab.research.google.com/github/{NAME}/blob/{BRANCH}/"
BINDER = f"https://mybinder.org/v2/gh/{NAME}/{BRANCH}"
HELP = "/book/how-to-use.html#run-in-colab-from-a-file"
published = pytest.mark.skipif(not ADDRESS, reason="_config.yml holds a placeholder")
unpublished = pytest.mark.skipif(bool(ADDRESS), reason="_config.yml holds an address")


def addresses(page: str) -> list[str]:
    """All that a page links to or embeds, relative to the site's root."""
    found = [tag.get(key) for key in ("href", "src") for tag in parsed(page).select(f"[{key}]")]
    return [urljoin("/" + page, address) for address in found if not address.startswith(("data:", "mailto:"))]


def problem(address: str) -> str | None:
    """Say what is wrong with an address inside the site; None if it leads somewhere."""
    parts = urlsplit(address)
    path = unquote(parts.path).lstrip("/") or "index.html"
    if not (HTML / path).is_file():
        return f"{address}: there is no such file"
    fragment = unquote(parts.fragment)
    if "=" in fragment and shows(path, fragment.split("=")[0]):
        return None
    if (
        fragment
        and not parsed(path).find(attrs={"id": fragment})
        and not parsed(path).find("a", attrs={"name": fragment})
    ):
        return f"{address}: the page has no such place"
    return None


def shows(page: str, explorer: str) -> bool:
    """Say whether a page has an explorer: mounted by the page itself, or with its style in a notebook's state."""
    return any(mark in (HTML / page).read_text() for mark in (f'data-module="{explorer}.js"', f".genai-{explorer} {{"))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_inside_the_site_leads_somewhere(page):
    inside = {address for address in addresses(page) if not urlsplit(address).scheme}
    assert inside and [found for address in sorted(inside) if (found := problem(address))] == []


def test_the_address_of_the_site_leads_to_the_landing_page():
    assert parsed("index.html").find("meta", attrs={"http-equiv": "Refresh"})["content"].endswith(f"url={LANDING}")


@unpublished
@pytest.mark.parametrize("page", PAGES)
def test_without_an_address_no_link_leads_to_a_repository_or_to_who_would_read_it(page):
    forbidden = (CONFIG["repository"]["url"], "https://colab.research.google.com/github/", "https://mybinder.org/")
    assert not [link for link in addresses(page) if link.startswith(forbidden) or "/issues/new" in link]


@unpublished
@pytest.mark.parametrize("page", NOTEBOOKS)
def test_without_an_address_a_chapter_says_how_colab_opens_its_file(page):
    entry = parsed(page).select_one(".dropdown-launch-buttons a")
    assert entry.get_text(strip=True) == "Colab" and urljoin("/" + page, entry["href"]) == HELP


@published
@pytest.mark.parametrize("page", NOTEBOOKS)
def test_a_chapter_opens_in_colab_and_binder(page):
    notebook = page.removesuffix(".html") + ".ipynb"
    links = addresses(page)
    assert (ROOT / notebook).is_file() and COLAB + notebook in links
    opened = [parse_qs(urlsplit(link).query)["urlpath"][0] for link in links if link.startswith(BINDER + "?")]
    assert opened == [f"lab/tree/{notebook}"]


@published
@pytest.mark.parametrize("page", PAGES)
def test_colab_binder_and_repository_links_follow_the_configuration(page):
    for link in addresses(page):
        parts = urlsplit(link)
        if parts.netloc == "colab.research.google.com":
            assert link.startswith(COLAB) and (ROOT / link.removeprefix(COLAB)).is_file()
        if parts.netloc == "mybinder.org":
            assert link.startswith(BINDER)
        if parts.netloc == "github.com" and parts.path.endswith(("/issues/new", "/issues")):
            assert link.startswith(ADDRESS)
