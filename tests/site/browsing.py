"""What the tests of the site share: the built pages, a server like GitHub Pages, and what Chromium sees on a page."""

import functools
import gzip
import mimetypes
import re
from base64 import b64encode
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from playwright.sync_api import BrowserContext, Locator, Page

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build/html"
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text())
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text())
LANDING = TOC["root"] + ".html"
CHAPTERS = [entry["file"] + ".html" for part in TOC["parts"] for entry in part["chapters"]]
PAGES = [LANDING, *CHAPTERS, "search.html"]
NOTEBOOKS = [page for page in CHAPTERS if page.startswith("notebooks/")]

CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
CHROMIUM += ["--disable-component-update", "--disable-sync"]
COMPRESSED = re.compile(r"text/|application/(javascript|json|xml)|image/svg")
WIDGET = 'script[type="application/vnd.jupyter.widget-view+json"]'
EXPLORER = ".widget-subarea, .genai-explorer[data-module]"
DESK, PHONE = {"width": 1200, "height": 900}, {"width": 360, "height": 740}
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]

TYPESET = """() => document.querySelector('script[src*="mathjax"]') && MathJax.startup.promise"""
MOUNTED = f"""() => {{
  const widgets = document.querySelectorAll('{WIDGET}').length;
  const explorers = [...document.querySelectorAll('{EXPLORER}')];
  const due = widgets + document.querySelectorAll('.genai-explorer[data-module]').length;
  return explorers.filter((place) => place.querySelector('output')?.textContent).length >= due;
}}"""
FACTS = """() => ({
  images: [...document.images].map((image) => ({ alt: image.alt, html: image.outerHTML.slice(0, 120) })),
  moving: [...document.images].filter((image) => /^data:image.gif|[.]gif$/.test(image.currentSrc)).length,
  formulas: document.querySelectorAll('mjx-container').length,
  formula_errors: [...document.querySelectorAll('mjx-merror, mtext[mathcolor=red]')].map((e) => e.textContent),
  raw_formulas: [...document.querySelectorAll('.math:not(:has(mjx-container))')].map((math) => math.textContent),
})"""
# Names what sticks out, unless it lies in a box that scrolls by itself.
TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth, root = document.scrollingElement;
  if (root.scrollWidth <= width) return [];
  const scrolls = (node) => node && node !== document.body
    && (getComputedStyle(node).overflowX !== 'visible' || scrolls(node.parentElement));
  return ['page is ' + root.scrollWidth + ' wide', ...[...document.body.querySelectorAll('*')]
    .filter((node) => node.getBoundingClientRect().right > width + 1 && !scrolls(node.parentElement))
    .map((node) => node.outerHTML.slice(0, 120))];
}"""
OPEN_FOLDS = "() => document.querySelectorAll('details').forEach((fold) => { fold.open = true; })"
# axe takes half a minute over thousands of coloured tokens, glyphs and rows. Its verdict depends on tags, classes and
# attributes and on whether there is text, not on which: keep one token of each class, no glyphs (axe has no rule for
# MathML), and of a list's or table's entries of one shape one in each stripe and the last. The others stay, empty.
THIN_OUT = r"""() => {
  const seen = new Set(), known = (key) => seen.has(key) || !seen.add(key);
  for (const token of document.querySelectorAll('pre span[class]:not(:has(*))'))
    if (known(token.className)) token.replaceWith(token.textContent);
  document.querySelectorAll('pre').forEach((block) => block.normalize());
  document.querySelectorAll('mjx-math, mjx-assistive-mml math').forEach((glyphs) => glyphs.replaceChildren('formula'));
  const numbered = / (href|id|ctxtmenu_counter|data-clipboard-target)="[^"]*"/g, text = />\s*[^<\s][^<]*</g;
  const shape = (node) => node.outerHTML.replace(numbered, ' $1').replace(text, '>text<');
  const entries = [...document.querySelectorAll('tr, li, .equation-entry')];
  for (const parent of new Set(entries.map((entry) => entry.parentNode))) {
    const shapes = new Set();
    [...parent.children].slice(0, -1).forEach((entry, place) => {
      const key = `${place % 2} ${shape(entry)}`;
      if (shapes.has(key) && entries.includes(entry)) entry.replaceChildren(); else shapes.add(key);
    });
  }
  for (const button of document.querySelectorAll('.copybtn')) if (known(shape(button))) button.remove();
}"""
NEXT_FRAMES = "async () => { for (let i = 0; i < 5; i++) await new Promise(requestAnimationFrame); }"
# A group of radio buttons is one stop.
STOPS = "textarea, input:not([type=radio]), input[type=radio]:checked, select, button"
KEY = """node => ({
  range: node.value === node.max ? 'ArrowLeft' : 'ArrowRight',
  'select-one': node.selectedIndex === node.length - 1 ? 'ArrowUp' : 'ArrowDown',
  radio: 'ArrowDown', number: 'ArrowUp', button: 'Enter', textarea: 'e',
})[node.type]"""
PERCEIVED = """place => ({
  words: [...place.querySelectorAll('output, [aria-label]')].map((node) => node.textContent + node.ariaLabel),
  picture: [...place.querySelectorAll('[role=img]')].map((node) => node.toDataURL?.() ?? node.innerHTML),
})"""
# A page like those of the site, and nobody's address: what is asked of it, mount() answers.
EMPTY = "<!doctype html><html lang=en data-content_root='./'><title>Explorer</title><main></main></html>"
NOWHERE = "http://explorer.test/"
# Mounts an explorer there, with the state that a notebook would hold; its views of bytes come in base64.
MOUNT = """async ({ script, style, state, bytes }) => {
  const values = { ...state };
  for (const [name, coded] of Object.entries(bytes))
    values[name] = new DataView(Uint8Array.from(atob(coded), (letter) => letter.charCodeAt(0)).buffer);
  document.head.append(Object.assign(document.createElement("style"), { textContent: style }));
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const { default: explorer } = await import(address);
  const set = (name, value) => { values[name] = value; };
  const model = { get: (name) => values[name], set, on: () => {}, save_changes: () => {} };
  explorer.render({ model, el: document.querySelector("main") });
}"""
SETTLED = "() => Promise.all(document.getAnimations().map((animation) => animation.finished)).then(() => true)"


@cache
def body(path: str) -> tuple[bytes, str]:
    """What the server sends for a path of the site, and its type; text is compressed.  Raises: OSError."""
    file = HTML / path
    content, kind = file.read_bytes(), mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return (gzip.compress(content, 6), kind) if COMPRESSED.match(kind) else (content, kind)


class Handler(BaseHTTPRequestHandler):
    """Serves the built site as GitHub Pages does: compressed, and to be kept for ten minutes."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        try:
            content, kind = body(unquote(urlsplit(self.path).path).lstrip("/") or "index.html")
        except OSError:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "max-age=600")
        if COMPRESSED.match(kind):
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Stay silent."""


def serve() -> ThreadingHTTPServer:
    """Start the server on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    return server


