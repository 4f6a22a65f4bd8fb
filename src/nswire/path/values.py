"""What goes along a path, and what is told of it."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from nswire.model.reasons import Cause, Reason
from nswire.model.values import End, Evidence, NsKey

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
PROTOCOLS = {ICMP: "icmp", TCP: "tcp", UDP: "udp", ICMPV6: "icmp"}
WITH_PORTS = {TCP: "tcp", UDP: "udp"}
ANY_PORT = (0, 65535)
USUAL_TTL = 64
BROADCAST = "ff:ff:ff:ff:ff:ff"
PACKET_BROADCAST, PACKET_MULTICAST = 1, 2  # pkttypes

TOO_MANY_WAYS = Reason(
    "path.too_many_ways", "there are more possibilities than the {count} that were looked at", unknown=True
)
DEPENDS_WHERE = Reason(
    "path.depends_where", "it depends where: {cause} if {choice}, {other_cause} if {other_choice}"
)
DEPENDS_WHY = Reason(
    "path.depends_why", "it depends why: {cause} if {choice}, {other_cause} if {other_choice}"
)
DEPENDS = Reason(
    "path.depends", "it depends: {fate} if {choice}, {other_fate} if {other_choice}", unknown=True
)

Fate = Literal["leaves", "delivered", "refused", "dropped", "unknown"]
ARRIVED = ("delivered", "refused")
"""The fates of a packet that gets where it is for: `refused` is one that nothing listens for there."""


class Flow(msgspec.Struct, frozen=True, gc=False):
    """What a packet is, to everybody on its way. `proto` is its number; a port of 0: whatever the sender or NAT chooses.

    `sports` and `dports`: of what range that is.
    """

    dst: str
    src: str = ""
    proto: int = ICMP
    sport: int = 0
    dport: int = 0
    sports: tuple[int, int] = ANY_PORT
    dports: tuple[int, int] = ANY_PORT

    @property
    def family(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.dst else 4

    @property
    def reverse(self) -> Flow:
        """The flow of the answers."""
        return Flow(self.src, self.dst, self.proto, self.dport, self.sport, self.dports, self.sports)

    @property
    def text(self) -> str:
        """`udp 10.0.0.2:5353 -> 10.0.0.1:53`."""
        return f"{PROTOCOLS.get(self.proto, str(self.proto))} {_side(self.src, self.sport)} -> {_side(self.dst, self.dport)}"


def _side(address: str, port: int) -> str:
    if not port:
        return address or "?"
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


class Connection(msgspec.Struct, gc=False):
    """A connection as a namespace tracks it: how its packets come in, how its answers are to come in; its mark. `packets` and `sizes`: how many it had in each direction, and of how many bytes (None: not known).

    `sources` and `destinations`: whether translation of these was decided already, with the first packet. `replied`: an
    answer was seen. `labels`: as rules have set them. `zone`: its id, and the bits of the directions that it counts for (nf_conntrack_zone.dir).
    """

    original: Flow
    expected: Flow
    mark: int | None = 0
    sources: bool = False
    destinations: bool = False
    replied: bool = False
    zone: tuple[int, int] = (0, 3)
    labels: int | None = 0
    confirmed: bool = False
    packets: tuple[int, int] = (0, 0)
    sizes: tuple[int | None, int | None] = (0, 0)

    def count(self, direction: int, size: int | None) -> None:
        """One more packet in a direction (nf_ct_acct_update, which comes before any rule sees it)."""
        packets, sizes = list(self.packets), list(self.sizes)
        packets[direction] += 1
        before = sizes[direction]
        sizes[direction] = None if size is None or before is None else before + size
        self.packets = packets[0], packets[1]
        self.sizes = sizes[0], sizes[1]


class Header(NamedTuple):
    """The Ethernet header that a packet came in with: it is still there in prerouting, input and forward."""

    src: str
    dst: str

    @property
    def to_all(self) -> bool:
        """Broadcast or multicast."""
        return _group(self.dst)


def _group(mac: str) -> bool:
    """Whether a MAC is that of more than one (the I/G bit)."""
    return mac != "" and int(mac[:2], 16) & 1 == 1


MSS_BYTES, STAMPS_BYTES, SCALE_BYTES, SACK_BYTES = 4, 12, 4, 4
"""Of TCP options, with what aligns them (tcp_syn_options)."""


class Opening(NamedTuple):
    """What a SYN offers: the largest segment (0: not known), selective acknowledgements, timestamps, a scaled window, ECN."""

    mss: int
    sack: bool
    stamps: bool
    scaled: bool
    ecn: bool

    @property
    def options(self) -> int:
        """The bytes of its options."""
        sack = SACK_BYTES if self.sack and not self.stamps else 0
        return MSS_BYTES + STAMPS_BYTES * self.stamps + SCALE_BYTES * self.scaled + sack

    @property
    def has(self) -> dict[str, bool]:
        """Which options, by nft's names for them."""
        nops = (self.stamps and not self.sack) or self.scaled or (self.sack and not self.stamps)
        return {
            "maxseg": True,
            "sack-perm": self.sack,
            "timestamp": self.stamps,
            "window": self.scaled,
            "nop": nops,
        }


