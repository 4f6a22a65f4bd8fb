"""Netlink messages: cutting an answer into messages, attributes into (type, start, end), and making requests.

An answer is the concatenation of the kernel's datagrams. It may be damaged (a recording) or hostile (a test): every
length is checked, and whatever does not fit raises `Malformed`, never anything else.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
NLM_F_DUMP_INTR = 0x10
NLA_TYPE_MASK = 0x3FFF
HEADER = 16

_header = struct.Struct("=IHHII")
_attribute = struct.Struct("=HH")
_error = struct.Struct("=i")


class Malformed(ValueError):
    """These bytes are no netlink answer."""


class KernelError(OSError):
    """The kernel answered with an error, in NLMSG_ERROR or in the payload of NLMSG_DONE. `errno` is set."""

    def __init__(self, code: int) -> None:
        super().__init__(code, "the kernel refused")


def messages(answer: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (type, start of payload, end) of each message up to DONE. Raise KernelError for an error in either place.

    An answer that just ends, without DONE or a single reply, is malformed: it was cut off.
    """
    offset, size = 0, len(answer)
    multi = True
    while offset + HEADER <= size:
        length, kind, flags, _, _ = _header.unpack_from(answer, offset)
        end = offset + length
        if length < HEADER or end > size:
            break
        if kind in (NLMSG_DONE, NLMSG_ERROR):
            code = _error.unpack_from(answer, offset + HEADER)[0] if length >= HEADER + 4 else 0
            if code < 0:
                raise KernelError(-code)
            return
        yield kind, offset + HEADER, end
        multi = bool(flags & 0x2)
        offset = (end + 3) & ~3
    if multi or offset < size:
        raise Malformed("a netlink answer that was cut off")


def interrupted(answer: bytes) -> bool:
    """True if the kernel flagged any message of the answer as part of an inconsistent dump."""
    offset, size = 0, len(answer)
    while offset + HEADER <= size:
        length, _, flags, _, _ = _header.unpack_from(answer, offset)
        if flags & NLM_F_DUMP_INTR:
            return True
        if length < HEADER:
            break
        offset += (length + 3) & ~3
    return False


def attributes(answer: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield (type, start of value, end of value) of each attribute between the two offsets."""
    while start + 4 <= end:
        length, kind = _attribute.unpack_from(answer, start)
        stop = start + length
        if length < 4 or stop > end:
            raise Malformed("a netlink attribute that does not fit its message")
        yield kind & NLA_TYPE_MASK, start + 4, stop
        start = (stop + 3) & ~3


def text(value: bytes) -> str:
    """A name from the kernel. Any byte but NUL, '/' and white space may be in it, so bad UTF-8 is kept, escaped."""
    return value.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def request(kind: int, body: bytes, flags: int = 0) -> bytes:
    """A request message. The sequence number is left to the one who sends it."""
    return _header.pack(HEADER + len(body), kind, NLM_F_REQUEST | flags, 0, 0) + body


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded to four bytes."""
    return _attribute.pack(4 + len(value), kind) + value + b"\0" * (-len(value) % 4)
