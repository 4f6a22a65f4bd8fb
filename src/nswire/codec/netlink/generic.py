"""Generic netlink: what the families nswire asks have in common. Their numbers are looked up by who sends the request."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from nswire.codec.netlink.framing import NLM_F_DUMP, attributes, messages, values
from nswire.codec.netlink.framing import request as netlink_request
from nswire.errors import MalformedReply

if TYPE_CHECKING:
    from collections.abc import Iterator

UNADDRESSED = 0
HEADER = struct.Struct("=BBxx")  # struct genlmsghdr
FIRST_FAMILY = 16  # numbers below are netlink's own


def request(command: int, version: int, body: bytes = b"", *, dump: bool = True) -> bytes:
    """A request to a family yet to be put in."""
    return netlink_request(UNADDRESSED, HEADER.pack(command, version) + body, NLM_F_DUMP if dump else 0)


def answers(answer: bytes, own_header: int = 0) -> Iterator[tuple[bytes, dict[int, bytes]]]:
    """The family's own header and the attributes of each message. NetlinkError, MalformedReply."""
    for kind, start, end in messages(answer):
        begin = start + HEADER.size + own_header
        if kind < FIRST_FAMILY or begin > end:
            raise MalformedReply(f"a message of type {kind} from a generic family")
        yield (
            answer[start + HEADER.size : begin],
            values(answer, begin, end),
        )


def nested(value: bytes) -> Iterator[tuple[int, bytes]]:
    """The attributes inside an attribute. MalformedReply."""
    return ((name, value[at:stop]) for name, at, stop in attributes(value, 0, len(value)))
