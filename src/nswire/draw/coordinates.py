"""An island on the plane: when all heights are known, the lanes between its columns, and how far to the right all of it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.draw.geometry import Box
from nswire.draw.routing_tracks import Crossing, lanes
from nswire.draw.scene import Port
from nswire.draw.vertical import Heights

if TYPE_CHECKING:
    from nswire.draw.geometry import Metrics, Path
    from nswire.draw.layering import Island
    from nswire.draw.scene import Cord

Found = tuple[dict[str, Box], dict[str, Box], dict[str, "Path"]]
"""Cards, rows and cords by their keys."""


class Placed:
    """An island whose place is found, its upper left corner at (`left`, `top`); `right` and `bottom` are where it ends."""

    def __init__(
        self, island: Island, metrics: Metrics, widths: dict[str, int], top: int, left: int = 0
    ) -> None:
        self._island = island
        self._metrics = metrics
        self._heights = Heights(island, metrics, top)
        self._column = {card.key: at for at, column in enumerate(island.columns) for card in column}
        self._widths = {key: widths[key] * metrics.char for key in self._column}
        self._starts: list[int] = []  # of columns
        self._edges: list[int] = []  # where they end
        self._lane: dict[str, int] = {}
        self.right = self._columns(left)
        self.bottom = max(self._heights.bottoms.values())

    def into(self, found: Found) -> None:
        """Write down where everything is."""
        metrics, heights = self._metrics, self._heights
        cards, rows, cords = found
        for x, column in zip(self._starts, self._island.columns, strict=True):
            for card in column:
                top, width = heights.tops[card.key], self._widths[card.key]
                cards[card.key] = Box(x, top, width, heights.bottoms[card.key] - top)
                for row in card.rows:
                    start, stop = heights.parts[Port(card.key, row.key)]
                    left = x + metrics.pad * metrics.char + row.depth * metrics.indent
                    right = x + width - metrics.pad * metrics.char
                    rows[row.key] = Box(left, start, right - left, stop - start)
        for cord in self._island.cords:
            cords[cord.key] = self._path(cord, cards)

    def _columns(self, x: int) -> int:
        """Find the lanes behind each column, and with them where the next one begins; the right edge of all."""
        metrics = self._metrics
        last = len(self._island.columns) - 1
        for number, column in enumerate(self._island.columns):
            self._starts.append(x)
            x += max(self._widths[card.key] for card in column)
            self._edges.append(x)
            crossings = [
                Crossing(
                    cord.key, *self._across(cord), back=self._columns_of(cord)[0] == self._columns_of(cord)[1]
                )
                for cord in self._island.cords
                if min(self._columns_of(cord)) == number
            ]
            found, count = lanes(crossings, metrics.slot)
            self._lane.update(found)
            if count or number < last:
                x += 2 * metrics.margin + max(0, count - 1) * metrics.lane + bool(count)
        return x

    def _columns_of(self, cord: Cord) -> tuple[int, int]:
        return self._column[cord.a.card], self._column[cord.b.card]

    def _across(self, cord: Cord) -> tuple[int, int]:
        """The heights of a cord's ends, that in the column further left first."""
        a, b = self._columns_of(cord)
        first, second = self._heights.slots[cord.key, cord.a], self._heights.slots[cord.key, cord.b]
        return (first, second) if a <= b else (second, first)

    def _path(self, cord: Cord, cards: dict[str, Box]) -> Path:
        """The corners of a cord, from `a` to `b`."""
        y1, y2 = self._heights.slots[cord.key, cord.a], self._heights.slots[cord.key, cord.b]
        a, b = self._columns_of(cord)
        x1 = cards[cord.a.card].right if a <= b else cards[cord.a.card].x
        x2 = cards[cord.b.card].right if b <= a else cards[cord.b.card].x
        if cord.key not in self._lane:
            return ((x1, y1), (x2, y2))
        lane = self._edges[min(a, b)] + self._metrics.margin + self._lane[cord.key] * self._metrics.lane
        return ((x1, y1), (lane, y1), (lane, y2), (x2, y2))
