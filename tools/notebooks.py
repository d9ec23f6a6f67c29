"""Turn book/chapters/NAME.md into notebooks/NAME.ipynb: execute what is stale, store the outputs, stamp the result.

    python tools/notebooks.py            execute every chapter whose notebook is stale
    python tools/notebooks.py NAME ...   execute these, stale or not
    python tools/notebooks.py --check    execute nothing; list what is stale and why, exit 1 if anything is

The text is the only source. A notebook is replaced in one step, and only by a complete run without an error.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import json
import os
import platform
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import tomllib
import yaml
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "genai_utils"
COLLECTED = "results.csv"  # made from the notebooks: if they depended on it, none would ever be fresh
CELL_SECONDS = 600
MAX_BYTES = 1_500_000
WIDGETS = "application/vnd.jupyter.widget-state+json"
# Named in full: without a name jupytext takes a text with ":::" in it for another dialect.
MARKDOWN = {"extension": ".md", "format_name": "markdown", "split_at_heading": True}
SETUP_TEXT = "import genai_utils as gu\ngu.start(seed=0)"
SETUP_CELL = """\
try:
    import genai_utils as gu
except ImportError:
    %pip install -q "genai-utils @ git+{url}@v{version}"
    import genai_utils as gu
gu.start(seed=0)"""
# What Jupyter (and, for the form view, Colab) need to fold a solution away together with its output.
FOLDED = {"jupyter": {"source_hidden": True, "outputs_hidden": True}, "collapsed": True, "cellView": "form"}


class ChapterError(Exception):
    """A chapter that cannot become a notebook; the message names the chapter, the cell and the reason."""


@dataclass(frozen=True)
class Project:
    """The folders of a course whose repository root is `root`."""

    root: Path

    @property
    def names(self) -> list[str]:
        """Chapters that have a text, in alphabetical order."""
        return sorted(path.stem for path in (self.root / "book" / "chapters").glob("*.md"))

    def text(self, name: str) -> Path:
        """Where authors write the chapter."""
        return self.root / "book" / "chapters" / f"{name}.md"

    def notebook(self, name: str) -> Path:
        """Where readers find the executed chapter."""
        return self.root / "notebooks" / f"{name}.ipynb"

    @property
    def setup_cell(self) -> str:
        """First code cell of every notebook: it installs the package of this version if there is none."""
        url = yaml.safe_load((self.root / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
        version = tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
        return SETUP_CELL.format(url=url.rstrip("/"), version=version)


def build(project: Project, name: str) -> NotebookNode:
    """Make the notebook of a chapter, not yet executed.  Raises: ChapterError if the setup cell is not as agreed."""
    notebook = jupytext.read(project.text(name), fmt=MARKDOWN)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = NotebookNode(kernelspec=kernel, language_info={"name": "python"})
    first = next((cell for cell in notebook.cells if cell.cell_type == "code"), None)
    if first is None or "setup" not in _tags(first) or first.source.strip() != SETUP_TEXT:
        raise ChapterError(f"{name}: the first code cell must be tagged setup and read\n{SETUP_TEXT}")
    first.source = project.setup_cell
    first.metadata.tags = ["setup", "nbval-ignore-output"]  # it prints the versions of the machine it runs on
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
        cell.id = f"{digest}-{seen[digest]}"
        seen[digest] += 1
        cell.metadata = NotebookNode(_metadata(_tags(cell)))
    return notebook


def stale(project: Project, name: str) -> str | None:
    """Say why the notebook of a chapter no longer belongs to its text and the package; None if it does."""
    if not project.notebook(name).exists():
        return "it has no notebook"
    try:
        stored = nbformat.read(project.notebook(name), as_version=4)
    except (ValueError, nbformat.ValidationError):
        return "its notebook cannot be read"
    stamp = stored.metadata.get("genai", {})
    if stamp.get("source_sha256") != _sha256(project.text(name)):
        return "its text has changed"
    if missing := [module for module in stamp.modules if not (project.root / module).is_file()]:
        return f"{missing[0]} is gone"
    if stamp.package_sha256 != _package_sha256(project, _with_siblings(project, stamp.modules)):
        return f"the part of {PACKAGE} that it uses has changed"
    if project.setup_cell not in [cell.source for cell in stored.cells]:
        return "its setup cell installs from another repository or version"
    if [_essence(cell) for cell in stored.cells] != [_essence(cell) for cell in build(project, name).cells]:
        return "the cells of its notebook are not those of its text"
    if any(cell.execution_count is None for cell in stored.cells if cell.cell_type == "code"):
        return "its notebook has cells that were not executed"
    return None


def execute(project: Project, name: str) -> NotebookNode:
    """Run a chapter in an empty folder and store outputs, widget state and stamp.  Raises: ChapterError at an error."""
    from nbclient import NotebookClient

    notebook = build(project, name)
    budget = os.environ.get("GENAI_BUDGET") or "cpu"
    environment = os.environ | {"PYTHONPATH": str(project.root), "GENAI_BUDGET": budget}
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            record_timing=False,
            store_widget_state=True,
            coalesce_streams=True,
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": folder}},
        )
        # Without kernel folders python3 is the interpreter that runs this tool, whatever the user has registered.
        client.create_kernel_manager().kernel_spec_manager.kernel_dirs = []
        with client.setup_kernel(env=environment):
            started = time.perf_counter()
            _run_cells(client, name)
            seconds = round(time.perf_counter() - started, 1)
            client.set_widgets_metadata()
            facts = _ask_kernel(client, project)
    notebook = _with_settled_widget_ids(notebook, list(client.widget_state))
    notebook.metadata.genai = _stamp(project, name, facts) | {"seconds": seconds, "budget": budget}
    return notebook


def store(project: Project, name: str, notebook: NotebookNode) -> None:
    """Replace the notebook of a chapter in one step.  Raises: ChapterError, if it is too large."""
    nbformat.validate(notebook)
    content = nbformat.writes(notebook).rstrip("\n") + "\n"
    if (size := len(content.encode())) > MAX_BYTES:
        biggest, label = max(_sizes(notebook))
        raise ChapterError(
            f"{name}: the notebook would have {size:,} bytes, more than {MAX_BYTES:,}; the biggest part is {label} "
            f"with {biggest:,}. Show fewer or smaller images."
        )
    path = project.notebook(name)
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(".part")
    try:
        draft.write_text(content, encoding="utf-8")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


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
    files = {Path(getattr(module, "__file__", None) or "") for module in list(sys.modules.values())}
    files |= getattr(sys.modules.get(f"{home.name}.zoo"), "loaded", set())  # the trained weights
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    if (status := Path("/proc/self/status")).exists():  # on Linux ru_maxrss starts at the size of the parent process
        peak = int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0]) / 2**10
    return {
        "modules": sorted(file.relative_to(home.parent).as_posix() for file in files if home in file.parents),
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
    due = options.names or [name for name in project.names if stale(project, name)]
    return int(not all([_update(project, name) for name in due]))


def _is_stale(project: Project, name: str) -> bool:
    reason = stale(project, name)
    if reason:
        print(f"{name} is stale: {reason}")
    return bool(reason)


def _update(project: Project, name: str) -> bool:
    try:
        notebook = execute(project, name)
        store(project, name, notebook)
    except (ChapterError, OSError) as error:
        print(f"{error}\n{name} failed; its notebook is as it was", file=sys.stderr)
        return False
    stamp = notebook.metadata.genai
    print(f"{name}: {stamp.seconds} s, {stamp.peak_memory_mb} MB", flush=True)
    return True


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
    modules = _with_siblings(project, facts["modules"])
    return facts | {
        "source_sha256": _sha256(project.text(name)),
        "package_sha256": _package_sha256(project, modules),
        "modules": [path.relative_to(project.root).as_posix() for path in modules],
        "hardware": f"{_processor()}, {os.cpu_count()} cores",
        "date": datetime.now(timezone.utc).date().isoformat(),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text()) if cpuinfo.exists() else None
    return " ".join(found[1].split()) if found else platform.processor() or platform.machine()


def _with_siblings(project: Project, modules: Iterable[str]) -> list[Path]:
    """Modules with the files that lie beside them under the same stem (x.py: x.js, x.css, x.csv, ...)."""
    paths = [project.root / module for module in modules]
    siblings = {path for module in paths for path in module.parent.glob(f"{module.stem}.*") if path.is_file()}
    return sorted(path for path in siblings if path.name != COLLECTED)


def _package_sha256(project: Project, paths: Iterable[Path]) -> str:
    listing = "".join(f"{_sha256(path)}  {path.relative_to(project.root).as_posix()}\n" for path in paths)
    return hashlib.sha256(listing.encode()).hexdigest()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


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


def _tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def _metadata(tags: list[str]) -> dict[str, Any]:
    return ({"tags": tags} if tags else {}) | (FOLDED if "hide-cell" in tags else {})


def _essence(cell: NotebookNode) -> tuple[str, str, str, dict[str, Any]]:
    return cell.cell_type, cell.id, cell.source, dict(cell.metadata)


if __name__ == "__main__":
    sys.exit(main())
