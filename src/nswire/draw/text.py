"""The picture in box-drawing characters, as wide as a terminal: lines of pieces, which `show` paints.

It is here and not in `show`, since it is the same geometry in another unit; escaping for a terminal is done when names
become texts of the scene, and colours are `show`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.draw.build import Size
from nswire.draw.canvas import Canvas
from nswire.draw.geometry import BETWEEN, MARK, Metrics, beside, cells, chips, shorten, shorten_kind
from nswire.draw.layout import lay_out
from nswire.draw.scene import cut
from nswire.model import relations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nswire.draw.canvas import Piece
    from nswire.draw.geometry import Box, Geometry, Path
    from nswire.draw.scene import Card, Cord, Row, Scene

Lines = list[tuple["Piece", ...]]
NATURAL = 120  # columns where nobody says how many there are
SIZES = (Size(cards=24, rows=90, few=4), Size(cards=8, rows=30, few=3), Size(cards=0, rows=0, few=2))
"""How much is drawn singly, until it fits."""
LAYOUTS = tuple(
    Metrics(
        char=1, title=1, row=1, slot=1, lane=lane, margin=2, gap=0, foot=1, indent=2, pad=2, widest=widest, narrowest=12,
        columns=columns,
    )
    for columns, widest, lane in (
        *((columns, widest, 2) for columns in (4, 3, 2) for widest in (60, 50, 42)),
        *((1, widest, 2) for widest in (72, 64, 56, 48)),
        *((1, widest, 1) for widest in (56, 48, 40)),
    )
)  # fmt: skip
"""From the best to the narrowest: several columns of cards, or one with all lanes to its right."""
NARROWEST = LAYOUTS[-1]
ELSEWHERE = "nswire map -o html has everything"


def text(make: Callable[[Size], Scene], columns: int = NATURAL) -> str:
    """The picture as plain text, with what could not be seen below it."""
    geometry = _fitted(make, columns)
    drawn = ["".join(piece for piece, _ in line) for line in _drawn(geometry)]
    unseen = [f"not seen: {told}" for told in geometry.scene.unseen]
    return "".join(f"{line}\n" for line in (*drawn, *unseen))


def lines(make: Callable[[Size], Scene], columns: int = NATURAL) -> Lines:
    """The picture, line by line, no wider than so many columns: folded, and at last cut off, if it has to be."""
    return _drawn(_fitted(make, columns))


def _fitted(make: Callable[[Size], Scene], columns: int) -> Geometry:
    for size in SIZES:
        scene = make(size)
        narrow = lay_out(scene, NARROWEST)
        if narrow.width <= columns:
            break
    most = len(scene.cards)
    while most > 1 and narrow.width > columns:
        most = most * 2 // 3
        scene = cut(scene, most, ELSEWHERE)
        narrow = lay_out(scene, NARROWEST)
    better = (lay_out(scene, one) for one in LAYOUTS[:-1])
    return next((made for made in better if made.width <= columns), narrow)


def _drawn(geometry: Geometry) -> Lines:
    canvas = Canvas(geometry.width + 2, geometry.height + 1)
    for cord in geometry.scene.upwards:
        if not cord.tree:
            _cord(canvas, geometry, cord)
    for card in geometry.scene.cards:
        _card(canvas, geometry, card)
    for cord in geometry.scene.upwards:
        if cord.tree:
            canvas.line(geometry.cords[cord.key], style_of(cord), _dash(geometry, cord))
    for card in geometry.scene.cards:
        for row in card.rows:
            _row(canvas, geometry, card, row)
    for cord in geometry.scene.cords:
        if not cord.tree:
            _ends(canvas, geometry, cord)
    return [*_caption(geometry), *_trimmed(canvas.lines()), *_below(geometry)]


def _trimmed(made: Lines) -> Lines:
    while made and not made[-1]:
        made.pop()
    return made


FATES = {"leaves": "up", "delivered": "up", "refused": "down", "dropped": "down"}


def _caption(geometry: Geometry) -> Iterator[tuple[Piece, ...]]:
    trail = geometry.scene.trail
    if trail is not None:
        yield ((trail.caption, FATES.get(trail.fate, "doubt")),)


def _below(geometry: Geometry) -> Iterator[tuple[Piece, ...]]:
    for told in geometry.scene.left_out:
        yield ((f"not drawn: {told}", "dim"),)


# -- cards and rows ----------------------------------------------------------------------------------------------

PLAIN, DOUBLE = "┌┐└┘─│", "╔╗╚╝═║"
BORDERS = {"home": DOUBLE, "hidden": "┌┐└┘╌┆", "closed": "┌┐└┘┈┊"}
STYLES = {"home": "head", "hidden": "doubt", "closed": "doubt", "unknown": "doubt"}
MARKS = {"up": ("●", "up"), "down": ("✕", "down"), "carrier": ("▲", "doubt")}


def _card(canvas: Canvas, geometry: Geometry, card: Card) -> None:
    box = geometry.cards[card.key]
    style = STYLES.get(card.type, "netns")
    more = " · ".join(filter(None, (card.subtitle, card.note)))
    if not card.rows:
        _boxless(canvas, box, card.title, more, style)
        return
    left_top, right_top, left_bottom, right_bottom, across, down = tuple(BORDERS.get(card.type, PLAIN))
    canvas.write(box.x, box.y, left_top + across * (box.width - 2) + right_top)
    for y in range(box.y + 1, box.bottom - 1):
        canvas.write(box.x, y, down)
        canvas.write(box.x + 1, y, " " * (box.width - 2))
        canvas.write(box.right - 1, y, down)
    canvas.write(box.x, box.bottom - 1, left_bottom + across * (box.width - 2) + right_bottom)
    _title(canvas, box.x + 1, box.y, box.width - 2, (card.title, more, style))


def _boxless(canvas: Canvas, box: Box, title: str, more: str, style: str) -> None:
    """What has no rows is one line between brackets."""
    canvas.write(box.x, box.y, "[" + " " * (box.width - 2) + "]")
    _title(canvas, box.x + 1, box.y, box.width - 2, (title, more, style))


def _title(canvas: Canvas, x: int, y: int, room: int, texts: tuple[str, str, str]) -> None:
    title, more, style = texts
    told = shorten(title, room - 2)
    x = canvas.write(x, y, " ")
    x = canvas.write(x, y, told, style)
    x = canvas.write(x, y, " ")
    left = room - cells(told) - 4
    if more and left > 3:
        canvas.write(x + 1, y, f" {shorten(more, left - 1)} ", "dim")


LOUD = {"": "", "bad": "down", "warn": "doubt", "blocked": ""}


def _row(canvas: Canvas, geometry: Geometry, card: Card, row: Row) -> None:
    box, outer, fields = geometry.rows[row.key], geometry.cards[card.key], geometry.fields[card.key]
    start, y, end = outer.x + geometry.metrics.pad, box.y, outer.right - geometry.metrics.pad
    mark, style = MARKS[row.mark]
    canvas.write(box.x, y, mark, style)
    canvas.write(box.x + MARK, y, shorten(row.name, max(4, fields.name - (box.x - start))), "name")
    x = start + MARK + fields.name + BETWEEN
    if fields.kind and row.kind:
        canvas.write(x, y, shorten_kind(row.kind, fields.kind), "dim")
    x += fields.kind + BETWEEN if fields.kind else 0
    notes = chips(row)
    room = fields.rest - min(beside(row), fields.rest // 2) - BETWEEN * bool(notes)
    if row.address and room > 3:
        x = canvas.write(x, y, shorten(row.address, room)) + BETWEEN
    for note in notes:
        if x + 3 > end:
            break
        loud = style if note.level == "state" else LOUD[note.level]
        x = canvas.write(x, y, shorten(note.text, end - x), loud) + BETWEEN
    if row.nic:
        canvas.write(outer.x, y, "╪" if card.type == "home" else "┿")


# -- cords -------------------------------------------------------------------------------------------------------

DASHES = {"mutual": "dashed", "inferred": "dashed", "unknown": "dotted"}


def style_of(cord: Cord) -> str:
    """The style of a cord: by its network, unless something is to be said of it."""
    if cord.certainty == "unknown":
        return "doubt"
    return f"n{(cord.network - 1) % 6 + 1}" if cord.network else "dim"


def _cord(canvas: Canvas, geometry: Geometry, cord: Cord) -> None:
    path = _outside(geometry.cords[cord.key])
    canvas.line(path, style_of(cord), _dash(geometry, cord))


def _dash(geometry: Geometry, cord: Cord) -> str:
    trail = geometry.scene.trail
    on_trail = trail is not None and cord.key in trail.cords
    return "heavy" if on_trail else DASHES.get(cord.certainty, "")


def _outside(path: Path) -> Path:
    """The same path, beginning and ending at the borders: a box's right edge is the cell before its `right`."""
    (x1, y1), *corners, (x2, y2) = path
    towards = (corners[0][0] if corners else x2), (corners[-1][0] if corners else x1)
    first = x1 - 1 if towards[0] >= x1 else x1
    last = x2 - 1 if towards[1] >= x2 else x2
    return ((first, y1), *corners, (last, y2))


TAP = "tap"  # ends at a process, which has a sign of its own
CUT = "\N{MULTIPLICATION SIGN}"


def _ends(canvas: Canvas, geometry: Geometry, cord: Cord) -> None:
    """Where a cord comes to a card, with an arrow where it matters to which of the two."""
    path = geometry.cords[cord.key]
    style = style_of(cord)
    for (x, y), (near, _), at_b in ((path[0], path[1], False), (path[-1], path[-2], True)):
        right = near >= x
        border = x - 1 if right else x
        canvas.write(border, y, "├" if right else "┤", style)
        if at_b and cord.relation != TAP and not relations.of(cord.relation).both_ways:
            canvas.write(border + (1 if right else -1), y, "◂" if right else "▸", style)
        elif at_b and cord.certainty == "unknown":
            canvas.write(border + (1 if right else -1), y, "?", style)
    if cord.broken:
        (x, y), (near, _) = path[0], path[1]  # beside the border, where no lane is
        canvas.write(x if near >= x else x - 1, y, CUT, "down")
