"""Cards, rows and cords in a sentence each: for who hovers, and for who hears instead of seeing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.escape import visible

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
RELATIONS = {
    "peer": "{a} and {b} are the two ends of a pair",
    "port": "{a} is a port of {b}",
    "lower": "{a} is over {b}",
    "underlay": "packets of {a} are sent by {b}",
    "tap": "{a} is served by {b}",
    "patch": "{a} is patched to {b}",
    "redirect": "tc redirects from {a} to {b}",
    "mirror": "tc copies from {a} to {b}",
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
    told = (f"{card.title}/{row.name}", row.kind, state, row.address, *row.notes)
    return ", ".join(filter(None, told))


def of_cord(scene: Scene, cord: Cord) -> str:
    """A cord."""
    relation = RELATIONS.get(cord.relation)
    a, b = _named(scene, cord.a), _named(scene, cord.b)
    told = [
        relation.format(a=a, b=b) if relation else f"{a} is joined to {b} ({visible(cord.relation)})",
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
