"""What the signs mean, of those that are on the picture."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from nswire.draw.geometry import cells
from nswire.draw.shapes import end_signs
from nswire.model import relations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.draw.scene import Scene

CERTAINTIES = {
    "mutual": ("mutual", "each end names the other"),
    "inferred": ("inferred", "inferred from a name or a MAC"),
    "unknown": ("guess", "may be, is not certain"),
}
SAMPLE = ((0, -4), (36, -4))
WIDEST = 150  # cells of a line


def lines(scene: Scene, char: int) -> Iterator[str]:
    """The legend, on as many lines as it takes; without what stands in the picture nowhere."""
    x, line = 0, ""
    for drawing, words, wide in _entries(scene):
        width = wide + 8 + (cells(words) + 3) * char
        if x and x + width > WIDEST * char:
            yield line
            x, line = 0, ""
        line += f'<g class="legend" transform="translate({x} 0)">{drawing}<text x="{wide + 8}">{escape(words, quote=False)}</text></g>'
        x += width
    if line:
        yield line


def _entries(scene: Scene) -> Iterator[tuple[str, str, int]]:
    outside = [cord for cord in scene.cords if not cord.tree]
    for relation in dict.fromkeys(cord.relation for cord in outside):
        yield _sample("", relation), relations.of(relation).legend, 36
    for certainty, (name, words) in CERTAINTIES.items():
        if any(cord.certainty == certainty for cord in scene.cords):
            yield _sample(name, "peer"), words, 36
    if any(cord.broken for cord in outside):
        yield (
            f'<g class="wire broken">{_line()}<path class="cut" d="M13 -9l10 10m0 -10l-10 10"/></g>',
            "nothing passes",
            36,
        )
    rows = [row for card in scene.cards for row in card.rows]
    if any(row.mark == "down" for row in rows):
        yield '<g class="row down"><path class="mark" d="M4 -7.5l7 7m0 -7l-7 7"/></g>', "switched off", 12
    if any(row.mark == "carrier" for row in rows):
        yield (
            '<g class="row carrier"><path class="mark" d="M8 -9l4.5 8h-9zm0 3v2.2"/></g>',
            "on, but nothing passes",
            12,
        )
    if any(row.nic for row in rows):
        yield '<path class="plug" d="M18 -4h-8m0 -5v10m0 -7h-5m5 4h-5"/>', "NIC: leaves this machine", 18
    if len({cord.network for cord in scene.cords} - {0}) > 1:
        yield "", "one colour: one layer-2 network", 0


def _line() -> str:
    return '<path class="cord" d="M0 -4H36"/>'


def _sample(name: str, relation: str) -> str:
    return f'<g class="wire {name}">{_line()}<path class="end" d="{end_signs(relation, SAMPLE)}"/></g>'
