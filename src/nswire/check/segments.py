"""Segments: links whose frames reach each other, VLAN by VLAN, as far as that can be seen and is certain.

A segment is walked from an endpoint, a link that frames come up from (it has no master, or is the bridge itself): over pairs,
through bridges in the VLAN that a port puts frames into, up and down VLAN links. Where it is not certain that frames pass (a
port that is isolated, or takes nothing in, Open vSwitch's flows, links that are down), the walk does not: two links of one
segment do hear each other, and two of different ones may as well, which is what `leaves` and `unsure` say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire import kinds
from nswire.check.bridges import filters, vlans_of, within
from nswire.check.network import carries
from nswire.model.values import End

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from nswire.check.network import Network
    from nswire.model.topology import Link
    from nswire.model.values import Evidence

WIRES = ("veth", "netkit")
"""Kinds of pairs that frames pass (netkit: in mode l2)."""
CAREFUL: dict[Evidence, int] = {"proved": 0, "mutual": 1, "inferred": 2}
AGGREGATES = ("bond", "team")


class Place(NamedTuple):
    """Frames at a link: on its wire, with that tag (0: untagged); or inside a bridge, in that VLAN (0: it does not filter)."""

    end: End
    vlan: int
    inside: bool = False


class Segment(NamedTuple):
    """What is reached from one another.

    endpoints: links whose IP stack sends and gets untagged frames here
    links: all links on the way, with the endpoints; `through`: those of them that are ports, or bridges
    leaves: links by which frames leave for where nothing can be seen (NICs, tunnels, taps)
    unsure: links beyond which it may go on
    evidence: that of its weakest wire
    cycle: links of a loop that frames may go round, in that order; none: there is none
    """

    number: int
    endpoints: tuple[Link, ...]
    links: tuple[Link, ...]
    leaves: tuple[Link, ...]
    unsure: tuple[Link, ...]
    evidence: Evidence
    cycle: tuple[Link, ...] = ()


class Segments:
    """All segments of a network. `of` says in which one the untagged frames of a link are."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._topology = network.topology
        self._of: dict[Place, int] = {}
        self.every: list[Segment] = []
        for link in network.links():
            place = Place(link.end, 0)
            if is_endpoint(link) and place not in self._of:
                self.every.append(self._walk(place))

    def of(self, link: Link) -> Segment | None:
        """The segment of an endpoint; None: it is none, or is down."""
        number = self._of.get(Place(link.end, 0))
        return None if number is None else self.every[number]

    def _walk(self, start: Place) -> Segment:
        number = len(self.every)
        found = _Found(self)
        edges: dict[Place, list[Place]] = {}
        pending = [start]
        while pending:
            place = pending.pop()
            if place in self._of:
                continue
            self._of[place] = number
            link = self._topology.get(place.end)
            if link is not None:
                ways = found.inside(link, place.vlan) if place.inside else found.wire(link, place.vlan)
                edges[place] = list(ways)
                pending += edges[place]
        round_ = tuple(dict.fromkeys(place.end for place in cycle(edges, found.together)))
        return Segment(
            number,
            tuple(found.endpoints),
            tuple(found.links),
            tuple(found.leaves),
            tuple(found.unsure),
            found.evidence,
            tuple(link for end in round_ if (link := self._topology.get(end)) is not None),
        )

    def peer(self, link: Link) -> tuple[Link, Evidence] | None:
        """The other end of a pair that passes frames."""
        wire, peer = link.wire, link.peer
        if wire is None or peer is None or not carries(peer):
            return None
        return peer, wire.evidence

    def vlans(self, port: Link) -> tuple[int, tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
        """PVID, untagged and tagged VLANs."""
        vlans = vlans_of(self._network, port)
        return vlans.pvid, vlans.untagged, vlans.tagged

    def readable(self, bridge: Link) -> bool:
        """Whether what a bridge does with VLANs can be told."""
        return not filters(bridge) or self._network.can_read(bridge.netns, "bridge vlans")


class _Found:
    """What one walk finds: each method gives the places that are next."""

    def __init__(self, segments: Segments) -> None:
        self._segments = segments
        self.endpoints: dict[Link, None] = {}
        self.links: dict[Link, None] = {}
        self.leaves: dict[Link, None] = {}
        self.unsure: dict[Link, None] = {}
        self.evidence: Evidence = "proved"
        self.together: set[frozenset[Place]] = set()
        """Ways between an aggregate and its ports, of which frames take one: what goes round by them is no loop."""

    def wire(self, link: Link, vlan: int) -> Iterator[Place]:
        """Frames on the wire of a link: its other end has them, and what is over it, or the switch that it is a port of."""
        self.links[link] = None
        if not carries(link):
            return
        yield from self._beyond(link, vlan)
        above = [
            one
            for one in link.uppers
            if one.kind == "vlan" and vlan and kinds.details(one.fact).get("id") == vlan
        ]
        for upper in above:
            yield Place(upper.end, 0)
        if above:
            return  # vlan_do_receive comes before the rx_handler of a master
        master = link.master
        if master is None:
            if not vlan:
                self.endpoints[link] = None
                self._over(link)
            return
        if master.kind == "bridge":
            yield from self._enter(link, master, vlan)
        elif master.kind in AGGREGATES:
            self.together.add(frozenset({Place(link.end, vlan), Place(master.end, vlan)}))
            yield Place(master.end, vlan)
        elif kinds.of(master.kind).routes:
            if not vlan:
                self.endpoints[link] = None
        else:
            self.unsure[link] = None

    def _beyond(self, link: Link, vlan: int) -> Iterator[Place]:
        """What is at the other side of a link than its IP stack, or its master."""
        if link.kind == "bridge":
            yield from self._from_bridge(link, vlan)
        elif link.kind == "vlan":
            lower, number = link.lower, kinds.details(link.fact).get("id")
            if lower is None or vlan or not isinstance(number, int):
                self.unsure[link] = None
            else:
                yield Place(lower.end, number)
        elif link.kind in AGGREGATES:
            for port in link.ports:
                self.together.add(frozenset({Place(link.end, vlan), Place(port.end, vlan)}))
                yield Place(port.end, vlan)
        elif link.kind in WIRES and kinds.details(link.fact).get("mode") != "l3":
            found = self._segments.peer(link)
            if found is None:
                self.unsure[link] = None
            else:
                self._weaken(found[1])
                yield Place(found[0].end, vlan)
        elif link.kind == "dummy" or link.loopback:
            pass
        elif link.kind in (
            *kinds.PAIRS,
            "macvlan",
            "macvtap",
            "ipvlan",
            "ipvtap",
            "openvswitch",
            "ifb",
            "vrf",
        ):
            self.unsure[link] = None
        else:
            self.leaves[link] = None

    def _over(self, link: Link) -> None:
        """Links over this one that share its wire, whose modes say who hears whom."""
        for upper in link.uppers:
            if upper.kind not in ("vlan", "vxlan"):
                self.unsure[link] = None

    def _enter(self, port: Link, bridge: Link, vlan: int) -> Iterator[Place]:
        """Into a bridge, by a port (br_allowed_ingress)."""
        inside = self._vlan_inside(port, bridge, vlan)
        if inside is not None and carries(bridge):
            yield Place(bridge.end, inside, inside=True)

    def _from_bridge(self, bridge: Link, vlan: int) -> Iterator[Place]:
        """Into a bridge, from its own IP stack."""
        inside = self._vlan_inside(bridge, bridge, vlan)
        if inside is not None:
            yield Place(bridge.end, inside, inside=True)

    def _vlan_inside(self, port: Link, bridge: Link, vlan: int) -> int | None:
        """The VLAN that frames are in inside; None: they do not get in, or that is not certain."""
        if not self._segments.readable(bridge):
            self.unsure[port] = None
            return None
        details = kinds.port_details(port.fact) if port is not bridge else {}
        unusual = any(details.get(word) for word in ("isolated", "locked", "neigh_suppress", "vlan_tunnel"))
        if unusual or details.get("learning") is False or details.get("state", "forwarding") != "forwarding":
            self.unsure[port] = None
            return None
        if not filters(bridge):
            return vlan
        pvid, untagged, tagged = self._segments.vlans(port)
        inside = vlan or pvid
        wanted = tagged if vlan else untagged
        return inside if inside and within(wanted, inside) else None

    def inside(self, bridge: Link, vlan: int) -> Iterator[Place]:
        """Inside a bridge: to all ports that let it in and out alike, and to the bridge's own IP stack."""
        self.links[bridge] = None
        for port in (bridge, *bridge.ports):
            tags = (vlan,) if not filters(bridge) else self._tags(port, vlan)
            for tag in tags:
                if self._vlan_inside(port, bridge, tag) == vlan and carries(port):
                    yield Place(port.end, tag)

    def _tags(self, port: Link, vlan: int) -> tuple[int, ...]:
        """As what a VLAN leaves by a port: untagged (0), tagged, or not at all."""
        _, untagged, tagged = self._segments.vlans(port)
        return (0,) if within(untagged, vlan) else (vlan,) if within(tagged, vlan) else ()

    def _weaken(self, evidence: Evidence) -> None:
        if CAREFUL[evidence] > CAREFUL[self.evidence]:
            self.evidence = evidence


def cycle(edges: Mapping[Place, Sequence[Place]], without: Collection[frozenset[Place]]) -> list[Place]:
    """The places of a loop in the order in which frames go round; empty: there is none. `without`: ways that do not count."""
    seen: set[Place] = set()
    for start in edges:
        if start in seen:
            continue
        seen.add(start)
        came: dict[Place, Place | None] = {start: None}
        pending = [start]
        while pending:
            place = pending.pop()
            for following in edges.get(place, ()):
                if following == came[place] or frozenset({place, following}) in without:
                    continue
                if following in came:
                    return _joined(came, place, following)
                came[following] = place
                seen.add(following)
                pending.append(following)
    return []


def _joined(came: Mapping[Place, Place | None], one: Place, other: Place) -> list[Place]:
    """The loop that is closed between two places that were reached by different ways."""

    def back(place: Place | None) -> list[Place]:
        way = []
        while place is not None:
            way.append(place)
            place = came[place]
        return way

    first, second = back(one), back(other)
    while first and second and first[-1] == second[-1]:
        common = first.pop()
        second.pop()
    return [common, *reversed(first), *second]


def is_endpoint(link: Link) -> bool:
    """Whether untagged frames that come up a link are its own IP stack's: it is no port of a switch or an aggregate, and up."""
    master = link.master
    return carries(link) and not link.loopback and (master is None or kinds.of(master.kind).routes)


def segments(network: Network) -> Segments:
    """Those of a network, worked out once for all rules."""
    found = network.once("segments", lambda: Segments(network))
    assert isinstance(found, Segments)  # noqa: S101 (what the line before put there)
    return found
