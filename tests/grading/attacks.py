"""Submissions that try to get out, to cheat or to stop the grader, and a small assignment for them. Standard library.

An attack solves the task honestly where it can, so that its points tell what became of it: 3 with `escaped` False, 0 or
1 where it ruins itself. Words in capitals are replaced by what lies outside: see `outside`.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tools.grading.judge import mark
from tools.grading.sandbox import Limits, Sandbox, why_not
from tools.grading.source import Source, parse
from tools.grading.submissions import Submission

SALT = b"a salt for tests"
TEXT = '''# A toy

```python tags=["task"]
def double(x):
    """Twice x."""
    return 2 * x
```

```python tags=["hidden"]
@hidden("twice", 2)
def _(ask, rng, own, truth):
    for _ in range(3):
        x = rng.uniform(1, 2)
        assert close(ask.number("double", x), truth.double(x)), "not twice"

@hidden("nothing got out", 1)
def _(ask, rng, own, truth):
    assert ask.value("escaped") is False, "something got out"
```
'''
LIMITS = Limits(memory=300, disk=16, processes=24, load=3.0, answer=1.0)
HONEST = "escaped = False\ndef double(x):\n    return 2 * x\n"
TRY = """
def tried(*ways):
    for way in ways:
        try:
            if way():
                return True
        except BaseException:
            pass
    return False
