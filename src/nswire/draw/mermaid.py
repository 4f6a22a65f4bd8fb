"""The picture as a Mermaid flowchart, as GitHub, GitLab and many wikis draw it.

GitHub draws no more than 50 000 characters and 500 edges (Mermaid's maxTextSize and maxEdges): what would be more is folded
until it fits, and the picture says so. In texts, all but letters, digits and a few signs are written by their number, so
that nothing in them is Markdown, HTML or Mermaid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.draw.build import Size
from nswire.draw.geometry import chips
from nswire.draw.scene import cut, folded
from nswire.model import relations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nswire.draw.scene import Card, Cord, Scene

MOST_TEXT, MOST_EDGES = 50_000, 500
SIZES = (Size(), Size(cards=20, rows=80, few=4), Size(cards=0, rows=0, few=3), Size(cards=0, rows=0, few=2))
LINES = {"proved": "---", "mutual": "-.-", "inferred": "-.-", "unknown": "-.-"}
ARROWS = {"proved": "-->", "mutual": "-.->", "inferred": "-.->", "unknown": "-.->"}
FOLDED = "folded, to be within what GitHub draws: nswire map --group none -o svg has everything"
ELSEWHERE = "nswire map -o svg has everything"


def mermaid(make: Callable[[Size], Scene]) -> str:
    """The picture, folded as far as it takes, and cut off if that does not do."""
    scene, text = None, ""
    for size in SIZES:
        scene = make(size)
        text = _text(scene, FOLDED if folded(scene) else "")
        if _fits(scene, text):
            return text
    most = MOST_EDGES
    while scene is not None and most and not _fits(scene, text):
        scene = cut(scene, most, ELSEWHERE, most)
        text = _text(scene, "")
        most = most * 2 // 3
    return text


def _fits(scene: Scene, text: str) -> bool:
    return len(text) <= MOST_TEXT and len(scene.cords) <= MOST_EDGES


def _text(scene: Scene, said: str) -> str:
    return "".join(f"{line}\n" for line in _lines(scene, said))


def _lines(scene: Scene, said: str) -> Iterator[str]:
    yield "flowchart LR"
    for card in scene.cards:
        yield from _card(card)
    marked = []
    for number, cord in enumerate(scene.cords):
        yield _edge(cord)
        if scene.trail is not None and cord.key in scene.trail.cords:
            marked.append(str(number))
    notes = [
        *((said,) if said else ()),
        *(f"not seen: {one}" for one in scene.unseen),
        *(f"not drawn: {one}" for one in scene.left_out),
    ]
    if notes:
        yield f'  notes["{"<br>".join(map(escaped, notes))}"]:::note'
    yield "  classDef home stroke-width:3px"
    yield "  classDef down stroke:#b3261e,stroke-width:2px,stroke-dasharray:3 3"
    yield "  classDef doubt stroke:#8a5a00,stroke-dasharray:5 3"
    yield "  classDef note stroke-dasharray:2 2"
    if marked:
        yield f"  linkStyle {','.join(marked)} stroke-width:4px"


def _card(card: Card) -> Iterator[str]:
    told = "<br>".join(escaped(one) for one in (card.title, card.subtitle, card.note) if one)
    doubt = card.type in ("hidden", "closed", "unknown")
    if not card.rows:
        yield f'  {card.key}("{told}"){":::doubt" if doubt else ""}'
        return
    yield f'  subgraph {card.key}["{told}"]'
    for row in card.rows:
        words = [
            f"{row.name} {row.kind}",
            *((row.address,) if row.address else ()),
            *(chip.text for chip in chips(row)),
        ]
        mark = "" if row.mark == "up" else ":::down"
        yield f'    {row.key}["{"<br>".join(map(escaped, words))}"]{mark}'
    yield "  end"
    if card.type == "home" or doubt:
        yield f"  class {card.key} {'home' if card.type == 'home' else 'doubt'}"


def _edge(cord: Cord) -> str:
    both = relations.of(cord.relation).both_ways
    line = (LINES if both else ARROWS)[cord.certainty]
    told = [
        *((cord.relation,) if not both else ()),
        *cord.notes,
        *((f"{cord.many} alike",) if cord.many > 1 else ()),
        *(("nothing passes",) if cord.broken else ()),
    ]
    label = f'|"{", ".join(map(escaped, told))}"|' if told else ""
    return f"  {cord.a.row or cord.a.card} {line}{label} {cord.b.row or cord.b.card}"


SAFE = frozenset(" .,:/@+-_()%…")


def escaped(text: str) -> str:
    """A text in which nothing but letters, digits and harmless signs is written as itself.

    Nor does it begin like an item of a Markdown list (`1. `, `- `), which Mermaid refuses to draw.
    """
    made = "".join(one if one.isalnum() or one in SAFE else f"#{ord(one)};" for one in text)
    made = made.replace(". ", "#46; ")
    return f"#{ord(made[0])};{made[1:]}" if made[:1] in ("-", "+") else made
