"""From a scene to its geometry: cards in columns, rows beside what they are joined to, cords in lanes of their own.

The first column is spread so that each card of the second stands beside the row that it is joined to: most cords are then
straight, and a host with thirty containers is thirty straight lines. Nothing is random, and all that is compared has a
stable order, so the same scene gives the same geometry, and a small change moves only what is below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.draw.coordinates import Placed
from nswire.draw.geometry import Geometry, measure
from nswire.draw.layering import islands

if TYPE_CHECKING:
    from nswire.draw.coordinates import Found
    from nswire.draw.geometry import Box, Metrics, Path
    from nswire.draw.layering import Island
    from nswire.draw.scene import Cord, Scene

LINE = 96  # cells that cards which are joined to nothing may take side by side, if nothing else is wider


def lay_out(scene: Scene, metrics: Metrics) -> Geometry:
    """The geometry of a scene."""
    measured = {card.key: measure(card, metrics) for card in scene.cards}
    widths = {key: size for key, (size, _) in measured.items()}
    found: Found = ({}, {}, {})
    top = width = 0
    alone: list[Island] = []
    for island in islands(scene, metrics.columns):
        if top and not island.cords:
            alone.append(island)
            continue
        placed = Placed(island, metrics, widths, top)
        placed.into(found)
        top = placed.bottom + 2 * metrics.gap
        width = max(width, placed.right)
    _side_by_side(alone, metrics, widths, found, (width, top))
    cards, rows, cords = found
    for cord in scene.cords:
        if cord.tree:
            cords[cord.key] = _bracket(cord, rows, metrics)
    width = max(width, max((box.right for box in cards.values()), default=0))
    height = max((box.bottom for box in cards.values()), default=0)
    fields = {key: fields for key, (_, fields) in measured.items()}
    return Geometry(scene, metrics, width, height, cards, rows, fields, cords)


def _side_by_side(
    alone: list[Island], metrics: Metrics, widths: dict[str, int], found: Found, size: tuple[int, int]
) -> None:
    """Cards that are joined to nothing, in lines below all others."""
    width, y = size
    line = max(width, LINE * metrics.char if metrics.columns > 1 else 0)
    x, lowest = 0, y
    for island in alone:
        wide = widths[island.columns[0][0].key] * metrics.char
        if x and x + wide > line:
            x, y = 0, lowest + metrics.gap
        placed = Placed(island, metrics, widths, y, x)
        placed.into(found)
        lowest = max(lowest, placed.bottom)
        x += wide + max(metrics.gap, 2 * metrics.char)


def _bracket(cord: Cord, rows: dict[str, Box], metrics: Metrics) -> Path:
    """The line of a tree: from below the mark of the upper row down, and over to the mark of the lower one."""
    one, other = sorted((rows[cord.a.row], rows[cord.b.row]), key=lambda box: box.y)
    x = one.x + metrics.char // 2
    y = other.y + metrics.row // 2
    return ((x, one.y + metrics.row // 2), (x, y), (other.x, y))
