"""Open vSwitch: which bridge a link is a port of, patch ports between bridges, tunnels without a link of their own.

Three sources, each for what it knows best. The kernel's datapath lists its ports with ifindex and namespace, also of
internal ports that were moved and renamed, but it knows no bridges. ovs-vswitchd's `dpif/show` tells which number in the
datapath each port of each bridge has. The database knows tags, patch ports, tunnels and what the cloud wrote beside them.
Without the last two, the kernel alone: ports of a datapath.

With a datapath of its own (`netdev`), ovs-vswitchd serves internal ports as taps, and takes other ports by their names.
"""

from __future__ import annotations

from errno import ECONNREFUSED, ENODATA, ENOENT
from typing import TYPE_CHECKING, NamedTuple

from nswire.codec import ovsdb
from nswire.facets import ovs_vports
from nswire.facets.facet import LOOPBACK, Detail, Facet
from nswire.host.failures import refusal
from nswire.host.system import Refusal
from nswire.model.gaps import Gap, Subject, Unseen, netns
from nswire.model.reasons import Reason
from nswire.model.values import End, Far, Wire

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from nswire.codec.ovsdb import Bridge, Interface, Port
    from nswire.facets.ovs_vports import Place
    from nswire.host.client import Client
    from nswire.model.values import Evidence, LinkFact, Loose, NsKey, Scalar, Value

VSWITCHD, NETDEV, PATCH, INTERNAL = "ovs-vswitchd", "netdev", "patch", "internal"
OWN = "ovs-netdev"  # the tap of ovs-vswitchd's datapath itself, which is no port of a bridge
NO_LINK = (
    "patch",
    "vxlan",
    "geneve",
    "gre",
    "stt",
    "lisp",
    "gtpu",
    "erspan",
    "ip6erspan",
    "ip6gre",
    "bareudp",
    "srv6",
)
BY_NUMBER = "ovs-vswitchd's port numbers (dpif/show) and the datapath's own list of ports"
BY_NAME, BY_TAP, BY_MAC = (
    "its name, in the database",
    "a tap that ovs-vswitchd serves",
    "its MAC, in the database",
)
BY_REST = "the only internal port, and the only tap of ovs-vswitchd's, that are left over"
BY_PEERS = "both patch ports name each other, in the database"
BRIDGES = Unseen(
    "ovs.bridges",
    "its bridges, and which of them ports belong to",
    hint="is Open vSwitch running? its database and ovs-vswitchd's control socket are in /run/openvswitch, for root",
)
DATAPATH_PORT = Unseen("ovs.datapath_port", "the link behind it")
PORT = Unseen("ovs.port", "the link behind it", hint="renamed, moved or gone?")
PATCH_PORT = Unseen("ovs.patch_port", "nothing: it joins no bridge", hides=False)
NOT_FOUND = Reason("scan.ovs_netns_not_found", "it is in a namespace that cannot be found")
NO_SUCH_LINK = Reason("scan.ovs_no_link", "no link of that name or number is where Open vSwitch has it")
FAULTY = Reason("scan.ovs_port_error", "{error}")
NOT_ITS_PEER = Reason("scan.ovs_not_its_peer", "{peer} is not its peer")
OVS = Subject("Open vSwitch")
TUNNEL_OPTIONS = ("remote_ip", "local_ip", "key", "dst_port")


class Seat(NamedTuple):
    """Where a port of a bridge is, and why that is known."""

    end: End
    evidence: Evidence
    said_by: str


def ask(client: Client, _: Collection[End]) -> Iterator[Wire | Loose | Detail | Gap]:
    """The wires of all bridges and datapaths of this host."""
    places: list[Place] = []
    for found in ovs_vports.in_kernel(client):
        if isinstance(found, Gap):
            yield found
        else:
            places.append(found)
    bridges, why = _bridges(client)
    if why and (places or why.errno not in ABSENT):
        yield BRIDGES(OVS, *refusal(why.errno))
    seats = _Seats(client, places, said=_vswitchd(client) if bridges else ovsdb.Vswitchd())
    seats.all(bridges)
    for bridge in bridges:
        yield from _ports(bridge, seats)
    yield from _patches(bridges, seats)
    yield from _unseated(bridges, seats)
    seated = seats.taken
    for place in places:
        if place.end is not None and place.end not in seated and place.port.ifindex != place.port.datapath:
            datapath = End(place.ns, place.port.datapath)
            yield Wire("port", place.end, datapath, "proved", ovs_vports.BY_DATAPATH)
        elif place.end is None and place.port.ifindex is not None:
            inside = netns(client.facts, place.ns)
            where = f"port {place.port.name} of {inside.text}"
            yield DATAPATH_PORT(Subject(where, (*inside.pairs, ("port", place.port.name))), NOT_FOUND())


