"""A place for code that nobody trusts: bubblewrap, a filter of system calls, limits, and a clock.

Inside there are: Python with its packages, read-only; 64 MB of temporary files; no network, no other process, no file
of this computer beyond /usr, no file of the course but those that the assignment offers. As root the code gets a user
id of its own in each slot, since the kernel does not limit root's processes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import site
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from tools.grading import runner, seccomp
from tools.grading.channel import Channel, Ended
from tools.grading.processes import family

MEGABYTE = 1 << 20
HERE = Path(__file__).resolve().parent
COURSE = HERE.parents[1] / "genai_utils"
LINKS = ("/bin", "/sbin", "/lib", "/lib64")
FIRST_UID = 200_000
SETTINGS = {
    "HOME": "/tmp", "LANG": "C.UTF-8", "MPLBACKEND": "agg", "MPLCONFIGDIR": "/tmp", "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1",
}  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What a submission may use.  memory, disk: MB.  load, answer: seconds for all cells, and for one question."""

    memory: int = 1024
    disk: int = 64
    processes: int = 64
    load: float = 20.0
    answer: float = 5.0

    def of_the_kernel(self, others: int) -> dict[str, int]:
        """What the process takes upon itself.  others: processes that count against its user already."""
        cpu, most = int(10 * self.load) + 60, self.memory * MEGABYTE
        sizes = {"memory": most, "file": self.disk * MEGABYTE, "files": 256}
        return sizes | {"cpu": cpu, "processes": self.processes + others}


@dataclass(frozen=True)
class Sandbox:
    """How to start Python for submissions.

    python: the interpreter.  offers: files of genai_utils that the assignment lets students import.
    slot: its number among those that run at once.  trust: no sandbox at all.
    """

    python: str = sys.executable
    offers: tuple[str, ...] = ()
    slot: int = 0
    trust: bool = False
    limits: Limits = field(default_factory=Limits)

    def start(self) -> Channel:
        """A process that waits for questions, with its limits taken.  Raises: Ended: it did not start."""
        process, inner = self._launched()
        channel = Channel(process, self.limits.memory * MEGABYTE, self.limits.processes)
        try:
            asked = {"ask": "limit", "limits": self.limits.of_the_kernel(self._others())}
            channel.ask(asked, 20.0)
            channel.hold(family(process.pid) if inner else [])
        except Ended:
            channel.close()
            raise
        return channel

    def _others(self) -> int:
        """Processes of this user: older kernels count them where the sandbox is a namespace of its own."""
        return 0 if os.geteuid() == 0 and not self.trust else 4096 if self.trust else _mine()

    def _launched(self) -> tuple[subprocess.Popen[bytes], bool]:
        if self.trust:
            command = [self.python, "-I", "-B", runner.__file__]
            return _popen(command, (), {"PATH": os.environ.get("PATH", "")} | SETTINGS), False
        files = [_in_memory("filter", seccomp.program()), _in_memory("runner", Path(runner.__file__).read_bytes())]
        try:
            return self._wrapped(files), True
        finally:
            for each in files:
                os.close(each)

    def _wrapped(self, files: list[int]) -> subprocess.Popen[bytes]:
        """Start bubblewrap.  files: the filter and the runner; that of its arguments is added."""
        lines = [*self._arguments(), "--seccomp", str(files[0]), "--perms", "0755", "--dir", "/run", "--perms", "0444"]
        lines += ["--ro-bind-data", str(files[1]), "/run/runner.py", "--remount-ro", "/"]
        files.append(_in_memory("arguments", b"".join(os.fsencode(line) + b"\0" for line in lines)))
        command = ["bwrap", "--args", str(files[2]), "--", *self._as_somebody(), self.python, "-I", "-B"]
        return _popen([*command, "/run/runner.py"], tuple(files), {"PATH": os.environ.get("PATH", "/usr/bin:/bin")})

    def _as_somebody(self) -> list[str]:
        """A user id of this slot alone, and no capability; where the sandbox is started by root."""
        if os.geteuid():
            return []
        uid = str(FIRST_UID + os.getpid() % 10_000 * 64 + self.slot)
        ids = ["--reuid", uid, "--regid", uid, "--clear-groups"]
        return ["/usr/bin/setpriv", *ids, "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"]

    def _arguments(self) -> list[str]:
        """Of bubblewrap: they are read from a file, so that they cannot be read within."""
        apart = [f"--unshare-{what}" for what in ("ipc", "pid", "net", "uts", "cgroup-try")]
        user = ["--unshare-user", "--uid", "65534", "--gid", "65534"]
        rights = ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]
        lines = [*apart, *(user if os.geteuid() else []), "--hostname", "sandbox", "--die-with-parent", "--new-session"]
        lines += ["--cap-drop", "ALL", *([] if os.geteuid() else rights), *_system()]
        lines += ["--perms", "1777", "--size", str(self.limits.disk * MEGABYTE), "--tmpfs", "/tmp", "--chdir", "/tmp"]
        lines += [*self._python_files(), *_offered(self.offers)]  # which may lie in /tmp
        lines += ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
        settings = [part for name, value in SETTINGS.items() for part in ("--setenv", name, value)]
        return [*lines, "--clearenv", *settings]

    def _python_files(self) -> list[str]:
        """The interpreter and its packages, without the course, which is what students are to write."""
        roots = _roots(self.python)
        lines = [part for root in roots for part in (*_parents(root), "--ro-bind", str(root), str(root))]
        hidden = [Path(folder).resolve() / "genai_utils" for folder in site.getsitepackages()]
        return lines + [part for path in hidden if path.is_dir() for part in ("--tmpfs", str(path))]


