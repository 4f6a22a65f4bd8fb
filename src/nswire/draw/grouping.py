"""Which links, namespaces and other ends are alike, so that one may stand for many.

Two are alike if they are of one kind and state, and are joined by the same relations to ends that are alike in turn: the
coarsest such division, found by refining (as for the smallest automaton). Then classes that are too small to be worth it
are taken apart, and what stands beside them is told apart by them; until nothing changes. What is not alike (a link that
is down among a thousand that are up, a namespace with one link more) stays visible for itself.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from nswire import kinds
from nswire.draw import labels
from nswire.model.values import End

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from nswire.draw.selection import Drawn, Node
    from nswire.draw.tree import Forest
    from nswire.model.topology import Link, Topology
    from nswire.model.values import NsKey

STEM = 3  # letters of a name that tell what it is for: tap, qvo, cal, ns-
MANY_PORTS = 4  # a bridge with more ports than that is worth a row of its own
ROUNDS = 12


class Folding(NamedTuple):
    """Which node stands for a node; those that stand for themselves are not in it."""

    of: dict[Node, Node]

    def __call__(self, node: Node) -> Node:
        """The node that stands for it."""
        return self.of.get(node, node)


NOTHING = Folding({})


def fold(
    topology: Topology, drawn: Drawn, forest: Forest, few: int, *, by_owner: bool, kept: Iterable[Node]
) -> Folding:
    """Let one stand for those that are alike, if they are `few` at least. `kept` are never folded."""
    color = _Classes(topology, drawn, by_owner=by_owner, kept=frozenset(kept)).stable(few)
    chosen: dict[Node, Node] = {}
    for nodes in (drawn.links, drawn.stubs):
        for group in _grouped(nodes, lambda node: color[node]):
            if len(group) >= few:
                chosen.update(dict.fromkeys(group[1:], group[0]))
    for ns in drawn.links:
        if ns not in chosen:
            _fold_rows(forest, ns, color, few, chosen)
    ranks = {ns: _ranked(forest, ns, color) for ns in drawn.links if ns in chosen or ns in chosen.values()}
    for ns in drawn.links:
        first = chosen.get(ns)
        if isinstance(first, int):
            for rank, end in ranks[ns].items():
                standing = ranks[first][rank]
                chosen[end] = chosen.get(standing, standing)
    return Folding(chosen)


def _grouped(nodes: Iterable[Node], key: Callable[[Node], Hashable]) -> Iterable[list[Node]]:
    groups: dict[Hashable, list[Node]] = {}
    for node in nodes:
        groups.setdefault(key(node), []).append(node)
    return groups.values()


def _fold_rows(forest: Forest, ns: NsKey, color: dict[Node, int], few: int, chosen: dict[Node, Node]) -> None:
    """Rows of one card that are alike and hang on the same row, or on rows that one stands for; parents first."""
    depth: dict[Node, int] = {}
    levels: list[list[Node]] = []
    for link in forest.order[ns]:
        above = forest.parent.get(link.end)
        level = depth[link.end] = 0 if above is None else depth[above] + 1
        if level == len(levels):
            levels.append([])
        levels[level].append(link.end)

    def place(node: Node) -> Hashable:
        above = forest.parent.get(node) if isinstance(node, End) else None
        return color[node], None if above is None else chosen.get(above, above)

    for level_nodes in levels:
        for group in _grouped(level_nodes, place):
            if len(group) >= few:
                chosen.update(dict.fromkeys(group[1:], group[0]))


def _ranked(forest: Forest, ns: NsKey, color: dict[Node, int]) -> dict[tuple[int, int], End]:
    """The links of a namespace by their class and the number in it: alike namespaces have the same of these."""
    found: dict[tuple[int, int], End] = {}
    numbers: Counter[int] = Counter()
    for link in forest.order[ns]:
        its = color[link.end]
        found[its, numbers[its]] = link.end
        numbers[its] += 1
    return found


class _Classes:
    """The division into classes: a number for each node, equal for those that are alike so far."""

    def __init__(self, topology: Topology, drawn: Drawn, *, by_owner: bool, kept: frozenset[Node]) -> None:
        self._home = topology.home
        self._inside = {ns: [link.end for link in links] for ns, links in drawn.links.items()}
        self._beside: dict[Node, list[tuple[Hashable, Node]]] = {}
        own: dict[Node, Hashable] = {}
        ports: Counter[Node] = Counter()
        for strand in drawn.strands:
            what = (strand.relation, strand.certainty)
            self._beside.setdefault(strand.a, []).append(((what, "a"), strand.b))
            self._beside.setdefault(strand.b, []).append(((what, "b"), strand.a))
            if strand.relation == "port":
                ports[strand.b] += 1
        for ns, links in drawn.links.items():
            named = topology.namespaces[ns]
            alone = ns == topology.home or ns in kept
            own[ns] = ns if alone else (named.hidden, named.readable, _group(topology, ns, by_owner=by_owner))
            for link in links:
                single = link.end in kept or ports[link.end] > MANY_PORTS
                own[link.end] = link.end if single else _likeness(link, drawn)
        for stub in drawn.stubs:
            own[stub] = stub if stub in kept else (stub.type, stub.title if stub.type == "unknown" else "")
        self._color: dict[Node, int] = _numbered(own)

    def stable(self, few: int) -> dict[Node, int]:
        """The division in which classes have one member, or `few` at least."""
        for _ in range(ROUNDS):
            self._refine()
            sizes = Counter(self._color.values())
            small = {node: node for node, its in self._color.items() if 1 < sizes[its] < few}
            if not small:
                break
            self._color = _numbered(
                {node: (node,) if node in small else its for node, its in self._color.items()}
            )
        return self._color

    def _refine(self) -> None:
        """Tell apart what is joined to different things, until nothing more is told apart."""
        count = len(set(self._color.values()))
        while True:
            color = self._color
            seen: dict[Node, Hashable] = {}
            for node, its in color.items():
                beside = frozenset((what, color[other]) for what, other in self._beside.get(node, ()))
                if isinstance(node, End):
                    seen[node] = (its, beside, color[node.ns])
                elif isinstance(node, int) and node != self._home:
                    seen[node] = (its, beside, tuple(sorted(color[end] for end in self._inside[node])))
                else:
                    seen[node] = (its, beside)
            self._color = _numbered(seen)
            refined = len(set(self._color.values()))
            if refined == count:
                return
            count = refined


def _numbered(values: dict[Node, Hashable]) -> dict[Node, int]:
    numbers: dict[Hashable, int] = {}
    return {node: numbers.setdefault(value, len(numbers)) for node, value in values.items()}


def _likeness(link: Link, drawn: Drawn) -> Hashable:
    """What must be the same of links that are alike."""
    return (
        link.kind,
        kinds.is_shared_tunnel(link.fact),
        link.ifname[:STEM],
        labels.mark(link),
        labels.state(link),
        bool(labels.notes(link)),
        drawn.beyond.get(link.end, 0) > 0,
    )


def _group(topology: Topology, ns: NsKey, *, by_owner: bool) -> Hashable:
    """What must be the same of the owners of namespaces that are alike: their type, or, `by_owner`, what they belong to."""
    owners = topology.owners(ns)
    if not owners:
        named = topology.namespaces[ns]
        head, dash, _ = named.label.partition("-")
        return ("", head if dash and named.names else "")
    first = owners[0]
    if not by_owner:
        return (first.type, "")
    return (first.type, labels.belongs_to(first))
