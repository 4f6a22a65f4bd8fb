"""Frames can go round in a circle of bridges, and no STP breaks it.

## Why it is bad

A broadcast that gets into the circle goes round for ever, and is copied to every other port each time: the links are full,
all processors are busy, and forwarding tables learn nonsense. It takes a single ARP request.

## When it is not

With STP on one of the bridges, in circles of different VLANs, and between the ports of a bond or team, frames do not go
round. Ports that are isolated, or do not forward, do not count either.

## Example

    # bridge link
    5: p0@p1: ... master br0 state forwarding
    6: p1@p0: ... master br0 state forwarding

## Fix

Take one of the links out (`ip link set dev LINK nomaster`), make a bond of the two, or `ip link set BRIDGE type bridge stp_state 1`.

## Source

net/bridge/br_forward.c, br_flood; Documentation of Open vSwitch, faq/issues.rst; freifunk-gluon/gluon#834.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire import kinds
from nswire.check.network import is_switched
from nswire.check.rule import Fact, Finding, Rule
from nswire.check.segments import segments
from nswire.model.reasons import Reason
from nswire.path.values import Mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network

ROUND = Reason("bridge-loop.round", "frames go round: {way}")


def find(network: Network) -> Iterator[Finding]:
    """Segments with a circle, none of whose bridges has STP."""
    for segment in segments(network).every:
        bridges = [link for link in segment.cycle if link.kind == "bridge"]
        ports = sorted(
            (link for link in segment.cycle if is_switched(link)), key=lambda link: link.end.ifindex
        )
        if not bridges or not ports or any(kinds.details(link.fact).get("stp_state") for link in bridges):
            continue
        last = ports[-1]
        yield Finding(
            cause=ROUND(way=" - ".join(network.name(link) for link in (*segment.cycle, segment.cycle[0]))),
            subjects=(last.end, *(link.end for link in segment.cycle if link != last)),
            facts=tuple(Fact(link.end, "stp_state", 0) for link in bridges),
            mend=Mend(
                "would open the circle", last.end.ns, ("ip", "link", "set", "dev", last.ifname, "nomaster")
            ),
            confidence=segment.evidence,
        )


RULE = Rule("bridge-loop", "error", find)
