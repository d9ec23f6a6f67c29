"""Limits of the kernel on a group of processes, where this user may make such groups; elsewhere there are none."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from uuid import uuid4

ROOT = Path("/sys/fs/cgroup")


class Group:
    """Processes that together may hold so many bytes and be so many.  paths: its folders; none where not allowed."""

    def __init__(self, memory: int, processes: int) -> None:
        name = f"grading-{os.getpid()}-{uuid4().hex[:8]}"
        limits = {"memory": ("memory.limit_in_bytes", memory), "pids": ("pids.max", processes)}
        if (ROOT / "cgroup.controllers").exists():
            limits = {"": ("memory.max", memory), "./": ("pids.max", processes)}
        made = [_made(ROOT / controller / name, file, limit) for controller, (file, limit) in limits.items()]
        self.paths = list(dict.fromkeys(path for path in made if path))

    def hold(self, pids: list[int]) -> None:
        """Put processes under the limits."""
        for path in self.paths:
            for pid in pids:
                with contextlib.suppress(OSError):
                    (path / "cgroup.procs").write_text(str(pid))

    def close(self, seconds: float = 3.0) -> None:
        """Remove the group, for which the kernel takes a while after the last process has gone."""
        end = time.monotonic() + seconds
        for path in self.paths:
            while path.exists() and time.monotonic() < end and not _removed(path):
                time.sleep(0.02)


def _made(path: Path, file: str, limit: int) -> Path | None:
    """A group with a limit, or None where it cannot be made."""
    try:
        path.mkdir(exist_ok=True)
        (path / file).write_text(str(limit))
    except OSError:
        with contextlib.suppress(OSError):
            path.rmdir()
        return None
    return path


def _removed(path: Path) -> bool:
    try:
        path.rmdir()
    except OSError:
        return False
    return True