ABSENT = (
    ENOENT,
    ECONNREFUSED,
    ENODATA,
)  # no Open vSwitch here, one that is not running, or none in a recording


def _bridges(client: Client) -> tuple[tuple[Bridge, ...], Refusal | None]:
    answer = client.host("ovsdb")
    if isinstance(answer, Refusal):
        return (), answer
    try:
        return ovsdb.bridges(answer), None
    except ValueError:
        return (), Refusal(0, "read")


def _vswitchd(client: Client) -> ovsdb.Vswitchd:
    """What ovs-vswitchd says: not asked where the database did not answer, so that a hung switch is waited for once."""
    answer = client.host("ovs")
    try:
        return ovsdb.vswitchd(answer) if isinstance(answer, bytes) else ovsdb.Vswitchd()
    except ValueError:
        return ovsdb.Vswitchd()


class _Seats:
    """Finds the link of each port of each bridge."""

    def __init__(self, client: Client, places: Iterable[Place], said: ovsdb.Vswitchd) -> None:
        self._links = client.facts.links
        inside = ovs_vports.namespace_of_process(client, said.pid, VSWITCHD) if said.pid else None
        self.ns: NsKey = client.facts.home if inside is None else inside
        self._numbers = {(one.bridge, one.name): one.number for one in ovsdb.shown(said.dpif)}
        own = [place for place in places if place.ns == self.ns]
        self._by_number = {place.port.number: place.end for place in own}
        self._by_name = {place.port.name: place.end for place in own}
        self._taps = ovs_vports.of_process(client, said.pid) if inside is not None else {}
        self._seats: dict[tuple[str, str], Seat | None] = {}

    def all(self, bridges: Iterable[Bridge]) -> None:
        """Find all of them: by name, number or MAC, and then the one that is left for the one that is left."""
        for bridge in bridges:
            for port in bridge.ports:
                for interface in port.interfaces:
                    find = self._in_netdev if bridge.datapath_type == NETDEV else self._in_kernel
                    self._seats[bridge.name, interface.name] = find(bridge, interface)
        lost = [
            (bridge.name, interface.name)
            for bridge in bridges
            for port in bridge.ports
            for interface in port.interfaces
            if bridge.datapath_type == NETDEV
            and interface.type == INTERNAL
            and self._seats[bridge.name, interface.name] is None
        ]
        taken = self.taken
        left = [end for name, ends in self._taps.items() for end in ends if end not in taken and name != OWN]
        if len(lost) == len(left) == 1:
            self._seats[lost[0]] = Seat(left[0], "inferred", BY_REST)

    @property
    def taken(self) -> set[End]:
        """The links that are ports of bridges."""
        return {seat.end for seat in self._seats.values() if seat is not None}

    def of(self, bridge: Bridge, interface: Interface) -> Seat | None:
        """Where that interface of that bridge is; None if it has no link, or none that can be found."""
        return self._seats.get((bridge.name, interface.name))

    def number(self, bridge: Bridge, interface: Interface) -> int | None:
        """Its number in the datapath, as ovs-vswitchd has it."""
        return self._numbers.get((bridge.name, interface.name))

    def local(self, bridge: Bridge) -> End | None:
        """The bridge's own link: its local port, which is called like it."""
        for port in bridge.ports:
            for interface in port.interfaces:
                if interface.name == bridge.name:
                    seat = self.of(bridge, interface)
                    return None if seat is None else seat.end
        return None

    def _in_kernel(self, bridge: Bridge, interface: Interface) -> Seat | None:
        number = self._numbers.get((bridge.name, interface.name))
        end = None if number is None else self._by_number.get(number)
        if end is not None:
            return Seat(end, "proved", BY_NUMBER)
        named = self._by_name.get(interface.name)
        return None if named is None or number is not None else Seat(named, "inferred", BY_NAME)

    def _in_netdev(self, _: Bridge, interface: Interface) -> Seat | None:
        if interface.type in NO_LINK:
            return None
        if interface.type == INTERNAL:
            return self._tap(interface)
        for link in self._links.get(self.ns, {}).values():
            if link.ifname == interface.name:
                return Seat(End(self.ns, link.ifindex), "inferred", BY_NAME)
        return None

    def _tap(self, interface: Interface) -> Seat | None:
        """An internal port is a tap of ovs-vswitchd's; renamed in another namespace it is known by its MAC alone."""
        named = self._taps.get(interface.name, [])
        if len(named) == 1:
            return Seat(named[0], "inferred", BY_TAP)
        by_mac = [end for ends in self._taps.values() for end in ends if self._mac(end) == interface.mac]
        return Seat(by_mac[0], "inferred", BY_MAC) if len(by_mac) == 1 and not named else None

    def _mac(self, end: End) -> str:
        return self._links[end.ns][end.ifindex].address


