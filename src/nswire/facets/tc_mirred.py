"""Where tc sends packets on: mirred actions of the filters at a link's ingress, egress and root qdisc.

Kata Containers join a pod's eth0 and a VM's tap like that, and shapers send what comes in through an ifb. The target is
always in the link's own namespace: the action holds the device, and ends when that moves or goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.facets import tc_filters
from nswire.facets.facet import LOOPBACK, Detail, Facet
from nswire.facets.query import of_each, refused
from nswire.model.gaps import ADMINISTER, Unseen
from nswire.model.values import End, Wire

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nswire.host.client import Client
    from nswire.model.gaps import Gap
    from nswire.model.tables import Filter
    from nswire.model.values import Loose

SAID_BY = "tc filter"
TARGET = "ifb"  # links that exist to be redirected to: only the others tell who does
UNREAD = Unseen("tc.redirects", "where tc sends packets", ADMINISTER)


def ask(client: Client, ends: Collection[End]) -> Iterator[Wire | Loose | Detail | Gap]:
    """One wire for each link that packets, or copies of them (`mirror`), are sent to."""
    links = client.facts.links
    spaces = {end.ns for end in ends if links[end.ns][end.ifindex].kind == TARGET}
    wanted = {*ends, *(End(ns, index) for ns in spaces for index in links[ns])}
    failures = []
    seen = set()
    for end, answers in of_each(client, wanted, tc_filters.ask):
        for place, found in tc_filters.at(answers).items():
            if isinstance(found, int):
                failures.append((end.ns, found))
                continue
            for wire in _wires(end, place, found):
                if wire.b is not None and wire.b.ifindex in links[end.ns] and wire not in seen:
                    seen.add(wire)
                    yield wire
    yield from refused(client, failures, UNREAD)


def _wires(end: End, place: str, found: tuple[Filter, ...]) -> Iterator[Wire]:
    for one in found:
        for redirect in one.redirects:
            to = "ingress" if redirect.ingress else "egress"
            yield Wire(
                "mirror" if redirect.copy else "redirect",
                end,
                End(end.ns, redirect.ifindex),
                "proved",
                SAID_BY,
                data=(("from", place), ("to", to), ("by", one.kind)),
            )


FACET = Facet("redirects", lambda link: link.type != LOOPBACK, ask, wires=("redirect", "mirror"))
