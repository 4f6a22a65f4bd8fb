"""What a firewall sees of a packet: the values of the keys that its rules compare. None: that cannot be known.

nft_meta.c, nft_ct.c, nft_payload.c, nft_exthdr.c, nft_rt.c, nft_socket.c; the names are nft's (nft(8)), those of headers in `headers`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nswire.codec import protocol_numbers
from nswire.path import conntrack
from nswire.path.netfilter import clock, counters, fibs, hashes, headers, offered
from nswire.path.netfilter.compare import ABSENT, Partial
from nswire.path.sizes import size_of
from nswire.path.values import ICMP, ICMPV6, TCP, WITH_PORTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.model.topology import Link
    from nswire.model.values import NsKey
    from nswire.path.context import PathContext
    from nswire.path.netfilter.compare import Known
    from nswire.path.netfilter.hook_point import Place
    from nswire.path.values import Flow, Frame, Packet

IPV4, IPV6, ARP = 0x0800, 0x86DD, 0x0806
VLAN_TYPES = {"802.1Q": 0x8100, "802.1ad": 0x88A8}
PF_BRIDGE, PF_NETDEV, PF_INET, PF_INET6, PF_ARP = 7, 5, 2, 10, 3
HOST, BROADCAST, MULTICAST, OTHER = 0, 1, 2, 3
ICMP_NAMES = {ICMP: "icmp", ICMPV6: "icmpv6"}
UNKNOWN_PORTS = (132, 136)  # SCTP and UDP-Lite have ports, which nobody was told
OUTGOING = ("output", "postrouting", "egress")
IP = ("ip", "ip6")
IPV6_FAMILY = 6


class Sight:
    """A packet at a place. `frame` is what it is in, where that is still on its way over links."""

    def __init__(self, walk: PathContext, ns: NsKey, frame: Frame | None = None) -> None:
        self.walk = walk
        self.ns = ns
        self.frame = frame

    def value(self, name: str, place: Place, packet: Packet) -> Known:
        """The value of a key, in the words of `codec.nftables`."""
        if self.frame is not None and self.frame.arp:
            return self._question(name, place, packet)
        reader = READERS.get(name)
        if reader is not None:
            return reader(self, place, packet)
        if name in headers.FIELDS:
            return headers.field(name, packet)
        words = name.split(" ", 2)
        family = FAMILIES.get(" ".join(words[:2])) or FAMILIES.get(words[0]) or FAMILIES.get(name[:1])
        return family(self, name, place, packet) if family is not None else None

    def _question(self, name: str, place: Place, packet: Packet) -> Known:
        """The keys of an ARP request or its answer."""
        if name == "protocol":
            return ARP
        if name.startswith("arp ") and self.frame is not None:
            where = headers.FIELDS.get(name)
            return headers.arp(self.frame).part(where.offset, where.length) if where is not None else None
        if place.hook == "output" and place.family == "arp" and name.startswith(("ether ", "vlan ", "@ll,")):
            return ABSENT  # arp_create sets no mac_header
        if name == "l4proto" or name.startswith(NOT_ARP) or name in headers.FIELDS:
            return ABSENT
        reader = READERS.get(name)
        return reader(self, place, packet) if reader is not None else None

    # -- links ---------------------------------------------------------------------------------------------------

    def link(self, name: str) -> Link | None:
        """A link of this namespace."""
        return self.walk.named(self.ns, name) if name else None

    def of_link(self, name: str, what: Callable[[Link], Known]) -> Known:
        """Something of a link; ABSENT where there is none."""
        link = self.link(name)
        return ABSENT if not name else None if link is None else what(link)

    def group(self, name: str) -> Known:
        """The group of a link (`ip link set group`)."""
        return self.of_link(name, lambda link: self.walk.lookups.groups(self.ns).get(link.ifindex))

    def bridge(self, port: str) -> Known:
        """The bridge of a port; no port has none, and an empty name (nft_meta_bridge)."""
        link = self.link(port)
        master = link.master if link is not None else None
        return master.ifname if master is not None and master.kind == "bridge" else ""

    # -- the frame -----------------------------------------------------------------------------------------------

    def mac(self, side: str, packet: Packet) -> Known:
        """A MAC of the frame, or of the header that is left of it."""
        held = self.frame or packet.header
        if held is None:
            return ABSENT
        address = held.src if side == "saddr" else held.dst
        return protocol_numbers.number(address) if address else None

    def link_header(self, packet: Packet) -> headers.Bits:
        """The Ethernet header, of a frame without a tag."""
        held = self.frame or packet.header
        if held is None or (self.frame is not None and self.frame.vlans):
            return headers.Bits(0, 0, 112)
        addresses = [protocol_numbers.number(one) if one else None for one in (held.dst, held.src)]
        return (
            headers.Bits()
            .then(48, addresses[0])
            .then(48, addresses[1])
            .then(16, IPV6 if packet.flow.family == IPV6_FAMILY else IPV4)
        )

    def ether_type(self, place: Place, packet: Packet) -> Known:
        """What is behind the addresses, which is a tag if there is one (nft_payload_copy_vlan)."""
        if self.frame is None and packet.header is None:
            return ABSENT
        if self.frame is not None and self.frame.vlans:
            return VLAN_TYPES.get(self.frame.vlans[-1][0])
        return self.protocol(place, packet)

    def vlan(self, _: Place, __: Packet) -> Known:
        """The outermost tag."""
        if self.frame is None or not self.frame.vlans:
            return ABSENT
        return self.frame.vlans[-1][1]

    def vlan_type(self, place: Place, packet: Packet) -> Known:
        """What is behind it."""
        if self.frame is None or not self.frame.vlans:
            return ABSENT
        if len(self.frame.vlans) > 1:
            return VLAN_TYPES.get(self.frame.vlans[-2][0])
        return self.protocol(place, packet)

    def protocol(self, _: Place, packet: Packet) -> Known:
        """What the packet is."""
        if self.frame is not None and self.frame.arp:
            return ARP
        return IPV6 if packet.flow.family == 6 else IPV4

    def pkttype(self, place: Place, packet: Packet) -> Known:
        """For whom the frame was (eth_type_trans); what br_netfilter gives to IP is always for this host, if not for all."""
        frame = self.frame
        if (
            place.hook == "egress"
        ):  # what a bridge passes on is still for somebody else, what it sends itself is not
            out = self.link(place.oif)
            return (
                None if out is not None and out.master is not None and not packet.pkttype else packet.pkttype
            )
        if frame is None or place.hook == "output":
            return packet.pkttype
        if frame.dst == "ff:ff:ff:ff:ff:ff":
            return BROADCAST
        if frame.to_all:
            return MULTICAST
        if place.family in IP:
            return packet.pkttype
        came = self.link(place.physin or place.iif)
        if came is None:
            return packet.pkttype
        own = {
            came.fact.address,
            came.master.fact.address if came.master is not None and place.family == "bridge" else "",
        }
        if not frame.dst:
            return None
        return HOST if frame.dst in own else OTHER

    # -- the packet ----------------------------------------------------------------------------------------------

    def nfproto(self, place: Place, packet: Packet) -> Known:
        """NFPROTO_*."""
        own = {"bridge": PF_BRIDGE, "netdev": PF_NETDEV, "arp": PF_ARP}.get(place.family)
        return own if own is not None else PF_INET6 if packet.flow.family == 6 else PF_INET

    def port(self, side: str, packet: Packet, proto: str) -> Known:
        """A port, or where it is from."""
        flow = packet.flow
        if proto == "th" and flow.proto not in WITH_PORTS:  # whatever is there: of an echo, its type and code
            return headers.transport(packet).part(0 if side == "sport" else 16, 16)
        if WITH_PORTS.get(flow.proto) is None or (proto != "th" and proto != WITH_PORTS[flow.proto]):
            return ABSENT
        port, within = (flow.sport, flow.sports) if side == "sport" else (flow.dport, flow.dports)
        return port or within

    def set_port(self, side: str, packet: Packet) -> Known:
        """What ipset takes for the port: type and code of ICMP, 0 of what has none (ip_set_get_ip_port)."""
        name = ICMP_NAMES.get(packet.flow.proto)
        if name is None:
            port = self.port(side, packet, "th")
            return 0 if port is ABSENT and packet.flow.proto not in UNKNOWN_PORTS else port
        kind, code = (headers.field(f"{name} {part}", packet) for part in ("type", "code"))
        return kind << 8 | code if isinstance(kind, int) and isinstance(code, int) else None

    def eui64(self, packet: Packet) -> Known:
        """Whether the last half of the source address is made of the sender's MAC (ip6t_eui64.c)."""
        if packet.flow.family != 6 or not packet.flow.src:
            return ABSENT
        mac = self.mac("saddr", packet)
        if not isinstance(mac, int):
            return mac if mac is None else 0
        made = (mac >> 24 ^ 0x020000) << 40 | 0xFFFE << 24 | mac & 0xFFFFFF
        return int(protocol_numbers.number(packet.flow.src) & ((1 << 64) - 1) == made)

    def priority(self, place: Place, packet: Packet) -> Known:
        """What tc sorts by: 0, unless a rule set it, or IPv4 has forwarded it by its traffic class (rt_tos2priority)."""
        forwarded = place.hook in ("forward", "postrouting") and packet.header is not None
        return (
            None
            if packet.icmp or (forwarded and packet.tos and packet.flow.family != IPV6_FAMILY)
            else packet.priority
        )

    def length(self, place: Place, packet: Packet) -> Known:
        """The bytes from the IP header on; on its way out of a link that counts the Ethernet header, too."""
        return size_of(packet) if place.hook != "egress" else None

    def realm(self, place: Place, packet: Packet) -> Known:
        """The realm of its route, which IPv6's have none of (dst_entry.tclassid)."""
        if place.family not in IP:
            return None
        if place.hook not in ROUTED and not packet.looped:
            return ABSENT
        return (
            0 if packet.flow.family == IPV6_FAMILY or not self.walk.lookups.marked(self.ns).realms else None
        )

    def slave(self, nothing: Known) -> Known:
        """The port of a VRF by which it came: none where there is no VRF."""
        return None if any(link.kind == "vrf" for link in self.walk.topology.links(self.ns)) else nothing

    def owner(self, place: Place, packet: Packet, known: int | None = None) -> Known:
        """Something of the socket that sends it: only programs' own have any (nft_meta_get_eval_skugid)."""
        if place.hook not in OUTGOING or place.iif or packet.header is not None:
            return ABSENT
        if packet.answer and packet.flow.proto == TCP:
            return None  # a SYN-ACK has its listener's (sk_to_full_sk), a reset nobody's
        if packet.answer and packet.flow.proto in (ICMP, ICMPV6):
            return ABSENT  # of the kernel itself
        return ABSENT if packet.icmp else known

    def sender(self, place: Place, packet: Packet, known: int | None = None) -> Known:
        """Something of the kernel's own socket as well, which echo replies and neighbour discovery have (skb_to_full_sk)."""
        if place.hook not in OUTGOING or place.iif or packet.header is not None:
            return ABSENT
        return None if packet.answer or packet.icmp else known

    def socket(self, place: Place, packet: Packet) -> Known:
        """Something of the socket that sends it, or would get it (nf_sk_lookup_slow_v4), which ICMP has none of."""
        if place.hook in OUTGOING and not place.iif:
            return None
        protocol = WITH_PORTS.get(packet.flow.proto)
        if protocol is None:
            return ABSENT
        listeners = None if packet.answer else self.walk.lookups.listeners(self.ns)
        if listeners is None or any(
            (one.protocol, one.port) == (protocol, packet.flow.dport) for one in listeners
        ):
            return None
        return ABSENT

    def ct(self, name: str, place: Place, packet: Packet) -> Known:
        """A key of the connection; all but its state end the rule where there is none."""
        if name == "ct state":
            return conntrack.state(packet)
        conn = packet.conn
        if conn is None:
            return ABSENT
        if name == "ct status":
            bits, known = conntrack.status(packet)
            return Partial(bits, known)
        if name == "ct unconfirmed":
            return 0 if conn.confirmed else 1 if place.family in IP else None
        if name in SIMPLE_CT:
            return SIMPLE_CT[name](packet)
        if name.endswith(counters.COUNTED):
            return counters.known(name, conn)
        words = name.split()
        if words[1] not in ("original", "reply"):
            return None
        flow = conn.original if words[1] == "original" else conn.expected
        if words[2] == "zone":
            number, directions = conn.zone
            return number if directions & (1 << (words[1] == "reply")) else 0
        return _of_tuple(flow, words[2:], place)


