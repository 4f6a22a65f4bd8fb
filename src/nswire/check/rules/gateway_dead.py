"""A gateway of a route cannot be reached.

## Why it is bad

All that the route is for is lost: at once, with "no route to host", where the link is down or the neighbour did not answer, or into the
void.

## When it is not

A gateway that nobody has at the moment because all is just being built is looked at a second time. Where others answer for the address
(`proxy_arp`, a permanent neighbour: Calico's 169.254.1.1), or the segment goes on to where nothing can be seen, it may well be there. Links
with `NOARP` ask nobody.

## Example

    # ip route
    default via 10.0.0.1 dev eth0 linkdown
    # ip neigh
    10.0.0.1 dev eth0 FAILED

## Fix

What is wrong below, first: the link, the wire, the port. Else the address that the route names, or the host that should have it.

## Source

net/ipv4/fib_semantics.c, fib_sync_down_dev; net/core/neighbour.c, neigh_invalidate; kubeskoop pkg/assertions/netstack.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.check.network import is_up
from nswire.check.routers import gateways
from nswire.check.rule import Fact, Finding, Rule
from nswire.model.reasons import Reason
from nswire.model.routing import DEAD, FAILED, LINKDOWN, VALID
from nswire.model.tables import NotKnown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network
    from nswire.check.routers import Gateway
    from nswire.model.reasons import Cause
    from nswire.model.topology import Link

DOWN = Reason(
    "gateway-dead.linkdown",
    "{gateway}, the gateway of {count} routes of {netns}, is behind {link}, which is {state}",
)
SILENT = Reason(
    "gateway-dead.failed", "{gateway}, the gateway of {count} routes of {netns}, did not answer on {link}"
)
NOBODY = Reason(
    "gateway-dead.nobody",
    "nobody on the segment of {link} has {gateway}, the gateway of {count} routes of {netns}",
)


def find(network: Network) -> Iterator[Finding]:
    """The gateways of routes, by what the FIB says of the link, what the neighbour table says, and who is on the segment."""
    for gateway in gateways(network):
        link = gateway.link
        if "NOARP" in link.flags or not is_up(link):
            continue
        found = _dead(network, gateway)
        if found is None:
            continue
        cause, facts = found
        peer = link.peer
        yield Finding(
            cause=cause,
            subjects=(link.end,),
            facts=(Fact(link.end, "via", gateway.address), *facts),
            hangs_on=() if peer is None else (peer.end,),
            confidence=gateway.evidence,
        )


def _dead(network: Network, gateway: Gateway) -> tuple[Cause, tuple[Fact, ...]] | None:
    link = gateway.link
    told: dict[str, str | int] = {
        "gateway": gateway.address,
        "netns": network.title(link.end.ns),
        "link": network.name(link),
        "count": len(gateway.routes),
    }
    if gateway.hop.flags & (DEAD | LINKDOWN):
        state = "dead" if gateway.hop.flags & DEAD else "linkdown"
        return DOWN(**told, state=state), (Fact(link.end, state, value=True),)
    try:
        known = [
            one
            for one in network.lookups.neighbours(link.end.ns)
            if (one.ifindex, one.address, one.proxy) == (link.ifindex, gateway.address, False)
        ]
    except NotKnown as unknown:
        network.unread(link.netns, "neighbours", unknown.cause)
        return None
    if any(one.state & VALID for one in known):
        return None
    if any(one.state & FAILED for one in known):
        return SILENT(**told), (Fact(link.end, "neighbour", "FAILED"),)
    segment = gateway.segment
    if segment is None or gateway.holders or segment.leaves or segment.unsure:
        return None
    if any(_answers_for_others(network, one) for one in segment.endpoints if one != link):
        return None
    return NOBODY(**told), (Fact(link.end, "endpoints of its segment", len(segment.endpoints)),)


def _answers_for_others(network: Network, link: Link) -> bool:
    """Whether a link may answer for addresses that it has not; also if that cannot be told."""
    try:
        proxies = any(
            one.proxy and one.ifindex == link.ifindex for one in network.lookups.neighbours(link.end.ns)
        )
        names = ("ipv4/conf/{}/proxy_arp", "ipv4/conf/{}/proxy_arp_pvlan", "ipv6/conf/{}/proxy_ndp")
        return proxies or any(network.sysctl(link, name) != 0 for name in names)
    except NotKnown:
        return True


RULE = Rule(
    "gateway-dead",
    "error",
    find,
    needs=("routes", "neighbours"),
    under=("half-up", "port-not-forwarding", "no-pvid"),
)
