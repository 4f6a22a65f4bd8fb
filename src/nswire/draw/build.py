"""From a topology to a scene: what is chosen, folded where it is much, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from nswire import kinds
from nswire.draw import labels
from nswire.draw.broadcast_domains import networks
from nswire.draw.grouping import NOTHING, fold
from nswire.draw.scene import Card, Chip, Cord, Port, Row, Scene, Trail
from nswire.draw.selection import Stub, Wishes, choose
from nswire.draw.tree import forest
from nswire.escape import visible
from nswire.model.values import End

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.draw.grouping import Folding
    from nswire.draw.scene import CardType
    from nswire.draw.selection import Drawn, Node, Strand
    from nswire.draw.tree import Forest
    from nswire.model.topology import Link, Topology
    from nswire.model.values import NsKey, Wire

Fate = Literal["leaves", "delivered", "refused", "dropped", "unknown"]  # as `path` says it
UNTOLD = "ofport"
DIES, TARGET = Chip("dropped here", "bad"), Chip("the target", "warn")
Grouping = Literal["bridge", "owner", "none"]
UNSEEN_SHOWN = 6
TIMES = "\N{MULTIPLICATION SIGN}"
DEEPEST = 10  # steps of indentation: a stack may be hundreds of links high
EVERYTHING = Wishes()


class Size(NamedTuple):
    """When a picture is too big: with more cards or rows than that, those of which there are `few` at least are folded."""

    cards: int = 40
    rows: int = 160
    few: int = 5


class Followed(NamedTuple):
    """A way through the picture that is to be seen on it: links and wires in order, and what is to be said of it.

    `dies`: the last link of the way of what is dropped. `target`: where it was to go, if it did not get there.
    """

    caption: str
    links: tuple[End, ...] = ()
    wires: tuple[Wire, ...] = ()
    fate: Fate = "unknown"
    dies: End | None = None
    target: tuple[End, ...] = ()


def picture(
    topology: Topology,
    wishes: Wishes = EVERYTHING,
    *,
    group: Grouping = "bridge",
    size: Size = Size(),  # noqa: B008 (immutable)
    follow: Followed | None = None,
) -> Scene:
    """What is to be drawn of a topology. What is much is folded by bridge, or by owner, or not at all."""
    drawn = choose(topology, wishes)
    trees = forest(drawn)
    kept: list[Node] = [*wishes.links, *wishes.spaces, *(() if follow is None else follow.links)]
    folding = NOTHING
    if group != "none" and _too_big(drawn, size):
        folding = fold(topology, drawn, trees, size.few, by_owner=group == "owner", kept=kept)
    return _Builder(topology, drawn, trees, folding).scene(follow)


def _too_big(drawn: Drawn, size: Size) -> bool:
    cards = len(drawn.links) + len(drawn.stubs)
    return cards > size.cards or sum(map(len, drawn.links.values())) > size.rows


def _of_port(strand: Strand) -> tuple[Chip, ...]:
    """What is said of a port beside it: not its number in the switch, which says nothing to people."""
    if strand.wire is None:
        return tuple(map(Chip, strand.notes))
    return tuple(map(Chip, labels.pairs(pair for pair in strand.wire.data if pair[0] != UNTOLD)))


class _Builder:
    """Makes a scene, once."""

    def __init__(self, topology: Topology, drawn: Drawn, trees: Forest, folding: Folding) -> None:
        self._topology = topology
        self._drawn = drawn
        self._trees = trees
        self._folding = folding
        self._served = {strand.a for strand in drawn.strands if isinstance(strand.b, Stub)}
        self._notes: dict[End, tuple[Chip, ...]] = {}
        for strand in drawn.strands:
            if strand.relation == "port" and isinstance(strand.a, End):
                self._notes[strand.a] = (*self._notes.get(strand.a, ()), *_of_port(strand))
        self._members: dict[Node, list[Node]] = {}
        nodes: list[Node] = [*drawn.links, *drawn.stubs]
        nodes += [link.end for links in trees.order.values() for link in links]
        for node in nodes:
            self._members.setdefault(folding(node), []).append(node)
        self._ports: dict[Node, Port] = {}
        self._fates: dict[Node, Chip] = {}

    def scene(self, follow: Followed | None) -> Scene:
        """The scene."""
        if follow is not None:
            self._fates = {self._folding(end): TARGET for end in follow.target}
            if follow.dies is not None:
                self._fates[self._folding(follow.dies)] = DIES
        cards = tuple(self._cards())
        cords = tuple(self._cords())
        return Scene(
            title=_title(self._topology),
            cards=cards,
            cords=cords,
            unseen=_unseen(self._topology),
            left_out=tuple(self._drawn.left_out),
            trail=None if follow is None else self._trail(follow, cords),
            topology=self._topology,
        )

    # -- cards and rows ------------------------------------------------------------------------------------------

    def _cards(self) -> Iterable[Card]:
        spaces = sorted(self._drawn.links, key=self._rank_of)
        nodes: list[Node] = [*spaces, *self._drawn.stubs]
        for number, node in enumerate(node for node in nodes if self._folding(node) == node):
            key = f"c{number}"
            self._ports[node] = Port(key, "")
            yield self._stub(key, node) if isinstance(node, Stub) else self._space(key, node)

    def _rank_of(self, ns: NsKey) -> tuple[bool, bool, tuple[tuple[int, str], ...]]:
        named = self._topology.namespaces[ns]
        return not named.home, named.hidden, labels.natural(named.label)

    def _stub(self, key: str, stub: Node) -> Card:
        members = [member for member in self._members[stub] if isinstance(member, Stub)]
        first = members[0]
        many = len(members) > 1
        title = f"{len(members)} {STUBS.get(first.type, first.title)}" if many else first.title
        subtitle = "" if many else first.subtitle
        return Card(key, first.type, title, subtitle, "", (), (), tuple(member.title for member in members))

    def _space(self, key: str, ns: Node) -> Card:
        members = [member for member in self._members[ns] if isinstance(member, int)]
        named = self._topology.namespaces[members[0]]
        title, subtitle = (
            labels.many(self._topology, members) if len(members) > 1 else labels.single(self._topology, named)
        )
        beyond = self._drawn.beyond.get(members[0], 0)
        if not named.readable:
            note = "its links cannot be read"
        elif beyond:
            note = f"{beyond} more link{'s' * (beyond > 1)}"
        else:
            note = "" if self._trees.order[members[0]] else self._why_empty(members[0])
        return Card(
            key, _type_of(named.home, named.hidden, named.readable), title, subtitle, note,
            tuple(self._rows(key, members[0])), tuple(members), (),
        )  # fmt: skip

    def _why_empty(self, ns: NsKey) -> str:
        """Nothing of it is drawn: it has nothing, or what it has is not wanted."""
        links = [
            link
            for link in self._topology.links(ns)
            if not link.loopback and not kinds.is_fallback(link.fact)
        ]
        if not links:
            return "no links but loopback"
        down = all(labels.mark(link) == "down" for link in links)
        return f"{len(links)} link{'s' * (len(links) > 1)}, {'down' if down else 'nothing passes'}"

    def _rows(self, card: str, ns: NsKey) -> Iterable[Row]:
        depth: dict[Node, int] = {}
        number = 0
        for link in self._trees.order[ns]:
            if self._folding(link.end) != link.end:
                continue
            above = self._trees.parent.get(link.end)
            parent = None if above is None else self._folding(above)
            depth[link.end] = 0 if parent is None else min(depth[parent] + 1, DEEPEST)
            key = f"{card}r{number}"
            number += 1
            self._ports[link.end] = Port(card, key)
            yield self._row(key, link, depth[link.end], "" if parent is None else self._ports[parent].row)

    def _row(self, key: str, link: Link, depth: int, parent: str) -> Row:
        members = [end for end in self._members[link.end] if isinstance(end, End)]
        name, address, notes = visible(link.ifname), labels.address(link), self._notes_of(link)
        if len(members) > 1:
            links = [found for end in members if (found := self._topology.get(end)) is not None]
            inside = len({end.ns for end in members})
            each = len(members) // inside
            name = labels.common(visible(one.ifname) for one in links) or "…"
            address = ""
            many = f"{TIMES}{len(members)}" if inside == 1 or each > 1 else "each"
            notes = (*labels.notes(link), Chip(many))
        if link.end in self._fates:
            notes = (self._fates[link.end], *notes)
        return Row(
            key, name, labels.kind(link), address, labels.mark(link), labels.state(link), notes,
            depth, parent, not link.kind, link.end in self._trees.uplinks, tuple(members),
        )  # fmt: skip

    def _notes_of(self, link: Link) -> tuple[Chip, ...]:
        served = link.end in self._served  # its owner is told where the wire ends
        owner = "" if served else labels.own_owner(link)
        uplink = ("uplink",) if link.kind and link.end in self._trees.uplinks and self._is_port(link) else ()
        beyond = self._drawn.beyond.get(link.end, 0)
        more = (f"+{beyond} wire{'s' * (beyond > 1)}",) if beyond else ()
        return (
            *labels.notes(link),
            *self._notes.get(link.end, ()),
            *map(Chip, (*uplink, *((owner,) if owner else ()), *more)),
        )

    def _is_port(self, link: Link) -> bool:
        strand = self._trees.strand.get(link.end)
        return strand is not None and strand.relation == "port" and strand.a == link.end

    # -- cords ---------------------------------------------------------------------------------------------------

    def _cords(self) -> Iterable[Cord]:
        number_of = networks(self._topology, self._drawn.strands)
        tree = {id(strand) for strand in self._trees.strand.values()}
        bundles: dict[tuple[object, ...], list[Strand]] = {}
        for strand in self._drawn.strands:
            a, b = self._folding(strand.a), self._folding(strand.b)
            what = (strand.relation, strand.certainty, a, b, id(strand) in tree, self._broken(strand))
            # those that nothing is folded of are bundles of one each, also where two tie the same ends
            alone = None if (a, b) != (strand.a, strand.b) or self._stands_for_many(a, b) else id(strand)
            bundles.setdefault((*what, alone), []).append(strand)
        for number, strands in enumerate(sorted(bundles.values(), key=lambda many: self._order(many[0]))):
            first = strands[0]
            a, b = self._folding(first.a), self._folding(first.b)
            yield Cord(
                f"w{number}",
                first.relation,
                self._ports[a],
                self._ports[b],
                first.certainty,
                self._broken(first),
                first.notes if len(strands) == 1 else (),
                0 if first.certainty == "unknown" else number_of.get(first.a, 0) or number_of.get(first.b, 0),
                id(first) in tree,
                tuple(strand.wire for strand in strands if strand.wire is not None),
                tuple(strand.loose for strand in strands if strand.loose is not None),
            )

    def _stands_for_many(self, a: Node, b: Node) -> bool:
        return len(self._members[a]) > 1 or len(self._members[b]) > 1

    def _order(self, strand: Strand) -> tuple[int, int, int, int, str]:
        def place(node: Node) -> tuple[int, int]:
            port = self._ports[self._folding(node)]
            return int(port.card[1:]), int(port.row.rpartition("r")[2] or -1)

        return (*place(strand.a), *place(strand.b), strand.relation)

    def _broken(self, strand: Strand) -> bool:
        """True if nothing passes: an end of it is not up.

        A virtual switch goes on forwarding when its own link, which is but one port of it, is down.
        """
        switches: tuple[Node, ...] = ()
        if strand.relation == "patch":
            switches = (strand.a, strand.b)
        elif strand.relation == "port":
            switches = (strand.b,)
        elif isinstance(strand.b, Stub) and strand.b.type == "tunnel":
            switches = (strand.a,)
        for node in (strand.a, strand.b):
            link = self._topology.get(node) if isinstance(node, End) else None
            if link is not None and labels.mark(link) != "up":
                if node in switches and kinds.of(link.kind).leaf:
                    continue
                return True
        return False

    def _trail(self, follow: Followed, cords: tuple[Cord, ...]) -> Trail:
        by_wire = {wire: cord.key for cord in cords for wire in cord.wires}
        rows = (self._ports.get(self._folding(end)) for end in follow.links)
        return Trail(
            visible(follow.caption),
            tuple(dict.fromkeys(port.row for port in rows if port is not None)),
            tuple(dict.fromkeys(by_wire[wire] for wire in follow.wires if wire in by_wire)),
            follow.fate,
        )


STUBS = {"process": "processes", "tunnel": "tunnels"}


def _type_of(home: bool, hidden: bool, readable: bool) -> CardType:  # noqa: FBT001 (three facts of a namespace)
    if home:
        return "home"
    if hidden:
        return "hidden"
    return "space" if readable else "closed"


def _title(topology: Topology) -> str:
    """What it is a picture of. The time is told only of a recording: the same host gives the same picture."""
    taken = topology.taken
    told = [visible(taken.hostname)]
    if taken.source != "live":
        told.append(f"recorded {visible(taken.time[:19].replace('T', ' '))} UTC")
    return ", ".join(told)


def _unseen(topology: Topology) -> tuple[str, ...]:
    gaps = topology.gaps
    told = [visible(gap.text) for gap in gaps[:UNSEEN_SHOWN]]
    if len(gaps) > UNSEEN_SHOWN:
        told.append(f"and {len(gaps) - UNSEEN_SHOWN} more")
    return tuple(told)
