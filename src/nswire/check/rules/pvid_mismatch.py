"""A wire between two bridges carries one VLAN untagged that is another one at the other end.

## Why it is bad

Frames change their VLAN on the way: networks that were to be apart leak into each other, and answers come back in a VLAN
in which nobody asked.

## When it is not

Where somebody translates VLANs on purpose. Give the wire tagged VLANs alone, or equal PVIDs, to say that it is not so.

## Example

    # bridge vlan show
    port    vlan-id
    left    10 PVID Egress Untagged
    right   20 PVID Egress Untagged

## Fix

The same PVID at both ends: `bridge vlan add dev LINK vid N pvid untagged`.

## Source

net/bridge/br_vlan.c, br_handle_vlan and __allowed_ingress; basebox#433; harvester-installer#675.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.check.bridges import Port, filtering, within
from nswire.check.network import is_up
from nswire.check.rule import Fact, Finding, Rule
from nswire.model.reasons import Reason
from nswire.path.values import Mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network
    from nswire.model.values import End

LEAKS = Reason(
    "pvid-mismatch.leaks", "what {out} sends untagged in VLAN {vlan} comes in at {into} as VLAN {other}"
)


def find(network: Network) -> Iterator[Finding]:
    """Wires whose two ends are ports of bridges that filter."""
    ports: dict[End, Port] = {port.link.end: port for _, each in filtering(network) for port in each}
    for pair in network.pairs():
        a, b = ports.get(pair.a.end), ports.get(pair.b.end)
        if a is None or b is None or not (is_up(pair.a) and is_up(pair.b)):
            continue
        for out, into in ((a, b), (b, a)):
            vlan = out.vlans.pvid
            if vlan and into.vlans.pvid not in (0, vlan) and within(out.vlans.untagged, vlan):
                command = (
                    "bridge",
                    "vlan",
                    "add",
                    "dev",
                    into.link.ifname,
                    "vid",
                    str(vlan),
                    "pvid",
                    "untagged",
                )
                yield Finding(
                    cause=LEAKS(
                        out=network.name(out.link),
                        into=network.name(into.link),
                        vlan=vlan,
                        other=into.vlans.pvid,
                    ),
                    subjects=(into.link.end, out.link.end),
                    facts=(Fact(out.link.end, "pvid", vlan), Fact(into.link.end, "pvid", into.vlans.pvid)),
                    mend=Mend(f"would make it VLAN {vlan} there as well", into.link.end.ns, command),
                    confidence=pair.evidence,
                )
                break


RULE = Rule("pvid-mismatch", "error", find)