def why_not() -> str | None:
    """Why there is no sandbox on this computer; None if there is one, which is tried."""
    if sys.platform != "linux":
        return f"bubblewrap runs on Linux, and this is {sys.platform}; use a Linux machine, a container or WSL"
    if not shutil.which("bwrap"):
        return "the program bwrap is missing: type 'sudo make system', or install the package bubblewrap"
    if not seccomp.known():
        return f"the filter of system calls does not know the processor {os.uname().machine}"
    if os.geteuid() == 0 and not Path("/usr/bin/setpriv").exists():
        return "the program setpriv is missing: install the package util-linux"
    return _tried()


def _tried() -> str | None:
    """What bubblewrap says if it cannot start anything."""
    command = [
        "bwrap",
        *Sandbox()._arguments(),
        "--",
        *Sandbox()._as_somebody(),
        sys.executable,
        "-I",
        "-c",
        "print(7)",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.stdout == "7\n":
        return None
    return f"bwrap does not work here (may this user make namespaces?): {done.stderr.strip()[-300:]}"


def _mine() -> int:
    """Threads of this user, roughly: processes come and go."""
    found = 0
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found += len(os.listdir(path / "task")) if path.stat().st_uid == os.getuid() else 0
    return found


def _popen(command: Sequence[str], files: tuple[int, ...], settings: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
        pass_fds=files, env=settings, start_new_session=True, cwd="/",
    )  # fmt: skip


def _in_memory(name: str, content: bytes) -> int:
    """A file without a name that holds this."""
    file = os.memfd_create(f"{name}-{uuid4().hex[:6]}")
    os.write(file, content)
    os.lseek(file, 0, os.SEEK_SET)
    return file


def _system() -> list[str]:
    """What programs need: /usr, and the places of its parts at the root."""
    lines = ["--ro-bind", "/usr", "/usr", "--perms", "0755", "--dir", "/etc"]
    for path in map(Path, LINKS):
        if path.is_symlink():
            lines += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            lines += ["--ro-bind", str(path), str(path)]
    for name in ("/etc/ld.so.cache", "/etc/alternatives"):
        lines += ["--ro-bind-try", name, name]
    return lines


def _roots(python: str) -> list[Path]:
    """Folders that this interpreter reads, without those below /usr."""
    if python != sys.executable:
        return [] if python.startswith("/usr/") else [Path(python).resolve().parents[1]]
    found = {Path(sys.prefix), Path(sys.base_prefix).resolve(), Path(python).resolve().parents[1]}
    where = Path(python).parent.resolve().parent  # of an environment whose folders are links into another one
    found |= {where} if (where / "pyvenv.cfg").exists() else set()
    return sorted(path for path in found if Path("/usr") not in (path, *path.parents))


def _parents(path: Path) -> Iterator[str]:
    """Empty folders above a path, which others than their owner may pass."""
    for parent in reversed(path.parents[:-1]):
        yield from ("--perms", "0755", "--dir", str(parent))


def _offered(names: Sequence[str]) -> Iterator[str]:
    """Files and folders of the course at /course, where the runner finds them."""
    for name in names:
        target = Path("/course/genai_utils", name)
        yield from (*_parents(target), "--ro-bind", str(COURSE / name), str(target))
