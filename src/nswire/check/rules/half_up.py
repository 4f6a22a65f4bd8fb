"""One end of a wire is up, and the other one is not.

## Why it is bad

A veth has carrier only while both ends are up: the end that is up shows `LOWERLAYERDOWN` or `NO-CARRIER`, its routes are
`linkdown`, and nothing passes.

## When it is not

While a container or VM is being started, for some seconds; a finding is looked at a second time, five seconds later. A
standby end that somebody keeps down on purpose is told all the same: set both ends down to say so.

## Example

    # ip link show dev veth1
    5: veth1@if2: <NO-CARRIER,BROADCAST,MULTICAST,UP,M-DOWN> ... state LOWERLAYERDOWN

## Fix

`ip link set dev LINK up` in the namespace of the end that is down.

## Source

drivers/net/veth.c, veth_open; kubeskoop pkg/assertions/netstack.go; canonical/lxd#2224.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.check.network import is_up
from nswire.check.rule import Fact, Finding, Rule
from nswire.model.reasons import Reason
from nswire.path.values import Mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network

DOWN = Reason("half-up.down", "{down} is down, so its other end {up}, which is up, has no carrier")


def find(network: Network) -> Iterator[Finding]:
    """Wires of which one end is up."""
    for pair in network.pairs():
        if is_up(pair.a) == is_up(pair.b):
            continue
        down, up = (pair.b, pair.a) if is_up(pair.a) else (pair.a, pair.b)
        yield Finding(
            cause=DOWN(down=network.name(down), up=network.name(up)),
            subjects=(down.end, up.end),
            facts=(Fact(down.end, "UP", value=False), Fact(up.end, "LOWER_UP", value=False)),
            mend=Mend("would set it up", down.end.ns, ("ip", "link", "set", "dev", down.ifname, "up")),
            confidence=pair.evidence,
        )


RULE = Rule("half-up", "warning", find, settles=5.0)