"""
SYSCALL = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\ndef call(*a): return libc.syscall(*a) >= 0\n"


def toy() -> Source:
    """The assignment that attacks hand in for."""
    return parse("toy", TEXT)


@dataclass(frozen=True)
class Attack:
    """Cells of a submission, and the points that it must get; several where the machine decides when it is stopped."""

    cells: tuple[str, ...]
    points: tuple[float, ...] = (3.0,)


def escaping(code: str, before: str = "") -> Attack:
    """An honest solution which says in `escaped` whether one of these ways led out."""
    return Attack((f"{HONEST}{TRY}{before}\nimport os, glob\nescaped = bool(tried({code}))",))


def ruining(code: str, *points: float) -> Attack:
    """An honest solution, then a cell."""
    return Attack((HONEST, code), points or (3.0,))


def answering(body: str, *points: float, before: str = "") -> Attack:
    """A function of this body."""
    lines = "\n    ".join(body.splitlines())
    return Attack((f"{before}\nescaped = False\ndef double(x):\n    {lines}\n",), points or (1.0,))


ATTACKS = {
    # time
    "an endless loop in a cell": ruining("while True: pass", 0),
    "an endless loop in a function": answering("while True: pass", 1),
    "a loop within a regular expression": answering("import re\nre.match('(a+)+$', 'a' * 60 + 'b')", 1),
    "one operation that takes for ever": answering("return 7 ** 10 ** 9", 1),
    "sleep": answering("import time\ntime.sleep(1e6)", 1),
    "wait for what nobody types": ruining("try: input()\nexcept EOFError: pass"),
    "recursion without end": answering("return double(x)", 1),
    "a signal that is ignored": answering(
        "while True: pass", 1, before="import signal\n"
        "for s in range(1, 32):\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass"),
    # memory and processes
    "100 GB at once": ruining("x = bytearray(100 << 30)"),
    "slow growth": ruining("x = []\nwhile True: x.append(bytearray(1 << 20))", 0, 3),
    "children with 200 MB each": ruining(
        "import os, time\nfor _ in range(20):\n    if os.fork() == 0:\n"
        "        x = bytearray(os.urandom(1 << 20) * 200)\n"
        "        time.sleep(60)\ntime.sleep(2)", 0, 3),
    "a fork bomb": ruining("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", 0),
    "100,000 threads": ruining(
        "import threading, time\nfor _ in range(100_000):\n    threading.Thread(target=time.sleep, args=(9,)).start()"),
    "threads that outlive": ruining(
        "import threading\ndef spin():\n    while True: pass\nthreading.Thread(target=spin).start()"),
    "a daemon": ruining(
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(600)\n"
        "    os._exit(0)"),
    "limits raised again": escaping(
        "lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)) is None, lambda: "
        "resource.setrlimit(resource.RLIMIT_NPROC, (99999, 99999)) is None", "import resource"),
    "memory in files without names": escaping("lambda: call(319, b'x', 0), lambda: os.memfd_create('x')", SYSCALL),
    "shared memory of System V": escaping("lambda: call(29, 0, 1 << 30, 0o1666)", SYSCALL),
    "10 GB written": ruining(
        "try:\n    with open('/tmp/x', 'wb') as f:\n        for _ in range(10_000): f.write(bytes(1 << 20))\n"
        "except OSError: pass"),
    "10 GB written in many files": ruining(
        "try:\n    for n in range(10_000): open(f'/tmp/{n}', 'wb').write(bytes(1 << 20))\nexcept OSError: pass"),
    "shared memory filled": escaping(
        "lambda: sum(open(f'/dev/shm/{n}', 'wb').write(bytes(1 << 20)) for n in range(100))"),
    "a core dump": ruining("import os, signal\nif os.fork() == 0: os.kill(os.getpid(), signal.SIGSEGV)"),
    # files and secrets
    "everything deleted": ruining(
        "import os\nfor place, _, names in os.walk('/', topdown=False):\n    for name in names if place[:5] not in "
        "('/proc', '/sys/') else ():\n"
        "        try: os.remove(os.path.join(place, name))\n        except OSError: pass", 0, 3),
    "the canary read": escaping("lambda: open('CANARY').read()"),
    "the canary overwritten": escaping("lambda: open('CANARY', 'w').write('x')"),
    "the hidden tests read": escaping(
        "lambda: open('ROOT/assignments/business-case.md').read(), lambda: open('ROOT/tools/grading/judge.py').read(), "
        "lambda: glob.glob('ROOT/*')"),
    "hidden tests in memory": escaping(
        "lambda: any(' '.join(['not', 'twice']) in repr(each) for each in gc.get_objects() "
        "if type(each) in (str, bytes, list))",
        "import gc"),
    "passwords read": escaping("lambda: open('/etc/shadow').read(), lambda: open('/etc/passwd').read()"),
    "homes read": escaping("lambda: os.listdir('/home'), lambda: glob.glob('/root/.[a-oq-z]*')"),
    "the environment of the grader": escaping(
        "lambda: 'SECRET' in os.environ, lambda: b'SECRET' in open('/proc/1/environ', 'rb').read(), "
        "lambda: b'SECRET' in b''.join(open(p, 'rb').read() for p in glob.glob('/proc/[0-9]*/environ'))"),
    "paths on command lines": escaping(
        "lambda: re.search(rb'bind|ROOT/[^.]', b''.join("
        "open(p, 'rb').read() for p in glob.glob('/proc/[0-9]*/cmdline')))", "import re"),
    "written into Python itself": escaping(
        "lambda: open(os.__file__, 'a').write('#'), lambda: open('/run/runner.py', 'a').write('#'), lambda: "
        "open(os.path.join(sys.prefix, 'lib', 'x.pth'), 'w')", "import sys"),
    "written to the root and to /dev": escaping(
        "lambda: open('/x', 'w'), lambda: os.mkdir('/y'), lambda: open('/dev/x', 'w'), lambda: os.mkdir('/etc/x')"),
    "a device made": escaping("lambda: os.mknod('/tmp/disk', 0o60666, os.makedev(254, 0)) is None"),
    "other people's processes": escaping("lambda: os.path.exists('/proc/PARENT/status')"),
    "files of processes above": escaping(
        "lambda: os.listdir('/proc/1/root/home'), lambda: open('/proc/1/root/CANARY').read(), "
        "lambda: os.listdir('/proc/1/cwd/home')"),
    "settings of the kernel": escaping(
        "lambda: open('/proc/sys/kernel/hostname', 'w').write('x'), "
        "lambda: open('/proc/sysrq-trigger', 'w').write('b'), "
        "lambda: open('/sys/fs/cgroup/cgroup.procs', 'w').write('1')"),
    "programs that may become root": escaping(
        "lambda: b'uid=0' in subprocess.run(['/usr/bin/su', '-c', 'id'], capture_output=True, stdin=-3).stdout, "
        "lambda: os.setuid(0) is None", "import subprocess"),
    "the course's solutions imported": escaping(
        "lambda: __import__('genai_utils.business.unit_economics'), lambda: __import__('tools.grading.judge')"),
    # network
    "a door on this machine": escaping("lambda: socket.create_connection(('127.0.0.1', PORT), 1)", "import socket"),
    "names looked up": escaping("lambda: socket.gethostbyname('example.org')", "import socket"),
    "a socket of files": escaping(
        "lambda: socket.socket(socket.AF_UNIX).connect('SOCKET') is None, lambda: "
        "socket.socket(socket.AF_UNIX).connect('\\0ABSTRACT') is None", "import socket"),
    "packets": escaping("lambda: socket.socket(17, 3, 768), lambda: socket.socket(16, 3, 0)", "import socket"),
    # the kernel
    "namespaces of one's own": escaping(
        "lambda: call(272, 0x10000000), lambda: call(272, 0x20000), lambda: call(308, 0, 0)", SYSCALL),
    "a child in namespaces of its own": escaping(
        "lambda: libc.syscall(56, 0x10000011, 0, 0, 0, 0) > 0, lambda: call(435, 0, 0)", SYSCALL),
    "mounts": escaping(
        "lambda: call(165, b'x', b'/tmp', b'tmpfs', 0, 0), lambda: call(166, b'/tmp', 2), "
        "lambda: call(430, b'tmpfs', 0), "
        "lambda: call(428, -100, b'/', 1), lambda: call(161, b'/tmp')", SYSCALL),
    "other processes traced": escaping(
        "lambda: call(101, 16, 1, 0, 0), lambda: call(310, 1, 0, 0, 0, 0, 0), lambda: call(438, 3, 1, 0)", SYSCALL),
    "programs for the kernel": escaping(
        "lambda: call(321, 0, 0, 0), lambda: call(425, 8, 0), lambda: call(298, 0, 0, -1, -1, 0), "
        "lambda: call(323, 0), lambda: call(250, 0, -3, 0), lambda: call(175, 0, 0, 0)", SYSCALL),
    "the other numbering of calls": ruining(f"{SYSCALL}call(0x40000000 + 39)", 0),
    "a terminal typed into": escaping(
        "lambda: fcntl.ioctl(0, 0x5412, b'x') == b'x', lambda: open('/dev/tty')", "import fcntl"),
    # signals and ends
    "signals to the parent": ruining(
        "import os\nfor pid in (PARENT, os.getppid(), 1):\n    try: os.kill(pid, 9)\n    except OSError: pass", 0, 3),
    "signals to all": ruining("import os\nos.kill(-1, 9)", 0, 3),
    "sys.exit in a cell": ruining("import sys\nsys.exit(0)"),
    "sys.exit in a function": answering("import sys\nsys.exit(0)", 1),
    "os._exit in a cell": ruining("import os\nos._exit(0)", 0),
    "os._exit in a function": answering("import os\nos._exit(0)", 1),
    "a crash": answering("import ctypes\nctypes.string_at(0)", 1),
    # answers
    "equal to everything": answering(
        "return Same()", 1, before="class Same:\n    def __eq__(self, other): return True\n"
        "    def __float__(self): return 1.0\n    def __sub__(self, other): return 0\n    __rsub__ = __sub__"),
    "a float that is equal to everything": answering(
        "return Same(1)", 1, before="class Same(float):\n    def __eq__(self, other): return True\n"
        "    def __ne__(self, other): return False\n    def __rsub__(self, other): return 0.0"),
    "code in a pickle": answering(
        "return Evil()", 1, before="import os\nclass Evil:\n"
        "    def __reduce__(self): return os.system, ('touch CANARY2',)"),
    "NaN": answering("return float('nan')", 1),
    "infinity": answering("return float('inf')", 1),
    "true": answering("return True", 1),
    "a number as long as a book": answering("return 10 ** 4_000_000", 1),
    "a text of 100 MB": answering("return 'x' * 100_000_000", 1),
    "10 GB returned": answering("return [0.0] * 1_250_000_000", 1),
    "a list in itself": answering("x = []\nx.append(x)\nreturn x", 1),
    "an array that lies about its size": answering(
        "return Lie()", 1, before="class Lie:\n    dtype, shape, nbytes = 'float64', (1000, 1000), 8\n"
        "    def tobytes(self): return b'12345678'"),
    "an array of objects": answering(
        "return Lie()", 1, before="class Lie:\n    dtype, shape, nbytes = 'object', (1,), 8\n"
        "    def tobytes(self): return b'12345678'"),
    "half of a character": answering("return '\\ud800'", 1),
    "forged answers on all doors": ruining(
        "import os\nfor door in range(64):\n    try: os.write(door, b'{\"nonce\": 1, \"value\": 3}\\n' * 9)\n"
        "    except OSError: pass", 0),
    "a flood on all doors": ruining(
        "import os\nfor door in range(3, 64):\n    try:\n        while True: os.write(door, b'x' * 65536)\n"
        "    except OSError: pass", 0),
    "JSON of three million brackets": answering(
        "import os\nfor door in range(3, 64):\n    try: os.write(door, b'[' * 3_000_000 + b'\\n')\n"
        "    except OSError: pass\nreturn 1", 1),
    "no text at all": answering(
        "import os\nfor door in range(3, 64):\n    try: os.write(door, bytes(range(256)) + b'\\n')\n"
        "    except OSError: pass\nreturn 1", 1),
    "the doors closed": ruining("import os\nos.closerange(0, 64)", 0),
    "the runner rewritten": answering(
        "return 1", 0, 1, before="import sys\nfor frame in sys._current_frames().values():\n    while frame:\n"
        "        frame.f_globals['plain'] = lambda *a: {'array': {'dtype': 'object', 'shape': [1], 'data': ''}}\n"
        "        frame.f_globals['answered'] = lambda *a: {'value': True, 'points': 100}\n"
        "        frame = frame.f_back"),
    "builtins rewritten": Attack((HONEST +
                                  "import builtins, json\nbuiltins.abs = builtins.isinstance = lambda *a: True\n",),
                                 (0.0, 1.0, 2.0, 3.0)),
    "questions changed on the way": ruining(
        "import json\njson.loads = lambda line, was=json.loads: was(line) | {'nonce': 'mine'}", 0, 1),
}  # fmt: skip
QUIET = {
    "inputs printed": answering("print('INPUT', x, flush=True)\nraise ValueError(f'INPUT {x}')", 1),
    "inputs kept for later": answering("print('INPUT', seen)\nseen.append(x)\nreturn 2 * x", 3, before="seen = []"),
}  # fmt: skip


def notebook(cells: tuple[str, ...]) -> bytes:
    """A notebook of cells."""
    made = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": []} for cell in cells]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def sandbox(slot: int = 0, python: str | None = None) -> Sandbox:
    """With small limits."""
    return Sandbox(limits=LIMITS, slot=slot, **({"python": python} if python else {}))


class Outside:
    """What lies outside of the sandbox: a file, a door, a socket."""

    def __init__(self, folder: Path) -> None:
        self.canary, self.socket = folder / "canary", folder / "socket"
        self.canary.write_text("sings")
        self.door, self.unix, self.abstract = (socket.socket(kind) for kind in (socket.AF_INET, *[socket.AF_UNIX] * 2))
        self.door.bind(("127.0.0.1", 0))
        self.unix.bind(str(self.socket))
        self.abstract.bind(f"\0attack-{self.door.getsockname()[1]}")
        for each in (self.door, self.unix, self.abstract):
            each.listen()
            each.setblocking(False)

    def told(self, cells: tuple[str, ...]) -> tuple[str, ...]:
        """Cells that know where it is."""
        words = {
            "CANARY2": f"{self.canary}2", "CANARY": str(self.canary), "ROOT": str(Path(__file__).parents[2]),
            "PORT": str(self.door.getsockname()[1]), "PARENT": str(os.getpid()), "SOCKET": str(self.socket),
            "ABSTRACT": f"attack-{self.door.getsockname()[1]}",
        }  # fmt: skip
        for word, real in words.items():
            cells = tuple(cell.replace(word, real) for cell in cells)
        return cells

    def untouched(self) -> bool:
        """Whether the canary sings, alone, and nobody knocked."""
        knocked = False
        for each in (self.door, self.unix, self.abstract):
            try:
                each.accept()
                knocked = True
            except BlockingIOError:
                pass
        names = sorted(path.name for path in self.canary.parent.iterdir())
        return self.canary.read_text() == "sings" and names == ["canary", "socket"] and not knocked

    def close(self) -> None:
        """Shut the doors."""
        for each in (self.door, self.unix, self.abstract):
            each.close()


@contextmanager
def outside(folder: Path) -> Iterator[Outside]:
    """What attacks try to reach, in a folder of its own."""
    made = Outside(folder)
    try:
        yield made
    finally:
        made.close()


def tried(name: str, folder: Path, slot: int) -> dict[str, object]:
    """What became of an attack: points, whether they are what it earned, and whether nothing outside moved."""
    attack = (ATTACKS | QUIET)[name]
    folder.mkdir()
    with outside(folder) as world:
        submission = Submission("mallory", "mallory.ipynb", world.told(attack.cells))
        result = mark(toy(), submission, SALT, sandbox(slot))
        return {"points": result.points, "right": result.points in attack.points and not result.alarm,
                "untouched": world.untouched(), "why": result.problem}  # fmt: skip


def main(folder: Path) -> None:
    """Try all attacks as whoever calls; prints what became of each, as JSON."""
    if reason := why_not():
        print(json.dumps({"no sandbox": reason}))
        return
    with ThreadPoolExecutor(4) as pool:
        each = [pool.submit(tried, name, folder / str(n), n) for n, name in enumerate(ATTACKS | QUIET)]
    print(json.dumps(dict(zip(ATTACKS | QUIET, (done.result() for done in each), strict=True))))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
