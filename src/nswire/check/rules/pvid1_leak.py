"""Ports have a PVID of their own, and are still members of the default one.

## Why it is bad

A port that gets a PVID keeps the one it was born with (`vlan_default_pvid`, 1) as an untagged VLAN. Frames that are in that
VLAN, as broadcasts of the bridge itself or of an uplink, leave by all of these ports.

## When it is not

It leaks only what is in the default VLAN: as long as nobody sends there, nothing. So it is a note.

## Example

    # bridge vlan show
    veth1   1 Egress Untagged
            10 PVID Egress Untagged

## Fix

`bridge vlan del dev LINK vid 1`; new ports are born without it after `ip link set BRIDGE type bridge vlan_default_pvid 0`.

## Source

net/bridge/br_vlan.c, nbp_vlan_init; ifupdown-ng#258.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire import kinds
from nswire.check.bridges import carries_vlan, filtering, within
from nswire.check.rule import Fact, Finding, Rule
from nswire.model.reasons import Reason
from nswire.path.values import Mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network

MEMBER = Reason(
    "pvid1-leak.member",
    "port {port} is in VLAN {pvid}, and still gets what is in VLAN {default}, as other ports of {bridge} do",
)


def find(network: Network) -> Iterator[Finding]:
    """Ports that were left in the default VLAN of their bridge, where another port is in it, too."""
    for bridge, ports in filtering(network):
        default = kinds.details(bridge.fact).get("vlan_default_pvid")
        if not isinstance(default, int) or not default:
            continue
        members = sum(carries_vlan(port.vlans, default) for port in ports)
        for port in ports:
            pvid = port.vlans.pvid
            if members < 2 or pvid in (0, default) or not within(port.vlans.untagged, default):
                continue
            command = ("bridge", "vlan", "del", "dev", port.link.ifname, "vid", str(default))
            yield Finding(
                cause=MEMBER(port=network.name(port.link), pvid=pvid, default=default, bridge=bridge.ifname),
                subjects=(port.link.end,),
                facts=(Fact(port.link.end, "pvid", pvid), Fact(bridge.end, "vlan_default_pvid", default)),
                mend=Mend("would take it out of there", port.link.end.ns, command),
            )


RULE = Rule("pvid1-leak", "note", find)
