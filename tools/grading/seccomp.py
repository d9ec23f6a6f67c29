"""Which system calls a student's code may not make, as a program for the kernel (classic BPF), without a library."""

from __future__ import annotations

import errno
import platform
import struct

# Numbers on x86_64 and on aarch64; -1: that machine has no such call.
DENIED = {
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "shmat": (30, 196),
    "shmctl": (31, 195), "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180),
    "socket": (41, 198), "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "pidfd_getfd": (438, 438), "kcmp": (312, 272), "bpf": (321, 280),
    "perf_event_open": (298, 241), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "userfaultfd": (323, 282), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218), "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "syslog": (103, 116), "acct": (163, 89), "quotactl": (179, 60),
    "personality": (135, 92), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "adjtimex": (159, 171), "sethostname": (170, 161), "setdomainname": (171, 162), "iopl": (172, -1),
    "ioperm": (173, -1), "modify_ldt": (154, -1), "vhangup": (153, 58), "uselib": (134, -1),
}  # fmt: skip
CLONE, CLONE3, IOCTL = (56, 220), (435, 435), (16, 29)
NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET
TERMINAL = (0x5412, 0x541C)  # TIOCSTI and TIOCLINUX put characters into a terminal
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
ALLOW, KILL = 0x7FFF0000, 0x80000000
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST, SECOND = 0, 4, 16, 24  # where the kernel lays them, in bytes; low halves of arguments


def known() -> bool:
    """Whether this machine's system calls are in the table."""
    return platform.machine() in MACHINES


def program() -> bytes:
    """The filter for this machine: what is in the table fails with EPERM, all else is allowed.

    Raises: KeyError: a machine that the table lacks.
    """
    column, architecture = MACHINES[platform.machine()]
    lines = [_line(LOAD, ARCHITECTURE), _line(EQUAL, architecture, 1, 0), _line(RETURN, KILL), _line(LOAD, NUMBER)]
    lines += [_line(AT_LEAST, 0x40000000, 0, 1), _line(RETURN, KILL)]  # the other numbering of x86, x32
    for numbers in DENIED.values():
        lines += _unless(EQUAL, numbers[column], errno.EPERM)
    lines += _unless(EQUAL, CLONE3[column], errno.ENOSYS)  # its flags lie behind a pointer; libc then calls clone
    lines += _argument(CLONE[column], FIRST, _unless(ANY_BIT, NEW_NAMESPACES, errno.EPERM))
    lines += _argument(IOCTL[column], SECOND, [part for way in TERMINAL for part in _unless(EQUAL, way, errno.EPERM)])
    return b"".join([*lines, _line(RETURN, ALLOW)])


def _line(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, value & 0xFFFFFFFF)


def _unless(test: int, value: int, error: int) -> list[bytes]:
    """Fail with the error if the test holds, else go on."""
    return [_line(test, value, 0, 1), _line(RETURN, 0x50000 | error)]


def _argument(call: int, place: int, rules: list[bytes]) -> list[bytes]:
    """Rules for an argument of one call; the number of the call is loaded again behind them."""
    inside = [_line(LOAD, place), *rules, _line(LOAD, NUMBER)]
    return [_line(EQUAL, call, 0, len(inside)), *inside]
