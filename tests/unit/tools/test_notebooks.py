"""Notebooks are executed when stale, stamped, and replaced only by a complete run."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import fields
from pathlib import Path

import nbformat
import pytest

from genai_utils.records.facts import facts
from genai_utils.records.results import Result
from tools import address, lint_chapters, notebooks
from tools.notebooks import ChapterError, Project

CHAPTER = """\
---
genai: {seconds: 5, fold: true}
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

```python tags=["hide-input"]
#@title Draw: nothing
None
```

> **Exercise 1.** Add.

```python tags=["hide-cell"]
#@title Solution
used.VALUE + 1
```
"""
FILES = {
    "_toc.yml": "parts:\n  - chapters:\n      - file: notebooks/tiny\n",
    "_config.yml": "repository:\n  url: https://example.org/course/\n",
    "pyproject.toml": '[project]\nname = "gold-mine-or-bubble"\nversion = "1.2.3"\n',
    "genai_utils/__init__.py": (
        '__version__ = "1.2.3"\nCOURSE = "gold-mine-or-bubble 1.2.3"\n\ndef start(seed):\n    print("started", seed)\n'
    ),
    "genai_utils/used.py": "VALUE = 41\n",
    "genai_utils/used.csv": "a,b\n",
    "genai_utils/used.mplstyle": "",
    "genai_utils/unused.py": "",
    "genai_utils/records/results.csv": ",".join(field.name for field in fields(Result)) + "\n",
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
    assert [cell.execution_count for cell in code(course)] == [1, 2, 3, 4, 5]
    assert code(course)[0].outputs[0].text == "started 0\n"
    assert code(course)[1].outputs[0].text == "41 [] cpu\n"
    assert code(course)[4].outputs[0].data["text/plain"] == "42"


def test_the_stamp_says_what_ran_where_and_for_how_long(course):
    stamp = stored(course).metadata.genai
    assert list(stamp.used) == ["genai_utils/__init__.py", "genai_utils/used.mplstyle", "genai_utils/used.py"]
    assert stamp.seconds > 0 and 10 < stamp.peak_memory_mb < 1000
    assert stamp.versions == {"python": ".".join(map(str, sys.version_info[:3])), "torch": None, "genai_utils": "1.2.3"}
    assert (stamp.budget, stamp.device, stamp.threads) == ("cpu", "cpu", None)
    assert stamp.hardware.endswith(f"{os.cpu_count()} cores") and len(stamp.date) == len("2026-01-01")
    assert len(stamp.source_sha256) == 64


def test_the_front_matter_is_no_cell_and_the_site_finds_it_in_the_metadata(course):
    assert stored(course).cells[0].source.startswith("# A tiny chapter")
    about = stored(course).metadata.genai
    assert about.fold is True and about.live is False and about.limits == {"seconds": 5, "memory_mb": 2048}


def test_the_front_matter_chooses_the_budget_unless_the_environment_does(course, monkeypatch):
    change(course, "book/chapters/tiny.md", "seconds: 5", "budget: gpu")
    assert notebooks.execute(course, "tiny").metadata.genai.budget == "gpu"
    monkeypatch.setenv("GENAI_BUDGET", "smoke")
    assert notebooks.execute(course, "tiny").metadata.genai.budget == "smoke"


def test_wrong_front_matter_is_refused_with_its_file(course):
    change(course, "book/chapters/tiny.md", "fold: true", "folded: true")
    with pytest.raises(ChapterError, match=r"tiny.md, front matter: genai has no 'folded'; it has budget"):
        notebooks.build(course, "tiny")


def test_metadata_holds_tags_folds_widget_state_and_nothing_that_changes_by_itself(course):
    notebook = stored(course)
    assert sorted(notebook.metadata) == ["genai", "kernelspec", "language_info", "widgets"]
    assert notebook.metadata.language_info == {"name": "python"}
    metadata = [dict(cell.metadata) for cell in code(course)]
    assert metadata[:3] == [{"tags": ["setup", "nbval-ignore-output"]}, {}, {"tags": ["nbval-ignore-output"]}]
    drawing, solution = metadata[3:]
    assert drawing == {"tags": ["hide-input"], "jupyter": {"source_hidden": True}, "cellView": "form"}
    assert solution["tags"] == ["hide-cell"] and solution["cellView"] == "form"
    assert solution["jupyter"] == {"source_hidden": True, "outputs_hidden": True}
    assert all(cell.metadata == {} for cell in notebook.cells if cell.cell_type == "markdown")
    view = code(course)[2].outputs[0].data["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] in notebook.metadata.widgets[notebooks.WIDGETS]["state"]


def test_the_setup_cell_installs_this_version_from_the_release_at_the_configured_address(course):
    source = code(course)[0].source
    wheel = "gold_mine_or_bubble-1.2.3-py3-none-any.whl"
    assert f"%pip install -q https://example.org/course/releases/download/v1.2.3/{wheel}\n" in source
    assert len(source.splitlines()) <= 8


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
        ("genai_utils/used.py", "41", "40", "it uses genai_utils/used.py, which has changed"),
        ("_config.yml", "example.org", "example.com", "its setup cell installs from another address or version"),
        ("pyproject.toml", "1.2.3", "1.2.4", "its setup cell installs from another address or version"),
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
    assert notebooks.stale(course, "tiny") == "it uses genai_utils/used.js, which is new"
    (course.root / "genai_utils/used.js").unlink()
    (course.root / "genai_utils/used.py").unlink()
    assert notebooks.stale(course, "tiny") == "it uses genai_utils/used.py, which is gone"
    course.notebook("tiny").unlink()
    assert notebooks.stale(course, "tiny") == "it has no notebook"


def test_a_module_that_the_chapter_does_not_load_does_not_make_it_stale(course):
    (course.root / "genai_utils/unused.py").write_text("x = 1\n")
    (course.root / "genai_utils/new.py").write_text("x = 1\n")
    (course.root / "genai_utils/used.csv").write_text("a,c\n")  # of tables, the rows that were read count
    assert notebooks.stale(course, "tiny") is None


def test_a_stale_notebook_is_executed_with_the_new_setup_line(course, capsys):
    change(course, "_config.yml", "example.org", "example.com")
    assert notebooks.main([], course.root) == 0
    assert capsys.readouterr().out.startswith("tiny: ")
    assert "https://example.com/course/releases/download/v1.2.3/" in code(course)[0].source
    assert notebooks.stale(course, "tiny") is None


def test_a_new_address_reaches_the_stored_notebook_which_stays_fresh_and_is_not_executed(course, monkeypatch):
    monkeypatch.setattr(notebooks, "execute", None)
    stamp = stored(course).metadata.genai
    assert address.main("https://github.com/you/your-fork", course.root) == 0
    assert "%pip install -q https://github.com/you/your-fork/releases/download/v1.2.3/" in code(course)[0].source
    assert stored(course).metadata.genai == stamp and notebooks.main(["--check"], course.root) == 0


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


def write_half(path: Path, content: bytes) -> None:
    path.write_text(content[:100].decode())
    raise OSError(28, "No space left on device")


def refuse(source: Path, target: Path) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("broken", [(Path, "write_bytes", write_half), (os, "replace", refuse)])
def test_a_disk_that_fills_up_leaves_the_old_notebook_and_no_rubbish(course, capsys, monkeypatch, broken):
    before, notebook = course.notebook("tiny").read_bytes(), stored(course)
    monkeypatch.setattr(notebooks, "execute", lambda project, name: notebook)
    monkeypatch.setattr(*broken)
    assert notebooks.main(["tiny"], course.root) == 1
    expected = f"{course.notebook('tiny')} was not written: [Errno 28] No space left on device; mend that"
    assert capsys.readouterr().err.startswith(expected)
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


MINE = "used.VALUE + 1  # MINE"


def answer(course: Project) -> bytes:
    """Change a cell of the stored notebook.  Returns: the notebook."""
    change(course, "notebooks/tiny.ipynb", "used.VALUE + 1", MINE)
    return course.notebook("tiny").read_bytes()


def kept(course: Project) -> list[bytes]:
    """Copies of notebooks that were replaced."""
    return [path.read_bytes() for path in (course.root / "work").glob("tiny (kept *).ipynb")]


def commit(course: Project) -> None:
    me = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
    for command in (["init", "-q"], ["add", "."], [*me, "commit", "-qm", "as it is"]):
        subprocess.run(["git", *command], cwd=course.root, check=True)


def test_what_jupyterlab_rewrites_when_it_saves_does_not_make_the_notebook_stale(course):
    notebook = stored(course)
    notebook.metadata.kernelspec.display_name = "Python 3 (ipykernel)"
    for cell in notebook.cells:
        cell.metadata.pop("collapsed", None)
        cell.metadata.get("jupyter", {}).pop("outputs_hidden", None)
    notebook.cells.append(nbformat.v4.new_code_cell(""))  # it adds one when the last is run
    nbformat.write(notebook, course.notebook("tiny"))
    assert "outputs_hidden" not in course.notebook("tiny").read_text()
    assert notebooks.main(["--check"], course.root) == 0


@pytest.mark.parametrize("how", ["untouched chapter", "updated chapter", "new address", "other commit"])
def test_text_that_no_commit_has_stops_the_tool_which_names_it_and_two_ways_out(course, capsys, monkeypatch, how):
    monkeypatch.setattr(notebooks, "execute", None)
    if how == "other commit":
        commit(course)
    mine = answer(course)
    if how == "updated chapter":
        change(course, "book/chapters/tiny.md", "Does it run?", "Does it walk?")
    if how == "new address":
        assert address.main("https://github.com/you/your-fork", course.root) == 0
        mine = course.notebook("tiny").read_bytes()
    assert notebooks.main([], course.root) == 1
    sentence = capsys.readouterr().err.splitlines()[0]
    assert "notebooks/tiny.ipynb holds text that neither its chapter nor any commit has: '#@title Solution'" in sentence
    assert "into book/chapters/tiny.md, or type python -m tools.notebooks tiny: a copy goes to work/" in sentence
    assert course.notebook("tiny").read_bytes() == mine and not (course.root / "work").exists()


def test_the_first_way_out_keeps_a_copy_and_makes_the_notebook_anew(course):
    mine = answer(course)
    assert notebooks.main(["tiny"], course.root) == 0
    assert kept(course) == [mine] and notebooks.stale(course, "tiny") is None


def test_the_second_way_out_brings_the_text_into_the_chapter(course):
    answer(course)
    change(course, "book/chapters/tiny.md", "used.VALUE + 1", MINE)
    assert notebooks.main([], course.root) == 0
    assert MINE in code(course)[-1].source and not kept(course)


def test_text_that_is_committed_is_replaced_without_a_copy(course):
    answer(course)
    commit(course)
    assert notebooks.main([], course.root) == 0
    assert not kept(course) and notebooks.stale(course, "tiny") is None


def test_an_updated_chapter_replaces_what_this_tool_stored_without_a_copy_and_without_git(course, monkeypatch):
    monkeypatch.setattr(notebooks, "committed", None)
    change(course, "book/chapters/tiny.md", "used.VALUE + 1", "used.VALUE + 2")
    assert notebooks.main([], course.root) == 0
    assert not kept(course) and notebooks.stale(course, "tiny") is None


def test_text_that_is_saved_while_the_chapter_runs_is_kept_too(course, monkeypatch):
    notebook = stored(course)
    monkeypatch.setattr(notebooks, "execute", lambda project, name: (answer(course), notebook)[1])
    change(course, "book/chapters/tiny.md", "Does it run?", "Does it walk?")
    assert notebooks.main([], course.root) == 0
    assert [MINE.encode() in content for content in kept(course)] == [True]


@pytest.mark.parametrize(
    "content", ["<", "[]", "{}", "3", '{"cells": [3], "metadata": {}}', '{"cells": [], "metadata": 3}']
)
def test_what_is_no_notebook_is_stale_and_replaced_and_a_copy_is_kept(course, capsys, monkeypatch, content):
    notebook = stored(course)
    monkeypatch.setattr(notebooks, "execute", lambda project, name: notebook)
    course.notebook("tiny").write_text(content)
    assert notebooks.main(["--check"], course.root) == 1
    assert capsys.readouterr().out == "tiny is stale: its notebook cannot be read\n"
    assert notebooks.main([], course.root) == 0
    assert kept(course) == [content.encode()] and notebooks.stale(course, "tiny") is None


def test_an_address_is_not_written_into_what_is_no_notebook(course, capsys):
    course.notebook("tiny").write_text("[]")
    assert address.main("https://github.com/you/your-fork", course.root) == 1
    assert "tiny.ipynb is no notebook of Jupyter; delete it and run `make notebooks`" in capsys.readouterr().err


def test_a_chapter_in_another_encoding_is_refused_with_its_file_line_and_remedy(course, capsys):
    course.text("tiny").write_bytes(CHAPTER.replace("tiny", "wéé").encode("latin-1"))
    assert notebooks.main([], course.root) == 1
    expected = f"{course.text('tiny')}, line 5: byte 0xe9 is not UTF-8; save it as UTF-8\n"
    assert capsys.readouterr().err.startswith(expected)
    assert lint_chapters.main([], course.root) == 1
    assert capsys.readouterr().out == expected


def test_what_a_killed_run_leaves_in_the_temporary_folder_goes_at_the_next_start(course, tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    change(
        course, "book/chapters/tiny.md", "import ipywidgets\n", "import signal\nos.kill(os.getppid(), signal.SIGKILL)\n"
    )
    program = "import sys\nfrom pathlib import Path\nfrom tools import notebooks\nnotebooks.main([], Path(sys.argv[1]))"
    command, environment = [sys.executable, "-c", program, course.root], os.environ | {"TMPDIR": str(temporary)}
    assert subprocess.run(command, cwd=notebooks.ROOT, env=environment).returncode == -signal.SIGKILL
    (left,) = temporary.iterdir()
    assert sorted(path.name for path in left.iterdir()) == ["cells", "kernel.json"]
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with notebooks._home() as home, notebooks._home() as another:
        assert sorted(temporary.iterdir()) == sorted(map(Path, (home, another)))


def test_checking_needs_neither_torch_nor_a_kernel(course):
    program = (
        "import sys\nfor name in ('torch', 'nbclient', 'ipykernel'): sys.modules[name] = None\n"
        "from pathlib import Path\nfrom tools import notebooks\n"
        "sys.exit(notebooks.main(['--check'], Path(sys.argv[1])))"
    )
    assert subprocess.run([sys.executable, "-c", program, course.root], cwd=notebooks.ROOT).returncode == 0
    assert json.loads(course.notebook("tiny").read_text())["nbformat"] == 4


READER = """\
---
genai: {{}}
---

