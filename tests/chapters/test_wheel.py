"""Each notebook gives its stored results again, alone in an empty folder, with nothing but the built wheel."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tools.notebooks import ROOT, Project

COURSE = Project(ROOT)
CELL_SECONDS = 300
WHEEL_BYTES = 12_000_000


def python(*arguments: object, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, without the settings of the pytest that runs this test."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=clean | environment, capture_output=True, text=True)


def pip(*arguments: object, folder: Path) -> None:
    """Run pip in a folder; what it says is the error if it fails."""
    done = python("-m", "pip", "--disable-pip-version-check", "-q", *arguments, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """The wheel of the package, built as `make wheel` builds it."""
    source, wheels = (tmp_path_factory.mktemp(name) for name in ("source", "wheels"))
    # From a copy: setuptools would leave its build folder in the tree, and old files from there in the next wheel.
    shutil.copytree(ROOT / "genai_utils", source / "genai_utils", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, source)
    pip("wheel", source, "--no-deps", "--no-build-isolation", "-w", wheels, folder=source)
    return next(wheels.iterdir())


@pytest.fixture(scope="session")
def site(wheel, tmp_path_factory) -> Path:
    """A folder with the package unpacked from its wheel, and nothing else."""
    site = tmp_path_factory.mktemp("site")
    pip("install", "--no-deps", "--no-index", "--target", site, wheel, folder=site)
    return site


def test_the_wheel_has_the_name_that_the_first_cell_installs(wheel):
    assert wheel.name in COURSE.setup_cell


def test_the_wheel_stays_small(wheel):
    assert wheel.stat().st_size < WHEEL_BYTES


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in COURSE.names])
def test_the_notebook_gives_its_stored_results_again(name, site, tmp_path):
    notebook = nbformat.read(COURSE.notebook(name), as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code), "without stored outputs there is nothing to compare"
    where = nbformat.v4.new_output("stream", name="stdout", text=f"{site / 'genai_utils' / '__init__.py'}\n")
    notebook.cells.append(nbformat.v4.new_code_cell("print(gu.__file__)", execution_count=1, outputs=[where]))
    nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    options = (
        "--nbval",
        "--nbval-current-env",
        f"--nbval-cell-timeout={CELL_SECONDS}",
        f"--nbval-sanitize-with={ROOT / 'tests' / 'sanitize.cfg'}",
        "--rootdir=.",
        "-p no:cacheprovider",
    )
    environment = {"PYTHONPATH": str(site), "GENAI_BUDGET": notebook.metadata.genai.budget}
    done = python("-m", "pytest", *options, f"{name}.ipynb", folder=tmp_path, **environment)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert f" {len(code) + 1} passed" in done.stdout, done.stdout[-500:]
