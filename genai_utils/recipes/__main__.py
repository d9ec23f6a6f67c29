"""Train a shipped model again, or judge the shipped weights again.

python -m genai_utils.recipes NAME [--steps N] [--seed S] [--resume] [--out FOLDER]
python -m genai_utils.recipes verify [NAME ...]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from genai_utils import recipes
from genai_utils.checks import one_of
from genai_utils.recipes.ship import SEED, Recipe, planned, ship, verify
from genai_utils.zoo import ROOT


def known() -> dict[str, Recipe]:
    """All recipes by name: each file of this package may offer RECIPES."""
    modules = [import_module(f"{recipes.__name__}.{found.name}") for found in iter_modules(recipes.__path__)]
    return {recipe.model.name: recipe for module in modules for recipe in getattr(module, "RECIPES", [])}


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns: 1 if a card is not confirmed, else 0."""
    parser = _parser()
    args = parser.parse_args(arguments)
    first, *others = args.names
    try:
        if first == "verify":
            return max([differs(named(name)) for name in others or sorted(known())])
        if others:
            raise ValueError(f"one model at a time, got {', '.join(args.names)}")
        job = planned(named(first), args.steps, args.seed, args.resume, args.out)
    except ValueError as error:
        parser.error(str(error))
    try:
        if card := ship(job):
            print(card)
    except KeyboardInterrupt:
        parser.exit(130, "stopped; the same command with --resume goes on\n" if job.checkpoints() else "stopped\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "genai_utils.recipes", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="+", metavar="NAME", help=f"verify, or one of {', '.join(sorted(known()))}")
    parser.add_argument("--steps", type=int, help="of each run; default: as shipped")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint of an interrupted training")
    parser.add_argument("--out", type=Path, default=ROOT, help="folder for a zoo of your own; default: the package's")
    return parser


def named(name: str) -> Recipe:
    """The recipe of a model.  Raises: ValueError: unknown; names the nearest."""
    one_of(sorted(known()), recipe=name)
    return known()[name]


def differs(recipe: Recipe) -> int:
    """Judge again and say what was found.  Returns: 1 if something differs, else 0."""
    differences = verify(recipe)
    count = f"{len(differences)} lines differ" if differences else "hash and card confirmed"
    print("\n".join([f"{recipe.model.name}: {count}", *differences]), flush=True)
    return int(bool(differences))


if __name__ == "__main__":
    sys.exit(main())