@functools.cache
def parsed(page: str) -> BeautifulSoup:
    """Read a built page."""
    return BeautifulSoup((HTML / page).read_bytes(), "html.parser")


@dataclass
class Visit:
    """What happened on one page: in daylight, at phone width, with less motion, and in the dark."""

    page: str
    origin: str
    requests: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    too_wide: list[str] = field(default_factory=list)
    still_moving: int = 0
    axe: dict[str, list[str]] = field(default_factory=dict)

    @property
    def foreign(self) -> list[str]:
        """Requests that left the site."""
        return [url for url in self.requests if not url.startswith((self.origin, "data:", "blob:"))]

    @property
    def transferred(self) -> int:
        """Bytes that a first visit takes."""
        own = {urlsplit(url).path for url in self.requests if url.startswith(self.origin)}
        return sum(len(body(unquote(path).lstrip("/") or "index.html")[0]) for path in own)


def open_page(window: BrowserContext, origin: str, page: str, visit: Visit | None = None) -> Page:
    """Open a page in a tab of its own and wait until its formulas and explorers stand."""
    tab = window.new_page()
    if visit:
        tab.on("request", lambda request: visit.requests.append(request.url))
        tab.on(
            "response", lambda response: visit.failures.append(failure(response)) if response.status >= 400 else None
        )
        tab.on("console", lambda message: visit.errors.append(message.text) if message.type == "error" else None)
        tab.on("pageerror", lambda error: visit.errors.append(str(error)))
    tab.set_default_timeout(120_000)  # on a busy machine too
    tab.goto(origin + page, wait_until="load")  # a page can fall silent on the network before all of it is read
    tab.wait_for_load_state("networkidle")
    tab.evaluate(TYPESET)
    tab.wait_for_function(MOUNTED)
    return tab


