"""Cards, rows and cords in a sentence each: for who hovers, and for who hears instead of seeing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.escape import visible
from nswire.model import relations

if TYPE_CHECKING:
    from nswire.draw.scene import Card, Cord, Port, Row, Scene

TYPES = {
    "home": "the namespace that was looked from",
    "space": "namespace",
    "hidden": "hidden namespace",
    "closed": "namespace that could not be read",
    "process": "process",
    "tunnel": "tunnel",
    "unknown": "not known",
}
CERTAIN = {"unknown": "not certain"}


def of_card(card: Card) -> str:
    """A card."""
    many = f"{card.many} alike: " if card.many > 1 else ""
    told = (f"{many}{card.title}", card.subtitle, TYPES[card.type], card.note)
    return ", ".join(filter(None, told))


def of_row(card: Card, row: Row) -> str:
    """A row."""
    state = row.state or ("UP" if row.mark == "up" else "")
    told = (f"{card.title}/{row.name}", row.kind, state, row.address, *(chip.text for chip in row.notes))
    return ", ".join(filter(None, told))


def of_cord(scene: Scene, cord: Cord) -> str:
    """A cord."""
    a, b = _named(scene, cord.a), _named(scene, cord.b)
    told = [
        relations.of(visible(cord.relation)).sentence.format(a=a, b=b),
        CERTAIN.get(cord.certainty, cord.certainty),
        *cord.notes,
        *(("nothing passes",) if cord.broken else ()),
        *((f"{cord.many} alike",) if cord.many > 1 else ()),
    ]
    return ", ".join(told)


def _named(scene: Scene, port: Port) -> str:
    card = scene.card(port.card)
    if not port.row:
        return card.title
    return f"{card.title}/{scene.row(port.row).name}"
