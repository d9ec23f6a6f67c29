"""The environment is made once, mended when it cannot be trusted, and never half made without a word."""

import ast
import errno
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools import install
from tools.notebooks import ROOT

REAL = sys.executable
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
# Writes down its calls; `-m venv` copies it into .venv, pip fails or hangs where a file of that name lies.
PYTHON = """\
#!/bin/bash
case "$*" in
  -c*) cat "$0.version"; exit ;;
  "-m venv"*) rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin; cp "$0.version" .venv/bin ;;
esac
echo "$*" >> calls
if [[ "$*" == *pip* ]]; then
  [ ! -e hangs ] || sleep 60
  [ ! -e fails ]
fi
"""
MADE = ["-m venv --clear {root}/.venv", "pip==26.1"]
SITE = "-c requirements.lock --group site"
ALL = ["-c requirements.lock --group test", "-c requirements.lock -e ."]


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    """A checkout, and a Python that only writes down what it is asked to do."""
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "requirements.lock").write_text("numpy==2.0\npip==26.1\n")
    python(tmp_path / "python")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.delenv("LOCK", raising=False)
    monkeypatch.delenv("TORCH_INDEX", raising=False)
    return tmp_path


def python(path: Path, version: str = HERE) -> None:
    path.unlink(missing_ok=True)
    path.write_text(PYTHON)
    path.chmod(0o755)
    path.with_name(f"{path.name}.version").write_text(version)


def calls(root: Path) -> list[str]:
    """What was asked since the last time, without what all calls of pip have in common."""
    file = root / "calls"
    lines = file.read_text().splitlines() if file.exists() else []
    file.unlink(missing_ok=True)
    return [line.replace("-m pip --disable-pip-version-check -q install --no-compile ", "") for line in lines]


def made(root: Path) -> list[str]:
    return [line.format(root=root) for line in MADE]


@pytest.fixture
def whole(root) -> Path:
    """A checkout with an environment that holds everything, one package included."""
    assert install.main("all", root) == 0 and calls(root) == [*made(root), SITE, *ALL]
    package = root / ".venv/lib/python3/site-packages/tiny-1.dist-info"
    package.mkdir(parents=True)
    (package.parent / "tiny.py").write_text("tiny = 1\n")
    (package / "RECORD").write_text("tiny.py,sha256=x,9\ntiny-1.dist-info/RECORD,,\n")
    return root


def test_what_is_there_is_not_installed_again(whole):
    assert [install.main(step, whole) for step in install.STEPS] == [0, 0, 0] and calls(whole) == []


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements.lock"])
def test_another_list_of_packages_is_installed_into_the_same_environment(whole, name):
    (whole / name).write_text("pip==26.1\n# another")
    (whole / "fails").touch()
    assert install.main("site", whole) == 1 and not (whole / ".venv/site").exists(), "half of two lists"
    (whole / "fails").unlink()
    assert install.main("site", whole) == 0 and calls(whole) == [SITE, SITE]
    assert install.main("all", whole) == 0 and calls(whole) == ALL


def test_a_python_that_cannot_make_environments_gets_what_it_lacks_first(root, monkeypatch):
    (root / "tools").mkdir()
    (root / "tools/system.sh").write_text('#!/bin/sh\necho "$* for $PYTHON" >> calls\n')
    (root / "tools/system.sh").chmod(0o755)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert install.main("made", root) == 0 and calls(root) == [f"python3-venv for {root}/python", *made(root)]


def dead_link(venv: Path) -> None:
    (venv / "bin/python").unlink()
    (venv / "bin/python").symlink_to("/gone/python3")


def too_old(venv: Path) -> None:
    python(venv / "bin/python", "3.10")


def foreign(venv: Path) -> None:
    (venv / "made").unlink()


def moved(venv: Path) -> None:
    (venv / "made").write_text(f"/elsewhere/.venv\n{HERE}")


def replaced(venv: Path) -> None:
    python(venv / "bin/python", "3.99")


def cut_short(venv: Path) -> None:
    (venv / "all").unlink()
    next(venv.glob("lib/*/*/tiny.py")).write_text("tiny")


def without_record(venv: Path) -> None:
    (venv / "all").unlink()
    next(venv.glob("lib/*/*/*/RECORD")).unlink()


def half_removed(venv: Path) -> None:
    (venv / "all").unlink()
    next(venv.glob("lib/*/*/tiny.py")).rename(venv / "lib/python3/site-packages/~iny")


@pytest.mark.parametrize(
    ("wound", "name"),
    [
        (dead_link, "has no Python that runs"),
        (too_old, "has Python 3.10"),
        (foreign, "is half made, or was not made by this command"),
        (moved, f"was made as /elsewhere/.venv with Python {HERE} and is not that now"),
        (replaced, f".venv with Python {HERE} and is not that now"),
        (cut_short, "holds tiny-1 in part"),
        (without_record, "holds tiny-1 in part"),
        (half_removed, "holds ~iny in part"),
    ],
)
def test_what_cannot_be_trusted_is_named_and_made_anew(whole, capsys, wound, name):
    wound(whole / ".venv")
    (whole / ".venv/site").unlink()
    assert install.main("all", whole) == 0 and calls(whole)[:3] == [*made(whole), SITE]
    assert f"{name}: make it with Python {HERE}\n" in capsys.readouterr().out


