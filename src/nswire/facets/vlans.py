"""The VLANs of a bridge's ports, where the bridge filters by VLAN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire import kinds
from nswire.codec.netlink import bridge
from nswire.facets.facet import Detail, Facet
from nswire.facets.query import decoded, refused
from nswire.host import requests
from nswire.model.gaps import ADMINISTER, Unseen

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nswire.host.client import Client
    from nswire.model.facts import Facts
    from nswire.model.gaps import Gap
    from nswire.model.routing import PortVlans
    from nswire.model.values import End, Loose, Value, Wire

BRIDGE = "bridge"
UNREAD = Unseen("bridge.vlans", "the VLANs of bridge ports", ADMINISTER)


def ask(client: Client, ends: Collection[End]) -> Iterator[Wire | Loose | Detail | Gap]:
    """`pvid`, and the VLANs that leave `untagged` and `tagged`, as ranges: what `bridge vlan` shows."""
    filtering = {end for end in ends if _filters(client.facts, end)}
    answers = client.query(dict.fromkeys(sorted({end.ns for end in filtering}), (requests.VLANS,)))
    failures = []
    for ns, (answer,) in answers.items():
        found = decoded(answer, bridge.vlans)
        if isinstance(found, int):
            failures.append((ns, found))
            continue
        for end in filtering:
            if end.ns == ns and end.ifindex in found:
                yield Detail(end, _told(found[end.ifindex]))
    yield from refused(client, failures, UNREAD)


def _filters(facts: Facts, end: End) -> bool:
    links = facts.links[end.ns]
    link = links[end.ifindex]
    master = link if link.kind == BRIDGE else links.get(link.master or 0)
    return master is not None and bool(kinds.details(master).get("vlan_filtering"))


def _told(vlans: PortVlans) -> dict[str, Value]:
    said: dict[str, Value] = {"pvid": vlans.pvid} if vlans.pvid else {}
    for name, ranges in (("untagged", vlans.untagged), ("tagged", vlans.tagged)):
        if ranges:
            said[name] = " ".join(f"{first}-{last}" if first != last else str(last) for first, last in ranges)
    return said


FACET = Facet("vlans", lambda link: BRIDGE in (link.kind, link.slave_kind), ask, scope="namespace")
