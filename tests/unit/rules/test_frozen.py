"""What is written down stays as it was written: no dataclass of the package lets its fields be changed."""

from dataclasses import is_dataclass
from importlib import import_module
from inspect import getmembers

import pytest

import genai_utils
from tools.notebooks import ROOT

ROOMS = ("business", "metrics", "models", "records")
FILES = [path for room in ROOMS for path in sorted((ROOT / "genai_utils" / room).glob("[!_]*.py"))]
MODULES = [import_module(".".join((genai_utils.__name__, path.parent.name, path.stem))) for path in FILES]
KINDS = {kind for module in MODULES for _, kind in getmembers(module, is_dataclass) if isinstance(kind, type)}


@pytest.mark.parametrize("kind", sorted(KINDS, key=str), ids=lambda kind: kind.__name__)
def test_its_fields_cannot_be_changed(kind):
    assert kind.__dataclass_params__.frozen
