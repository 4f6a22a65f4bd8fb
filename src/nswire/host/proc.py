"""/proc: processes and threads. Raw texts out; the standard library alone.

What they have open, and what their memory says, is asked by a process of its own (`host.apart`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
from typing import TYPE_CHECKING

from nswire.host.process import deepest, link_at, read_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nswire.host.apart import Apart

_GONE = (f"!{errno.ENOENT}", f"!{errno.ESRCH}")
_NSFS = re.compile(rb"^.* - nsfs .*$", re.MULTILINE)


def link_text(path: str) -> str:
    """Where a symlink of /proc leads, as its text; `!ERRNO` if that is not told."""
    try:
        return os.readlink(path)
    except OSError as error:
        return f"!{error.errno or errno.EIO}"


def _children() -> list[int]:
    """Our own children that touch what is somebody else's: no namespace is held by them."""
    apart = sys.modules.get("nswire.host.apart")
    return apart.pids() if apart is not None else []


class Proc:
    """The processes that /proc shows, but for the calling one. A root that is a parameter, so that a test may bring its own."""

    def __init__(self, proc: str, home: int, pid: int, touching: Callable[[], Apart]) -> None:
        self._proc = proc
        self._home = f"net:[{home}]"
        self._pid = pid
        self._touching = touching
        self.questions: dict[str, Callable[[str], bytes]] = {
            "processes": self._processes,
            "threads": self._threads,
            "mountinfo": self._mountinfo,
            "root": self._root,
            "fds": lambda _: touching().each("fds"),
            "sockets": lambda _: touching().each("sockets"),
            "taps": lambda _: touching().each("taps"),
            "socket-inodes": self._socket_inodes,
            "socket-holders": self._socket_holders,
            "comm": self._comm,
            "cgroups": self._cgroups,
            "process": self._process,
        }
        """By the first word of a question's name; each gets the rest of it."""

    def _processes(self, _: str) -> bytes:
        """Lines `PID NET MNT`, each of the two as the kernel's link text (`net:[4026531840]`) or `!ERRNO`."""
        lines = []
        proc = self._proc
        for pid in self._pids():
            net = link_text(f"{proc}/{pid}/ns/net")
            if net in _GONE:
                continue
            lines.append(f"{pid} {net} {link_text(f'{proc}/{pid}/ns/mnt')}")
        return "\n".join(lines).encode()

    def _threads(self, _: str) -> bytes:
        """Lines `PID TID NET` of the threads that are not where their leader is (or whose leader is unreadable)."""
        lines = []
        for pid in self._pids():
            base = f"{self._proc}/{pid}/task"
            try:
                # st_nlink of task/ is 2 + the number of threads (proc_task_getattr): no listing of the lone ones
                if os.stat(base).st_nlink <= 3:
                    continue
                leader = link_text(f"{self._proc}/{pid}/ns/net")
                for tid in os.listdir(base):
                    net = link_text(f"{base}/{tid}/ns/net")
                    if net != leader and net not in _GONE:
                        lines.append(f"{pid} {tid} {net}")
            except OSError:
                continue
        return "\n".join(lines).encode()

    def _mountinfo(self, pid: str) -> bytes:
        """The namespace mounts (nsfs lines) of /proc/PID/mountinfo, as they are."""
        return b"\n".join(_NSFS.findall(self._text(f"{pid}/mountinfo")))

    def _root(self, pid: str) -> bytes:
        """The root folder of a process, as its link text: `/` unless it is chrooted."""
        return os.fsencode(os.readlink(f"{self._proc}/{pid}/root"))

    def _socket_inodes(self, _: str) -> bytes:
        """The inodes of all sockets that processes have open, a line each: the others are the kernel's own."""
        return b"\n".join(sorted(set(self._touching().each("socket-inodes", whole=True).split())))

    def _socket_holders(self, _: str) -> bytes:
        """Lines `PID INODE` of the sockets that processes have open."""
        return b"\n".join(
            sorted(set(self._touching().each("socket-holders", whole=True).split(b"\n")) - {b""})
        )

    def _process(self, pid: str) -> bytes:
        """See `host.process`."""
        if not (pid.isascii() and pid.isdigit()):
            raise OSError(errno.EINVAL, "no pid")
        return self._touching().ask("process", pid)

    def _comm(self, pid: str) -> bytes:
        """The process's name, as it calls itself."""
        return self._text(f"{pid}/comm").rstrip(b"\n")

    def _cgroups(self, which: str) -> bytes:
        """Lines `PID NET PATH` of the processes that are not at home, or (`home`) of those that are.

        NET is as in `processes`, PATH a process's control group, the deepest of them.
        """
        lines = []
        for pid in self._pids():
            try:
                with self._held(pid) as held:
                    net = link_at(held, "ns/net")
                    if (net == self._home) == (which == "home"):
                        lines.append(
                            b"%s %s %s" % (pid.encode(), net.encode(), deepest(read_at(held, "cgroup")))
                        )
            except OSError:
                continue
        return b"\n".join(lines)

    @contextlib.contextmanager
    def _held(self, pid: str) -> Iterator[int]:
        """A descriptor of /proc/PID. What is read through it is of that process, or ESRCH: never of one that got its pid."""
        fd = os.open(f"{self._proc}/{pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield fd
        finally:
            os.close(fd)

    def _pids(self) -> Iterator[str]:
        own = {str(pid) for pid in (self._pid, *_children())}
        return (pid for pid in os.listdir(self._proc) if pid.isdigit() and pid not in own)

    def _text(self, name: str) -> bytes:
        with open(f"{self._proc}/{name}", "rb") as file:
            return file.read()
