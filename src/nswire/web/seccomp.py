"""What the front may still ask of the kernel: what is to be done with sockets that it has, memory, time, and its own end.

A seccomp filter, written by hand since it is one page, and libseccomp and its binding are two more things to trust
(docs/decisions/0011-confinement.md). Everything that is not in `CALLS` is answered EPERM: opening a file, a new socket, a
connection, a program, another process, looking into one. The numbers are those of arch/x86/entry/syscalls/syscall_64.tbl
and include/uapi/asm-generic/unistd.h (aarch64), the program is linux/filter.h's, as Documentation/userspace-api/seccomp_filter.rst
has it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import NamedTuple

PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM  # SECCOMP_RET_*
# struct seccomp_data: nr, arch, instruction_pointer, args[6]; both machines are little-endian
NUMBER, ARCH, ARGUMENTS = 0, 4, 16
LOAD, EQUAL, ANY_OF, ABOVE, RETURN = (
    0x20,
    0x15,
    0x45,
    0x35,
    0x06,
)  # BPF_LD|W|ABS, BPF_JMP|JEQ, |JSET, |JGE, BPF_RET
X32 = 0x40000000  # the other ABI of x86_64, whose numbers have this bit
PROT_EXEC, FIONBIO, TCP_NODELAY, IPPROTO_TCP = 4, 0x5421, 1, 6
F_GETFD, F_SETFD, F_GETFL, F_SETFL = 1, 2, 3, 4


class Only(NamedTuple):
    """A call that is allowed if its argument of that number is one of these, or (`never`) has none of these bits."""

    argument: int
    values: tuple[int, ...] = ()
    never: int = 0


NOT_TO_BE_RUN = (Only(2, never=PROT_EXEC),)
# name: (x86_64, aarch64, conditions); None: that machine has no such call
CALLS: dict[str, tuple[int | None, int | None, tuple[Only, ...]]] = {
    "read": (0, 63, ()), "write": (1, 64, ()), "readv": (19, 65, ()), "writev": (20, 66, ()), "close": (3, 57, ()),
    "recvfrom": (45, 207, ()), "sendto": (44, 206, ()), "sendmsg": (46, 211, ()), "shutdown": (48, 210, ()),
    "accept": (43, 202, ()), "accept4": (288, 242, ()), "listen": (50, 201, ()),
    "getsockname": (51, 204, ()), "getpeername": (52, 205, ()), "getsockopt": (55, 209, ()),
    "setsockopt": (54, 208, (Only(1, (IPPROTO_TCP,)), Only(2, (TCP_NODELAY,)))),
    "ioctl": (16, 29, (Only(1, (FIONBIO,)),)), "fcntl": (72, 25, (Only(1, (F_GETFD, F_SETFD, F_GETFL, F_SETFL)),)),
    "poll": (7, None, ()), "ppoll": (271, 73, ()), "epoll_ctl": (233, 21, ()),
    "epoll_wait": (232, None, ()), "epoll_pwait": (281, 22, ()), "epoll_pwait2": (441, 441, ()),
    "brk": (12, 214, ()), "munmap": (11, 215, ()), "mremap": (25, 216, ()), "madvise": (28, 233, ()),
    "mmap": (9, 222, NOT_TO_BE_RUN), "mprotect": (10, 226, NOT_TO_BE_RUN),
    "futex": (202, 98, ()), "sched_yield": (24, 124, ()), "rseq": (334, 293, ()), "set_robust_list": (273, 99, ()),
    "rt_sigaction": (13, 134, ()), "rt_sigprocmask": (14, 135, ()), "rt_sigreturn": (15, 139, ()), "sigaltstack": (131, 132, ()),
    "time": (201, None, ()), "gettimeofday": (96, 169, ()), "clock_gettime": (228, 113, ()), "clock_getres": (229, 114, ()),
    "nanosleep": (35, 101, ()), "clock_nanosleep": (230, 115, ()), "restart_syscall": (219, 128, ()),
    "getpid": (39, 172, ()), "gettid": (186, 178, ()), "getrandom": (318, 278, ()), "exit": (60, 93, ()), "exit_group": (231, 94, ()),
}  # fmt: skip
# include/uapi/linux/audit.h, by what uname says, and the column of `CALLS`
MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}


class Program(ctypes.Structure):
    """struct sock_fprog (linux/filter.h)."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def program(machine: str) -> list[tuple[int, int, int, int]]:
    """The filter for a machine, as struct sock_filter (code, jt, jf, k). KeyError for one that is not known here."""
    arch, column = MACHINES[machine]
    made = [(LOAD, 0, 0, ARCH), (EQUAL, 1, 0, arch), (RETURN, 0, 0, KILL), (LOAD, 0, 0, NUMBER)]
    if machine == "x86_64":
        made += [(ABOVE, 0, 1, X32), (RETURN, 0, 0, REFUSE)]
    for *numbers, conditions in CALLS.values():
        number = numbers[column]
        if number is not None:
            block = _call(conditions)
            made += [(EQUAL, 0, len(block), number), *block]
    return [*made, (RETURN, 0, 0, REFUSE)]


def _call(conditions: tuple[Only, ...]) -> list[tuple[int, int, int, int]]:
    """What is done with a call whose number fits: each condition has to hold."""
    made = []
    for one in conditions:
        made.append((LOAD, 0, 0, ARGUMENTS + 8 * one.argument))
        if one.never:
            made += [(ANY_OF, 0, 1, one.never), (RETURN, 0, 0, REFUSE)]
        else:
            last = len(one.values) - 1
            made += [(EQUAL, last - at + 1, 0, value) for at, value in enumerate(one.values)]
            made.append((RETURN, 0, 0, REFUSE))
    return [*made, (RETURN, 0, 0, ALLOW)]


def confine(machine: str) -> str:
    """Apply the filter to this process, for good; returns why that cannot be, in words, or nothing.

    For a process with one thread that may not gain privileges (no_new_privs).
    """
    if machine not in MACHINES:
        return f"no system call filter: its numbers for {machine} are not known"
    code = b"".join(struct.pack("=HBBI", *one) for one in program(machine))
    given = Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(given), 0, 0):
        return f"no system call filter: {os.strerror(ctypes.get_errno())}"
    return ""
