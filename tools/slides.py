"""Make the slides of chapters from their notebooks: `make slides`, or python -m tools.slides [NAME ...].

One HTML file a chapter in _build/slides, with reveal.js and MathJax in a folder beside them, so that a deck needs no
network; at most 20 slides, made from headings, figures, equations, callouts and verdicts. S opens the speaker's notes.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import yaml

from tools.deck.page import HERE, deck
from tools.deck.parts import slides

ROOT = Path(__file__).resolve().parents[1]
OUT = "_build/slides"
VENDOR = "book/_static/vendor"
INDEX = """\
<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Slides</title><link rel="icon" href="data:,">
<style>body {{ font: 1.1rem/1.7 sans-serif; max-width: 45rem; margin: 2rem auto; padding: 0 1rem }}</style>
<h1>Slides</h1>
<p>Arrow keys turn the pages, S opens the notes, F fills the screen, O shows all slides, ? lists every key.</p>
<ol>
{entries}
</ol>
"""


def parts(root: Path) -> dict[str, str]:
    """The chapters in the order of the contents, each with the part of the book that it is in."""
    contents = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    listed = [(entry["file"], part["caption"]) for part in contents for entry in part["chapters"]]
    return {file.removeprefix("notebooks/"): part for file, part in listed if file.startswith("notebooks/")}


def vendor(root: Path, out: Path) -> None:
    """Lay beside the decks what they load.  Raises: OSError: the site's JavaScript is not in place."""
    for name in ("reveal", "mathjax"):
        shutil.copytree(root / VENDOR / name, out / "vendor" / name, dirs_exist_ok=True)
    for name in ("deck.js", "deck.css"):
        shutil.copy(HERE / name, out / "vendor" / name)


def make(root: Path, out: Path, names: Iterable[str]) -> dict[str, str]:
    """Write the decks of these chapters.  Returns: their titles by name."""
    titles = {}
    for name in names:
        made = slides(root / "notebooks" / f"{name}.ipynb", parts(root)[name])
        titles[name] = made[0].heading
        (out / f"{name}.html").write_text(deck(titles[name], made), encoding="utf-8")
        print(f"{OUT}/{name}.html: {len(made)} slides")
    return titles


def main(names: Iterable[str] = (), root: Path = ROOT, out: Path | None = None) -> int:
    """Make the decks of these chapters, or of all, and a page that lists them.  Returns: exit status."""
    known, out = parts(root), out or root / OUT
    wanted = list(names) or list(known)
    if unknown := sorted(set(wanted) - set(known)):
        print(f"no chapter {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 1
    out.mkdir(parents=True, exist_ok=True)
    try:
        vendor(root, out)
    except OSError as error:
        print(f"{error}: `python tools/vendor_assets.py` puts the JavaScript there", file=sys.stderr)
        return 1
    titles = make(root, out, wanted)
    entries = "\n".join(f'<li><a href="{name}.html">{title}</a></li>' for name, title in titles.items())
    (out / "index.html").write_text(INDEX.format(entries=entries), encoding="utf-8")
    print(f"open {out / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
