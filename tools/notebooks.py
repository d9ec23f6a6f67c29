"""Turn book/chapters/NAME.md into notebooks/NAME.ipynb: execute what is stale, store the outputs, stamp the result.

    python -m tools.notebooks            execute every chapter whose notebook is stale
    python -m tools.notebooks NAME ...   execute these, stale or not
    python -m tools.notebooks --check    execute nothing; list what is stale and why, exit 1 if anything is

The text is the only source. A notebook is replaced in one step, and only by a complete run without an error. Chapters
run in the order of the contents and read results only of those before them: so one pass leaves none stale.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import tomllib
import yaml
from nbformat import NotebookNode

from genai_utils.device import processor
from genai_utils.records.edited import text_of
from tools.collect_results import collect, contents, rows
from tools.files import replace, stored_notebook
from tools.front_matter import FrontMatter, parted
from tools.lab import WORK, committed, keep
from tools.stamps import changed, digests, results_read, sha256, written

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "genai_utils"
CELL_SECONDS = 600
MAX_BYTES = 1_500_000
TEMPORARY = "course-notebooks"  # how the names of temporary folders begin; the number of the process follows
WIDGETS = "application/vnd.jupyter.widget-state+json"
# Named in full: without a name jupytext takes a text with ":::" in it for another dialect.
MARKDOWN = {"extension": ".md", "format_name": "markdown", "split_at_heading": True}
SETUP_TEXT = "import genai_utils as gu\ngu.start(seed=0)"
SETUP_CELL = """\
from importlib.util import find_spec
if not find_spec("genai_utils"):
    %pip install -q {wheel}
assert find_spec("genai_utils"), "{remedy}"
import genai_utils as gu
if getattr(gu, "COURSE", "") != "{name} {version}":
    raise ImportError(f"{{gu}} is not {name} {version}: pip uninstall -y genai-utils {name}, restart, run this again")
