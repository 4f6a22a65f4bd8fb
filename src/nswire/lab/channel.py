"""One rtnetlink socket: requests out, ACKs in, errors in words.

A socket stays in the network namespace it was opened in, wherever its thread goes later.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from typing import TYPE_CHECKING, Self

from .syscalls import inside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

_SOL_NETLINK, _NETLINK_CAP_ACK, _NETLINK_EXT_ACK = 270, 10, 11
_REQUEST, _ACK = 0x1, 0x4
_ERROR, _DONE = 2, 3
_ACK_TLVS = 0x200
_EXT_ACK_MESSAGE = 1
# The kernel queues one ACK of about 1 KiB per request; 128 of them fit any receive buffer.
_BATCH = 128

_header = struct.Struct("=IHHII")


class Channel:
    """Requests to the network namespace that the calling thread is in now, or to the one behind `netns_fd`."""

    def __init__(self, netns_fd: int | None = None) -> None:
        """Open the socket. Raises OSError."""
        if netns_fd is None:
            self._socket = self._open()
        else:
            with inside(netns_fd):
                self._socket = self._open()
        self._sequence = 0
        self._queue: list[bytes] = []
        self._waiting: dict[int, str] = {}
        self._gathering = False
        self._errors: list[OSError] = []

    @staticmethod
    def _open() -> socket.socket:
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        opened.setsockopt(_SOL_NETLINK, _NETLINK_CAP_ACK, 1)
        opened.setsockopt(_SOL_NETLINK, _NETLINK_EXT_ACK, 1)
        return opened

    def close(self) -> None:
        """Close the socket; a second call does nothing."""
        self._socket.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    @contextlib.contextmanager
    def batch(self) -> Iterator[None]:
        """Gather the requests of the block and send them together, at most 128 at a time.

        At its end it raises the first OSError, with the others as notes; later requests were carried out nevertheless.
        """
        self._gathering = True
        try:
            yield
        finally:
            self._gathering = False
            self._flush()
        self._raise()

    def request(self, message: int, flags: int, body: bytes, what: str) -> None:
        """Send a request, or gather it. `what` continues "cannot ...", for the error. Raises OSError unless gathered."""
        self._put(message, flags, body, what)
        if not self._gathering:
            self._flush()
            self._raise()
        elif len(self._queue) >= _BATCH:
            self._flush()

    def ask(self, message: int, flags: int, body: bytes, what: str) -> list[bytes]:
        """Send a question (after what was gathered); returns the answers without their headers. Raises OSError."""
        self._flush()
        self._put(message, flags, body, what)
        replies = self._flush()
        if not self._gathering or not replies:
            self._raise()
        return replies

    def _put(self, message: int, flags: int, body: bytes, what: str) -> None:
        self._sequence += 1
        flags |= _REQUEST | _ACK
        self._queue.append(_header.pack(16 + len(body), message, flags, self._sequence, 0) + body)
        self._waiting[self._sequence] = what

    def _flush(self) -> list[bytes]:
        """Send what was gathered, and read until every request is answered.

        Returns the replies other than ACKs; errors wait in `_errors`.
        """
        if not self._queue:
            return []
        datagram, self._queue = b"".join(self._queue), []
        waiting, self._waiting = self._waiting, {}
        self._socket.send(datagram)
        replies: list[bytes] = []
        while waiting:
            for kind, flags, sequence, payload in _messages(self._socket.recv(1 << 18)):
                if kind in (_ERROR, _DONE):
                    what = waiting.pop(sequence, None)
                    code = -struct.unpack_from("=i", payload)[0] if payload else 0
                    if code and what is not None:
                        self._errors.append(_failure(code, what, payload if flags & _ACK_TLVS else b""))
                else:
                    replies.append(payload)
        return replies

    def _raise(self) -> None:
        if self._errors:
            (first, *others), self._errors = self._errors, []
            for other in others:
                first.add_note(str(other))
            raise first


def _messages(datagram: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    position = 0
    while position + 16 <= len(datagram):
        length, kind, flags, sequence, _ = _header.unpack_from(datagram, position)
        yield kind, flags, sequence, datagram[position + 16 : position + length]
        position += max(length + 3 & ~3, 16)


def _failure(code: int, what: str, payload: bytes) -> OSError:
    """The kernel's own words are an attribute behind the error code and the request's header."""
    words, position = "", 4 + 16
    while position + 4 <= len(payload):
        length, number = struct.unpack_from("=HH", payload, position)
        if number == _EXT_ACK_MESSAGE:
            words = payload[position + 4 : position + length].rstrip(b"\0").decode(errors="replace")
        position += max(length + 3 & ~3, 4)
    reason = os.strerror(code) + (f" ({words})" if words else "")
    return OSError(code, f"cannot {what}: {reason}")
