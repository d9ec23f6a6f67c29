"""The processes of a submission, seen from outside: who they are, what they hold, and their end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

PAGE, TICKS = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*"):
        children.setdefault(_parent(path), []).append(int(path.name))
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


def memory(pids: list[int]) -> int:
    """Bytes that processes hold in memory; what several share counts for each."""
    return sum(_resident(pid) for pid in pids)


class Meter:
    """Core-seconds of a process and all that descend from it: all threads, also of children that have ended."""

    def __init__(self, pid: int) -> None:
        self.pid, self.own = pid, {pid: 0.0}
        self.before = self._all()

    def used(self) -> float:
        """Since this meter was made."""
        return self._all() - self.before

    def _all(self) -> float:
        """What those that live have used and inherited, or what each was seen to have used, if that is more."""
        found = {pid: _seconds(pid) for pid in family(self.pid)}
        for pid, (own, _) in found.items():
            self.own[pid] = max(own, self.own.get(pid, 0.0))
        return max(sum(map(sum, found.values())), sum(self.own.values()))


def stop(process: subprocess.Popen[bytes], seconds: float = 5.0) -> None:
    """End a process and all that descend from it, and wait until they are gone; in a sandbox nothing survives that."""
    pids = family(process.pid)
    for pid in pids if process.poll() is None else ():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    process.wait()
    end = time.monotonic() + seconds
    while any(map(_lives, pids)) and time.monotonic() < end:
        time.sleep(0.01)


def _parent(path: Path) -> int:
    """The parent of the process of a folder in /proc; 0 if it is gone."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int((path / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    return 0


def _seconds(pid: int) -> tuple[float, float]:
    """Processor time of a process, and of its children that ended and that it waited for."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        ticks = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[11:15]
        user, system, theirs_user, theirs_system = (int(each) / TICKS for each in ticks)
        return user + system, theirs_user + theirs_system
    return 0.0, 0.0


def _lives(pid: int) -> bool:
    """Whether a process is there and not only waits for its parent to notice that it ended."""
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] != "Z"
    return False


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    return 0
