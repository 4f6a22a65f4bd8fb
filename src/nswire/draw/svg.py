"""The picture as SVG: one file, no script, nothing from elsewhere, light or dark as the reader has it.

Every text goes through `_text` or `_attribute`, which escape it; the rest are numbers and words of our own.
"""

from __future__ import annotations

from functools import cache
from html import escape
from importlib import resources
from typing import TYPE_CHECKING

from nswire.draw import legend
from nswire.draw.geometry import BETWEEN, MARK, Geometry, Metrics, beside, cells, chips, shorten, shorten_kind
from nswire.draw.layout import lay_out
from nswire.draw.shapes import cut, end_signs, middle, rounded
from nswire.draw.tooltips import of_card, of_cord, of_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.draw.geometry import Box
    from nswire.draw.scene import Card, Cord, Row, Scene

PIXELS = Metrics(
    char=7, title=28, row=22, slot=10, lane=9, margin=24, gap=12, foot=6, indent=18, pad=1, widest=60, narrowest=24,
    columns=6,
)  # fmt: skip
EDGE = 32  # around everything
HEAD = 48  # above the cards
LINE = 18  # of the notes below
COLOURS = 8  # of networks, see drawing.css
WRAP = 150  # cells of a line of notes
SMALL = 0.88  # the letters of a note, against others


def svg(scene: Scene) -> str:
    """The picture of a scene."""
    geometry = lay_out(scene, PIXELS)
    return "".join(document(geometry, asset("drawing.css"), live=False))


@cache
def asset(name: str) -> str:
    """A file of `draw/page`: our own text."""
    return resources.files("nswire.draw").joinpath("page", name).read_text(encoding="utf-8")


