"""Giving up privileges, for good: the front of the page is to be able to do nothing but speak HTTP."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import resource
import struct

from nswire.web import landlock, seccomp

# include/uapi/linux/prctl.h, capability.h
PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 4, 24, 38
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
CAPABILITY_VERSION_3 = 0x20080522
HIGHEST = 63  # more capabilities than there are: a kernel refuses those that it does not know
OVERFLOW = 65534  # nobody's id, where there is no nobody

_libc = ctypes.CDLL(None, use_errno=True)


def never_gain() -> None:
    """Forbid this process and all its children to gain privileges by running a program. Raises OSError."""
    _prctl(PR_SET_NO_NEW_PRIVS, 1)


def leave_network() -> str:
    """Go to a network namespace of one's own, in which there is nothing; sockets that are open stay where they are.

    Who may not is made to by a user namespace. Returns why that cannot be, in words, or nothing.
    """
    if _libc.unshare(CLONE_NEWNET) == 0 or _libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0:
        return ""
    return f"no network namespace of its own: {os.strerror(ctypes.get_errno())}"


def drop() -> str:
    """Become nobody, without groups and capabilities, never to gain any, and without a right to start processes.

    A process that is not root stays who it is, and loses the rest. Returns what could not be given up, in words: in a user
    namespace that has a single user there is nobody else to become. Raises OSError; then nothing may be served.
    """
    never_gain()
    kept = ""
    if os.geteuid() == 0:
        for capability in range(HIGHEST + 1):
            with contextlib.suppress(OSError):  # that one does not exist
                _prctl(PR_CAPBSET_DROP, capability)
        kept = _become_nobody()
    with contextlib.suppress(OSError):  # before Linux 4.3
        _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    _checked(_libc.capset(struct.pack("=Ii", CAPABILITY_VERSION_3, 0), bytes(24)))
    # Whoever else is nobody, or the same user, is not to look into our memory, where the sessions are.
    _prctl(PR_SET_DUMPABLE, 0)
    for limit in (resource.RLIMIT_NPROC, resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(limit, (0, 0))
    return kept


def confine() -> str:
    """Whatever this process does from now on it does with what it has open. Returns what of that this machine cannot do.

    Landlock and the filter each refuse to open a file; it is worth a word if there is neither.
    """
    locked = landlock.confine()
    why = seccomp.confine(os.uname().machine)
    return why and f"{why}; files are closed to it all the same (Landlock)" if locked else why


def _become_nobody() -> str:
    try:
        who = pwd.getpwnam("nobody")
        uid, gid = who.pw_uid, who.pw_gid
    except KeyError:
        uid = gid = OVERFLOW
    if not (is_mapped("uid", uid) and is_mapped("gid", gid)):
        return (
            "this user namespace has no other user: the page is served by the same one, without capabilities"
        )
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    return ""


def is_mapped(kind: str, number: int) -> bool:
    """True if this user namespace has a user (group) of that number."""
    with open(f"/proc/self/{kind}_map") as file:
        ranges = [[int(word) for word in line.split()] for line in file]
    return any(first <= number < first + count for first, _, count in ranges)


def _prctl(option: int, value: int) -> None:
    _checked(_libc.prctl(option, *(ctypes.c_ulong(word) for word in (value, 0, 0, 0))))


def _checked(result: int) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
