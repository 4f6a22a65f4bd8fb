"""How the attributes of IFLA_INFO_DATA and IFLA_INFO_SLAVE_DATA are read: small readers, and tables of them.

Names and values are iproute2's (`ip -d -j link`), numbers those of include/uapi/linux/if_link.h and if_tunnel.h. A reader
gives None for bytes that are not as expected, and what is not in a table is left out: next year's kernel may send anything.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, NamedTuple

from nswire.codec.netlink.framing import attributes
from nswire.errors import MalformedReply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nswire.model.values import Scalar, Value


class Field(NamedTuple):
    """An attribute: what iproute2 calls it, and how its bytes are read (None: not as expected).

    `link`: the value is the ifindex of a link in the same namespace, and is told by that link's name. `usual`: what is not worth
    a word. Without a name the value is several words of their own.
    """

    name: str
    read: Callable[[bytes], Value | None]
    link: bool = False
    usual: Value | None = None


NO_FIELDS: Mapping[int, Field] = {}


def number(code: str) -> Callable[[bytes], int | None]:
    """A reader of one number, by its struct code."""
    layout = struct.Struct(code)

    def read(value: bytes) -> int | None:
        return layout.unpack(value)[0] if len(value) == layout.size else None

    return read


U8, U16, U32, S32, BE16, BE32 = (number(code) for code in ("=B", "=H", "=I", "=i", ">H", ">I"))


def words(read: Callable[[bytes], int | None], names: Mapping[int, str]) -> Callable[[bytes], Scalar | None]:
    """A reader of a number that has names; one without a name stays a number."""

    def named(value: bytes) -> Scalar | None:
        found = read(value)
        return None if found is None else names.get(found, found)

    return named


def hexadecimal(value: bytes) -> str | None:
    """A u32 that iproute2 writes in hex, also in JSON; 0 is none."""
    found = U32(value)
    return hex(found) if found else None


def switch(value: bytes) -> bool | None:
    """A byte that says on or off."""
    found = U8(value)
    return None if found is None else bool(found)


def bits(*names: str, read: Callable[[bytes], int | None]) -> Callable[[bytes], dict[str, Scalar] | None]:
    """A reader of a bit field: the names of the bits that are set."""

    def named(value: bytes) -> dict[str, Scalar] | None:
        found = read(value)
        return None if found is None else {name: True for at, name in enumerate(names) if found >> at & 1}

    return named


def low_high(layout: str) -> Callable[[bytes], dict[str, Scalar] | None]:
    """A reader of a range of two numbers, by their struct code."""
    both = struct.Struct(layout)

    def read_both(value: bytes) -> dict[str, Scalar] | None:
        if len(value) != both.size:
            return None
        low, high = both.unpack(value)
        return {"low": low, "high": high}

    return read_both


def flag(_: bytes) -> bool:
    """An attribute that says something by being there."""
    return True


def address(value: bytes) -> str | None:
    """An IPv4 or IPv6 address; all zeros stand for "any", which iproute2 does not show."""
    family = {4: socket.AF_INET, 16: socket.AF_INET6}.get(len(value))
    return socket.inet_ntop(family, value) if family and any(value) else None


def mac(value: bytes) -> str | None:
    """A hardware address."""
    return value.hex(":") if value else None


def key(value: bytes) -> str | None:
    """A tunnel's key, which iproute2 writes like an IPv4 address; 0 is none."""
    return address(value) if len(value) == 4 else None


def nested(fields: Mapping[int, Field]) -> Callable[[bytes], dict[str, Scalar] | None]:
    """A reader of attributes inside an attribute."""

    def read_all(value: bytes) -> dict[str, Scalar] | None:
        return {name: one for name, one in read(fields, value).items() if not isinstance(one, dict)} or None

    return read_all


def read(fields: Mapping[int, Field], data: bytes, name_of: Callable[[int], str] = str) -> dict[str, Value]:
    """What the attributes say, by iproute2's names, in the kernel's order; what is damaged ends it."""
    found: dict[str, Value] = {}
    try:
        for kind, start, stop in attributes(data, 0, len(data)):
            field = fields.get(kind)
            value = None if field is None else field.read(data[start:stop])
            if field is None or value is None or value == field.usual:
                continue
            if not field.name and isinstance(value, dict):
                found |= value
                continue
            if field.link and isinstance(value, int):
                if value:
                    found.setdefault(field.name, name_of(value))
                continue
            found.setdefault(field.name, value)
    except MalformedReply:
        pass
    return found


def indexes(data: bytes, *wanted: int) -> tuple[int, ...]:
    """The ifindexes (u32) in these attributes, each of which is there once, without zeros, in the kernel's order."""
    found: list[int | None] = []
    try:
        for kind, start, stop in attributes(data, 0, len(data)):
            if kind in wanted:
                found.append(U32(data[start:stop]))
                if len(found) == len(wanted):
                    break
    except MalformedReply:
        pass
    return tuple(filter(None, found))