def _of_tuple(flow: Flow, words: list[str], _: Place) -> Known:
    """`ct original ip saddr`, `ct reply proto-dst`."""
    if words[0] in IP:
        if (words[0] == "ip6") != (flow.family == 6):
            return ABSENT
        words = words[1:]
    if words[0] in ("saddr", "daddr"):
        address = flow.src if words[0] == "saddr" else flow.dst
        return protocol_numbers.number(address) if address else None
    if words[0] in ("proto-src", "proto-dst"):
        if flow.proto not in WITH_PORTS:
            return None
        return (flow.sport or flow.sports) if words[0] == "proto-src" else (flow.dport or flow.dports)
    if words[0] == "l3proto":
        return PF_INET6 if flow.family == 6 else PF_INET
    return flow.proto if words[0] == "protocol" else None


SIMPLE_CT: dict[str, Callable[[Packet], Known]] = {
    "ct direction": lambda packet: packet.direction,
    "ct mark": lambda packet: packet.conn.mark if packet.conn is not None else ABSENT,
    "ct zone": lambda packet: packet.conn.zone[0] if packet.conn is not None else ABSENT,
    "ct l3proto": lambda packet: PF_INET6 if packet.flow.family == 6 else PF_INET,
    "ct protocol": lambda packet: packet.flow.proto,
    "ct label": lambda packet: packet.conn.labels if packet.conn is not None else ABSENT,
    "ct helper": lambda _: ABSENT,  # of connections that another one has announced
}


