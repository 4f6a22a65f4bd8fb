"""Netlink messages: cutting an answer into messages, attributes into (type, start, end), and making requests.

An answer is the concatenation of the kernel's datagrams. It may be damaged (a recording) or hostile (a test): every
length is checked, and whatever does not fit raises `MalformedReply`, never anything else.
"""

from __future__ import annotations

import socket
import struct
from errno import EBADMSG
from typing import TYPE_CHECKING

from nswire.errors import MalformedReply, NetlinkError

if TYPE_CHECKING:
    from collections.abc import Iterator

NLMSG_ERROR, NLMSG_DONE = ENDS = 2, 3
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
NLM_F_MULTI, NLM_F_DUMP_INTR = 0x2, 0x10
NLA_TYPE_MASK = 0x3FFF
MAX_ERRNO = 4095  # include/linux/err.h
HEADER = 16

_header = struct.Struct("=IHHII")
_begin = struct.Struct("=IHH")  # of a header: length, type, flags
_attribute = struct.Struct("=HH")
_error = struct.Struct("=i")
_u16, _u32, _s32 = struct.Struct("=H"), struct.Struct("=I"), struct.Struct("=i")


def split(answer: bytes) -> tuple[list[tuple[int, int, int]], bool]:
    """(type, start of payload, end) of each message up to DONE, and whether any is flagged as of an inconsistent dump.

    Raise NetlinkError for an error, which may be in the payload of DONE.
    An answer that just ends, without DONE or a single reply, is malformed: it was cut off.
    """
    offset, size = 0, len(answer)
    found: list[tuple[int, int, int]] = []
    flags, last = 0, NLM_F_MULTI
    begin = _begin.unpack_from
    while offset + HEADER <= size:
        length, kind, last = begin(answer, offset)
        flags |= last
        end = offset + length
        if length < HEADER or end > size:
            break
        if kind in ENDS:
            code = _error.unpack_from(answer, offset + HEADER)[0] if length >= HEADER + 4 else 0
            if code < 0:
                raise NetlinkError(-code if -code <= MAX_ERRNO else EBADMSG)
            return found, bool(flags & NLM_F_DUMP_INTR)
        found.append((kind, offset + HEADER, end))
        offset = (end + 3) & ~3
    if last & NLM_F_MULTI or offset < size:
        raise MalformedReply("a netlink answer that was cut off")
    return found, bool(flags & NLM_F_DUMP_INTR)


def messages(answer: bytes) -> list[tuple[int, int, int]]:
    """The messages of an answer, see `split`."""
    return split(answer)[0]


def attributes(answer: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield (type, start of value, end of value) of each attribute between the two offsets."""
    header = _attribute.unpack_from
    while start + 4 <= end:
        length, kind = header(answer, start)
        stop = start + length
        if length < 4 or stop > end:
            raise MalformedReply("a netlink attribute that does not fit its message")
        yield kind & NLA_TYPE_MASK, start + 4, stop
        start = (stop + 3) & ~3


def values(answer: bytes, start: int = 0, end: int | None = None) -> dict[int, bytes]:
    """The values of the attributes between two offsets, by type; of several of one type the last. MalformedReply."""
    stop = len(answer) if end is None else end
    return {kind: answer[at:until] for kind, at, until in attributes(answer, start, stop)}


def u16(value: bytes | None) -> int | None:
    """A number of two bytes; None if it is not there or has another size."""
    return _u16.unpack(value)[0] if value is not None and len(value) == _u16.size else None


def u32(value: bytes | None) -> int | None:
    """A number of four bytes."""
    return _u32.unpack(value)[0] if value is not None and len(value) == _u32.size else None


def s32(value: bytes | None) -> int | None:
    """A signed number of four bytes, such as an nsid."""
    return _s32.unpack(value)[0] if value is not None and len(value) == _s32.size else None


def ip(value: bytes) -> str:
    """An IP address as it is written; empty for what has the size of none."""
    family = {4: socket.AF_INET, 16: socket.AF_INET6}.get(len(value))
    return "" if family is None else socket.inet_ntop(family, value)


def text(value: bytes) -> str:
    """A name from the kernel. Any byte but NUL, '/' and white space may be in it, so bad UTF-8 is kept, escaped."""
    return value.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def request(kind: int, body: bytes, flags: int = 0) -> bytes:
    """A request message. The sequence number is left to the one who sends it."""
    return _header.pack(HEADER + len(body), kind, NLM_F_REQUEST | flags, 0, 0) + body


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded to four bytes."""
    return _attribute.pack(4 + len(value), kind) + value + b"\0" * (-len(value) % 4)
