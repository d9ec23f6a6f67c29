"""In the sandbox there are Python with its packages and what the assignment offers, and nothing else of the course."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from attacks import sandbox

from tools.grading.sandbox import Sandbox
from tools.notebooks import ROOT

pytestmark = pytest.mark.usefixtures("sandboxed")
SCRIPT = """
import sys
sys.path.insert(0, {root!r})
from tools.grading.sandbox import Sandbox, why_not
assert not why_not(), why_not()
channel = Sandbox().start()
print(channel.ask({{"ask": "load", "with": [[{cell!r}]]}}, 20.0)["log"])
channel.close()
"""


def said(sandbox: Sandbox, *cells: str) -> dict:
    channel = sandbox.start()
    answer = channel.ask({"ask": "load", "with": [list(cells)]}, 20.0)
    channel.close()
    return answer


def by(python: Path, cell: str) -> str:
    """What a cell prints in the sandbox that another Python starts."""
    code = SCRIPT.format(root=str(ROOT), cell=cell)
    done = subprocess.run([python, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_packages_are_there_and_cells_for_the_shell_are_passed_over():
    cells = ("import numpy; print(numpy.arange(3).sum())", "!pip install x\n%matplotlib inline\nprint(4)", "1 +")
    answer = said(Sandbox(), *cells)
    assert answer["log"] == "3\n4\n" and list(answer["errors"]) == ["3"]


def test_an_assignment_offers_parts_of_the_course():
    cell = "from genai_utils.business import unit_economics as ue\nprint(ue.training_flop(parameters=1, tokens=1))"
    offered = ("__init__.py", "_lazy.py", "checks.py", "business")
    assert said(replace(sandbox(), offers=offered), cell)["log"] == "6.0\n"
    assert "ModuleNotFoundError" in said(sandbox(), cell)["errors"]["1"]


def test_an_environment_of_links_below_the_temporary_folder_serves_too(tmp_path):
    (tmp_path / ".venv").mkdir()
    for part in ("bin", "lib", "pyvenv.cfg"):
        (tmp_path / ".venv" / part).symlink_to(Path(sys.prefix, part))
    assert by(tmp_path / ".venv/bin/python", "import numpy; print(numpy.ones(3).sum())") == "3.0"


IMPORTS = """
import importlib
for name in ("other", "genai_utils"):
    try:
        print(importlib.import_module(f"{name}.secret").x)
    except ImportError:
        print("hidden")
"""


def test_where_the_course_is_installed_as_a_package_it_is_hidden(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    (folder,) = (tmp_path / "env/lib").glob("python*/site-packages")
    for package in ("genai_utils", "other"):
        (folder / package).mkdir()
        (folder / package / "secret.py").write_text("x = 1")
    assert by(tmp_path / "env/bin/python", IMPORTS) == "1\nhidden"
