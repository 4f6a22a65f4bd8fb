"""Sets of ipset(8): NFNL_SUBSYS_IPSET, include/uapi/linux/netfilter/ipset/ip_set.h."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from nswire.codec.netlink.framing import NLM_F_DUMP, attribute, attributes, messages, request, text, values
from nswire.errors import MalformedReply

if TYPE_CHECKING:
    from collections.abc import Iterator

LIST = 6 << 8 | 7  # NFNL_SUBSYS_IPSET, IPSET_CMD_LIST
PROTOCOL = 6  # what all kernels since 2.6.39 speak
GENMSG = struct.pack("=BBH", 0, 0, 0)
SETNAME, TYPENAME, FAMILY, DATA, ADT = 2, 3, 5, 7, 8
IP, CIDR, PORT, PROTO, FLAGS, MARK, MARKMASK, BITMASK = 1, 3, 4, 7, 8, 10, 11, 12
MAXELEM, NETMASK = 19, 20
ETHER, NAME, IP2, CIDR2, IFACE = 17, 18, 20, 21, 23
PHYSDEV, NOMATCH, WILDCARD = 1 << 1, 1 << 2, 1 << 7


class Element(NamedTuple):
    """A member, as far as sets of its type have these. Addresses and MACs are numbers, `cidr` -1: the whole address.

    `nomatch`, `physdev`, `wildcard` as ipset(8) has them; `name` is that of a set in a list.
    """

    ip: int = 0
    cidr: int = -1
    proto: int = 0
    port: int = 0
    ip2: int = 0
    cidr2: int = -1
    mac: int = -1
    iface: str = ""
    mark: int = 0
    name: str = ""
    nomatch: bool = False
    physdev: bool = False
    wildcard: bool = False


class IpSet:
    """A set: its type (`hash:net,port`), its family (2, 10; 0: of both), and what it was made with. -1: without.

    Its members are decoded when they are first looked at: it may have a million.
    """

    def __init__(self, name: str, kind: str, family: int, made: dict[int, bytes]) -> None:
        self.name = name
        self.kind = kind
        self.family = family
        self.netmask = made.get(NETMASK, b"\xff")[0] if NETMASK in made else -1
        self.bitmask = _address(made[BITMASK]) if BITMASK in made else -1
        self.markmask = _u32(made[MARKMASK]) if MARKMASK in made else -1
        self.size = _u32(made[MAXELEM]) if MAXELEM in made else 0
        self._parts: list[tuple[bytes, int, int]] = []
        self._elements: tuple[Element, ...] | None = None

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What a member is made of: `ip`, `net`, `port`, `mac`, `iface`, `mark`; `set` of a list."""
        return tuple(self.kind.partition(":")[2].split(","))

    def part(self, answer: bytes, start: int, end: int) -> None:
        """More members: the attributes between two offsets."""
        self._parts.append((answer, start, end))
        self._elements = None

    @property
    def elements(self) -> tuple[Element, ...]:
        """All members. ValueError."""
        if self._elements is None:
            self._elements = tuple(one for part in self._parts for one in _elements(*part))
        return self._elements


def ask() -> bytes:
    """The request for all sets with all members."""
    return request(LIST, GENMSG + attribute(1, bytes([PROTOCOL])), NLM_F_DUMP)


def decode(answer: bytes) -> dict[str, IpSet]:
    """The sets by name; a large one comes in several messages. ValueError, NetlinkError."""
    found: dict[str, IpSet] = {}
    for kind, start, end in messages(answer) if answer else ():
        if kind != LIST:
            continue
        at = {key: (first, last) for key, first, last in attributes(answer, start + len(GENMSG), end)}
        if SETNAME not in at:
            raise MalformedReply("a set without a name")
        name = text(answer[slice(*at[SETNAME])])
        if TYPENAME in at:
            made = values(answer, *at[DATA]) if DATA in at else {}
            family = answer[at[FAMILY][0]] if FAMILY in at else 0
            found[name] = IpSet(name, text(answer[slice(*at[TYPENAME])]), family, made)
        if ADT in at and name in found:
            found[name].part(answer, *at[ADT])
    return found


def _elements(answer: bytes, start: int, end: int) -> Iterator[Element]:
    for kind, first, last in attributes(answer, start, end):
        if kind == DATA:
            yield _element(values(answer, first, last))


def _element(has: dict[int, bytes]) -> Element:
    flags = _u32(has[FLAGS]) if FLAGS in has else 0
    return Element(
        ip=_address(has[IP]) if IP in has else 0,
        cidr=has[CIDR][0] if CIDR in has else -1,
        proto=has[PROTO][0] if PROTO in has else 0,
        port=int.from_bytes(has.get(PORT, b""), "big"),
        ip2=_address(has[IP2]) if IP2 in has else 0,
        cidr2=has[CIDR2][0] if CIDR2 in has else -1,
        mac=int.from_bytes(has[ETHER], "big") if ETHER in has else -1,
        iface=text(has.get(IFACE, b"")),
        mark=_u32(has[MARK]) if MARK in has else 0,
        name=text(has.get(NAME, b"")),
        nomatch=bool(flags & NOMATCH),
        physdev=bool(flags & PHYSDEV),
        wildcard=bool(flags & WILDCARD),
    )


def _address(value: bytes) -> int:
    """IPSET_ATTR_IPADDR_IPV4 or IPV6, in network order."""
    for _, start, end in attributes(value, 0, len(value)):
        return int.from_bytes(value[start:end], "big")
    raise MalformedReply("an address that is none")


def _u32(value: bytes) -> int:
    return int.from_bytes(value, "big")  # NLA_F_NET_BYTEORDER
