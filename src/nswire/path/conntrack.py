"""Connection tracking: which connection a packet belongs to in a namespace, and in which state that is.

nf_conntrack_core.c (nf_conntrack_in, resolve_normal_ct), nf_conntrack_proto_tcp.c, _icmp.c, _icmpv6.c; nf_conntrack_zones.h.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from nswire.path.sizes import size_of
from nswire.path.values import ICMP, ICMPV6, TCP, Connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.firewall import Firewall
    from nswire.model.values import NsKey
    from nswire.path.values import Flow, Packet

INVALID, ESTABLISHED, NEW, UNTRACKED = 1, 2, 8, 64  # bits of `ct state`
EXPECTED, SEEN_REPLY, ASSURED, CONFIRMED, SNAT, DNAT = 1, 2, 4, 8, 16, 32  # IPS_*
ORIGINAL, REPLY = 0, 1
FAMILIES = {"ip": ("ip",), "ip6": ("ip6",), "inet": ("ip", "ip6"), "bridge": ("bridge", "ip", "ip6")}


class Tracker:
    """The connections that one walk has made, in all namespaces."""

    def __init__(self) -> None:
        self._known: dict[NsKey, list[Connection]] = {}

    def track(self, ns: NsKey, packet: Packet) -> Packet:
        """The packet with its connection: a known one, a new one; none, if it is none's (INVALID)."""
        if packet.untracked or packet.conn is not None:  # as over the loopback
            return packet
        if packet.icmp:  # icmpv6_error: neighbour discovery is never tracked
            return replace(packet, untracked=True)
        for conn, direction in self._candidates(ns, packet):
            if direction == REPLY:
                conn.replied = True
            conn.count(direction, size_of(packet))
            return replace(packet, conn=conn, direction=direction)
        if packet.answer and packet.flow.proto in (TCP, ICMP, ICMPV6):
            # tcp_new: no connection begins with SYN and ACK or RST; icmp_pkt_to_tuple: none with an echo reply
            return packet
        conn = Connection(packet.flow, packet.flow.reverse, zone=packet.zone)
        conn.count(ORIGINAL, size_of(packet))
        self._known.setdefault(ns, []).append(conn)
        return replace(packet, conn=conn, direction=ORIGINAL)

    def _candidates(self, ns: NsKey, packet: Packet) -> Iterator[tuple[Connection, int]]:
        """The connections that have this packet for one of theirs, as what."""
        ways: tuple[int, ...] = (REPLY, ORIGINAL) if packet.answer else (ORIGINAL, REPLY)
        if packet.flow.proto in (ICMP, ICMPV6):  # the type is part of it
            ways = ways[:1]
        for direction in ways:
            for conn in self._known.get(ns, ()):
                like = conn.expected if direction == REPLY else conn.original
                if same(packet.flow, like) and _zone(conn.zone, direction) == _zone(packet.zone, direction):
                    yield conn, direction


def _zone(zone: tuple[int, int], direction: int) -> int:
    """The id of a zone in a direction (nf_ct_zone_id)."""
    number, directions = zone
    return number if directions & (1 << direction) else 0


def runs(firewall: Firewall, family: str) -> bool:
    """Whether anything makes the kernel track the packets of a family (`ip`, `ip6`, `bridge`)."""
    return any(family in FAMILIES.get(one, ()) for one in firewall.tracked)


def state(packet: Packet) -> int:
    """The bit of `ct state` (nft_ct_get_eval)."""
    if packet.untracked:
        return UNTRACKED
    if packet.conn is None:
        return INVALID
    return ESTABLISHED if packet.direction == REPLY or packet.conn.replied else NEW


def status(packet: Packet) -> tuple[int, int]:
    """The bits of `ct status`, and which of them are known."""
    conn = packet.conn
    if conn is None:
        return 0, 0
    bits = SNAT * source_translated(conn) | DNAT * destination_translated(conn) | SEEN_REPLY * conn.replied
    known = EXPECTED | SEEN_REPLY | SNAT | DNAT
    if conn.replied:
        return bits | CONFIRMED, known | CONFIRMED
    return bits, known | ASSURED


def source_translated(conn: Connection) -> bool:
    """IPS_SRC_NAT."""
    new = conn.expected.reverse
    return (new.src, new.sport, new.sports) != (conn.original.src, conn.original.sport, conn.original.sports)


def destination_translated(conn: Connection) -> bool:
    """IPS_DST_NAT."""
    new = conn.expected.reverse
    return (new.dst, new.dport, new.dports) != (conn.original.dst, conn.original.dport, conn.original.dports)


def translated(packet: Packet, *, to_destination: bool) -> Flow:
    """A packet of a connection whose translation was decided with an earlier one (nf_nat_packet)."""
    conn, flow = packet.conn, packet.flow
    if conn is None:
        return flow
    answer = packet.direction == REPLY
    if not (destination_translated if to_destination != answer else source_translated)(conn):
        return flow
    target = conn.original.reverse if answer else conn.expected.reverse
    if to_destination:
        return replace(flow, dst=target.dst, dport=target.dport, dports=target.dports)
    return replace(flow, src=target.src, sport=target.sport, sports=target.sports)


def same(flow: Flow, other: Flow) -> bool:
    """Whether both are one flow; a port that is not known is any of its range."""
    if (flow.src, flow.dst, flow.proto) != (other.src, other.dst, other.proto):
        return False
    return _port(flow.sport, flow.sports, other.sport, other.sports) and _port(
        flow.dport, flow.dports, other.dport, other.dports
    )


def _port(one: int, ones: tuple[int, int], two: int, twos: tuple[int, int]) -> bool:
    if one and two:
        return one == two
    low, high = (one, one) if one else ones
    first, last = (two, two) if two else twos
    return low <= last and first <= high
