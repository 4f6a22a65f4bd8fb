"""Gateways: which links routes send to, and who on their segments has that address."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire.check.segments import segments
from nswire.model.values import End

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network
    from nswire.check.segments import Segment
    from nswire.model.routing import NextHop, Route
    from nswire.model.topology import Link
    from nswire.model.values import Evidence


class Gateway(NamedTuple):
    """A next hop with an address: the link that it is on, the routes that lead there, the segment (None: the link is down).

    `holders` are the links of that segment, in other namespaces, that have the address.
    """

    link: Link
    address: str
    hop: NextHop
    routes: tuple[Route, ...]
    segment: Segment | None
    holders: tuple[Link, ...]

    @property
    def evidence(self) -> Evidence:
        """That of the segment; without one it is the namespace's own word."""
        return "proved" if self.segment is None else self.segment.evidence


def gateways(network: Network) -> tuple[Gateway, ...]:
    """The gateways of all routes of all namespaces, each once for each link; worked out once for all rules."""
    found = network.once("gateways", lambda: tuple(_gateways(network)))
    assert isinstance(found, tuple)  # noqa: S101 (what the line before put there)
    return found


def _gateways(network: Network) -> Iterator[Gateway]:
    every = segments(network)
    for ns in network.spaces("routes"):
        found: dict[tuple[int, str], tuple[NextHop, list[Route]]] = {}
        for route in network.lookups.routes(ns.key):
            for hop in route.hops if route.type == "unicast" else ():
                if hop.gateway and not hop.encap:
                    found.setdefault((hop.ifindex, hop.gateway), (hop, []))[1].append(route)
        for (index, address), (hop, routes) in found.items():
            link = network.topology.get(End(ns.key, index))
            if link is None:
                continue
            segment = every.of(link)
            others = () if segment is None else (one for one in segment.endpoints if one.end.ns != ns.key)
            holders = tuple(one for one in others if any(held.ip == address for held in one.addresses))
            yield Gateway(link, address, hop, tuple(routes), segment, holders)
