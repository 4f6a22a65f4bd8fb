"""A port has no PVID, and what is behind it sends untagged frames.

## Why it is bad

A bridge that filters by VLAN drops an untagged frame that comes in by a port without a PVID (`br_allowed_ingress`): nothing
that the endpoint sends from its own address is heard by anybody.

## When it is not

A trunk to a VM or a router that tags what it sends needs none: only endpoints are looked at that can be seen, and that
have an address on the link itself, not on a VLAN link over it.

## Example

    # bridge vlan show dev veth1
    port    vlan-id
    veth1   10
    # ip -n web -br addr
    eth0@if5    UP    192.0.2.2/24

## Fix

`bridge vlan add dev LINK vid N pvid untagged` with the VLAN that the endpoint belongs to.

## Source

net/bridge/br_vlan.c, __allowed_ingress; infix#328, infix#200.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.check.bridges import Port, filtering, has_address, listed
from nswire.check.network import is_up
from nswire.check.rule import Fact, Finding, Rule
from nswire.model.reasons import Reason
from nswire.path.values import Mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network
    from nswire.model.topology import Link

DROPS = Reason(
    "no-pvid.drops",
    "{bridge} drops whatever {sender} sends untagged, since port {port} has no PVID (VLANs: {vlans})",
)


def find(network: Network) -> Iterator[Finding]:
    """Ports without a PVID whose other end is an endpoint with an address."""
    for _, ports in filtering(network):
        for port in ports:
            peer = port.link.peer
            if port.vlans.pvid or peer is None or not is_up(peer) or not is_up(port.link):
                continue
            if peer.fact.master is None and has_address(peer):
                yield _finding(network, port, peer)


def _finding(network: Network, port: Port, peer: Link) -> Finding:
    vlans = (*port.vlans.untagged, *port.vlans.tagged)
    wire = port.link.wire
    sole = vlans[0][0] if len(vlans) == 1 and vlans[0][0] == vlans[0][1] else 0
    command = ("bridge", "vlan", "add", "dev", port.link.ifname, "vid", str(sole), "pvid", "untagged")
    return Finding(
        cause=DROPS(
            bridge=port.bridge.ifname,
            sender=network.name(peer),
            port=network.name(port.link),
            vlans=listed(vlans),
        ),
        subjects=(port.link.end, peer.end),
        facts=(
            Fact(port.link.end, "pvid", 0),
            Fact(port.link.end, "vlans", listed(vlans)),
            Fact(port.bridge.end, "vlan_filtering", 1),
        ),
        mend=Mend(f"would put what comes untagged into VLAN {sole}", port.link.end.ns, command)
        if sole
        else Mend("`bridge vlan add ... pvid untagged` with the VLAN of the endpoint would let it in"),
        confidence="proved" if wire is None else wire.evidence,
    )


RULE = Rule("no-pvid", "warning", find)
