"""Notebooks are executed when stale, stamped, and replaced only by a complete run."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tools import notebooks
from tools.notebooks import ChapterError, Project

CHAPTER = """\
---
jupyter:
  kernelspec:
    display_name: Python 3
    language: python
    name: python3
---

# A tiny chapter

**Question.** Does it run?

## Section

```python tags=["setup"]
import genai_utils as gu
gu.start(seed=0)
```

```python
import os
from genai_utils import used
print(used.VALUE, os.listdir(), os.environ["GENAI_BUDGET"])
```

```python tags=["nbval-ignore-output"]
import ipywidgets
ipywidgets.IntSlider(description="steps")
```

> **Exercise 1.** Add.

```python tags=["hide-cell"]
#@title Solution
used.VALUE + 1
```
"""
FILES = {
    "_config.yml": "repository:\n  url: https://example.org/course/\n",
    "pyproject.toml": '[project]\nname = "genai-utils"\nversion = "1.2.3"\n',
    "genai_utils/__init__.py": '__version__ = "1.2.3"\n\ndef start(seed):\n    print("started", seed)\n',
    "genai_utils/used.py": "VALUE = 41\n",
    "genai_utils/used.csv": "a,b\n",
    "genai_utils/unused.py": "",
    "book/chapters/tiny.md": CHAPTER,
}


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A course of one chapter, executed once by the command line."""
    root = tmp_path_factory.mktemp("course")
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    assert notebooks.main([], root) == 0
    return root


@pytest.fixture
def course(executed, tmp_path):
    """A fresh copy of the executed course, for a test to spoil."""
    shutil.copytree(executed, tmp_path / "course")
    return Project(tmp_path / "course")


def change(course: Project, file: str, old: str, new: str) -> None:
    path = course.root / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def stored(course: Project) -> nbformat.NotebookNode:
    return nbformat.read(course.notebook("tiny"), as_version=4)


def code(course: Project) -> list[nbformat.NotebookNode]:
    return [cell for cell in stored(course).cells if cell.cell_type == "code"]


def test_a_fresh_notebook_is_not_stale_and_is_not_executed_again(course, capsys, monkeypatch):
    monkeypatch.setattr(notebooks, "execute", None)
    assert notebooks.main([], course.root) == 0
    assert notebooks.main(["--check"], course.root) == 0
    assert capsys.readouterr().out == ""


def test_outputs_are_stored_and_cells_ran_in_an_empty_folder_on_the_cpu_budget(course):
    assert [cell.execution_count for cell in code(course)] == [1, 2, 3, 4]
    assert code(course)[0].outputs[0].text == "started 0\n"
    assert code(course)[1].outputs[0].text == "41 [] cpu\n"
    assert code(course)[3].outputs[0].data["text/plain"] == "42"


def test_the_stamp_says_what_ran_where_and_for_how_long(course):
    stamp = stored(course).metadata.genai
    assert stamp.modules == ["genai_utils/__init__.py", "genai_utils/used.csv", "genai_utils/used.py"]
    assert stamp.seconds > 0 and 10 < stamp.peak_memory_mb < 1000
    assert stamp.versions == {"python": ".".join(map(str, sys.version_info[:3])), "torch": None, "genai_utils": "1.2.3"}
    assert (stamp.budget, stamp.device, stamp.threads) == ("cpu", "cpu", None)
    assert stamp.hardware.endswith(f"{os.cpu_count()} cores") and len(stamp.date) == len("2026-01-01")
    assert len(stamp.source_sha256) == len(stamp.package_sha256) == 64


