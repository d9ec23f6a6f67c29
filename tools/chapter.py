"""Begin a chapter: a text that runs and obeys the contract, a test of its equation, and its places in the contents.

    make chapter NAME=my-topic [TITLE="My topic"] [PART="The question"]

It writes book/chapters/NAME.md and tests/equations/test_NAME.py from tools/template, and a line into _toc.yml and
book/intro.md, below the last chapter of the part. It overwrites nothing.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import yaml

from tools.contents import contents
from tools.files import replace
from tools.notebooks import ROOT

TEMPLATE = ROOT / "tools" / "template"
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", re.ASCII)
NOTEBOOKS = "notebooks/"


def checked(name: str, root: Path) -> str:
    """Return the name of a chapter that can be begun.  Raises: ValueError: a bad name, or one that is taken."""
    if not NAME.fullmatch(name):
        raise ValueError(f"a chapter has a name like my-topic, got {name!r}; type make chapter NAME=my-topic")
    taken = [path for path in (*places(name), f"{NOTEBOOKS}{name}.ipynb") if (root / path).exists()]
    if taken or name in contents(root):
        raise ValueError(f"{name} is there already, in {', '.join(taken) or '_toc.yml'}; choose another NAME")
    return name


def places(name: str) -> tuple[str, str]:
    """Where the text of a chapter lies, and the tests of its equations."""
    return f"book/chapters/{name}.md", f"tests/equations/test_{name.replace('-', '_')}.py"


def last_of(part: str, root: Path) -> str:
    """Name of the last chapter of a part; of the last part that has any, if none is named.  Raises: ValueError."""
    parts = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    files = {each["caption"]: [entry["file"] for entry in each["chapters"]] for each in parts}
    last = {caption: names[-1] for caption, names in files.items() if names[-1].startswith(NOTEBOOKS)}
    if part and part not in last:
        raise ValueError(f"no part {part!r} with chapters in _toc.yml; there are {', '.join(map(repr, last))}")
    return last[part or list(last)[-1]].removeprefix(NOTEBOOKS)


def with_line_below(path: Path, above: str, line: str) -> str:
    """Content of a file with a line more, below the one that matches.  Raises: ValueError if not exactly one does."""
    text, found = re.subn(rf"^{above}$", lambda it: f"{it[0]}\n{line}", path.read_text(encoding="utf-8"), flags=re.M)
    if found != 1:
        raise ValueError(f"{path.name} has {found} lines like {above!r}, and needs one: the new chapter comes below it")
    return text


def begin(name: str, title: str, part: str, root: Path) -> str:
    """Write all files of a new chapter.  Returns: the chapter before it.  Raises: ValueError; then none is written."""
    last = last_of(part, root)
    new = listed(checked(name, root), title, last, root) | written(name, title, root)
    for path, content in new.items():
        replace(path, content.encode())
    return last


def listed(name: str, title: str, last: str, root: Path) -> dict[Path, str]:
    """The contents and the landing page, with the chapter below the last one of its part."""
    toc, intro, last = root / "_toc.yml", root / "book" / "intro.md", re.escape(NOTEBOOKS + last)
    entry, link = f"      - file: {NOTEBOOKS}{name}", f"- [{title}](../{NOTEBOOKS}{name}.ipynb): in one sentence."
    return {
        toc: with_line_below(toc, rf" *- file: {last}", entry),
        intro: with_line_below(intro, rf"- \[.*\]\(\.\./{last}\.ipynb\).*", link),
    }


def written(name: str, title: str, root: Path) -> dict[Path, str]:
    """The text of the chapter and the test of its equation."""
    templates = [(TEMPLATE / file).read_text(encoding="utf-8") for file in ("chapter.md", "equations.py")]
    texts = [template.replace("NAME", name).replace("TITLE", title) for template in templates]
    return {root / place: text for place, text in zip(places(name), texts, strict=True)}


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Run the command line: name, title, part; the last two may be empty.  Returns: the exit status, 1 if refused."""
    name, title, part = map(str.strip, arguments)
    try:
        last = begin(name, title or name.replace("-", " ").capitalize(), part, root)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    text, test = places(name)
    print(
        f"{text} is written, and a test of its equation, {test};\n"
        f"it stands below {last} in _toc.yml and in book/intro.md.\n"
        "Next: `make notebooks` executes it. Then write what each <!-- comment --> in it asks for."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
