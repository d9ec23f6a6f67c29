"""The HTML of a deck: one file a chapter, which needs nothing but the folder `vendor` beside it."""

from __future__ import annotations

import html
import re
from pathlib import Path

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from tools.deck.parts import Slide

HERE = Path(__file__).parent
PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: slides</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="vendor/reveal/reveal.css">
<link rel="stylesheet" href="vendor/deck.css">
</head>
<body>
<div class="reveal"><div class="slides">
{slides}
</div></div>
<script src="vendor/reveal/reveal.js"></script>
<script src="vendor/reveal/notes.js"></script>
<script src="vendor/deck.js"></script>
<script src="vendor/mathjax/tex-mml-chtml.js" defer></script>
</body>
</html>
"""
PNG, BETWEEN = "data:image/png;base64,", "\n\n"
MARK = {"✓": "supported", "✗": "refuted", "~": "depends"}


def formula(content: str, options: dict[str, bool]) -> str:
    """A formula between the marks that MathJax looks for."""
    left, right = (r"\[", r"\]") if options.get("display_mode") else (r"\(", r"\)")
    return html.escape(left + content + right)


MARKDOWN = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin, renderer=formula, double_inline=True)


def deck(title: str, slides: list[Slide]) -> str:
    """The page of a chapter's slides."""
    sections = "\n".join(section(slide, first=place == 0) for place, slide in enumerate(slides))
    return PAGE.format(title=html.escape(plain(title)), slides=sections)


def section(slide: Slide, first: bool) -> str:
    """One slide; the notes stand in the element that the speaker's window reads."""
    level = 1 if first else 2
    body = rendered(("\n" if slide.kind == "claims" else BETWEEN).join(slide.text)) + slide.html
    return "".join(
        [
            f'<section class="{slide.kind}">',
            f"<h{level}>{inline(slide.heading)}</h{level}>",
            slide.picture and f'<img src="{PNG}{slide.picture.strip()}" alt="{html.escape(slide.alt)}">',
            body and f'<div class="words">{body}</div>',
            slide.name and f'<p class="name">{slide.name}</p>',
            f'<aside class="notes">{rendered(BETWEEN.join(slide.notes))}</aside>' if slide.notes else "",
            "</section>",
        ]
    )


def rendered(markdown: str) -> str:
    """Markdown as HTML; a link within the book is words, since a deck travels without the book."""
    words = MARKDOWN.render(markdown)
    words = re.sub(r'<a href="(?!https?:)[^"]*">(.*?)</a>', r"\1", words, flags=re.DOTALL)
    return re.sub(r"<strong>([✓✗~]) ", lambda mark: f'<strong class="{MARK[mark[1]]}">{mark[1]} ', words)


def inline(markdown: str) -> str:
    """Words of a heading as HTML."""
    return rendered(markdown).strip().removeprefix("<p>").removesuffix("</p>")


def plain(markdown: str) -> str:
    """Words without marks."""
    return re.sub(r"[*`$]", "", markdown)
