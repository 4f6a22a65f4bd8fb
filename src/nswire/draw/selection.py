"""From a topology to what is drawn of it: links, namespaces and other ends, and the strands between them.

Left out: loopback, the unused tunnels that the kernel puts into every namespace, and what the wishes leave out.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from nswire import kinds
from nswire.draw import labels
from nswire.escape import visible
from nswire.model import owner_types
from nswire.model.values import End
from nswire.resolve.uplinks import way_up

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from nswire.draw.scene import CardType, Certainty
    from nswire.model.topology import Link, Topology
    from nswire.model.values import Far, Loose, NsKey, Wire

HOPS = 2  # around what was asked for, besides its way up


class Stub(NamedTuple):
    """An end of a wire that is neither a link nor a namespace. Equal ones are one; `of` keeps apart those that are not."""

    type: CardType
    title: str
    subtitle: str
    of: End | None = None


Node = End | int | Stub
"""A link, a namespace (its key), or another end."""


class Strand(NamedTuple):
    """A wire between two nodes, or one way in which an open end might be joined."""

    relation: str
    a: Node
    b: Node
    certainty: Certainty
    notes: tuple[str, ...]
    wire: Wire | None
    loose: Loose | None


class Wishes(NamedTuple):
    """What somebody wants to see: these links and namespaces and what is within reach of them (none: everything).

    `hops`: how many wires away, besides the way up. `only_up`: no links through which nothing passes.
    """

    links: tuple[End, ...] = ()
    spaces: tuple[NsKey, ...] = ()
    hops: int = HOPS
    only_up: bool = False

    @property
    def everything(self) -> bool:
        """True if nothing special was asked for."""
        return not self.links and not self.spaces


class Drawn(NamedTuple):
    """What is drawn: the links by namespace, the other ends, the strands; and what is not, in words.

    `beyond`: how many strands of a link lead out of the picture, or how many links of a namespace are not on it.
    """

    links: dict[NsKey, list[Link]]
    stubs: list[Stub]
    strands: list[Strand]
    left_out: list[str]
    beyond: dict[Node, int]


def choose(topology: Topology, wishes: Wishes) -> Drawn:
    """What of a topology is drawn."""
    links, left_out = _worth_drawing(topology, wishes)
    strands = [
        strand
        for strand in _strands(topology, links)
        if all(not isinstance(node, End) or node in links for node in (strand.a, strand.b))
    ]
    spaces = list(topology.namespaces)
    beyond: dict[Node, int] = {}
    if not wishes.everything:
        reached = _within_reach(topology, wishes, strands)
        beyond = _beyond(links, strands, reached)
        links = {end: link for end, link in links.items() if end in reached}
        strands = [strand for strand in strands if strand.a in reached and strand.b in reached]
        inside = {end.ns for end in links}
        spaces = [ns for ns in spaces if ns in reached or ns in inside]
        left_out.append(
            f"what is more than {wishes.hops} wires away from what was asked for, and not on its way up"
        )
    by_space: dict[NsKey, list[Link]] = {ns: [] for ns in spaces}
    for end, link in links.items():
        by_space[end.ns].append(link)
    stubs = [node for strand in strands for node in (strand.a, strand.b) if isinstance(node, Stub)]
    return Drawn(by_space, list(dict.fromkeys(stubs)), strands, left_out, beyond)


def _worth_drawing(topology: Topology, wishes: Wishes) -> tuple[dict[End, Link], list[str]]:
    links: dict[End, Link] = {}
    unused = idle = 0
    asked = frozenset(wishes.links)
    for link in topology:
        if link.end not in asked:
            if link.loopback:
                continue
            if kinds.is_fallback(link.fact):
                unused += 1
                continue
            if wishes.only_up and labels.mark(link) != "up":
                idle += 1
                continue
        links[link.end] = link
    left_out = []
    if unused:
        left_out.append(f"{unused} unused tunnel{'s' * (unused > 1)} that the kernel made (gre0, tunl0 ...)")
    if idle:
        left_out.append(f"{idle} link{'s' * (idle > 1)} through which nothing passes")
    return links, left_out


# -- strands -----------------------------------------------------------------------------------------------------


def _strands(topology: Topology, links: dict[End, Link]) -> Iterator[Strand]:
    for wire in topology.all_wires():
        if wire.a in links:
            yield _of_wire(topology, wire, links)
    told: set[tuple[str, Node, Node]] = set()
    for link in links.values():
        open_ends = (*((link.loose,) if link.loose is not None else ()), *link.late_loose())
        for loose in open_ends:
            for strand in _of_loose(topology, loose, links):
                # two that fit each other are told once
                if (strand.relation, strand.b, strand.a) not in told:
                    told.add((strand.relation, strand.a, strand.b))
                    yield strand


def _of_wire(topology: Topology, wire: Wire, links: dict[End, Link]) -> Strand:
    notes = labels.pairs(wire.data)
    a = links[wire.a]
    b: Node
    if wire.b is not None:
        b = wire.b
        far = links.get(wire.b)
        if far is not None and wire.relation == "peer" and far.fact.mtu != a.fact.mtu:
            notes = (f"MTU {a.fact.mtu} and {far.fact.mtu}", *notes)
    elif wire.to is not None:
        b = _far_node(topology, wire.to, a)
    else:
        b = Stub("unknown", "?", "", wire.a)
    return Strand(wire.relation, wire.a, b, wire.evidence, notes, wire, None)


def _far_node(topology: Topology, far: Far, link: Link) -> Node:
    if far.type == "namespace" and far.ns is not None and far.ns in topology.namespaces:
        return far.ns
    if far.type == "process":
        owner = next((one for one in labels.own_owners(link) if owner_types.of(one.type).is_guest), None)
        told = f"pid {far.pid}" + (f" ({far.name})" if far.name else "")
        title, subtitle = (told, "") if owner is None else (owner_types.label(owner), told)
        if far.ns is not None and far.ns != topology.home and far.ns in topology.namespaces:
            subtitle = " ".join(filter(None, (subtitle, f"in {topology.title(topology.namespaces[far.ns])}")))
        return Stub("process", visible(title), visible(subtitle))
    if far.type == "tunnel":
        return Stub("tunnel", visible(far.name), " ".join(labels.pairs(far.data)), link.end)
    return Stub("unknown", "another namespace", "", link.end)


def _of_loose(topology: Topology, loose: Loose, links: dict[End, Link]) -> Iterator[Strand]:
    fits: list[Node] = [end for end in loose.candidates if end in links]
    fits += [ns for ns in loose.spaces if ns in topology.namespaces]
    notes = (loose.state,)
    for node in fits:
        yield Strand(loose.relation, loose.a, node, "unknown", notes, None, loose)
    if fits:
        return
    index = () if loose.ifindex is None else (f"ifindex {loose.ifindex}",)
    if loose.ns is not None and loose.ns in topology.namespaces:
        yield Strand(loose.relation, loose.a, loose.ns, "unknown", (*notes, *index), None, loose)
        return
    where = () if loose.nsid is None else (f"nsid {loose.nsid} of {links[loose.a].numbered_by.label}",)
    stub = Stub(
        "unknown", loose.state, visible(" ".join((*index, *(("in", *where) if where else ())))), loose.a
    )
    yield Strand(loose.relation, loose.a, stub, "unknown", notes, None, loose)


# -- reach -------------------------------------------------------------------------------------------------------


def _within_reach(topology: Topology, wishes: Wishes, strands: Iterable[Strand]) -> set[Node]:
    """What was asked for, its way up, and what is so many strands away."""
    beside: dict[Node, list[Node]] = {}
    for strand in strands:
        beside.setdefault(strand.a, []).append(strand.b)
        beside.setdefault(strand.b, []).append(strand.a)
    start: list[Node] = [*wishes.links, *wishes.spaces]
    start += [
        end for ns in wishes.spaces for link in topology.links(ns) for end in (link.end,) if end in beside
    ]
    reached: set[Node] = set()
    pending = deque((node, 0) for node in start)
    while pending:
        node, hops = pending.popleft()
        if node not in reached:
            reached.add(node)
            if hops < wishes.hops:
                pending.extend((other, hops + 1) for other in beside.get(node, ()))
    return reached | set(_ways_up(topology, [node for node in start if isinstance(node, End)]))


FOLLOWED = 64  # asked links whose way up is followed


def _ways_up(topology: Topology, ends: Collection[End]) -> Iterator[Node]:
    for end in list(ends)[:FOLLOWED]:
        link = topology.get(end)
        if link is None:
            continue
        for step in way_up(link).steps:
            if step.link is not None:
                yield step.link.end
            elif step.to is not None:
                yield _far_node(topology, step.to, link)


def _beyond(links: dict[End, Link], strands: Iterable[Strand], reached: set[Node]) -> dict[Node, int]:
    beyond: dict[Node, int] = {}
    for strand in strands:
        for node, other in ((strand.a, strand.b), (strand.b, strand.a)):
            if node in reached and other not in reached:
                beyond[node] = beyond.get(node, 0) + 1
    inside = {end.ns for end in links if end in reached}
    for end in links:
        if end not in reached and end.ns in inside:
            beyond[end.ns] = beyond.get(end.ns, 0) + 1
    return beyond