gu.start(seed=0)"""
UNREADABLE = "what cannot be read"
BESIDE = "Put that wheel beside this notebook and run this cell again"
RELEASED = "pip could not install that wheel: mend what it says above and run this cell again"
# What Jupyter (and, for the form view, Colab) need to fold a solution with its output, and code without its figure.
FOLDED: dict[str, dict[str, Any]] = {
    "hide-cell": {"jupyter": {"source_hidden": True, "outputs_hidden": True}, "collapsed": True, "cellView": "form"},
    "hide-input": {"jupyter": {"source_hidden": True}, "cellView": "form"},
}


class ChapterError(ValueError):
    """A chapter that cannot become a notebook; the message names the chapter, the cell and the reason."""


@dataclass(frozen=True)
class Project:
    """The folders of a course whose repository root is `root`."""

    root: Path

    @property
    def names(self) -> list[str]:
        """Chapters that have a text, in alphabetical order."""
        return sorted(path.stem for path in (self.root / "book" / "chapters").glob("*.md"))

    @property
    def in_order(self) -> list[str]:
        """The same in the order of the contents; those that are not listed there come last."""
        listed = contents(self.root)
        return [name for name in listed if name in self.names] + [name for name in self.names if name not in listed]

    def text(self, name: str) -> Path:
        """Where authors write the chapter."""
        return self.root / "book" / "chapters" / f"{name}.md"

    def notebook(self, name: str) -> Path:
        """Where readers find the executed chapter."""
        return self.root / "notebooks" / f"{name}.ipynb"

    @cached_property
    def address(self) -> str | None:
        """Where the repository is published; None while _config.yml holds a placeholder, which ends in .invalid."""
        url: str = yaml.safe_load((self.root / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
        return None if url.endswith(".invalid") else url.rstrip("/")

    def parts(self, name: str) -> tuple[FrontMatter, str]:
        """Front matter and Markdown of a chapter.  Raises: ValueError, with the name of its file."""
        text = text_of(self.text(name))
        try:
            return parted(text)
        except ValueError as error:
            raise ChapterError(f"book/chapters/{name}.md, front matter: {error}") from error

    @cached_property
    def setup_cell(self) -> str:
        """First code cell of every notebook: it installs the package if there is none, and accepts only this version.

        The wheel comes from the release of this version or, while the course has no address, from beside the notebook.
        """
        project = tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        name, version = project["name"], project["version"]
        wheel = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        if self.address:
            wheel = f"{self.address}/releases/download/v{version}/{wheel}"
        remedy = RELEASED if self.address else BESIDE
        return SETUP_CELL.format(wheel=wheel, remedy=remedy, name=name, version=version)


def build(project: Project, name: str) -> NotebookNode:
    """Make the notebook of a chapter, not yet executed.

    Raises: ChapterError if the front matter or the setup cell is not as agreed.
    """
    front, text = project.parts(name)
    notebook = jupytext.reads(text, fmt=MARKDOWN)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = NotebookNode(kernelspec=kernel, language_info={"name": "python"}, genai=_for_the_site(front))
    first = next((cell for cell in notebook.cells if cell.cell_type == "code"), None)
    if first is None or "setup" not in _tags(first) or first.source.strip() != SETUP_TEXT:
        raise ChapterError(f"{name}: the first code cell must be tagged setup and read\n{SETUP_TEXT}")
    first.source = project.setup_cell
    first.metadata.tags = ["setup", "nbval-ignore-output"]  # it prints the versions of the machine it runs on
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        digest = _digest(cell)
        cell.id = f"{digest}-{seen[digest]}"
        seen[digest] += 1
        cell.metadata = NotebookNode(_metadata(_tags(cell)))
    return notebook


def stale(project: Project, name: str) -> str | None:
    """Say why the notebook of a chapter no longer belongs to its text and the package; None if it does."""
    if not project.notebook(name).exists():
        return "it has no notebook"
    try:
        stored = stored_notebook(project.notebook(name))
    except ValueError:
        return "its notebook cannot be read"
    cells, stamp = stored["cells"], stored["metadata"].get("genai", {})
    if stamp.get("source_sha256") != sha256(project.text(name).read_bytes()):
        return "its text has changed"
    if reason := changed(project.root, stamp["used"]):
        return reason
    if project.setup_cell not in [source for _, source, _ in written(cells)]:
        return "its setup cell installs from another address or version"
    if written(cells) != written(build(project, name).cells):
        return "the cells of its notebook are not those of its text"
    if any(cell.get("execution_count") is None for cell in cells if cell["cell_type"] == "code" and written([cell])):
        return "its notebook has cells that were not executed"
    return None


def execute(project: Project, name: str) -> NotebookNode:
    """Run a chapter in an empty folder and add outputs, widget state and stamp.  Raises: ChapterError at an error."""
    from nbclient import NotebookClient

    notebook = build(project, name)
    front, _ = project.parts(name)
    budget = os.environ.get("GENAI_BUDGET") or front.budget
    environment = os.environ | {"PYTHONPATH": str(project.root), "GENAI_BUDGET": budget}
    with _home() as home:
        folder = Path(home, "cells")
        folder.mkdir()
        client = NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            record_timing=False,
            store_widget_state=True,
            coalesce_streams=True,
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": str(folder)}},
        )
        manager = client.create_kernel_manager()
        manager.connection_file = f"{home}/kernel.json"
        # Without kernel folders python3 is the interpreter that runs this tool, whatever the user has registered.
        manager.kernel_spec_manager.kernel_dirs = []
        with client.setup_kernel(env=environment):
            started = time.perf_counter()
            _run_cells(client, name)
            seconds = round(time.perf_counter() - started, 1)
            client.set_widgets_metadata()
            facts = _ask_kernel(client, project)
    notebook = _with_settled_widget_ids(notebook, list(client.widget_state))
    notebook.metadata.genai |= _stamp(project, name, facts) | {"seconds": seconds, "budget": budget}
    return notebook


def store(project: Project, name: str, notebook: NotebookNode) -> None:
    """Replace the notebook of a chapter in one step.

    Raises: ValueError, if it is too large or shows two results of one name.
    """
    nbformat.validate(notebook)
    rows(name, notebook)
    content = (nbformat.writes(notebook).rstrip("\n") + "\n").encode()
    if (size := len(content)) > MAX_BYTES:
        biggest, label = max(_sizes(notebook))
        raise ChapterError(
            f"{name}: the notebook would have {size:,} bytes, more than {MAX_BYTES:,}; the biggest part is {label} "
            f"with {biggest:,}. Show fewer or smaller images."
        )
    replace(project.notebook(name), content)


def kernel_facts(package: str) -> dict[str, Any]:
    """Say what this process has loaded and used.

    Its source is sent to the kernel after the last cell, so it imports what it needs and knows nothing of this file.
    """
    import platform
    import re
    import resource
    import sys
    from pathlib import Path

    home, torch, used = Path(package), sys.modules.get("torch"), sys.modules.get(Path(package).name)
    read = {(Path(getattr(module, "__file__", None) or ""), "") for module in list(sys.modules.values())}
    read |= getattr(sys.modules.get(f"{home.name}.records.used"), "noted", set())  # rows of tables
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    if (status := Path("/proc/self/status")).exists():  # on Linux ru_maxrss starts at the size of the parent process
        peak = int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0]) / 2**10
    return {
        "used": sorted(file.relative_to(home.parent).as_posix() + part for file, part in read if home in file.parents),
        "peak_memory_mb": round(peak),
        "device": torch.cuda.get_device_name() if torch and torch.cuda.is_available() else "cpu",
        "threads": torch.get_num_threads() if torch else None,
        "versions": {
            "python": platform.python_version(),
            "torch": str(torch.__version__).split("+")[0] if torch else None,
            home.name: getattr(used, "__version__", None),
        },
    }


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run the command line.  Returns: the exit status, 1 if a chapter failed or (with --check) is stale."""
    parser = argparse.ArgumentParser(description="Execute the chapters whose notebooks are stale.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="chapters to execute, stale or not")
    parser.add_argument("--check", action="store_true", help="execute nothing; exit 1 if a notebook is stale")
    options = parser.parse_args(arguments)
    project = Project(root)
    if unknown := sorted(set(options.names) - set(project.names)):
        parser.error(f"no chapter {', '.join(unknown)}; there are {', '.join(project.names) or 'none'}")
    if options.check:
        return int(any([_is_stale(project, name) for name in options.names or project.names]))
    try:
        collect(root)
        return int(not all([_settle(project, name, options.names) for name in project.in_order]))
    except ValueError as error:  # the table of contents is damaged
        print(error, file=sys.stderr)
        return 1


def _settle(project: Project, name: str, wanted: list[str]) -> bool:
    """Execute a chapter if its turn has come and it is wanted or, where none is named, stale by now."""
    due = name in wanted if wanted else stale(project, name)
    return _update(project, name, bool(wanted)) if due else True


def _is_stale(project: Project, name: str) -> bool:
    reason = stale(project, name)
    if reason:
        print(f"{name} is stale: {reason}")
    return bool(reason)


def _update(project: Project, name: str, by_name: bool) -> bool:
    try:
        if not by_name:
            _refuse(project, name)
        notebook = execute(project, name)
        _spare(project, name)  # even if nothing was refused: somebody may have saved it meanwhile
        store(project, name, notebook)
        collect(project.root)
    except (ValueError, OSError) as error:
        print(f"{error}\n{name} failed; its notebook is as it was", file=sys.stderr)
        return False
    stamp = notebook.metadata.genai
    print(f"{name}: {stamp.seconds} s, {stamp.peak_memory_mb} MB", flush=True)
    return True


def _home() -> tempfile.TemporaryDirectory[str]:
    """A temporary folder that goes with this process, or at the next start, if this one is killed."""
    for left in Path(tempfile.gettempdir()).glob(f"{TEMPORARY}.*.*"):
        if not _runs(int(left.name.split(".")[1])):
            shutil.rmtree(left, ignore_errors=True)
    return tempfile.TemporaryDirectory(prefix=f"{TEMPORARY}.{os.getpid()}.")


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)  # it may be another user's
    return True


