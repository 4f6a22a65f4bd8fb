"""Two links of one segment have one MAC.

## Why it is bad

A switch learns where a MAC is by who was heard last: frames for the one come to the other, now and then. And IPv6 makes the
same link-local address of it twice.

## When it is not

A bridge has the MAC of one of its ports, a bond that of its ports, and a VLAN link that of what it is over: they are one
place. Addresses of VRRP (`00:00:5e:00:01`, `00:00:5e:00:02`) are shared on purpose. Links in different VLANs may be alike.

## Example

    # ip -n a -br link
    eth0@if5    UP    02:42:ac:11:00:02
    # ip -n b -br link
    eth0@if7    UP    02:42:ac:11:00:02

## Fix

`ip link set dev LINK address MAC` at one of them.

## Source

net/bridge/br_fdb.c, br_fdb_update; moby#21735; lede#12061.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from nswire.check.rule import Fact, Finding, Rule
from nswire.check.segments import segments
from nswire.model.reasons import Reason
from nswire.path.values import Mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network
    from nswire.model.topology import Link

TWICE = Reason("duplicate-mac.twice", "{one} and {other} are on one segment, and both have {mac}")
VRRP = ("00:00:5e:00:01:", "00:00:5e:00:02:")
ETHER = 1  # ARPHRD_ETHER


def find(network: Network) -> Iterator[Finding]:
    """Endpoints of a segment whose MACs are equal."""
    for segment in segments(network).every:
        by_mac: dict[str, list[Link]] = {}
        for link in segment.endpoints:
            mac = link.fact.address
            if link.fact.type == ETHER and mac and not mac.startswith(VRRP) and mac != "00:00:00:00:00:00":
                by_mac.setdefault(mac, []).append(link)
        for mac, links in by_mac.items():
            if len(links) < 2:
                continue
            *_, one, other = links
            command = ("ip", "link", "set", "dev", other.ifname, "address", _another(other))
            yield Finding(
                cause=TWICE(one=network.name(one), other=network.name(other), mac=mac),
                subjects=(other.end, *(link.end for link in links if link != other)),
                facts=tuple(Fact(link.end, "address", mac) for link in links),
                mend=Mend("would give it one of its own", other.end.ns, command),
                confidence=segment.evidence,
            )


def _another(link: Link) -> str:
    """A locally administered address that is the same each time that it is asked for."""
    digest = hashlib.sha256(f"{link.end.ns}/{link.end.ifindex}".encode()).hexdigest()
    return ":".join(("02", *(digest[at : at + 2] for at in range(0, 10, 2))))


RULE = Rule("duplicate-mac", "error", find)
