"""Two links of one segment have one address.

## Why it is bad

Who asks for the address gets two answers, and sends to the one that came last: connections go to the wrong host, and break
whenever the entry in a neighbour table changes.

## When it is not

An address that is answered for by nobody (IPv4 on a link with `NOARP`), addresses of IPv6 that were found to be duplicate and
so are not used (`dad-failed` tells of them), anycast gateways of Calico (169.254.1.1, fe80::1), and links of one namespace: they
answer for each other anyway. Standby addresses of VRRP are at one place at a time.

## Example

    # ip -n a -br addr; ip -n b -br addr
    eth0@if5    UP    10.0.0.2/24
    eth0@if7    UP    10.0.0.2/24

## Fix

Give one of them another one: `ip address del ADDRESS dev LINK`.

## Source

net/ipv4/arp.c, arp_process; RFC 5227; hostwatch#5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.check.bridges import RT_SCOPE_SITE
from nswire.check.rule import Fact, Finding, Rule
from nswire.check.segments import segments
from nswire.model.reasons import Reason
from nswire.path.values import Mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network
    from nswire.model.topology import Link

TWICE = Reason("duplicate-ip.twice", "{one} and {other} are on one segment, and both have {address}")
ANYCAST = ("169.254.1.1",)


def find(network: Network) -> Iterator[Finding]:
    """Addresses that are used by endpoints of one segment in different namespaces."""
    for segment in segments(network).every:
        holders: dict[str, list[Link]] = {}
        for link in segment.endpoints:
            for address in link.addresses:
                answers = address.usable and "NOARP" not in link.flags and address.scope <= RT_SCOPE_SITE
                if answers and address.ip not in ANYCAST:
                    holders.setdefault(address.ip, []).append(link)
        for ip, links in holders.items():
            if len({link.end.ns for link in links}) < 2:
                continue
            *_, one, other = links
            held = next(address.address for address in other.addresses if address.ip == ip)
            yield Finding(
                cause=TWICE(one=network.name(one), other=network.name(other), address=ip),
                subjects=(other.end, *(link.end for link in links if link != other)),
                facts=tuple(Fact(link.end, "address", ip) for link in links),
                mend=Mend(
                    "takes it away there: give it another one",
                    other.end.ns,
                    ("ip", "address", "del", held, "dev", other.ifname),
                ),
                confidence=segment.evidence,
            )


RULE = Rule("duplicate-ip", "error", find)
