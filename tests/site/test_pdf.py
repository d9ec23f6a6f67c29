"""Three pages of the built site become one PDF with outline, page numbers, alt texts and links within it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from browsing import HTML, parsed
from pypdf import PdfReader

from tools import pdf

PAGES = ("notebooks/rules", "notebooks/vae-bound", "book/appendix/faq")
pytestmark = pytest.mark.xdist_group("pdf")  # printed once


@pytest.fixture(scope="module")
def book(site, tmp_path_factory) -> PdfReader:
    """The PDF of three pages: folded for managers, with mathematics, and of the appendix."""
    out = tmp_path_factory.mktemp("pdf") / "book.pdf"
    with ThreadPoolExecutor(1) as apart:  # another browser may be open in this thread
        assert apart.submit(pdf.main, PAGES, site=HTML, out=out).result() == 0
    return PdfReader(out)


@pytest.fixture(scope="module")
def words(book) -> list[str]:
    """The words of each sheet; two letters that are printed as one are two again."""
    return [normalize("NFKC", sheet.extract_text()) for sheet in book.pages]


def titles(outline: list[Any], level: int = 0) -> list[tuple[int, str]]:
    """The entries of an outline with their depth."""
    found: list[tuple[int, str]] = []
    for entry in outline:
        found += titles(entry, level + 1) if isinstance(entry, list) else [(level, entry.title)]
    return found


def heading(page: str, tag: str) -> list[str]:
    """The headings of a page of the site, as a reader sees them."""
    found = parsed(f"{page}.html").select_one("article").select(tag)
    return [" ".join(each.get_text().removesuffix("#").split()) for each in found]


def test_the_outline_has_parts_chapters_and_sections_by_their_titles(book):
    found = titles(book.outline)
    assert [title for level, title in found if level == 0] == [pdf.pages(pdf.ROOT)[page] for page in PAGES]
    for page in PAGES:
        (chapter,) = heading(page, "h1")
        place = found.index((1, chapter))
        below = [title for level, title in found[place + 1 :] if level == 2]
        sections = [title for title in heading(page, "h2") if "\\" not in title]
        assert len(sections) >= 3 and sections[0] in below and sections[-1] in below


def test_each_entry_of_the_outline_leads_to_the_sheet_with_its_words(book, words):
    below = [entry for part in book.outline if isinstance(part, list) for entry in part]
    entries = [entry for entry in below if not isinstance(entry, list)]
    for entry in entries:
        sheet = words[book.get_destination_page_number(entry)]
        assert "".join(entry.title.split())[:20] in "".join(sheet.split())


def test_every_sheet_bears_its_number(words):
    assert [sheet.split()[-1] for sheet in words] == [str(number) for number in range(1, len(words) + 1)]


def test_words_results_and_verdicts_are_there_and_folded_code_is_not(words):
    text = "\n".join(words)
    assert "Question." in text and ("✓ supported" in text or "~ depends" in text)
    assert "gu.start(" not in text and "Install and start" not in text and "#@title" not in text


def test_links_lead_within_the_book_or_to_the_world(book):
    links = [link.get_object() for sheet in book.pages for link in sheet.get("/Annots", [])]
    addresses = [str(link["/A"]["/URI"]) for link in links if "/URI" in link.get("/A", {})]
    assert any(address.startswith("https://") for address in addresses)
    assert not [address for address in addresses if "127.0.0.1" in address or address.startswith("file:")]
    within = [link["/Dest"] for link in links if "/Dest" in link]
    sheets = {sheet.indirect_reference.idnum for sheet in book.pages}
    assert within and all(target[0].idnum in sheets and target[1] == "/XYZ" for target in within)
    assert len({float(target[3]) for target in within}) > 3  # they lead to headings, not only to first sheets


def figures(node: Any) -> list[Any]:
    """The figures among the tags of a PDF."""
    node = node.get_object()
    if isinstance(node, list):
        return [found for each in node for found in figures(each)]
    if not isinstance(node, dict):
        return []
    return [node] * (node.get("/S") == "/Figure") + (figures(node["/K"]) if "/K" in node else [])


def test_tags_and_alt_texts_are_those_of_the_pages(book):
    alts = {image["alt"] for page in PAGES for image in parsed(f"{page}.html").select(".cell_output img")}
    tree = book.trailer["/Root"]["/StructTreeRoot"]
    assert alts and alts <= {str(found.get("/Alt")) for found in figures(tree["/K"])}
    sheets = {sheet.indirect_reference.idnum for sheet in book.pages}
    assert all(found.raw_get("/Pg").idnum in sheets for found in figures(tree["/K"]) if "/Pg" in found)
    numbers = tree["/ParentTree"]["/Nums"][::2]
    assert numbers == sorted(set(numbers))
    assert {sheet["/StructParents"] for sheet in book.pages} <= set(numbers)
    assert book.trailer["/Root"]["/MarkInfo"]["/Marked"] and book.trailer["/Root"]["/Lang"] == "en"


def test_a_site_that_is_not_built_is_named(tmp_path, capsys):
    assert pdf.main(site=tmp_path, out=tmp_path / "book.pdf") == 1
    assert "`make book` builds the site" in capsys.readouterr().err and not (tmp_path / "book.pdf").exists()


def test_without_chromium_it_says_what_to_do(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("shutil.which", lambda name: None)
    (tmp_path / "book").mkdir()
    (tmp_path / "book/intro.html").touch()
    assert pdf.main(["book/intro"], site=tmp_path, out=Path(tmp_path, "book.pdf")) == 1
    assert "sudo make system" in capsys.readouterr().err
