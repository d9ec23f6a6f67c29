"""In JupyterLab explorers work as they do on the page, and what readers write into their copies stays theirs."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import nbformat
import pytest
from browsing import press_every_control
from node import NAMES
from playwright.sync_api import Page
from scratch import furnish, typed

from tools import lab as tool
from tools import notebooks
from tools.stamps import sha256

pytestmark = pytest.mark.xdist_group("jupyter")
SETUP = "import genai_utils as gu\ngu.start(seed=0)"
START = "import sys; from pathlib import Path; from tools import lab; lab.main(sys.argv[2:], Path(sys.argv[1]))"
QUIET = ["--no-browser", "--port=0", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
QUIET += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.extension_manager=readonly"]
QUIET += ["--LanguageServerManager.autodetect=False", "--LabApp.expose_app_in_browser=True"]
RUN_ALL = """async () => {
  await jupyterapp.shell.currentWidget.sessionContext.ready;
  jupyterapp.commands.execute('notebook:run-all-cells');
}"""
KERNEL_KNOWN = """() => {
  const context = jupyterapp.shell.currentWidget.context;
  return context.isReady && context.model.dirty && context.model.getMetadata('language_info').version;
}"""
TWO_CELLS_RAN = "() => jupyterapp.shell.currentWidget.content.widgets.at(-2).model.executionCount === 2"
CHAPTER = """\
# A chapter

```python tags=["setup"]
import genai_utils as gu
gu.start(seed=0)
```

```python
my_volume = 1
```

```python tags=["hide-cell"]
#@title Solution
my_volume + 1
```
"""
UPDATED = CHAPTER.replace("my_volume = 1", "my_volume = 2")
CONTENTS = """\
format: jb-book
root: book/intro
parts:
  - caption: All
    chapters:
      - file: notebooks/chapter
"""
NEEDED = ("Makefile", "pyproject.toml", "requirements.lock", "_config.yml", "_ext", "tools", "genai_utils")
NEEDED += ("book/_static", "book/references.bib", "tests/conftest.py", "tests/chapters", "tests/equations/conftest.py")
NEEDED += ("tests/equations/bound.txt",)
STAMP = {"used": {}, "date": "2026-11-28", "hardware": "a computer", "device": "cpu", "budget": "cpu", "seconds": 1.0}
STAMP |= {"peak_memory_mb": 300, "versions": {}}
PART = "tests/chapters/test_stamps.py -k 'notebook_is_not_stale or within_the_budget'"  # what concerns any chapter


def notebook() -> nbformat.NotebookNode:
    """The setup cell of a chapter, and a cell for each explorer: one kernel, which imports torch once."""
    shown = [f"from genai_utils.show.explorers import {explorer}\n{explorer}()" for explorer in NAMES]
    cells = [nbformat.v4.new_code_cell(source) for source in (SETUP, *shown)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def own_folders(home: Path) -> dict[str, str]:
    """Environment of a server that leaves the settings of the user's own Jupyter alone."""
    names = ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"]
    names += ["JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"]
    return os.environ | {name: str(home / name.lower()) for name in names}


def publish(course: notebooks.Project, text: str) -> None:
    """Store a chapter with this text as if it had been executed."""
    course.text("chapter").write_text(text)
    executed = notebooks.build(course, "chapter")
    for number, cell in enumerate((cell for cell in executed.cells if cell.cell_type == "code"), 1):
        cell.execution_count = number
    executed.metadata.genai |= STAMP | {"source_sha256": sha256(text.encode())}
    notebooks.store(course, "chapter", executed)


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> notebooks.Project:
    """A course of one chapter that one can make and test, with a notebook of all explorers beside it."""
    root = tmp_path_factory.mktemp("course")
    furnish(root, *NEEDED)
    vendored = "book/_static/vendor"
    if (notebooks.ROOT / vendored).exists():  # else it is downloaded, as in a new clone
        shutil.copytree(notebooks.ROOT / vendored, root / vendored)
    (root / "_toc.yml").write_text(CONTENTS)
    (root / "book/intro.md").write_text("# A course\n")
    for folder in ("notebooks", "book/chapters"):
        (root / folder).mkdir()
    nbformat.write(notebook(), root / "notebooks" / "explorers.ipynb")
    course = notebooks.Project(root)
    publish(course, CHAPTER)
    return course


def end(server: subprocess.Popen) -> None:
    """End JupyterLab, kernels first; after it has just saved it may wait for its own threads for ever."""
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()


@pytest.fixture(scope="module")
def lab(course, tmp_path_factory):
    """Address of the JupyterLab that `make lab` starts, as root too, with copies of the notebooks of the course."""
    home = tmp_path_factory.mktemp("home")
    command = [sys.executable, "-c", START, course.root, *QUIET]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=own_folders(home)) as server:
        log = []
        for line in server.stderr:
            log.append(line)
            if address := re.search(r"http://127\.0\.0\.1:\d+/", line):
                break
        else:
            pytest.fail("JupyterLab did not start:\n" + "".join(log[-20:]), pytrace=False)
        Thread(target=server.stderr.read, daemon=True).start()  # an unread pipe would fill up and halt the server
        yield address[0]
        end(server)


