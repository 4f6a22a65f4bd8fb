"""`nswire peer` for people: a small tree for each asked link, or a table of every pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire import kinds
from nswire.model import relations
from nswire.model.values import said
from nswire.resolve.up import ENDS, way_up
from nswire.resolve.why import why
from nswire.show import table, words
from nswire.show.build import end_words, loose_ends, master_name, open_peer, pairs, servers
from nswire.show.paint import GAP, Line, Paper, Span, fold, fold_text, line, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nswire.model.topology import Link, Topology
    from nswire.model.values import Far, Loose, Namespace, Owner, Wire
    from nswire.resolve.up import Step, Stop, Way

CANDIDATES_SHOWN = 20
PORTS_SHOWN = 8
LOOSE_HEADER = ("LINK", "IFINDEX", "KIND", "STATE", "NOT KNOWN")
HEADER = ("LINK", "IFINDEX", "PEER", "IFINDEX", "KIND", "STATE", "MASTER", "EVIDENCE")
OTHER_ENDS = {
    "process": "served by",
    "namespace": "sent from",
    "tunnel": "tunnel",
}  # by what it is, if it is no link
SAID_BY_STEP = ("nic", "process", "namespace", "tunnel")  # ends that their step tells of already
SAID_OF_ASKED = ("routes",)  # the end of a way of no steps that is no news
DEEPEST = 36  # columns of indentation
BRANCHES = 24  # of one node: a switch may have a thousand tunnels


class Node(NamedTuple):
    """A line of a tree: what it starts with, what follows if there is room, and the lines below it."""

    head: Line
    details: list[Line]
    below: list[Node]


class Question(NamedTuple):
    """What was asked, and what it stands for."""

    query: str
    links: Sequence[Link]
    namespace: Namespace | None = None
    owner: Owner | None = None


def write_peers(paper: Paper, asked: Sequence[Question]) -> None:
    """For each handle its links, each with its other end and the way up to the NIC."""
    first = True
    for query, links, namespace, owner in asked:
        if not links:
            paper.print(span(query), span(f": {_why_none(namespace, owner)}", "doubt"))
        for link in links:
            if not first:
                paper.print()
            first = False
            _write_peer(paper, link)


def _why_none(namespace: Namespace | None, owner: Owner | None) -> str:
    if owner is not None and (namespace is None or namespace.home):
        return words.homeless(namespace)
    if namespace is not None and not namespace.readable:
        return "its links cannot be read by this user"
    return "no links there, loopback aside"


def _write_peer(paper: Paper, link: Link) -> None:
    write_node(paper, tree(link))
    for reason in why(link):
        fold_text(paper, (), reason, "dim")


def tree(link: Link) -> Node:
    """The tree of one asked link."""
    way = way_up(link)
    nodes = {-1: Node(words.place(link), words.facts(link), [])}
    for number, step in enumerate(way.steps):
        nodes[number] = _step_node(link.topology, step)
        nodes[step.after].below.append(nodes[number])
    for stop in way.ends:
        nodes[stop.after].below.extend(_end_nodes(link, way, stop))
    nodes[-1].below[:0] = _own_other_end(link, way)
    return nodes[-1]


def _own_other_end(link: Link, way: Way) -> list[Node]:
    """What is at the other end of the asked link itself, where the way up does not tell already."""
    if link.peer is not None:
        on_way = any(step.relation == "peer" and step.after == -1 for step in way.steps)
        return [] if on_way else [_peer_node(link, link.peer)]
    loose, to = open_peer(link), servers(link)
    if loose is not None:
        told = any(stop.loose == loose for stop in way.ends)
        return [] if told else [_open_node(link.topology, loose)]
    if to:
        on_way = any(step.relation == "tap" for step in way.steps)
        return [] if on_way else [_far_node("served by", far, None, link.topology) for far in to]
    if kinds.of(link.kind).served:
        told = any(stop.end == "unserved" for stop in way.ends)
        return [] if told else [Node(line(span(ENDS["unserved"], "doubt")), [], [])]
    if kinds.is_single(link.fact):
        told = any(stop.end == "single" for stop in way.ends)
        return [] if told else [Node(line(span(f"no peer: {ENDS['single']}", "doubt")), [], [])]
    if not link.ports:
        return [Node(line(span("no peer: it is not one end of a pair", "doubt")), [], [])]
    return [Node(line(span(_its_ports(link), "doubt")), [], []), *_patches(link, way)]


def _its_ports(link: Link) -> str:
    names = [port.ifname for port in link.ports]
    more = f" and {len(names) - PORTS_SHOWN} more" if len(names) > PORTS_SHOWN else ""
    return f"no peer: it has ports ({', '.join(names[:PORTS_SHOWN])}{more})"


def _patches(link: Link, way: Way) -> list[Node]:
    """The switches that patch ports join it to, where the way up does not tell already."""
    told = {step.link.end for step in way.steps if step.link is not None}
    ends = (wire.b if wire.a == link.end else wire.a for wire in link.late_wires("patch"))
    others = [far for end in ends if (far := link.topology.at(end)) is not None and far.end not in told]
    return [Node(line("patched to", GAP, *words.place(far)), words.facts(far), []) for far in others]


def _peer_node(link: Link, peer: Link) -> Node:
    evidence = "" if link.wire is None else link.wire.evidence
    style = "dim" if evidence == "proved" else "doubt"
    return Node(
        line(Span("peer "), span(f"({evidence})", style), GAP, *words.place(peer)), words.facts(peer), []
    )


def _step_node(topology: Topology, step: Step) -> Node:
    if step.relation == "peer" and step.link is not None:
        return _peer_node(step.link, step.link)  # a wire is the same, seen from either end
    word = (
        relations.of(step.relation).of_b if step.to is None else OTHER_ENDS.get(step.to.type, step.relation)
    )
    if step.link is None:
        return Node(line("?"), [], []) if step.to is None else _far_node(word, step.to, step.wire, topology)
    return Node(line(*_relation(word, step.wire), GAP, *words.place(step.link)), words.facts(step.link), [])


def _relation(word: str, wire: Wire | None) -> tuple[Span, ...]:
    """What a step is, with what belongs to the wire: `port of (inferred, tag 5)`."""
    if wire is None:
        return (span(word),)
    doubt = (span(wire.evidence, "doubt"),) if wire.evidence != "proved" else ()
    told = (*doubt, *(span(told) for told in said(wire.data)))
    between = [piece for one in told for piece in (Span(", "), one)][1:]
    return (span(word), *((Span(" ("), *between, Span(")")) if told else ()))


def _far_node(word: str, far: Far, wire: Wire | None, topology: Topology) -> Node:
    head = line(*_relation(word, wire), GAP, *words.far(far, topology))
    return Node(head, [(span(told),) for told in said(far.data)], [])


def _end_nodes(link: Link, way: Way, stop: Stop) -> list[Node]:
    """Why the way ends, unless its last step says so by itself."""
    if stop.loose is not None:
        return [_open_node(link.topology, stop.loose)]
    if stop.end in (SAID_OF_ASKED if stop.after < 0 else SAID_BY_STEP):
        return []
    return [Node(line(span(end_words(link, way, stop), "dim")), [], [])]


def _open_node(topology: Topology, loose: Loose) -> Node:
    hint = words.unlock(topology, loose)
    found = [candidate for end in loose.candidates if (candidate := topology.get(end)) is not None]
    below = [
        Node(words.place(candidate), words.facts(candidate), []) for candidate in found[:CANDIDATES_SHOWN]
    ]
    if len(found) > CANDIDATES_SHOWN:
        below.append(Node(line(f"and {len(found) - CANDIDATES_SHOWN} more: --json shows all"), [], []))
    return Node(
        line(span(words.far_end(topology, loose), "doubt")), [line(span(hint, "dim"))] if hint else [], below
    )


def write_node(paper: Paper, node: Node, first: str = "", rest: str = "") -> None:
    """A node and all below it. Details that have no room go on below their head, never in the middle of a word.

    From some depth on, lines go no further to the right: a stack may be hundreds of links high.
    """
    pending = [(node, first, rest)]
    while pending:
        one, start, further = pending.pop()
        below = further + (paper.trunk if one.below else "   ")
        fold(paper, line(start), [one.head, *one.details], line(below, GAP))
        if len(further) >= DEEPEST:
            further = further[: -len(paper.trunk)]
        branches = one.below
        if len(branches) > BRANCHES:
            branches = [
                *branches[: BRANCHES - 1],
                Node(line(f"and {len(branches) - BRANCHES + 1} more: --json shows all"), [], []),
            ]
        children = [
            (
                child,
                further + (paper.last if last else paper.branch),
                further + ("   " if last else paper.trunk),
            )
            for number, child in enumerate(branches)
            for last in (number == len(branches) - 1,)
        ]
        pending += reversed(children)


# -- every pair --------------------------------------------------------------------------------------------------


def write_pairs(paper: Paper, topology: Topology) -> None:
    """One line a pair, the home side first; then the ends whose peer is not known."""
    rows = [_pair_row(link, link.peer) for link in pairs(topology) if link.peer is not None]
    loose = [(link, link.loose) for link in loose_ends(topology) if link.loose is not None]
    if rows:
        table.write(paper, HEADER, rows)
    if rows and loose:
        paper.print()
    if loose:
        table.write(paper, LOOSE_HEADER, [_loose_row(link, end) for link, end in loose])
        for hint in dict.fromkeys(words.unlock(topology, end) for _, end in loose):
            paper.print(span(hint, "dim"))
    if not rows and not loose:
        paper.print(Span("no pairs here", "dim"))


def _loose_row(link: Link, loose: Loose) -> table.Row:
    fits: list[Span] = []
    for end in loose.candidates:
        candidate = link.topology.get(end)
        if candidate is not None:
            fits += [Span(" "), *words.place(candidate)]
    return (
        words.place(link),
        line(str(link.ifindex)),
        (span(link.kind),),
        (words.state(link),),
        (span(words.far_end(link.topology, loose), "doubt"), *fits),
    )


def _pair_row(link: Link, peer: Link) -> table.Row:
    evidence = "" if link.wire is None else link.wire.evidence
    return (
        words.place(link),
        line(str(link.ifindex)),
        words.place(peer),
        line(str(peer.ifindex)),
        (span(link.kind),),
        (words.state(link),),
        (span(master_name(link) or ""),),
        (span(evidence, "dim" if evidence == "proved" else "doubt"),),
    )
