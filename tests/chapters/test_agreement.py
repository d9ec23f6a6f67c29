"""What is written in more than one file is the same in all of them."""

import re
import sys
from importlib.metadata import packages_distributions

import pytest
import tomllib
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import genai_utils
from genai_utils.records.edited import text_of
from genai_utils.records.results import TABLE, results
from tools.collect_results import table
from tools.notebooks import ROOT, Project, build

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PYPROJECT["dependency-groups"]
COURSE = Project(ROOT)
DEPENDENCIES = PYPROJECT["project"]["dependencies"]
REQUIREMENTS = [Requirement(line) for line in DEPENDENCIES]
REQUIREMENTS += [Requirement(line) for group in GROUPS.values() for line in group if isinstance(line, str)]


@pytest.fixture(scope="module")
def locked() -> dict[str, Version]:
    lines = re.sub(r"\s#.*|^#.*", "", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE).split("\n")
    pins = [re.fullmatch(r"([\w.-]+)==([^;\s]+)", line.strip()) for line in lines if line.strip()]
    assert all(pins), "requirements.lock holds lines name==version only"
    return {canonicalize_name(pin[1]): Version(pin[2]) for pin in pins if pin}


@pytest.fixture(scope="module")
def environment() -> list:
    return yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=str)
def test_the_lock_holds_a_version_that_the_requirement_allows(requirement, locked):
    assert locked[canonicalize_name(requirement.name)] in requirement.specifier


def test_jupyter_book_is_the_last_of_its_line(locked):
    assert locked["jupyter-book"] == Version("1.0.4.post1")
    assert "jupyter-book==1.0.4.post1" in GROUPS["site"]


def test_torch_and_numpy_stay_those_that_colab_ships():
    bounds = {requirement.name: str(requirement.specifier) for requirement in REQUIREMENTS}
    assert bounds["torch"] == bounds["numpy"] == ""


def test_conda_and_binder_get_the_same_python_the_package_and_what_runs_notebooks(environment):
    assert f"python{PYPROJECT['project']['requires-python']}" in environment
    installed = next(entry["pip"] for entry in environment if isinstance(entry, dict))
    assert "-e ." in installed or "." in installed
    assert set(GROUPS["run"]) <= set(installed)


def test_the_package_knows_its_name_and_version():
    assert genai_utils.__version__ == PYPROJECT["project"]["version"]
    assert f"{PYPROJECT['project']['name']} {genai_utils.__version__}" == genai_utils.COURSE


def test_readers_and_the_machine_that_tests_call_the_same_command():
    assert re.search(r"^(?:exec )?make test$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert "make test" in (ROOT / "README.md").read_text()
    assert re.search(r"^test:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_makefile_stays_small():
    assert len((ROOT / "Makefile").read_text().splitlines()) < 95


@pytest.mark.parametrize("name", COURSE.names)
def test_a_chapter_imports_only_what_its_readers_have_installed(name):
    text = "\n".join(cell.source for cell in build(COURSE, name).cells if cell.cell_type == "code")
    imported = set(re.findall(r"^\s*(?:from|import) (\w+)", text, re.MULTILINE)) - {"genai_utils"}
    allowed = {canonicalize_name(Requirement(line).name) for line in DEPENDENCIES + GROUPS["run"]}
    homes = packages_distributions()
    for module in imported - sys.stdlib_module_names:
        assert allowed & {canonicalize_name(home) for home in homes.get(module, [])}, f"{module} is no dependency"


def test_the_citation_names_the_version_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PYPROJECT["project"]["version"]


def test_the_table_of_results_is_what_the_notebooks_store():
    assert text_of(TABLE) == table(ROOT), "run `make notebooks`"


def test_the_table_of_results_reads_as_rows_that_chapters_write():
    rows = results()
    assert rows and all(type(row.parameters) is int and row.seconds >= 0 and row.model for row in rows)
    assert all((row.bits_per_dim is None) == (row.likelihood == "") for row in rows)
