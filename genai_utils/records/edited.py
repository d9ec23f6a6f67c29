"""Files that people edit, read strictly: whatever an editor did to one, a sentence names file, line and remedy."""

from __future__ import annotations

from pathlib import Path

from genai_utils import checks

_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")  # of UTF-8 and UTF-16


def text_of(path: Path) -> str:
    """The text of a file in UTF-8, without a byte order mark, whose lines end in LF alone.

    Raises: ValueError: it is written otherwise.  OSError: it cannot be read.  TypeError: no path.
    """
    checks.of_type(Path, path=path)
    content = path.read_bytes()
    if content.startswith(_MARKS):
        raise fault(path, 1, "begins with a byte order mark; save it as UTF-8 without one")
    if (place := content.find(b"\r")) >= 0:
        raise fault(path, _line(content, place), "ends as on Windows; save the file with Unix line ends (LF)")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = f"byte 0x{content[error.start]:02x} is not UTF-8; save it as UTF-8"
        raise fault(path, _line(content, error.start), problem) from error


def fault(path: Path, line: int, problem: str) -> ValueError:
    """The error to raise about a line of a file.  problem: what is wrong there, and what to do about it.

    Raises: TypeError, ValueError: no path, line or words.
    """
    checks.of_type(Path, path=path)
    checks.whole(1, line=line)
    checks.of_type(str, problem=problem)
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return ValueError(f"{shown}, line {line}: {problem}")


def _line(content: bytes, place: int) -> int:
    return content.count(b"\n", 0, place) + 1
