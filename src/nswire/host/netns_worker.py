"""The thread that goes from namespace to namespace and asks. Raw bytes out; the standard library alone.

Rules of the room: only ask; every descriptor opened here is closed here; a namespace is visited, never held, since a
socket inside a foreign namespace keeps it alive; what may have been put there by a container is opened without
following its symlinks and without opening its devices.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import re
import socket
import struct
import sys
import time
from typing import TYPE_CHECKING, NamedTuple, cast

from nswire.host import genetlink, syscalls
from nswire.host.budget import ANSWER
from nswire.host.system import Answer, Door, Errand, Question, Refusal, Way

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.host.apart import Apart
    from nswire.host.budget import Budget

SO_NETNS_COOKIE = 71  # Linux 5.14, include/uapi/asm-generic/socket.h
SOL_NETLINK, NETLINK_GET_STRICT_CHK = 270, 12
NLM_F_MULTI, NLM_F_DUMP_INTR = 0x2, 0x10
NLMSG_ERROR, NLMSG_DONE = ENDS = 2, 3
# Plain numbers: combining the enumeration's members takes as long as the system call that they are for.
FAMILY, KIND = int(socket.AF_NETLINK), int(socket.SOCK_RAW | socket.SOCK_CLOEXEC)
NETLINK_GENERIC, NETLINK_SOCK_DIAG, NETLINK_XFRM = 16, 4, 6
AT_ONCE = int(socket.MSG_TRUNC | socket.MSG_DONTWAIT)
# The kernel makes the further pieces of a dump as large as the room that it was last offered, up to 32 KiB (netlink_recvmsg:
# max_recvmsg_len). Most dumps have one piece and DONE, for which it would otherwise get 32 KiB each time.
SMALL, LARGE = 4096, 65536
BUFFER = 2 * LARGE
RETRIES = 4  # of a dump that the kernel flagged as interrupted

OWN_PATH = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
# What root alone makes: a process's own namespace, and the mounts of ip and Docker.
OF_PROCESS = re.compile(r"/proc/\d+(?:/task/\d+)?/ns/net")
NAMED = re.compile(r"/(?:var/)?run/(?:docker/)?netns/[^/]+")
HEADER, DONE = 16, 20  # bytes of a message's header, and of a whole NLMSG_DONE

_header = struct.Struct("=IHH8x")
_u32 = struct.Struct("=I")


class _CutOffError(Exception):
    """A datagram did not fit into the small room."""


class _Step(NamedTuple):
    """What is sent at once, and how many answers come; without a request the question is asked in its own way."""

    question: Question
    request: bytes
    answers: int


def _about(question: Question, fd: int) -> bytes:
    """The request about the namespace of that descriptor, which is its last four bytes."""
    return question.request[:-4] + _u32.pack(fd)


def is_ours(way: Way, own: int) -> bool:
    """True if nobody else can have laid anything on that way; `own` is our pid."""
    kind, pid, path = way
    if kind == "path":
        return OF_PROCESS.fullmatch(path) is not None
    return kind == "mount" and pid == own and NAMED.fullmatch(path) is not None


class Visitor:
    """The thread that goes from namespace to namespace. It never returns home by itself: it ends."""

    def __init__(
        self, proc: str, sysfs: str, home: int, pid: int, *, apart: Callable[[], Apart], budget: Budget
    ) -> None:
        self._proc = proc
        self._sysfs = sysfs
        self._home = home
        self._pid = pid
        self._apart = apart
        self._budget = budget
        self._taken = self._most = 0
        self._began, self._until = 0.0, math.inf
        self._at = home
        self._home_fd = -1
        self._buffer = memoryview(bytearray(BUFFER))
        self._questions: tuple[Question, ...] = ()
        self._steps: list[_Step] = []
        self._interrupted = 0
        self._least = self._room = SMALL
        self._ways: dict[str, Callable[[socket.SocketType, Question], bytes]] = {
            "cookie": lambda sock, _: sock.getsockopt(socket.SOL_SOCKET, SO_NETNS_COOKIE, 8),
            "about": self._about,
            "strict": self._strict,
            "generic": self._generic,
            "diag": self._diag,
            "net": self._file,
            "sysctls": self._sysctls,
            "nftables": self._program,
            "legacy": self._program,
            "ebtables": self._program,
            "ipset": self._program,
            "recent": self._recent,
            "generation": self._program,
            "program": self._program,
            "ethtool": lambda _, question: syscalls.driver_statistics(question.request),
            "driver": lambda _, question: syscalls.driver(question.request),
            "settings": lambda _, question: syscalls.link_settings(question.request),
            "xfrm": self._xfrm,
            "hooks": self._hooks,
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
            return self._within(errand)
        except _CutOffError:  # a link with more to say than most, such as a hundred names
            self._least = LARGE
            return self._within(errand)

    def _within(self, errand: Errand) -> list[Answer]:
        """What a namespace may take: some bytes, some seconds of the kernel's time. Only large answers are counted."""
        inode = errand.door.inode
        self._taken, self._most, self._until = 0, sys.maxsize, math.inf
        if inode != self._home:
            self._most, seconds = self._budget.left(inode)
            self._began = time.thread_time()
            self._until = self._began + seconds
        found = self._run(errand)
        if self._taken and inode != self._home:
            self._budget.spend(inode, self._taken, time.thread_time() - self._began)
        return found

    def _take(self, size: int, so_far: int) -> None:
        """So many bytes more were said in one answer, which are `so_far` now. OSError: it is enough."""
        self._taken += size
        if self._taken > self._most or so_far > ANSWER:
            raise OSError(errno.EFBIG, "the answer is too large")
        if self._until < math.inf and time.thread_time() > self._until:
            raise OSError(errno.ETIME, "the answer takes too long")

    def _run(self, errand: Errand) -> list[Answer]:
        try:
            self._enter(errand.door)
            if errand.questions is not self._questions:  # a scan asks the same everywhere
                self._steps, self._questions = self._planned(errand.questions), errand.questions
            # SocketType: the bare socket, without the class around it that costs as much as the system call. Neither
            # bound nor connected: the kernel does both at the first send.
            sock = socket.SocketType(FAMILY, KIND, socket.NETLINK_ROUTE)
        except OSError as error:
            return [Refusal(error.errno or errno.EIO, "enter")] * len(errand.questions)
        found: list[Answer] = []
        self._room = self._least
        try:
            for question, request, answers in self._steps:
                try:
                    if request:
                        found += self._exchange(sock, request, answers)
                    else:
                        found.append(self._ways[question.by](sock, question))
                except OSError as error:
                    found += [Refusal(error.errno or errno.EIO, "ask")] * answers
        finally:
            sock.close()
        return found

    def _planned(self, questions: tuple[Question, ...]) -> list[_Step]:
        """What home is called goes in one send with the question behind it.

        The kernel takes the messages of a datagram one by one (netlink_rcv_skb), and answers at once what is no dump.
        """
        steps: list[_Step] = []
        ahead: list[bytes] = []
        for question in questions:
            if question.by == "about" and self._is_home(question.about):
                ahead.append(_about(question, self._home_descriptor()))
                continue
            if not question.by:
                ahead.append(question.request)
            if ahead:
                steps.append(_Step(question, b"".join(ahead), len(ahead)))
                ahead = []
            if question.by:
                steps.append(_Step(question, b"", 1))
        if ahead:
            steps.append(_Step(question, b"".join(ahead), len(ahead)))
        return steps

    def _is_home(self, door: Door | None) -> bool:
        return door is None or door.inode == self._home

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
        ways = door.ways
        if len(ways) > 1:
            ways = tuple(sorted(ways, key=lambda way: not is_ours(way, self._pid)))
        for way in ways:
            try:
                fd = self._open_way(way)
            except OSError as error:
                failure = error
                continue
            if os.fstat(fd).st_ino == door.inode and not (
                door.cookie and syscalls.is_another(fd, door.cookie)
            ):
                return fd
            os.close(fd)
            failure = OSError(errno.ESTALE, "another namespace has that inode or that name now")
        raise failure or OSError(errno.ENOENT, "no way leads there any more")

    def _open_way(self, way: Way) -> int:
        """What is not ours is opened by a process of its own, since that may never come back (`host.apart`)."""
        kind, pid, path = way
        if is_ours(way, self._pid):
            return os.open(path, OWN_PATH)
        if kind == "path" or (kind == "mount" and pid == self._pid):
            return self._apart().open("path", path, home=self._home_descriptor())
        return self._apart().open(kind, str(pid), path, home=self._home_descriptor())

    def _strict(self, sock: socket.SocketType, question: Question) -> bytes:
        """Let the kernel refuse what it does not know (Linux 4.20).

        A lax one ignores the target of an address dump and answers for the wrong namespace, so readers check the echo too.
        """
        with contextlib.suppress(OSError):
            sock.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        return self._converse(sock, question.request)

    def _about(self, sock: socket.SocketType, question: Question) -> bytes:
        """A question about another namespace than home."""
        fd = self._open(cast("Door", question.about))
        try:
            return self._converse(sock, _about(question, fd))
        finally:
            os.close(fd)

    def _generic(self, _: socket.SocketType, question: Question) -> bytes:
        """Generic netlink: `generic/FAMILY/...`."""
        with socket.socket(FAMILY, KIND, NETLINK_GENERIC) as sock:
            return genetlink.ask(
                question.name.split("/")[1], question.request, lambda request: self._converse(sock, request)
            )

    def _diag(self, _: socket.SocketType, question: Question) -> bytes:
        """Sockets, as `ss` asks for them. The kernel loads the module that knows (tcp_diag, udp_diag), if it is not there."""
        with socket.socket(FAMILY, KIND, NETLINK_SOCK_DIAG) as sock:
            return self._converse(sock, question.request)

    def _xfrm(self, _: socket.SocketType, question: Question) -> bytes:
        """XFRM's own netlink; empty where its module is not loaded, which then nobody has given a policy."""
        from nswire.host import firewall_tools

        if not firewall_tools.has("xfrm_user", self._sysfs):
            return b""
        try:
            sock = socket.socket(FAMILY, KIND, NETLINK_XFRM)
        except OSError as error:
            if error.errno != errno.EPROTONOSUPPORT:
                raise
            return b""  # this kernel has no XFRM at all
        with sock:
            return self._converse(sock, question.request)

    def _hooks(self, _: socket.SocketType, question: Question) -> bytes:
        """What netfilter calls: `hooks/FAMILY`."""
        from nswire.host import hooks

        return hooks.ask(self._sysfs, question.request, self._converse)

    def _file(self, _: socket.SocketType, question: Question) -> bytes:
        """A text of the namespace that the thread is in: `net/NAME`. Never /proc/self, which is the first thread's.

        With a request (`sockstat TCP:`) only if that line counts any sockets: for one namespace's list of TCP sockets, the
        kernel walks the table of all of them.
        """
        folder = f"{self._proc}/thread-self/net"
        if question.request:
            counts, line = question.request.split()
            with contextlib.suppress(OSError), open(f"{folder}/{counts.decode()}", "rb") as file:
                if b"\n%s inuse 0" % line in b"\n" + file.read(LARGE):
                    return b""
        pieces = []
        with open(f"{folder}/{question.name.partition('/')[2]}", "rb") as file:
            while piece := file.read(BUFFER):
                pieces.append(piece)
                if len(pieces) > 1:
                    self._take(len(piece), len(pieces) * BUFFER)
        return b"".join(pieces)

    def _program(self, _: socket.SocketType, question: Question) -> bytes:
        """What a program prints that is run here, if there is anything to print."""
        from nswire.host import firewall_tools  # and with it subprocess, which few questions need

        budget = None if self._at == self._home else self._budget
        if question.by == "nftables":
            return firewall_tools.nftables(self._sysfs, self._converse, budget)
        if question.by == "generation":
            return firewall_tools.generation(self._sysfs, self._converse)
        if question.by == "ebtables":
            return firewall_tools.ebtables(self._sysfs, question.request.decode(), budget)
        if question.by == "ipset":
            return firewall_tools.ipset(self._sysfs, question.request, self._converse)
        words = question.request.decode().split()
        if question.by == "legacy":
            return firewall_tools.legacy(self._proc, *words, budget=budget)
        return firewall_tools.run(*words, budget=budget)

    def _recent(self, _: socket.SocketType, __: Question) -> bytes:
        """The lists of addresses that rules keep (xt_recent): a line `*NAME`, then what its file has."""
        folder = f"{self._proc}/thread-self/net/xt_recent"
        lines = []
        for name in sorted(os.listdir(folder)):
            if "\n" not in name:
                with open(f"{folder}/{name}", "rb") as file:
                    lines.append(b"*%s\n%s" % (os.fsencode(name), file.read()))
        return b"\n".join(lines)

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
        """Send one request and return its answer."""
        return self._exchange(sock, request, 1)[0]

    def _exchange(self, sock: socket.SocketType | socket.socket, request: bytes, answers: int) -> list[bytes]:
        """Send so many requests at once and return all datagrams of each one's answer, DONE or ERROR included.

        If that fails half-way the socket is closed: what comes late must not pass for the next question's answer.
        """
        try:
            for _ in range(RETRIES):
                self._interrupted = 0
                sock.send(request)
                found = [self._receive(sock) for _ in range(answers)]
                if not self._interrupted:
                    break
        except OSError:
            sock.close()
            raise
        return found

    def _receive(self, sock: socket.SocketType | socket.socket) -> bytes:
        """All datagrams up to the last. Nothing is waited for: rtnetlink has answered when send returns.

        Only the ends of a datagram are looked at: its first message, whose flags tell of an inconsistent dump
        (nl_dump_check_consistent), and its last one, if that is DONE. Whoever decodes it looks at each.
        """
        buffer = self._buffer
        chunks: list[bytes] = []
        size = whole = 0
        while True:
            start = size
            room = self._room
            got = sock.recv_into(buffer[start:] if start else buffer, room, AT_ONCE)
            if got > room and room < LARGE:
                raise _CutOffError
            if got > room or got < HEADER:
                raise OSError(errno.EMSGSIZE, "a netlink datagram was cut off")
            size += got
            _, kind, flags = _header.unpack_from(buffer, start)
            last = kind in ENDS or not flags & NLM_F_MULTI
            if not last and size >= start + DONE:
                length, kind, more = _header.unpack_from(buffer, size - DONE)
                last = length == DONE and kind == NLMSG_DONE
                if last:
                    flags |= more
            self._interrupted |= flags & NLM_F_DUMP_INTR
            if start and not last:
                self._room = LARGE
            if last or size > BUFFER - LARGE:
                chunks.append(bytes(buffer[:size]))
                whole += size
                if not last:
                    self._take(size, whole)
                size = 0
            if last:
                return chunks[0] if len(chunks) == 1 else b"".join(chunks)
