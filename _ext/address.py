"""While the address of the repository is a placeholder, no button leads to it; Colab then opens the page that helps."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

PLACEHOLDER = ".invalid"  # a top-level domain that nobody can ever register (RFC 2606)
HELP = ("book/how-to-use", "#run-in-colab-from-a-file")


def drop_buttons(app: Sphinx, config: Config) -> None:
    """Switch off, before the theme reads them, all buttons that would lead to the placeholder."""
    theme = config.html_theme_options
    if theme["repository_url"].endswith(PLACEHOLDER):
        theme |= {"repository_url": "", "use_repository_button": False, "use_issues_button": False}
        theme["launch_buttons"] = {}
        app.connect("html-page-context", add_help, priority=502)  # after the theme's own buttons


def add_help(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Put the entry for Colab where the theme has it; it leads to the section on running a chapter from a file."""
    if context.get("page_source_suffix") == ".ipynb":
        docname, section = HELP
        entry = {
            "type": "link",
            "text": "Colab",
            "tooltip": "Run in Colab from a file",
            "icon": "_static/images/logo_colab.png",
            "url": context["pathto"](docname) + section,
        }
        group = {"type": "group", "tooltip": "Launch interactive content", "icon": "fas fa-rocket", "buttons": [entry]}
        context["header_buttons"].insert(0, group | {"label": "launch-buttons"})


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the hook."""
    app.connect("config-inited", drop_buttons)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
