"""Check the files of the zoo against the catalogue.

python -m genai_utils.zoo verify [NAME ...]

`python -m genai_utils.recipes verify` also judges the models again and compares with the numbers in their cards.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from genai_utils.zoo.catalogue import ENTRIES, WEIGHTS, card, load, names


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns: 1 if a file is missing or another one, else 0."""
    parser = argparse.ArgumentParser(
        "genai_utils.zoo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["verify"])
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    try:
        print("\n".join(map(checked, parser.parse_args(arguments).names or names())))
    except (OSError, ValueError) as error:
        print(error.args[0], file=sys.stderr)
        return 1
    return 0


def checked(name: str) -> str:
    """What a model weighs.  Raises: OSError, ValueError: unknown, missing, another file or card."""
    size = sum(p.numel() for p in load(name).parameters())
    if ENTRIES[name].sha256 not in card(name):
        raise ValueError(f"the card of {name} does not state the sha256 of its weights")
    stored = (WEIGHTS / f"{name}.safetensors").stat().st_size
    return f"{name:<20} {size:>9,} parameters in {stored:>9,} bytes, sha256 as in catalogue and card"


if __name__ == "__main__":
    sys.exit(main())
