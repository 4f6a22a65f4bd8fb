"""The way up: from a link towards the NIC, or to where it stops, as a tree in a list.

Each step names the step that it comes after (-1: the link itself) and the wire it took. From a bridge the way goes on
to the ports that lead out, not to its other clients. A port leads out if it is no end of a pair (a NIC, a VLAN, a
bond, a tunnel), or of a bond itself, or if its other end is a port of another bridge in the same namespace that leads out in turn, or lies at
home while the bridge does not, or holds the address of a gateway: of the one that the asked link's namespace sends its packets to, or, where
that tells of no port, of one that any other client of the bridge has. So the way up from a bridge itself, or from a guest of which nothing is known, is
the one of its neighbours.

From a NIC, a port of a bond, a VLAN or a tunnel the way does not go back to its master and out by another port: it is a way out itself.

Each branch ends, and says why: at a NIC; where its namespace's routes decide; at a process; at what cannot be seen.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from nswire import kinds
from nswire.model.values import RT_SCOPE_LINK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nswire.model.topology import Link, Topology
    from nswire.model.values import End, Far, Loose, NsKey, Wire

LONGEST = 1024  # steps; a recording may claim any number


class Step(NamedTuple):
    """One step of the way: after which step, by which relation, to which link or else to what; `wire` has the evidence."""

    after: int
    relation: str
    link: Link | None
    to: Far | None
    wire: Wire | None


class Stop(NamedTuple):
    """Where a branch ends: after which step, at what (see `ENDS`), and what is not known, if that is why."""

    after: int
    end: str
    loose: Loose | None = None


class Way(NamedTuple):
    """The way up, and its ends."""

    steps: tuple[Step, ...]
    ends: tuple[Stop, ...]


class _Onward(NamedTuple):
    relation: str
    link: Link | None = None
    to: Far | None = None
    wire: Wire | None = None


ENDS = {
    "nic": "a NIC: from here packets leave this machine",
    "routes": "from here the routes of {netns} decide",
    "no uplink": "none of its ports leads out",
    "no ports": "it has no ports",
    "nothing": "nothing more is tied to it",
    "single": "it was made single, without another end",
    "loopback": "what is sent here comes back",
    "process": "a process has it from here",
    "unserved": "no process that can be seen serves it",
    "namespace": "from here the routes of {netns} decide",
    "tunnel": "a tunnel has it from here",
    "again": "the way comes back to itself",
    "too long": "there is more, which is not followed",
    "unknown": "what comes next is not known for certain",
}


class _Sought(NamedTuple):
    """Addresses of gateways, asked only at a bridge: those of the asked link's namespace; those of a switch's clients."""

    own: Callable[[], frozenset[str]]
    of_clients: Callable[[Link], frozenset[str]]


def up(
    start: Link,
    gateways: Callable[[], frozenset[str]] = frozenset,
    of_clients: Callable[[Link], frozenset[str]] = lambda _: frozenset(),
) -> Way:
    """The way up from a link.

    `gateways` gives the addresses that its namespace sends packets for elsewhere to; asked only at a bridge. `of_clients` gives
    those of all that is at a switch; asked only where none of its ports leads out by the others.
    """
    sought = _Sought(gateways, of_clients)
    steps: list[Step] = []
    ends: list[Stop] = []
    seen = {start.end}
    pending = deque([(-1, start, "uplink" if _is_uplink(start) else "")])
    while pending:
        number, link, came_by = pending.popleft()
        onward, stop = _next(link, came_by, sought)
        if number < 0 and stop is not None and stop.end == "nothing":
            ring = _of_ring(link)
            onward, stop = (ring, None) if ring else (onward, stop)
        if stop is not None:
            ends.append(stop._replace(after=number))
        onward = [one for one in onward if one.link is not None or one.to is not None]
        fresh = [one for one in onward if one.link is None or one.link.end not in seen]
        if onward and not fresh:
            out = all(one.relation in ("uplink", "patch") for one in onward)
            ends.append(Stop(number, "no uplink" if out else "again"))
        for one in fresh:
            if len(steps) >= LONGEST:
                return Way(tuple(steps), (*ends, Stop(len(steps) - 1, "too long")))
            steps.append(Step(number, one.relation, one.link, one.to, one.wire))
            if one.link is not None:
                seen.add(one.link.end)
                pending.append((len(steps) - 1, one.link, one.relation))
            elif one.to is not None:
                ends.append(Stop(len(steps) - 1, one.to.type))
    return Way(tuple(steps), tuple(ends))


def _is_uplink(link: Link) -> bool:
    """True for a link that is a way out itself, whatever it is a port of: a NIC, one of those that are one by a bond, what stands on one."""
    stands = link.kind in kinds.STANDING and not kinds.of(link.kind).leaf
    return stands or kinds.of(link.fact.slave_kind).aggregate or not (link.kind or link.loopback)


def _of_ring(link: Link) -> list[_Onward]:
    """The aggregate of which a link is a port where nothing else is tied to it: that of a ring, which old kernels call no master."""
    ring = [upper for upper in link.uppers if kinds.of(upper.kind).aggregate]
    return list(_masters(link)) or [_Onward("port", upper) for upper in ring]


def way_up(link: Link) -> Way:
    """The way up from a link, told by the gateways of its own namespace and of its peer's."""

    def gateways() -> frozenset[str]:
        ends = {link.end.ns} | ({link.peer.end.ns} if link.peer is not None else set())
        # what home's own packets do tells nothing about a client's, and home's table is the longest
        spaces = ends - {link.topology.home} or ends
        return frozenset(gateway.address for ns in spaces for gateway in link.topology.gateways(ns))

    return up(link, gateways, _gateways_of_clients)


