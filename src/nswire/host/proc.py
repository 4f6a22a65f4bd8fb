"""/proc: processes and threads, what they have open, who they are. Raw texts out; the standard library alone."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
from typing import TYPE_CHECKING

from nswire.host import syscalls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_GONE = (f"!{errno.ENOENT}", f"!{errno.ESRCH}")
_NSFS = re.compile(rb"^.* - nsfs .*$", re.MULTILINE)
# Words of a command line that hold a secret by their looks: what comes after them is not passed on.
_SECRETIVE = r"(?:pass(?:word|wd|phrase)?|secret|token|api[-_]?key|psk)"
_SECRET = re.compile(rf"(?is)({_SECRETIVE}[^=\s]{{0,64}}=).+")
_SECRET_OPTION = re.compile(rf"(?i)--?[\w-]{{0,64}}{_SECRETIVE}[\w-]{{0,64}}")
_SECRET_IN_URL = re.compile(r"(//[^/\s:@]{0,256}:)[^/\s@]+@")
LONGEST = 16384  # bytes of a command line; libvirt's for a VM with many disks takes half of that


def link_text(path: str) -> str:
    """Where a symlink of /proc leads, as its text; `!ERRNO` if that is not told."""
    try:
        return os.readlink(path)
    except OSError as error:
        return f"!{error.errno or errno.EIO}"


def _link_at(folder: int, name: str) -> str:
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ESRCH):
            raise
        return f"!{error.errno or errno.EIO}"


def _read_at(folder: int, name: str) -> bytes:
    with open(os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder), "rb") as file:
        return file.read(LONGEST)


def _deepest(cgroup: bytes) -> bytes:
    """The deepest path in /proc/PID/cgroup: with version 1 a process is in several hierarchies."""
    return max((line.split(b":", 2)[-1] for line in cgroup.split(b"\n")), key=len, default=b"/")


def _uid(status: bytes) -> int:
    """The effective user. Not who owns /proc/PID: that is root for a process that may not be traced."""
    line = next((line for line in status.split(b"\n") if line.startswith(b"Uid:")), b"")
    words = line.split()
    return int(words[2]) if len(words) > 2 else -1


def _without_secrets(words: list[str]) -> list[str]:
    kept = []
    for at, word in enumerate(words):
        if at and _SECRET_OPTION.fullmatch(words[at - 1]) and not word.startswith("-"):
            kept.append("...")
        else:
            kept.append(_SECRET_IN_URL.sub(r"\1...@", _SECRET.sub(r"\1...", word)))
    return kept


class Proc:
    """The processes that /proc shows, but for the calling one. A root that is a parameter, so that a test may bring its own."""

    def __init__(self, proc: str, home: int, nsfs: int, pid: int) -> None:
        self._proc = proc
        self._home = f"net:[{home}]"
        self._nsfs = nsfs
        self._pid = pid
        self.questions: dict[str, Callable[[str], bytes]] = {
            "processes": self._processes,
            "threads": self._threads,
            "mountinfo": self._mountinfo,
            "root": self._root,
            "fds": self._fds,
            "sockets": self._sockets,
            "taps": self._taps,
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

    def _fds(self, _: str) -> bytes:
        """Lines `PID FD net:[INODE]` of the open descriptors that are network namespaces, or `PID - !ERRNO`.

        One that was opened through a mount shows that mount's path, and `/` once it is unmounted: what is left after
        `ip netns del` of a namespace that somebody has open.
        """
        lines = []
        for pid, fd, target in self._descriptors():
            if target.startswith(("net:[", "!")):
                lines.append(f"{pid} {fd} {target}")
            elif target == "/":
                inode = self._namespace_at(f"{self._proc}/{pid}/fd/{fd}")
                if inode:
                    lines.append(f"{pid} {fd} net:[{inode}]")
        return "\n".join(lines).encode()

    def _namespace_at(self, path: str) -> int:
        """The inode of the network namespace that a descriptor is; 0 if it is something else."""
        try:
            device, inode = syscalls.identity(path)
            if device != self._nsfs:
                return 0
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return 0
        try:
            return inode if syscalls.is_network_namespace(fd) else 0
        finally:
            os.close(fd)

    def _sockets(self, _: str) -> bytes:
        """Lines `PID FD net:[INODE]` of the sockets and tun descriptors that live elsewhere than their process.

        A descriptor is copied with pidfd_getfd, asked with SIOCGSKNS and closed at once. `PID FD !ERRNO`: refused.
        """
        lines = []
        pidfd = -1
        last = own = ""
        try:
            for pid, fd, target in self._descriptors():
                if not target.startswith(("socket:[", "/dev/net/tun")):
                    continue
                try:
                    if pid != last:
                        if pidfd >= 0:
                            os.close(pidfd)
                            pidfd = -1
                        last = pid
                        pidfd = syscalls.pidfd_open(int(pid))
                        own = link_text(f"{self._proc}/{pid}/ns/net")
                    if pidfd < 0:
                        continue
                    inode = self._socket_namespace(pidfd, int(fd))
                except OSError as error:
                    if error.errno not in (errno.ESRCH, errno.EBADF, errno.ENOENT, errno.ENOTTY):
                        lines.append(f"{pid} {fd} !{error.errno or errno.EIO}")
                    continue
                if inode != own:
                    lines.append(f"{pid} {fd} {inode}")
        finally:
            if pidfd >= 0:
                os.close(pidfd)
        return "\n".join(lines).encode()

    @staticmethod
    def _socket_namespace(pidfd: int, fd: int) -> str:
        nsfd = syscalls.namespace_of_socket(pidfd, fd)
        try:
            return f"net:[{os.fstat(nsfd).st_ino}]"
        finally:
            os.close(nsfd)

    def _socket_inodes(self, _: str) -> bytes:
        """The inodes of all sockets that processes have open, a line each: the others are the kernel's own."""
        inodes = {target[8:-1] for _, _, target in self._descriptors() if target.startswith("socket:[")}
        return "\n".join(sorted(inodes)).encode()

    def _socket_holders(self, _: str) -> bytes:
        """Lines `PID INODE` of the sockets that processes have open."""
        lines = {
            f"{pid} {target[8:-1]}" for pid, _, target in self._descriptors() if target.startswith("socket:[")
        }
        return "\n".join(sorted(lines)).encode()

    def _taps(self, _: str) -> bytes:
        """Lines `PID FD WHERE MAC NAME` of the descriptors that serve a tun, tap or macvtap link; `PID - !ERRNO`: unreadable.

        WHERE is, for tun and tap, the namespace that the link is in now (TUNGETDEVNETNS; `!ERRNO` if that is refused), for
        macvtap `tap:N`, the ifindex in the name of its device, as the driver chose it; MAC is `-` but for macvtap. A
        line `PID FD vhost - -` tells of a process that lets the kernel do the copying (/dev/vhost-net).
        """
        lines = []
        for pid, fd, target in self._descriptors():
            try:
                if target == "/dev/net/tun":
                    name = self._tun_name(pid, fd)
                    if name:
                        where = f"net:[{syscalls.namespace_of_tun(int(pid), int(fd))}]"
                        lines.append(b"%s %s %s - %s" % (pid.encode(), fd.encode(), where.encode(), name))
                elif target.startswith("/dev/tap") and target[8:].isdigit():
                    mac, name = syscalls.macvtap(int(pid), int(fd))
                    lines.append(f"{pid} {fd} tap:{target[8:]} {mac.hex(':')} ".encode() + name)
                elif target == "/dev/vhost-net":
                    lines.append(f"{pid} {fd} vhost - -".encode())
                elif target.startswith("!"):
                    lines.append(f"{pid} {fd} {target} - -".encode())
            except OSError as error:
                if error.errno not in (errno.ESRCH, errno.EBADF, errno.ENOENT, errno.EBADFD):
                    lines.append(
                        f"{pid} {fd} !{error.errno or errno.EIO} - ".encode() + self._tun_name(pid, fd)
                    )
        return b"\n".join(lines)

    def _tun_name(self, pid: str, fd: str) -> bytes:
        """The link that a tun descriptor is attached to, by the name that it has now; empty: none."""
        try:
            text = self._text(f"{pid}/fdinfo/{fd}")
        except OSError:
            return b""
        return next((line[4:].strip() for line in text.split(b"\n") if line.startswith(b"iff:")), b"")

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
                    net = _link_at(held, "ns/net")
                    if (net == self._home) == (which == "home"):
                        lines.append(
                            b"%s %s %s" % (pid.encode(), net.encode(), _deepest(_read_at(held, "cgroup")))
                        )
            except OSError:
                continue
        return b"\n".join(lines)

    def _process(self, pid: str) -> bytes:
        """JSON: who a process is. `start` is its start time in clock ticks since boot, by which a reused pid is known.

        Bytes that are no UTF-8 are backslash-escaped; what looks like a password in the command line is left out.
        """
        if not pid.isdigit():
            raise OSError(errno.EINVAL, "no pid")
        with self._held(pid) as held:
            stat = _read_at(held, "stat")
            fields = stat[stat.rindex(b")") + 2 :].split()
            words = _read_at(held, "cmdline").decode("utf-8", "backslashreplace").split("\0")
            return json.dumps(
                {
                    "pid": int(pid),
                    "comm": stat[stat.index(b"(") + 1 : stat.rindex(b")")].decode(
                        "utf-8", "backslashreplace"
                    ),
                    "cmdline": _without_secrets([word for word in words if word]),
                    "uid": _uid(_read_at(held, "status")),
                    "ppid": int(fields[1]),
                    "start": int(fields[19]),
                    "net": _link_at(held, "ns/net"),
                    "cgroup": _deepest(_read_at(held, "cgroup")).decode("utf-8", "backslashreplace"),
                }
            ).encode()

    @contextlib.contextmanager
    def _held(self, pid: str) -> Iterator[int]:
        """A descriptor of /proc/PID. What is read through it is of that process, or ESRCH: never of one that got its pid."""
        fd = os.open(f"{self._proc}/{pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield fd
        finally:
            os.close(fd)

    def _pids(self) -> Iterator[str]:
        own = str(self._pid)
        return (pid for pid in os.listdir(self._proc) if pid.isdigit() and pid != own)

    def _descriptors(self) -> Iterator[tuple[str, str, str]]:
        for pid in self._pids():
            base = f"{self._proc}/{pid}/fd"
            try:
                numbers = os.listdir(base)
                if not numbers:
                    pid, numbers = self._of_another_thread(pid)  # noqa: PLW2901
                    base = f"{self._proc}/{pid}/fd"
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ESRCH):
                    yield pid, "-", f"!{error.errno or errno.EIO}"
                continue
            for fd in numbers:
                target = link_text(f"{base}/{fd}")
                if not target.startswith("!"):
                    yield pid, fd, target

    def _of_another_thread(self, pid: str) -> tuple[str, list[str]]:
        """The descriptors of a process whose first thread ended are shown by the others alone: (TID, its numbers)."""
        base = f"{self._proc}/{pid}/task"
        if os.stat(base).st_nlink > 3:
            for tid in os.listdir(base):
                numbers = os.listdir(f"{base}/{tid}/fd")
                if numbers:
                    return tid, numbers
        return pid, []

    def _text(self, name: str) -> bytes:
        with open(f"{self._proc}/{name}", "rb") as file:
            return file.read()
