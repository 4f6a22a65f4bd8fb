"""The headers of a packet, as far as they are known: what `ip ttl` and `@nh,64,8` both look at.

linux/ip.h, linux/ipv6.h, linux/tcp.h, linux/udp.h, linux/icmp.h, linux/if_arp.h. Where a field has its name from: nft(8), PAYLOAD EXPRESSIONS.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from nswire.codec import protocol_numbers
from nswire.path.netfilter.compare import ABSENT, Partial
from nswire.path.sizes import IP_SIZES, IPV6_SIZE, TCP_SIZE, size_of
from nswire.path.values import ICMP, ICMPV6, TCP, UDP

if TYPE_CHECKING:
    from nswire.path.netfilter.compare import Known
    from nswire.path.values import Frame, Packet

SYN, ACK, ECE, CWR = 2, 16, 64, 128
ECHO = {ICMP: (8, 0), ICMPV6: (128, 129)}
ND_HOP_LIMIT = 255


class Bits(NamedTuple):
    """The bits of a header from its first one: their values, which of them are known, how many there are."""

    value: int = 0
    known: int = 0
    length: int = 0

    def then(self, length: int, value: int | None, known: int = -1) -> Bits:
        """With a field behind them; None: it is not known."""
        mask = (1 << length) - 1
        told = 0 if value is None else known & mask
        return Bits(
            self.value << length | ((value or 0) & mask & told),
            self.known << length | told,
            self.length + length,
        )

    def part(self, offset: int, length: int) -> Known:
        """Some of them; ABSENT where the header ends before."""
        if offset + length > self.length:
            return None
        shift, mask = self.length - offset - length, (1 << length) - 1
        value, known = self.value >> shift & mask, self.known >> shift & mask
        return value if known == mask else Partial(value, known) if known else None


class Field(NamedTuple):
    """Where a field is: in which header, of which protocol (0: any), from which bit, how many."""

    base: str
    proto: int
    offset: int
    length: int


def _fields(base: str, proto: int, name: str, text: str) -> dict[str, Field]:
    made = {}
    for part in text.split():
        field, offset, length = part.split(":")
        made[f"{name} {field.replace('~', ' ')}"] = Field(base, proto, int(offset), int(length))
    return made


FIELDS = {
    **_fields("nh", 4, "ip", "version:0:4 hdrlength:4:4 dscp:8:6 ecn:14:2 tos:8:8 length:16:16 id:32:16 frag-off:48:16 ttl:64:8 protocol:72:8 checksum:80:16 saddr:96:32 daddr:128:32"),
    **_fields("nh", 6, "ip6", "version:0:4 dscp:4:6 ecn:10:2 tos:4:8 flowlabel:12:20 length:32:16 nexthdr:48:8 hoplimit:56:8 saddr:64:128 daddr:192:128"),
    **_fields("th", TCP, "tcp", "sport:0:16 dport:16:16 sequence:32:32 ackseq:64:32 doff:96:4 reserved:100:4 flags:104:8 window:112:16 checksum:128:16 urgptr:144:16"),
    **_fields("th", UDP, "udp", "sport:0:16 dport:16:16 length:32:16 checksum:48:16"),
    **_fields("th", ICMP, "icmp", "type:0:8 code:8:8 checksum:16:16 id:32:16 sequence:48:16"),
    **_fields("th", ICMPV6, "icmpv6", "type:0:8 code:8:8 checksum:16:16 id:32:16 sequence:48:16"),
    **_fields("arp", 0, "arp", "htype:0:16 ptype:16:16 hlen:32:8 plen:40:8 operation:48:16 saddr~ether:64:48 saddr~ip:112:32 daddr~ether:144:48 daddr~ip:192:32"),
}  # fmt: skip


def field(name: str, packet: Packet) -> Known:
    """The value of `ip ttl` and its like; ABSENT: the packet has no such header."""
    where = FIELDS[name]
    flow = packet.flow
    if where.base == "nh" and where.proto != flow.family:
        return ABSENT
    if where.base == "th" and where.proto != flow.proto:
        return ABSENT
    if where.base == "arp":
        return ABSENT
    header = network(packet) if where.base == "nh" else transport(packet)
    return header.part(where.offset, where.length)


@lru_cache(16)
def _address(text: str) -> int:
    return protocol_numbers.number(text)


def network(packet: Packet) -> Bits:
    """The IP header."""
    flow = packet.flow
    src, dst = (_address(one) if one else None for one in (flow.src, flow.dst))
    hops = ND_HOP_LIMIT if packet.icmp else packet.hops
    whole = size_of(packet)
    if flow.family == 6:
        size = whole - IPV6_SIZE if whole is not None else None
        return (
            Bits().then(4, 6).then(8, packet.tos).then(20, None).then(16, size).then(8, flow.proto).then(8, hops)
            .then(128, src).then(128, dst)
        )  # fmt: skip
    return (
        Bits().then(8, 0x45).then(8, packet.tos).then(16, whole).then(16, None)
        .then(16, 0, 0xBFFF).then(8, hops).then(8, flow.proto).then(16, None).then(32, src).then(32, dst)
    )  # fmt: skip


def transport(packet: Packet) -> Bits:
    """The header after that one."""
    flow = packet.flow
    if flow.proto in ECHO:
        return Bits().then(8, packet.icmp or ECHO[flow.proto][packet.answer]).then(8, 0).then(48, None)
    ports = Bits().then(16, flow.sport or None).then(16, flow.dport or None)
    if flow.proto == TCP:
        offers = packet.opening
        flags = SYN | ACK if packet.answer else SYN
        sure = -1 if offers is None else ~(ECE | CWR) if offers.ecn else -1
        size = None if offers is None else (TCP_SIZE + offers.options) // 4
        return (
            ports.then(32, None).then(32, None if packet.answer else 0).then(4, size).then(4, 0).then(8, flags, sure)
            .then(16, None).then(16, None).then(16, 0)
        )  # fmt: skip
    whole = size_of(packet) if flow.proto == UDP else None
    return ports.then(16, None if whole is None else whole - IP_SIZES[flow.family]).then(16, None)


def arp(frame: Frame) -> Bits:
    """An ARP request (`asks`), or its answer to an address (`tells`)."""
    request = not frame.tells
    asked = _address(frame.asks)
    own = _mac(frame.src)
    return (
        Bits().then(16, 1).then(16, 0x0800).then(8, 6).then(8, 4).then(16, 1 if request else 2).then(48, own)
        .then(32, _address(frame.asker) if request else asked).then(48, 0 if request else _mac(frame.dst))
        .then(32, asked if request else _address(frame.tells))
    )  # fmt: skip


def _mac(address: str) -> int | None:
    return protocol_numbers.number(address) if address else None
