"""This host, asked directly: setns worker, netlink sockets, procfs. Raw bytes out; the standard library alone.

Rules of the room: only read; every descriptor opened here is closed here; a namespace is visited, never held,
since a socket inside a foreign namespace keeps it alive; what may have been put there by a container is opened
without following its symlinks and without opening its devices.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import socket
import struct
import sys
import threading
import time
from typing import TYPE_CHECKING

from nswire.host.system import Answer, Door, Errand, Question, Refusal, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

CLONE_NEWNET = 0x40000000
SO_NETNS_COOKIE = 71  # Linux 5.14, include/uapi/asm-generic/socket.h
SIOCGSKNS = 0x894C  # the namespace of a socket, include/uapi/linux/sockios.h
NS_GET_NSTYPE = 0xB703
NS_GET_ID = 0x8008B70D  # Linux 6.13 and newer; the same number as the cookie
SOL_NETLINK, NETLINK_GET_STRICT_CHK = 270, 12
SIOCETHTOOL = 0x8946
ETHTOOL_GSTRINGS, ETHTOOL_GSTATS, ETHTOOL_GSSET_INFO, ETH_SS_STATS = 0x1B, 0x1D, 0x37, 1
STATISTICS = 4096  # of one link at most
NLM_F_MULTI, NLM_F_DUMP_INTR = 0x2, 0x10
NLMSG_ERROR, NLMSG_DONE = 2, 3
SYS_PIDFD_OPEN, SYS_OPENAT2, SYS_PIDFD_GETFD = 434, 437, 438  # the same numbers on every architecture
RESOLVE_NO_MAGICLINKS, RESOLVE_IN_ROOT = 0x02, 0x10
BUFFER = 65536  # a dump datagram is at most 32 KiB (netlink_recvmsg caps max_recvmsg_len)
RETRIES = 4  # of a dump that the kernel flagged as interrupted
PATIENCE = struct.pack("ll", 30, 0)  # SO_RCVTIMEO: RTNL may be busy for seconds, never for ever
NETNS_DIRS = ("/run/netns", "/run/docker/netns")
INITIAL_ONLY = "/proc/sys/net/core/netdev_max_backlog"  # net_core_table is registered in the initial namespace only

_libc = ctypes.CDLL(None, use_errno=True)
_header = struct.Struct("=IHHII")


def _syscall(number: int, *args: int | bytes | ctypes.Array[ctypes.c_char]) -> int:
    result: int = _libc.syscall(number, *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def _setns(fd: int) -> None:
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _reason(error: OSError) -> int:
    return error.errno or errno.EIO


class Live:
    """The machine nswire runs on, seen from the namespaces of the calling process."""

    def __init__(self, proc: str = "/proc", netns_dirs: tuple[str, ...] = NETNS_DIRS) -> None:
        self._proc = proc
        self._netns_dirs = netns_dirs
        own = os.stat(f"{proc}/thread-self/ns/net")
        self._home = own.st_ino
        self._nsfs = own.st_dev
        self._pid = os.getpid()
        self._questions: dict[str, Callable[[str], bytes]] = {
            "about": self._about,
            "processes": self._processes,
            "threads": self._threads,
            "names": self._names,
            "mountinfo": self._mountinfo,
            "fds": self._fds,
            "sockets": self._sockets,
            "comm": self._comm,
        }

    # -- the whole host ------------------------------------------------------------------------------------------

    def host(self, name: str) -> Answer:
        """Answer a question about the whole host; its texts are described at each private method."""
        verb, _, argument = name.partition("/")
        try:
            return self._questions[verb](argument)
        except OSError as error:
            return Refusal(_reason(error), "read")

    def _about(self, _: str) -> bytes:
        """JSON: when, which kernel, with which capabilities, which namespace is home, is it the initial one."""
        status = self._text("thread-self/status").decode(errors="replace")
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        try:
            initial: bool | None = os.path.exists(INITIAL_ONLY) if os.path.isdir("/proc/sys/net/core") else None
        except OSError:
            initial = None
        about = {
            "time": time.time(),
            "kernel": os.uname().release,
            "machine": os.uname().machine,
            "byteorder": sys.byteorder,
            "hostname": os.uname().nodename,
            "capabilities": fields.get("CapEff", "0"),
            "uid": os.geteuid(),
            "home": self._home,
            "initial": initial,
            "pid": self._pid,
            "mnt": self._link_text(f"{self._proc}/thread-self/ns/mnt"),
        }
        return json.dumps(about).encode()

    def _processes(self, _: str) -> bytes:
        """Lines `PID NET MNT`, each of the two as the kernel's link text (`net:[4026531840]`) or `!ERRNO`."""
        lines = []
        proc, own = self._proc, str(self._pid)
        for pid in os.listdir(proc):
            if not pid.isdigit() or pid == own:
                continue
            net = self._link_text(f"{proc}/{pid}/ns/net")
            if net in _GONE:
                continue
            lines.append(f"{pid} {net} {self._link_text(f'{proc}/{pid}/ns/mnt')}")
        return "\n".join(lines).encode()

    def _threads(self, _: str) -> bytes:
        """Lines `PID TID NET` of the threads that are not where their leader is (or whose leader is unreadable)."""
        lines = []
        for pid in self._pids():
            base = f"{self._proc}/{pid}/task"
            try:
                # st_nlink of task/ is 2 + the number of threads (proc_task_getattr): no listing of the lone ones
                if os.stat(base).st_nlink <= 3:  # noqa: PLR2004
                    continue
                leader = self._link_text(f"{self._proc}/{pid}/ns/net")
                for tid in os.listdir(base):
                    net = self._link_text(f"{base}/{tid}/ns/net")
                    if net != leader and net not in _GONE:
                        lines.append(f"{pid} {tid} {net}")
            except OSError:
                continue
        return "\n".join(lines).encode()

    def _names(self, _: str) -> bytes:
        """Lines `INODE PATH` of the entries of /run/netns and its like; inode 0: not a network namespace.

        An entry may be a mount, a symlink into /proc (a habit of Docker users) or a dead file.
        """
        lines = []
        for directory in self._netns_dirs:
            try:
                entries = sorted(os.listdir(directory))
            except OSError:
                continue
            for entry in entries:
                path = f"{directory}/{entry}"
                try:
                    seen = os.stat(path)
                    inode = seen.st_ino if seen.st_dev == self._nsfs and self._is_netns(path) else 0
                except FileNotFoundError:
                    inode = 0
                except OSError:
                    continue
                lines.append(b"%d %s" % (inode, os.fsencode(path)))
        return b"\n".join(line.replace(b"\n", b"\\012") for line in lines)

    @staticmethod
    def _is_netns(path: str) -> bool:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return fcntl.ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET
        finally:
            os.close(fd)

    def _mountinfo(self, pid: str) -> bytes:
        """The namespace mounts (nsfs lines) of /proc/PID/mountinfo, as they are."""
        text = self._text(f"{pid}/mountinfo")
        return b"\n".join(line for line in text.split(b"\n") if b" - nsfs " in line)

    def _fds(self, _: str) -> bytes:
        """Lines `PID FD net:[INODE]` of the open descriptors that are network namespaces, or `PID - !ERRNO`."""
        lines = []
        for pid, fd, target in self._descriptors():
            if target.startswith(("net:[", "!")):
                lines.append(f"{pid} {fd} {target}")
        return "\n".join(lines).encode()

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
                        pidfd = _syscall(SYS_PIDFD_OPEN, int(pid), 0)
                        own = self._link_text(f"{self._proc}/{pid}/ns/net")
                    if pidfd < 0:
                        continue
                    inode = self._socket_namespace(pidfd, int(fd))
                except OSError as error:
                    if error.errno not in (errno.ESRCH, errno.EBADF, errno.ENOENT, errno.ENOTTY):
                        lines.append(f"{pid} {fd} !{_reason(error)}")
                    continue
                if inode != own:
                    lines.append(f"{pid} {fd} {inode}")
        finally:
            if pidfd >= 0:
                os.close(pidfd)
        return "\n".join(lines).encode()

    @staticmethod
    def _socket_namespace(pidfd: int, fd: int) -> str:
        nsfd = _namespace_of_socket(pidfd, fd)
        try:
            return f"net:[{os.fstat(nsfd).st_ino}]"
        finally:
            os.close(nsfd)

    def _comm(self, pid: str) -> bytes:
        """The process's name, as it calls itself."""
        return self._text(f"{pid}/comm").rstrip(b"\n")

    def _pids(self) -> Iterator[str]:
        own = str(self._pid)
        return (pid for pid in os.listdir(self._proc) if pid.isdigit() and pid != own)

    def _descriptors(self) -> Iterator[tuple[str, str, str]]:
        for pid in self._pids():
            base = f"{self._proc}/{pid}/fd"
            try:
                numbers = os.listdir(base)
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ESRCH):
                    yield pid, "-", f"!{_reason(error)}"
                continue
            for fd in numbers:
                target = self._link_text(f"{base}/{fd}")
                if not target.startswith("!"):
                    yield pid, fd, target

    @staticmethod
    def _link_text(path: str) -> str:
        try:
            return os.readlink(path)
        except OSError as error:
            return f"!{_reason(error)}"

    def _text(self, name: str) -> bytes:
        with open(f"{self._proc}/{name}", "rb") as file:  # noqa: PTH123 (pathlib costs 15 ms to import)
            return file.read()

    # -- inside namespaces ---------------------------------------------------------------------------------------

    def visit(self, errands: Iterable[Errand], deliver: Callable[[Errand, list[Answer]], None]) -> None:
        """Run the errands in a thread of its own, which ends in whatever namespace it came to last.

        setns is per thread, so the caller never moves, and there is no way back that could fail.
        """
        failures: list[BaseException] = []
        stop = threading.Event()

        def work() -> None:
            visitor = _Visitor(self._proc, self._home, self._nsfs, self._pid)
            try:
                for errand in errands:
                    if stop.is_set():
                        break
                    deliver(errand, visitor.run(errand))
            except BaseException as failure:  # noqa: BLE001 (handed to the caller's thread)
                failures.append(failure)
            finally:
                visitor.close()

        worker = threading.Thread(target=work, name="nswire-visitor", daemon=True)
        worker.start()
        try:
            worker.join()
        finally:
            stop.set()
            worker.join()
        if failures:
            raise failures[0]


