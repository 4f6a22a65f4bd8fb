"""Which card stands in which column, and in which order: neighbours side by side, crossings few, the same every time.

Cards that cords join, directly or not, are an island. In each island the first card (home) stands in the first column,
what it is joined to in the second, and so on; where there are no more columns, the rest stands in the last one.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from nswire.draw.scene import Port

if TYPE_CHECKING:
    from nswire.draw.scene import Card, Cord, Scene


class Island(NamedTuple):
    """Cards by column, from top to bottom, and the cords between them that are not drawn inside of a card."""

    columns: list[list[Card]]
    cords: list[Cord]


def islands(scene: Scene, most: int) -> list[Island]:
    """The islands of a scene, home's first, then the largest."""
    by_key = {card.key: card for card in scene.cards}
    beside: dict[str, list[str]] = {key: [] for key in by_key}
    for cord in scene.cords:
        if cord.a.card != cord.b.card:
            beside[cord.a.card].append(cord.b.card)
            beside[cord.b.card].append(cord.a.card)
    distance: dict[str, int] = {}
    groups: list[list[str]] = []
    for card in scene.cards:
        if card.key not in distance:
            groups.append(_reached(card.key, beside, distance))
            if card.type != "home":
                # any card of an island leads to the same one: the first of those with the most rows
                first = max(groups[-1], key=lambda key: (len(by_key[key].rows), -int(key[1:])))
                for key in groups[-1]:
                    del distance[key]
                groups[-1] = _reached(first, beside, distance)
    home = groups[:1]
    rest = sorted(groups[1:], key=lambda group: (-len(group), int(group[0][1:])))
    made = []
    number_of = {key: number for number, group in enumerate([*home, *rest]) for key in group}
    cords: list[list[Cord]] = [[] for _ in groups]
    for cord in scene.cords:
        if not cord.tree:
            cords[number_of[cord.a.card]].append(cord)
    for group, inside in zip([*home, *rest], cords, strict=True):
        column_of = {key: min(distance[key], most - 1) for key in group}
        made.append(Island(_ordered([by_key[key] for key in group], column_of, inside), inside))
    return made


def _reached(start: str, beside: dict[str, list[str]], distance: dict[str, int]) -> list[str]:
    found = [start]
    distance[start] = 0
    pending = deque(found)
    while pending:
        key = pending.popleft()
        for other in beside[key]:
            if other not in distance:
                distance[other] = distance[key] + 1
                found.append(other)
                pending.append(other)
    return found


def _ordered(cards: list[Card], column_of: dict[str, int], cords: list[Cord]) -> list[list[Card]]:
    """The cards of each column, ordered by the rows that they are joined to in the column before."""
    columns: list[list[Card]] = [[] for _ in range(max(column_of.values()) + 1)]
    for card in cards:
        columns[column_of[card.key]].append(card)
    ends: dict[str, list[tuple[Port, Port]]] = {card.key: [] for card in cards}
    for cord in cords:
        ends[cord.a.card].append((cord.a, cord.b))
        ends[cord.b.card].append((cord.b, cord.a))
    rank: dict[Port, tuple[int, int]] = {}
    for number, column in enumerate(columns):
        made = _in_order(column, number, column_of, ends, rank)
        columns[number] = made
        for at, card in enumerate(made):
            for row, port in enumerate(ports(card)):
                rank[port] = (at, row)
    return columns


def ports(card: Card) -> list[Port]:
    """Where cords may end at a card: its title, then its rows."""
    return [Port(card.key, ""), *(Port(card.key, row.key) for row in card.rows)]


def _in_order(
    column: list[Card],
    number: int,
    column_of: dict[str, int],
    ends: dict[str, list[tuple[Port, Port]]],
    rank: dict[Port, tuple[int, int]],
) -> list[Card]:
    """Those that are joined to the column before by the order there; each followed by those that hang on it alone."""
    place = {card.key: at for at, card in enumerate(column)}
    anchors: dict[str, tuple[int, int]] = {}
    for card in column:
        found = [rank[far] for _, far in ends[card.key] if column_of[far.card] == number - 1]
        if found:
            anchors[card.key] = min(found)
    by_key = {card.key: card for card in column}
    order: dict[str, None] = {}
    first = sorted(anchors, key=lambda key: (anchors[key], place[key])) or [column[0].key]
    for start in (*first, *by_key):
        pending = [start]
        while pending:
            key = pending.pop()
            if key in order:
                continue
            order[key] = None
            row_of = {port: at for at, port in enumerate(ports(by_key[key]))}
            hanging = sorted(
                (row_of[own], place[far.card], far.card)
                for own, far in ends[key]
                if column_of[far.card] == number and far.card not in anchors and far.card not in order
            )
            pending.extend(card for _, _, card in reversed(hanging))
    return [by_key[key] for key in order]
