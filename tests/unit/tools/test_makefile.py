"""`make book` builds the whole site when something changed, and nothing when nothing did."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.notebooks import ROOT

FILES = (
    "_config.yml",
    "_toc.yml",
    ".venv/site",
    "book/intro.md",
    "book/chapters/vae.md",
    "book/_static/vendor/kit.js",
    "notebooks/vae.ipynb",
    "_ext/ledger.py",
    "tests/equations/test_vae.py",
    "genai_utils/records/results.csv",
    "genai_utils/session.py",
)
JUPYTER_BOOK = """\
#!/bin/sh
[ ! -e broken ] || exit 1
mkdir -p _build/html && echo built >> builds
"""


@pytest.fixture
def tree(tmp_path) -> Path:
    """What the site is made of, an hour old and built, with a Jupyter Book that only writes down its calls."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("requirements.lock", "pyproject.toml", *FILES):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".venv/bin").mkdir()
    (tmp_path / ".venv/bin/jupyter-book").write_text(JUPYTER_BOOK)
    (tmp_path / ".venv/bin/jupyter-book").chmod(0o755)
    for path in tmp_path.rglob("*"):
        os.utime(path, (path.stat().st_mtime - 3600,) * 2)
    assert build(tmp_path) == 1
    return tmp_path


def ask(tree: Path, python: str = "true") -> str:
    """Ask for the site, with a Python that mends the environment.  Returns: what is said of failures."""
    path = f"{tree}:{os.environ['PATH']}"
    command = ["make", "-s", "_build/current", f"PYTHON={python}"]
    return subprocess.run(command, cwd=tree, env={**os.environ, "PATH": path}, capture_output=True, text=True).stderr


def build(tree: Path) -> int:
    """Ask for the site.  Returns: how often it was built so far."""
    ask(tree)
    builds = tree / "builds"
    return len(builds.read_text().splitlines()) if builds.exists() else 0


def test_a_site_is_not_built_twice(tree):
    assert build(tree) == 1


@pytest.mark.parametrize("name", FILES[:-1])
def test_any_change_of_what_it_is_made_of_builds_it_again(tree, name):
    (tree / name).touch()
    assert build(tree) == 2 and build(tree) == 2


def test_a_file_that_is_gone_builds_it_again(tree):
    (tree / "book/chapters/vae.md").unlink()
    assert build(tree) == 2 and build(tree) == 2


def test_code_that_no_page_shows_does_not(tree):
    (tree / "genai_utils/session.py").touch()
    assert build(tree) == 1


def test_cleaning_leaves_what_readers_wrote(tree):
    (tree / "work").mkdir()
    (tree / "work" / "vae.ipynb").write_text("mine")
    subprocess.run(["make", "-s", "clean"], cwd=tree, check=True)
    assert not (tree / "_build").exists() and (tree / "work" / "vae.ipynb").read_text() == "mine"


def test_after_a_build_that_failed_nothing_counts_as_built(tree):
    (tree / "book/intro.md").touch()
    (tree / "broken").touch()
    assert build(tree) == 1 and not (tree / "_build/current").exists()
    (tree / "broken").unlink()
    assert build(tree) == 2


def test_no_site_is_built_in_an_environment_that_could_not_be_mended(tree):
    (tree / "book/intro.md").touch()
    assert "Error 1" in ask(tree, python="false") and (tree / "builds").read_text() == "built\n"


def test_what_mends_the_environment_builds_the_site_again(tree):
    (tree / "mend").write_text("#!/bin/sh\n[ $2 != site ] || touch .venv/site\n")
    (tree / "mend").chmod(0o755)
    ask(tree, python="mend")
    assert (tree / "builds").read_text() == "built\n" * 2


def test_a_part_of_the_tests_goes_without_lint_and_coverage_and_the_whole_with_both(tree):
    part, whole = (
        subprocess.run(["make", "-n", "test", *more], cwd=tree, check=True, capture_output=True, text=True).stdout
        for more in (["TESTS=tests/site -k map"], [])
    )
    assert "tests/site -k map" in part and "mypy" not in part and "--cov" not in part
    assert "mypy" in whole and "ruff check" in whole and "--cov-fail-under=95" in whole


def test_a_full_disk_is_named_before_the_build(tree):
    (tree / "book/intro.md").touch()
    (tree / "df").write_text("#!/bin/sh\necho disk 1000 901 99 91% /\n")
    (tree / "df").chmod(0o755)
    assert ask(tree).startswith("the disk is full: free 100 MB\n") and (tree / "builds").read_text() == "built\n"
