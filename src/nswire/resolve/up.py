"""The way up: from a link towards the NIC, or to where it stops, as a tree in a list.

Each step names the step that it comes after (-1: the link itself) and the wire it took. From a bridge the way goes on
to the ports that lead out, not to its other clients. A port leads out if it is no end of a pair (a NIC, a VLAN, a
bond, a tunnel), or if its other end is a port of another bridge in the same namespace, or lies at home while the
bridge does not, or holds the address of the gateway that the asked link's namespace sends its packets to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire.kinds import is_pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nswire.model.topology import Link

LONGEST = 256  # steps; a recording may claim any number

ROUTING = frozenset({"vrf"})  # masters that route: being their port is no way further by L2
LEAF_KINDS = frozenset({"tun", "tap"})  # ports whose other side is a process: clients, such as VMs


class Step(NamedTuple):
    """One step of the way: after which step, by which relation, to which link."""

    after: int
    relation: str
    link: Link


def up(start: Link, gateways: Callable[[], frozenset[str]] = frozenset) -> tuple[Step, ...]:
    """The way up from a link.

    `gateways` gives the addresses that its namespace sends packets for elsewhere to; asked only at a bridge.
    """
    steps: list[Step] = []
    seen = {start.end}
    pending: list[tuple[int, Link, str]] = [(-1, start, "")]
    while pending and len(steps) < LONGEST:
        number, link, came_by = pending.pop(0)
        for relation, following in _next(link, came_by, gateways):
            if following.end not in seen:
                seen.add(following.end)
                steps.append(Step(number, relation, following))
                pending.append((len(steps) - 1, following, relation))
    return tuple(steps)


def _next(link: Link, came_by: str, gateways: Callable[[], frozenset[str]]) -> Iterator[tuple[str, Link]]:
    master = link.master
    if master is not None and master.kind not in ROUTING and came_by != "uplink":
        yield "port", master
        return
    if link.ports and link.kind not in ROUTING:
        # a bridge that is the gateway itself: behind none of its ports is another one, so nobody has to look there
        sought = gateways()
        if not sought.isdisjoint(_own(link)):
            sought = frozenset()
        yield from (("uplink", port) for port in _uplinks(link, sought))
    wire, lower = link.lower_wire, link.lower
    if wire is not None and lower is not None:
        yield wire.relation, lower
    if link.ports:
        return
    peer = link.peer
    if peer is not None and came_by != "peer" and (came_by == "uplink" or not link.netns.home):
        yield "peer", peer


def _uplinks(bridge: Link, gateways: frozenset[str]) -> tuple[Link, ...]:
    """The ports that lead out, found once: a bridge may have a thousand ports, and each of them may be asked about."""
    memo = bridge.topology.memo
    key = (bridge.end, gateways)
    if key not in memo:
        memo[key] = tuple(port for port in bridge.ports if leads_out(port, gateways))
    return memo[key]


def leads_out(port: Link, gateways: frozenset[str]) -> bool:
    """True if the way out of a bridge may go through that port, see the head of this file."""
    if port.kind in LEAF_KINDS:
        return False
    if not is_pair(port.kind):
        return True
    far = port.peer
    if far is None:
        return False
    if far.netns.home and not port.netns.home:
        return True
    if far.master is not None and far.end.ns == port.end.ns and far.fact.master != port.fact.master:
        return True
    return bool(gateways) and not gateways.isdisjoint(_own(far))


def _own(link: Link) -> set[str]:
    return {address.address.partition("/")[0] for address in link.addresses}
