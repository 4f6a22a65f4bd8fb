"""Children that hold network namespaces: as process, thread, descriptor, socket, in flight, or by a mount elsewhere.

One keeper process, started when first needed (about 15 ms), forks the holders (about 1 ms each): an interpreter start per
holder would cost more than all the rest of a laboratory, and a fork of the laboratory's own process would take its
threads, descriptors and memory along.
"""

from __future__ import annotations

import os
import socket
import subprocess
from typing import TYPE_CHECKING, NamedTuple, Self

from .spawn import command

if TYPE_CHECKING:
    from types import TracebackType


class Child(NamedTuple):
    """A holder at work: its process, and the thread that is inside (the same number unless a thread alone holds)."""

    pid: int
    tid: int


class Keeper:
    """Starts holders and ends them. A context manager; everything ends with it, or with this process."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The keeper's own process, or None before it was needed."""
        return self._process.pid if self._process else None

    def hold(self, how: str, netns_fd: int, *words: bytes) -> Child:
        """Let a new child hold the namespace behind `netns_fd`; `how` is a key of `holder_main.HOLDERS`.

        Returns when it holds. Raises OSError with the child's reason.
        """
        answer = self._ask(b"\0".join((how.encode(), *words)), netns_fd)
        if answer[0] != b"ok":
            number = int(answer[1])
            raise OSError(number, f"cannot hold a namespace by {how}: {answer[2].decode(errors='replace')}")
        return Child(int(answer[1]), int(answer[2]))

    def end(self, child: Child) -> None:
        """End one holder and wait for its end."""
        self._ask(b"end\0%d" % child.pid)

    def close(self) -> None:
        """End all holders and the keeper, and wait for their end; a second call does nothing."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _ask(self, request: bytes, netns_fd: int | None = None) -> list[bytes]:
        control = self._control or self._start()
        if netns_fd is None:
            control.send(request)
        else:
            socket.send_fds(control, [request], [netns_fd])
        answer = control.recv(65536)
        if not answer:
            raise OSError(f"the keeper of namespaces (pid {self.pid}) ended")
        return answer.split(b"\0")

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            arguments = command("holder_main", str(theirs.fileno()))
            # Its own session: a Ctrl-C ends the laboratory, and only that ends the keeper.
            self._process = subprocess.Popen(
                arguments, pass_fds=[theirs.fileno()], start_new_session=True, stdin=subprocess.DEVNULL
            )
        self._control = ours
        return ours


def is_alive(child: Child) -> bool:
    """Whether the holder's process still exists."""
    return os.path.exists(f"/proc/{child.pid}")