def test_metadata_holds_tags_folded_solutions_widget_state_and_nothing_that_changes_by_itself(course):
    notebook = stored(course)
    assert sorted(notebook.metadata) == ["genai", "kernelspec", "language_info", "widgets"]
    assert notebook.metadata.language_info == {"name": "python"}
    metadata = [dict(cell.metadata) for cell in code(course)]
    assert metadata[:3] == [{"tags": ["setup", "nbval-ignore-output"]}, {}, {"tags": ["nbval-ignore-output"]}]
    assert metadata[3]["tags"] == ["hide-cell"] and metadata[3]["cellView"] == "form"
    assert metadata[3]["jupyter"] == {"source_hidden": True, "outputs_hidden": True}
    assert all(cell.metadata == {} for cell in notebook.cells if cell.cell_type == "markdown")
    view = code(course)[2].outputs[0].data["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] in notebook.metadata.widgets[notebooks.WIDGETS]["state"]


def test_the_setup_cell_installs_this_version_from_the_configured_repository(course):
    source = code(course)[0].source
    assert '%pip install -q "genai-utils @ git+https://example.org/course@v1.2.3"' in source
    assert len(source.splitlines()) <= 6


def test_two_runs_differ_in_the_stamp_only(course):
    first, path = stored(course), course.notebook("tiny")
    path.unlink()
    assert notebooks.main(["tiny"], course.root) == 0
    second = stored(course)
    del first.metadata["genai"], second.metadata["genai"]
    assert nbformat.writes(first) == nbformat.writes(second)


def test_an_inserted_cell_leaves_the_other_cell_ids_alone(course):
    before = [cell.id for cell in notebooks.build(course, "tiny").cells]
    change(course, "book/chapters/tiny.md", "> **Exercise", "```python\n0\n```\n\n```python\n0\n```\n\n> **Exercise")
    after = [cell.id for cell in notebooks.build(course, "tiny").cells]
    assert set(before) <= set(after) and len(set(after)) == len(before) + 2


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("book/chapters/tiny.md", "Does it run?", "Does it walk?", "its text has changed"),
        ("genai_utils/used.py", "41", "40", "the part of genai_utils that it uses has changed"),
        ("genai_utils/used.csv", "a,b", "a,c", "the part of genai_utils that it uses has changed"),
        ("_config.yml", "example.org", "example.com", "its setup cell installs from another repository or version"),
        ("pyproject.toml", "1.2.3", "1.2.4", "its setup cell installs from another repository or version"),
        ("notebooks/tiny.ipynb", "VALUE + 1", "VALUE + 2", "the cells of its notebook are not those of its text"),
        (
            "notebooks/tiny.ipynb",
            '"execution_count": 2',
            '"execution_count": null',
            "its notebook has cells that were not executed",
        ),
        ("notebooks/tiny.ipynb", "{", "<", "its notebook cannot be read"),
    ],
)
def test_a_change_that_matters_makes_the_notebook_stale(course, capsys, file, old, new, reason):
    change(course, file, old, new)
    assert notebooks.main(["--check"], course.root) == 1
    assert capsys.readouterr().out == f"tiny is stale: {reason}\n"


def test_a_vanished_module_a_new_sibling_and_a_missing_notebook_make_it_stale(course):
    (course.root / "genai_utils/used.js").write_text("")
    assert "has changed" in notebooks.stale(course, "tiny")
    (course.root / "genai_utils/used.py").unlink()
    assert notebooks.stale(course, "tiny") == "genai_utils/used.py is gone"
    course.notebook("tiny").unlink()
    assert notebooks.stale(course, "tiny") == "it has no notebook"


def test_a_module_that_the_chapter_does_not_load_does_not_make_it_stale(course):
    (course.root / "genai_utils/unused.py").write_text("x = 1\n")
    (course.root / "genai_utils/new.py").write_text("x = 1\n")
    assert notebooks.stale(course, "tiny") is None


def test_a_stale_notebook_is_executed_with_the_new_setup_line(course, capsys):
    change(course, "_config.yml", "example.org", "example.com")
    assert notebooks.main([], course.root) == 0
    assert capsys.readouterr().out.startswith("tiny: ")
    assert "git+https://example.com/course@v1.2.3" in code(course)[0].source
    assert notebooks.stale(course, "tiny") is None


def test_trained_weights_that_were_loaded_count_as_used(course):
    """The package has no module of their name, so that only `zoo.loaded` tells of them."""
    weights, zoo = course.root / "genai_utils/weights", course.root / "genai_utils/zoo.py"
    weights.mkdir()
    for name in ("small", "unread"):
        (weights / f"{name}.safetensors").write_text(name)
    zoo.write_text(
        "from pathlib import Path\nloaded = set()\n\ndef load(name):\n"
        "    loaded.add(Path(__file__).with_name('weights') / f'{name}.safetensors')\n"
    )
    change(course, "book/chapters/tiny.md", "used.VALUE + 1", "from genai_utils import zoo\nzoo.load('small')")
    assert notebooks.main(["tiny"], course.root) == 0
    assert "genai_utils/weights/small.safetensors" in stored(course).metadata.genai.modules
    change(course, "genai_utils/weights/unread.safetensors", "unread", "other")
    assert notebooks.stale(course, "tiny") is None
    change(course, "genai_utils/weights/small.safetensors", "small", "other")
    assert notebooks.stale(course, "tiny") == "the part of genai_utils that it uses has changed"


