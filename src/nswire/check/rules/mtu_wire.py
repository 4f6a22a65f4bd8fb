"""The two ends of a wire have different MTUs.

## Why it is bad

The kernel drops what is larger than the MTU of the receiving end and room for one tag (`is_skb_forwardable`); no ICMP
tells the sender, and only a counter of the link knows. Small packets pass and large ones vanish: connections hang once
they have something to say.

## When it is not

Only what goes from the larger end to the smaller one is lost. An error it is where the smaller end is a port of a switch,
so that what is behind the larger end believes in its own MTU. If the smaller end is the endpoint itself, TCP adapts to it
(MSS), and large datagrams alone are lost: a warning, as it is where no end is a port (`mtu-wire.routed`), as some CNIs
leave it. Packets that offloading has put together are not looked at by size, so a test on one host may seem to work.

## Example

    # ip -d link show dev veth1
    5: veth1@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 master br0 ...
    # ip -n web link show dev eth0
    2: eth0@if5: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400 ...

## Fix

`ip link set dev LINK mtu N` at one of the two ends; which one, the smallest MTU on the way says (`nswire path --size`).

## Source

net/core/dev.c, is_skb_forwardable (include/linux/netdevice.h); rancher/rancher#10498.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.check.network import is_switched, is_up
from nswire.check.rule import Fact, Finding, Rule
from nswire.model.reasons import Reason
from nswire.path.values import Mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network

L2 = Reason(
    "mtu-wire.l2",
    "what {larger} (mtu {more}) sends is dropped by {smaller} (mtu {mtu}) if it is larger than that, and nobody is told",
)
ROUTED = Reason("mtu-wire.routed", "{larger} has mtu {more}, its other end {smaller} has mtu {mtu}")


def find(network: Network) -> Iterator[Finding]:
    """Wires that are up at both ends, whose MTUs differ."""
    for pair in network.pairs():
        if pair.a.fact.mtu == pair.b.fact.mtu or not (is_up(pair.a) and is_up(pair.b)):
            continue
        smaller, larger = sorted((pair.a, pair.b), key=lambda link: link.fact.mtu)
        mtu, more = smaller.fact.mtu, larger.fact.mtu
        reason = L2 if is_switched(smaller) or is_switched(larger) else ROUTED
        yield Finding(
            cause=reason(larger=network.name(larger), smaller=network.name(smaller), mtu=mtu, more=more),
            subjects=(smaller.end, larger.end),
            facts=(Fact(smaller.end, "mtu", mtu), Fact(larger.end, "mtu", more)),
            mend=Mend(
                "makes both ends alike",
                smaller.end.ns,
                ("ip", "link", "set", "dev", smaller.ifname, "mtu", str(more)),
            ),
            severity="error" if is_switched(smaller) else "warning",
            confidence=pair.evidence,
        )


RULE = Rule("mtu-wire", "error", find)
