"""What the page knows besides the picture: every link, namespace and wire, also those that one stands for; as plain lists.

Kept short, since a host with four thousand namespaces has to fit: a link is a list of its values in the order of `LINK`,
a wire one in that of `WIRE`. Numbers in them are places in these lists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.draw import labels
from nswire.draw.expand import fans
from nswire.escape import visible
from nswire.model import owner_types
from nswire.model.values import RT_SCOPE_LINK, End

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.draw.expand import Fan
    from nswire.draw.geometry import Geometry
    from nswire.draw.scene import Cord, Row, Scene
    from nswire.model.topology import Link, Topology
    from nswire.model.values import Far, NsKey

LINK = (
    "space",
    "row",
    "name",
    "ifindex",
    "kind",
    "mark",
    "state",
    "MAC",
    "MTU",
    "addresses",
    "also called",
    "owners",
)
WIRE = ("cord", "relation", "a", "b", "certainty", "notes", "far", "by")
DETAILED = 3000  # links: up to so many, all is told of each

Values = list[object]


def data(geometry: Geometry, *, details: bool = True) -> dict[str, object]:
    """All of it. `details`: also what takes questions of its own to know of each link, unless there are too many."""
    scene = geometry.scene
    row_of = {end: row.key for card in scene.cards for row in card.rows for end in row.ends}
    spaces = [(ns, card.key) for card in scene.cards for ns in card.spaces]
    number_of_space = {ns: number for number, (ns, _) in enumerate(spaces)}
    links = [link for ns, _ in spaces for link in scene.topology.links(ns)]
    # those of folded namespaces with the row that stands for them
    drawn = [(link, row_of[link.end]) for link in links if link.end in row_of]
    number_of = {link.end: number for number, (link, _) in enumerate(drawn)}
    detailed = details and len(drawn) <= DETAILED
    return {
        "link": LINK,
        "wire": WIRE,
        "spaces": [_space(scene.topology, ns, card) for ns, card in spaces],
        "links": [_link(link, row, number_of_space[link.end.ns]) for link, row in drawn],
        "more": [_more(link) for link, _ in drawn] if detailed else [],
        "wires": [wire for cord in scene.cords for wire in _wires(scene, cord, number_of)],
        "cards": {card.key: [*geometry.cards[card.key]] for card in scene.cards},
        "rows": {row.key: [*geometry.rows[row.key]] for card in scene.cards for row in card.rows},
        "cords": {key: [value for corner in path for value in corner] for key, path in geometry.cords.items()},
        "fans": [_fan(scene, fan, number_of) for fan in fans(geometry)],
        "out": [row.key for card in scene.cards for row in card.rows if row.out],
        "others": {card.key: list(card.others) for card in scene.cards if card.others},
    }  # fmt: skip


def _space(topology: Topology, ns: NsKey, card: str) -> Values:
    """Title, card, owners, the label if that is another one than the title, and a handle that finds it wherever it is asked."""
    named = topology.namespaces[ns]
    title = topology.title(named)
    owners = ", ".join(visible(owner_types.label(one)) for one in topology.owners(ns))
    handle = visible(named.label) if named.inode is None else f"net:[{named.inode}]"
    return [visible(title), card, owners, visible(named.label) if named.label != title else "", handle]


def _link(link: Link, row: str, space: int) -> Values:
    fact = link.fact
    return [
        space,
        row,
        visible(link.ifname),
        link.ifindex,
        labels.kind(link),
        labels.mark(link),
        labels.state(link) or link.operstate,
        visible(fact.address),
        fact.mtu,
        [visible(one.address) for one in sorted(link.addresses, key=lambda one: one.scope >= RT_SCOPE_LINK)],
        [visible(name) for name in (*fact.altnames, *((fact.alias,) if fact.alias else ()))],
        [visible(owner_types.label(one)) for one in labels.own_owners(link)],
    ]


def _more(link: Link) -> list[list[str]]:
    """Names and values of all else that is known."""
    told = [
        ["flags", " ".join(link.flags)],
        ["device", link.fact.parentdev],
        ["permanent MAC", link.fact.permaddr],
    ]
    for subject, values in link.details.items():
        for name, value in values.items():
            if isinstance(value, dict):
                told += [[f"{subject} {name} {key}", str(inner)] for key, inner in value.items()]
            else:
                told.append([f"{subject} {name}", str(value)])
    return [[visible(name), visible(value)] for name, value in told if value]


def _wires(scene: Scene, cord: Cord, number_of: dict[End, int]) -> Iterator[Values]:
    for wire in cord.wires:
        b = number_of.get(wire.b, -1) if wire.b is not None else -1
        yield [
            cord.key, cord.relation, number_of.get(wire.a, -1), b, cord.certainty, list(labels.pairs(wire.data)),
            "" if b >= 0 else scene.card(cord.b.card).title, visible(wire.said_by),
        ]  # fmt: skip
    for loose in cord.loose:
        ends = (
            end
            for end in loose.candidates
            if end in number_of and cord.b.row and end in scene.row(cord.b.row).ends
        )
        b = number_of.get(next(ends, End(0, 0)), -1)
        far = "" if b >= 0 else scene.card(cord.b.card).title
        yield [
            cord.key,
            cord.relation,
            number_of.get(loose.a, -1),
            b,
            "unknown",
            list(cord.notes),
            far,
            loose.state,
        ]


def _fan(scene: Scene, fan: Fan, number_of: dict[End, int]) -> dict[str, object]:
    rows = [scene.row(key) for key in fan.rows]
    return {
        "card": fan.card,
        "rows": fan.rows,
        "cords": fan.cords,
        "y": fan.y,
        "members": list(_members(scene, fan.cords, rows, number_of)),
    }


def _members(
    scene: Scene, keys: tuple[str, ...], rows: list[Row], number_of: dict[End, int]
) -> Iterator[list[list[object]]]:
    """For each member a pair for each row: the link there and what it is joined to (a link, or a text), if anything."""
    if not keys:
        for end in rows[0].ends:
            yield [[number_of[end], -1]]
        return
    groups: dict[object, list[list[object]]] = {}
    for key, row in zip(keys, rows, strict=True):
        own = frozenset(row.ends)
        joined = {}
        for wire in scene.cord(key).wires:
            here, there = (wire.a, wire.b) if wire.a in own else (wire.b, wire.a)
            joined[here] = (there, "" if wire.to is None else _far(wire.to))
        for end in row.ends:
            there, far = joined[end]
            other: object = far if there is None else number_of[there]
            groups.setdefault(end if there is None else there.ns, []).append([number_of[end], other])
    yield from groups.values()


def _far(far: Far) -> str:
    pid = "" if far.pid is None else f"pid {far.pid} "
    return visible(f"{pid}{far.name}".strip())
