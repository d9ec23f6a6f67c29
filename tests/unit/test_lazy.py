"""Every package offers all that lies in it, and loads it when it is first used."""

import subprocess
import sys
from importlib import import_module
from pkgutil import walk_packages

import pytest

import genai_utils as gu

MODULES = [found.name for found in walk_packages(gu.__path__, "genai_utils.") if found.name[-8:] != "__main__"]


def test_every_module_is_reached_from_the_one_name_gu_without_importing_it_first():
    paths = [name for name in MODULES if "._" not in name]
    reached = [f"assert {path.replace('genai_utils', 'gu', 1)} is sys.modules[{path!r}], {path!r}" for path in paths]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(["import sys, genai_utils as gu", *reached])], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", [name for name in MODULES if hasattr(import_module(name), "__all__")])
def test_everything_offered_exists(package):
    module = import_module(package)
    assert all(hasattr(module, name) for name in module.__all__)


@pytest.mark.parametrize(
    ("package", "name", "offers"),
    [("", "runn", "Run, .*session"), (".data", "cifar", ".*fashion_mnist"), (".metrics", "sound", "distances, .*text")],
)
def test_an_unknown_name_lists_what_there_is(package, name, offers):
    with pytest.raises(AttributeError, match=f"no '{name}'; it offers {offers}"):
        getattr(import_module(f"genai_utils{package}"), name)


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, genai_utils; sys.exit(any(m in sys.modules for m in ('torch', 'numpy', 'matplotlib')))"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
