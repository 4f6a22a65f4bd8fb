"""The process that touches objects of somebody else's making. It may be given up at any time: see `host.apart`.

A system call on such an object may never return, and no signal may end it: a descriptor of a file system that is served by a
process which does not serve, a pipe, a socket that lingers when it is closed, memory that is laid on any of these.
So all of that is done here and nowhere else (docs/security.md lists it), with nothing in this process that anybody waits for:
no terminal, no descriptor but its own two. The standard library alone.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import mmap
import os
import signal
import socket
import struct
import sys
import time
from typing import TYPE_CHECKING

from nswire.host import syscalls
from nswire.host.descriptors import Descriptors
from nswire.host.process import process, read_at, start
from nswire.host.state_files import Files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MORE, MARK, LAST, FAILED = b"+", b"~", b"=", b"!"
PIECE = 60000  # bytes of one message
OFTEN = 0.05  # seconds after which what was found is sent
LARGEST = 1 << 16
LONG = 10.0  # seconds of processor time for one question about all processes: some two million descriptors
SILENT = errno.ETIMEDOUT
UNKNOWN = -1  # start time of a process


class Position:
    """Whose object is touched at the moment, in memory that both processes see: (pid, a number that grows); pid 0: nobody's.

    What is asked about no process counts as -1.
    """

    SIZE = 16
    _layout = struct.Struct("=qQ")

    def __init__(self, fd: int) -> None:
        self._memory = mmap.mmap(fd, self.SIZE)
        self._count = 0

    def at(self, pid: int) -> None:
        """Something of that process is touched next."""
        self._count += 1
        self._layout.pack_into(self._memory, 0, pid, self._count)

    def read(self) -> tuple[int, int]:
        """What was noted last."""
        pid, count = self._layout.unpack_from(self._memory)
        return pid, count

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()


class Foreign:
    """What is done there. `silent`: processes that did not answer before, by pid, with their start time."""

    def __init__(self, words: dict[str, str], position: Position) -> None:
        self._proc = words["proc"]
        self._nsfs = int(words["nsfs"])
        self._at = position.at
        self._without = frozenset({os.getpid(), *map(int, words["without"].split())})
        self.silent: dict[int, int] = {}
        self._files = Files(words["root"]).questions
        self.asked: dict[str, Callable[..., bytes]] = {
            "process": self._process,
            "start": lambda pid: b"%d" % self._start(int(pid)),
            "behind": self._behind,
            "files": self._file,
        }
        """What is answered with bytes."""
        self.opened: dict[str, Callable[..., int]] = {
            "path": self._path,
            "mount": self._mount,
            "socket": self._socket,
        }
        """What is answered with a descriptor of a network namespace."""
        self.listed: dict[str, Callable[[int], Iterator[bytes]]] = {}
        """What is answered with lines about every process."""

    def descriptors(self) -> Descriptors:
        """Made when they are asked for."""
        made = Descriptors(self._proc, self._nsfs, self._without, self._at)
        self.listed = made.questions
        return made

    def is_silent(self, pid: int) -> bool:
        """True if that process did not answer before, and it is still that one."""
        if pid not in self.silent:
            return False
        try:
            return self.silent[pid] in (UNKNOWN, self._start(pid))
        except (OSError, ValueError, IndexError):
            return False

    def _start(self, pid: int) -> int:
        self._at(pid)
        folder = os.open(f"{self._proc}/{pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return start(read_at(folder, "stat"))
        finally:
            os.close(folder)

    def _of(self, pid: str) -> int:
        """The pid, if that process answered until now."""
        if self.is_silent(int(pid)):
            raise OSError(SILENT, "it did not answer before")
        self._at(int(pid))
        return int(pid)

    def _process(self, pid: str) -> bytes:
        """See `host.process`. What is read is of the process that had that pid, or ESRCH: never of one that got it then."""
        folder = os.open(f"{self._proc}/{self._of(pid)}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return process(folder, int(pid))
        finally:
            os.close(folder)

    def _behind(self, path: str) -> bytes:
        """The inode of the network namespace behind a path; ESTALE if there is none."""
        fd = self._path(path)
        try:
            return b"%d" % os.fstat(fd).st_ino if syscalls.is_network_namespace(fd) else b"0"
        finally:
            os.close(fd)

    def _file(self, question: str, argument: str) -> bytes:
        self._at(-1)
        return self._files[question](argument)

    def _path(self, path: str) -> int:
        first, _, rest = path.removeprefix("/proc/").partition("/")
        of_process = path.startswith("/proc/") and first.isascii() and first.isdigit() and rest
        self._at(self._of(first) if of_process else -1)
        return syscalls.open_namespace(os.fsencode(path), self._nsfs)

    def _mount(self, pid: str, path: str) -> int:
        return syscalls.open_namespace_in_root(f"{self._proc}/{self._of(pid)}/root", path, self._nsfs)

    def _socket(self, pid: str, fd: str) -> int:
        pidfd = syscalls.pidfd_open(self._of(pid))
        try:
            return syscalls.namespace_of_socket(pidfd, int(fd))
        finally:
            os.close(pidfd)


def serve(
    channel: socket.socket, position: Position, words: dict[str, str], made: type[Foreign] = Foreign
) -> None:
    """Answer what is asked until the other side ends, or this process does."""
    foreign = made(words, position)
    while True:
        position.at(0)
        asked = channel.recv(LARGEST)
        if not asked:
            return
        silent, verb, *rest = os.fsdecode(asked).split("\0")
        foreign.silent = dict(_pair(one) for one in silent.split())
        try:
            if verb in foreign.asked:
                _send(channel, foreign.asked[verb](*rest))
            elif verb in foreign.opened:
                fd = foreign.opened[verb](*rest)
                socket.send_fds(channel, [LAST], [fd])
                os.close(fd)
            else:
                _list(channel, foreign, verb, int(rest[0]))
        except OSError as error:
            channel.send(FAILED + b"%d" % (error.errno or errno.EIO))
        except (ValueError, IndexError, KeyError):
            channel.send(FAILED + b"%d" % errno.EBADMSG)


def _pair(word: str) -> tuple[int, int]:
    pid, _, started = word.partition(":")
    return int(pid), int(started)


def _send(channel: socket.socket, answer: bytes) -> None:
    while len(answer) > PIECE:
        channel.send(MORE + answer[:PIECE])
        answer = answer[PIECE:]
    channel.send(LAST + answer)


def _list(channel: socket.socket, foreign: Foreign, verb: str, after: int) -> None:
    """Lines about each process after that one; MARK says up to which pid they are complete."""
    descriptors = foreign.descriptors()
    lines: list[bytes] = []
    size = 0
    sent = time.monotonic()
    begun = time.process_time()
    for pid in descriptors.pids(after):
        if time.process_time() - begun > LONG:
            _pieces(channel, lines)
            channel.send(LAST + silence(verb, 0, errno.E2BIG) + b"\n")
            return
        if foreign.is_silent(pid):
            new: Iterable[bytes] = (silence(verb, pid),)
        else:
            new = foreign.listed[verb](pid)
        for line in new:
            lines.append(line)
            size += len(line) + 1
            if size > PIECE // 2:
                _pieces(channel, lines)
                size = 0
        now = time.monotonic()
        if now - sent > OFTEN:
            _pieces(channel, lines)
            channel.send(MARK + b"%d" % pid)
            size, sent = 0, now
    _pieces(channel, lines)
    channel.send(LAST)


def _pieces(channel: socket.socket, lines: list[bytes]) -> None:
    if lines:
        channel.send(MORE + b"\n".join(lines) + b"\n")
        lines.clear()


def silence(verb: str, pid: int, code: int = SILENT) -> bytes:
    """The line that says of a process that it did not answer (0: of all that come after)."""
    return f"{pid} - !{code}{' - -' if verb == 'taps' else ''}".encode()


def alone(home: int, *keep: int) -> None:
    """Let go of all that somebody may wait for: the terminal, pipes, other descriptors, a namespace that was visited."""
    gc.disable()  # a copy of a large process would come to own all its pages
    os.setsid()
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_DFL)
    if home >= 0:
        syscalls.setns(home)
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    for fd in map(int, os.listdir("/proc/self/fd")):
        if fd > 2 and fd not in keep:
            with contextlib.suppress(OSError):  # the one that listed them
                os.close(fd)


def main(arguments: list[str]) -> None:
    """As a program of its own: numbers of the channel, of the shared memory and of home (-1: none), then the words."""
    channel, memory, home = map(int, arguments[:3])
    alone(home, channel, memory)
    words = dict(zip(arguments[3::2], arguments[4::2], strict=True))
    with socket.socket(fileno=channel) as sock:
        serve(sock, Position(memory), words)


if __name__ == "__main__":
    main(sys.argv[1:])