def _exthdr(_: Sight, name: str, __: Place, packet: Packet) -> Known:
    """An extension header of IPv6, which a plain packet has not; `exthdr NAME` is whether (nft_exthdr_ipv6_eval)."""
    if packet.flow.family != 6:
        return ABSENT
    if name == "exthdr protocol":
        return 1
    return 0 if len(name.split()) == 2 else ABSENT


def _ip_option(_: Sight, name: str, __: Place, packet: Packet) -> Known:
    """As that, of IPv4."""
    if packet.flow.family == 6:
        return ABSENT
    return 0 if len(name.split()) == 3 else ABSENT


def _raw(sight: Sight, name: str, _: Place, packet: Packet) -> Known:
    """`@nh,128,32`."""
    base, offset, length = name[1:].split(",")
    if base == "ll":
        return (
            sight.link_header(packet).part(int(offset), int(length))
            if sight.mac("saddr", packet) is not ABSENT
            else ABSENT
        )
    header = {"nh": headers.network, "th": headers.transport}.get(base)
    if header is None or (sight.frame is not None and sight.frame.asks):
        return None
    return header(packet).part(int(offset), int(length))


def _number(_: Sight, name: str, __: Place, ___: Packet) -> Known:
    first, last = map(int, name.split()[1:])
    return first, last


