"""Asks the process that touches objects of somebody else's making (`host.foreign`), and gives it up if it does not come back.

A system call on such an object may never return, and then the process that made it cannot even be killed. So it is
made by a child that nobody waits for: when it has not moved for a moment it is killed, forgotten, and another one goes on with
the next process. What did not answer is remembered and not tried again. All of that is bounded: seconds that are
lost by waiting, and children that are left behind. The standard library alone.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import socket
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING, NamedTuple

from nswire.host import foreign
from nswire.host.foreign import FAILED, LAST, MARK, MORE, UNKNOWN, Foreign, Position

if TYPE_CHECKING:
    from collections.abc import Iterator

ALTOGETHER = 2.0  # seconds that may be lost by waiting for what does not answer, in one look
PATIENCE, LEAST = (
    0.5,
    0.1,
)  # seconds for one object: the first gets so much, each further one half of it, but no less than that
OWN = 10.0  # seconds for what is nobody's: loading our own code from a slow disk
MOST = 8  # children that were given up and are still there
REMEMBERED = 64
PARTING = 0.1  # seconds in which a child that was killed is gone, if it can be

_left: list[int] = []  # children of this process that were given up and were still there
_waiting: list[list[_Child]] = []
_silent: dict[int, int] = {}  # processes that did not answer, with their start time
_silent_paths: set[str] = set()


class _SilentError(Exception):
    """The child does not come back from an object of that process (-1: of a path; 0: nobody's)."""

    def __init__(self, pid: int) -> None:
        super().__init__(pid)
        self.pid = pid


class _Child(NamedTuple):
    pid: int
    parent: int
    channel: socket.socket
    position: Position


class Apart:
    """One child, started when it is first needed, ended with this object. May be used by one thread at a time.

    `made` is what is done there: a test brings its own. Every failure is an OSError; ETIMEDOUT: no answer.
    """

    def __init__(self, proc: str, root: str, nsfs: int, pid: int, made: type[Foreign] = Foreign) -> None:
        self._words = {"proc": proc, "root": root, "nsfs": str(nsfs)}
        self._proc = proc
        self._pid = pid
        self._made = made
        self._child: list[_Child] = []
        self._lost = 0.0
        self._patience = PATIENCE
        self._lock = threading.RLock()
        self._home = -1
        weakref.finalize(self, _end, self._child)

    def ready(self) -> None:
        """Start the child now."""
        with self._lock, contextlib.suppress(OSError):
            self._started()

    def ask(self, verb: str, *words: str) -> bytes:
        """The answer to one question about a process, or a path."""
        with self._lock:
            return self._one(verb, *words)[0]

    def open(self, verb: str, *words: str, home: int) -> int:
        """A descriptor of a network namespace. `home`: of our own, if the calling thread is in another one."""
        with self._lock:
            self._home = home
            try:
                _, fds = self._one(verb, *words)
            finally:
                self._home = -1
        if not fds:
            raise OSError(errno.EMFILE, "the descriptor could not be received")
        return fds[0]

    def each(self, verb: str, *, whole: bool = False) -> bytes:
        """Lines about every process; what did not answer has one that says so. `whole`: then it is ETIMEDOUT instead."""
        with self._lock:
            return b"\n".join(self._each(verb, whole=whole))

    def _each(self, verb: str, *, whole: bool) -> list[bytes]:
        answer: list[bytes] = []
        after = 0
        while True:
            complete: list[bytes] = []
            try:
                for kind, content in self._answers(self._started(), [verb, str(after)]):
                    complete.append(content)
                    if kind == MARK:
                        after = int(complete.pop())
                        answer += complete
                        complete = []
                return _lines(answer + complete)
            except _SilentError as silent:
                if whole:
                    raise OSError(errno.ETIMEDOUT, "a process did not answer") from None
                self._remember(silent.pid)
                if silent.pid <= 0 or self._spent():
                    return [
                        *_lines(answer),
                        foreign.silence(verb, max(0, silent.pid)),
                        foreign.silence(verb, 0),
                    ]
            except OSError as error:
                if whole or error.errno != errno.ETIMEDOUT or not (answer or after):
                    raise
                return [*_lines(answer), foreign.silence(verb, 0)]

    def _one(self, verb: str, *words: str) -> tuple[bytes, list[int]]:
        if words[0] in _silent_paths:
            raise OSError(errno.ETIMEDOUT, "it did not answer before")
        fds: list[int] = []
        try:
            content = [piece for _, piece in self._answers(self._started(), [verb, *words], fds)]
        except _SilentError as silent:
            if silent.pid < 0:
                _silent_paths.add(words[0])
            self._remember(silent.pid)
            raise OSError(errno.ETIMEDOUT, "it did not answer") from None
        return b"".join(content), fds

    # -- one child -----------------------------------------------------------------------------------------------

    def _spent(self) -> bool:
        return self._lost >= ALTOGETHER

    def _started(self) -> _Child:
        if self._child and self._child[0].parent != os.getpid():  # forked: that child is somebody else's
            self._child.clear()
        if not self._child:
            _bury()
            if self._spent() or len(_left) >= MOST:
                raise OSError(errno.ETIMEDOUT, "too much did not answer")
            end()  # one child waits for questions at a time, whoever asked first
            without = " ".join(map(str, (self._pid, *_left)))
            child = _start(self._words | {"without": without}, self._home, self._made)
            self._child.append(child)
            _waiting.append(self._child)
            for pid in [pid for pid, start in _silent.items() if start == UNKNOWN]:
                with contextlib.suppress(OSError, ValueError):
                    ((_, answer),) = self._answers(child, ["start", str(pid)])
                    _silent[pid] = int(answer)
        return self._child[0]

    def _answers(
        self, child: _Child, words: list[str], fds: list[int] | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """The pieces of an answer as they come: (MORE, MARK or LAST, content)."""
        silent = " ".join(f"{pid}:{start}" for pid, start in _silent.items())
        try:
            child.channel.send(os.fsencode("\0".join([silent, *words])))
            while True:
                self._wait(child)
                message, received, _, _ = socket.recv_fds(child.channel, foreign.LARGEST, 1)
                if fds is not None:
                    fds += received
                kind = message[:1]
                if kind == FAILED:
                    raise OSError(int(message[1:]), os.strerror(int(message[1:])))
                if kind not in (MORE, MARK, LAST):
                    raise ConnectionResetError(errno.ECONNRESET, "the child ended")
                yield kind, message[1:]
                if kind == LAST:
                    return
        except (ConnectionError, BrokenPipeError):
            self._child.clear()
            _give_up(child)
            raise
        except GeneratorExit:
            self._child.clear()
            _give_up(child)
            raise

    def _wait(self, child: _Child) -> None:
        """Until something can be received. _SilentError: the child does not move, and was given up."""
        begun = since = time.monotonic()
        before = child.position.read()
        while True:
            ready, _, _ = select.select([child.channel], [], [], self._patience / 4)
            if ready:
                return
            now = time.monotonic()
            at = child.position.read()
            if at != before or (self._runs(child.pid) and now - begun < OWN):
                before, since = at, now
            elif now - since > (self._patience if at[0] else OWN):
                self._lost += now - since
                self._patience = max(LEAST, self._patience / 2)
                self._child.clear()
                _give_up(child)
                raise _SilentError(at[0])

    def _runs(self, pid: int) -> bool:
        """True if the child is not waiting for anything but a processor."""
        try:
            with open(f"{self._proc}/{pid}/stat", "rb") as file:
                return file.read().rpartition(b") ")[2][:1] == b"R"
        except OSError:
            return False

    def _remember(self, pid: int) -> None:
        """That process is not tried again, until its pid is another one's."""
        if pid > 0:
            _silent[pid] = UNKNOWN  # the next child finds out when it was started
        while len(_silent) > REMEMBERED:
            del _silent[next(iter(_silent))]


def _lines(pieces: list[bytes]) -> list[bytes]:
    return b"".join(pieces).split(b"\n")[:-1] if pieces and any(pieces) else []


def _start(words: dict[str, str], home: int, made: type[Foreign]) -> _Child:
    """A copy of this process, which takes a millisecond; where there are other threads, which may hold locks, a program."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    memory = os.memfd_create("nswire", os.MFD_CLOEXEC)
    try:
        os.ftruncate(memory, Position.SIZE)
        position = Position(memory)
        if len(os.listdir("/proc/self/task")) == 1:
            pid = _forked(theirs, position, words, made)
        else:
            pid = _spawned(theirs.fileno(), memory, home, words)
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
        os.close(memory)
    return _Child(pid, os.getpid(), ours, position)


def _forked(channel: socket.socket, position: Position, words: dict[str, str], made: type[Foreign]) -> int:
    pid = os.fork()
    if not pid:
        try:
            foreign.alone(-1, channel.fileno())
            foreign.serve(channel, position, words, made)
        finally:
            os._exit(0)
    return pid


def _spawned(channel: int, memory: int, home: int, words: dict[str, str]) -> int:
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from nswire.host.foreign import main; main(sys.argv[1:])"
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    keep = [fd for fd in (channel, memory, home) if fd >= 0]
    arguments = [str(channel), str(memory), str(home), *(word for pair in words.items() for word in pair)]
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", "-B", "-c", code, root, *arguments],
        {"LC_ALL": "C.UTF-8"},
        file_actions=[(os.POSIX_SPAWN_DUP2, fd, fd) for fd in keep],  # which takes "close on exec" from it
        setsigmask=(signal.SIGINT, signal.SIGHUP),
    )


def pids() -> list[int]:
    """The children of this process."""
    return [*(child.pid for children in _waiting for child in children), *_left]


def end() -> None:
    """End the child that waits for questions, if there is one: another one is started when it is needed."""
    while _waiting:
        _end(_waiting.pop())


def _give_up(child: _Child) -> None:
    """Kill it, and wait no longer than one does that can be killed."""
    child.channel.close()
    child.position.close()
    with contextlib.suppress(ProcessLookupError):
        os.kill(child.pid, signal.SIGKILL)
    if not _gone(child.pid, PARTING):
        _left.append(child.pid)


def _end(children: list[_Child]) -> None:
    """Let it end: it does when the channel does."""
    for child in children:
        child.channel.close()
        child.position.close()
        if child.parent == os.getpid() and not _gone(child.pid, PATIENCE):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGKILL)
            if not _gone(child.pid, PARTING):
                _left.append(child.pid)
    children.clear()


def _gone(pid: int, within: float) -> bool:
    """True if that child ended in that time; then it is buried."""
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        pidfd = -1
    try:
        if pidfd >= 0:
            select.select([pidfd], [], [], within)
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:  # whoever imports us buries all children himself
        return True
    finally:
        if pidfd >= 0:
            os.close(pidfd)


def _bury() -> None:
    """Those that ended after all."""
    _left[:] = [pid for pid in _left if not _gone(pid, 0)]