def _refuse(project: Project, name: str) -> None:
    """Stop before somebody's own text is replaced.  Raises: ChapterError with the two ways out."""
    if (foreign := _foreign(project, name)) and foreign != UNREADABLE:
        raise ChapterError(
            f"notebooks/{name}.ipynb holds text that neither its chapter nor any commit has: {foreign!r}; write it "
            f"into book/chapters/{name}.md, or type python -m tools.notebooks {name}: a copy goes to {WORK}/"
        )


def _spare(project: Project, name: str) -> None:
    """Keep a copy of a notebook that is about to be replaced and holds what is nowhere else.  Raises: OSError."""
    if _foreign(project, name):
        copy = keep(project.root, project.notebook(name))
        print(f"{name}: a copy of the replaced notebook lies in {copy}", file=sys.stderr)


def _foreign(project: Project, name: str) -> str | None:
    """First line in a stored notebook that neither its chapter, nor this tool, nor a commit has put there."""
    path = project.notebook(name)
    try:
        stored = stored_notebook(path) if path.exists() else {"cells": []}
    except ValueError:
        return None if committed(path) else UNREADABLE
    ours = [_digest(cell) for cell in build(project, name).cells]
    changed = [cell for cell in stored["cells"] if _digest(cell) not in (*ours, cell.get("id", "").split("-")[0])]
    lines = [line for _, source, _ in written(changed) for line in source.splitlines() if line.strip()]
    return lines[0] if lines and not committed(path) else None