@pytest.fixture(scope="module")
def opened(lab, chromium) -> Iterator[tuple[Page, list[str]]]:
    """The notebook of all explorers, whose cells were run; and what went wrong or left the machine since."""
    tab, troubles, own = chromium.new_page(), [], (lab, "data:", "blob:")
    tab.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on("request", lambda request: None if request.url.startswith(own) else troubles.append(request.url))
    tab.set_default_timeout(60_000)  # the kernel has torch to import, maybe on a busy machine
    tab.goto(f"{lab}lab/tree/explorers.ipynb?reset")
    tab.locator(".jp-CodeCell").last.wait_for()
    tab.evaluate(RUN_ALL)
    yield tab, troubles
    tab.close()
    assert troubles == []


@pytest.mark.parametrize("explorer", NAMES)
def test_each_control_answers_to_keys_in_jupyterlab(opened, explorer):
    tab, troubles = opened
    place = tab.locator(".jp-CodeCell").nth(1 + NAMES.index(explorer)).locator(".jp-OutputArea-output:has(output)")
    place.locator("output").last.wait_for()
    press_every_control(tab, place)
    assert troubles == []


def type_into(tab: Page, cell: int, text: str) -> None:
    """Write at the end of a code cell, by keyboard."""
    tab.locator(".jp-CodeCell .cm-content").nth(cell).click()
    tab.keyboard.press("Control+End")
    tab.keyboard.type(text)


def save(tab: Page) -> None:
    """Save, by keyboard, and wait for the disk."""
    tab.keyboard.press("Control+s")
    tab.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")


def is_stale(course: notebooks.Project) -> bool:
    """What `make book` asks first."""
    return bool(notebooks.main(["--check"], course.root))


def lines(root: Path) -> dict[str, str]:
    """What `make lab` says of each file that it lays into work/."""
    return dict(line.split(": ") for line in tool.refresh(root))


@pytest.fixture
def evening(lab, chromium) -> Iterator[Page]:
    """The reader's copy of the chapter in JupyterLab, which would save it by now."""
    tab = chromium.new_page()
    tab.set_default_timeout(60_000)
    tab.goto(f"{lab}lab/tree/chapter.ipynb?reset")
    tab.locator(".jp-CodeCell").last.wait_for()
    tab.wait_for_function(KERNEL_KNOWN)
    yield tab
    tab.close()


def test_an_answer_outlives_an_evening_in_jupyterlab_the_making_of_the_book_and_updates_of_the_chapter(
    course, evening, tmp_path
):
    copy, stored = course.root / "work" / "chapter.ipynb", course.notebook("chapter")
    save(evening)  # it was opened and nothing else, after which JupyterLab writes other metadata
    assert copy.read_bytes() != stored.read_bytes()
    others = shutil.ignore_patterns(".venv", "genai_utils", "_static", "tools", "tests", "_ext")
    later = notebooks.Project(shutil.copytree(course.root, tmp_path / "later", ignore=others))
    publish(later, UPDATED)
    assert lines(later.root) == {"work/chapter.ipynb": "brought up to date, since you had changed nothing in it"}

    type_into(evening, 1, "")
    evening.keyboard.press("Shift+Enter")
    evening.keyboard.press("Shift+Enter")  # the last cell: it adds an empty one
    evening.wait_for_function(TWO_CELLS_RAN)
    save(evening)
    as_it_was = stored.read_bytes()
    assert "outputs_hidden" in stored.read_text() and "outputs_hidden" not in copy.read_text()
    stored.write_bytes(copy.read_bytes())
    assert not is_stale(course)
    stored.write_bytes(as_it_was)

    type_into(evening, 1, "7  # MY ANSWER")
    save(evening)
    mine, page = copy.read_bytes(), course.root / "_build/html/notebooks/chapter.html"
    assert b"my_volume = 17  # MY ANSWER" in mine
    typed("make book", course.root)
    assert "2 passed" in typed(f'make test TESTS="{PART}"', course.root)
    assert copy.read_bytes() == mine and stored.read_bytes() == as_it_was and "MY ANSWER" not in page.read_text()

    course.text("chapter").write_text(UPDATED)
    typed("make notebooks", course.root)
    edition = f"chapter (new edition {notebooks.stored_notebook(stored)['metadata']['genai']['date']}).ipynb"
    assert lines(course.root) == {f"work/{edition}": "a new edition; chapter.ipynb is as you left it"}
    assert copy.read_bytes() == mine and "my_volume = 2" in (course.root / "work" / edition).read_text()