def _undecidable(sight: Sight, name: str, place: Place, packet: Packet) -> Known:
    """What is looked at by its protocol's own matches."""
    what = name.split()[1]
    if what == "socket":
        return sight.socket(place, packet)
    if what == "osf":
        return None if packet.flow.proto == TCP else ABSENT
    return ABSENT if what in ("sctp", "dccp", "ipsec") else None


def _elsewhere(_: Sight, __: str, ___: Place, ____: Packet) -> Known:
    """A field of a protocol that is not this packet's."""
    return ABSENT


def _meta(_: Sight, __: str, ___: Place, ____: Packet) -> Known:
    return None


FAMILIES: dict[str, Callable[[Sight, str, Place, Packet], Known]] = {
    "ct": lambda sight, name, place, packet: sight.ct(name, place, packet),
    "fib": lambda sight, name, place, packet: fibs.known(sight.walk, sight.ns, name, place, packet),
    "rpfilter": lambda sight, name, place, packet: fibs.rpfilter(sight.walk, sight.ns, name, place, packet),
    "exthdr": _exthdr,
    "ip option": _ip_option,
    "tcp option": lambda _, name, __, packet: offered.known(name, packet),
    "number": _number,
    "jhash": lambda sight, name, place, packet: hashes.known(
        name, lambda what: sight.value(what, place, packet)
    ),
    "@": _raw,
    "?": _undecidable,
    **dict.fromkeys(
        (
            "icmp gateway",
            "icmp mtu",
            "icmpv6 mtu",
            "icmpv6 parameter-problem",
            "icmpv6 taddr",
            "icmpv6 max-delay",
        ),
        _elsewhere,
    ),
    **dict.fromkeys(
        ("sctp", "dccp", "esp", "ah", "comp", "igmp", "udplite", "gre", "vxlan", "geneve", "arp"), _elsewhere
    ),
}
"""Readers of keys that begin with that word."""
NOT_ARP = (
    "ip ",
    "ip6 ",
    "tcp ",
    "udp ",
    "th ",
    "icmp ",
    "icmpv6 ",
    "ct ",
    "exthdr ",
    "fib ",
    "tcp option",
    "ip option",
)


def _link_reader(side: str, what: Callable[[Link], Known]) -> Callable[[Sight, Place, Packet], Known]:
    return lambda sight, place, _: sight.of_link(getattr(place, side), what)


ROUTED = ("input", "output", "forward", "postrouting")  # hooks where a packet has its route


