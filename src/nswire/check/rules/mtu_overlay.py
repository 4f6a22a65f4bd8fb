"""A tunnel's packets are larger than the link that they leave by.

## Why it is bad

What a tunnel puts around a packet has to fit as well: 50 bytes for VXLAN over IPv4. Outer packets that are too large are
split, which costs much and which switches and firewalls on the way often drop (`mtu-overlay.split`, VXLAN and Geneve over
IPv4), or not sent at all (`mtu-overlay.too_large`): small packets pass, and large ones do not.

## When it is not

A tunnel that carries whatever it is told to (`external`, as Open vSwitch's `vxlan_sys_4789` with its MTU of 65000) says nothing
by its MTU, and is not looked at. Nor is one whose remote end, and so whose way, is not known.

## Example

    # ip -d link show dev vxlan7
    7: vxlan7: ... mtu 1500 ... vxlan id 7 remote 192.0.2.9
    # ip route get 192.0.2.9
    192.0.2.9 dev eth0        (mtu 1500)

## Fix

`ip link set dev TUNNEL mtu N`, N being the lower link's MTU less what the tunnel adds; or a larger MTU on the whole way below.

## Source

drivers/net/vxlan/vxlan_core.c, net/ipv4/ip_tunnel.c (ip_tunnel_bind_dev); libnetwork#2661, rancher#11438.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire import kinds
from nswire.check.network import is_up
from nswire.check.rule import Fact, Finding, Rule
from nswire.model.reasons import Reason
from nswire.model.tables import Query
from nswire.model.values import End
from nswire.path.devices.tunnel import IPV4_HEADER, IPV6_HEADER, ROWS, underlay
from nswire.path.fib import Fib
from nswire.path.values import UDP, Mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network
    from nswire.model.topology import Link

SPLIT = Reason(
    "mtu-overlay.split",
    "{tunnel} (mtu {mtu}) adds {more} bytes, and {lower} has mtu {limit}: its largest packets are split",
)
TOO_LARGE = Reason(
    "mtu-overlay.too_large",
    "{tunnel} (mtu {mtu}) adds {more} bytes, and {lower} has mtu {limit}: its largest packets are not sent",
)


def find(network: Network) -> Iterator[Finding]:
    """Tunnels that are up, with a remote end, and the link that leads there."""
    for link in network.links():
        row, details = ROWS.get(link.kind), kinds.details(link.fact)
        remote = str(details.get("remote") or "")
        if row is None or not remote or not is_up(link) or details.get("external"):
            continue
        lower, limit = _lower(network, link, remote)
        header = IPV6_HEADER if ":" in remote else IPV4_HEADER
        more, mtu = row.overhead + header, link.fact.mtu
        if lower is None or mtu + more <= limit:
            continue
        split = row.proto == UDP and header == IPV4_HEADER
        told: dict[str, str | int] = {"tunnel": network.name(link), "lower": network.name(lower)}
        command = ("ip", "link", "set", "dev", link.ifname, "mtu", str(limit - more))
        yield Finding(
            cause=(SPLIT if split else TOO_LARGE)(**told, mtu=mtu, more=more, limit=limit),
            subjects=(link.end, lower.end),
            facts=(Fact(link.end, "mtu", mtu), Fact(lower.end, "mtu", limit)),
            mend=Mend("would leave room for what the tunnel adds", link.end.ns, command),
            severity="warning" if split else "error",
        )


def _lower(network: Network, link: Link, remote: str) -> tuple[Link | None, int]:
    """The link that the outer packets leave by, and what fits there: named by the tunnel, or by the routes to its remote end."""
    for wire in link.lower_wires:
        named = network.topology.at(wire.b)
        if wire.relation == "underlay" and named is not None:
            return named, named.fact.mtu
    key = underlay(link)
    ns = None if key is None else network.topology.namespaces.get(key)
    if ns is None or not all(network.can_read(ns, table) for table in ("rules", "routes")):
        return None, 0
    found = Fib(network.topology, network.lookups).lookup(ns.key, Query(remote))
    if found.unsure or found.route is None or len(found.hops) != 1:
        return None, 0
    lower = network.topology.get(End(ns.key, found.hops[0].ifindex))
    if lower is None:
        return None, 0
    return lower, min(lower.fact.mtu, found.route.mtu or lower.fact.mtu)


RULE = Rule("mtu-overlay", "error", find)
