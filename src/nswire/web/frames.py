"""What front and worker say to each other: frames over a socketpair, a header in JSON and a body of any bytes.

    front  -> worker   Request(id, ask, given)           no body
    worker -> front    Reply(id, status, type), body     `id` 0: nobody asked; an event

Each side checks what it gets by type. A request that is none ends the conversation.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import asyncio
    import socket

LENGTHS = struct.Struct("!II")  # of the header and of the body
LONGEST = 1 << 16  # bytes of a header


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`ask` is a name in the worker's tables, `given` the parameters as they came."""

    id: int
    ask: str
    given: list[tuple[str, str]] = []


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What kind of answer the body is: an HTTP status and a media type."""

    id: int
    status: int
    type: str


class Broken(ValueError):
    """The other side says what nobody here understands."""


def frame(header: Request | Reply, body: bytes = b"") -> bytes:
    """A frame."""
    head = msgspec.json.encode(header)
    return LENGTHS.pack(len(head), len(body)) + head + body


def request(sock: socket.socket) -> Request | None:
    """The next request; None at the end. Raises Broken, OSError."""
    lengths = _exactly(sock, LENGTHS.size)
    if lengths is None:
        return None
    head, body = LENGTHS.unpack(lengths)
    if head > LONGEST or body:
        raise Broken(f"a request of {head} and {body} bytes")
    text = _exactly(sock, head)
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=Request)
    except msgspec.MsgspecError as error:
        raise Broken(str(error)) from error


def _exactly(sock: socket.socket, size: int) -> bytes | None:
    parts = []
    while size:
        part = sock.recv(min(size, LONGEST))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


async def reply(reader: asyncio.StreamReader) -> tuple[Reply, bytes]:
    """The next reply. Raises asyncio.IncompleteReadError at the end."""
    head, body = LENGTHS.unpack(await reader.readexactly(LENGTHS.size))
    header = msgspec.json.decode(await reader.readexactly(head), type=Reply)
    return header, await reader.readexactly(body)
