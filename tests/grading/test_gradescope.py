"""The archive for Gradescope is unpacked and run as its container does it, and the result is read."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from attacks import SALT, notebook

from tools import assignments, gradescope
from tools.grading import handout
from tools.grading.autograder import NOT_GUARANTEED
from tools.grading.sandbox import why_not
from tools.grading.source import load, variant
from tools.grading.submissions import Submission
from tools.notebooks import ROOT

NO_SANDBOX = why_not()
SOURCE = load("business-case")


def solved(student: str) -> tuple[str, ...]:
    cells = handout.teacher(SOURCE, variant(SOURCE, SALT, student))["cells"]
    return tuple("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> dict[str, Path]:
    """The archive of a class of two, and one that may go without a sandbox."""
    folder, found = tmp_path_factory.mktemp("packed"), {}
    (folder / "salt").write_bytes(SALT)
    for name, others in {"strict": [], "trusting": ["--trust"]}.items():
        found[name] = folder / f"{name}.zip"
        said = ["1", "--students", "ada,ben-miller", "--salt", str(folder / "salt"), "--out", str(folder / "out")]
        assert assignments.main([*said, "--gradescope", str(found[name]), *others]) == 0
    return found


@pytest.fixture
def container(tmp_path, packed):
    """A folder as Gradescope's container has it; `run` grades what it is given."""

    def run(cells, *, kind="strict", user=None, sandbox=True, name="anything.ipynb"):
        with zipfile.ZipFile(packed[kind]) as archive:
            archive.extractall(tmp_path / "source")
        (tmp_path / "submission").mkdir(exist_ok=True)
        (tmp_path / "submission" / name).write_bytes(notebook(cells))
        users = [user] if user else []
        (tmp_path / "submission_metadata.json").write_text(json.dumps({"users": users}))
        path = os.environ["PATH"] if sandbox else str(bare(tmp_path))
        plain = {"AUTOGRADER": str(tmp_path), "GRADER_PYTHON": sys.executable, "PATH": path}
        script = [shutil.which("bash"), str(tmp_path / "source/run_autograder")]
        done = subprocess.run(script, env=plain, capture_output=True, text=True, cwd="/", timeout=120)
        return json.loads((tmp_path / "results/results.json").read_text()), done

    return run