def _run_cells(client: Any, name: str) -> None:
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    for index, cell in enumerate(client.nb.cells):
        try:
            client.execute_cell(cell, index, execution_count=client.code_cells_executed + 1)
        except CellExecutionError as error:
            raise ChapterError(_where(name, client.nb, index) + f"{error.ename}: {error.evalue}") from error
        except (CellTimeoutError, DeadKernelError) as error:
            raise ChapterError(_where(name, client.nb, index) + str(error).splitlines()[0]) from error
        if any(output.output_type == "error" for output in cell.get("outputs", [])):
            raise ChapterError(_where(name, client.nb, index) + "stores a traceback; catch the error and print it")


def _where(name: str, notebook: NotebookNode, index: int) -> str:
    number = sum(cell.cell_type == "code" for cell in notebook.cells[: index + 1])
    return f"{name}, code cell {number}, {notebook.cells[index].source.splitlines()[0]!r}: "


def _ask_kernel(client: Any, project: Project) -> dict[str, Any]:
    """Run kernel_facts in the kernel through a cell that is taken away again."""
    question = f"import json\nprint(json.dumps(kernel_facts({str(project.root / PACKAGE)!r})))"
    cells = client.nb.cells
    cells.append(nbformat.v4.new_code_cell("from typing import Any\n" + inspect.getsource(kernel_facts) + question))
    client.execute_cell(cells[-1], len(cells) - 1)
    answer = next(output.text for output in cells.pop().outputs if output.get("name") == "stdout")
    facts: dict[str, Any] = json.loads(answer)
    return facts


def _stamp(project: Project, name: str, facts: dict[str, Any]) -> dict[str, Any]:
    _require_order(project, name, results_read(facts["used"]))
    return facts | {
        "source_sha256": sha256(project.text(name).read_bytes()),
        "used": digests(project.root, facts["used"]),
        "hardware": processor(),
        "date": datetime.now(timezone.utc).date().isoformat(),
    }


def _require_order(project: Project, name: str, read: list[str]) -> None:
    """A chapter that read its own results, or later ones, would be stale again as soon as these are collected."""
    before = project.in_order[: project.in_order.index(name)]
    if late := sorted(set(read) - set(before)):
        raise ChapterError(
            f"{name} reads the results of {late[0] or 'all chapters'}; a chapter may read those of the ones before it "
            "in _toc.yml, with genai_utils.records.results.measured(column, chapter, ...)"
        )


def _for_the_site(front: FrontMatter) -> dict[str, Any]:
    """What the extensions of the site read in a notebook's metadata, beside the stamp."""
    limits = {"seconds": front.seconds, "memory_mb": front.memory_mb}
    return {"fold": front.fold, "live": front.live, "limits": limits}


def _with_settled_widget_ids(notebook: NotebookNode, widgets: list[str]) -> NotebookNode:
    """Name widgets by order of creation: Jupyter draws their ids at random, and each run would change every line."""
    content = nbformat.writes(notebook)
    for number, widget in enumerate(widgets):
        content = content.replace(widget, hashlib.sha256(f"widget {number}".encode()).hexdigest()[:32])
    return nbformat.reads(content, as_version=4)


def _sizes(notebook: NotebookNode) -> list[tuple[int, str]]:
    states = notebook.metadata.get("widgets", {}).get(WIDGETS, {}).get("state", {}).values()
    outputs = [(index, output) for index, cell in enumerate(notebook.cells) for output in cell.get("outputs", [])]
    return [(len(json.dumps(state)), f"a widget's state ({state.get('model_name')})") for state in states] + [
        (len(json.dumps(output)), f"an output of{_where('', notebook, index)[1:-2]}") for index, output in outputs
    ]


def _digest(cell: Mapping[str, Any]) -> str:
    """A hash of kind and text; the id of a cell begins with it, so that a cell which somebody changed can be told."""
    return sha256(f"{cell['cell_type']}\n{''.join(cell['source'])}".encode())[:8]


def _tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def _metadata(tags: list[str]) -> dict[str, Any]:
    folded = next((FOLDED[tag] for tag in tags if tag in FOLDED), {})
    return ({"tags": tags} if tags else {}) | folded


if __name__ == "__main__":
    sys.exit(main())
