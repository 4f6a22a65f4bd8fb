"""Two processes out of one: the front, which gives up its privileges, and the worker, which goes on with them."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
import time
import traceback
from typing import TYPE_CHECKING

from nswire.web import privileges
from nswire.web.keys import Keys
from nswire.web.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nswire.model.topology import Topology
    from nswire.web.places import Place
    from nswire.web.watching import Watching

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FAREWELL = 5.0  # seconds that the front may take to end
FAILED = 2
STDERR = 2


class Stop(BaseException):
    """Somebody wants an end."""


def serve(
    place: Place, token: str, look: Callable[[Iterable[str]], Topology], watching: Watching | None
) -> str:
    """Serve until somebody wants an end; returns why it could not go on, or nothing. Prints the URL.

    To be called in a process with one thread, before it has read anything that the front should not have in its memory.
    Raises OSError.
    """
    gc.enable()  # it is off where a verb gives one answer and ends
    signal.signal(
        signal.SIGPIPE, signal.SIG_IGN
    )  # a browser that goes is no reason to go, as it is for a verb in a pipe
    privileges.never_gain()
    sys.stdout.flush()
    sys.stderr.flush()
    ours, theirs = socket.socketpair()
    front = os.fork()
    if not front:
        ours.close()
        _be_the_front(theirs, place, token)
    theirs.close()
    place.socket.close()
    wanted, why = False, ""
    with _stopped():
        try:
            Worker(ours, look, watching).work()
        except Stop:
            wanted = True
            os.kill(front, signal.SIGTERM)
        except OSError as error:
            why = f"the HTTP part cannot be talked to any more: {error}"
            os.kill(front, signal.SIGTERM)
    if watching is not None:
        watching.end()
    status = _buried(front)
    ours.close()  # not before: the front is to end because it was told to, not because it lost the worker
    return why or ("" if wanted or not status else f"the HTTP part ended with status {status}")


def _be_the_front(worker: socket.socket, place: Place, token: str) -> None:
    """Never returns."""
    status = FAILED
    try:
        _keep_only({place.socket.fileno(), worker.fileno()})
        from nswire.web import front

        status = front.serve(place.socket, worker, Keys(token), place.hosts, place.url)
    except KeyboardInterrupt:
        status = 0
    except BaseException as error:  # noqa: BLE001 (nothing of it may go on as the process that this is a copy of)
        with contextlib.suppress(OSError, ValueError):
            if os.environ.get("NSWIRE_DEBUG"):
                traceback.print_exc(file=sys.stderr)
            sys.stderr.write(f"nswire serve: the HTTP part failed: {error}\n")
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _keep_only(wanted: set[int]) -> None:
    """Close all else that this process has open, such as the recording that the other one reads."""
    for fd in map(int, os.listdir("/proc/self/fd")):
        if fd > STDERR and fd not in wanted:
            with contextlib.suppress(OSError):  # the one that listed them
                os.close(fd)


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


def _buried(pid: int) -> int:
    """The exit status of the front, which ends when its socketpair does."""
    end = time.monotonic() + FAREWELL
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            end = float("inf")
        time.sleep(0.01)
