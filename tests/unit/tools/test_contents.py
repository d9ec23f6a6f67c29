"""A damaged table of contents is refused with its line and the remedy."""

import pytest

from tools.contents import contents
from tools.notebooks import ROOT, Project

TOC = """\
parts:
  - caption: Start
    chapters:
      - file: book/page
  - caption: More
    chapters:
      - file: notebooks/b
      - file: notebooks/a
"""


@pytest.fixture
def read(tmp_path):
    """The chapters of a course with this table of contents."""

    def chapters(toc: bytes) -> list[str]:
        (tmp_path / "_toc.yml").write_bytes(toc)
        return contents(tmp_path)

    return chapters


def test_chapters_come_in_the_order_of_the_contents_and_pages_are_none(read):
    assert read(TOC.encode()) == ["b", "a"]


def test_the_contents_of_the_course_are_its_chapters():
    assert sorted(contents(ROOT)) == Project(ROOT).names


DAMAGE = {
    "a byte order mark": (b"parts", b"\xef\xbb\xbfparts", 1, "byte order mark; save it as UTF-8"),
    "Latin-1": (b"More", b"M\xe9r", 5, "byte 0xe9 is not UTF-8; save it as UTF-8"),
    "lines of Windows": (b"\n", b"\r\n", 1, r"Unix line ends \(LF\)"),
    "a tab": (b"      - file: notebooks/a", b"\t- file: notebooks/a", 8, "it is no YAML: .*'\\\\t'"),
    "no parts": (b"parts:", b"chapter:", 1, "needs `parts:` and below it a list of parts, got .'chapter'"),
    "empty parts": (TOC.encode(), b"parts:\n", 1, "needs `parts:` and below it a list"),
    "parts that are words": (
        TOC.encode(),
        b"parts: some\n",
        1,
        "needs `parts:` and below it a list of parts, got .'parts'",
    ),
    "nothing": (TOC.encode(), b"", 1, "needs `parts:` and below it a list of parts, got None"),
    "a part of words": (b"caption: Start\n    chapters:\n      - file: book/page", b"Start", 1, "needs `chapters:`"),
    "a part without chapters": (b"chapters:\n      - file: book/page", b"x: 1", 2, "needs `chapters:` and below it"),
    "chapters twice": (b"caption: More", b"chapters: []", 5, "'chapters' stands there twice"),
    "a chapter that is a word": (b"file: notebooks/a", b"notebooks/a", 5, "'notebooks/a' names no file; write `"),
    "a chapter without file": (b"file: notebooks/a", b"flie: notebooks/a", 8, "names no file; write `- file: "),
    "a file that is a number": (b"file: notebooks/a", b"file: 7", 8, "names no file; write `- file: notebooks/NAME`"),
    "a chapter twice": (b"notebooks/a", b"notebooks/b", 8, "notebooks/b stands in line 7 already; take one out"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_contents_are_refused_with_file_line_and_remedy(damage, read):
    old, new, line, words = DAMAGE[damage]
    assert old in TOC.encode()
    with pytest.raises(ValueError, match=f"_toc.yml, line {line}: .*{words}") as caught:
        read(TOC.encode().replace(old, new))
    assert "\n" not in str(caught.value)