def _ports(bridge: Bridge, seats: _Seats) -> Iterator[Wire | Detail]:
    local = seats.local(bridge)
    shared: set[End] = set()  # the links that several tunnels of the kernel's datapath have in common
    for port in bridge.ports:
        for interface in port.interfaces:
            seat = seats.of(bridge, interface)
            if seat is not None and interface.type not in NO_LINK:
                yield Detail(seat.end, _told(bridge, port, interface, seats.number(bridge, interface)))
            if local is None:
                continue
            tunnel = interface.type in NO_LINK and interface.type != PATCH
            if seat is not None and seat.end != local and (seat.end not in shared or not tunnel):
                shared.add(seat.end)
                data = () if tunnel else _data(port, interface)
                yield Wire("port", seat.end, local, seat.evidence, seat.said_by, data=data)
            if tunnel:
                options = {
                    name: interface.options[name] for name in TUNNEL_OPTIONS if name in interface.options
                }
                far = Far("tunnel", interface.name, data=(("type", interface.type), *options.items()))
                yield Wire("underlay", local, None, "proved", "the database", far, _data(port, interface))


def _unseated(bridges: Iterable[Bridge], seats: _Seats) -> Iterator[Gap]:
    for bridge in bridges:
        for port in bridge.ports:
            for interface in port.interfaces:
                if interface.type not in NO_LINK and seats.of(bridge, interface) is None:
                    why = FAULTY(error=interface.error) if interface.error else NO_SUCH_LINK()
                    yield PORT(_port(bridge, interface), why)


def _port(bridge: Bridge, interface: Interface, what: str = "port") -> Subject:
    pairs = (("bridge", bridge.name), ("port", interface.name))
    return Subject(f"{what} {interface.name} of {bridge.name}", pairs)


def _data(port: Port, interface: Interface) -> tuple[tuple[str, Scalar], ...]:
    data: list[tuple[str, Scalar]] = []
    if port.tag:
        data.append(("tag", port.tag))
    if port.trunks:
        data.append(("trunks", " ".join(map(str, port.trunks))))
    if interface.number:
        data.append(("ofport", interface.number))
    if len(port.interfaces) > 1:
        data.append(("bond", port.name))
    return tuple(data)


def _told(bridge: Bridge, port: Port, interface: Interface, number: int | None) -> dict[str, Value]:
    """What the database says of a port that has a link, the cloud's own marks among it."""
    said: dict[str, Value] = {"bridge": bridge.name, "datapath": bridge.datapath_type, "type": interface.type}
    said |= dict(_data(port, interface))
    if number is not None:
        said["datapath_port"] = number
    if interface.error:
        said["error"] = interface.error
    if interface.external_ids:
        said["external_ids"] = dict(interface.external_ids)
    return said


def _patches(bridges: Iterable[Bridge], seats: _Seats) -> Iterator[Wire | Gap]:
    """Two patch ports that name each other join their bridges; one whose peer is not there joins nothing."""
    patches = {
        interface.name: (bridge, interface)
        for bridge in bridges
        for port in bridge.ports
        for interface in port.interfaces
        if interface.type == PATCH
    }
    for name, (bridge, interface) in patches.items():
        peer = interface.options.get("peer", "")
        other = patches.get(peer)
        if other is None or other[1].options.get("peer") != name:
            yield PATCH_PORT(_port(bridge, interface, "patch port"), NOT_ITS_PEER(peer=peer or "none"))
            continue
        a, b = seats.local(bridge), seats.local(other[0])
        if name < peer and a is not None and b is not None:
            yield Wire("patch", a, b, "mutual", BY_PEERS, data=(("ports", f"{name} {peer}"),))


def _about(link: LinkFact) -> bool:
    """Any link may be a port of ovs-vswitchd's own datapath, which the kernel knows nothing of."""
    return link.type != LOOPBACK


FACET = Facet("ovs", _about, ask, wires=("port", "patch", "underlay"), scope="host")
