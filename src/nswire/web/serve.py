"""Two processes: the front, which gives up its privileges, and the worker, which goes on with them and prints what both say."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import re
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec

import nswire
from nswire.escape import visible
from nswire.host.sockdiag import SockDiag
from nswire.web import ipc, privileges, whose
from nswire.web.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nswire.model.topology import Topology
    from nswire.web.leftout import LeftOut
    from nswire.web.listeners import Place
    from nswire.web.refresh import Watching

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FAREWELL = 5.0  # seconds that the front may take to end
TOKEN = re.compile(r"[\w-]{43}", re.ASCII)  # secrets.token_urlsafe(32)
SAID = 4096  # characters of the front that are printed
# The front is a program of its own, so that nothing that this one has in its memory or environment is in its. It finds its
# modules where we found ours; whatever else Python would look at (PYTHON*, site) is for users, not for it.
FRONT = "import sys, json; sys.path[:] = json.loads(sys.argv.pop(1)); from nswire.web.http_server import main; main()"
KEPT = ("LD_LIBRARY_PATH",)  # of the environment: without it this Python might not start


class Stop(BaseException):
    """Somebody wants an end."""


class Console:
    """Prints what the front lets be printed: the next URL, and what its confinement lacks. It has no terminal itself."""

    def __init__(self, url: str, *, lasting: bool) -> None:
        self._url = url
        self._lasting = lasting

    def invite(self, token: str) -> None:
        """The URL; with its token, unless that is a lasting one: that is known to whoever chose it, and not for journals."""
        if self._lasting:
            self._write(sys.stdout, self._url)
        elif TOKEN.fullmatch(token):
            self._write(sys.stdout, f"{self._url}?token={token}")

    def say(self, text: str) -> None:
        """Something for whoever started us."""
        for line in text[:SAID].splitlines():
            self._write(sys.stderr, f"nswire serve: {visible(line)}")

    @staticmethod
    def _write(stream: object, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more: the page goes on
            print(line, file=stream, flush=True)  # type: ignore[call-overload]


def serve(
    place: Place,
    token: str,
    look: Callable[[Iterable[str]], Topology],
    watching: Watching | None,
    left_out: LeftOut | None,
) -> str:
    """Serve until somebody wants an end; returns why it could not go on, or nothing. Prints the URL. Raises OSError.

    `left_out` is told whose namespace `look` and `watching` leave out; None for a recording.
    """
    gc.enable()  # it is off where a verb gives one answer and ends
    signal.signal(
        signal.SIGPIPE, signal.SIG_IGN
    )  # a browser that goes is no reason to go, as it is for a verb in a pipe
    privileges.never_gain()
    ours, theirs = socket.socketpair()
    asked, asking = socket.socketpair()
    front = _front(place.socket, theirs, asking)
    for one in (theirs, asking, place.socket):
        one.close()
    if left_out is not None:
        left_out.pid = front.pid
    console = Console(place.url, lasting=bool(token))
    diag = SockDiag()
    answering = whose.Answering(asked, diag.owner, (socket.AF_INET, socket.AF_INET6))
    wanted, why = False, ""
    with _stopped():
        try:
            begin = ipc.Begin(token, place.hosts, debug=bool(os.environ.get("NSWIRE_DEBUG")))
            ours.sendall(ipc.frame(0, ipc.Reply(200, "begin"), msgspec.json.encode(begin)))
            Worker(ours, look, watching, {"invite": console.invite, "say": console.say}).work()
        except Stop:
            wanted = True
            front.terminate()
        except ConnectionError:  # it has ended, and its status says how
            pass
        except OSError as error:
            why = f"the HTTP part cannot be talked to any more: {error}"
            front.terminate()
    if watching is not None:
        watching.end()
    status = _buried(front)
    ours.close()  # not before: the front is to end because it was told to, not because it lost the worker
    answering.join()
    asked.close()
    diag.close()
    return why or ("" if wanted or not status else f"the HTTP part ended with status {status}")


def _front(*sockets: socket.socket) -> subprocess.Popen[bytes]:
    """Start it: without a terminal, in a session of its own, with nothing open but these. Raises OSError."""
    folders = [os.path.dirname(nswire.__path__[0]), *(os.path.abspath(one) for one in sys.path if one)]
    numbers = [sock.fileno() for sock in sockets]
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", FRONT, json.dumps(folders), *map(str, numbers)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=numbers,
        cwd="/",
        env={name: os.environ[name] for name in KEPT if name in os.environ},
        start_new_session=True,
    )


@contextlib.contextmanager
def _stopped() -> Iterator[None]:
    """Let signals end what is inside by `Stop`, once."""

    def stop(_number: int, _frame: object) -> None:
        for one in STOPPING:
            signal.signal(one, signal.SIG_IGN)
        raise Stop

    before = {one: signal.signal(one, stop) for one in STOPPING}
    try:
        yield
    except Stop:  # between two steps
        pass
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _buried(front: subprocess.Popen[bytes]) -> int:
    """The exit status of the front, which ends when its socketpair does."""
    try:
        return front.wait(FAREWELL)
    except subprocess.TimeoutExpired:
        front.kill()
        return front.wait()
