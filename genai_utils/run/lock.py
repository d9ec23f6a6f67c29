"""One run at a time on one checkpoint."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import ClassVar, TextIO

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]


class Lock:
    """Keeps other processes off a checkpoint: a locked file beside it, which its process takes along when it dies.

    A later run of the same process takes over, because the loop of an interrupted cell lives on in its traceback. Where
    nothing can be locked (Windows, some network disks) two processes on one checkpoint are not noticed.
    """

    _holders: ClassVar[dict[Path, Lock]] = {}

    def __init__(self, checkpoint: Path):
        self._checkpoint = checkpoint.absolute()
        self._path = self._checkpoint.with_name(f"{checkpoint.name}.lock")

    def __enter__(self) -> Lock:
        """Raises: OSError: another process holds the lock, or its file cannot be made."""
        if earlier := self._holders.get(self._path):
            earlier._release()
        self._file, self._process = self._locked(), os.getpid()
        self._holders[self._path] = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._holders.get(self._path) is self:
            self._release()

    def check(self) -> None:
        """Raises: OSError: a later run of this process took over."""
        if self._holders.get(self._path) is not self:
            raise OSError(f"{self._checkpoint} now belongs to a later run; this one may not write there any more")

    def _release(self) -> None:
        if self._process == os.getpid():  # not in a child that has a copy of this object
            self._path.unlink(missing_ok=True)
        self._file.close()
        del self._holders[self._path]

    def _locked(self) -> TextIO:
        """The file beside the checkpoint, locked; it may be deleted by its last holder while this process waits."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = open(self._path, "a", encoding="utf-8")  # noqa: SIM115
        if not _lock(file):
            file.close()
            raise OSError(f"{self._checkpoint} is in use by another run; stop that one or name another file")
        if self._is_there(file):
            return file
        file.close()
        return self._locked()

    def _is_there(self, file: TextIO) -> bool:
        try:
            return os.path.samestat(os.fstat(file.fileno()), self._path.stat())
        except FileNotFoundError:
            return False


def _lock(file: TextIO) -> bool:
    """Whether nobody else has locked the file."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # this disk knows no locks
        return True
    return True
