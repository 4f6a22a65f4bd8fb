"""`nswire peer` for people: a small tree for each asked link, or a table of every pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire import kinds
from nswire.model import relations
from nswire.model.values import said
from nswire.resolve.carrier import stopped
from nswire.resolve.evidence import why
from nswire.resolve.uplinks import ENDS, way_up
from nswire.show import words
from nswire.show.terminal import GAP, Line, Paper, Span, fold, fold_text, line, span
from nswire.show.text_pairs import other_end, write_many
from nswire.show.to_documents import end_words, fix, open_peer, servers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nswire.model.reasons import Cause
    from nswire.model.topology import Link, Topology
    from nswire.model.values import Far, Loose, Namespace, Owner, Wire
    from nswire.resolve.uplinks import Step, Stop

CANDIDATES_SHOWN = 20
PORTS_SHOWN = 16
MANY = 6  # links; more are told as a table
OTHER_ENDS = {
    "process": "served by",
    "namespace": "sent from",
    "tunnel": "tunnel",
}  # by what it is, if it is no link
SAID_BY_STEP = ("nic", "process", "namespace", "tunnel")  # ends that their step tells of already
SAID_OF_ASKED = ("routes",)  # the end of a way of no steps that is no news
NO_PEER = "no peer: this kind of link has none"
DEEPEST = 36  # columns of indentation
BRANCHES = 24  # of one node: a switch may have a thousand tunnels


class Node(NamedTuple):
    """A line of a tree: what it starts with, what follows if there is room, and the lines below it."""

    head: Line
    details: list[Line]
    below: list[Node]


class Detail(NamedTuple):
    """How much is told: link-local addresses (`addresses`), and all of why it is so, of however many links (`why`)."""

    addresses: bool = False
    why: bool = False


SHORT = Detail()


class Question(NamedTuple):
    """What was asked, and what it stands for."""

    query: str
    links: Sequence[Link]
    namespace: Namespace | None = None
    owner: Owner | None = None


def write_peers(paper: Paper, asked: Sequence[Question], detail: Detail = SHORT) -> None:
    """For each handle its links, each with its other end and the way up to the NIC; a table if they are many."""
    for query, links, namespace, owner in asked:
        if not links:
            paper.print(span(query), span(f": {_why_none(namespace, owner)}", "doubt"))
    links = list(dict.fromkeys(link for one in asked for link in one.links))
    if len(links) > MANY and not detail.why:
        write_many(paper, links)
        return
    for number, link in enumerate(links):
        if number:
            paper.print()
        _write_peer(paper, link, detail)


def _why_none(namespace: Namespace | None, owner: Owner | None) -> str:
    if owner is not None and (namespace is None or namespace.home):
        return words.homeless(namespace)
    if namespace is not None and not namespace.readable:
        return "its links cannot be read by this user"
    return "no links there, loopback aside"


def _write_peer(paper: Paper, link: Link, detail: Detail) -> None:
    write_node(paper, tree(link, detail))
    reasons = why(link)
    if detail.why:
        for reason in reasons:
            fold_text(paper, (), reason, "dim")
    elif reasons:
        evidence = f"{link.wire.evidence}: " if link.wire is not None else ""
        fold_text(paper, (), f"{evidence}{reasons[-1]}; --why: how it is known", "dim")


def tree(link: Link, detail: Detail = SHORT) -> Node:
    """The tree of one asked link."""
    return _Tree(link, detail).root()


class _Tree:
    """Makes the nodes of one asked link: its other end and ports, then the way up; what carries nothing says why, once."""

    def __init__(self, link: Link, detail: Detail) -> None:
        self._link = link
        self._detail = detail
        self._told: set[Cause] = set()
        self._way = way_up(link)

    def root(self) -> Node:
        link, way = self._link, self._way
        nodes = {-1: self._node(words.place(link), link)}
        for number, step in enumerate(way.steps):
            nodes[number] = self._step_node(step)
            nodes[step.after].below.append(nodes[number])
        for stop in way.ends:
            nodes[stop.after].below.extend(self._end_nodes(stop))
        nodes[-1].below[:0] = self._own_other_end()
        for number, one in ((-1, link), *((at, step.link) for at, step in enumerate(way.steps))):
            if one is not None:
                nodes[number].below[:0] = self._stopped(one)
        return nodes[-1]

    def _node(self, head: Line, link: Link) -> Node:
        return Node(head, words.facts(link, every=self._detail.addresses), [])

    def _stopped(self, link: Link) -> list[Node]:
        """Why nothing passes a link, with the command against it; once, where several have one cause."""
        found = stopped(link)
        if found is None or found.cause.root in self._told:
            return []
        self._told |= {found.cause, found.cause.root}
        if link != self._link and found.fix == self._link:
            return []
        head = line(span(f"carries nothing: {found.cause.text}", "down"))
        command = fix(found)
        return [Node(head, [line(span(f"fix: {command}"))] if command else [], [])]

    def _own_other_end(self) -> list[Node]:
        """What is at the other end of the asked link itself, where the way up does not tell already."""
        link, way = self._link, self._way
        if link.peer is not None:
            on_way = any(step.relation == "peer" and step.after == -1 for step in way.steps)
            return [] if on_way else [self._peer_node(link, link.peer)]
        loose, to = open_peer(link), servers(link)
        if loose is not None:
            told = any(stop.loose == loose for stop in way.ends)
            return [] if told else [self._open_node(loose)]
        if to:
            on_way = any(step.relation == "tap" for step in way.steps)
            return [] if on_way else [_far_node("served by", far, None, link.topology) for far in to]
        if kinds.of(link.kind).served:
            told = any(stop.end == "unserved" for stop in way.ends)
            return [] if told else [Node(line(span(ENDS["unserved"], "doubt")), [], [])]
        if kinds.is_single(link.fact):
            told = any(stop.end == "single" for stop in way.ends)
            return [] if told else [Node(line(span(f"no peer: {ENDS['single']}", "doubt")), [], [])]
        if link.ports:
            return [*self._ports(), *self._patches()]
        if way.steps:
            return []  # the way says what it is over
        return [Node(line(span(NO_PEER, "doubt")), [], [])]

    def _ports(self) -> list[Node]:
        """The ports of a master, each with its far end; not those that the way up goes on by."""
        told = {step.link.end for step in self._way.steps if step.link is not None and step.after == -1}
        ports = [port for port in self._link.ports if port.end not in told]
        nodes = [self._port_node(port) for port in ports[:PORTS_SHOWN]]
        more = len(ports) - PORTS_SHOWN
        if more > 0:
            nodes.append(Node(line(f"and {words.counted(more, 'more port')}: --json shows all"), [], []))
        return nodes

    def _port_node(self, port: Link) -> Node:
        head = line("port", GAP, span(port.ifname, "name"))
        details: list[Line] = [(span(words.kind(port)),), *((one,) for one in words.port_state(port))]
        details.append((words.state(port),))
        far = other_end(port)
        if any(piece.text for piece in far):
            details.append(line("peer ", *far) if port.peer is not None or open_peer(port) else far)
        if port.peer is not None:
            details += [(span(words.address(one)),) for one in words.routable(port.peer)]
        return Node(head, [detail for detail in details if detail[0].text], [])

    def _patches(self) -> list[Node]:
        """The switches that patch ports join it to, where the way up does not tell already."""
        link = self._link
        told = {step.link.end for step in self._way.steps if step.link is not None}
        ends = (wire.b if wire.a == link.end else wire.a for wire in link.late_wires("patch"))
        others = [far for end in ends if (far := link.topology.at(end)) is not None and far.end not in told]
        return [self._node(line("patched to", GAP, *words.place(far)), far) for far in others]

    def _peer_node(self, link: Link, peer: Link) -> Node:
        evidence = "" if link.wire is None else link.wire.evidence
        style = "dim" if evidence == "proved" else "doubt"
        return self._node(line(Span("peer "), span(f"({evidence})", style), GAP, *words.place(peer)), peer)

    def _step_node(self, step: Step) -> Node:
        if step.relation == "peer" and step.link is not None:
            return self._peer_node(step.link, step.link)  # a wire is the same, seen from either end
        topology = self._link.topology
        word = (
            relations.of(step.relation).of_b
            if step.to is None
            else OTHER_ENDS.get(step.to.type, step.relation)
        )
        if step.link is None:
            return (
                Node(line("?"), [], []) if step.to is None else _far_node(word, step.to, step.wire, topology)
            )
        return self._node(line(*_relation(word, step.wire), GAP, *words.place(step.link)), step.link)

    def _end_nodes(self, stop: Stop) -> list[Node]:
        """Why the way ends, unless its last step says so by itself."""
        if stop.loose is not None:
            return [self._open_node(stop.loose)]
        if stop.end in (SAID_OF_ASKED if stop.after < 0 else SAID_BY_STEP):
            return []
        return [Node(line(span(end_words(self._link, self._way, stop), "dim")), [], [])]

    def _open_node(self, loose: Loose) -> Node:
        topology = self._link.topology
        hint = words.unlock(topology, loose)
        found = [candidate for end in loose.candidates if (candidate := topology.get(end)) is not None]
        below = [self._node(words.place(candidate), candidate) for candidate in found[:CANDIDATES_SHOWN]]
        if len(found) > CANDIDATES_SHOWN:
            below.append(Node(line(f"and {len(found) - CANDIDATES_SHOWN} more: --json shows all"), [], []))
        return Node(
            line(span(words.far_end(topology, loose), "doubt")),
            [line(span(hint, "dim"))] if hint else [],
            below,
        )


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
