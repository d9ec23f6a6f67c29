"""Trained weights that ship with the package: safetensors files with a checksum, a model card and a recipe each."""

from genai_utils.zoo.catalogue import ENTRIES, ROOT, WEIGHTS, Entry, build, card, load, names, seconds

__all__ = ["ENTRIES", "ROOT", "WEIGHTS", "Entry", "build", "card", "load", "names", "seconds"]
