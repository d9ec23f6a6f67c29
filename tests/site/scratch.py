"""A tree elsewhere, with parts of this one and what is installed here, in which the course's commands are typed."""

import os
import subprocess
import sys
from pathlib import Path

from tools import install
from tools.notebooks import ROOT


def furnish(root: Path, *parts: str) -> None:
    """Put files of this tree there, those whose names begin so, or all; and the environment that runs this."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *parts]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in names:
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes((ROOT / name).read_bytes())
            (root / name).chmod((ROOT / name).stat().st_mode)
    (root / ".venv").mkdir()
    for part in ("bin", "lib", "pyvenv.cfg"):
        (root / ".venv" / part).symlink_to(Path(sys.prefix, part))
    (root / ".venv/made").write_text(f"{root / '.venv'}\n{install.version(root / '.venv')}")
    for step in install.STEPS[1:]:
        (root / ".venv" / step).write_text(install.digest(root))


def typed(command: str, folder: Path, **environment: str) -> str:
    """What a terminal answers in which the course's Python was activated; make finds everything installed.

    PIP=true lets the Makefile's own installation pass without a download.
    """
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV_", "PYTHONPATH"))}
    settings = plain | {"MAKEFLAGS": " -- PIP=true", "GENAI_BUDGET": "cpu", "OMP_NUM_THREADS": "1"} | environment
    script = f"source .venv/bin/activate\n{command}"
    done = subprocess.run(["bash", "-c", script], cwd=folder, env=settings, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout
