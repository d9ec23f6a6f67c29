"""The first cell of a notebook accepts only this course at this version, and otherwise says in one sentence what to do.

It runs in IPython with nothing of the course installed; wheels are tiny and lie in the folder of the notebook.
"""

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tools import notebooks
from tools.notebooks import ROOT, Project

VERSION = "1.2.3"
WHEEL = f"gold_mine_or_bubble-{VERSION}-py3-none-any.whl"
RUN = """\
import sys
from IPython.core.interactiveshell import InteractiveShell
done = InteractiveShell.instance().run_cell(sys.stdin.read())
if error := done.error_in_exec or done.error_before_exec:
    print(f"\\nERROR {type(error).__name__}: {error}")
"""


@pytest.fixture
def course(tmp_path) -> Project:
    """A course of that version, without an address."""
    (tmp_path / "course").mkdir()
    (tmp_path / "course/_config.yml").write_text("repository:\n  url: https://placeholder.invalid\n")
    (tmp_path / "course/pyproject.toml").write_text(f'[project]\nname = "gold-mine-or-bubble"\nversion = "{VERSION}"\n')
    return Project(tmp_path / "course")


@pytest.fixture
def folder(tmp_path) -> Path:
    """Where the notebook lies; packages are installed into `site` beside it."""
    (tmp_path / "work").mkdir()
    (tmp_path / "site").mkdir()
    return tmp_path / "work"


def module(version: str) -> str:
    """Source of our package at some version, as far as the first cell knows it."""
    return f'COURSE = "gold-mine-or-bubble {version}"\n\ndef start(seed):\n    print("started", seed)\n'


def install(folder: Path, source: str) -> None:
    """Put a package genai_utils of this source where Python finds it."""
    (folder.parent / "site/genai_utils").mkdir()
    (folder.parent / "site/genai_utils/__init__.py").write_text(source)


def write_wheel(folder: Path) -> None:
    """Write the course's wheel of this version, with nothing in it but what the first cell needs."""
    info = f"gold_mine_or_bubble-{VERSION}.dist-info"
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        wheel.writestr("genai_utils/__init__.py", module(VERSION))
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: gold-mine-or-bubble\nVersion: {VERSION}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def run(cell: str, folder: Path) -> str:
    """Run a cell in a fresh IPython.  Returns: its output."""
    site = folder.parent / "site"
    packages = sysconfig.get_path("purelib")  # as a plain folder: -S leaves the editable install of the course out
    environment = {"PYTHONPATH": f"{site}:{packages}", "PIP_TARGET": str(site), "PIP_NO_INDEX": "1"}
    environment |= {"HOME": str(folder.parent), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_CONFIG_FILE": "/dev/null"}
    done = subprocess.run([sys.executable, "-S", "-c", RUN], cwd=folder, env=environment, input=cell,
                          capture_output=True, text=True, timeout=120)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def error(output: str) -> str:
    """The error that a cell ended with."""
    assert "started" not in output
    return output.rsplit("\nERROR ", 1)[1].strip()


def test_this_version_is_accepted_as_it_is(course, folder):
    install(folder, module(VERSION))
    assert run(course.setup_cell, folder) == "started 0\n"


def test_a_missing_package_is_installed_from_the_wheel_beside_the_notebook(course, folder):
    write_wheel(folder)
    assert run(course.setup_cell, folder).endswith("started 0\n")


def test_without_the_wheel_one_sentence_says_where_to_put_it(course, folder):
    output = run(course.setup_cell, folder)
    assert WHEEL in output
    assert error(output) == f"AssertionError: {notebooks.BESIDE}"


def test_a_release_that_cannot_be_installed_is_said_to_be_missing(course, folder):
    course.root.joinpath("_config.yml").write_text("repository:\n  url: https://github.com/you/your-fork\n")
    assert f"https://github.com/you/your-fork/releases/download/v{VERSION}/{WHEEL}" in course.setup_cell
    write_wheel(folder)
    cell = course.setup_cell.replace("https://github.com/you/your-fork", f"file://{folder}/absent")
    assert error(run(cell, folder)) == f"AssertionError: {notebooks.RELEASED}"


@pytest.mark.parametrize("source", ["", "def start(seed):\n    print('started')\n", module("1.2.2"), module("1.2.30")])
def test_another_package_of_the_name_and_another_version_are_refused_with_the_remedy(course, folder, source):
    write_wheel(folder)
    install(folder, source)
    found = error(run(course.setup_cell, folder))
    assert found.startswith("ImportError: <module 'genai_utils' from ") and str(folder.parent / "site") in found
    assert f"is not gold-mine-or-bubble {VERSION}: pip uninstall -y genai-utils gold-mine-or-bubble, restart" in found


def test_the_chapters_first_cell_is_short_and_names_this_course():
    cell = Project(ROOT).setup_cell
    assert len(cell.splitlines()) <= 8 and cell.endswith("gu.start(seed=0)")
