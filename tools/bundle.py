"""Pack the course for a class without internet: `make bundle`, or python -m tools.bundle [--torch].

One archive with the site, the slides and the PDF where they were made, the notebooks, the package in its wheel (data
and weights are in there), and wheels of all that it needs. A learner unpacks it and types `python3 install.py`.
The wheels are made from what is installed here, so they are the versions that were tested, and no network is needed.
They serve machines of this kind, with this Python; for another kind make a bundle there.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import tomllib
from packaging.requirements import Requirement

from tools.licenses import needed

ROOT = Path(__file__).resolve().parents[1]
OUT, NAME = "dist", "course-bundle.tar.gz"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
INSTALLER = Path(__file__).with_name("bundle_install.py")
BUILT = {"_build/html": "site", "_build/slides": "slides", "_build/book.pdf": "book.pdf"}  # what make made -> its name
SOURCES = ("notebooks", "assignments", "LICENSE", "NOTICE", "LICENSES.md")
BUILD = ("genai_utils", "pyproject.toml", "README.md", "LICENSE", "NOTICE")  # what the wheel is built from
MADE_HERE = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")  # what pip adds when it installs
TORCH = "torch"
README = """\
{title}, {version}

Read        open site/index.html in a browser{extras}
Install     python3 install.py    makes the folder .venv here, without a network
Work        .venv/bin/jupyter lab notebooks
{torch}
The wheels are for Python {python} on {system}. The data and the trained weights are in the package.
Licences stand in NOTICE and LICENSES.md.
"""
WITHOUT = """\
This bundle has no torch: `make bundle TORCH=yes` makes one with it. Without it you run the chapters for managers (the
first part of the book but unit-economics, and the verdict) and the assignments that import nothing; all can be read.
"""


class BundleError(Exception):
    """The bundle could not be made; the message says what to do."""


def requirements(root: Path, torch: bool) -> list[str]:
    """What the bundle installs beside the package: with or without all that needs torch, and JupyterLab."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["run"]
    return [each for each in wanted if torch or TORCH not in needed([each])]


def wheels(names: Iterable[str], folder: Path) -> list[str]:
    """Make wheels of installed packages and of all that they need.  Returns: their names and versions, as pip has them.

    Raises: BundleError: one is not installed as pip installs it.
    """
    return [f"{each.name}=={each.version}" for each in installed(names) if repack(each, folder)]


def installed(names: Iterable[str]) -> Iterator[Distribution]:
    """The installed packages of these names, and what they need on this machine."""
    for name in sorted(needed(names)):
        try:
            yield distribution(name)
        except PackageNotFoundError:  # an option of another system
            continue


def repack(package: Distribution, folder: Path) -> Path:
    """Make the wheel of an installed package from the files that it lists; pip makes its programs anew.

    Raises: BundleError: it has no list of its files, or is linked to a folder.
    """
    files = [file for file in package.files or [] if file.suffix != ".pyc"]
    info = next((file.parts[0] for file in files if file.parts[0].endswith(".dist-info")), None)
    if info is None or any(file.name == "direct_url.json" for file in files):
        raise BundleError(f"{package.name} is not installed from a wheel: `make lab` installs all packages so")
    name = info.removesuffix(".dist-info")
    wheel, record = folder / f"{name}-{tag(package)}.whl", []
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in files:
            place = inside(file.as_posix(), name)
            if place and file.name not in MADE_HERE:
                content = Path(str(package.locate_file(file))).read_bytes()
                archive.writestr(place, content)
                digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
                record.append(f'"{place}",sha256={digest},{len(content)}')
        archive.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,"]) + "\n")
    return wheel


def inside(file: str, name: str) -> str | None:
    """Where a file of an installed package stands in its wheel; None for programs, which pip makes.

    Args: file: its path from site-packages; what lies elsewhere begins with "..".  name: of the package, with version.
    """
    if not file.startswith(".."):
        return file
    outside = file.lstrip("./")
    return None if outside.startswith(("bin/", "Scripts/")) else f"{name}.data/data/{outside}"


def tag(package: Distribution) -> str:
    """The end of a wheel's name: the Pythons and systems that it is for."""
    lines = (package.read_text("WHEEL") or "").splitlines()
    tags = [line.removeprefix("Tag: ").split("-") for line in lines if line.startswith("Tag: ")]
    return "-".join(".".join(dict.fromkeys(column)) for column in zip(*tags, strict=True))


def package(root: Path, folder: Path) -> Path:
    """Build the wheel of the course into a folder.  Raises: BundleError."""
    with tempfile.TemporaryDirectory() as name:  # setuptools leaves its build folder where it builds
        for each in BUILD:
            lay(root / each, Path(name) / each)
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "wheel", "--no-deps"]
        if subprocess.run([*command, "--no-build-isolation", "-w", str(folder), name]).returncode:
            raise BundleError("pip could not build the wheel of the course; mend what it says above")
    return next(folder.glob("gold_mine_or_bubble-*.whl"))


def lay(source: Path, target: Path) -> None:
    """Copy a file or a folder, without what Python and people leave behind."""
    if source.is_dir():
        ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", ".salt", ".buildinfo", "*.part")
        shutil.copytree(source, target, ignore=ignored)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def fill(root: Path, folder: Path, names: Sequence[str]) -> None:
    """Lay everything into the new folder of the bundle.  Raises: BundleError."""
    if not (root / "_build/html/index.html").exists():
        raise BundleError("the site is not built: `make book` builds it")
    for source, target in [*BUILT.items(), *((each, each) for each in SOURCES)]:
        if (root / source).exists():
            lay(root / source, folder / target)
    shutil.copy(INSTALLER, folder / "install.py")
    (folder / "wheels").mkdir()
    own = package(root, folder / "wheels")
    (folder / "requirements.txt").write_text("\n".join(wheels(names, folder / "wheels")) + "\n", encoding="utf-8")
    (folder / "python.txt").write_text(PYTHON + "\n", encoding="utf-8")
    (folder / "README.txt").write_text(readme(root, folder, own, names), encoding="utf-8")


def readme(root: Path, folder: Path, own: Path, names: Sequence[str]) -> str:
    """What a learner reads first."""
    extras = "".join(f"; {each}" for each in ("slides/index.html", "book.pdf") if (folder / each).exists())
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with_torch = any(Requirement(name).name == TORCH for name in names)
    return README.format(
        title=project["description"],
        version=own.name.split("-")[1],
        extras=extras,
        python=PYTHON,
        system=f"{platform.system()} {platform.machine()}",
        torch="" if with_torch else f"\n{WITHOUT}",
    )


def bundle(root: Path, out: Path, names: Sequence[str]) -> Path:
    """Make the archive.  Args: names: requirements.  Returns: its path.  Raises: BundleError."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".bundle-") as name:
        folder = Path(name) / "course"
        folder.mkdir()
        fill(root, folder, names)
        packed = shutil.make_archive(str(Path(name) / "packed"), "gztar", name, "course")
        return Path(packed).replace(out / NAME)


def main(arguments: Sequence[str] = (), root: Path = ROOT) -> int:
    """Make the bundle.  Returns: exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.bundle", description=__doc__)
    parser.add_argument("--torch", action="store_true", help="with torch as it is installed here; CUDA builds are 3 GB")
    options = parser.parse_args(list(arguments))
    try:
        made = bundle(root, root / OUT, requirements(root, options.torch))
    except (BundleError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{made}: {made.stat().st_size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
