"""Print the built site as one PDF: `make pdf`, or python -m tools.pdf [PAGE ...].

Chromium prints each page, tagged, with the print style of book/_static/course.css; here they become one book with
outline, page numbers, links that lead within the book, and the tags and alt texts that screen readers read.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote

import yaml
from playwright.sync_api import BrowserContext, sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NullObject,
    NumberObject,
    TextStringObject,
)

ROOT = Path(__file__).resolve().parents[1]
OUT = "_build/book.pdf"
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
READY = """async () => {
  if (document.querySelector('script[src*="mathjax"]')) await MathJax.startup.promise;
  document.querySelectorAll('img[loading=lazy]').forEach((image) => { image.loading = 'eager'; });
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
}"""
# The headings as a reader sees them: without the mark that links to them, formulas as their source.
HEADINGS = """() => [...document.querySelectorAll('article :is(h1, h2, h3)')].filter((node) => node.checkVisibility())
  .map((node) => {
    const copy = node.cloneNode(true);
    copy.querySelectorAll('.headerlink, mjx-assistive-mml').forEach((mark) => mark.remove());
    return [Number(node.tagName[1]), copy.textContent.replace(/\\s+/g, ' ').trim()];
  })"""
FOOT = "Helvetica"
# Chromium writes down where an anchor stands if a link on its page leads there.
LINKED = """names => document.body.append(...names.map((name) => {
  const link = Object.assign(document.createElement('a'), { hidden: true });
  link.setAttribute('href', '#' + name);
  return link;
}))"""
HREF = re.compile(r'href="([^"#:]*)#([^"]+)"')
Heading = tuple[int, str, int]  # level, words, sheet counted from 0
Places = dict[tuple[str, str], tuple[int, float]]  # (page, anchor) -> sheet, height on it; the anchor "" is its top


class PdfError(Exception):
    """The book could not be printed; the message says what to do."""


@dataclass(frozen=True)
class Printed:
    """One page of the site on paper."""

    page: str
    part: str
    content: bytes
    headings: list[tuple[int, str]]


def pages(root: Path) -> dict[str, str]:
    """The pages of the site in their order, each with the part of the book that it is in."""
    contents = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    listed = {entry["file"]: part["caption"] for part in contents["parts"] for entry in part["chapters"]}
    return {contents["root"]: "", **listed}


def anchors(site: Path, names: Iterable[str]) -> dict[str, list[str]]:
    """For each of some pages the anchors that links on any of them lead to."""
    wanted: dict[str, set[str]] = {name: set() for name in names}
    for name in wanted:
        for path, anchor in HREF.findall((site / f"{name}.html").read_text(encoding="utf-8")):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else f"{name}.html"
            wanted.get(target.removesuffix(".html"), set()).add(anchor)
    return {name: sorted(found) for name, found in wanted.items()}


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and stays silent."""

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The address of a folder, which is served on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()


@contextmanager
def window() -> Iterator[BrowserContext]:
    """A window of Chromium.  Raises: PdfError: there is none."""
    path = shutil.which("chromium")
    if path is None:
        raise PdfError("there is no chromium: `sudo make system` installs it on Debian")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield browser.new_context(color_scheme="light", viewport={"width": 900, "height": 1200})
        browser.close()


def printed(chromium: BrowserContext, address: str, page: str, part: str, wanted: list[str]) -> Printed:
    """Print one page of the site.  Args: wanted: the anchors that something leads to."""
    tab = chromium.new_page()
    tab.set_default_timeout(120_000)
    tab.emulate_media(media="print")
    tab.goto(f"{address}{page}.html", wait_until="load")
    tab.evaluate(READY)
    headings = [(int(level), str(words)) for level, words in tab.evaluate(HEADINGS)]
    tab.evaluate(LINKED, wanted)
    content = tab.pdf(outline=True, tagged=True, prefer_css_page_size=True, print_background=True)
    tab.close()
    return Printed(page, part, content, headings)


