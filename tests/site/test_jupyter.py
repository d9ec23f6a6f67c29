"""Explorers work in JupyterLab as they do on the page: a reader runs the cells and turns the controls by keyboard."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import nbformat
import pytest
from browsing import press_every_control
from node import NAMES
from playwright.sync_api import Locator

pytestmark = pytest.mark.xdist_group("jupyter")
SETUP = "import genai_utils as gu\ngu.start(seed=0)"
QUIET = ["--no-browser", "--port=0", "--ServerApp.port_retries=0", "--IdentityProvider.token=", "--allow-root"]
QUIET += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.extension_manager=readonly"]
QUIET += ["--LanguageServerManager.autodetect=False", "--LabApp.expose_app_in_browser=True"]
RUN_ALL = """async () => {
  await jupyterapp.shell.currentWidget.sessionContext.ready;
  jupyterapp.commands.execute('notebook:run-all-cells');
}"""


def notebook(explorer: str) -> nbformat.NotebookNode:
    """The setup cell of a chapter, and the explorer."""
    show = f"from genai_utils.show.explorers import {explorer}\n{explorer}()"
    cells = [nbformat.v4.new_code_cell(source) for source in (SETUP, show)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def own_folders(home: Path) -> dict[str, str]:
    """Environment of a server that leaves the settings of the user's own Jupyter alone."""
    names = ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"]
    names += ["JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"]
    return os.environ | {name: str(home / name.lower()) for name in names}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address of a JupyterLab that serves a notebook for each explorer."""
    work, home = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("home")
    for explorer in NAMES:
        nbformat.write(notebook(explorer), work / f"{explorer}.ipynb")
    command = [sys.executable, "-m", "jupyterlab", *QUIET, f"--ServerApp.root_dir={work}"]
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
        server.terminate()


@pytest.fixture(params=NAMES)
def place(request, lab, chromium) -> Iterator[Locator]:
    """The explorer in its notebook, whose cells were run; meanwhile nothing may go wrong or leave the machine."""
    tab, troubles, own = chromium.new_page(), [], (lab, "data:", "blob:")
    tab.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on("request", lambda request: None if request.url.startswith(own) else troubles.append(request.url))
    tab.set_default_timeout(60_000)  # the kernel has torch to import, maybe on a busy machine
    tab.goto(f"{lab}lab/tree/{request.param}.ipynb?reset")
    tab.locator(".jp-CodeCell").last.wait_for()
    tab.evaluate(RUN_ALL)
    tab.locator(".jp-OutputArea output").last.wait_for()
    yield tab.locator(".jp-OutputArea-output:has(output)")
    tab.close()
    assert troubles == []


def test_each_control_answers_to_keys_in_jupyterlab(place):
    press_every_control(place.page, place)
