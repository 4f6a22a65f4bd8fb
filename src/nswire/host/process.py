"""Who a process is, by what it says of itself: its memory is read for that. Raw texts out; the standard library alone.

Runs in the process that may be given up (see `host.apart`): a command line lies in memory that the process may have
laid where nobody answers, and whose lock it may hold.
"""

from __future__ import annotations

import errno
import json
import os
import re

# Words of a command line that hold a secret by their looks: what comes after them is not passed on.
_SECRETIVE = r"(?:pass(?:word|wd|phrase)?|secret|token|api[-_]?key|psk)"
_SECRET = re.compile(rf"(?is)({_SECRETIVE}[^=\s]{{0,64}}=).+")
_SECRET_OPTION = re.compile(rf"(?i)--?[\w-]{{0,64}}{_SECRETIVE}[\w-]{{0,64}}")
_SECRET_IN_URL = re.compile(r"(//[^/\s:@]{0,256}:)[^/\s@]+@")
LONGEST = 16384  # bytes of a command line; libvirt's for a VM with many disks takes half of that


def link_at(folder: int, name: str) -> str:
    """Where a symlink in a folder of /proc leads, as its text; `!ERRNO` if that is not told. OSError: it is gone."""
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ESRCH):
            raise
        return f"!{error.errno or errno.EIO}"


def read_at(folder: int, name: str) -> bytes:
    """The begin of a file in a folder of /proc."""
    with open(os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder), "rb") as file:
        return file.read(LONGEST)


def deepest(cgroup: bytes) -> bytes:
    """The deepest path in /proc/PID/cgroup: with version 1 a process is in several hierarchies."""
    return max((line.split(b":", 2)[-1] for line in cgroup.split(b"\n")), key=len, default=b"/")


def start(stat: bytes) -> int:
    """When a process was started, in clock ticks since boot, by /proc/PID/stat. ValueError, IndexError."""
    return int(stat[stat.rindex(b")") + 2 :].split()[19])


def process(held: int, pid: int) -> bytes:
    """JSON: who a process is, by a descriptor of its folder. `start`: by it a reused pid is known.

    Bytes that are no UTF-8 are backslash-escaped; what looks like a password in the command line is left out. OSError,
    ValueError, IndexError.
    """
    stat, status = read_at(held, "stat"), read_at(held, "status")
    words = read_at(held, "cmdline").decode("utf-8", "backslashreplace").split("\0")
    comm = stat[stat.index(b"(") + 1 : stat.rindex(b")")]
    return json.dumps(
        {
            "pid": pid,
            "comm": comm.decode("utf-8", "backslashreplace"),
            "cmdline": _without_secrets([word for word in words if word]),
            "uid": _effective(status, b"Uid:"),
            "groups": [_effective(status, b"Gid:"), *_groups(status)],
            "capabilities": _capabilities(status),
            "ppid": int(stat[stat.rindex(b")") + 2 :].split()[1]),
            "start": start(stat),
            "net": link_at(held, "ns/net"),
            "cgroup": deepest(read_at(held, "cgroup")).decode("utf-8", "backslashreplace"),
        }
    ).encode()


def _words(status: bytes, name: bytes) -> list[bytes]:
    return next((line.split()[1:] for line in status.split(b"\n") if line.startswith(name)), [])


def _effective(status: bytes, name: bytes) -> int:
    """The effective user or group. Not who owns /proc/PID: that is root for a process that may not be traced."""
    words = _words(status, name)
    return int(words[1]) if len(words) > 1 else -1


def _groups(status: bytes) -> list[int]:
    """The supplementary groups."""
    return [int(word) for word in _words(status, b"Groups:")]


def _capabilities(status: bytes) -> int:
    """The effective capabilities, in the process's own user namespace, as bits."""
    words = _words(status, b"CapEff:")
    return int(words[0], 16) if words else 0


def _without_secrets(words: list[str]) -> list[str]:
    kept = []
    for at, word in enumerate(words):
        if at and _SECRET_OPTION.fullmatch(words[at - 1]) and not word.startswith("-"):
            kept.append("...")
        else:
            kept.append(_SECRET_IN_URL.sub(r"\1...@", _SECRET.sub(r"\1...", word)))
    return kept
