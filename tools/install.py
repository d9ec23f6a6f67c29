"""Make .venv, mend it, install into it: `python3 tools/install.py made`, `site` (for pages) or `all` (torch and tests).

Runs before anything is installed, with whatever Python the reader has: the standard library only, and no words that an
old Python does not know, so that it can say that it is too old. Each step ends with a mark, .venv/STEP, which says what
it was made of. What has no mark was interrupted; an environment that cannot be trusted is named and made anew.
"""

import contextlib
import csv
import errno
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST = (3, 11)
STEPS = ("made", "site", "all")
LISTS = ("pyproject.toml", "requirements.lock")
FULL = 100_000_000  # bytes; with less free space a failure is the disk's
CUDA = """\
torch's Linux build on the public index brings CUDA libraries: 3 GB to download, 5 GB on disk.
   To take torch from another index, such as one of CPU builds, stop this and add TORCH_INDEX=URL to the command."""


class Refused(Exception):
    """What the reader has to do, in a sentence."""


def main(step: str, root: Path = ROOT) -> int:
    """Bring .venv up to a step.  Returns: exit status."""
    try:
        with alone(root):
            install(root, STEPS[: STEPS.index(step) + 1])
    except Refused as reason:
        return _failed(str(reason), 1)
    except OSError as error:
        return _failed(f"{error.filename}: {error.strerror}; {remedy(error)}, then type the command again", 1)
    except KeyboardInterrupt:
        return _failed("stopped; the same command goes on", 130)
    return 0


def install(root: Path, steps: "tuple[str, ...]") -> None:
    """Make .venv anew if it cannot be trusted, then do each step that is not done.  Raises: Refused, OSError."""
    venv = root / ".venv"
    wrong = fault(venv, steps) if any(venv.glob("*")) else "is not there"
    if wrong:
        make(venv, wrong)
    for step in steps[1:]:
        content = digest(root)
        if _read(venv / step) != content:
            with marked(venv / step, content):
                (site if step == "site" else everything)(root)


@contextlib.contextmanager
def alone(root: Path) -> "Iterator[None]":
    """Wait until nobody else installs into a folder; the lock is the folder itself and ends with its process."""
    folder = os.open(str(root), os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("== another command installs here; this one waits", flush=True)
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def fault(venv: Path, steps: "tuple[str, ...]") -> str:
    """What is wrong with an environment; "" if it can be trusted."""
    made, python = _read(venv / "made").splitlines(), version(venv)
    if not python:
        return "has no Python that runs"
    if _numbers(python) < OLDEST:
        return f"has Python {python}"
    if not made:
        return "is half made, or was not made by this command"
    if made != [str(venv), python]:
        return f"was made as {' with Python '.join(made)} and is not that now"
    package = "" if all((venv / step).exists() for step in steps) else torn(venv)
    return f"holds {package} in part" if package else ""


def version(venv: Path) -> str:
    """Python's version in an environment, such as "3.11"; "" if it does not run."""
    try:
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        return subprocess.check_output([_python(venv), "-c", code], stderr=subprocess.DEVNULL).decode().strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def torn(venv: Path) -> str:
    """The first package that a killed pip left behind in part; "" if all files of all packages are there."""
    for packages in venv.glob("lib/python*/site-packages"):
        for leftover in packages.glob("~*"):  # pip's name for what it is about to remove
            return leftover.name
        for info in sorted(packages.glob("*.dist-info")):
            if not _whole(info):
                return info.stem
    return ""


def make(venv: Path, wrong: str) -> None:
    """Make an environment with pip in it, and with the Python that runs this.  Raises: Refused, OSError."""
    python = _dotted(sys.version_info[:2])
    if sys.version_info < OLDEST:
        raise Refused(
            f"this Python is {python} ({sys.executable}), and the course needs {_dotted(OLDEST)} or later: "
            "install one and add its name to the command, such as PYTHON=python3.12"
        )
    print(f"\n== .venv {wrong}: make it with Python {python}", flush=True)
    with marked(venv / "made", f"{venv}\n{python}"):
        if not importlib.util.find_spec("ensurepip"):
            run(venv.parent, "Debian's python3-venv", ["tools/system.sh", "python3-venv"], PYTHON=sys.executable)
        run(venv.parent, ".venv", [sys.executable, "-m", "venv", "--clear", str(venv)])
        pin = re.search("^pip==.*", _read(venv.parent / "requirements.lock"), re.MULTILINE)
        pip(venv.parent, pin.group() if pin else "pip")


def site(root: Path) -> None:
    """Install what the site needs."""
    print("\n== install what the site needs", flush=True)
    pip(root, *_lock(), "--group", "site")


def everything(root: Path) -> None:
    """Install torch and what the tests need."""
    print("\n== install torch and what the tests need", flush=True)
    index = os.environ.get("TORCH_INDEX")
    if index:  # its dependencies come from the public index, by the next line
        pip(root, *_lock(), "--no-deps", "--index-url", index, "torch", "torchvision")
    elif sys.platform == "linux" and not any(root.glob(".venv/lib/python*/site-packages/torch-*.dist-info")):
        print(f"== {CUDA}", flush=True)
    pip(root, *_lock(), "--group", "test")
    pip(root, *_lock(), "-e", ".")


@contextlib.contextmanager
def marked(mark: Path, content: str) -> "Iterator[None]":
    """Do a step without its mark, and set the mark once it is done."""
    started = time.time()
    mark.parent.mkdir(exist_ok=True)
    if mark.exists():
        mark.unlink()
    yield
    mark.write_text(content, encoding="utf-8")
    print(f"== install: {time.time() - started:.0f} s", flush=True)


def pip(root: Path, *words: str) -> None:
    """Let pip install something. Python compiles a module when it is first used; most never are.  Raises: Refused."""
    command = [_python(root / ".venv"), "-m", "pip", "--disable-pip-version-check", "-q", "install", "--no-compile"]
    run(root, " ".join(words), [*command, *words])


def run(root: Path, what: str, command: "list[str]", **variables: str) -> None:
    """Run a command in a folder.  Raises: Refused."""
    if subprocess.call(command, cwd=str(root), env=dict(os.environ, **variables)):
        full = shutil.disk_usage(str(root)).free < FULL
        cause = "the disk is full: free some space" if full else "mend what is said above"
        raise Refused(f"could not install {what}; {cause}, then type the command again")


def digest(root: Path) -> str:
    """A hash of the lists of packages."""
    return hashlib.sha256("".join(_read(root / name) for name in LISTS).encode()).hexdigest()


def remedy(error: OSError) -> str:
    """What helps against an error of the file system."""
    remedies = {errno.ENOSPC: "free some space", errno.EEXIST: "move it away"}
    return remedies.get(error.errno or 0, "use a copy of the repository that you may write to")


def _whole(info: Path) -> bool:
    """Are all files of a package there, in full length?"""
    rows = csv.reader(_read(info / "RECORD").splitlines())
    sizes = [(info.parent / name, size) for name, _, size in rows if size]
    return bool(sizes) and all(file.exists() and file.stat().st_size == int(size) for file, size in sizes)


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _python(venv: Path) -> str:
    return str(venv / "bin" / "python")


def _lock() -> "list[str]":
    return os.environ.get("LOCK", "-c requirements.lock").split()


def _numbers(text: str) -> "tuple[int, ...]":
    return tuple(int(number) for number in text.split("."))


def _dotted(numbers: "tuple[int, ...]") -> str:
    return ".".join(str(number) for number in numbers)


def _failed(sentence: str, status: int) -> int:
    print(f"== {sentence}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