def _gateway(_: Sight, place: Place, packet: Packet) -> Known:
    """`rt nexthop`: the gateway, or the destination itself (rt_nexthop)."""
    if place.hook not in ROUTED:
        return ABSENT  # there is no route yet
    address = place.gateway or packet.flow.dst
    return protocol_numbers.number(address) if (":" in address) == (packet.flow.family == 6) else ABSENT


def _clock(name: str) -> Callable[[Sight, Place, Packet], Known]:
    return lambda sight, _, __: clock.known(sight.walk.lookups.moment(), name)


READERS: dict[str, Callable[[Any, Any, Any], Known]] = {
    "always": lambda *_: 0,
    "iifname": lambda _, place, __: place.iif,
    "oifname": lambda _, place, __: place.oif,
    "iif": lambda _, place, __: place.iif,
    "oif": lambda _, place, __: place.oif,
    "physin": lambda _, place, __: place.physin,
    "physout": lambda _, place, __: place.physout,
    "ibrname": lambda sight, place, _: sight.bridge(place.physin),
    "obrname": lambda sight, place, _: sight.bridge(place.physout),
    "iiftype": _link_reader("iif", lambda link: link.fact.type),
    "oiftype": _link_reader("oif", lambda link: link.fact.type),
    "iifkind": _link_reader("iif", lambda link: link.kind or ABSENT),
    "oifkind": _link_reader("oif", lambda link: link.kind or ABSENT),
    "iifgroup": lambda sight, place, _: sight.group(place.iif),
    "oifgroup": lambda sight, place, _: sight.group(place.oif),
    "l4proto": lambda _, __, packet: packet.flow.proto,
    "nfproto": Sight.nfproto,
    "protocol": Sight.protocol,
    "ether type": Sight.ether_type,
    "ether saddr": lambda sight, _, packet: sight.mac("saddr", packet),
    "ether daddr": lambda sight, _, packet: sight.mac("daddr", packet),
    "vlan id": Sight.vlan,
    "vlan type": Sight.vlan_type,
    "vlan pcp": lambda sight, place, packet: ABSENT if sight.vlan(place, packet) is ABSENT else None,
    "vlan dei": lambda sight, place, packet: ABSENT if sight.vlan(place, packet) is ABSENT else None,
    "vlan cfi": lambda sight, place, packet: ABSENT if sight.vlan(place, packet) is ABSENT else None,
    "mark": lambda _, __, packet: packet.mark,
    "priority": Sight.priority,
    "pkttype": Sight.pkttype,
    "length": Sight.length,
    "physdev in": lambda _, place, __: int(
        bool(place.physin)
    ),  # physdev_mt: --physdev-is-in, --physdev-is-out
    "physdev out": lambda _, place, __: int(bool(place.physin and place.physout)),
    "ipset sport": lambda sight, _, packet: sight.set_port("sport", packet),
    "ipset dport": lambda sight, _, packet: sight.set_port("dport", packet),
    "eui64": lambda sight, _, packet: sight.eui64(packet),
    "skuid": lambda sight, place, packet: sight.owner(place, packet, packet.uid),
    "skgid": lambda sight, place, packet: sight.owner(place, packet, packet.gid),
    "socket": lambda sight, place, packet: sight.sender(place, packet, 1),
    "cgroup": lambda sight, place, packet: sight.sender(place, packet),
    "cpu": lambda sight, _, __: clock.processor(sight.walk.lookups.moment()),
    "ipsec": lambda *_: 0,  # where a policy of XFRM counts, the walk has ended before
    "rt ipsec": lambda _, place, packet: 0 if place.hook in ROUTED or packet.looped else ABSENT,
    "rt nexthop": _gateway,
    "rt classid": lambda sight, place, packet: sight.realm(place, packet),
    "rtclassid": lambda sight, place, packet: sight.realm(place, packet),
    "sdif": lambda sight, _, __: sight.slave(0),
    "sdifname": lambda sight, _, __: sight.slave(""),
    **{name: _clock(name) for name in ("time", "hour", "day", "utc time", "utc hour")},
    "tcp sport": lambda sight, _, packet: sight.port("sport", packet, "tcp"),
    "tcp dport": lambda sight, _, packet: sight.port("dport", packet, "tcp"),
    "udp sport": lambda sight, _, packet: sight.port("sport", packet, "udp"),
    "udp dport": lambda sight, _, packet: sight.port("dport", packet, "udp"),
    "th sport": lambda sight, _, packet: sight.port("sport", packet, "th"),
    "th dport": lambda sight, _, packet: sight.port("dport", packet, "th"),
}
"""Readers of keys by their whole names. What is neither here, nor in FAMILIES, nor a field of a header, is not known."""