def _gateways_of_clients(switch: Link) -> frozenset[str]:
    """The gateways of all namespaces that are at a switch, or at one that it is joined to."""
    topology, seen, pending = switch.topology, {switch.end}, [switch]
    spaces: set[NsKey] = set()
    while pending and len(seen) <= SWITCHES:
        at = pending.pop()
        joined = [far for _, far in _patched(at)]
        for port in at.ports:
            far = port if kinds.of(port.kind).leaf else port.peer
            if far is None:
                continue
            beside = next((one.link for one in _masters(far) if one.link is not None), None)
            if beside is None:
                spaces.add(far.end.ns)
            elif beside.end.ns == at.end.ns:
                joined.append(beside)
        fresh = [one for one in joined if one.end not in seen]
        seen |= {one.end for one in fresh}
        pending += fresh
    spaces.discard(topology.home)
    return frozenset(gateway.address for ns in spaces for gateway in topology.gateways(ns))


def _next(link: Link, came_by: str, sought: _Sought) -> tuple[list[_Onward], Stop | None]:
    """Where the way goes on from a link, and why it does not, if it does not or not everywhere."""
    if came_by != "uplink":
        above = list(_masters(link))
        if above:
            return above, None
    if _is_switch(link):
        out = list(_uplinks(link, sought.own()))
        if not out and not _is_routed(link):
            out = list(_uplinks(link, sought.of_clients(link)))
        return (out, None) if out else ([], Stop(0, _end_of_switch(link)))
    below = [_to(link, wire) for wire in link.lower_wires]
    loose = link.loose
    if loose is not None and loose.relation != "peer":
        return below, Stop(0, "unknown", loose)
    if below:
        return below, None
    return _across(link, came_by, loose)


def _across(link: Link, came_by: str, loose: Loose | None) -> tuple[list[_Onward], Stop | None]:
    """A link with nothing above and below: to the other end of its pair, to where tc or a process takes its packets."""
    if link.kind in kinds.PAIRS:
        if kinds.is_single(link.fact):
            return [], Stop(0, "single")
        if came_by == "peer" or (not came_by and link.netns.home):
            return [], Stop(0, "routes")
        peer = link.peer
        if peer is not None:
            return [_Onward("peer", peer, wire=link.wire)], None
        return [], Stop(0, "unknown", loose)
    late = [_to(link, wire) for wire in link.late_wires(*ACROSS) if wire.a == link.end and _goes_on(wire)]
    if late:
        # tc sends on at once what a process would otherwise get
        redirected = [one for one in late if one.relation == "redirect"]
        return redirected or late, None
    unknown = next(iter(link.late_loose(*ACROSS)), None)
    if unknown is not None:
        return [], Stop(0, "unknown", unknown)
    return [], Stop(0, _end_of(link))


def _goes_on(wire: Wire) -> bool:
    """True for wires that take along what a link is sent, or gets: of tc's only what sends on what comes in."""
    if wire.relation == "redirect":
        return dict(wire.data).get("from") == "ingress" and dict(wire.data).get("to") == "egress"
    return True


ACROSS = ("redirect", "tap", "underlay", "lower")


def _end_of(link: Link) -> str:
    if link.loopback:
        return "loopback"
    if not link.kind:
        return "nic"
    if kinds.of(link.kind).relation == "underlay":
        return "routes"
    return "unserved" if kinds.of(link.kind).served else "nothing"


def _end_of_switch(link: Link) -> str:
    if _is_routed(link):
        return "routes"
    return "no uplink" if link.ports else "no ports"


def _masters(link: Link) -> Iterator[_Onward]:
    """What it is a port of: a virtual switch says that better than the kernel, which only names its datapath."""
    ports = [wire for wire in link.late_wires("port") if wire.a == link.end]
    if ports:
        yield from (_to(link, wire) for wire in ports)
        return
    master = link.master
    if master is not None and not kinds.of(master.kind).routes:
        yield _Onward("port", master)


