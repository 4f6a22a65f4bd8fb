"""Generic netlink: what the families nswire asks have in common. Their numbers are looked up by who sends the request."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from nswire.codec.netlink.framing import NLM_F_DUMP, Malformed, attributes, messages
from nswire.codec.netlink.framing import request as netlink_request

if TYPE_CHECKING:
    from collections.abc import Iterator

UNADDRESSED = 0
HEADER = struct.Struct("=BBxx")  # struct genlmsghdr
FIRST_FAMILY = 16  # numbers below are netlink's own

_u16, _u32, _s32 = struct.Struct("=H"), struct.Struct("=I"), struct.Struct("=i")


def request(command: int, version: int, body: bytes = b"", *, dump: bool = True) -> bytes:
    """A request to a family yet to be put in."""
    return netlink_request(UNADDRESSED, HEADER.pack(command, version) + body, NLM_F_DUMP if dump else 0)


def answers(answer: bytes, own_header: int = 0) -> Iterator[tuple[bytes, dict[int, bytes]]]:
    """The family's own header and the attributes of each message. KernelError, Malformed."""
    for kind, start, end in messages(answer):
        begin = start + HEADER.size + own_header
        if kind < FIRST_FAMILY or begin > end:
            raise Malformed(f"a message of type {kind} from a generic family")
        yield (
            answer[start + HEADER.size : begin],
            {name: answer[at:stop] for name, at, stop in attributes(answer, begin, end)},
        )


def nested(value: bytes) -> Iterator[tuple[int, bytes]]:
    """The attributes inside an attribute. Malformed."""
    return ((name, value[at:stop]) for name, at, stop in attributes(value, 0, len(value)))


def u16(value: bytes | None) -> int | None:
    """A number of two bytes; None if it is not there or has another size."""
    return _u16.unpack(value)[0] if value is not None and len(value) == _u16.size else None


def u32(value: bytes | None) -> int | None:
    """A number of four bytes."""
    return _u32.unpack(value)[0] if value is not None and len(value) == _u32.size else None


def s32(value: bytes | None) -> int | None:
    """A signed number of four bytes, such as an nsid."""
    return _s32.unpack(value)[0] if value is not None and len(value) == _s32.size else None
