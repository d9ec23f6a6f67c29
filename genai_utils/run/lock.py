"""One run at a time on one checkpoint."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import ClassVar, TextIO

from genai_utils.checks import of_type

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]

MOUNT = "If it lies on a mounted disk, mount that first"
TRIES = 5


class Lock:
    """Keeps other processes off a checkpoint: a locked file beside it, which its process takes along when it dies.

    A later run of the same process takes over, because the loop of an interrupted cell lives on in its traceback. Where
    nothing can be locked (Windows, some network disks) two processes on one checkpoint are not noticed.
    The file also tells when the folder was taken away, as that of a mounted disk may be: it is then gone.
    """

    _holders: ClassVar[dict[Path, Lock]] = {}

    def __init__(self, checkpoint: Path):
        of_type(Path, checkpoint=checkpoint)
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
        """Raises: OSError: a later run of this process took over, or the folder is not there any more."""
        if self._holders.get(self._path) is not self:
            raise OSError(f"{self._checkpoint} now belongs to a later run; this one may not write there any more")
        if not self._path.exists():
            lost = f"{self._checkpoint.parent} is not the folder any more in which this run began"
            raise OSError(f"{lost}; nothing was written. {MOUNT}, and run again to go on from the last checkpoint")

    def _release(self) -> None:
        if self._process == os.getpid():  # not in a child that has a copy of this object
            self._path.unlink(missing_ok=True)
        self._file.close()
        del self._holders[self._path]

    def _locked(self) -> TextIO:
        """The file beside the checkpoint, locked; it may be deleted by its last holder while this process waits."""
        _made(self._path.parent)
        for _ in range(TRIES):
            file = open(self._path, "a", encoding="utf-8")  # noqa: SIM115
            if not _lock(file):
                file.close()
                raise OSError(f"{self._checkpoint} is in use by another run; stop that one or name another file")
            if self._is_there(file):
                break
            file.close()
        else:  # a disk on which a file never looks like itself
            file = open(self._path, "a", encoding="utf-8")  # noqa: SIM115
        return file

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


def _made(folder: Path) -> None:
    """Make the folder of a checkpoint where it is missing, but not the one around it: that may be an absent disk.

    Raises: OSError: the one around it is missing.
    """
    try:
        folder.mkdir(exist_ok=True)
    except FileNotFoundError as error:
        raise OSError(f"there is no folder {folder.parent} to keep a checkpoint in. {MOUNT}, or make it") from error
