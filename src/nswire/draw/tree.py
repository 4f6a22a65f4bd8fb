"""The links of a card as a forest: ports below their bridge, and below a VLAN what it is over, down to the NIC.

So a host reads from its bridges to its NICs, and what leads out stands first. A link that several stand on (a NIC with
many VLANs) has those below it that are no port of anything; the wires of the others are drawn beside the card.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire.draw import labels
from nswire.model import relations
from nswire.model.values import End
from nswire.resolve.uplinks import leads_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nswire.draw.selection import Drawn, Strand
    from nswire.model.topology import Link
    from nswire.model.values import NsKey

FEW_PORTS = 32  # of a bridge whose way out is told by the gateways of those who use it
FEW_SPACES = 200  # that are asked for them


class Forest(NamedTuple):
    """`parent` of each link that has one, with the strand that says so; `order` of all links, parents first."""

    parent: dict[End, End]
    strand: dict[End, Strand]
    order: dict[NsKey, list[Link]]
    uplinks: frozenset[End]


def forest(drawn: Drawn) -> Forest:
    """The forests of all namespaces that are drawn."""
    parent: dict[End, End] = {}
    by: dict[End, Strand] = {}
    inside = [strand for strand in drawn.strands if _in_one_place(strand)]
    for child, above, strand in (*_ports(inside), *_stacks(inside)):
        if child not in parent and child != above and not _hangs_on(parent, above, child):
            parent[child] = above
            by[child] = strand
    out = frozenset(_leading_out(drawn, parent))
    order = {ns: list(_ordered(links, parent, out)) for ns, links in drawn.links.items()}
    return Forest(parent, by, order, out)


def _in_one_place(strand: Strand) -> bool:
    a, b = strand.a, strand.b
    return isinstance(a, End) and isinstance(b, End) and a.ns == b.ns and strand.wire is not None


def _ports(strands: Iterable[Strand]) -> Iterator[tuple[End, End, Strand]]:
    for strand in strands:
        if strand.relation == "port" and isinstance(strand.a, End) and isinstance(strand.b, End):
            yield strand.a, strand.b, strand


def _stacks(strands: Iterable[Strand]) -> Iterator[tuple[End, End, Strand]]:
    """What a link is over stands below it, if it is the only one that is; else those that are over it stand below."""
    ports = {strand.a for strand in strands if strand.relation == "port"}
    over: dict[End, list[Strand]] = {}
    for strand in strands:
        if relations.of(strand.relation).stands_on and isinstance(strand.b, End):
            over.setdefault(strand.b, []).append(strand)
    for lower, uppers in over.items():
        for strand in uppers:
            upper = strand.a
            if not isinstance(upper, End):  # pragma: no cover (a strand starts at a link)
                continue
            if len(uppers) == 1 and lower not in ports:
                yield lower, upper, strand
            elif upper not in ports:
                yield upper, lower, strand


def _hangs_on(parent: dict[End, End], link: End, other: End) -> bool:
    """True if `link` hangs on `other` already, so that the other way round would make a circle."""
    at: End | None = link
    while at is not None:
        if at == other:
            return True
        at = parent.get(at)
    return False


# -- what leads out ----------------------------------------------------------------------------------------------


def _leading_out(drawn: Drawn, parent: dict[End, End]) -> Iterator[End]:
    """NICs and what they hang on; ports that lead out of their bridge."""
    links = {link.end: link for many in drawn.links.values() for link in many}
    for link in links.values():
        at: End | None = link.end
        while at is not None and not link.kind:
            yield at
            at = parent.get(at)
    ports: dict[End, list[Link]] = {}
    for strand in drawn.strands:
        if strand.relation == "port" and isinstance(strand.a, End) and isinstance(strand.b, End):
            ports.setdefault(strand.b, []).append(links[strand.a])
    for master, hanging in ports.items():
        sought = _sought(links[master], hanging) if len(hanging) <= FEW_PORTS else frozenset()
        passed = frozenset((master,))
        yield from (port.end for port in hanging if leads_out(port, sought, passed))


def _sought(master: Link, ports: Iterable[Link]) -> frozenset[str]:
    """The gateways of those who use a bridge: behind which port they are is where it leads out (`resolve.uplinks`)."""
    topology = master.topology
    if len(topology.namespaces) > FEW_SPACES:
        return frozenset()
    spaces = {port.peer.end.ns for port in ports if port.peer is not None} - {topology.home, master.end.ns}
    found = {gateway.address for ns in sorted(spaces) for gateway in topology.gateways(ns)}
    own = {address.ip for address in master.addresses}
    return frozenset() if own & found else frozenset(found)


# -- order -------------------------------------------------------------------------------------------------------


def _ordered(links: list[Link], parent: dict[End, End], out: frozenset[End]) -> Iterator[Link]:
    """Parents before children."""
    below: dict[End | None, list[Link]] = {}
    for link in links:
        below.setdefault(parent.get(link.end), []).append(link)
    key = _rank(below, out)
    pending = sorted(below.get(None, ()), key=key, reverse=True)
    while pending:
        link = pending.pop()
        yield link
        pending.extend(sorted(below.get(link.end, ()), key=key, reverse=True))


def _rank(
    below: dict[End | None, list[Link]], out: frozenset[End]
) -> Callable[[Link], tuple[bool, bool, bool, tuple[tuple[int, str], ...], int]]:
    """What leads out first, then what has something below it, then by whom it leads to, then by name."""

    def rank(link: Link) -> tuple[bool, bool, bool, tuple[tuple[int, str], ...], int]:
        peer = link.peer
        away = peer is not None and peer.end.ns != link.end.ns
        if peer is None or not away:
            name = link.ifname
        else:
            name = "" if peer.netns.home else link.topology.title(peer.netns)
        return link.end not in out, link.end not in below, not away, labels.natural(name), link.ifindex

    return rank