def test_a_failing_cell_is_named_and_leaves_the_old_notebook(course, capsys):
    before = course.notebook("tiny").read_bytes()
    change(course, "book/chapters/tiny.md", "import ipywidgets\n", "# why\n1 / 0\n")
    assert notebooks.main([], course.root) == 1
    assert "tiny, code cell 3, '# why': ZeroDivisionError: division by zero" in capsys.readouterr().err
    assert course.notebook("tiny").read_bytes() == before
    assert os.listdir(course.root / "notebooks") == ["tiny.ipynb"]


def test_an_endless_cell_is_stopped_and_a_stored_traceback_is_refused(course, monkeypatch):
    monkeypatch.setattr(notebooks, "CELL_SECONDS", 1)
    change(course, "book/chapters/tiny.md", "import ipywidgets\n", "while True: pass\n")
    with pytest.raises(ChapterError, match=r"code cell 3, 'while True: pass': .*timed out .*after 1 seconds"):
        notebooks.execute(course, "tiny")
    change(course, "book/chapters/tiny.md", 'tags=["nbval-ignore-output"]', 'tags=["raises-exception"]')
    change(course, "book/chapters/tiny.md", "while True: pass\n", "1 / 0\n")
    with pytest.raises(ChapterError, match="code cell 3, '1 / 0': stores a traceback"):
        notebooks.execute(course, "tiny")


def write_half(path: Path, content: str, encoding: str) -> None:
    path.write_bytes(content.encode()[:100])
    raise OSError(28, "No space left on device")


def refuse(source: Path, target: Path) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("broken", [(Path, "write_text", write_half), (os, "replace", refuse)])
def test_a_disk_that_fills_up_leaves_the_old_notebook_and_no_rubbish(course, capsys, monkeypatch, broken):
    before, notebook = course.notebook("tiny").read_bytes(), stored(course)
    monkeypatch.setattr(notebooks, "execute", lambda project, name: notebook)
    monkeypatch.setattr(*broken)
    assert notebooks.main(["tiny"], course.root) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert course.notebook("tiny").read_bytes() == before
    assert os.listdir(course.root / "notebooks") == ["tiny.ipynb"]


def test_a_notebook_that_is_too_large_is_refused_with_its_biggest_part(course):
    before, notebook = course.notebook("tiny").read_bytes(), stored(course)
    next(cell for cell in notebook.cells if "used.VALUE," in cell.source).outputs[0].text = "x" * 1_500_000
    with pytest.raises(ChapterError, match=r"tiny: .* the biggest part is an output of code cell 2, 'import os'"):
        notebooks.store(course, "tiny", notebook)
    assert course.notebook("tiny").read_bytes() == before


@pytest.mark.parametrize("setup", ['```python tags=["setup"]\nimport numpy', "```python\nimport genai_utils as gu"])
def test_a_chapter_must_begin_with_the_agreed_setup_cell(course, setup):
    change(course, "book/chapters/tiny.md", '```python tags=["setup"]\nimport genai_utils as gu', setup)
    with pytest.raises(
        ChapterError, match="tiny: the first code cell must be tagged setup and read\nimport genai_utils"
    ):
        notebooks.build(course, "tiny")


def test_an_unknown_chapter_is_refused_with_the_known_ones(course, capsys):
    with pytest.raises(SystemExit):
        notebooks.main(["tinny"], course.root)
    assert "no chapter tinny; there are tiny" in capsys.readouterr().err


def test_checking_needs_neither_torch_nor_a_kernel(course):
    program = (
        "import sys\nfor name in ('torch', 'nbclient', 'ipykernel'): sys.modules[name] = None\n"
        "from pathlib import Path\nfrom tools import notebooks\n"
        "sys.exit(notebooks.main(['--check'], Path(sys.argv[1])))"
    )
    assert subprocess.run([sys.executable, "-c", program, course.root], cwd=notebooks.ROOT).returncode == 0
    assert json.loads(course.notebook("tiny").read_text())["nbformat"] == 4
