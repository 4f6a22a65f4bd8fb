"""The system calls that a laboratory needs and that the os module of Python 3.11 lacks.

Every function raises OSError with the system call and its subject in the message.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import contextmanager

# The keeper's process imports this module, and typing would take a third of its start.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, call: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")


if sys.version_info >= (3, 12):

    def setns(fd: int, kind: int) -> None:
        """Move the calling thread into the namespace behind `fd`."""
        os.setns(fd, kind)

    def unshare(kinds: int) -> None:
        """Give the calling thread new namespaces of these `CLONE_NEW*` kinds."""
        os.unshare(kinds)

else:

    def setns(fd: int, kind: int) -> None:
        """Move the calling thread into the namespace behind `fd`."""
        _check(_libc.setns(fd, kind), f"setns({fd}, {kind:#x})")

    def unshare(kinds: int) -> None:
        """Give the calling thread new namespaces of these `CLONE_NEW*` kinds."""
        _check(_libc.unshare(kinds), f"unshare({kinds:#x})")


def mount(
    source: str, target: str | bytes, fstype: str | None, flags: int = 0, data: str | None = None
) -> None:
    """Attach a filesystem, or with MS_BIND one file to another."""
    arguments = (
        source.encode(),
        os.fsencode(target),
        None if fstype is None else fstype.encode(),
        ctypes.c_ulong(flags),
        None if data is None else data.encode(),
    )
    _check(_libc.mount(*arguments), f"mount({source!r}, {target!r}, {fstype!r}, {flags:#x})")


def umount(target: str | bytes, flags: int = MNT_DETACH) -> None:
    """Detach a mount, by default even while it is in use."""
    _check(_libc.umount2(os.fsencode(target), flags), f"umount2({target!r}, {flags})")


def die_with_parent(signal_number: int) -> None:
    """Ask for this signal when the *thread* that forked the calling process ends (PR_SET_PDEATHSIG)."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal_number)), "prctl(PR_SET_PDEATHSIG)")


def open_here() -> int:
    """A descriptor of the calling thread's network namespace.

    /proc/thread-self, since /proc/self shows the main thread's.
    """
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


@contextmanager
def inside(fd: int) -> Iterator[None]:
    """Run a block with the calling thread in the network namespace behind `fd`, and come back.

    Raises OSError when the namespace cannot be entered or left; after the latter the thread is lost: end it.
    """
    here = open_here()
    try:
        setns(fd, CLONE_NEWNET)
        try:
            yield
        finally:
            setns(here, CLONE_NEWNET)
    finally:
        os.close(here)


def new_netns() -> int:
    """A new network namespace, held by the returned descriptor alone; the calling thread stays where it is."""
    here = open_here()
    try:
        unshare(CLONE_NEWNET)
        try:
            return open_here()
        finally:
            setns(here, CLONE_NEWNET)
    finally:
        os.close(here)


def nsfs_mounts() -> list[bytes]:
    """Mount points of namespace files in the calling process' mount namespace, the last mounted last."""
    with open("/proc/self/mountinfo", "rb") as mountinfo:
        lines = [line.split(b" ") for line in mountinfo if b" - nsfs " in line]
    return [_unescape(fields[4]) for fields in lines]


def _unescape(path: bytes) -> bytes:
    for code, character in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
        path = path.replace(code, character)
    return path