def document(geometry: Geometry, style: str, *, live: bool) -> Iterator[str]:
    """The whole of it. `live`: for a page that reacts, where rows and cords can be reached by keyboard."""
    scene = geometry.scene
    top = HEAD + (LINE if scene.trail is not None else 0)
    below = list(_below(geometry))
    width = max(geometry.width, WRAP * geometry.metrics.char if below else 0, 360) + 2 * EDGE
    height = top + geometry.height + EDGE + len(below) * LINE + (EDGE // 2 if below else 0)
    label = f"Network of {scene.title}: {len(scene.cards)} cards, {len(scene.cords)} cords"
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    role = 'role="group"' if live else 'role="img"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" class="nswire" {size} {role} aria-label={_attribute(label)}>\n'
    if style:
        yield f"<style>{style}</style>\n"
    yield f'<rect class="paper" width="{width}" height="{height}"/>\n'
    yield f'<text class="headline" x="{EDGE}" y="30">{_text(scene.title)}</text>\n'
    if scene.trail is not None:
        yield f'<text class="caption {scene.trail.fate}" x="{EDGE}" y="50">{_text(scene.trail.caption)}</text>\n'
    yield f'<g class="stage" transform="translate({EDGE} {top})">\n'
    for card in scene.cards:
        yield from _card(geometry, card, live=live)
    for cord in scene.upwards:
        yield from _cord(geometry, cord, live=live)
    yield from _steps(geometry)
    yield "</g>\n"
    yield f'<g class="foot" transform="translate({EDGE} {top + geometry.height + EDGE})">\n'
    for number, line in enumerate(below):
        yield f'<g transform="translate(0 {number * LINE})">{line}</g>\n'
    yield "</g>\n</svg>\n"


# -- cards and rows ----------------------------------------------------------------------------------------------


def _card(geometry: Geometry, card: Card, *, live: bool) -> Iterator[str]:
    box = geometry.cards[card.key]
    char, title = geometry.metrics.char, geometry.metrics.title
    head = box.height if not card.rows else title
    reach = f' tabindex="0" role="button" aria-label={_attribute(of_card(card))}' if live else ""
    yield f'<g class="card {card.type}" data-key="{card.key}"{reach}>'
    if card.many > 1:
        for shift in (6, 3):
            yield f'<rect class="shadow" x="{box.x + shift}" y="{box.y + shift}" width="{box.width}" height="{box.height}" rx="7"/>'
    yield f'<rect class="body" x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="7"/>'
    yield f'<path class="head" d="{_head(box, head)}"/>'
    room = box.width // char - 2
    name = shorten(card.title, room)
    middle_line = box.y + (title if card.rows else head) // 2 + 4
    yield f'<text class="title" x="{box.x + char}" y="{middle_line}">{_text(name)}</text>'
    rest = room - cells(name) - 2
    more = " · ".join(filter(None, (card.subtitle, card.note)))
    if more and rest > 3:
        x = box.x + char * (1 + cells(name) + 2)
        yield f'<text class="subtitle" x="{x}" y="{middle_line}">{_text(shorten(more, rest))}</text>'
    yield f"<title>{_text(of_card(card))}</title></g>\n"
    for row in card.rows:
        yield from _row(geometry, card, row, live=live)


def _head(box: Box, height: int) -> str:
    """The upper part of a card, inside of its edge."""
    x, y, right, down = box.x + 1, box.y + 1, box.right - 1, box.y + height
    if down >= box.bottom:
        down -= 1
        return f"M{x + 6} {y}H{right - 6}q6 0 6 6V{down - 6}q0 6 -6 6H{x + 6}q-6 0 -6 -6V{y + 6}q0 -6 6 -6z"
    return f"M{x + 6} {y}H{right - 6}q6 0 6 6V{down}H{x}V{y + 6}q0 -6 6 -6z"


def _row(geometry: Geometry, card: Card, row: Row, *, live: bool) -> Iterator[str]:
    metrics, box, outer = geometry.metrics, geometry.rows[row.key], geometry.cards[card.key]
    fields = geometry.fields[card.key]
    char, line = metrics.char, box.y + metrics.row // 2
    trail = geometry.scene.trail
    on = " trail" if trail is not None and row.key in trail.rows else ""
    reach = f' tabindex="0" role="button" aria-label={_attribute(of_row(card, row))}' if live else ""
    yield f'<g class="row {row.mark}{on}" data-key="{row.key}"{reach}>'
    yield f'<rect class="band" x="{outer.x + 2}" y="{box.y + 1}" width="{outer.width - 4}" height="{box.height - 2}" rx="4"/>'
    if row.nic:
        yield f'<path class="plug" d="M{outer.x} {line}h-8m0 -5v10m0 -7h-5m5 4h-5"/>'
    yield f'<path class="mark" d="{MARKS[row.mark].format(x=box.x + char // 2 + 1, y=line)}"/>'
    base = line + 4
    start = outer.x + char
    name_x = box.x + MARK * char
    room = fields.name - (box.x - start) // char
    yield f'<text class="name" x="{name_x}" y="{base}">{_text(shorten(row.name, max(room, 4)))}</text>'
    x = start + (MARK + fields.name + BETWEEN) * char
    if row.kind and fields.kind:
        yield f'<text class="kind" x="{x}" y="{base}">{_text(shorten_kind(row.kind, fields.kind))}</text>'
    x += (fields.kind + BETWEEN if fields.kind else 0) * char
    room = fields.rest - min(beside(row), fields.rest // 2) - BETWEEN * bool(chips(row))
    if row.address and room > 3:
        address = shorten(row.address, room)
        yield f'<text x="{x}" y="{base}">{_text(address)}</text>'
        x += (cells(address) + 1) * char
    yield from _chips(row, x, outer.right - char, line, char)
    yield f"<title>{_text(of_row(card, row))}</title></g>\n"


MARKS = {
    "up": "M{x} {y}m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z",
    "down": "M{x} {y}m-3.5 -3.5l7 7m0 -7l-7 7",
    "carrier": "M{x} {y}m0 -4.5l4.5 8h-9zm0 3v2.2",
}


LOUD = {"": "", "state": "warn", "bad": "bad", "warn": "warn", "blocked": "warn"}


def _chips(row: Row, least: int, right: int, line: int, char: int) -> Iterator[str]:
    """The notes at the right end, the most important furthest to the right; those that have no room stay away."""
    for chip in chips(row):
        told = shorten(chip.text, max(4, int((right - least - 9) / (char * SMALL))))
        width = round(cells(told) * char * SMALL) + 9
        if right - width < least:
            return
        loud = LOUD["bad" if chip.level == "state" and row.mark == "down" else chip.level]
        x = right - width
        yield f'<g class="chip {loud}"><rect x="{x}" y="{line - 8}" width="{width}" height="16" rx="8"/>'
        yield f'<text x="{x + 5}" y="{line + 3}">{_text(told)}</text></g>'
        right = x - 4


# -- cords -------------------------------------------------------------------------------------------------------


def _cord(geometry: Geometry, cord: Cord, *, live: bool) -> Iterator[str]:
    path = geometry.cords[cord.key]
    trail = geometry.scene.trail
    names = [
        "wire",
        *(
            ("guess",)
            if cord.certainty == "unknown"
            else (cord.certainty,)
            if cord.certainty != "proved"
            else ()
        ),
        *(("broken",) if cord.broken else ()),
        *(("many",) if cord.many > 1 else ()),
        *((f"n{(cord.network - 1) % COLOURS + 1}",) if cord.network else ()),
        *(("trail",) if trail is not None and cord.key in trail.cords else ()),
    ]
    reach = (
        f' tabindex="0" role="button" aria-label={_attribute(of_cord(geometry.scene, cord))}' if live else ""
    )
    yield f'<g class="{" ".join(names)}" data-key="{cord.key}"{reach}>'
    line = rounded(path)
    if not cord.tree:
        yield f'<path class="halo" d="{line}"/>'
    yield f'<path class="cord" d="{line}"/>'
    if not cord.tree:
        yield f'<path class="end" d="{end_signs(cord.relation, path)}"/>'
        if cord.broken:
            yield f'<path class="cut" d="{cut(path)}"/>'
    yield f"<title>{_text(of_cord(geometry.scene, cord))}</title></g>\n"


def _steps(geometry: Geometry) -> Iterator[str]:
    """The numbers of a trail."""
    trail = geometry.scene.trail
    for number, key in enumerate(() if trail is None else trail.cords, 1):
        x, y = middle(geometry.cords[key])
        yield f'<g class="step"><circle cx="{x}" cy="{y}" r="8"/><text x="{x}" y="{y + 3.5}">{number}</text></g>\n'


# -- below -------------------------------------------------------------------------------------------------------


def _below(geometry: Geometry) -> Iterator[str]:
    """The lines below the cards: what was not seen, what was left out, what the signs mean."""
    scene = geometry.scene
    for told in scene.unseen:
        text = shorten(f"not seen: {told}", WRAP - 4)
        width = cells(text) * geometry.metrics.char + 16
        yield f'<g class="notice"><rect x="0" y="-12" width="{width}" height="17" rx="4"/><text x="8">{_text(text)}</text></g>'
    for told in scene.left_out:
        yield f'<text class="soft" x="0">{_text("not drawn: " + told)}</text>'
    yield from legend.lines(scene, geometry.metrics.char)


def _text(text: str) -> str:
    return escape(text, quote=False)


def _attribute(text: str) -> str:
    return f'"{escape(text)}"'
