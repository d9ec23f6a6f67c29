"""One command begins a chapter that runs and keeps all promises; it overwrites nothing and refuses what cannot work."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from contract import BOOK_RULES, CHAPTER_RULES, read_book, read_chapter

from tools import chapter
from tools.lint_chapters import findings
from tools.notebooks import ROOT, Project, execute, store

NAME, TITLE = "my-topic", 'The reader\'s "own" topic'
TEXT, TEST = "book/chapters/my-topic.md", "tests/equations/test_my_topic.py"


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """A copy of what a chapter lives in."""
    root = tmp_path_factory.mktemp("course")
    for name in ("book", "notebooks", "genai_utils", "tests/equations"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("vendor", "__pycache__", "weights"))
    for name in ("_config.yml", "_toc.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    return root


@pytest.fixture(scope="module")
def begun(course) -> Project:
    """The same with a new chapter, executed."""
    assert chapter.main([NAME, TITLE, ""], course) == 0
    project = Project(course)
    store(project, NAME, execute(project, NAME))
    return project


@pytest.fixture
def bare(tmp_path) -> Path:
    """The least that a chapter can be added to."""
    (tmp_path / "book/chapters").mkdir(parents=True)
    (tmp_path / "tests/equations").mkdir(parents=True)
    (tmp_path / "_toc.yml").write_text(
        "parts:\n  - caption: Start\n    chapters:\n      - file: book/how-to-use\n  - caption: One\n    chapters:\n"
        "      - file: notebooks/a\n  - caption: Two\n    chapters:\n      - file: notebooks/b\n"
    )
    (tmp_path / "book/intro.md").write_text(
        "- [A](../notebooks/a.ipynb): a.\n- [B](../notebooks/b.ipynb): b.\n\nEnd.\n"
    )
    return tmp_path


def state(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_new_chapter_keeps_the_promises_of_a_finished_one_and_the_course_keeps_its_own(begun):
    book = read_book(begun)
    (new,) = [each for each in book.chapters if each.name == NAME]
    assert [problem for rule in CHAPTER_RULES for problem in rule(new)] == []
    assert [problem for rule in BOOK_RULES for problem in rule(book)] == []


def test_it_runs_in_seconds_and_is_clean_code(begun):
    assert read_chapter(begun, NAME).notebook.metadata.genai.seconds < 30
    assert findings([begun.text(NAME)]) == []


def test_the_test_of_its_equation_passes(begun):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", TEST]
    paths = os.environ | {"PYTHONPATH": str(ROOT)}  # as pyproject.toml says for all tests
    done = subprocess.run(command, cwd=begun.root, env=paths, capture_output=True, text=True)
    assert done.returncode == 0 and "4 passed" in done.stdout, done.stdout


def test_it_stands_last_in_the_last_part_of_chapters_and_on_the_landing_page(begun):
    before, after = (yaml.safe_load((root / "_toc.yml").read_text())["parts"] for root in (ROOT, begun.root))
    assert after[-2]["chapters"] == [*before[-2]["chapters"], {"file": f"notebooks/{NAME}"}]
    assert f"\n- [{TITLE}](../notebooks/{NAME}.ipynb)" in (begun.root / "book/intro.md").read_text()
    assert begun.text(NAME).read_text().count(f"# {TITLE}\n") == 1


def test_the_template_is_no_chapter_and_no_test():
    assert not [path for path in (ROOT / "book").rglob("*.md") if "# TITLE" in path.read_text()]
    assert 'verifies("NAME.' not in "".join(path.read_text() for path in (ROOT / "tests/equations").glob("*.py"))


def test_a_part_can_be_named_and_a_title_left_out(bare, capsys):
    assert chapter.main(["c-d", "", "One"], bare) == 0
    assert yaml.safe_load((bare / "_toc.yml").read_text())["parts"][1]["chapters"][1] == {"file": "notebooks/c-d"}
    assert (bare / "book/intro.md").read_text().splitlines()[1].startswith("- [C d](../notebooks/c-d.ipynb)")
    said = capsys.readouterr().out
    assert "book/chapters/c-d.md is written" in said and "below a in _toc.yml" in said and "`make notebooks`" in said
    assert (bare / "book/chapters/c-d.md").is_file() and ast.parse((bare / "tests/equations/test_c_d.py").read_text())


@pytest.mark.parametrize("name", ["", "My-topic", "my_topic", "my topic", "-a", "a-", "1a", "a.md", "../a", "a/b", "ä"])
def test_a_bad_name_is_refused_with_a_good_one(name, bare, capsys):
    before = state(bare)
    assert chapter.main([name, "", ""], bare) == 1 and state(bare) == before
    assert f"got {name!r}; type make chapter NAME=my-topic" in capsys.readouterr().err


@pytest.mark.parametrize("taken", [TEXT, TEST, "notebooks/my-topic.ipynb"])
def test_nothing_is_overwritten(taken, bare, capsys):
    (bare / taken).parent.mkdir(exist_ok=True)
    (bare / taken).write_text("mine")
    before = state(bare)
    assert chapter.main([NAME, "", ""], bare) == 1 and state(bare) == before
    assert f"my-topic is there already, in {taken}" in capsys.readouterr().err


def test_a_chapter_of_the_contents_is_not_begun_again(bare, capsys):
    assert chapter.main(["b", "", ""], bare) == 1
    assert "b is there already, in _toc.yml" in capsys.readouterr().err


@pytest.mark.parametrize("part", ["Start", "Three"])
def test_a_part_without_chapters_is_refused_with_those_that_have_some(part, bare, capsys):
    before = state(bare)
    assert chapter.main([NAME, "", part], bare) == 1 and state(bare) == before
    assert f"no part {part!r} with chapters in _toc.yml; there are 'One', 'Two'" in capsys.readouterr().err


def test_a_landing_page_without_a_place_is_named(bare, capsys):
    (bare / "book/intro.md").write_text("Nothing.\n")
    before = state(bare)
    assert chapter.main([NAME, "", ""], bare) == 1 and state(bare) == before
    assert "intro.md has 0 lines like" in capsys.readouterr().err
