"""Routes lead to a namespace as a gateway, and it does not forward.

## Why it is bad

What is sent to the gateway for anybody beyond is dropped there without a word: the gateway itself answers pings, and all behind it is
silent.

## When it is not

A namespace without another link that is up (a loopback or dummy link aside) has nowhere to forward to: it takes packets for itself. Settings count as the kernel combines them: for IPv4 that
of the link that a packet comes in by, for IPv6 that of all links.

## Example

    # ip -n a route
    default via 10.0.0.1 dev eth0
    # ip netns exec router sysctl net.ipv4.conf.ra.forwarding
    net.ipv4.conf.ra.forwarding = 0

## Fix

`sysctl -w net.ipv4.ip_forward=1`, `sysctl -w net.ipv6.conf.all.forwarding=1` in the namespace of the gateway, and in /etc/sysctl.d.

## Source

net/ipv4/route.c, ip_route_input_slow (IN_DEV_FORWARD); net/ipv6/ip6_output.c, ip6_forward; kubeskoop pkg/assertions/netstack.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.check.network import carries
from nswire.check.routers import gateways
from nswire.check.rule import Fact, Finding, Rule
from nswire.model.reasons import Reason
from nswire.model.tables import NotKnown
from nswire.path.values import Mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network
    from nswire.check.routers import Gateway
    from nswire.model.topology import Link

OFF = Reason(
    "forwarding-off.gateway",
    "routes of {sender} lead by {gateway} to {link}, which does not forward IPv{family}",
)
SETTINGS = {4: "ipv4/conf/{}/forwarding", 6: "ipv6/conf/all/forwarding"}
COMMANDS = {4: "net.ipv4.ip_forward=1", 6: "net.ipv6.conf.all.forwarding=1"}


def find(network: Network) -> Iterator[Finding]:
    """Gateways in namespaces that can be seen, and what these do with packets for others."""
    told: set[tuple[object, int]] = set()
    for gateway in gateways(network):
        family = 6 if ":" in gateway.address else 4
        for holder in gateway.holders:
            if (
                (holder.end, family) in told
                or not _leads_on(holder)
                or not network.can_read(holder.netns, "sysctls")
            ):
                continue
            if not _forwards(network, holder, family):
                told.add((holder.end, family))
                yield _finding(network, gateway, holder, family)


def _leads_on(gateway: Link) -> bool:
    """Whether there is another link by which packets could go on."""
    others = gateway.topology.links(gateway.end.ns)
    return any(one != gateway and not one.loopback and one.kind != "dummy" and carries(one) for one in others)


def _forwards(network: Network, link: Link, family: int) -> bool:
    try:
        return network.lookups.sysctl(link.end.ns, SETTINGS[family], link.ifname if family == 4 else "") != 0
    except NotKnown:
        return True  # not known to be off


def _finding(network: Network, gateway: Gateway, holder: Link, family: int) -> Finding:
    sender = network.title(gateway.link.end.ns)
    return Finding(
        cause=OFF(sender=sender, gateway=gateway.address, link=network.name(holder), family=family),
        subjects=(holder.end, gateway.link.end),
        facts=(
            Fact(holder.end, SETTINGS[family].format(holder.ifname), 0),
            Fact(gateway.link.end, "via", gateway.address),
        ),
        mend=Mend("would let it forward", holder.end.ns, ("sysctl", "-w", COMMANDS[family])),
        confidence=gateway.evidence,
    )


RULE = Rule("forwarding-off", "error", find, needs=("routes", "sysctls"))
