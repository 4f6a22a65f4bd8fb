"""Links of one segment have different MTUs.

## Why it is bad

On one segment nobody answers "too big": what does not fit is dropped without a word. Where a port on the way is smaller than
all endpoints (`mtu-segment.port`), nobody learns of it, and connections hang: an error. Where an endpoint is smaller than
others (`mtu-segment.endpoint`), TCP agrees on what fits (MSS), and large datagrams to it are lost.

## When it is not

The MTU of a bridge itself does not matter to what it forwards; and links without an address, or with Open vSwitch between
them, are not looked at. A port that may pass more than its endpoints send is no matter.

## Example

    # ip -br link; bridge link
    eth0   UP  mtu 1400 master br0        the way out
    # ip -n web link show eth0
    eth0   UP  mtu 1500

## Fix

`ip link set dev LINK mtu N`: the endpoints as small as the smallest hop, or that as large as they are.

## Source

net/core/dev.c, is_skb_forwardable; net/bridge/br_forward.c; moby#22297; Documentation of Open vSwitch, faq/issues.rst.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.check.bridges import has_address
from nswire.check.network import is_switched
from nswire.check.rule import Fact, Finding, Rule
from nswire.check.segments import segments
from nswire.model.reasons import Reason
from nswire.path.values import Mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network
    from nswire.check.segments import Segment
    from nswire.model.reasons import Cause
    from nswire.model.topology import Link

PORT = Reason(
    "mtu-segment.port",
    "{port} passes {mtu} bytes, and all endpoints of its segment, as {other}, send up to {more}",
)
ENDPOINT = Reason("mtu-segment.endpoint", "{small} has mtu {mtu}, and {other} of the same segment {more}")


def find(network: Network) -> Iterator[Finding]:
    """Segments of endpoints with addresses, by their MTUs."""
    for segment in segments(network).every:
        endpoints = sorted(
            (link for link in segment.endpoints if has_address(link)), key=lambda link: link.fact.mtu
        )
        if not endpoints:
            continue
        smallest, largest = endpoints[0], endpoints[-1]
        ports = [link for link in segment.links if is_switched(link) and link.fact.mtu < smallest.fact.mtu]
        if ports and (len(endpoints) > 1 or segment.leaves):
            port = min(ports, key=lambda link: link.fact.mtu)
            yield _finding(segment, PORT(**_told(network, port, smallest, "port")), port, smallest)
        if smallest.fact.mtu != largest.fact.mtu:
            cause = ENDPOINT(**_told(network, smallest, largest, "small"))
            yield _finding(segment, cause, smallest, largest)


def _told(network: Network, small: Link, large: Link, name: str) -> dict[str, str | int]:
    return {
        name: network.name(small),
        "mtu": small.fact.mtu,
        "other": network.name(large),
        "more": large.fact.mtu,
    }


def _finding(segment: Segment, cause: Cause, small: Link, large: Link) -> Finding:
    command = ("ip", "link", "set", "dev", small.ifname, "mtu", str(large.fact.mtu))
    return Finding(
        cause=cause,
        subjects=(small.end, large.end),
        facts=(Fact(small.end, "mtu", small.fact.mtu), Fact(large.end, "mtu", large.fact.mtu)),
        mend=Mend("would make it as large", small.end.ns, command),
        severity="error" if cause.reason is PORT else "warning",
        confidence=segment.evidence,
    )


RULE = Rule("mtu-segment", "error", find, under=("mtu-wire",))