class Packet(msgspec.Struct, frozen=True, gc=False):
    """A packet inside a namespace. `answer`: it is the reply to another one. `size` 0: it fits through everywhere.

    `hops`: its TTL or hop limit; 0: what its namespace gives to what it sends. `whole`: it must not be split (DF). `icmp`: its ICMPv6 type, where it asks for a neighbour or answers that.
    `prerouted`: its prerouting hooks were run for the bridge. `looped`: it came back by a loopback, with the route that it left
    by, which is that of the link `own`. `tos`: the traffic class, dscp and ecn. What is None was
    set by a rule, to what is not known.

    What follows is the kernel's own of it (struct sk_buff), and goes where skb_scrub_packet says; see `crossed`.
    `conn`: the connection that this namespace takes it for, which it goes along `direction` (0: as its first packet).
    `untracked`: it is kept from that. `zone`: where its connection is looked up. `pkttype`: as `meta pkttype`. `physin`: the
    port of a bridge that it came in by, if br_netfilter saw it (struct nf_bridge_info). `uid` and `gid`: whose socket sends it (None: not known).
    `opening`: it is a SYN that offers this.
    """

    flow: Flow
    mark: int = 0
    answer: bool = False
    size: int = 0
    whole: bool = True
    icmp: int = 0
    hops: int = 0
    conn: Connection | None = None
    prerouted: bool = False
    looped: bool = False
    own: End | None = None
    tos: int | None = 0
    direction: int = 0
    untracked: bool = False
    zone: tuple[int, int] = (0, 3)
    pkttype: int = 0
    priority: int | None = 0
    header: Header | None = None
    physin: str = ""
    uid: int | None = None
    gid: int | None = None
    opening: Opening | None = None

    def crossed(self, here: NsKey, there: NsKey) -> Packet:
        """As it comes in again: nothing is known of it, and in another namespace its mark is gone (skb_scrub_packet)."""
        mark = self.mark if here == there else 0
        return msgspec.structs.replace(
            self, conn=None, mark=mark, prerouted=False, looped=False, own=None, uid=None, gid=None, direction=0, untracked=False, zone=(0, 3), pkttype=0,
            priority=0, header=None, physin="",
        )  # fmt: skip


class Frame(msgspec.Struct, frozen=True):
    """What goes over links: a packet, or the question who has an address (`asks`) by an address (`asker`), or its answer (`tells`).

    `dst` empty: the MAC of somebody outside, which cannot be known here. `vlans` are its tags, the outermost last, as
    (protocol, id). `along`: a flood goes only to these links, since it is known already who takes the frame.
    """

    src: str
    dst: str
    packet: Packet
    asks: str = ""
    tells: str = ""
    vlans: tuple[tuple[str, int], ...] = ()
    along: frozenset[End] | None = None
    asker: str = ""

    @property
    def arp(self) -> bool:
        """Whether it is an ARP packet, and so no IP."""
        return bool(self.asks) and not self.packet.icmp

    def crossed(self, here: NsKey, there: NsKey) -> Frame:
        """With its packet as it comes in again."""
        return msgspec.structs.replace(self, packet=self.packet.crossed(here, there))

    @property
    def to_all(self) -> bool:
        """Broadcast or multicast."""
        return _group(self.dst)


class Step(msgspec.Struct, frozen=True):
    """One thing that happens to the packet, in a namespace, at a link (`end`) if it is about one.

    `way`: it goes `out` by that link, or comes `in`. `because`: the facts that say so, in the words of those who said it.
    `flow`: the packet after it, where it changed. `cause`: what `text` says, as a value, where the way ends with this step.
    `by_kernel`: the kernel itself decided so, when it was asked.
    """

    type: str
    text: str
    ns: NsKey
    end: End | None = None
    way: Literal["", "in", "out"] = ""
    because: tuple[str, ...] = ()
    evidence: Evidence = "proved"
    flow: Flow | None = None
    depth: int = 0
    cause: Cause | None = None
    by_kernel: bool = False


Steps = tuple[Step, ...]


def ends(steps: Steps) -> frozenset[End]:
    """The links that steps are about."""
    return frozenset(step.end for step in steps if step.end is not None)


class Going(NamedTuple):
    """A packet in a namespace, with its steps until now."""

    ns: NsKey
    packet: Packet
    steps: Steps


class Relay(msgspec.Struct, frozen=True):
    """A process that took a frame from the tap `link` and sent it on as a packet of its own: the way of the answers."""

    link: End
    taken: Frame
    ns: NsKey
    sent: Flow

    def answers(self, ns: NsKey, flow: Flow) -> bool:
        """Whether a packet that is delivered there is an answer to what it has sent on."""
        return (self.ns, self.sent.dst, self.sent.src) == (ns, flow.src, flow.dst)


