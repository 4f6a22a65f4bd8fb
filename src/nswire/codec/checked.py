"""Readers that check: whatever comes in is what it claims to be, or nothing. No other code reads a number or a document by itself."""

from __future__ import annotations

import struct
from errno import EBADMSG
from typing import TypeVar

import msgspec

from nswire.codec.netlink.framing import MAX_ERRNO
from nswire.errors import MalformedReply

T = TypeVar("T")
DIGITS = 10  # of a pid, a descriptor, an inode, a port

UNREADABLE = (
    MalformedReply, ValueError, LookupError, TypeError, ArithmeticError, AttributeError, RecursionError, struct.error,
    msgspec.MsgspecError,
)  # fmt: skip
"""What a decoder may raise about bytes that make no sense: whoever calls one after the scan makes a gap of it."""


def is_decimal(word: str | bytes, most: int = DIGITS) -> bool:
    """True for a number in plain digits, of no more than so many: `str.isdigit` is true for `²` as well, which is none."""
    return word.isascii() and word.isdigit() and len(word) <= most


def errno(value: int) -> int:
    """An errno as a kernel may give one; EBADMSG for what is none."""
    return value if 0 < value <= MAX_ERRNO else EBADMSG


def document(answer: bytes | str, kind: type[T]) -> T:
    """A JSON document of that shape. ValueError: it is none, whether it is no UTF-8, no JSON, too deep, or another shape."""
    try:
        return msgspec.json.decode(answer, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ValueError(str(error) or type(error).__name__) from None
