"""Where everything is: the one geometry that all skins draw. Units are pixels or character cells, see `Metrics`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire.draw.scene import Card, Chip, Row

if TYPE_CHECKING:
    from nswire.draw.scene import Scene


class Metrics(NamedTuple):
    """The measures of a skin, all in its unit.

    `char` is the width of a character cell, `title` and `row` heights, `slot` the least distance between two cords that
    leave the same side of a card, `lane` that between two lanes, `margin` the room between a card and the nearest lane,
    `gap` that between cards, `foot` what a card has below its rows, `indent` what a row is further in than the one that it
    hangs on, `pad` cells are free at either side of a card. Cards are at most `widest` cells wide and at least `narrowest`; `columns` at most stand side by side.
    """

    char: int
    title: int
    row: int
    slot: int
    lane: int
    margin: int
    gap: int
    foot: int
    indent: int
    pad: int
    widest: int
    narrowest: int
    columns: int


class Box(NamedTuple):
    """A rectangle."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """Its lower edge."""
        return self.y + self.height


Path = tuple[tuple[int, int], ...]
"""The corners of a line whose parts are horizontal and vertical in turn."""


class Fields(NamedTuple):
    """How wide the texts of a card's rows are, in cells: what is longer loses its middle.

    `rest` is for the address and the notes, which share it.
    """

    name: int
    kind: int
    rest: int


class Geometry(NamedTuple):
    """`cards` and `rows` by their keys, `fields` by card; `cords` by key, those of trees from the upper row to the lower."""

    scene: Scene
    metrics: Metrics
    width: int
    height: int
    cards: dict[str, Box]
    rows: dict[str, Box]
    fields: dict[str, Fields]
    cords: dict[str, Path]


# -- texts -------------------------------------------------------------------------------------------------------


def cells(text: str) -> int:
    """The columns that a text takes where each letter has the same width."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # the tables of wide characters; loaded when there is one

    return cell_len(text)


def shorten(text: str, most: int) -> str:
    """The text without its middle if it takes more than so many cells: its begin and its end tell most."""
    if cells(text) <= most:
        return text
    if most < 2:
        return "…"[:most]
    end = (most - 1) // 3
    return f"{_cut(text, most - 1 - end)}…{_cut(text[::-1], end)[::-1]}"


def shorten_kind(text: str, most: int) -> str:
    """A kind with what matters most of it (`vxlan id 123 local 10.99.0.1`) in so many cells: as many whole words as have room.

    Of one word and a value the value alone; only where not even the kind has room its middle is left out.
    """
    words = text.split(" ")
    fitting = [" ".join(words[:count]) for count in range(len(words), 1, -2)]
    if len(words) >= 3:
        fitting.append(f"{words[0]} {words[2]}")
    fitting += [f"{words[0]}…", words[0]]
    return next((one for one in (text, *fitting) if cells(one) <= most), shorten(words[0], most))


def _cut(text: str, most: int) -> str:
    used = 0
    for at, letter in enumerate(text):
        used += cells(letter)
        if used > most:
            return text[:at]
    return text


ROUND = (
    3  # widths are multiples of so many cells, so that a longer name seldom moves what stands to the right
)
MARK = 2  # cells: the sign of the state and a space
BETWEEN = 2  # cells between two texts of a row
CHIP = 2  # cells that a note takes besides its letters


def chips(row: Row) -> tuple[Chip, ...]:
    """The short texts at the right end of a row: its state if it is not up, then its notes."""
    return (*((Chip(row.state, "state"),) if row.state else ()), *row.notes)


def beside(row: Row) -> int:
    """The cells that the notes of a row take, and what keeps them apart."""
    return sum(cells(chip.text) + CHIP + 1 for chip in chips(row))


def measure(card: Card, metrics: Metrics) -> tuple[int, Fields]:
    """How wide a card is in cells, and its texts: as wide as needed, within the limits of the metrics."""
    deeper = -(-metrics.indent // metrics.char)
    name = max((row.depth * deeper + cells(row.name) for row in card.rows), default=0)
    kind = max((cells(row.kind) for row in card.rows), default=0)
    rest = max(
        (cells(row.address) + BETWEEN * bool(row.address) + beside(row) for row in card.rows), default=0
    )
    fields = _narrowed(Fields(name, kind, rest), metrics.widest - 2 * metrics.pad - MARK - 2 * BETWEEN)
    rows = (
        2 * metrics.pad + MARK + sum(part + BETWEEN for part in fields if part) - BETWEEN if card.rows else 0
    )
    more = sum(cells(text) + 3 for text in (card.subtitle, card.note) if text)
    wide = max(rows, 2 * metrics.pad + cells(card.title) + more + 1)
    wide = -(-wide // ROUND) * ROUND
    return max(metrics.narrowest, min(metrics.widest, wide)), fields


LEAST = (Fields(26, 14, 99), Fields(20, 9, 26), Fields(17, 6, 18), Fields(14, 4, 14), Fields(8, 0, 8))
"""Down to what each text gives way, in turn: kinds first, then addresses and notes, then names."""


def _narrowed(fields: Fields, room: int) -> Fields:
    """The same within so many cells."""
    name, kind, rest = fields
    for least in LEAST:
        kind -= max(0, min(name + kind + rest - room, kind - least.kind))
        rest -= max(0, min(name + kind + rest - room, rest - least.rest))
        name -= max(0, min(name + kind + rest - room, name - least.name))
    return Fields(name, kind, rest)
