"""The grader and one assignment as an archive for Gradescope, and the files that GitHub Classroom needs."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.grading.sandbox import COURSE, HERE
from tools.grading.source import ASSIGNMENTS, CHAPTERS, ROOT, Source

SETTINGS = "autograder.json"
CHAPTER = re.compile(r"^<!-- \w+: (\S+) \S+ -->$", re.MULTILINE)
MADE = (2026, 1, 1, 0, 0, 0)  # a date for all files, so that the same assignment makes the same archive
ANSWERS = "Points are from tests that are not part of the notebook; answers in words are read by people."
NOT_GUARANTEED = """What is then not guaranteed: a student's code runs with all rights of the grader in this container.
It can read the hidden tests and the secret from which each student's numbers follow, write its own result, stop the
grader and use the network. What holds: the container is this submission's alone, and answers are checked as ever.
So read the code of whoever has full marks, or grade once more with tools/grade.py on a machine with a sandbox."""


def write(source: Source, salt: bytes, students: Sequence[str], path: Path, trust: bool) -> None:
    """The archive that a teacher uploads: it holds the secret.  trust: go without a sandbox where there is none."""
    settings = {"assignment": source.name, "students": list(students), "trust": trust}
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(_contents(source)):
            _add(archive, name, content)
        _add(archive, SETTINGS, (json.dumps(settings, indent=1) + "\n").encode())
        _add(archive, "assignments/.salt", salt)


def classroom(folder: Path) -> None:
    """Add to a student's folder what runs its public checks on GitHub."""
    (folder / ".github/workflows").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ASSIGNMENTS / "classroom/classroom.yml", folder / ".github/workflows/classroom.yml")
    shutil.copyfile(ASSIGNMENTS / "classroom/check.py", folder / ".github/check.py")
    shutil.copyfile(ASSIGNMENTS / "requirements.txt", folder / ".github/requirements.txt")


def _contents(source: Source) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of what the grader reads."""
    for name in ("setup.sh", "run_autograder"):
        yield name, (ASSIGNMENTS / "gradescope" / name).read_bytes()
    yield "requirements.txt", (ASSIGNMENTS / "requirements.txt").read_bytes()
    text = ASSIGNMENTS / f"{source.name}.md"
    chapters = {CHAPTERS / f"{name}.md" for name in CHAPTER.findall(text.read_text(encoding="utf-8"))}
    for path in (text, *chapters, *HERE.glob("*.py"), ROOT / "tools/gradescope.py", *_offered(source)):
        yield path.relative_to(ROOT).as_posix(), path.read_bytes()


def _offered(source: Source) -> Iterator[Path]:
    """Files of the course that students may import."""
    for name in source.listed("offers"):
        path = COURSE / name
        found = [path] if path.is_file() else path.rglob("*")
        yield from (each for each in found if each.is_file() and "__pycache__" not in each.parts)


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    told = zipfile.ZipInfo(name, MADE)
    told.compress_type = zipfile.ZIP_DEFLATED
    told.external_attr = (0o755 if content.startswith(b"#!") else 0o644) << 16
    archive.writestr(told, content)