def mount(window: BrowserContext, *widgets: Any, address: str = "", page: str = EMPTY) -> Page:
    """Show explorers in a tab of its own, one after the other, on a page with this end of its address."""
    tab = window.new_page()
    tab.route(NOWHERE, lambda route: route.fulfill(body=page, content_type="text/html; charset=utf-8"))
    tab.goto(NOWHERE + address)
    for widget in widgets:
        put(tab, widget)
    return tab


def put(tab: Page, widget: Any) -> None:
    """Mount an explorer on a page that is open."""
    state = {name: value for name, value in widget.get_state().items() if name[0] != "_"}
    coded = {name: b64encode(value).decode() for name, value in state.items() if isinstance(value, bytes)}
    own = {"state": {name: state[name] for name in state.keys() - coded.keys()}, "bytes": coded}
    tab.evaluate(MOUNT, {"script": str(widget._esm), "style": str(widget._css)} | own)


def failure(response: Any) -> str:
    """Status and address."""
    return f"{response.status} {response.url}"


def look_at(window: BrowserContext, origin: str, page: str) -> Visit:
    """Visit one page once and write down everything that a test asks for."""
    visit = Visit(page, origin)
    tab = open_page(window, origin, page, visit)
    visit.facts = tab.evaluate(FACTS)
    tab.emulate_media(reduced_motion="reduce")
    tab.evaluate(NEXT_FRAMES)
    visit.still_moving = tab.evaluate(FACTS)["moving"]
    tab.evaluate(OPEN_FOLDS)
    tab.set_viewport_size(PHONE)
    visit.too_wide = tab.evaluate(TOO_WIDE)
    tab.set_viewport_size(DESK)
    tab.evaluate(THIN_OUT)
    visit.axe["light"] = violations(tab, {"runOnly": WCAG})
    tab.emulate_media(color_scheme="dark")
    tab.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    tab.wait_for_function(SETTLED)
    visit.axe["dark"] = violations(tab, {"runOnly": ["color-contrast", "link-in-text-block"]})  # what colours decide
    tab.close()
    return visit


def violations(tab: Page, options: dict[str, Any], part: str | None = None) -> list[str]:
    """Breaches of WCAG 2.0 and 2.1, A and AA, on a page or a part of it, one a line; the theme needs no exceptions."""
    found = Axe().run(tab, context=part, options={**options, "resultTypes": ["violations"], "preload": False}).response
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))} {node['html'][:120]} {node['failureSummary'][:200]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def press_every_control(tab: Page, place: Locator) -> None:
    """Go through an explorer by Tab and press a key on each control: words and picture must follow."""
    stops = place.locator(STOPS).all()
    assert len(stops) >= 2
    stops[0].focus()
    for stop in stops:
        name = stop.evaluate("node => node.labels[0]?.firstChild.textContent ?? node.type")
        assert stop.evaluate("node => node === document.activeElement"), f"Tab does not lead to {name}"
        before = place.evaluate(PERCEIVED)
        tab.keyboard.press(stop.evaluate(KEY))
        tab.evaluate(NEXT_FRAMES)
        after = place.evaluate(PERCEIVED)
        assert after["picture"] != before["picture"], f"{name} changes no picture"
        if name != "button":
            assert after["words"] != before["words"], f"{name} changes no words"
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.tabIndex === 0 && document.activeElement.matches('div')"):
            tab.keyboard.press("Tab")  # a box that scrolls