_GONE = (f"!{errno.ENOENT}", f"!{errno.ESRCH}")


def _namespace_of_socket(pidfd: int, fd: int) -> int:
    """Return a descriptor of the network namespace of another process's socket. OSError where that is refused."""
    copy = _syscall(SYS_PIDFD_GETFD, pidfd, fd, 0)
    try:
        return fcntl.ioctl(copy, SIOCGSKNS)
    finally:
        os.close(copy)


class _Visitor:
    """The thread that goes from namespace to namespace. It never returns home by itself: it ends."""

    def __init__(self, proc: str, home: int, nsfs: int, pid: int) -> None:
        self._proc = proc
        self._home = home
        self._nsfs = nsfs
        self._pid = pid
        self._at = home
        self._home_fd = -1
        self._buffer = bytearray(BUFFER)
        self._seq = 0

    def close(self) -> None:
        if self._home_fd >= 0:
            os.close(self._home_fd)

    def run(self, errand: Errand) -> list[Answer]:
        try:
            self._enter(errand.door)
            # socket() and not a connected or bound one: the kernel binds it at the first send
            sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        except OSError as error:
            return [Refusal(_reason(error), "enter")] * len(errand.questions)
        with sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, PATIENCE)
            # a strict kernel refuses what it does not know; a lax one would ignore the target attribute of an address
            # dump and answer for the wrong namespace (Linux 4.20; older ones are lax, so readers check the echo)
            with contextlib.suppress(OSError):
                sock.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
            return [self._ask(sock, question) for question in errand.questions]

    def _enter(self, door: Door) -> None:
        if door.inode == self._at:
            return
        if self._home_fd < 0:
            self._home_fd = os.open(f"{self._proc}/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        if door.inode == self._home:
            _setns(self._home_fd)
        else:
            fd = self._open(door)
            try:
                _setns(fd)
            finally:
                os.close(fd)
        self._at = door.inode

    def _open(self, door: Door) -> int:
        """Open the namespace and make sure that it is the one that was meant, since inode numbers are reused."""
        if door.inode == self._home:
            if self._home_fd < 0:
                self._home_fd = os.open(f"{self._proc}/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            return os.dup(self._home_fd)
        failure = OSError(errno.ENOENT, "no way leads there any more")
        for way in door.ways:
            try:
                fd = self._open_way(way)
            except OSError as error:
                failure = error
                continue
            if os.fstat(fd).st_ino == door.inode and not _is_another(fd, door.cookie):
                return fd
            os.close(fd)
            failure = OSError(errno.ESTALE, "another namespace has that inode or that name now")
        raise failure

    def _open_way(self, way: Way) -> int:
        kind, pid, path = way
        if kind == "path" or (kind == "mount" and pid == self._pid):
            return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if kind == "mount":
            return self._open_in_root(pid, path)
        pidfd = _syscall(SYS_PIDFD_OPEN, pid, 0)
        try:
            return _namespace_of_socket(pidfd, int(path))
        finally:
            os.close(pidfd)

    def _open_in_root(self, pid: int, path: str) -> int:
        """Open a path inside another mount namespace, whose owner may have laid symlinks, pipes or devices there.

        openat2 (Linux 5.6) confines the lookup; O_PATH opens nothing; only what proves to be nsfs is opened.
        """
        root = os.open(f"{self._proc}/{pid}/root", os.O_PATH | os.O_CLOEXEC)
        try:
            how = struct.pack("=QQQ", os.O_PATH | os.O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
            found = _syscall(SYS_OPENAT2, root, os.fsencode(path) + b"\0", ctypes.create_string_buffer(how, 24), 24)
        finally:
            os.close(root)
        try:
            if os.fstat(found).st_dev != self._nsfs:
                raise OSError(errno.ESTALE, "no namespace is mounted there any more")
            return os.open(f"{self._proc}/thread-self/fd/{found}", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            os.close(found)

    def _ask(self, sock: socket.socket, question: Question) -> Answer:
        try:
            if question.name == "cookie":
                return sock.getsockopt(socket.SOL_SOCKET, SO_NETNS_COOKIE, 8)
            if question.name.startswith("ethtool/"):
                return _driver_statistics(question.request)
            if question.about is None:
                return self._converse(sock, question.request)
            fd = self._open(question.about)
            try:
                return self._converse(sock, question.request[:-4] + struct.pack("=I", fd))
            finally:
                os.close(fd)
        except OSError as error:
            return Refusal(_reason(error), "ask")

    def _converse(self, sock: socket.socket, request: bytes) -> bytes:
        """Send one request and return all datagrams of its answer, DONE or ERROR included."""
        for attempt in range(RETRIES):
            self._seq += 1
            message = bytearray(request)
            struct.pack_into("=I", message, 8, self._seq)
            sock.send(message)
            answer, interrupted = self._receive(sock)
            if not interrupted or attempt == RETRIES - 1:
                break
        return answer

    def _receive(self, sock: socket.socket) -> tuple[bytes, bool]:
        buffer = self._buffer
        chunks = []
        interrupted = False
        while True:
            size = sock.recv_into(buffer, BUFFER, socket.MSG_TRUNC)
            if size > BUFFER:
                raise OSError(errno.EMSGSIZE, "a netlink datagram was cut off")
            ended, flags = _last(buffer, size, self._seq)
            if flags < 0:
                continue  # an answer to an earlier question that we gave up on
            interrupted = interrupted or bool(flags & NLM_F_DUMP_INTR)
            chunks.append(buffer[:size])
            if ended:
                return b"".join(chunks), interrupted


def _last(buffer: bytearray, size: int, seq: int) -> tuple[bool, int]:
    """Walk one datagram: does it end the answer, and all flags seen (-1: it answers another question)."""
    offset = flags = 0
    ended = False
    while offset + 16 <= size:
        length, kind, flag, number, _ = _header.unpack_from(buffer, offset)
        if number != seq:
            return False, -1
        flags |= flag
        if kind in (NLMSG_DONE, NLMSG_ERROR) or not flag & NLM_F_MULTI:
            ended = True
        if length < 16:  # noqa: PLR2004 (a header; cannot happen, must not hang)
            raise OSError(errno.EBADMSG, "a netlink message shorter than its header")
        offset += (length + 3) & ~3
    return ended, flags


def _driver_statistics(ifname: bytes) -> bytes:
    """Count, names and values of `ethtool -S` (SIOCETHTOOL), read in the calling thread's namespace."""

    def ioctl(command: bytes, room: int) -> bytes:
        buffer = ctypes.create_string_buffer(command, room)
        fcntl.ioctl(sock, SIOCETHTOOL, struct.pack("16sP16x", ifname, ctypes.addressof(buffer)))
        return buffer.raw

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sets = ioctl(struct.pack("=IIQI", ETHTOOL_GSSET_INFO, 0, 1 << ETH_SS_STATS, 0), 20)
        count = struct.unpack_from("=I", sets, 16)[0] if struct.unpack_from("=Q", sets, 8)[0] else 0
        if not 0 < count <= STATISTICS:
            return struct.pack("=I", 0)
        names = ioctl(struct.pack("=III", ETHTOOL_GSTRINGS, ETH_SS_STATS, count), 12 + 32 * count)
        values = ioctl(struct.pack("=II", ETHTOOL_GSTATS, count), 8 + 8 * count)
    return struct.pack("=I", count) + names[12:] + values[8:]


def _is_another(fd: int, cookie: int) -> bool:
    """True if the kernel can tell that the namespace is not the one with that cookie (Linux 6.13: NS_GET_ID)."""
    if not cookie:
        return False
    answer = bytearray(8)
    try:
        fcntl.ioctl(fd, NS_GET_ID, answer)
    except OSError:
        return False
    return int.from_bytes(answer, sys.byteorder) != cookie
