"""What a firewall sees of a packet: the values of the keys that its rules compare. None: that cannot be known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec import packets
from nswire.model.lookups import Query
from nswire.path.values import EPHEMERAL, ESTABLISHED, ICMP, ICMPV6, NEW, TCP, UNTRACKED, WITH_PORTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.model.values import NsKey
    from nswire.path.netfilter import Place
    from nswire.path.values import Frame, Packet
    from nswire.path.walk import Walk


class Absent:
    """The packet has no such thing, so that no rule that looks at it matches."""


ABSENT = Absent()
Known = int | tuple[int, int] | str | Absent | None
IPV4, IPV6, ARP = 0x0800, 0x86DD, 0x0806
SYN, ACK = 2, 16
CT_SNAT, CT_DNAT, SEEN_REPLY = 16, 32, 2
OUTGOING = ("output", "postrouting")


class Sight:
    """A packet at a place. `frame` is what it is in, where that still counts."""

    def __init__(self, walk: Walk, ns: NsKey, frame: Frame | None = None) -> None:
        self._walk = walk
        self._ns = ns
        self._frame = frame

    def value(self, name: str, place: Place, packet: Packet, *, untracked: bool = False) -> Known:
        """The value of a key, in the words of `codec.nftables`."""
        if name in ("iifname", "oifname", "physin", "physout"):
            return {
                "iifname": place.iif,
                "oifname": place.oif,
                "physin": place.physin,
                "physout": place.physout,
            }[name]
        if name.startswith("ct "):
            return self._tracked(name, packet, untracked=untracked)
        if self._frame is not None and self._frame.asks and not packet.icmp:
            return self._question(name)
        reader = READERS.get(name)
        if reader is not None:
            return reader(self, place, packet)
        return self._inside(name, packet)

    def _question(self, name: str) -> Known:
        """The keys of an ARP request or its answer."""
        if name in ("protocol", "ether type"):
            return ARP
        if name == "l4proto" or name.startswith(("ip ", "ip6 ", "tcp ", "udp ", "th ", "icmp ", "icmpv6 ")):
            return ABSENT
        reader = READERS.get(name)
        return reader(self, None, None) if reader is not None and name.startswith("ether") else None  # type: ignore[arg-type]

    def _inside(self, name: str, packet: Packet) -> Known:
        """What the packet itself says."""
        flow = packet.flow
        where, _, field = name.partition(" ")
        if where in ("ip", "ip6"):
            if (where == "ip6") != (flow.family == 6):
                return ABSENT
            address = {"saddr": flow.src, "daddr": flow.dst}.get(field)
            return packets.number(address) if address else None
        if where in ("tcp", "udp", "th") and field in ("sport", "dport"):
            if flow.proto not in WITH_PORTS or where not in ("th", WITH_PORTS[flow.proto]):
                return ABSENT
            port = flow.sport if field == "sport" else flow.dport
            return port or EPHEMERAL
        if name == "tcp flags":
            return (SYN | ACK if packet.answer else SYN) if flow.proto == TCP else ABSENT
        if where in ("icmp", "icmpv6"):
            if flow.proto != (ICMP if where == "icmp" else ICMPV6):
                return ABSENT
            kinds = {"icmp": (8, 0), "icmpv6": (128, 129)}[where]
            return packet.icmp or kinds[packet.answer] if field == "type" else 0 if field == "code" else None
        if where in ("tcp", "udp", "sctp", "dccp", "esp", "ah", "arp", "vlan"):
            return None if where == WITH_PORTS.get(flow.proto) else ABSENT
        return None

    def _tracked(self, name: str, packet: Packet, *, untracked: bool) -> Known:
        conn = packet.conn
        if name == "ct state":  # neighbour discovery is never tracked
            return UNTRACKED if untracked or packet.icmp else ESTABLISHED if packet.answer else NEW
        if name == "ct direction":
            return int(packet.answer)
        if name == "ct mark":
            return conn.mark if conn is not None else 0
        if name == "ct status" and conn is not None:
            translated = conn.expected.reverse
            status = CT_SNAT if translated.src != conn.original.src else 0
            status |= (
                CT_DNAT
                if (translated.dst, translated.dport) != (conn.original.dst, conn.original.dport)
                else 0
            )
            return status | (SEEN_REPLY if packet.answer else 0)
        return None

    def mac(self, side: str) -> Known:
        """A MAC of the frame."""
        if self._frame is None:
            return ABSENT
        address = self._frame.src if side == "saddr" else self._frame.dst
        return packets.number(address) if address else None

    def vlan(self) -> Known:
        """The outermost tag."""
        if self._frame is None or not self._frame.vlans:
            return ABSENT
        return self._frame.vlans[-1][1]

    def address_type(self, address: str, mark: int) -> Known:
        """What kind of address it is to this namespace (RTN_LOCAL, RTN_UNICAST ...)."""
        if not address:
            return None
        said = self._walk.lookups.decision(self._ns, Query(address, mark=mark))
        if said is None:
            found = self._walk.fib.lookup(self._ns, Query(address, mark=mark))
            return None if found.unsure else packets.ADDRESS_TYPES.get(found.type)
        if isinstance(
            said, int
        ):  # inet_addr_type asks the table `local` alone; IPv6 is told of refusals, too
            return None if ":" in address else packets.ADDRESS_TYPES["unicast"]
        return packets.ADDRESS_TYPES.get(said.type)


READERS: dict[str, Callable[[Sight, Place, Packet], Known]] = {
    "l4proto": lambda _, __, packet: packet.flow.proto,
    "nfproto": lambda _, place, packet: (
        7 if place.family == "bridge" else 10 if packet.flow.family == 6 else 2
    ),
    "protocol": lambda _, __, packet: IPV6 if packet.flow.family == 6 else IPV4,
    "ether type": lambda _, __, packet: IPV6 if packet.flow.family == 6 else IPV4,
    "mark": lambda _, __, packet: packet.mark,
    "pkttype": lambda *_: 0,
    "bridged": lambda _, place, __: int(bool(place.physin and place.physout)),
    "ether saddr": lambda sight, *_: sight.mac("saddr"),
    "ether daddr": lambda sight, *_: sight.mac("daddr"),
    "vlan id": lambda sight, *_: sight.vlan(),
    "fib daddr type": lambda sight, _, packet: sight.address_type(packet.flow.dst, packet.mark),
    "fib saddr type": lambda sight, _, packet: sight.address_type(packet.flow.src, packet.mark),
    "skuid": lambda _, place, __: None if place.hook in OUTGOING else ABSENT,
    "skgid": lambda _, place, __: None if place.hook in OUTGOING else ABSENT,
}