def test_an_environment_without_a_torn_package_is_kept_though_its_last_step_was_interrupted(whole):
    (whole / ".venv/all").unlink()
    assert install.main("all", whole) == 0 and calls(whole) == ALL


@pytest.mark.parametrize(("step", "kept"), [("made", 0), ("site", 1), ("all", 2)])
def test_a_step_that_failed_says_so_and_is_done_again(root, capsys, step, kept):
    for before in install.STEPS[:kept]:
        assert install.main(before, root) == 0
    (root / "fails").touch()
    assert install.main(step, root) == 1 and not (root / ".venv" / step).exists()
    said = capsys.readouterr().err
    assert said.startswith("== could not install ") and said.count("\n") == 1 and "mend what is said above" in said
    (root / "fails").unlink()
    assert install.main(step, root) == 0 and (root / ".venv" / step).exists()


def start(root: Path) -> subprocess.Popen:
    """Install what the site needs in a process of its own, with the Python of the checkout."""
    code = "import sys; from pathlib import Path; from tools import install; root = Path(sys.argv[1]); " \
           "sys.executable = str(root / 'python'); sys.exit(install.main('site', root))"  # fmt: skip
    command = [REAL, "-c", code, str(root)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)


def test_pip_killed_while_it_replaces_itself_is_noticed(root, capsys):
    (root / "hangs").touch()
    process = start(root)
    while not (root / "calls").exists() or "pip" not in (root / "calls").read_text():
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (root / "hangs").unlink()
    calls(root)
    assert install.main("site", root) == 0 and calls(root) == [*made(root), SITE]
    assert "is half made" in capsys.readouterr().out


def test_who_comes_second_waits(root):
    with install.alone(root):
        process = start(root)
        assert process.stdout.readline() == "== another command installs here; this one waits\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.5)
        assert not (root / ".venv").exists()
    assert process.wait(timeout=60) == 0 and calls(root) == [*made(root), SITE]


def test_a_python_that_is_too_old_says_so_before_anything_happens(root, capsys, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 13))
    assert install.main("site", root) == 1 and calls(root) == [] and not (root / ".venv").exists()
    assert capsys.readouterr().err == (
        f"== this Python is 3.10 ({root}/python), and the course needs 3.11 or later: install one and add its name to "
        "the command, such as PYTHON=python3.12\n"
    )


def test_an_old_python_leaves_an_environment_alone_that_is_sound(whole, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 8, 18))
    assert install.main("all", whole) == 0 and calls(whole) == []


def test_an_old_python_can_read_the_script():
    tree = ast.parse((ROOT / "tools/install.py").read_text(), feature_version=(3, 7))
    hints = [hint for node in ast.walk(tree) for hint in (getattr(node, "annotation", 0), getattr(node, "returns", 0))]
    assert {type(hint) for hint in hints if hint} == {ast.Name, ast.Constant}, "put it in quotation marks"


def test_the_weight_of_torch_is_said_before_it_is_downloaded(root, capfd, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    (root / "fails").touch()
    install.main("all", root)
    assert "CUDA" not in capfd.readouterr().out
    (root / "fails").unlink()
    install.main("all", root)
    assert "3 GB to download, 5 GB on disk" in capfd.readouterr().out


def test_torch_that_is_there_or_comes_from_another_index_weighs_nothing(root, capsys, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("TORCH_INDEX", "https://index.invalid/cpu")
    assert install.main("all", root) == 0
    wanted = "-c requirements.lock --no-deps --index-url https://index.invalid/cpu torch torchvision"
    assert calls(root) == [*made(root), SITE, wanted, *ALL]
    monkeypatch.delenv("TORCH_INDEX")
    torch = root / ".venv/lib/python3/site-packages/torch-2.dist-info"
    torch.mkdir(parents=True)
    (root / "pyproject.toml").write_text("# changed")
    assert install.main("all", root) == 0 and "CUDA" not in capsys.readouterr().out


def test_another_lock_or_none_can_be_named(root, monkeypatch):
    monkeypatch.setenv("LOCK", "")
    assert install.main("site", root) == 0 and calls(root) == [*made(root), "--group site"]


def test_what_cannot_be_written_is_said_in_a_sentence(root, capsys):
    (root / ".venv").touch()
    assert install.main("site", root) == 1
    assert capsys.readouterr().err == f"== {root}/.venv: File exists; move it away, then type the command again\n"


@pytest.mark.parametrize(("number", "words"), [(errno.EROFS, "that you may write to"), (errno.ENOSPC, "free some")])
def test_a_disk_that_is_full_or_may_not_be_written_has_its_remedy(root, capsys, monkeypatch, number, words):
    def refuse(path, *_, **__):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert install.main("site", root) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"== {root}/.venv: {os.strerror(number)}; ") and words in said and said.count("\n") == 1


def test_a_disk_that_pip_filled_is_named(root, capsys, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    (root / "fails").touch()
    assert install.main("site", root) == 1 and "the disk is full: free some space" in capsys.readouterr().err


def test_ctrl_c_is_no_traceback(root, capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(install, "make", interrupt)
    assert install.main("site", root) == 130 and capsys.readouterr().err == "== stopped; the same command goes on\n"
