"""What runs on GitHub for a teacher: the public checks of a student's folder, and a class in eight parts."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from attacks import SALT

from tools import assignments
from tools.grading.batch import shard
from tools.notebooks import ROOT
from tools.strict_yaml import load

CLASSROOM, PARTS = ROOT / "assignments/classroom/classroom.yml", ROOT / "cluster/grade.yml"
PINNED = re.compile(r"actions/[\w-]+@v\d+")


def jobs(path: Path) -> dict:
    """Jobs of a workflow, which says nothing twice and has no rights that it does not need."""
    workflow = load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"} and set(workflow) <= {
        "name",
        True,
        "permissions",
        "env",
        "jobs",
    }
    for job in workflow["jobs"].values():
        assert job["runs-on"] == "ubuntu-latest" and job["timeout-minutes"] <= 60
        assert all(PINNED.fullmatch(step["uses"]) for step in job["steps"] if "uses" in step)
        for step in job["steps"]:
            assert subprocess.run(["bash", "-n"], input=step.get("run", ""), text=True, check=False).returncode == 0
            assert "${{" not in step.get("run", ""), "what a person types must not become code: env holds it"
    return workflow["jobs"]


def runs(job: dict) -> str:
    return "\n".join(step.get("run", "") for step in job["steps"])


def test_the_parts_of_the_matrix_are_the_whole_class():
    part, gather = (found := jobs(PARTS))["part"], found["gather"]
    numbers = part["strategy"]["matrix"]["part"]
    assert '--shard "$PART/8"' in runs(part) and "--shard" not in runs(gather) and gather["needs"] == "part"
    class_ = list(range(37))
    assert sorted(each for number in numbers for each in shard(class_, f"{number}/8")) == class_
    assert part["strategy"]["fail-fast"] is False  # one part's trouble is not another's
    for job in (part, gather):
        assert "bubblewrap" in runs(job) and "--trust" not in runs(job) and "assignments/requirements.txt" in runs(job)
    assert (ROOT / "assignments/requirements.txt").is_file()


def test_the_commands_of_the_matrix_grade_a_class(tmp_path):
    """As written, with two parts of eight; trusted, since this machine may have no sandbox."""
    (tmp_path / "class").mkdir()
    for name in ("ada", "ben", "cy"):
        (tmp_path / f"class/{name}.ipynb").write_text('{"cells": [{"cell_type": "code", "source": "x = 1"}]}')
    for folder in ("tools", "assignments", "book", "tests"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    settings = {"SUBMISSIONS": "class", "ASSIGNMENT": "business-case", "SALT": "a secret", "RUNNER_TEMP": str(tmp_path)}
    path = f"{Path(sys.executable).parent}:{Path(shutil.which('bash')).parent}:/usr/bin:/bin"
    for job, part in (("part", "1"), ("part", "2"), ("gather", "")):
        (line,) = [step["run"] for step in jobs(PARTS)[job]["steps"] if "grade.py" in step.get("run", "")]
        line = line.replace("python tools/grade.py", f"python {ROOT}/tools/grade.py --trust")
        done = subprocess.run(["bash", "-e", "-c", line], cwd=tmp_path, env=settings | {"PART": part, "PATH": path},
                              capture_output=True, text=True)  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "grades/grades.csv").read_text().count("\n") == 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """What a student gets, with the workflow."""
    out = tmp_path_factory.mktemp("classroom")
    (out / "salt").write_bytes(SALT)
    said = [
        "business-case",
        "--students",
        "ada",
        "--salt",
        str(out / "salt"),
        "--out",
        str(out / "handed"),
        "--classroom",
    ]
    assert assignments.main(said) == 0
    return out / "handed"


def checked(place: Path, file: Path) -> subprocess.CompletedProcess:
    """The last command of the workflow, in a folder with this notebook."""
    for old in place.glob("*.ipynb"):
        old.unlink()
    shutil.copy(file, place / "ada_business-case.ipynb")
    last = load((place / ".github/workflows/classroom.yml").read_text())["jobs"]["checks"]["steps"][-1]["run"]
    assert last.startswith("python ")
    return subprocess.run([sys.executable, *last.split()[1:]], cwd=place, capture_output=True, text=True)


def test_public_checks_run_on_github_and_no_hidden_test_is_there(folder, tmp_path):
    place, handed = tmp_path / "repository", folder / "ada"
    shutil.copytree(handed, place)
    jobs(place / ".github/workflows/classroom.yml")
    given = checked(place, handed / "ada_business-case.ipynb")
    assert given.returncode == 1 and "not yet: " in given.stdout and "hint 1" in given.stdout, given.stderr
    solved = checked(place, folder / "teacher/ada_business-case.ipynb")
    assert solved.returncode == 0 and "not yet" not in solved.stdout, solved.stdout
    assert "14 public checks hold, 0 do not" in solved.stdout
    text = "".join(path.read_text() for path in handed.rglob("*") if path.is_file())
    assert "@hidden" not in text and SALT.decode(errors="replace") not in text


@pytest.mark.parametrize(("code", "told"), [("!ls\\n1 / 0", "ZeroDivisionError"), ("x = 1", "0 public checks hold")])
def test_a_folder_without_checks_is_not_green(tmp_path, code, told):
    (tmp_path / "x.ipynb").write_text(f'{{"cells": [{{"cell_type": "code", "source": "{code}"}}]}}')
    script = ROOT / "assignments/classroom/check.py"
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and told in done.stdout
