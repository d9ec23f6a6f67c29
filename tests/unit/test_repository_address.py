"""The address of the repository is written down once; one command changes it, and all that leads there follows."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

from tools import address
from tools.notebooks import ROOT, Project

URL = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
NAME = URL.removeprefix("https://github.com/")
FORK = "https://github.com/some-reader/her.fork"
CHAPTER = "gan-minimax"


def tracked() -> list[Path]:
    """Files that git keeps or would keep."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def installed(project: Project) -> set[str]:
    """What the first cells of all stored notebooks install."""
    texts = [path.read_text() for path in (project.root / "notebooks").glob("*.ipynb")]
    return {found for text in texts for found in re.findall(r"%pip install -q (\S+?)\\n", text)}


def without_setup(path: Path) -> nbformat.NotebookNode:
    """A notebook but for the text of its setup cell."""
    notebook = nbformat.read(path, as_version=4)
    cell = next(cell for cell in notebook.cells if "setup" in cell.metadata.get("tags", []))
    del cell["source"], cell["id"]
    return notebook


@pytest.fixture(scope="module")
def fork(tmp_path_factory) -> Project:
    """A copy of what the address concerns, with the address of a fork."""
    root = tmp_path_factory.mktemp("fork")
    for name in ("book", "notebooks", "_ext", "tools"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("vendor", "node_modules"))
    (root / "tests/equations").mkdir(parents=True)
    for name in ("_config.yml", "pyproject.toml", "tests/equations/bound.txt"):
        shutil.copy(ROOT / name, root / name)
    assert address.main(FORK + "/", root) == 0
    return Project(root)


def test_the_address_stands_in_the_configuration_only():
    written = [path for path in tracked() if path.suffix != ".ipynb" and NAME.encode() in path.read_bytes()]
    assert [path.name for path in written] == ["_config.yml"]
    assert (ROOT / "_config.yml").read_text().count(NAME) == 1


def test_stored_notebooks_install_the_wheel_that_the_configuration_asks_for():
    (wheel,) = installed(Project(ROOT))
    assert wheel in Project(ROOT).setup_cell


def test_the_notebooks_of_a_fork_install_its_release_and_change_nowhere_else(fork):
    (wheel,) = installed(fork)
    assert re.fullmatch(
        re.escape(FORK) + r"/releases/download/v([\d.]+)/gold_mine_or_bubble-\1-py3-none-any\.whl", wheel
    )
    for name in fork.names:
        assert without_setup(fork.notebook(name)) == without_setup(ROOT / "notebooks" / f"{name}.ipynb")


def test_the_configuration_of_a_fork_differs_in_its_address_only(fork):
    ours, theirs = ((root / "_config.yml").read_text() for root in (ROOT, fork.root))
    assert theirs == ours.replace(URL, FORK) and fork.address == FORK


def test_the_buttons_of_a_fork_lead_to_it(fork):
    (fork.root / "_toc.yml").write_text(
        f"format: jb-book\nroot: book/how-to-use\nchapters: [file: notebooks/{CHAPTER}]\n"
    )
    build = [Path(sys.executable).with_name("jupyter-book"), "build", fork.root, "--quiet"]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    page = BeautifulSoup((fork.root / f"_build/html/notebooks/{CHAPTER}.html").read_bytes(), "html.parser")
    links = {link["href"] for link in page.select(".article-header-buttons a[href]")}
    name = FORK.removeprefix("https://github.com/")
    assert {FORK, f"https://colab.research.google.com/github/{name}/blob/main/notebooks/{CHAPTER}.ipynb"} <= links
    assert [link for link in links if link.startswith(f"https://mybinder.org/v2/gh/{name}/main?")]
    assert [link for link in links if link.startswith(f"{FORK}/issues/new")]


@pytest.mark.parametrize("given", ["https://github.com/a/b", " https://github.com/a/b/ ", "https://github.com/a/b.git"])
def test_an_address_is_written_as_its_pages_write_it(given):
    assert address.checked(given) == "https://github.com/a/b"


@pytest.mark.parametrize(
    "url",
    ["", "you/your-fork", "http://github.com/a/b", "https://github.com/a", "https://github.com/a/b/tree/main",
     "https://gitlab.com/a/b", "git@github.com:a/b.git", "https://github.com/a/b c", "https://github.com/a/$(x)"],
)  # fmt: skip
def test_anything_else_is_refused_and_nothing_changes(tmp_path, capsys, url):
    (tmp_path / "_config.yml").write_text("repository:\n  url: https://placeholder.invalid\n")
    assert address.main(url, tmp_path) == 1
    said = capsys.readouterr().err
    assert repr(url) in said and "type make address URL=https://github.com/you/your-fork" in said
    assert "placeholder.invalid" in (tmp_path / "_config.yml").read_text()


def test_a_configuration_without_a_place_for_the_address_is_refused(tmp_path, capsys):
    (tmp_path / "_config.yml").write_text("html:\n  url: x\n")
    assert address.main(FORK, tmp_path) == 1
    assert "_config.yml needs one line '  url: ...' under 'repository:', found 0" in capsys.readouterr().err
