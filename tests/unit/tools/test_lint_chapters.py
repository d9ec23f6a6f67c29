"""The Python of chapters is linted, and its faults are named by the lines of their texts."""

import re

import pytest

from tools import lint_chapters

CHAPTER = """\
# A chapter

import this line is prose

```python tags=["setup"]
%pip install -q course
import math
!ls
```

```python
{code}
```

```bash
x = lambda: 1
```
"""
FAULTS = {
    "F401": "import os; print(math.pi)",
    "F821": "print(math.pi, unknown)",
    "B023": "for x in [math.pi]:\n    [].append(lambda: x)",
    "E501": f"print(math.pi, {'1' * 90})",
    "E731": "double = lambda x: 2 * math.pi",
}


@pytest.fixture
def lint(tmp_path, capsys):
    """Lint a chapter with this code; gives the exit status and what was printed."""
    (tmp_path / "book/chapters").mkdir(parents=True)

    def run(code: str, *options: str) -> tuple[int, str]:
        (tmp_path / "book/chapters/tiny.md").write_text(CHAPTER.format(code=code))
        return lint_chapters.main([*options], tmp_path), capsys.readouterr().out

    return run


@pytest.mark.parametrize("rule", FAULTS)
def test_a_fault_is_named_with_its_line_in_the_text(lint, rule):
    status, printed = lint(FAULTS[rule], "tiny")
    line = 12 + FAULTS[rule].count("\n")
    assert status == 1 and printed.startswith(f"book/chapters/tiny.md:{line}:") and printed.count("\n") == 1
    assert f" {rule} " in printed


def test_a_good_chapter_passes_in_silence_with_magics_prose_and_other_languages(lint):
    assert lint("print(math.pi)\nmath.pi") == (0, "")


def test_a_rule_can_be_left_out(lint):
    assert lint(FAULTS["E501"], "--ignore", "E501") == (0, "")


def test_code_that_is_no_python_is_named_too(lint):
    status, printed = lint("print(")
    assert status == 1 and "invalid-syntax" in printed


def test_a_rule_that_ruff_does_not_know_is_an_error(lint):
    with pytest.raises(RuntimeError, match="unknown|Unknown"):
        lint("print(math.pi)", "--ignore", "no-rule")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (b"this line", b"this l\xefne", "line 3: byte 0xef is not UTF-8; save it as UTF-8"),
        (b"# A chapter", b"\xef\xbb\xbf# A chapter", "line 1: begins with a byte order mark; save it as UTF-8 without"),
        (b"\n", b"\r\n", r"line 1: ends as on Windows; save the file with Unix line ends \(LF\)"),
    ],
)
def test_a_chapter_in_another_encoding_is_named_with_its_line(old, new, fault, lint, tmp_path, capsys):
    lint("print(math.pi)")
    text = tmp_path / "book/chapters/tiny.md"
    text.write_bytes(text.read_bytes().replace(old, new))
    assert lint_chapters.main([], tmp_path) == 1
    assert re.search(rf"tiny\.md, {fault}.*\n$", capsys.readouterr().out)
