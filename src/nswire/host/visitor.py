"""The thread that goes from namespace to namespace and asks. Raw bytes out; the standard library alone.

Rules of the room: only ask; every descriptor opened here is closed here; a namespace is visited, never held, since a
socket inside a foreign namespace keeps it alive; what may have been put there by a container is opened without
following its symlinks and without opening its devices.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
from typing import TYPE_CHECKING

from nswire.host import generic, syscalls
from nswire.host.system import Answer, Door, Errand, Question, Refusal, Way

if TYPE_CHECKING:
    from collections.abc import Callable

SO_NETNS_COOKIE = 71  # Linux 5.14, include/uapi/asm-generic/socket.h
SOL_NETLINK, NETLINK_GET_STRICT_CHK = 270, 12
NLM_F_MULTI, NLM_F_DUMP_INTR = 0x2, 0x10
NLMSG_ERROR, NLMSG_DONE = 2, 3
# Plain numbers: combining the enumeration's members takes as long as the system call that they are for.
FAMILY, KIND = int(socket.AF_NETLINK), int(socket.SOCK_RAW | socket.SOCK_CLOEXEC)
NETLINK_GENERIC = 16
AT_ONCE = int(socket.MSG_TRUNC | socket.MSG_DONTWAIT)
BUFFER = 65536  # a dump datagram is at most 32 KiB (netlink_recvmsg caps max_recvmsg_len)
RETRIES = 4  # of a dump that the kernel flagged as interrupted

HEADER, DONE = 16, 20  # bytes of a message's header, and of a whole NLMSG_DONE

_header = struct.Struct("=IHH8x")
_u32 = struct.Struct("=I")


class Visitor:
    """The thread that goes from namespace to namespace. It never returns home by itself: it ends."""

    def __init__(self, proc: str, sysfs: str, home: int, nsfs: int, pid: int) -> None:
        self._proc = proc
        self._sysfs = sysfs
        self._home = home
        self._nsfs = nsfs
        self._pid = pid
        self._at = home
        self._home_fd = -1
        self._buffer = bytearray(BUFFER)
        self._ways: dict[str, Callable[[socket.SocketType, Question], bytes]] = {
            "cookie": lambda sock, _: sock.getsockopt(socket.SOL_SOCKET, SO_NETNS_COOKIE, 8),
            "about": self._about,
            "strict": self._strict,
            "generic": self._generic,
            "net": self._file,
            "sysctls": self._sysctls,
            "nftables": self._program,
            "legacy": self._program,
            "program": self._program,
            "ethtool": lambda _, question: syscalls.driver_statistics(question.request),
            "driver": lambda _, question: syscalls.driver(question.request),
            "settings": lambda _, question: syscalls.link_settings(question.request),
            "programs": lambda _, question: syscalls.programs(int(question.request)),
        }
        """How what is not simply asked by rtnetlink is asked, by `Question.by`."""

    def close(self) -> None:
        """Give back the descriptor of home."""
        if self._home_fd >= 0:
            os.close(self._home_fd)

    def run(self, errand: Errand) -> list[Answer]:
        """Enter, ask, and close the socket; the thread stays there until the next errand."""
        try:
            self._enter(errand.door)
            # SocketType: the bare socket, without the class around it that costs as much as the system call. Neither
            # bound nor connected: the kernel does both at the first send.
            sock = socket.SocketType(FAMILY, KIND, socket.NETLINK_ROUTE)
        except OSError as error:
            return [Refusal(error.errno or errno.EIO, "enter")] * len(errand.questions)
        try:
            return [self._ask(sock, question) for question in errand.questions]
        finally:
            sock.close()

    def _home_descriptor(self) -> int:
        """A descriptor of home, opened before the first step away from it and kept to the end."""
        if self._home_fd < 0:
            self._home_fd = os.open(f"{self._proc}/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        return self._home_fd

    def _enter(self, door: Door) -> None:
        if door.inode == self._at:
            return
        if self._home_fd < 0:
            self._home_descriptor()
        if door.inode == self._home:
            syscalls.setns(self._home_fd)
        else:
            fd = self._open(door)
            try:
                syscalls.setns(fd)
            finally:
                os.close(fd)
        self._at = door.inode

    def _open(self, door: Door) -> int:
        """Open the namespace and make sure that it is the one that was meant, since inode numbers are reused."""
        failure: OSError | None = None
        for way in door.ways:
            try:
                fd = self._open_way(way)
            except OSError as error:
                failure = error
                continue
            if os.fstat(fd).st_ino == door.inode and not syscalls.is_another(fd, door.cookie):
                return fd
            os.close(fd)
            failure = OSError(errno.ESTALE, "another namespace has that inode or that name now")
        raise failure or OSError(errno.ENOENT, "no way leads there any more")

    def _open_way(self, way: Way) -> int:
        kind, pid, path = way
        if kind == "path" or (kind == "mount" and pid == self._pid):
            return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if kind == "mount":
            return self._open_in_root(pid, path)
        pidfd = syscalls.pidfd_open(pid)
        try:
            return syscalls.namespace_of_socket(pidfd, int(path))
        finally:
            os.close(pidfd)

    def _open_in_root(self, pid: int, path: str) -> int:
        """Open a path inside another mount namespace, whose owner may have laid symlinks, pipes or devices there.

        openat2 (Linux 5.6) confines the lookup; O_PATH opens nothing; only what proves to be nsfs is opened.
        """
        root = os.open(f"{self._proc}/{pid}/root", os.O_PATH | os.O_CLOEXEC)
        try:
            found = syscalls.open_path_in_root(root, path)
        finally:
            os.close(root)
        try:
            if os.fstat(found).st_dev != self._nsfs:
                raise OSError(errno.ESTALE, "no namespace is mounted there any more")
            return os.open(f"{self._proc}/thread-self/fd/{found}", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            os.close(found)

    def _ask(self, sock: socket.SocketType, question: Question) -> Answer:
        try:
            if question.by:
                return self._ways[question.by](sock, question)
            return self._converse(sock, question.request)
        except OSError as error:
            return Refusal(error.errno or errno.EIO, "ask")

    def _strict(self, sock: socket.SocketType, question: Question) -> bytes:
        """Let the kernel refuse what it does not know (Linux 4.20).

        A lax one ignores the target of an address dump and answers for the wrong namespace, so readers check the echo too.
        """
        with contextlib.suppress(OSError):
            sock.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        return self._converse(sock, question.request)

    def _about(self, sock: socket.SocketType, question: Question) -> bytes:
        """A question about another namespace, or about home."""
        about = question.about
        if about is None or about.inode == self._home:
            return self._converse(sock, question.request[:-4] + _u32.pack(self._home_descriptor()))
        fd = self._open(about)
        try:
            return self._converse(sock, question.request[:-4] + _u32.pack(fd))
        finally:
            os.close(fd)

    def _generic(self, _: socket.SocketType, question: Question) -> bytes:
        """Generic netlink: `generic/FAMILY/...`."""
        with socket.socket(FAMILY, KIND, NETLINK_GENERIC) as sock:
            return generic.ask(
                question.name.split("/")[1], question.request, lambda request: self._converse(sock, request)
            )

    def _file(self, _: socket.SocketType, question: Question) -> bytes:
        """A text of the namespace that the thread is in: `net/NAME`. Never /proc/self, which is the first thread's.

        With a request (`sockstat TCP:`) only if that line counts any sockets: for one namespace's list of TCP sockets, the
        kernel walks the table of all of them.
        """
        folder = f"{self._proc}/thread-self/net"
        if question.request:
            counts, line = question.request.split()
            with contextlib.suppress(OSError), open(f"{folder}/{counts.decode()}", "rb") as file:
                if b"\n%s inuse 0" % line in b"\n" + file.read():
                    return b""
        with open(f"{folder}/{question.name.partition('/')[2]}", "rb") as file:
            return file.read()

    def _program(self, _: socket.SocketType, question: Question) -> bytes:
        """What a program prints that is run here, if there is anything to print."""
        from nswire.host import programs  # and with it subprocess, which few questions need

        if question.by == "nftables":
            return programs.nftables(self._sysfs, self._converse)
        words = question.request.decode().split()
        return programs.legacy(self._proc, *words) if question.by == "legacy" else programs.run(*words)

    def _sysctls(self, _: socket.SocketType, question: Question) -> bytes:
        """Lines `NAME=VALUE` of those of the files under /proc/sys/net that there are: the thread's namespace's own."""
        lines = []
        for name in question.request.split(b"\n"):
            with (
                contextlib.suppress(FileNotFoundError),
                open(b"%s/sys/net/%s" % (self._proc.encode(), name), "rb") as file,
            ):
                lines.append(b"%s=%s" % (name, file.read().strip()))
        return b"\n".join(lines)

    def _converse(self, sock: socket.SocketType | socket.socket, request: bytes) -> bytes:
        """Send one request and return all datagrams of its answer, DONE or ERROR included.

        If that fails half-way the socket is closed: what comes late must not pass for the next question's answer.
        """
        try:
            for attempt in range(RETRIES):
                sock.send(request)
                answer, interrupted = self._receive(sock)
                if not interrupted or attempt == RETRIES - 1:
                    break
        except OSError:
            sock.close()
            raise
        return answer

    def _receive(self, sock: socket.SocketType | socket.socket) -> tuple[bytes, bool]:
        """All datagrams up to the last. Nothing is waited for: rtnetlink has answered when send returns.

        Only the ends of a datagram are looked at: its first message, whose flags tell of an inconsistent dump
        (nl_dump_check_consistent), and its last one, if that is DONE. Whoever decodes it looks at each.
        """
        buffer = self._buffer
        chunks: list[bytearray] = []
        interrupted = 0
        while True:
            size = sock.recv_into(buffer, BUFFER, AT_ONCE)
            if size > BUFFER or size < HEADER:
                raise OSError(errno.EMSGSIZE, "a netlink datagram was cut off")
            _, kind, flags = _header.unpack_from(buffer)
            interrupted |= flags
            chunks.append(buffer[:size])
            last = kind in (NLMSG_ERROR, NLMSG_DONE) or not flags & NLM_F_MULTI
            if not last:
                length, kind, flags = _header.unpack_from(buffer, max(0, size - DONE))
                last = length == DONE and kind == NLMSG_DONE
            if last:
                return b"".join(chunks), bool((interrupted | flags) & NLM_F_DUMP_INTR)
