"""A bundle is unpacked and installed where no network is, and a chapter and an assignment run from it."""

import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tools import assignments, bundle
from tools.licenses import needed
from tools.notebooks import ROOT

# What the business part computes with, without torch and without JupyterLab, so that the test is quick.
LIGHT = ["anywidget", "ipykernel", "nbclient", "matplotlib", "numpy", "pillow", "scipy"]
NO_NETWORK = next(
    (
        command
        for command in (["unshare", "-n"], ["unshare", "-rn"])
        if shutil.which("unshare") and not subprocess.run([*command, "true"], capture_output=True).returncode
    ),
    None,
)
RUN = """\
import json, socket, sys
from pathlib import Path
import genai_utils, nbformat
from genai_utils.business.unit_economics import usd_per_million_tokens
from genai_utils.records.facts import fact
from jupyter_client import AsyncKernelManager
from nbclient import NotebookClient

try:
    socket.create_connection(("192.0.2.1", 80), timeout=2)
    reached = True
except OSError as error:
    reached = "unreachable" not in str(error)
notebook = nbformat.read(sys.argv[1], as_version=4)
for each in (nbformat.read("notebooks/china.ipynb", as_version=4), notebook):
    manager = AsyncKernelManager(transport="ipc")  # here not even this machine's own addresses answer
    NotebookClient(each, km=manager, timeout=60).execute()
said = [output.get("text", "") for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
usd = usd_per_million_tokens(tokens_per_second=1_000, machine_usd_per_hour=3.6, utilisation=1.0)
weights = len(list(Path(genai_utils.__file__).parent.glob("zoo/weights/*.safetensors")))
print(json.dumps({"said": said, "usd": usd, "fact": fact("B-U1").date, "weights": weights, "reached": reached,
                  "package": genai_utils.__file__}))
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A course whose site is one page, with one notebook."""
    root = tmp_path_factory.mktemp("course")
    for name in (*bundle.BUILD, *bundle.SOURCES[1:]):
        if not (root / name).exists():
            bundle.lay(ROOT / name, root / name)
    bundle.lay(ROOT / "notebooks/china.ipynb", root / "notebooks/china.ipynb")
    (root / "_build/html").mkdir(parents=True)
    (root / "_build/html/index.html").write_text("the site")
    return root


@pytest.fixture(scope="module")
def course(tree, tmp_path_factory) -> Path:
    """The folder that a learner unpacks."""
    made = bundle.bundle(tree, tree / "dist", LIGHT)
    folder = tmp_path_factory.mktemp("learner")
    with tarfile.open(made) as archive:
        archive.extractall(folder, filter="data")
    assert [path.name for path in (tree / "dist").iterdir()] == [bundle.NAME]
    return folder / "course"


def test_it_holds_site_notebooks_wheels_and_what_to_type(course):
    assert (course / "site/index.html").read_text() == "the site"
    assert (course / "notebooks/china.ipynb").exists() and (course / "assignments/business-case.md").exists()
    wheels = [path.name for path in (course / "wheels").iterdir()]
    assert not [name for name in wheels if name.startswith(("torch", "nvidia", "triton"))]
    assert len(wheels) == len((course / "requirements.txt").read_text().split()) + 1
    said = (course / "README.txt").read_text()
    assert "python3 install.py" in said and "no torch" in said and bundle.PYTHON in said
    assert not (course / "assignments/.salt").exists()


def test_a_wheel_holds_what_pip_installed(course):
    (wheel,) = (course / "wheels").glob("anywidget-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    data = [name for name in names if ".data/data/share/jupyter/" in name]
    assert "anywidget/__init__.py" in names and data and not [name for name in names if ".." in name]
    (info,) = {name.split("/")[0] for name in names if ".dist-info/" in name}
    record = zipfile.ZipFile(wheel).read(f"{info}/RECORD").decode().split()
    listed = {line.rsplit(",", 2)[0].strip('"') for line in record}
    assert listed == names


@pytest.mark.skipif(NO_NETWORK is None, reason="this system lets no process have a network of its own (unshare -n)")
def test_without_a_network_it_installs_and_a_chapter_and_an_assignment_run(course, tmp_path):
    places = ["--salt", str(tmp_path / "salt"), "--out", str(tmp_path / "out")]
    assert assignments.main(["business-case", "--students", "ada", *places]) == 0
    solved = next((tmp_path / "out/teacher").glob("*.ipynb"))
    (tmp_path / "run.py").write_text(RUN)
    alone = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    for command in (
        [sys.executable, "-I", "install.py"],
        [".venv/bin/python", "-I", tmp_path / "run.py", solved],
    ):
        done = subprocess.run([*NO_NETWORK, *map(str, command)], cwd=course, env=alone, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["package"].startswith(str(course)) and not found["reached"]
    assert found["usd"] == pytest.approx(1.0) and found["fact"] and found["weights"] > 5
    said = "".join(found["said"])
    assert said.count("right: ") >= 8 and "not yet: " not in said, said


def test_without_torch_nothing_comes_that_needs_it():
    light, whole = (needed(bundle.requirements(ROOT, torch)) for torch in (False, True))
    assert "torch" in whole and not light & {"torch", "torchvision", "torchmetrics", "accelerate"}
    assert {"jupyterlab", "numpy", "matplotlib", "scipy"} <= light < whole


def test_a_bundle_without_a_site_says_what_to_do_and_leaves_nothing(tmp_path):
    with pytest.raises(bundle.BundleError, match="`make book` builds it"):
        bundle.bundle(tmp_path, tmp_path / "dist", LIGHT)
    assert not list((tmp_path / "dist").iterdir())


def test_another_python_is_told_which_one_to_type(course, tmp_path):
    for name in ("install.py", "python.txt"):
        shutil.copy(course / name, tmp_path)
    (tmp_path / "python.txt").write_text("2.7\n")
    done = subprocess.run([sys.executable, "install.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and "type python2.7 install.py" in done.stderr and not (tmp_path / ".venv").exists()


def test_what_lies_outside_the_packages_goes_where_pip_puts_it():
    assert bundle.inside("numpy/__init__.py", "numpy-2") == "numpy/__init__.py"
    assert bundle.inside("../../../bin/f2py", "numpy-2") is None
    assert bundle.inside("../../../share/man/ipython.1", "ipython-9") == "ipython-9.data/data/share/man/ipython.1"
