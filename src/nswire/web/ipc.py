"""What front and worker say to each other: frames over a socketpair, each a number, a header in JSON and a body of any bytes.

    front  -> worker   number, Request(ask, given)           no body
    worker -> front    number, Reply(status, type), body     number 0: nobody asked; an event
    worker -> front    a frame whose body is a Begin         the first of all

Each side checks what it gets by type. A frame says how long it is before all else, so one that makes no sense is read to its
end and answered with that; it never ends the conversation. What would be too long is not sent (`TooLong`).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import asyncio
    import socket

HEAD = struct.Struct("!QII")  # the number, bytes of the header and of the body
LONGEST = 1 << 16  # bytes of a header
LARGEST = 1 << 30  # bytes of a body
PIECE = 1 << 16


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`ask` is a name in the worker's tables, `given` the parameters as they came."""

    ask: str
    given: list[tuple[str, str]] = []


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What kind of answer the body is: an HTTP status and a media type."""

    status: int
    type: str


class Begin(msgspec.Struct, frozen=True):
    """What the front has to know: the lasting token, if there is one, and the names by which it may be called."""

    token: str
    hosts: frozenset[str]
    debug: bool = False


class TooLong(ValueError):
    """That does not fit into a frame."""


class Broken(ValueError):
    """The other side says what nobody here understands, under this number; the next frame may be fine."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(why)
        self.number = number


def frame(number: int, header: Request | Reply, body: bytes = b"") -> bytes:
    """A frame. Raises TooLong."""
    head = msgspec.json.encode(header)
    if len(head) > LONGEST or len(body) > LARGEST:
        raise TooLong(f"{len(head)} and {len(body)} bytes")
    return HEAD.pack(number, len(head), len(body)) + head + body


def request(sock: socket.socket) -> tuple[int, Request] | None:
    """The next request and its number; None at the end. Raises Broken, OSError."""
    begin = _exactly(sock, HEAD.size)
    if begin is None:
        return None
    number, head, body = HEAD.unpack(begin)
    if head > LONGEST or body:
        if not _skipped(sock, head + body):
            return None
        raise Broken(number, f"a request of {head} and {body} bytes")
    text = _exactly(sock, head)
    if text is None:
        return None
    try:
        return number, msgspec.json.decode(text, type=Request)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Broken(number, str(error)) from error


def begin(sock: socket.socket) -> Begin:
    """What the worker says first. Raises OSError, ValueError."""
    start = _exactly(sock, HEAD.size) or b""
    _, head, body = HEAD.unpack(start)
    text = _exactly(sock, head + body) or b""
    return msgspec.json.decode(text[head:], type=Begin)


def _exactly(sock: socket.socket, size: int) -> bytes | None:
    parts = []
    while size:
        part = sock.recv(min(size, PIECE))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _skipped(sock: socket.socket, size: int) -> bool:
    """Read so much, and keep nothing of it; False at the end."""
    while size:
        part = sock.recv(min(size, PIECE))
        if not part:
            return False
        size -= len(part)
    return True


async def reply(reader: asyncio.StreamReader) -> tuple[int, Reply | None, bytes]:
    """The next reply and its number; None for one that makes no sense. Raises asyncio.IncompleteReadError at the end."""
    number, head, body = HEAD.unpack(await reader.readexactly(HEAD.size))
    text, content = await reader.readexactly(head), await reader.readexactly(body)
    try:
        return number, msgspec.json.decode(text, type=Reply), content
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return number, None, content
