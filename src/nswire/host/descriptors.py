"""What processes have open: namespaces, sockets, tun and tap devices. Raw texts out; the standard library alone.

Runs in the process that may be given up (see `host.apart`). The text of a link in /proc/PID/fd is chosen by that process, unless
it is one of the kernel's own forms (`socket:[...]`, `net:[...]`: no path begins so). So a text says what is worth a look,
and the kernel decides, without asking a file system (statx with AT_STATX_DONT_SYNC): nothing is copied, opened or
asked that is not a socket, or the very device that is meant; and what was copied is looked at once more.
"""

from __future__ import annotations

import errno
import os
import stat
from itertools import islice
from typing import TYPE_CHECKING

from nswire.host import syscalls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    At = Callable[[int], None]

MANY = 1 << 16  # descriptors of one process that are looked at
GONE = (errno.ESRCH, errno.EBADF, errno.ENOENT)
TUN = os.makedev(10, 200)  # TUN_MINOR, include/linux/miscdevice.h
VHOST_NET = os.makedev(10, 238)  # VHOST_NET_MINOR
TAPS = ("macvtap", "ipvtap")  # drivers that get a major number of their own (tap_create_cdev)


class Descriptors:
    """The descriptors of the processes that /proc shows, but for these pids. `at` is told whose is looked at next."""

    def __init__(self, proc: str, nsfs: int, without: frozenset[int], at: At) -> None:
        self._proc = proc
        self._nsfs = nsfs
        self._without = without
        self._at = at
        self._majors: frozenset[int] | None = None
        self.questions: dict[str, Callable[[int], Iterator[bytes]]] = {
            "fds": self._fds,
            "sockets": self._sockets,
            "taps": self._taps,
            "socket-inodes": self._socket_inodes,
            "socket-holders": self._socket_holders,
        }
        """By name; each gives the lines about one process. Their forms are described where each is made."""

    def pids(self, after: int) -> list[int]:
        """The processes that come after that pid, in order."""
        found = [int(pid) for pid in os.listdir(self._proc) if pid.isdigit()]
        return sorted(pid for pid in found if pid > after and pid not in self._without)

    def _fds(self, pid: int) -> Iterator[bytes]:
        """Lines `PID FD net:[INODE]` of the open descriptors that are network namespaces, or `PID - !ERRNO`.

        One that was opened through a mount shows that mount's path, and `/` once it is unmounted: what is left after
        `ip netns del` of a namespace that somebody has open.
        """
        for tid, fd, target in self._descriptors(pid):
            if target.startswith(("net:[", "!")):
                yield f"{tid} {fd} {target}".encode()
            elif target == "/":
                self._at(pid)
                inode = self._namespace_at(f"{self._proc}/{tid}/fd/{fd}")
                if inode:
                    yield f"{tid} {fd} net:[{inode}]".encode()

    def _namespace_at(self, path: str) -> int:
        """The inode of the network namespace that a descriptor is; 0 if it is something else."""
        try:
            fd = syscalls.open_namespace(path, self._nsfs)
        except OSError:
            return 0
        try:
            return os.fstat(fd).st_ino if syscalls.is_network_namespace(fd) else 0
        finally:
            os.close(fd)

    def _sockets(self, pid: int) -> Iterator[bytes]:
        """Lines `PID FD net:[INODE]` of the sockets and tun descriptors that live elsewhere than their process.

        A descriptor is copied with pidfd_getfd, asked with SIOCGSKNS and closed at once. `PID FD !ERRNO`: refused.
        """
        pidfd = -1
        own = ""
        try:
            for tid, fd, target in self._descriptors(pid):
                device = 0 if target.startswith("socket:[") else TUN
                if device and not target.startswith("/dev/net/tun"):
                    continue
                try:
                    self._at(pid)
                    if device and not self._is(tid, fd, (device,)):
                        continue
                    if pidfd < 0:
                        pidfd = syscalls.pidfd_open(tid)
                        own = os.readlink(f"{self._proc}/{tid}/ns/net")
                    inode = syscalls.inode_of_socket(pidfd, int(fd))
                except OSError as error:
                    if error.errno not in (*GONE, errno.ENOTTY):
                        yield f"{tid} {fd} !{error.errno or errno.EIO}".encode()
                    if pidfd < 0:
                        return
                    continue
                if f"net:[{inode}]" != own:
                    yield f"{tid} {fd} net:[{inode}]".encode()
        finally:
            if pidfd >= 0:
                os.close(pidfd)

    def _socket_inodes(self, pid: int) -> Iterator[bytes]:
        """The inodes of all sockets that processes have open, a line each: the others are the kernel's own."""
        for _, _, target in self._descriptors(pid):
            if target.startswith("socket:["):
                yield target[8:-1].encode()

    def _socket_holders(self, pid: int) -> Iterator[bytes]:
        """Lines `PID INODE` of the sockets that processes have open."""
        for tid, _, target in self._descriptors(pid):
            if target.startswith("socket:["):
                yield f"{tid} {target[8:-1]}".encode()

    def _taps(self, pid: int) -> Iterator[bytes]:
        """Lines `PID FD WHERE MAC NAME` of the descriptors that serve a tun, tap or macvtap link; `PID - !ERRNO - -`: unreadable.

        WHERE is, for tun and tap, the namespace that the link is in now (TUNGETDEVNETNS; `!ERRNO` if that is refused), for
        macvtap `tap:N`, the ifindex in the name of its device, as the driver chose it; MAC is `-` but for macvtap. A
        line `PID FD vhost - -` tells of a process that lets the kernel do the copying (/dev/vhost-net).
        """
        for tid, fd, target in self._descriptors(pid):
            if target.startswith("!"):
                yield f"{tid} {fd} {target} - -".encode()
            if not target.startswith("/dev/"):
                continue
            try:
                if target == "/dev/net/tun":
                    name = self._is(tid, fd, (TUN,), at=pid) and self._tun_name(tid, fd)
                    if name:
                        where = f"net:[{syscalls.namespace_of_tun(tid, int(fd))}]"
                        yield b"%d %s %s - %s" % (tid, fd.encode(), where.encode(), name)
                elif target.startswith("/dev/tap") and target[8:].isascii() and target[8:].isdigit():
                    if self._is(tid, fd, (), at=pid):
                        mac, name = syscalls.macvtap(tid, int(fd))
                        yield f"{tid} {fd} tap:{target[8:]} {mac.hex(':')} ".encode() + name
                elif target == "/dev/vhost-net" and self._is(tid, fd, (VHOST_NET,), at=pid):
                    yield f"{tid} {fd} vhost - -".encode()
            except OSError as error:
                if error.errno not in (*GONE, errno.EBADFD):
                    name = self._tun_name(tid, fd)
                    yield f"{tid} {fd} !{error.errno or errno.EIO} - ".encode() + name

    def _is(self, tid: int, fd: str, devices: tuple[int, ...], *, at: int = 0) -> bool:
        """True if a descriptor is one of these character devices; without any: one of a driver of taps."""
        if at:
            self._at(at)
        kind, device = syscalls.device(f"{self._proc}/{tid}/fd/{fd}")
        if not stat.S_ISCHR(kind):
            return False
        return device in devices if devices else os.major(device) in self._tap_majors()

    def _tap_majors(self) -> frozenset[int]:
        """The major numbers of the devices of macvtap and ipvtap, which the kernel gives out as they come."""
        if self._majors is None:
            with open(f"{self._proc}/devices", encoding="ascii", errors="replace") as file:
                rows = [line.split() for line in file]
            self._majors = frozenset(int(row[0]) for row in rows if len(row) == 2 and row[1] in TAPS)
        return self._majors

    def _tun_name(self, tid: int, fd: str) -> bytes:
        """The link that a tun descriptor is attached to, by the name that it has now; empty: none."""
        try:
            with open(f"{self._proc}/{tid}/fdinfo/{fd}", "rb") as file:
                text = file.read()
        except OSError:
            return b""
        return next((line[4:].strip() for line in text.split(b"\n") if line.startswith(b"iff:")), b"")

    def _descriptors(self, pid: int) -> Iterator[tuple[int, str, str]]:
        """(PID or TID, number, text) of what a process has open; `-` and `!ERRNO`: that may not be seen."""
        self._at(pid)
        try:
            numbers = self._numbers(f"{self._proc}/{pid}/fd")
            tid = pid
            if not numbers:
                tid, numbers = self._of_another_thread(pid)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ESRCH):
                yield pid, "-", f"!{error.errno or errno.EIO}"
            return
        base = f"{self._proc}/{tid}/fd"
        if len(numbers) > MANY:
            yield pid, "-", f"!{errno.E2BIG}"
        for fd in numbers[:MANY]:
            try:
                target = os.readlink(f"{base}/{fd}")
            except OSError:
                continue
            if not target.startswith("!"):
                yield tid, fd, target

    @staticmethod
    def _numbers(folder: str) -> list[str]:
        """As many as are looked at, and one more."""
        with os.scandir(folder) as entries:
            return [entry.name for entry in islice(entries, MANY + 1)]

    def _of_another_thread(self, pid: int) -> tuple[int, list[str]]:
        """The descriptors of a process whose first thread ended are shown by the others alone: (TID, its numbers)."""
        base = f"{self._proc}/{pid}/task"
        if os.stat(base).st_nlink > 3:
            for tid in os.listdir(base):
                numbers = self._numbers(f"{base}/{tid}/fd")
                if numbers:
                    return int(tid), numbers
        return pid, []