def _to(link: Link, wire: Wire) -> _Onward:
    return _Onward(wire.relation, link.topology.at(wire.b), wire.to, wire)


def _is_switch(link: Link) -> bool:
    """True for a bridge, bond ... also without ports, and for a virtual switch."""
    row = kinds.of(link.kind)
    if row.routes:
        return False
    return row.switch or bool(link.ports or link.late_wires("patch") or _tunnels(link))


def _uplinks(switch: Link, sought: frozenset[str]) -> Iterator[_Onward]:
    """The ports that lead out, other switches that it is joined to by patch ports, and its tunnels."""
    # a bridge that is the gateway itself: behind none of its ports is another one, so nobody has to look there
    if not sought.isdisjoint(_own(switch)):
        sought = frozenset()
    tunnels = _tunnels(switch)
    for port in _leading_out(switch, sought):
        if not (tunnels and kinds.is_shared_tunnel(port.fact)):  # the link that all of them have in common
            yield _Onward("uplink", port)
    yield from (_to(switch, wire) for wire in tunnels)
    for wire, far in _patched(switch):
        if _reaches_out(far, sought, frozenset((switch.end,))):
            yield _Onward("patch", far, None, wire)


def _tunnels(switch: Link) -> list[Wire]:
    """The tunnels of a virtual switch, which are no links of their own."""
    wires = switch.late_wires("underlay")
    return [
        wire for wire in wires if wire.to is not None and wire.to.type == "tunnel" and wire.a == switch.end
    ]


def _patched(switch: Link) -> Iterator[tuple[Wire, Link]]:
    """The switches that patch ports join it to."""
    for wire in switch.late_wires("patch"):
        far = switch.topology.at(wire.b if wire.a == switch.end else wire.a)
        if far is not None:
            yield wire, far


def _reaches_out(switch: Link, gateways: frozenset[str], passed: frozenset[End]) -> bool:
    """True if something leads out of a switch, other than back to those that were passed on the way to it."""
    if switch.end in passed or len(passed) > SWITCHES:
        return False
    if _tunnels(switch) or _is_routed(switch):
        return True
    further = passed | {switch.end}
    return any(leads_out(port, gateways, further) for port in switch.ports) or any(
        _reaches_out(far, gateways, further) for _, far in _patched(switch)
    )


SWITCHES = 16  # in a row, until the way through them is not followed any more


# by switch and gateways: ends and no links, which would keep their topology alive
_LEADING_OUT: WeakKeyDictionary[Topology, dict[tuple[End, frozenset[str]], tuple[End, ...]]] = (
    WeakKeyDictionary()
)


def _leading_out(switch: Link, gateways: frozenset[str]) -> tuple[Link, ...]:
    """The ports that lead out, found once: a bridge may have a thousand ports, and each of them may be asked about."""
    memo = _LEADING_OUT.setdefault(switch.topology, {})
    key = (switch.end, gateways)
    if key not in memo:
        passed = frozenset((switch.end,))
        memo[key] = tuple(port.end for port in switch.ports if leads_out(port, gateways, passed))
    return tuple(port for end in memo[key] if (port := switch.topology.get(end)) is not None)


def leads_out(port: Link, gateways: frozenset[str], passed: frozenset[End] = frozenset()) -> bool:
    """True if the way out of a switch may go through that port, see the head of this file."""
    row = kinds.of(port.kind)
    if kinds.of(port.fact.slave_kind).aggregate or not (row.leaf or row.relation == "peer"):
        return True
    if row.leaf:
        return False
    far = port.peer
    if far is None:
        return False
    if far.netns.home and not port.netns.home:
        return True
    if far.end.ns == port.end.ns:
        beside = next((one.link for one in _masters(far) if one.link is not None), None)
        if beside is not None:
            return _reaches_out(beside, gateways, passed)
    return bool(gateways) and not gateways.isdisjoint(_own(far))


def may_lead_out(switch: Link) -> list[Link]:
    """The ports of a switch that may be a way out, where none is for certain: behind them is a namespace with further links."""
    return [
        port
        for port in switch.ports
        if port.peer is not None
        and not port.peer.netns.home
        and any(
            not one.loopback and one.end != port.peer.end
            for one in switch.topology.links(port.peer.netns.key)
        )
    ]


def _is_routed(link: Link) -> bool:
    """True if its namespace may be asked to route what comes in by it: it has an address that others can use."""
    return any(address.scope < RT_SCOPE_LINK for address in link.addresses)


def _own(link: Link) -> set[str]:
    return {address.ip for address in link.addresses}
