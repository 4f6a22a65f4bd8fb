"""A port of a bridge has an address of its own.

## Why it is bad

What comes in by a port belongs to the bridge: it is given to the host only as the bridge's, so answers to that address come
in by another link than routes say, or not at all. Routes of the address lead to one port, past all others of the bridge.

## When it is not

Link-local addresses, and addresses of a VLAN link over the port, do no harm, and the internal ports of Open vSwitch are
meant to have addresses.

## Example

    # ip -br addr
    br0     UP
    eth0    UP    192.0.2.10/24        (master br0)

## Fix

Give the address to the bridge (`ip address add ADDRESS dev BRIDGE`), then take it off the port. Do both in one go if it is the
one that you are logged in by.

## Source

net/core/dev.c, __netif_receive_skb_core (rx_handler); Documentation of Open vSwitch, faq/issues.rst.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.check.bridges import RT_SCOPE_SITE
from nswire.check.network import is_switched
from nswire.check.rule import Fact, Finding, Rule
from nswire.model.reasons import Reason
from nswire.path.values import Mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network

ADDRESSED = Reason(
    "ip-on-port.addressed",
    "{port} has {address}, and is a port of {bridge}, to which all that comes in belongs",
)


def find(network: Network) -> Iterator[Finding]:
    """Ports of bridges and of Open vSwitch with an address that counts beyond the segment."""
    for link in network.links():
        master = link.master
        if master is None or not is_switched(link) or link.kind == "openvswitch":
            continue
        for address in link.addresses:
            if address.scope > RT_SCOPE_SITE:
                continue
            command = ("ip", "address", "del", address.address, "dev", link.ifname)
            yield Finding(
                cause=ADDRESSED(port=network.name(link), address=address.address, bridge=master.ifname),
                subjects=(link.end, master.end),
                facts=(Fact(link.end, "address", address.address), Fact(link.end, "master", master.ifname)),
                mend=Mend(f"takes it off the port: give it to {master.ifname} first", link.end.ns, command),
            )


RULE = Rule("ip-on-port", "warning", find)
