"""What of a folded picture can be unfolded where it stands: rows, and cards that are joined to them by straight cords.

A fan is opened by making room below its last row, all over the picture: whatever is further down moves down by as much,
what spans that height grows, so nothing else changes its place and no cord meets another. Each member then gets a line
there for each of its rows: on the side of the rows, and, level with it, on the side of the card.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire.draw.scene import Port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.draw.geometry import Geometry
    from nswire.draw.scene import Card, Cord, Row


class Fan(NamedTuple):
    """`rows` are folded rows of one card, each joined to a row of `card`; without a `card` there is one row.

    `y` is where room is made.
    """

    card: str
    rows: tuple[str, ...]
    cords: tuple[str, ...]
    y: int


def fans(geometry: Geometry) -> Iterator[Fan]:
    """The fans of a geometry."""
    scene = geometry.scene
    parents = {row.parent for card in scene.cards for row in card.rows}
    joined: dict[Port, list[Cord]] = {}
    for cord in scene.cords:
        if not cord.tree:
            joined.setdefault(cord.a, []).append(cord)
            joined.setdefault(cord.b, []).append(cord)
    used: set[str] = set()
    for card in scene.cards:
        if card.many > 1:
            fan = _fan(geometry, card, joined, parents)
            if fan is not None:
                used.update(fan.rows)
                yield fan
    for card in scene.cards:
        for row in card.rows:
            if card.many == 1 and row.many > 1 and row.key not in used and row.key not in parents:
                box = geometry.rows[row.key]
                yield Fan("", (row.key,), (), box.y + geometry.metrics.row)


def _fan(geometry: Geometry, card: Card, joined: dict[Port, list[Cord]], parents: set[str]) -> Fan | None:
    """The fan that ends at a folded card; None if it is joined to more than that, or not by straight cords."""
    scene = geometry.scene
    ends = [port for port in joined if port.card == card.key]
    cords = [cord for port in ends for cord in joined[port]]
    if not cords or len(cords) != len(ends) or len(ends) != max(1, len(card.rows)):
        return None
    pairs: list[tuple[Port, Port, Cord]] = []
    for cord in cords:
        own, other = (cord.a, cord.b) if cord.a.card == card.key else (cord.b, cord.a)
        pairs.append((other, own, cord))
    pairs.sort(key=lambda pair: geometry.cords[pair[2].key][0][1])
    rows = [scene.row(other.row) for other, _, _ in pairs if other.row]
    straight = all(len(geometry.cords[cord.key]) == 2 for cord in cords)
    if (
        not straight
        or len({other.card for other, _, _ in pairs}) != 1
        or len(rows) != len(pairs)
        or len(set(rows)) != len(rows)
        or not all(
            _same(row, cord, card, joined) and row.key not in parents
            for row, (_, _, cord) in zip(rows, pairs, strict=True)
        )
    ):
        return None
    last = geometry.rows[rows[-1].key]
    return Fan(
        card.key,
        tuple(row.key for row in rows),
        tuple(cord.key for _, _, cord in pairs),
        last.y + geometry.metrics.row,
    )


def _same(row: Row, cord: Cord, card: Card, joined: dict[Port, list[Cord]]) -> bool:
    """True if each link of the row is joined to one member of the card, and to nothing else."""
    port = cord.a if cord.a.row == row.key else cord.b
    return row.many == cord.many == card.many and len(joined[port]) == 1