class ProxyRelay(msgspec.Struct, frozen=True):
    """A process that took the packet `taken` on the link `link`, as a socket, and sent on a packet of its own from the namespace `ns`.

    `inside`: where that was sent from, and its answer is taken: another namespace than `ns`, or the same. `process` and `to`: who it is and to whom it hands on, as told.
    """

    link: End
    taken: Packet
    ns: NsKey
    inside: NsKey
    sent: Flow
    process: str
    to: str

    def answers(self, ns: NsKey, flow: Flow) -> bool:
        """Whether a packet that is delivered there is an answer to what it has sent on."""
        ports = self.sent.dport == flow.sport and self.sent.sport in (0, flow.dport)
        return (
            ports
            and self.sent.proto == flow.proto
            and (self.inside, self.sent.dst, self.sent.src) == (ns, flow.src, flow.dst)
        )


class Mend(msgspec.Struct, frozen=True):
    """What would change a packet's fate: a command (its words; nswire never runs it) in a namespace, and what it would do."""

    effect: str
    ns: NsKey | None = None
    words: tuple[str, ...] = ()


class Landing(msgspec.Struct, frozen=True):
    """Where something that was sent arrives. `up`: at the IP stack behind the link `end`; the others are ends of the way.

    `reason` is the one fact that decides, `mend` what would change it. `outer`: it is the packet around it that ends there.
    `mac`: what a bridge on the way answers the question for an address with, in the place of who has it.
    """

    fate: Literal["up", "leaves", "delivered", "dropped", "unknown"]
    steps: Steps
    ns: NsKey
    frame: Frame | None = None
    end: End | None = None
    packet: Packet | None = None
    reason: Cause | None = None
    mend: Mend | None = None
    outer: bool = False
    mac: str = ""


class Ended(Exception):
    """A packet goes no further: how it ended."""

    def __init__(self, landing: Landing) -> None:
        super().__init__(str(landing.reason))
        self.landing = landing


class Hop(msgspec.Struct, frozen=True):
    """A stay in one namespace: by which link the packet came (None: it starts there), and what happened to it."""

    ns: NsKey
    end: End | None
    steps: Steps
    enters: Flow
    leaves: Flow


class Way(msgspec.Struct, frozen=True):
    """The whole way of a packet and its fate. `choices`: what it depends on that cannot be known, as it was assumed here."""

    fate: Fate
    hops: tuple[Hop, ...]
    reason: Cause | None = None
    mend: Mend | None = None
    choices: tuple[str, ...] = ()
    end: End | None = None


class Ways(msgspec.Struct, frozen=True):
    """All ways that a packet may take: one, unless something cannot be known. `more`: there are others still."""

    ways: tuple[Way, ...]
    more: bool = False

    @property
    def fate(self) -> Fate:
        """What is certain: the fate that all of them have."""
        fates = {way.fate for way in self.ways}
        return self.ways[0].fate if len(fates) == 1 and (not self.more or fates == {"unknown"}) else "unknown"

    @property
    def reason(self) -> Cause | None:
        """The fact that decides, or what it depends on: the fate, or, where that is certain, where it ends or why."""
        first = self.ways[0]
        if self.more and any(way.fate != "unknown" for way in self.ways):
            return TOO_MANY_WAYS(count=len(self.ways))
        differs = next((way for way in self.ways if way.fate != first.fate), None)
        if differs is not None:
            one, two = _fork(first, differs)
            return DEPENDS(fate=first.fate, choice=one, other_fate=differs.fate, other_choice=two)
        differs = next((way for way in self.ways if way.reason != first.reason), None)
        if differs is None or first.reason is None or differs.reason is None:
            return first.reason
        one, two = _fork(first, differs)
        depends = DEPENDS_WHERE if first.fate in (*ARRIVED, "leaves") else DEPENDS_WHY
        return depends(cause=first.reason, choice=one, other_cause=differs.reason, other_choice=two)

    @property
    def mend(self) -> Mend | None:
        """What would change the fate of all ways that end badly; None if there is no such thing, since half a cure is none."""
        mends = {way.mend for way in self.ways if way.fate == "dropped"}
        return mends.pop() if len(mends) == 1 else None


def _fork(first: Way, other: Way) -> tuple[str, str]:
    """Where two ways part: what was assumed for each."""
    forks = zip(first.choices, other.choices, strict=False)
    return next((fork for fork in forks if fork[0] != fork[1]), ("", ""))


class Trace(msgspec.Struct, frozen=True):
    """The answer: the way there, the way back if that was wanted and there is one, the smallest MTU and where that is."""

    flow: Flow
    start: NsKey
    forward: Ways
    reply: Ways | None = None
    mtu: int = 0
    mtu_at: End | None = None