def bare(folder: Path) -> Path:
    """A path on which there is no bwrap."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin/bash").symlink_to(shutil.which("bash"))
    return folder / "bin"


@pytest.mark.skipif(bool(NO_SANDBOX), reason=f"no sandbox: {NO_SANDBOX}")
def test_a_solved_notebook_gets_full_marks_in_the_sandbox(container):
    """Under the name that Gradescope says, whatever the file is called."""
    result, done = container(solved("ada"), user={"email": "ada@school.example", "name": "Ada L."}, name="ben_1.ipynb")
    assert result["score"] == 25 == sum(each["max_score"] for each in result["tests"]), done.stderr
    assert {each["status"] for each in result["tests"]} == {"passed"} and done.returncode == 0
    assert "graded as ada" in done.stdout and NOT_GUARANTEED not in done.stdout
    assert result["stdout_visibility"] == "hidden"


def test_wrong_is_wrong_and_nothing_of_the_class_is_told(container):
    """Without a sandbox: it runs everywhere, and says what does not hold."""
    cells = (*solved("ada"), "def usd_per_million(*x): return 1.0", "1 / 0")
    result, done = container(cells, kind="trusting", user={"email": "ada@x.example"}, sandbox=False)
    lost = [each["name"] for each in result["tests"] if each["status"] == "failed"]
    assert result["score"] == 23 and len(lost) == 1, (result, done.stderr)
    assert "ZeroDivisionError" in result["output"] and done.returncode == 0
    assert NOT_GUARANTEED in done.stdout and NOT_GUARANTEED not in json.dumps(result)


def test_without_a_sandbox_it_grades_nothing_unless_it_was_made_to_trust(container):
    result, done = container(solved("ada"), sandbox=False)
    assert result["score"] == 0 and result["tests"] == [] and "tell your teacher" in result["output"]
    assert done.returncode == 1 and "bwrap is missing" in done.stderr and "--trust" in done.stderr


def test_who_hands_in_is_whom_gradescope_names(tmp_path):
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission/ben_x.ipynb").write_bytes(notebook(("1",)))
    blank = Submission("submission", "x")

    def name(user, students=("ada", "ben-miller")):
        metadata = {"users": [user, "odd"]} if user else {}
        return gradescope.named(blank, metadata, list(students), tmp_path)[0].student

    assert name({"email": "Ben_Miller@x.example"}) == name({"name": "Ben-Miller", "email": None}) == "ben-miller"
    assert name({"sid": "ada"}) == "ada" and name({"email": "eve@x.example"}) == name(None) == "ben"
    assert name({"email": "eve_b@x.example"}, ()) == "eve-b"


def test_a_grader_that_fails_says_so_to_the_teacher(tmp_path, monkeypatch, capsys):
    assert gradescope.main([str(tmp_path)]) == 1 and "FileNotFoundError" in capsys.readouterr().err
    assert json.loads((tmp_path / "results/results.json").read_text())["score"] == 0


def test_the_archive_holds_what_it_needs_and_is_the_same_each_time(packed, tmp_path):
    with zipfile.ZipFile(packed["strict"]) as archive:
        names = archive.namelist()
        assert archive.read("assignments/.salt") == SALT
        modes = {each.filename: each.external_attr >> 16 for each in archive.infolist()}
        assert "bubblewrap" in archive.read("setup.sh").decode()
        pinned = archive.read("requirements.txt").decode()
    assert {"setup.sh", "run_autograder", "book/chapters/value-and-bubbles.md", "tools/grading/judge.py"} <= set(names)
    assert modes["setup.sh"] == modes["run_autograder"] == 0o755 and not any("tests/" in name for name in names)
    lock = (ROOT / "requirements.lock").read_text()
    for line in re.findall(r'^(\w+==\S+); python_version >= "3.11"$', pinned, re.MULTILINE):
        assert f"\n{line}\n" in lock
    assert all(re.match(r"#|\w+==[\d.]+; python_version", line) for line in pinned.splitlines())
    (tmp_path / "salt").write_bytes(SALT)
    said = ["1", "--students", "ada,ben-miller", "--salt", str(tmp_path / "salt"), "--out", str(tmp_path / "out")]
    assert assignments.main([*said, "--gradescope", str(tmp_path / "again.zip")]) == 0
    assert (tmp_path / "again.zip").read_bytes() == packed["strict"].read_bytes()


@pytest.mark.parametrize("name", ["train-under-budget", "investment-memo"])
def test_the_other_assignments_can_be_packed_without_a_class_and_load_from_the_archive(name, tmp_path, capsys):
    (tmp_path / "salt").write_bytes(SALT)
    said = [name, "--gradescope", str(tmp_path / "x.zip"), "--salt", str(tmp_path / "salt"), "--trust"]
    assert assignments.main(said) == 0 and "the hidden tests" in capsys.readouterr().out
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        archive.extractall(tmp_path / "source")
    code = "import sys; sys.path.insert(0, '.'); from tools.grading.source import load; print(load(sys.argv[1]).title)"
    done = subprocess.run([sys.executable, "-c", code, name], cwd=tmp_path / "source", capture_output=True, text=True)
    assert done.stdout.strip() == load(name).title, done.stderr
    assert assignments.main([name, "--salt", str(tmp_path / "salt")]) == 2


def test_shellcheck_finds_nothing():
    scripts = sorted((ROOT / "assignments/gradescope").iterdir())
    done = subprocess.run([Path(sys.executable).parent / "shellcheck", *scripts], capture_output=True, text=True)
    assert done.returncode == 0 and all(os.access(path, os.X_OK) for path in scripts), done.stdout
