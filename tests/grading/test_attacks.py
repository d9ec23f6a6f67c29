"""No submission gets out, cheats or stops the grader: each attack gets the points that it earned, and nothing moved."""

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from attacks import ATTACKS, QUIET, SALT, Attack, outside, sandbox, toy

from tools.grading.judge import mark
from tools.grading.sandbox import FIRST_UID
from tools.grading.submissions import Submission

pytestmark = pytest.mark.usefixtures("sandboxed")
EVERYBODY = Path("/usr/bin/python3")  # that other users can read
SOMEBODY = 65_534


@pytest.fixture
def world(tmp_path):
    (tmp_path / "outside").mkdir()
    with outside(tmp_path / "outside") as made:
        yield made


def left_over(first: int = FIRST_UID + os.getpid() % 10_000 * 64, users: int = 64) -> list[str]:
    """Living processes of users: of those of this process's sandboxes, if these have users of their own."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if first <= path.stat().st_uid < first + users and ") Z " not in path.read_text(errors="replace"):
                found.append(path.parent.name)
    return found


def marked(attack: Attack, world, **other):
    submission = Submission("mallory", "mallory.ipynb", world.told(attack.cells))
    return mark(toy(), submission, SALT, replace(sandbox(), **other))


def test_there_are_more_than_forty_kinds():
    assert len(ATTACKS) + len(QUIET) >= 70


@pytest.mark.parametrize("name", ATTACKS)
def test_it_gets_what_it_earned_and_nothing_outside_moves(name, world, monkeypatch):
    monkeypatch.setenv("SECRET", "SECRET")
    result = marked(ATTACKS[name], world)
    assert result.points in ATTACKS[name].points and not result.alarm, (result.problem, result.items, result.errors)
    assert world.untouched() and not left_over()
    assert not list(Path("/sys/fs/cgroup").glob(f"*/grading-{os.getpid()}-*"))


@pytest.mark.parametrize("name", QUIET)
def test_inputs_of_hidden_tests_do_not_come_back(name, world):
    result = marked(QUIET[name], world)
    assert result.points in QUIET[name].points
    assert "INPUT" not in json.dumps(result.plain())


REAL = (
    "the canary read", "the hidden tests read", "passwords read", "a door on this machine",
    "a socket of files", "other people's processes", "memory in files without names", "packets",
)  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_without_a_sandbox_it_would_have_got_out(name, world):
    assert marked(ATTACKS[name], world, trust=True).points == 2, "the attack is a blank"


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can become somebody else; all tests above ran as a normal user"
)
def test_the_same_attacks_as_a_normal_user(tmp_path_factory):
    python = EVERYBODY if EVERYBODY.exists() else Path(sys.executable)
    folder = tmp_path_factory.mktemp("somebody", numbered=False)
    for path in (folder, *folder.parents[:3]):
        path.chmod(path.stat().st_mode | 0o011)
    os.chown(folder, SOMEBODY, SOMEBODY)
    user = ["setpriv", f"--reuid={SOMEBODY}", f"--regid={SOMEBODY}", "--clear-groups"]
    script = Path(__file__).with_name("attacks.py")
    if subprocess.run([*user, "test", "-r", script]).returncode:
        pytest.skip("other users cannot read this tree")
    done = subprocess.run(
        [*user, python, "-B", script, folder], capture_output=True, text=True, env=os.environ | {"SECRET": "SECRET"}
    )
    found = json.loads(done.stdout or "{}")
    if "no sandbox" in found:
        pytest.skip(found["no sandbox"])
    assert set(found) == {*ATTACKS, *QUIET}, done.stderr[-2000:]
    assert not {name: each for name, each in found.items() if not (each["right"] and each["untouched"])}
    assert not left_over(SOMEBODY, 1)
