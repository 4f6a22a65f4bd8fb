"""A VLAN of a port is on no other port of its bridge that leads out.

## Why it is bad

What is in that VLAN reaches nobody beyond this bridge: the uplinks do not carry it, no VLAN link over the bridge routes it.

## When it is not

A VLAN that several ports of the bridge share may be meant to stay on the host, so then it is a note. VLANs in ranges, as a
trunk for a VM has them, and bridges without an uplink are not looked at.

## Example

    # bridge vlan show
    eth0    1 PVID Egress Untagged
    veth1   20 PVID Egress Untagged

## Fix

`bridge vlan add dev UPLINK vid N`, and the same on the switch beyond.

## Source

net/bridge/br_vlan.c, br_allowed_egress; containernetworking/plugins#939; basebox#347.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire import kinds
from nswire.check.bridges import Port, carries_vlan, filtering, vlans_of
from nswire.check.network import is_up
from nswire.check.rule import Fact, Finding, Rule
from nswire.model.reasons import Reason
from nswire.path.values import Mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network
    from nswire.model.topology import Link

ALONE = Reason(
    "vlan-not-on-uplink.alone",
    "VLAN {vlan} of port {port} is on no other port of {bridge}: nobody is reached",
)
INSIDE = Reason(
    "vlan-not-on-uplink.inside", "VLAN {vlan} of port {port} does not leave {bridge}: {uplinks} carry it not"
)
UPLINKS = ("bond", "team", "vxlan", "geneve", "gretap", "ip6gretap", "")
"""Kinds of ports that lead out of the host; empty: a NIC."""


def find(network: Network) -> Iterator[Finding]:
    """The VLANs of ports that have them by themselves (their PVID, or alone), on bridges with an uplink."""
    for bridge, ports in filtering(network):
        uplinks = [port for port in ports if port.link.kind in UPLINKS]
        others = [port for port in ports if port.link.kind not in UPLINKS and is_up(port.link)]
        if not uplinks:
            continue
        for port in others:
            for vlan in sorted(_own(port)):
                if not _leads_out(network, bridge, uplinks, vlan):
                    yield _finding(network, port, vlan, uplinks, [one for one in others if one is not port])


def _own(port: Port) -> set[int]:
    ranges = (*port.vlans.untagged, *port.vlans.tagged)
    alone = {first for first, last in ranges if first == last}
    leftover = {1} if port.vlans.pvid not in (0, 1) else set()  # the default PVID, which nobody took off
    return alone - leftover


def _leads_out(network: Network, bridge: Link, uplinks: list[Port], vlan: int) -> bool:
    if any(carries_vlan(port.vlans, vlan) for port in uplinks):
        return True
    own = vlans_of(network, bridge)
    routed = any(one.kind == "vlan" and kinds.details(one.fact).get("id") == vlan for one in bridge.uppers)
    return carries_vlan(own, vlan) and (routed or own.pvid == vlan)


def _finding(network: Network, port: Port, vlan: int, uplinks: list[Port], others: list[Port]) -> Finding:
    shared = any(carries_vlan(one.vlans, vlan) for one in others)
    names = ", ".join(one.link.ifname for one in uplinks)
    told: dict[str, str | int] = {"vlan": vlan, "port": network.name(port.link), "bridge": port.bridge.ifname}
    command = ("bridge", "vlan", "add", "dev", uplinks[0].link.ifname, "vid", str(vlan))
    return Finding(
        cause=INSIDE(**told, uplinks=names) if shared else ALONE(**told),
        subjects=(port.link.end, *(one.link.end for one in uplinks)),
        facts=(
            Fact(port.link.end, "vlan", vlan),
            *(Fact(one.link.end, "pvid", one.vlans.pvid) for one in uplinks),
        ),
        mend=Mend("would let it out, tagged", port.link.end.ns, command),
        severity="note" if shared else "warning",
    )


RULE = Rule("vlan-not-on-uplink", "warning", find)