# {title}

## Section

```python tags=["setup"]
import genai_utils as gu
gu.start(seed=0)
```

```python
{code}
```
"""
SHOW = """\
from dataclasses import asdict
from IPython.display import display
from genai_utils.records.results import MIME, Result
row = Result("", "toy", "dots", 1, 10, {seconds}, {bits}, "exact", *[None] * 6)
display({{MIME: asdict(row), "text/plain": "a row"}}, raw=True)"""
READ = """\
from genai_utils.records.results import {name}
print({call})"""


def write(course: Project, **chapters: str) -> None:
    """Put chapters with a cell of their own in the place of the tiny one; their order is the one given."""
    listed = "".join(f"      - file: notebooks/{name}\n" for name in chapters)
    (course.root / "_toc.yml").write_text(f"parts:\n  - chapters:\n{listed}")
    course.text("tiny").unlink(missing_ok=True)
    course.notebook("tiny").unlink(missing_ok=True)
    for name, code in chapters.items():
        course.text(name).write_text(READER.format(title=name, code=code))


def updated(course: Project, capsys) -> list[str]:
    """Chapters that one call executes, after which nothing may be stale."""
    capsys.readouterr()
    assert notebooks.main([], course.root) == 0
    done = [line.split(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert notebooks.main(["--check"], course.root) == 0
    return done


@pytest.fixture
def recorded(course):
    """The course with the real records: facts, results and what notes their use."""
    for name in ("_lazy.py", "records"):
        path = notebooks.ROOT / "genai_utils" / name
        target = course.root / "genai_utils" / name
        shutil.copytree(path, target, dirs_exist_ok=True) if path.is_dir() else shutil.copy(path, target)
    return course


READS_FACTS = """\
from genai_utils.records.facts import fact, facts
print([fact(id).date for id in {ids}], len(facts({topic!r})))"""


def test_an_edited_fact_makes_stale_those_chapters_that_read_it_and_no_others(recorded, capsys):
    """Ten facts, edited one at a time: read by the first chapter, by both, by the second, by its topic, by none."""
    others = [each.id for each in facts() if each.topic not in ("capex", "history") and not each.until]
    read, topics = {"first": others[:4], "second": others[3:7]}, {"first": "capex", "second": "history"}
    write(recorded, **{name: READS_FACTS.format(ids=ids, topic=topics[name]) for name, ids in read.items()})
    assert updated(recorded, capsys) == ["first", "second"]
    expected = {id: {name for name in read if id in read[name]} for id in others[:8]}
    expected |= {facts(topic)[0].id: {name} for name, topic in topics.items()}
    table = recorded.root / "genai_utils/records/facts.csv"
    whole = table.read_text(encoding="utf-8")
    for id, those in expected.items():
        table.write_text(re.sub(rf'(?m)^({id},[^,]*,"?)', r"\1Edited: ", whole), encoding="utf-8")
        assert {name for name in read if notebooks.stale(recorded, name)} == those, id
    assert (
        notebooks.stale(recorded, "second") == "it uses genai_utils/records/facts.csv?topic=history, which has changed"
    )


def test_new_results_are_read_in_the_same_command_and_new_seconds_of_them_concern_nobody(recorded, capsys):
    read = READ.format(name="measured", call='measured("bits_per_dim", "later")')
    write(recorded, later=SHOW.format(seconds=5.0, bits=2.0), early=read)
    assert updated(recorded, capsys) == ["later", "early"]
    change(recorded, "book/chapters/later.md", "5.0, 2.0", "6.0, 2.0")
    assert updated(recorded, capsys) == ["later"]
    change(recorded, "book/chapters/later.md", "6.0, 2.0", "6.0, 3.0")
    assert updated(recorded, capsys) == ["later", "early"]
    assert "{'toy': 3.0}" in recorded.notebook("early").read_text()


def test_two_results_of_one_name_are_not_stored(recorded, capsys):
    write(recorded, own=SHOW.format(seconds=5.0, bits=2.0))
    assert notebooks.main([], recorded.root) == 0
    before = recorded.notebook("own").read_bytes()
    change(recorded, "book/chapters/own.md", "display({", "for _ in range(2): display({")
    assert notebooks.main([], recorded.root) == 1
    assert "own has two results of one name: ['toy', 'toy']" in capsys.readouterr().err
    assert recorded.notebook("own").read_bytes() == before


def test_a_notebook_that_cannot_be_read_is_made_again_with_its_results(recorded, capsys):
    read = READ.format(name="measured", call='measured("bits_per_dim", "later")')
    write(recorded, later=SHOW.format(seconds=5.0, bits=2.0), early=read)
    assert updated(recorded, capsys) == ["later", "early"]
    recorded.notebook("later").write_text("<")
    assert updated(recorded, capsys) == ["later"]


@pytest.mark.parametrize(
    ("name", "call", "whose"),
    [("measured", 'measured("bits_per_dim", "own")', "own"), ("results", "len(results())", "all chapters")],
)
def test_a_chapter_cannot_read_its_own_results_or_those_of_chapters_to_come(recorded, capsys, name, call, whose):
    write(recorded, own=SHOW.format(seconds=5.0, bits=2.0))
    assert notebooks.main([], recorded.root) == 0
    change(recorded, "book/chapters/own.md", "row = ", READ.format(name=name, call=call) + "\nrow = ")
    assert notebooks.main([], recorded.root) == 1
    assert f"own reads the results of {whose}; a chapter may read those of the ones before" in capsys.readouterr().err
