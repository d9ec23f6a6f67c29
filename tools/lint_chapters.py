"""Lint the Python of the chapters as code, and name what is wrong by the lines of their texts.

    python -m tools.lint_chapters               every chapter; exit 1 if anything is wrong
    python -m tools.lint_chapters NAME ...      these chapters
    python -m tools.lint_chapters --ignore E501 leave a rule out

Its messages lead an editor to the place: book/chapters/NAME.md:LINE:COLUMN: RULE what is wrong.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from genai_utils.records.edited import text_of
from tools.notebooks import ROOT, Project

RULES = "F,B,E501,E731"
# In a chapter a default may name its budget (B008), a last line shows its value (B018), and zip stays short (B905).
LEFT_OUT = "B008,B018,B905"
RUFF = [sys.executable, "-m", "ruff", "check", "--isolated", "--quiet", "--output-format=concise", "--line-length=100"]
MAGIC = re.compile(r"^(\s*)[%!].*", re.MULTILINE)


def without_magics(source: str) -> str:
    """Python of a cell, in as many lines: `%pip install` and `!ls` are words to Jupyter alone."""
    return MAGIC.sub(r"\1pass", source)


def code(text: str) -> str:
    """Python of a chapter, each line at the number that it has in the text; all other lines are empty."""
    lines, inside = [], False
    for line in text.splitlines():
        fence = line.startswith("```")
        inside = line.startswith("```python") if fence else inside
        lines.append(line if inside and not fence else "")
    return without_magics("\n".join(lines) + "\n")


def findings(texts: list[Path], ignored: str = "") -> list[str]:
    """What ruff finds in the code of some texts, a line each: FILE:LINE:COLUMN: RULE what is wrong.

    Raises: ValueError: a text in another encoding, or with other line ends.  OSError: one that cannot be read.
    """
    rules = [f"--select={RULES}", f"--ignore={LEFT_OUT}" + f",{ignored}" * bool(ignored)]
    with tempfile.TemporaryDirectory() as folder:
        for text in texts:
            Path(folder, f"{text.stem}.py").write_text(code(text_of(text)), encoding="utf-8")
        done = subprocess.run([*RUFF, *rules, "."], cwd=folder, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"ruff did not lint the chapters: {done.stderr}")
    return [re.sub(r"^(.+?)\.py:", r"book/chapters/\1.md:", line) for line in done.stdout.splitlines()]


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run the command line.  Returns: the exit status, 1 if anything was found."""
    parser = argparse.ArgumentParser(description="Lint the Python of the chapters.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="chapters; without any, all")
    parser.add_argument("--ignore", default="", metavar="RULES", help="more rules of ruff to leave out: E501,E731")
    options = parser.parse_args(arguments)
    project = Project(root)
    try:
        found = findings([project.text(name) for name in options.names or project.names], options.ignore)
    except (ValueError, OSError) as error:  # a text that cannot be read
        found = [str(error)]
    print(*found, sep="\n", end="\n" * bool(found))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