def join(printed: Sequence[Printed], address: str, title: str) -> PdfWriter:
    """One PDF of all pages.  Args: address: of the site that was printed; links to it become links in the book."""
    book, part, above = PdfWriter(), "", None
    tags, targets, own = Tags(book), Places(), []
    for each in printed:
        start, reader = len(book.pages), PdfReader(BytesIO(each.content))
        book.append(reader, import_outline=False)
        tags.add(reader, start)
        targets |= places(each.page, reader, start)
        own += [each.page] * len(reader.pages)
        if each.part != part:
            part, above = each.part, book.add_outline_item(title=each.part, page_number=start)
        outline(book, above, [*headings(each.headings, reader, start)])
    tags.close()
    for number, (page, sheet) in enumerate(zip(own, book.pages, strict=True), 1):
        lead_within(book, sheet, page, address, targets)
        number_it(book, sheet, number)
    book.root_object.pop("/Names", None)  # of anchors, which several pages have by the same name
    book.root_object[NameObject("/Lang")] = TextStringObject("en")
    book.add_metadata({"/Title": title})
    book.compress_identical_objects()
    return book


def places(page: str, reader: PdfReader, start: int) -> Places:
    """Where the anchors of a page stand."""
    found = {(page, ""): (start, 1e4)}
    for name, target in reader.named_destinations.items():
        sheet = reader.get_destination_page_number(target)
        if sheet is not None and name != "/":
            found[page, name.lstrip("/")] = (start + sheet, float(target.top or 1e4))
    return found


def headings(found: list[tuple[int, str]], reader: PdfReader, start: int) -> Iterator[Heading]:
    """The headings of a page with the sheets on which Chromium's own outline has them."""
    sheets = list(flat(reader.outline, reader))
    if len(sheets) != len(found):
        raise PdfError(f"Chromium found {len(sheets)} headings and the page has {len(found)}: {found[:1]}")
    yield from ((level, words, start + sheet) for (level, words), sheet in zip(found, sheets, strict=True))


def flat(outline: list[Any], reader: PdfReader) -> Iterator[int]:
    """The sheets that the entries of an outline lead to, in order."""
    for entry in outline:
        if isinstance(entry, list):
            yield from flat(entry, reader)
        else:
            yield reader.get_destination_page_number(entry) or 0


def outline(book: PdfWriter, above: Any, headings: list[Heading]) -> None:
    """Add the headings of a page to the outline, each below the last one of a higher level."""
    parents: dict[int, Any] = {0: above}
    for level, words, sheet in headings:
        parent = parents[max(each for each in parents if each < level)]
        parents = {each: entry for each, entry in parents.items() if each < level}
        parents[level] = book.add_outline_item(title=words, page_number=sheet, parent=parent, is_open=False)


def lead_within(book: PdfWriter, sheet: Any, page: str, address: str, targets: Places) -> None:
    """Let links of a sheet lead to places in the book; what leads to a file of the site that is no page is no link."""
    for reference in sheet.get("/Annots", []):
        link = reference.get_object()
        address_or_name = str(link.get("/A", {}).get("/URI") or link.get("/Dest", ""))
        if address_or_name.startswith(address):
            name, _, anchor = address_or_name.removeprefix(address).partition("#")
        elif "/Dest" in link:
            name, anchor = page, address_or_name.lstrip("/")
        else:
            continue
        link.pop("/A", None)
        link.pop("/Dest", None)
        name = name.removesuffix(".html")
        if target := targets.get((name, unquote(anchor))) or targets.get((name, "")):
            link[NameObject("/Dest")] = to(book, *target)


def to(book: PdfWriter, sheet: int, height: float) -> ArrayObject:
    """The address of a place in the book."""
    kind = [NameObject("/XYZ"), NumberObject(0), FloatObject(height), NullObject()]
    return ArrayObject([book.pages[sheet].indirect_reference, *kind])


def number_it(book: PdfWriter, page: Any, number: int) -> None:
    """Write the number of a sheet at its foot, as something that a screen reader leaves out."""
    fonts = page["/Resources"].get_object().setdefault(NameObject("/Font"), DictionaryObject()).get_object()
    base = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": f"/{FOOT}"}
    fonts[NameObject("/Foot")] = DictionaryObject({NameObject(key): NameObject(value) for key, value in base.items()})
    words, middle = str(number), float(page.mediabox.width) / 2
    begin, end = DecodedStreamObject(), DecodedStreamObject()
    begin.set_data(b"q\n")
    place = f"1 0 0 1 {middle - 2.2 * len(words):.1f} 26 Tm"
    end.set_data(f"\nQ\n/Artifact BMC q BT /Foot 8 Tf 0.35 g {place} ({words}) Tj ET Q EMC\n".encode())
    contents = page.get("/Contents").get_object()
    streams = list(contents) if isinstance(contents, ArrayObject) else [page.raw_get("/Contents")]
    page[NameObject("/Contents")] = ArrayObject([book._add_object(begin), *streams, book._add_object(end)])


