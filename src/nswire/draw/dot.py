r"""The picture for Graphviz: a cluster for each card, a node for each row, an edge for each cord. Graphviz lays it out itself.

Every text is a quoted string (no HTML-like and no record labels, which have a syntax of their own). In one, a quote and
a backslash have to be escaped, the latter since `\N`, `\G` ... in a label stand for other names; and so does `&`, since
Graphviz reads HTML's entities in every label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.draw.geometry import chips
from nswire.draw.tooltips import of_cord
from nswire.model import relations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.draw.scene import Card, Cord, Port, Row, Scene

CARDS = {
    "home": 'style="rounded,bold" penwidth=2',
    "hidden": "style=dashed",
    "closed": "style=dotted",
    "unknown": "style=dotted",
}
LINES = {"proved": "solid", "mutual": "dashed", "inferred": "dashed", "unknown": "dotted"}
COLOURS = {"up": "#1f8a4c", "down": "#b3261e", "carrier": "#8a5a00"}


def dot(scene: Scene) -> str:
    """The picture of a scene, as Graphviz reads it."""
    return "".join(f"{line}\n" for line in _lines(scene))


def _lines(scene: Scene) -> Iterator[str]:
    notes = [
        scene.title,
        *(f"not seen: {one}" for one in scene.unseen),
        *(f"not drawn: {one}" for one in scene.left_out),
    ]
    yield "digraph nswire {"
    yield f'  graph [rankdir=LR compound=true fontname="sans-serif" label={quoted(*notes)} labeljust=l]'
    yield '  node [shape=box style=rounded fontname="monospace" fontsize=10 margin="0.08,0.04"]'
    yield '  edge [fontname="monospace" fontsize=9]'
    for card in scene.cards:
        yield from _card(card)
    for cord in scene.cords:
        yield _edge(scene, cord)
    yield "}"


def _card(card: Card) -> Iterator[str]:
    told = filter(None, (card.title, card.subtitle, card.note))
    if not card.rows:
        yield f"  {card.key} [label={quoted(*told)} {CARDS.get(card.type, 'style=rounded')}]"
        return
    yield f"  subgraph cluster_{card.key} {{"
    yield f"    label={quoted(*told)}; {CARDS.get(card.type, 'style=rounded').replace(' ', '; ')}"
    yield f'    {card.key} [shape=point style=invis width=0 label=""]'
    for row in card.rows:
        yield f"    {row.key} [label={quoted(*_words(row))}{_colour(row)}]"
    yield "  }"


def _words(row: Row) -> Iterator[str]:
    yield f"{row.name}  {row.kind}"
    if row.address:
        yield row.address
    if chips(row):
        yield ", ".join(chip.text for chip in chips(row))


def _colour(row: Row) -> str:
    colour = COLOURS[row.mark]
    return "" if row.mark == "up" else f' color="{colour}" fontcolor="{colour}"'


def _edge(scene: Scene, cord: Cord) -> str:
    told = (
        *cord.notes,
        *((f"{cord.many} alike",) if cord.many > 1 else ()),
        *(("nothing passes",) if cord.broken else ()),
    )
    both = relations.of(cord.relation).both_ways
    fields = [
        f"style={LINES[cord.certainty]}",
        f"arrowhead={'none' if both else 'normal'}",
        f"tooltip={quoted(of_cord(scene, cord))}",
    ]
    if told:
        fields.append(f"label={quoted(*told)}")
    if not both:
        fields.append(f"xlabel={quoted(cord.relation)}" if not told else f"taillabel={quoted(cord.relation)}")
    if cord.broken:
        fields.append(f'color="{COLOURS["down"]}"')
    if scene.trail is not None and cord.key in scene.trail.cords:
        fields.append("penwidth=3")
    for name, port in (("ltail", cord.a), ("lhead", cord.b)):
        if not port.row and scene.card(port.card).rows:
            fields.append(f"{name}=cluster_{port.card}")
    return f"  {_node(cord.a)} -> {_node(cord.b)} [{' '.join(fields)}]"


def _node(port: Port) -> str:
    return port.row or port.card


ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\", "&": "&amp;"})


def quoted(*lines: str) -> str:
    r"""Lines as one string of Graphviz, each ended by `\l` (to the left) if there are several."""
    end = "\\l" if len(lines) > 1 else ""
    return '"' + "".join(line.translate(ESCAPES) + end for line in lines) + '"'
