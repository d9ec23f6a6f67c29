"""What needs root is installed by root on Debian, who is told first; everybody else is told what to type."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.notebooks import ROOT

PACKAGES = ("bubblewrap", "chromium", "libatomic1", "python3-venv")


@pytest.fixture
def machine(tmp_path):
    """A machine of Debian with nothing installed, as root; its apt-get and its Python only write down their calls."""
    for name in ("bash", "env"):
        os.symlink(shutil.which(name), tmp_path / name)
    for name, body in {
        "id": "echo 0",
        "uname": "echo Linux",
        "python3": "exit 1",
        "apt-get": f'echo "apt-get $*" >> {tmp_path}/calls',
    }.items():
        command(tmp_path, name, body)
    return tmp_path


def command(machine: Path, name: str, body: str) -> None:
    (machine / name).write_text(f"#!{shutil.which('bash')}\n{body}\n")
    (machine / name).chmod(0o755)


def install(machine: Path) -> tuple[int, str, str]:
    """Run the script there.  Returns: its status, what it said, and what it called of apt-get."""
    done = subprocess.run([ROOT / "tools/system.sh", *PACKAGES], cwd=machine, env={"PATH": str(machine)},
                          capture_output=True, text=True)  # fmt: skip
    calls = machine / "calls"
    return done.returncode, done.stdout + done.stderr, calls.read_text() if calls.exists() else ""


def test_root_on_debian_is_told_before_anything_is_installed(machine):
    command(machine, "apt-get", f'echo "apt-get $*"; echo "apt-get $*" >> {machine}/calls')
    status, said, calls = install(machine)
    assert (
        status == 0
        and calls == "apt-get update -q\napt-get install -y -q bubblewrap chromium libatomic1 python3-venv\n"
    )
    assert said == f"== as root: apt-get install bubblewrap chromium libatomic1 python3-venv\n{calls}"


def test_only_what_is_missing_is_installed(machine):
    command(machine, "bwrap", "")
    command(machine, "chromium", "")
    command(machine, "python3", '[[ "$*" == *ensurepip* ]]')
    assert install(machine)[2].splitlines()[-1] == "apt-get install -y -q libatomic1"


def test_nothing_is_called_when_nothing_is_missing(machine):
    command(machine, "bwrap", "")
    command(machine, "chromium", "")
    command(machine, "python3", "")
    assert install(machine) == (0, "== nothing that needs root is missing\n", "")


def test_without_root_it_says_what_to_type_and_fails(machine):
    command(machine, "id", "echo 1000")
    assert install(machine) == (
        1,
        "missing: bubblewrap chromium libatomic1 python3-venv; type 'sudo make system', then the command again\n",
        "",
    )


def test_without_apt_it_names_what_is_missing_and_fails(machine):
    (machine / "apt-get").unlink()
    status, said, _ = install(machine)
    assert status == 1 and said.startswith(
        "missing: bubblewrap chromium libatomic1 python3-venv (names in Debian); install them"
    )


def test_an_environment_that_was_made_needs_no_venv_and_another_system_no_library_of_linux(machine):
    command(machine, "chromium", "")
    command(machine, "uname", "echo Darwin")
    (machine / ".venv").mkdir()
    (machine / ".venv/made").touch()
    assert install(machine) == (0, "== nothing that needs root is missing\n", "")


def test_a_failed_installation_is_an_error(machine):
    command(machine, "apt-get", "exit 100")
    assert install(machine)[0] == 100