class Tags:
    """The tags of all pages as those of one book: pypdf joins sheets, and leaves the tree of their tags out."""

    def __init__(self, book: PdfWriter) -> None:
        self.book, self.next = book, 0
        self.kids, self.numbers = ArrayObject(), ArrayObject()
        self.root = book._add_object(DictionaryObject({NameObject("/Type"): NameObject("/StructTreeRoot")}))

    def add(self, reader: PdfReader, start: int) -> None:
        """Take over the tags of a page whose sheets the book has from `start` on."""
        root: Any = reader.trailer["/Root"]
        if "/StructTreeRoot" not in root:
            return
        mine: Any = root["/StructTreeRoot"].clone(self.book)
        kids = mine["/K"].get_object()
        for kid in kids if isinstance(kids, ArrayObject) else [mine.raw_get("/K")]:
            kid.get_object()[NameObject("/P")] = self.root
            self.kids.append(kid)
        most = 0
        for key, value in self._pairs(mine["/ParentTree"].get_object()):
            self.numbers += [NumberObject(self.next + key), value]
            most = max(most, key + 1)
        for page, before in zip(self.book.pages[start:], reader.pages, strict=True):
            if "/StructParents" in before:  # pypdf leaves it out
                page[NameObject("/StructParents")] = before["/StructParents"]
            for each in (page, *(reference.get_object() for reference in page.get("/Annots", []))):
                for name in {"/StructParents", "/StructParent"} & each.keys():
                    each[NameObject(name)] = NumberObject(self.next + each[name])
        self.next += most

    def close(self) -> None:
        """Hang the tree into the book."""
        tree: Any = self.root.get_object()
        tree[NameObject("/K")] = self.kids
        numbers = DictionaryObject({NameObject("/Nums"): self.numbers})
        tree[NameObject("/ParentTree")] = self.book._add_object(numbers)
        tree[NameObject("/ParentTreeNextKey")] = NumberObject(self.next)
        self.book.root_object[NameObject("/StructTreeRoot")] = self.root
        marked = DictionaryObject({NameObject("/Marked"): BooleanObject(True)})
        self.book.root_object[NameObject("/MarkInfo")] = marked

    def _pairs(self, node: Any) -> Iterator[tuple[int, Any]]:
        numbers = node.get("/Nums", [])
        yield from ((int(numbers[place]), numbers[place + 1]) for place in range(0, len(numbers), 2))
        for kid in node.get("/Kids", []):
            yield from self._pairs(kid.get_object())


def main(wanted: Iterable[str] = (), root: Path = ROOT, site: Path | None = None, out: Path | None = None) -> int:
    """Print these pages of the built site, or all, into one PDF.  Returns: exit status."""
    known, site, out = pages(root), site or root / "_build/html", out or root / OUT
    names = list(wanted) or list(known)
    missing = [name for name in names if not (site / f"{name}.html").exists()]
    if missing:
        print(f"{site} has no {', '.join(missing)}: `make book` builds the site", file=sys.stderr)
        return 1
    title = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["title"]
    started = time.monotonic()
    try:
        with served(site) as address, window() as chromium:
            wanted = anchors(site, names)
            sheets = [printed(chromium, address, name, known.get(name, ""), wanted[name]) for name in names]
        book = join(sheets, address, title)
    except PdfError as error:
        print(error, file=sys.stderr)
        return 1
    out.parent.mkdir(parents=True, exist_ok=True)
    book.write(out)
    seconds, size = time.monotonic() - started, out.stat().st_size / 1e6
    print(f"{out}: {len(names)} pages of the site on {len(book.pages)} sheets, {size:.1f} MB, {seconds:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
