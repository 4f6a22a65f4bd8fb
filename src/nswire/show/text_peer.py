"""`nswire peer` for people: a small tree for each asked link, or a table of every pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire.resolve.why import why
from nswire.show import table, words
from nswire.show.build import loose_ends, master_name, open_peer, pairs, way_up
from nswire.show.paint import GAP, Line, Paper, Span, fold, fold_text, line, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nswire.model.topology import Link, Topology
    from nswire.model.values import Loose, Namespace
    from nswire.resolve.up import Step

CANDIDATES_SHOWN = 20
LOOSE_HEADER = ("LINK", "IFINDEX", "KIND", "STATE", "NOT KNOWN")
HEADER = ("LINK", "IFINDEX", "PEER", "IFINDEX", "KIND", "STATE", "MASTER", "EVIDENCE")
RELATIONS = {"port": "port of", "uplink": "uplink", "lower": "over", "underlay": "sent by"}


class Node(NamedTuple):
    """A line of a tree: what it starts with, what follows if there is room, and the lines below it."""

    head: Line
    details: list[Line]
    below: list[Node]


def write_peers(paper: Paper, asked: Sequence[tuple[str, Sequence[Link], Namespace | None]]) -> None:
    """For each handle its links, each with its other end and the way up to the NIC."""
    first = True
    for query, links, namespace in asked:
        if not links:
            unseen = namespace is not None and not namespace.readable
            why_none = "its links cannot be read by this user" if unseen else "no links there, loopback aside"
            paper.print(span(query), span(f": {why_none}", "doubt"))
        for link in links:
            if not first:
                paper.print()
            first = False
            _write_peer(paper, link)


def _write_peer(paper: Paper, link: Link) -> None:
    write_node(paper, tree(link))
    for reason in why(link):
        fold_text(paper, (), reason, "dim")


def tree(link: Link) -> Node:
    """The tree of one asked link."""
    steps = way_up(link)
    nodes = {-1: Node(words.place(link), words.facts(link), [])}
    for number, step in enumerate(steps):
        nodes[number] = _step_node(step)
        nodes[step.after].below.append(nodes[number])
    root = nodes[-1]
    loose = link.loose
    if loose is not None:
        root.below.insert(0, _open_node(link.topology, loose))
    if link.peer is None and open_peer(link) is None:
        said = "no peer: it is not one end of a pair" if not link.ports else "no peer: it has ports"
        root.below.insert(0, Node(line(span(said, "doubt")), [], []))
    elif link.peer is not None and not any(step.relation == "peer" and step.after == -1 for step in steps):
        root.below.insert(0, _peer_node(link, link.peer))
    return root


def _peer_node(link: Link, peer: Link) -> Node:
    evidence = "" if link.wire is None else link.wire.evidence
    style = "dim" if evidence == "proved" else "doubt"
    return Node(
        line(Span("peer "), span(f"({evidence})", style), GAP, *words.place(peer)), words.facts(peer), []
    )


def _step_node(step: Step) -> Node:
    if step.relation == "peer":
        return _peer_node(step.link, step.link)  # a wire is the same, seen from either end
    word = RELATIONS.get(step.relation, step.relation)
    return Node(line(span(word), GAP, *words.place(step.link)), words.facts(step.link), [])


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
    """A node and all below it. Details that have no room go on below their head, never in the middle of a word."""
    below = rest + (paper.trunk if node.below else "   ")
    fold(paper, line(first), [node.head, *node.details], line(below, GAP))
    for number, child in enumerate(node.below):
        last = number == len(node.below) - 1
        write_node(
            paper,
            child,
            rest + (paper.last if last else paper.branch),
            rest + ("   " if last else paper.trunk),
        )


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
